"""Stage crop: find the faces on every photo and cut them.

Writes data/cropped/{me,not_me}/… (PNG, one a face) and reports/crop_report.csv (a row for each face found, and for each
photo without one). A photo that cannot be used is skipped with a warning, and counted.

A crop is a pure function of the photo's bytes, the networks and the parameters: photos that have not changed since the
last run keep theirs, so adding one photo to ten thousand costs one photo. What is remembered is the last run's own
output, so deleting a photo deletes all that is kept of it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter
from pathlib import Path

from PIL import Image

from faces.detector import Detector
from faces.face import Face
from faces.files import write_text
from faces.image import ImageError, Photo
from faces.networks import Networks
from faces.progress import progress
from faces.quality import brightness, photo_hash, sharpness
from faces.recognizer import decode_for_detection, find_faces
from faces.threads import available_cores
from stages.errors import StageError, run_stage
from stages.params import Params, load_params
from stages.paths import CROP_REPORT, CROPPED, DATA, NETWORKS
from stages.photos import CLASSES, SourcePhoto, find_photos

_LONGEST_NAME = 180  # bytes; file systems allow 255, and the face's number and a temporary suffix come on top
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CropRow:
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
        photo_hash: perceptual hash of the photo (`faces.quality.photo_hash`); "" where it could not be decoded.
        sharpness, brightness: of the crop (`faces.quality`), if kept.
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


class CropMemory:
    """What the last run made, by photo content and recipe.

    Args:
        report: crop_report.csv of the last run; one that is missing, unreadable or of an older version (columns
            lack) remembers nothing.
        folder: the crops of the last run.
    """

    def __init__(self, report: Path, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[tuple[str, str, str], list[CropRow]] = {}
        for row in _read_rows(report):
            self._rows.setdefault((row.photo, row.sha256, row.recipe), []).append(row)

    def recall(self, photo: str, sha256: str, recipe: str, target: Path) -> list[CropRow] | None:
        """Rows of a photo made before, its crops now linked or copied below `target`; None if not remembered."""
        rows = self._rows.get((photo, sha256, recipe))
        if rows is None:
            return None
        for row in rows:
            if row.kept:
                old, new = self._folder / row.crop, target / row.crop
                try:
                    if hashlib.sha256(old.read_bytes()).hexdigest() != row.crop_sha256:
                        return None
                except OSError:
                    return None
                if not new.parent.is_dir():
                    new.parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(old, new)
        return rows


def _read_rows(report: Path) -> Iterable[CropRow]:
    try:
        with report.open(encoding="utf-8", newline="") as file:  # a name may hold a carriage return
            table = list(csv.DictReader(file))
        return [
            CropRow(
                row["photo"], row["sha256"], int(row["faces_found"]), int(row["face"]), float(row["left"]),
                float(row["top"]), float(row["right"]), float(row["bottom"]), float(row["probability"]),
                row["kept"] == "True", row["reason"], row["crop"], row["crop_sha256"], row["recipe"],
                row["photo_hash"], float(row["sharpness"]), float(row["brightness"]),
            )
            for row in table
        ]  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return []


def _link_or_copy(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(old, new)


def crop_recipe(networks: Networks, params: Params, label: int) -> str:
    """Short hash of everything but the photo that decides which crops are made of it."""
    manifest = networks.manifest.recipe(flip=False)
    wanted = params.crop.me_faces if label == 1 else params.crop.not_me_faces
    parts = {
        "weights": {name: manifest["weights"][name] for name in ("pnet", "rnet", "onet")},
        "detector": manifest["detector"],
        "crop": manifest["crop"],
        "wanted": wanted,
        "max_megapixels": params.crop.max_megapixels,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class Cropper:
    """Makes the crops of one photo after another, below a folder; safe to use from several threads.

    Args:
        networks: finds faces, and says how they are cut.
        params: the parameters.
        memory: what the last run made.
        target: where crops go.
    """

    def __init__(self, networks: Networks, params: Params, memory: CropMemory, target: Path) -> None:
        self._detector: Detector = networks.open_detector()
        self._geometry = networks.manifest.crop
        self._wanted = {1: params.crop.me_faces, 0: params.crop.not_me_faces}
        self._recipes = {label: crop_recipe(networks, params, label) for label in (0, 1)}
        self._max_pixels = int(params.crop.max_megapixels * 1e6)
        self._memory = memory
        self._target = target

    def crop(self, source: SourcePhoto) -> list[CropRow]:
        """Crop one photo and write the PNG files.

        Returns:
            Its rows of the report, at least one.

        Raises:
            OSError: a crop cannot be written (disk full).
        """
        name = f"{source.class_name}/{source.name}"
        recipe = self._recipes[source.label]
        try:
            data = source.path.read_bytes()
        except OSError as error:
            return [CropRow(name, "", 0, -1, reason=f"cannot be read: {error.strerror}", recipe=recipe)]
        digest = hashlib.sha256(data).hexdigest()
        remembered = self._memory.recall(name, digest, recipe, self._target)
        if remembered is not None:
            return remembered
        try:
            photo = Photo.open(data, self._max_pixels)
            decoded = decode_for_detection(photo, self._detector)
            faces = find_faces(photo, self._detector, self._geometry, largest_only=False, decoded=decoded)
        except ImageError as error:
            return [CropRow(name, digest, 0, -1, reason=str(error), recipe=recipe)]
        picture = photo_hash(decoded)
        if not faces:
            return [CropRow(name, digest, 0, -1, reason="no face found", recipe=recipe, photo_hash=picture)]
        keep = 1 if self._wanted[source.label] == "largest" else len(faces)
        row = partial(self._row, source, name, digest, len(faces), recipe, picture)
        return [row(number, face, number < keep) for number, face in enumerate(faces)]

    def _row(
        self,
        source: SourcePhoto,
        name: str,
        digest: str,
        found: int,
        recipe: str,
        picture: str,
        number: int,
        face: Face,
        kept: bool,
    ) -> CropRow:
        """The report's row of one face, written to its file if kept."""
        left, top, right, bottom = (round(float(value), 1) for value in face.box)
        crop, crop_digest, sharp, bright = "", "", 0.0, 0.0
        if kept and face.crop is not None:
            crop = f"{source.class_name}/{_crop_name(source.name, number)}"
            buffer = io.BytesIO()
            Image.fromarray(face.crop).save(buffer, "PNG", compress_level=1)
            path = self._target / crop
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(buffer.getvalue())
            crop_digest = hashlib.sha256(buffer.getvalue()).hexdigest()
            sharp, bright = sharpness(face.crop), brightness(face.crop)
        return CropRow(
            name, digest, found, number, left, top, right, bottom, round(face.probability, 4), kept,
            "" if kept else "not the largest face", crop, crop_digest, recipe, picture,
            round(sharp, 5), round(bright, 1),
        )  # fmt: skip


