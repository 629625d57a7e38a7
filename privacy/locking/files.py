"""One file locked, unlocked, or locked with another key, so that at no moment it is lost.

The new form is written beside the old one, flushed, read back from the disk and compared; then it gets its name, and
only then the old one is removed. Stopped anywhere, one form is there in full, perhaps both; the next run goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from faces.files import write_flushed
from faces.message import Message
from privacy.errors import PrivacyError
from stages.files.encryption import Key, is_sealed, read_header
from stages.files.locked_files import locked_name, plain_name

LONGEST_NAME = 255  # bytes, on the usual file systems
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.locking\.tmp")
_NOT_PHOTOS = re.compile(r"\.(git|dvc)\w*")  # .gitkeep, .dvcignore and the like


class TwoFormsError(PrivacyError):
    """A file is there both plain and locked, and the two differ."""


@dataclass(frozen=True)
class Done:
    """A file that has the form asked for.

    Attributes:
        plain_md5: of its content before it was locked, as DVC counts it; "" where it is empty.
        changed: whether it had another form before.
    """

    plain_md5: str
    changed: bool


def find_files(folders: Iterable[Path]) -> list[Path]:
    """The files to lock or unlock, by their plain names, sorted: all but git's and DVC's own.

    Args:
        folders: some of them may lack.
    """
    found = set()
    for folder in folders:
        for parent, _, files in os.walk(folder):
            for name in files:
                if not is_kept_plain(name) and not _TEMPORARY.fullmatch(name):
                    found.add(Path(parent, plain_name(name)))
    return sorted(found)


def is_kept_plain(name: str) -> bool:
    """Whether a file is git's or DVC's own (.gitkeep, .dvcignore), which say nothing of anybody."""
    return _NOT_PHOTOS.fullmatch(name) is not None


def locked_path(path: Path) -> Path:
    """Where the locked form of a file lies, given its plain path."""
    return path.with_name(locked_name(path.name))


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Remove what a killed run has left half written; nothing else has such a name."""
    for folder in folders:
        for parent, _, files in os.walk(folder):
            for name in files:
                if _TEMPORARY.fullmatch(name):
                    Path(parent, name).unlink(missing_ok=True)


def why_not_lockable(path: Path) -> Message | None:
    """Why a file cannot be locked, None where it can; `path` is its plain path."""
    too_long = len(os.fsencode(locked_name(path.name))) - LONGEST_NAME
    if too_long > 0:
        text = "the name of {path} is too long to be locked: shorten it by {bytes} bytes or more"
        return Message(text, path=path, bytes=too_long)
    return None


def lock_file(path: Path, key: Key) -> Done:
    """Replace a file by its locked form, unless it is locked already.

    Args:
        path: its plain path.
        key: what locks it.

    Raises:
        LockedError: a locked form is there that this key does not open.
        TwoFormsError: both forms are there, with different content.
        PrivacyError: what was written cannot be read back.
        OSError: it cannot be read or written; the file is then as it was.
    """
    target = locked_path(path)
    if not path.exists() and not path.is_symlink():
        return Done(md5_of(_open(target, key)), False)
    before = path.stat()
    content = path.read_bytes()
    if is_sealed(content):
        raise PrivacyError(
            "{path} is locked already, but its name does not end with .locked: rename it to {target}",
            path=path,
            target=target.name,
        )
    if target.exists():
        _same(content, _open(target, key), path)
    else:
        _write(target, key.seal(content), before, lambda written: key.open(written, target) == content)
    _remove_unchanged(path, before)
    return Done(md5_of(content), True)


def unlock_file(path: Path, key: Key) -> Done:
    """Replace a locked file by the plain one; otherwise as `lock_file`."""
    source = locked_path(path)
    if not source.exists():
        return Done(md5_of(path.read_bytes()), False)
    before = source.stat()
    content = _open(source, key)
    if path.exists():
        _same(path.read_bytes(), content, path)
    else:
        _write(path, content, before, lambda written: written == content)
    _remove_unchanged(source, before)
    return Done(md5_of(content), True)


def rekey_file(path: Path, old: Key, new: Key) -> Done:
    """Lock a locked file with another key, unless it is locked with that already; otherwise as `lock_file`.

    Args:
        path: its plain path; a file that is not locked stays as it is.
        old, new: the keys.
    """
    source = locked_path(path)
    sealed = source.read_bytes()
    if read_header(sealed, source).key_id == new.key_id:
        return Done(md5_of(new.open(sealed, source)), False)
    content = old.open(sealed, source)
    _write(source, new.seal(content), source.stat(), lambda written: new.open(written, source) == content)
    return Done(md5_of(content), True)


def _open(path: Path, key: Key) -> bytes:
    return key.open(path.read_bytes(), path)


def md5_of(content: bytes) -> str:
    """What DVC calls a file with this content; "" where it is empty."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest() if content else ""


def _same(plain: bytes, locked: bytes, path: Path) -> None:
    if plain != locked:
        raise TwoFormsError(
            "{path} and {locked} are two different photos under one name: rename one of them (a locked one keeps its "
            "suffixes), and run it again",
            path=path,
            locked=locked_path(path).name,
        )


def _write(target: Path, data: bytes, like: os.stat_result, good: object) -> None:
    """Write a file, see that it is on the disk as it should be, and give it its name.

    Args:
        target: the file.
        data: its content.
        like: its times and permissions.
        good: whether what was read back is right, a function of bytes.
    """
    assert callable(good)
    temporary = target.with_name(f".{secrets.token_hex(8)}.locking.tmp")
    try:
        write_flushed(temporary, data, mode=0o600)
        if not good(temporary.read_bytes()):
            raise PrivacyError(
                "what was written for {path} cannot be read back: the disk may be failing. The file is as it was",
                path=target,
            )
        with contextlib.suppress(OSError):  # not every file system keeps them
            os.utime(temporary, ns=(like.st_atime_ns, like.st_mtime_ns))
            temporary.chmod(stat.S_IMODE(like.st_mode) | stat.S_IWUSR)  # DVC's links to its cache are read-only
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(target.parent)


def _remove_unchanged(path: Path, before: os.stat_result) -> None:
    """Remove a file unless it was changed since it was read."""
    now = path.stat()
    if (now.st_mtime_ns, now.st_size, now.st_ino) != (before.st_mtime_ns, before.st_size, before.st_ino):
        raise PrivacyError("{path} was changed meanwhile by another program: run it again", path=path)
    if os.name == "nt":
        path.chmod(stat.S_IWRITE)  # a read-only file cannot be removed there
    path.unlink()


def _flush_folder(folder: Path) -> None:
    """See to it that names are on the disk, where a folder can be flushed."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def locked_ones(paths: Iterable[Path]) -> list[Path]:
    """The locked forms that are there, of files given by their plain paths."""
    return [locked_path(path) for path in paths if not why_not_lockable(path) and locked_path(path).exists()]
