"""Writing files so that a reader sees the old content or the new one, never half of it."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to. It replaces `path` if the block ends well, and is deleted
    otherwise.

    Raises:
        OSError: the folder cannot be made, or the disk is full; `path` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace a text file's content (UTF-8, newlines as given)."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_flushed(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file whose content is on the disk before this returns.

    Args:
        path: the file.
        data: its content.
        mode: its permissions where it is new, less those that the process's umask takes away.
    """
    with open(path, "wb", opener=partial(os.open, mode=mode)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_bytes(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Replace a file's content, flushed to disk before it takes the old one's place; arguments as `write_flushed`."""
    with replacing(path) as temporary:
        write_flushed(temporary, data, mode)
