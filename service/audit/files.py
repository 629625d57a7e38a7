"""Files of the audit log: private, kept open between records, and missed at once when they are gone."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Self

from service.audit.chain import MOST_LINE_BYTES, LineError, parse, unseal

_SEGMENT = re.compile(r"audit-(\d{6,9})\.jsonl")


def segment_path(folder: Path, index: int) -> Path:
    """The file of a segment, by its number from 1 on."""
    return folder / f"audit-{index:06}.jsonl"


def segments(folder: Path) -> list[int]:
    """Numbers of the segments in a folder, in their order.

    Raises:
        OSError: the folder cannot be read.
    """
    names = (_SEGMENT.fullmatch(path.name) for path in folder.iterdir())
    found = {int(name[1]) for name in names if name}
    return sorted(index for index in found if segment_path(folder, index).exists())


def first_line(path: Path) -> bytes:
    """The first line of a segment, cut off where it is too long for one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.readline(MOST_LINE_BYTES + 1)


def chain_named(path: Path) -> str | None:
    """The name of the log that a segment's first line gives; unchecked, and None where it gives none."""
    with contextlib.suppress(FileNotFoundError, LineError):
        return str(parse(unseal(first_line(path).rstrip(b"\n"))[0]).get("chain"))
    return None


def last_lines(path: Path) -> list[bytes]:
    """The last two lines of a segment, without newlines; fewer where it has not as many.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 2 * MOST_LINE_BYTES))
        return file.read().splitlines()[-2:]


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, if it is not there yet.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush to disk which files a folder has; Windows has no such thing."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist, readable for its owner alone, flushed to disk.

    Raises:
        FileExistsError: it exists.
        OSError: it cannot be written; what there was of it has been removed.
    """
    try:
        with open(path, "xb", opener=_private) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise


class KeptFile:
    """A file that stays open, as long as its path leads to it.

    A file that was removed, or moved away, could still be written to by whoever has it open: what is written would be
    lost. So `size` looks at the path each time.

    Args:
        path: of the file.
        create: make it if it is not there.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, create: bool = False) -> None:
        self.path = path
        self._create = create
        self._open()

    def _open(self) -> None:
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | (os.O_CREAT if self._create else 0)
        self._file = os.fdopen(os.open(self.path, flags, 0o600), "r+b", buffering=0)
        found = os.fstat(self._file.fileno())
        self._identity = (found.st_dev, found.st_ino)

    def size(self) -> int:
        """Bytes of the file that the path leads to now, which is opened if it is another.

        Raises:
            OSError: there is none, or it cannot be opened.
        """
        found = self.path.stat()
        if (found.st_dev, found.st_ino) != self._identity:
            self.close()
            self._open()
        return found.st_size

    def read(self, at: int, length: int) -> bytes:
        """Up to so many bytes from a place on."""
        self._file.seek(at)
        parts = []
        while length > 0 and (part := self._file.read(length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def write(self, at: int, data: bytes) -> None:
        """Write all of `data` from a place on.

        Raises:
            OSError: it cannot be written; a part of it may stand there.
        """
        self._file.seek(at)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]

    def truncate(self, size: int) -> None:
        """Cut the file off after so many bytes."""
        self._file.truncate(size)

    def sync(self) -> None:
        """Flush to disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; `size` opens it again."""
        self._file.close()
        self._identity = (-1, -1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
