"""Which photos somebody means who names files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif")
"""Suffixes of photos, in lower case: those of faces.recognition.image_kinds, which a test compares."""


def find_photos(named: Iterable[Path], plain_name: Callable[[str], str] = str) -> tuple[list[Path], list[Path]]:
    """The photos that are meant, each once.

    A file is meant whatever it is called, and whether it is there or not. Of a folder, the files with one of `SUFFIXES`
    are meant, sub-folders included, sorted by name; hidden ones are left out, and links to folders are not followed.

    Args:
        named: files and folders.
        plain_name: what a file would be called if it were not encrypted, given its name.

    Returns:
        The photos, and the folders that hold none or cannot be read.
    """
    photos: dict[Path, None] = {}
    empty = []
    for path in named:
        if not path.is_dir():
            photos[path] = None
            continue
        found = sorted(inside for inside in _files(path) if _is_photo(plain_name(inside.name)))
        photos.update(dict.fromkeys(found))
        if not found:
            empty.append(path)
    return list(photos), empty


def _is_photo(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if not name.startswith("."))
