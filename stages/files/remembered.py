"""data/remembered: what stages crop and embed made of photos in earlier runs, taken out for some of the photos."""

from __future__ import annotations

import io
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faces.files import write_bytes
from stages.files.encryption import LockedError
from stages.files.locked_files import key_like, read_file, sealed

_SHA256_DIGITS = 64


def forget_crops(folder: Path, photos: Collection[str]) -> None:
    """Delete what crop remembers of photos: files are called by the photo's SHA-256 (stages/crop/memory.py).

    Args:
        folder: of all recipes; it need not be there.
        photos: their SHA-256.

    Raises:
        OSError: something cannot be deleted.
    """
    for path in sorted(folder.rglob("*")):
        if path.name.lstrip(".")[:_SHA256_DIGITS] in photos and path.is_file():
            delete(path)


def remembered_photos(folder: Path) -> set[str]:
    """SHA-256 of the photos of which crop remembers something.

    Args:
        folder: of all recipes; it need not be there.
    """
    return {path.name[:_SHA256_DIGITS] for path in folder.rglob("*") if path.is_file()}


def forget_embeddings(folder: Path, known: Collection[str], staying: Collection[str] | None = None) -> None:
    """Take out what embed remembers: a file for each recipe, with rows by crop and photo (stages/embed/memory.py).

    Args:
        folder: of all recipes; it need not be there.
        known: SHA-256 of crops and photos.
        staying: SHA-256 of the photos of which rows may stay; None for all others.

    Raises:
        OSError: a file cannot be written or deleted.
    """
    for path in sorted(folder.glob("*.npz")):
        try:
            key = key_like(path)
        except LockedError:  # nobody can tell what it holds; embed makes it anew
            delete(path)
            continue
        crops, photos, rows = read_embeddings(path)
        mine = np.isin(crops, list(known)) | np.isin(photos, list(known))
        if staying is not None:
            mine |= ~np.isin(photos, list(staying))
        if not mine.any():
            continue
        if mine.all():
            delete(path)
            continue
        used = path.stat()
        file = io.BytesIO()
        np.savez(file, crops=crops[~mine], photos=photos[~mine], embeddings=rows[~mine])
        write_bytes(path, sealed(file.getvalue(), key))
        os.utime(path, (used.st_atime, used.st_mtime))  # to forget something is not to use it


def delete(path: Path) -> None:
    """Delete a file, also a read-only one on Windows, as DVC's links are; none there is well.

    Raises:
        OSError: it cannot be deleted.
    """
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        path.chmod(stat.S_IWRITE | stat.S_IREAD)
        path.unlink()


def forget_all(folder: Path) -> None:
    """Delete everything that a stage remembers: the next run makes it anew.

    Raises:
        OSError: something cannot be deleted.
    """
    if folder.is_dir():
        shutil.rmtree(folder)


def read_embeddings(path: Path) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.float32]]:
    """What a file holds: SHA-256 of crops and photos [N], embeddings, float32 [N, D].

    Nothing where it is damaged, or locked and cannot be opened.
    """
    try:
        with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as file:
            return file["crops"].astype(str), file["photos"].astype(str), np.asarray(file["embeddings"], np.float32)
    except (OSError, LockedError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return np.zeros(0, str), np.zeros(0, str), np.zeros((0, 0), np.float32)
