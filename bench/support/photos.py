"""Photos given to a benchmark, in groups by their size, and by whether they show one face or several."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from faces.detection.detector import Detector
from faces.recognition.image import Photo
from faces.recognition.recognizer import decode_for_detection, reduce_for_detection
from stages.files.photos import SUFFIXES

GROUPS = (("12 megapixels", 10.0), ("3 megapixels or more", 3.0), ("smaller", 0.1), ("250 × 250", 0.0))
"""Names of the groups, and from how many megapixels on a photo is in each."""

SEVERAL_FACES = "smaller, several faces"
"""Group of those "smaller" ones in which the largest face has to be told from others: groups of people."""
_PHONE_PIXELS = 12_000_000
_SMALL_BYTES = 40_000
_CHANGED_SIDE = 32  # pixels right of the middle, and below it; no photo here is smaller than twice that


def find_photos(given: Iterable[Path]) -> list[Path]:
    """All JPEGs and PNGs among files and below folders, sorted.

    Raises:
        SystemExit: there is none.
    """
    given = list(given)
    found = {path for place in given for path in ([place] if place.is_file() else place.rglob("*"))}
    photos = sorted(path for path in found if path.suffix.lower() in SUFFIXES)
    if not photos:
        sys.exit(f"{', '.join(map(str, given))} was given; expected photos, or folders with some")
    return photos


def spread(photos: list[Path], count: int) -> list[Path]:
    """At most `count` of them, evenly spread."""
    if len(photos) <= count:
        return photos
    return [photos[round(i * (len(photos) - 1) / max(count - 1, 1))] for i in range(count)]


def is_small(path: Path) -> bool:
    """Whether a file is below 40 kB, as LFW's are."""
    return path.stat().st_size < _SMALL_BYTES


def load(given: Iterable[Path], small: int) -> list[bytes]:
    """The photos' bytes, the largest first.

    Args:
        given: files and folders.
        small: how many of the small ones (files below 40 kB, such as LFW's), evenly spread.

    Returns:
        All the others, and those of 3 megapixels or more also enlarged to 12, as a phone takes them.

    Raises:
        SystemExit: there is no photo.
    """
    paths = find_photos(given)
    few = [path for path in paths if is_small(path)]  # of thousands, only those chosen are read
    chosen = [path.read_bytes() for path in paths if path not in set(few)]
    phone = [_as_from_a_phone(data) for data in chosen if group_of(data) == GROUPS[1][0]]
    names = [name for name, _ in GROUPS]
    everything = phone + chosen + [path.read_bytes() for path in spread(few, small)]
    return sorted(everything, key=lambda data: names.index(group_of(data)))


def many(photos: list[bytes], count: int) -> list[bytes]:
    """That many different photos of a few: after the first round each has another pixel near its middle changed.

    There, where most have a face: so crops and embeddings differ too, and each has to be made.
    """
    result = []
    for number in range(count):
        photo = photos[number % len(photos)]
        if number >= len(photos):
            with Image.open(io.BytesIO(photo)) as image:
                changed = image.convert("RGB")
            colour, place = divmod(number // len(photos), _CHANGED_SIDE**2)
            row, column = divmod(place, _CHANGED_SIDE)
            changed.putpixel((changed.width // 2 + column, changed.height // 2 + row), (0, colour, 255))
            data = io.BytesIO()
            changed.save(data, "JPEG", quality=90)
            photo = data.getvalue()
        result.append(photo)
    return result


def group_of(photo: bytes) -> str:
    """Name of the group that a photo's size puts it in."""
    with Image.open(io.BytesIO(photo)) as image:
        megapixels = image.width * image.height / 1e6
    return next(name for name, least in GROUPS if megapixels >= least)


def group_by_faces(photo: bytes, detector: Detector) -> str:
    """As `group_of`, but of the smaller photos those with several faces are a group of their own."""
    group = group_of(photo)
    if group != GROUPS[2][0]:
        return group
    decoded = decode_for_detection(Photo.open(photo), detector)
    faces = detector.detect_all(np.asarray(reduce_for_detection(decoded, detector.settings.max_side)))
    return SEVERAL_FACES if len(faces) > 1 else group


def in_order(groups: Iterable[str]) -> list[str]:
    """Names of groups, each once, the largest photos' first; others at the end."""
    known = [name for name, _ in GROUPS]
    known.insert(3, SEVERAL_FACES)
    found = set(groups)
    return [name for name in known if name in found] + sorted(found.difference(known))


def _as_from_a_phone(photo: bytes) -> bytes:
    """The photo enlarged to 12 megapixels, as a JPEG."""
    with Image.open(io.BytesIO(photo)) as image:
        factor = (_PHONE_PIXELS / (image.width * image.height)) ** 0.5
        size = (round(image.width * factor), round(image.height * factor))
        large = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    data = io.BytesIO()
    large.save(data, "JPEG", quality=90)
    return data.getvalue()
