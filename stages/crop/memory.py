"""data/remembered/crops: what earlier runs made of each photo, by the photo's content and the recipe.

A folder for each recipe holds, named by the photo's SHA-256, the rows of its faces (JSON) and the crops (PNG). They are
written as photos are done, so a run that is killed leaves what it had made. What belongs to photos that are in data/ no
more is deleted by the next run, and so are recipes that were not used for long. With a key, crops are kept encrypted.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from faces.files import replacing, write_bytes
from stages.crop.one_photo import CroppedPhoto
from stages.files.crop_row import CropRow
from stages.files.encryption import HEADER_BYTES, Key, LockedError, is_as
from stages.files.locked_files import reveal, sealed

RECIPES_KEPT = 6
"""Recipes remembered: those used last. Each of `me` and `not_me` may have one of its own."""

_rows_in = msgspec.json.Decoder(list[CropRow])
_rows_out = msgspec.json.Encoder()


class CropMemory:
    """What was made of photos by one recipe. Several processes may use the same folder at once.

    Args:
        folder: of all recipes.
        recipe: short hash, from `stages.crop.one_photo.crop_recipe`.
        key: locks crops; None leaves them plain.
    """

    def __init__(self, folder: Path, recipe: str, key: Key | None = None) -> None:
        self._key = key
        # Text, not a Path: for thousands of photos, pathlib takes longer than reading their rows.
        self._folder = f"{folder}/{recipe}"
        self._parents: set[str] = set()  # folders that were made below a target

    def recall(self, sha256: str) -> list[CropRow] | None:
        """The rows of a photo, without names; None where it is not remembered, or something of it is damaged or gone.

        Args:
            sha256: of the photo's bytes.
        """
        try:
            rows = _rows_in.decode(_read(self._rows(sha256)))
            intact = all(self._is_intact(row) for row in rows if row.kept)
        except (OSError, LockedError, msgspec.DecodeError):  # a ValidationError is one, too
            return None
        return rows if rows and intact else None

    def _is_intact(self, row: CropRow) -> bool:
        """Whether the crop of a row is what it should be. One that was kept in another form gets the one asked for.

        Raises:
            LockedError: it cannot be opened.
            OSError: it cannot be read or written.
        """
        path = self._crop(row)
        data = _read(path)
        png = reveal(data, Path(path))
        intact = hashlib.sha256(png).hexdigest() == row.crop_sha256
        if intact and not is_as(data, self._key):
            write_bytes(Path(path), sealed(png, self._key))
        return intact

    def add(self, made: CroppedPhoto) -> None:
        """Write what was made of a photo: first its crops, then its rows, which name them.

        Raises:
            OSError: it cannot be written (disk full).
        """
        kept = [row for row in made.rows if row.kept]
        for row, png in zip(kept, made.crops, strict=True):
            with replacing(Path(self._crop(row))) as temporary:
                temporary.write_bytes(sealed(png, self._key))
        with replacing(Path(self._rows(made.rows[0].sha256))) as temporary:
            temporary.write_bytes(_rows_out.encode(made.rows))

    def place(self, row: CropRow, target: str) -> None:
        """Link or copy the crop of a row to a path.

        Raises:
            OSError: it cannot be written (disk full).
        """
        parent = target.rpartition("/")[0]
        if parent not in self._parents:
            Path(parent).mkdir(parents=True, exist_ok=True)
            self._parents.add(parent)
        source = self._crop(row)
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(source, target)

    def _rows(self, sha256: str) -> str:
        return f"{self._folder}/{sha256[:2]}/{sha256}.json"

    def _crop(self, row: CropRow) -> str:
        return f"{self._folder}/{row.sha256[:2]}/{row.sha256}-{row.face}.png"


def _read(path: str) -> bytes:
    with io.FileIO(path) as file:
        return file.readall()


def prune(folder: Path, used: Iterable[str], photos: set[str], key: Key | None = None) -> None:
    """Forget photos that are gone, and recipes that were not used for long; with a key, also crops it did not lock.

    Args:
        folder: of all recipes.
        used: recipes of this run.
        photos: SHA-256 of every photo that is in data/ now.
        key: locks crops, if they are locked.

    Raises:
        OSError: something cannot be deleted.
    """
    for recipe in used:
        if (folder / recipe).is_dir():
            os.utime(folder / recipe)
    recipes = sorted(_folders(folder), key=lambda path: path.stat().st_mtime, reverse=True)  # used last first
    for old in recipes[RECIPES_KEPT:]:
        shutil.rmtree(old)
    for recipe_folder in recipes[:RECIPES_KEPT]:
        for part in _folders(recipe_folder):
            with os.scandir(part) as files:
                for file in files:
                    # A name begins with the photo's SHA-256; others are leftovers.
                    if file.name[:64] not in photos or (key is not None and _is_plain_crop(file, key)):
                        Path(file).unlink()


def _is_plain_crop(file: os.DirEntry[str], key: Key) -> bool:
    if not file.name.endswith(".png"):
        return False
    with io.FileIO(file.path) as opened:
        return not is_as(opened.read(HEADER_BYTES), key)


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*") if path.is_dir())