def _crop_name(photo: str, number: int) -> str:
    """Path of a crop: the photo's, suffix included (a.jpg and a.png are two photos), then the face's number."""
    folder, _, file = photo.rpartition("/")
    if len(file.encode()) > _LONGEST_NAME:
        digest = hashlib.sha256(file.encode()).hexdigest()[:12]
        file = file.encode()[: _LONGEST_NAME - 13].decode(errors="ignore") + "-" + digest
    return f"{folder}/{file}-{number}.png" if folder else f"{file}-{number}.png"


def crop_all(photos: list[SourcePhoto], networks: Networks, params: Params, target: Path) -> list[CropRow]:
    """Crop all photos below `target`, on all cores.

    Args:
        photos: the photos.
        networks: finds faces.
        params: the parameters.
        target: a new folder.
    """
    cropper = Cropper(networks, params, CropMemory(CROP_REPORT, CROPPED), target)
    with ThreadPoolExecutor(available_cores()) as pool:
        results = progress(pool.map(cropper.crop, photos), len(photos), "cropping", "photo")
        return [row for rows in results for row in rows]


def write_report(rows: list[CropRow], path: Path) -> None:
    """Write crop_report.csv."""
    text = io.StringIO()
    # Text in quotes: a name may hold a carriage return, which would end a row otherwise.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    names = [field.name for field in fields(CropRow)]
    writer.writerow(names)
    writer.writerows(map(attrgetter(*names), rows))
    write_text(path, text.getvalue())


def summarise(photos: list[SourcePhoto], rows: list[CropRow], ignored: Counter[str]) -> str:
    """A table to read: per class, photos, those with a face, those skipped, faces kept."""
    lines = [f"{'':8}{'photos':>8}{'with face':>11}{'without':>9}{'unusable':>10}{'faces kept':>12}"]
    for class_name in reversed(CLASSES):
        own = [row for row in rows if row.photo.startswith(f"{class_name}/")]
        total = sum(photo.class_name == class_name for photo in photos)
        without = sum(row.reason == "no face found" for row in own)
        unusable = sum(row.faces_found == 0 for row in own) - without
        kept = sum(row.kept for row in own)
        lines.append(f"{class_name:8}{total:8}{total - without - unusable:11}{without:9}{unusable:10}{kept:12}")
    if ignored:
        others = ", ".join(f"{count} × {suffix}" for suffix, count in sorted(ignored.items()))
        lines.append(f"passed over, neither .jpg, .jpeg nor .png: {others}")
    return "\n".join(lines)


def _warn(rows: list[CropRow]) -> None:
    """A warning for every photo that was skipped, and for faces in `me` that were left out."""
    for row in rows:
        if row.faces_found == 0:
            logger.warning("skipped %s: %s", row.photo, row.reason)
    several = sorted({row.photo for row in rows if row.photo.startswith("me/") and row.face > 0 and not row.kept})
    if several:
        logger.warning(
            "more than one face on photos of me, the largest taken (%d): %s", len(several), ", ".join(several)
        )


def _replace_folder(new: Path, old: Path) -> None:
    """Put `new` in the place of `old`; where that fails, `old` comes back."""
    aside = new.with_name(new.name.replace(".new.", ".old."))
    if old.exists():
        old.rename(aside)
    try:
        new.rename(old)
    except OSError:
        if aside.exists():
            aside.rename(old)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    photos, ignored = find_photos(DATA)
    networks = Networks.load(NETWORKS)
    target = Path(tempfile.mkdtemp(dir=DATA, prefix=".cropped.new.", suffix=".tmp"))
    try:
        rows = crop_all(photos, networks, params, target)
        _warn(rows)
        print(summarise(photos, rows, ignored))
        for class_name in CLASSES:
            if not any(row.kept and row.photo.startswith(f"{class_name}/") for row in rows):
                write_report(rows, CROP_REPORT)
                raise StageError(
                    f"no face was found on any photo in {DATA / class_name}; {CROP_REPORT} has the reason for each. "
                    f"Use photos where the face is well lit and seen from the front"
                )
        target.chmod(0o755)
        _replace_folder(target, CROPPED)
        write_report(rows, CROP_REPORT)
    finally:
        shutil.rmtree(target, ignore_errors=True)


if __name__ == "__main__":
    run_stage("crop", main, [CROPPED, CROP_REPORT])
