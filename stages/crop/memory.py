"""reports/crop_report.csv: what was found on each photo, for people and for the next run."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from stages.errors import StageError
from stages.files.photos import SourcePhoto
from stages.files.tables import read_records, write_records


class CropRow(NamedTuple):
    """A row of crop_report.csv.

    Attributes:
        photo: path within data/, "me/…" or "not_me/…".
        sha256: of the photo's bytes; "" where it could not be read.
        faces_found: number of faces on the photo.
        face: number of this face on its photo, 0 the largest; -1 for a photo without faces.
        left, top, right, bottom: box in pixels of the photo as displayed.
        probability: the detector's.
        kept: whether the face was cut for training.
        reason: why not, or why there is no face.
        crop: path of the crop within data/cropped, if kept.
        crop_sha256: of that file.
        recipe: short hash of networks and parameters that made it.
        photo_hash: perceptual hash of the photo (`faces.recognition.quality`); "" where it could not be decoded.
        sharpness, brightness: of the crop (`faces.recognition.quality`), if kept.
    """

    photo: str
    sha256: str
    faces_found: int
    face: int
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    probability: float = 0.0
    kept: bool = False
    reason: str = ""
    crop: str = ""
    crop_sha256: str = ""
    recipe: str = ""
    photo_hash: str = ""
    sharpness: float = 0.0
    brightness: float = 0.0


COLUMNS = CropRow._fields


def write_report(rows: list[CropRow], path: Path) -> None:
    """Write crop_report.csv."""
    write_records(path, COLUMNS, rows)


def _read_rows(report: Path) -> list[CropRow]:
    try:
        return [
            CropRow(
                row["photo"], row["sha256"], int(row["faces_found"]), int(row["face"]), float(row["left"]),
                float(row["top"]), float(row["right"]), float(row["bottom"]), float(row["probability"]),
                row["kept"] == "True", row["reason"], row["crop"], row["crop_sha256"], row["recipe"],
                row["photo_hash"], float(row["sharpness"]), float(row["brightness"]),
            )
            for row in read_records(report, "crop", COLUMNS)
        ]  # fmt: skip
    except (OSError, ValueError, StageError):
        return []


class CropMemory:
    """What the last run made, by photo content and recipe.

    Args:
        report: crop_report.csv of the last run; one that is missing, unreadable or of an older version (columns
            lack) remembers nothing.
        folder: the crops of the last run.
    """

    def __init__(self, report: Path, folder: Path) -> None:
        self._folder = str(folder)  # of thousands of photos, pathlib's paths would take longer than their bytes
        self._made: set[str] = set()
        self._rows: dict[tuple[str, str], list[CropRow]] = {}
        for row in _read_rows(report):
            self._rows.setdefault((row.photo, row.recipe), []).append(row)

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, source: SourcePhoto, recipe: str) -> list[CropRow] | None:
        """Rows of a photo of that name; None where it is not remembered."""
        return self._rows.get((source.path_in_data, recipe))

    def recall(self, source: SourcePhoto, recipe: str, target: Path) -> bool:
        """Link or copy the crops of a photo's `rows` below `target`.

        Returns:
            False where it is not remembered, has changed, or its crop has.

        Raises:
            OSError: a crop cannot be written (disk full).
        """
        rows = self.rows(source, recipe)
        if rows is None or _sha256(source.path) != rows[0].sha256:
            return False
        kept = [(row, f"{self._folder}/{row.crop}") for row in rows if row.kept]
        if any(_sha256(old) != row.crop_sha256 for row, old in kept):
            return False
        for row, old in kept:
            new = f"{target}/{row.crop}"
            parent = new.rpartition("/")[0]
            if parent not in self._made:
                Path(parent).mkdir(parents=True, exist_ok=True)
                self._made.add(parent)
            _link_or_copy(old, new)
        return True


def _sha256(path: str | Path) -> str | None:
    """Of a file's bytes; None where it cannot be read."""
    try:
        with io.FileIO(path) as file:
            return hashlib.sha256(file.readall()).hexdigest()
    except OSError:
        return None


def _link_or_copy(old: str, new: str) -> None:
    try:
        os.link(old, new)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(old, new)
