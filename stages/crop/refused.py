"""Photos that may not be used any more: what earlier runs remember of them goes, also where this run fails.

A run that ends well deletes it together with what is remembered of photos that are gone (stages/crop/memory.py, and
embed after it). A run that fails, since the photos that are left are too few, would leave it until one ends well.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

from stages.crop.names import crop_name
from stages.errors import StageError
from stages.files.encryption import LockedError
from stages.files.paths import CROPPED, INDEX, REMEMBERED_CROPS, REMEMBERED_EMBEDDINGS, SEVERAL_FACES, TWO_PEOPLE
from stages.files.photos import SourcePhoto, read_photo
from stages.files.remembered import delete, forget_all, forget_crops, forget_embeddings
from stages.files.tables import Record, read_records


@contextmanager
def none_left(refused: Sequence[SourcePhoto]) -> Iterator[None]:
    """Where the block fails, delete crops of photos that were refused, and what crop and embed remember of them.

    Args:
        refused: the photos.

    Raises:
        OSError: something cannot be deleted.
    """
    try:
        yield
    except Exception:
        if refused:
            _forget(refused)
        raise


def in_last_run(photos: Collection[str]) -> list[Record]:
    """The rows of the last index that are of some photos: the embeddings that embed made of them, and the model.

    It decides no result, so DVC need not know that this stage reads it.

    Args:
        photos: paths within data/.
    """
    with suppress(StageError):
        return [row for row in read_records(INDEX, "embed", ["photo", "sha256"]) if row["photo"] in photos]
    return []


def _forget(refused: Sequence[SourcePhoto]) -> None:
    for photo in refused:
        for folder in (photo.class_name, SEVERAL_FACES):
            name = glob.escape(crop_name(photo.name, 0).removesuffix("0.png"))
            for path in (CROPPED / folder).glob(f"{name}*.png"):
                if path.name.rpartition("-")[2].removesuffix(".png").isdecimal():
                    delete(path)
    if any(photo.label for photo in refused):
        delete(TWO_PEOPLE)
    contents = _contents(refused)
    if contents is None:  # nobody can tell which are theirs; the next run makes them anew
        forget_all(REMEMBERED_CROPS)
        forget_all(REMEMBERED_EMBEDDINGS)
        return
    forget_crops(REMEMBERED_CROPS, contents)
    forget_embeddings(REMEMBERED_EMBEDDINGS, contents)


def _contents(photos: Sequence[SourcePhoto]) -> set[str] | None:
    """SHA-256 of what photos hold; None where one cannot be read, and the last run has not read it either."""
    rows = in_last_run({photo.path_in_data for photo in photos})
    known = {row["photo"] for row in rows}
    contents = {row["sha256"] for row in rows}
    for photo in photos:
        try:
            contents.add(hashlib.sha256(read_photo(photo.path)).hexdigest())
        except (OSError, LockedError, MemoryError):
            if photo.path_in_data not in known:
                return None
    return contents
