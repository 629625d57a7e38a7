"""Stage crop: find the faces on every photo and cut them.

Writes data/cropped/{me,not_me}/… (PNG, one a face) and reports/crop_report.csv (a row for each face found, and for each
photo without one). A photo that cannot be used is skipped with a warning, and counted. With `crop.me_faces: matching`,
the faces of photos of me that show several go to data/cropped/me_several/: stage embed chooses one of each photo.

A crop is a pure function of the photo's bytes, the networks, the parameters, the code and the packages that compute.
What was made of a photo is remembered by these (stages/crop/memory.py), so adding one photo to ten thousand costs one
photo, and setting a parameter back costs nothing. Deleting a photo deletes all that is remembered of it.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from faces.detection.detector import Detector
from faces.files import sha256_of
from faces.message import Message
from faces.recognition.image_errors import OutOfMemoryError, no_memory
from faces.recognition.networks import DETECTOR_NAMES, Networks
from stages.crop.consent import Allowed, ask_consent
from stages.crop.memory import CropMemory, prune
from stages.crop.names import crop_name
from stages.crop.one_photo import CropSettings, crop_photo, crop_recipe
from stages.crop.processes import map_in_processes
from stages.crop.refused import none_left
from stages.errors import StageError
from stages.files.consent import today
from stages.files.crop_row import COLUMNS, NO_FACE_FOUND, CropRow
from stages.files.encryption import NO_LOCKED_PHOTO, Key, is_locked_name, key_like
from stages.files.least_photos import why_others_are_needed, why_too_few_of_me
from stages.files.paths import CROP_REPORT, CROPPED, DATA, NETWORKS, REMEMBERED_CROPS, SEVERAL_FACES
from stages.files.photos import CLASSES, SourcePhoto, describe_ignored, find_misplaced, find_photos, read_photo
from stages.files.tables import write_records
from stages.language.telling import tell, tell_again
from stages.params import CropParams, Params, load_params
from stages.progress import progress

OUTPUTS = (CROPPED, CROP_REPORT)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Plan:
    """How photos of one class are cropped."""

    settings: CropSettings
    recipe: str
    choose_later: bool = False
    """Whether stage embed chooses one of several faces."""


def plan(networks: Networks, params: CropParams) -> dict[int, _Plan]:
    """How photos of each class are cropped, by label."""
    plans = {}
    for label, wanted in ((1, params.me_faces), (0, params.not_me_faces)):
        settings = CropSettings("largest" if wanted == "largest" else "all", params.max_megapixels)
        plans[label] = _Plan(settings, crop_recipe(networks.manifest, settings), wanted == "matching")
    return plans


class PhotoCropper:
    """Puts the crops of one photo after another below a folder: those remembered, else made anew.

    Args:
        networks: find faces, and say how they are cut.
        plans: from `plan`.
        target: where crops go.
        key: locks them; None leaves them plain.
        threads: how many parts of one photo's work run at once.
    """

    def __init__(
        self, networks: Networks, plans: dict[int, _Plan], target: Path, key: Key | None = None, threads: int = 1
    ) -> None:
        self._networks = networks
        self._plans = plans
        self._memories = {label: CropMemory(REMEMBERED_CROPS, plan.recipe, key) for label, plan in plans.items()}
        self._target = target
        self._threads = threads
        self._detector: Detector | None = None  # opened for the first photo that is not remembered

    def crop(self, source: SourcePhoto) -> list[CropRow]:
        """Crop one photo.

        Returns:
            Its rows of the report, at least one.

        Raises:
            OSError: a crop cannot be written (disk full).
        """
        name = source.path_in_data
        try:
            data = read_photo(source.path)
        except OSError as error:
            return [CropRow(name, "", 0, -1, reason=Message("cannot be read: {reason}", reason=error.strerror))]
        except MemoryError:  # a file of many gigabytes
            return [CropRow(name, "", 0, -1, reason=str(no_memory()))]
        memory, digest = self._memories[source.label], hashlib.sha256(data).hexdigest()
        rows = memory.recall(digest)
        if rows is None:
            settings = self._plans[source.label].settings
            try:
                made = crop_photo(data, self._open_detector(), self._networks.manifest.crop, settings)
            except (OutOfMemoryError, MemoryError):  # not remembered: the next run may have more
                return [CropRow(name, digest, 0, -1, reason=str(no_memory()))]
            memory.add(made)
            rows = made.rows
        candidates = self._plans[source.label].choose_later and sum(row.kept for row in rows) > 1
        folder = SEVERAL_FACES if candidates else source.class_name
        named = []
        for row in rows:
            crop = f"{folder}/{crop_name(source.name, row.face)}" if row.kept else ""
            if row.kept:
                memory.place(row, f"{self._target}/{crop}")
            named.append(row._replace(photo=name, crop=crop, candidate=candidates and row.kept))
        return named

    def _open_detector(self) -> Detector:
        if self._detector is None:
            self._detector = self._networks.open_detector(self._threads)
        return self._detector


def open_cropper(
    networks: Networks, plans: dict[int, _Plan], target: Path, key: Key | None, threads: int
) -> Callable[[SourcePhoto], list[CropRow]]:
    """`PhotoCropper.crop`, made in the process that calls this."""
    return PhotoCropper(networks, plans, target, key, threads).crop


def _lost(source: SourcePhoto, reason: Message) -> list[CropRow]:
    """The row of a photo that ends the process that works on it."""
    try:
        if is_locked_name(source.path.name):
            digest = hashlib.sha256(read_photo(source.path)).hexdigest()
        else:  # not all at once: it may be the file that took all memory
            digest = sha256_of(source.path)
    except (OSError, MemoryError):
        digest = ""
    return [CropRow(source.path_in_data, digest, 0, -1, reason=str(reason))]


def crop_all(
    photos: Sequence[SourcePhoto], networks: Networks, params: CropParams, target: Path, key: Key | None = None
) -> list[CropRow]:
    """Crop all photos below `target`, on all cores.

    Args:
        photos: the photos, at least one.
        networks: find faces.
        params: which faces are kept.
        target: a new folder.
        key: locks the crops; None leaves them plain.

    Raises:
        OSError: a crop cannot be written (disk full).
        StageError: the system ends one process after the other.
    """
    plans = plan(networks, params)
    with closing(map_in_processes(open_cropper, (networks, plans, target, key), photos, _lost)) as results:
        rows = [row for found in progress(results, len(photos), Message("cropping"), Message("photo")) for row in found]
    prune(REMEMBERED_CROPS, {plan.recipe for plan in plans.values()}, {row.sha256 for row in rows}, key)
    return rows


def summarise(photos: Sequence[SourcePhoto], rows: Sequence[CropRow], ignored: Counter[str]) -> str:
    """A table to read: per class, photos, those with a face, those skipped, faces kept."""
    headings = (tell("photos"), tell("with face"), tell("without"), tell("unusable"), tell("faces kept"))
    lines = [" " * 8 + "".join(f"{text:>{len(text) + 3}}" for text in headings)]
    for class_name in reversed(CLASSES):
        own = [row for row in rows if row.photo.startswith(f"{class_name}/")]
        total = sum(photo.class_name == class_name for photo in photos)
        without = sum(row.reason == NO_FACE_FOUND for row in own)
        unusable = sum(row.faces_found == 0 for row in own) - without
        candidates = {row.photo for row in own if row.candidate}  # one face of each will be chosen
        kept = sum(row.kept and not row.candidate for row in own) + len(candidates)
        counts = (total, total - without - unusable, without, unusable, kept)
        cells = (f"{count:{len(text) + 3}}" for text, count in zip(headings, counts, strict=True))
        lines.append(f"{class_name:8}{''.join(cells)}")
    return "\n".join([*lines, *describe_ignored(ignored)])


def _warn(rows: Sequence[CropRow]) -> None:
    """A warning for every photo that was skipped, and for faces in `me` that were left out."""
    for row in rows:
        if row.faces_found == 0:
            logger.warning(tell("skipped {photo}: {reason}", photo=row.photo, reason=tell_again(row.reason)))
    several = sorted({row.photo for row in rows if row.photo.startswith("me/") and row.face > 0 and not row.kept})
    if several:
        text = "more than one face on photos of me, the largest taken ({count}): {names}"
        logger.warning(tell(text, count=len(several), names=", ".join(several)))
    open_choice = sorted({row.photo for row in rows if row.candidate})
    if open_choice:
        text = (
            "more than one face on photos of me ({count}): stage embed takes the one that agrees with the other photos "
            "of me: {names}"
        )
        logger.warning(tell(text, count=len(open_choice), names=", ".join(open_choice)))


def write_report(rows: Sequence[CropRow]) -> None:
    """Write crop_report.csv, the reasons in the language chosen."""
    write_records(CROP_REPORT, COLUMNS, (row._replace(reason=tell_again(row.reason)) for row in rows))


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


def _refuse(reason: Message | None, rows: Sequence[CropRow]) -> None:
    """Raise a StageError where there is a reason why the photos cannot do, `train` being three stages away.

    Args:
        reason: None where they can.
        rows: what is known of the photos; where they cannot do, crop_report.csv tells it.
    """
    if reason is not None:
        if rows:
            write_report(rows)
        raise StageError(reason)


def key_of_photos(photos: Sequence[SourcePhoto]) -> Key | None:
    """The key of locked photos, so that it is known to be there before anything is done; None where all are plain.

    Raises:
        LockedError: there is no key, or another one.
        OSError: a photo cannot be read.
    """
    locked = next((photo.path for photo in photos if is_locked_name(photo.path.name)), None)
    return None if locked is None else key_like(locked)


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    for misplaced in find_misplaced(DATA):
        logger.warning(tell(misplaced.sentence))
    photos, ignored = find_photos(DATA)
    allowed = ask_consent(photos, params.privacy, today())
    used = set(allowed.photos)
    with none_left([photo for photo in photos if photo not in used]):
        _crop(allowed, params, [photo.path_in_data for photo in photos], ignored)


def _crop(allowed: Allowed, params: Params, order: Sequence[str], ignored: Counter[str]) -> None:
    """Crop the photos that may be used.

    Args:
        allowed: the photos, and those that were refused.
        params: the parameters.
        order: all photos, as the report is to name them.
        ignored: how many other files there are, by suffix.
    """
    place = {name: number for number, name in enumerate(order)}
    photos = allowed.photos
    # What train takes is no param of this stage in dvc.yaml: crops are the same, and train itself looks again.
    of_me = sum(photo.label for photo in photos)
    _refuse(allowed.explain(why_too_few_of_me(of_me, None, params.train), 1), allowed.refused)
    key = key_of_photos(photos)
    if not params.privacy.encrypt_derived:
        key = None  # crops stay plain
    elif key is None:
        raise StageError(NO_LOCKED_PHOTO)
    networks = Networks.load(NETWORKS, DETECTOR_NAMES)
    if of_me == len(photos):
        needed = why_others_are_needed(networks.manifest.backbone, params.train)
        _refuse(allowed.explain(needed, 0), allowed.refused)
    target = Path(tempfile.mkdtemp(dir=DATA, prefix=".cropped.new.", suffix=".tmp"))
    try:
        rows = crop_all(photos, networks, params.crop, target, key)
        _warn(rows)
        print(summarise(photos, rows, ignored))
        report = sorted(rows + allowed.refused, key=lambda row: place[row.photo])
        for label, class_name in enumerate(CLASSES):
            asked = any(photo.label == label for photo in photos)
            if asked and not any(row.kept and row.photo.startswith(f"{class_name}/") for row in rows):
                none = Message(
                    "no face was found on any photo in {folder}; {crop_report} has the reason for each. Use photos "
                    "where the face is well lit and seen from the front",
                    folder=DATA / class_name,
                    crop_report=CROP_REPORT,
                )
                _refuse(allowed.explain(none, label), report)
        usable = {row.photo for row in rows if row.kept and row.photo.startswith("me/")}
        _refuse(allowed.explain(why_too_few_of_me(of_me, len(usable), params.train), 1), report)
        target.chmod(0o755)
        _replace_folder(target, CROPPED)
        write_report(report)
    finally:
        shutil.rmtree(target, ignore_errors=True)
