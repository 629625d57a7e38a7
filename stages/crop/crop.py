"""Stage crop: find the faces on every photo and cut them.

Writes data/cropped/{me,not_me}/… (PNG, one a face) and reports/crop_report.csv (a row for each face found, and for each
photo without one). A photo that cannot be used is skipped with a warning, and counted.

A crop is a pure function of the photo's bytes, the networks, the parameters and the code: photos that have not changed
since the last run keep theirs, so adding one photo to ten thousand costs one photo. What is remembered is the last
run's own output, so deleting a photo deletes all that is kept of it.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

from faces.recognition.networks import DETECTOR_NAMES, Networks
from stages.crop.memory import CropMemory, CropRow, write_report
from stages.crop.one_photo import crop_recipe, open_cropper
from stages.crop.processes import map_in_processes
from stages.errors import StageError
from stages.files.paths import CROP_REPORT, CROPPED, DATA, NETWORKS
from stages.files.photos import CLASSES, NO_FACE_FOUND, SourcePhoto, find_photos
from stages.params import Params, load_params
from stages.progress import progress

OUTPUTS = (CROPPED, CROP_REPORT)

_PART = 25  # photos looked up together
logger = logging.getLogger(__name__)


def crop_all(photos: list[SourcePhoto], networks: Networks, params: Params, target: Path) -> list[CropRow]:
    """Crop all photos below `target`, on all cores; what the last run made of a photo is taken over.

    Args:
        photos: the photos.
        networks: finds faces.
        params: the parameters.
        target: a new folder.

    Raises:
        OSError: a crop cannot be written (disk full).
        StageError: the system has ended a process.
    """
    memory = CropMemory(CROP_REPORT, CROPPED)
    known = _recall(memory, photos, networks, params, target) if memory else [None] * len(photos)
    new = [source for source, rows in zip(photos, known, strict=True) if rows is None]
    made: Iterator[list[CropRow]] = iter(())
    if new:
        with closing(map_in_processes(open_cropper, (networks, params, target), new)) as results:
            made = iter(list(progress(results, len(new), "cropping", "photo")))
    return [row for rows in known for row in (next(made) if rows is None else rows)]


def _recall(
    memory: CropMemory, photos: list[SourcePhoto], networks: Networks, params: Params, target: Path
) -> list[list[CropRow] | None]:
    """What the last run made of each photo, taken over below `target`; None for those to be cropped."""
    recipes = {label: crop_recipe(networks, params, label) for label in (0, 1)}
    parts = [range(start, min(start + _PART, len(photos))) for start in range(0, len(photos), _PART)]
    # Processes, not threads: a small file is read and hashed in less time than a change of threads takes.
    with closing(map_in_processes(_open_recall, (memory, photos, recipes, target), parts)) as results:
        same = chain.from_iterable(progress(results, len(parts), "comparing with the last run", f"{_PART} photos"))
        return [
            memory.rows(source, recipes[source.label]) if unchanged else None
            for source, unchanged in zip(photos, same, strict=True)
        ]


def _open_recall(
    memory: CropMemory, photos: list[SourcePhoto], recipes: dict[int, str], target: Path, _threads: int
) -> Callable[[range], list[bool]]:
    """What takes over the crops of a range of photos, and says of which it has."""
    return lambda part: [memory.recall(photos[at], recipes[photos[at].label], target) for at in part]


def summarise(photos: list[SourcePhoto], rows: list[CropRow], ignored: Counter[str]) -> str:
    """A table to read: per class, photos, those with a face, those skipped, faces kept."""
    lines = [f"{'':8}{'photos':>8}{'with face':>11}{'without':>9}{'unusable':>10}{'faces kept':>12}"]
    for class_name in reversed(CLASSES):
        own = [row for row in rows if row.photo.startswith(f"{class_name}/")]
        total = sum(photo.class_name == class_name for photo in photos)
        without = sum(row.reason == NO_FACE_FOUND for row in own)
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
    networks = Networks.load(NETWORKS, DETECTOR_NAMES)
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
