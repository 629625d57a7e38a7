"""The versions that were stored before: deleted from DVC's cache and remotes, once what takes their place is there."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from privacy.dvc.objects import Objects, Purged, purge
from privacy.dvc.owed import Payment, owe, pay
from privacy.dvc.stores import Store, Workspace, open_repo
from privacy.errors import PrivacyError
from privacy.locking.derived import other_forms, text_in_git
from privacy.locking.files import is_kept_plain
from stages.files.encryption import HEADER_BYTES, Key, LockedError, read_header
from stages.files.locked_files import is_locked_name

EMPTY = hashlib.md5(b"", usedforsecurity=False).hexdigest()
"""The object of an empty file: it tells nothing, and others may need it."""


@dataclass(frozen=True)
class Replaced:
    """What became of earlier versions.

    Attributes:
        cache: what was deleted from the cache.
        remotes: what was deleted from remotes, and what is owed to them.
        older: photos of earlier versions that are in the cache and not among those that are locked now.
    """

    cache: Purged
    remotes: Payment
    older: int


def uses_dvc(root: Path) -> bool:
    """Whether the project has DVC."""
    return (root / ".dvc").is_dir()


def check_cache(root: Path) -> None:
    """Raise a PrivacyError where the cache may be another project's too."""
    workspace = Workspace.open(root)
    if not workspace.has_cache_within([root]):
        raise PrivacyError(
            "the DVC cache {cache} lies outside the project, so it may be another project's, too, and nothing is "
            "deleted there. Give this project a cache of its own ('dvc cache dir --unset', or --local, then 'dvc "
            "checkout'), and delete the other one where nobody else needs it",
            cache=os.path.realpath(workspace.cache),
        )


def track(root: Path, folders: Iterable[Path]) -> list[Path]:
    """Have DVC store the folders as they are now, those that it tracks; returns these.

    Raises:
        PrivacyError: DVC cannot.
    """
    from dvc.exceptions import DvcException

    tracked = [folder for folder in folders if (root / f"{folder}.dvc").is_file()]
    if tracked:
        try:
            with open_repo(root) as repo:
                repo.add([str(root / folder) for folder in tracked])
        except DvcException as error:
            raise PrivacyError(
                "DVC cannot store the photos as they are now: {reason}. They are locked, and DVC's cache and remotes "
                "still have the earlier versions. A file of DVC's that it was writing when it was stopped comes back "
                "from git ('git checkout -- data/me.dvc'); then run this again",
                reason=error,
            ) from None
    return tracked


def delete_earlier(
    root: Path, gone: Collection[str], all_versions: bool, derived: Key | None, old_keys: Collection[bytes] = ()
) -> Replaced:
    """Delete objects that others have taken the place of, and the lists that name nothing else.

    A remote first gets what DVC stores of the photos now, so that it goes on being a backup.

    Args:
        root: of the project.
        gone: MD5s of what must not be kept.
        all_versions: also photos of earlier versions that are in data/ no more: they are lost then.
        derived: the key that locks what is made of photos, where that is asked for: all other forms of it go.
        old_keys: ids of keys; what they open counts as plain.

    Raises:
        PrivacyError: an object of the cache cannot be deleted, or the cache lies outside the project.
    """
    check_cache(root)
    workspace = Workspace.open(root)
    cache, remotes = workspace.open_cache(), [workspace.open_remote(name) for name in workspace.remotes()]
    answering = [remote for remote in remotes if isinstance(remote, Store)]
    held = Objects([cache, *answering])
    doomed = set(gone) - {EMPTY, ""}
    made, lists_of_crops = (set(), set()) if derived is None else other_forms(root, held, derived)
    lists, older = _lists(root, held, doomed, all_versions, old_keys, lists_of_crops)
    doomed |= lists | made | (older if all_versions else set())
    # Written down first: a kill from here on is made good by the next run.
    owe(root, remotes, doomed, "lock", datetime.now(UTC).isoformat(timespec="seconds"))
    try:
        deleted = purge(cache, doomed)
    except OSError as error:
        raise PrivacyError(
            "{path} of the DVC cache cannot be deleted ({reason}): give yourself the right to, and run it again",
            path=error.filename,
            reason=error.strerror,
        ) from None
    away = [remote for remote in remotes if not isinstance(remote, Store)]
    return Replaced(deleted, pay([workspace], answering, away), 0 if all_versions else len(older))


def _lists(
    root: Path,
    held: Objects,
    doomed: Collection[str],
    all_versions: bool,
    old_keys: Collection[bytes],
    not_of_photos: Collection[str],
) -> tuple[set[str], set[str]]:
    """The lists of folders that go, and the plain photos of earlier versions that lists of these folders name."""
    lists: set[str] = set()
    older: set[str] = set()
    of_photos = _lists_in_git(root)
    for name, entries in held.manifests.items():
        if name in not_of_photos:
            continue
        plain = {
            oid
            for path, oid in entries
            if oid in doomed or not (_is_safe(path) and _key_id(held, oid, old_keys) not in old_keys)
        } - {EMPTY}
        if not plain or (plain.isdisjoint(doomed) and name not in of_photos):
            continue
        rest = plain - set(doomed)
        older |= {oid for oid in rest if held.in_cache(oid)}
        if not rest or all_versions:
            lists.add(name)
    return lists, older


def _key_id(held: Objects, oid: str, old_keys: Collection[bytes]) -> bytes | None:
    """Which key locked an object of the cache; None where it is not there, or nobody asks."""
    if not old_keys or not held.in_cache(oid):
        return None
    try:
        return read_header(held.read(oid, HEADER_BYTES) or b"", Path(oid)).key_id
    except LockedError:
        return None


def _is_safe(relpath: str) -> bool:
    name = PurePosixPath(relpath).name
    return is_locked_name(name) or is_kept_plain(name)


def _lists_in_git(root: Path) -> set[str]:
    """The lists that data/me.dvc and data/not_me.dvc have ever named; nothing where there is no git."""

    text = text_in_git(root, "data/me.dvc", "data/not_me.dvc")
    return set(re.findall(r"\bmd5: ([0-9a-f]{32}\.dir)\b", text))
