"""Is one picture a copy of another? Compared by their pixels, whatever their size, format, quality and orientation."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from faces.recognition.image import Photo
from faces.recognition.quality import hamming, hash_bits, photo_hash
from privacy.forget.kept import Kept
from service.client.language import say
from stages.progress import progress

MAGIC = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff", b"P5\n", b"P6\n", b"DDS ", b"\0\0\1\0", b"icns", b"8BPS", b"\x0a\x05\1", b"\x01\xda",
)  # fmt: skip
_MOST_BITS = 10
"""Bits of 64 in which the hashes of two copies may differ; those of two photos differ in about 32."""
_LEAST_CORRELATION = 0.985
"""Correlation of the pixels of two copies, at least.

A copy of a quarter of the size, or with JPEG quality 30, has 0.995 or more. The hash alone would take portraits of two
people before one wall for copies.
"""
_SIDE = 64
_MOST_FRAMES = 1000
_ORIENTATIONS = [(mirrored, turns) for mirrored in (False, True) for turns in range(4)]

Pixels = NDArray[np.float32]


def is_image(data: bytes) -> bool:
    """Whether bytes begin as a picture does."""
    return data.startswith(MAGIC) or data[4:8] == b"ftyp"


def decode(data: bytes) -> Image.Image | None:
    """A picture of at least 64 pixels, as displayed; None where the bytes are none that can be read."""
    if not is_image(data):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Photo.open(data, 200_000_000).decode(long_side=320)
    except Exception:  # whatever a decoder makes of damaged bytes: they show nothing
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    except Exception:  # as above
        return None


def more_of(data: bytes) -> Iterator[Image.Image]:
    """The other pictures of a file: the thumbnail that a camera puts beside the photo, further frames and pages."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = Image.open(io.BytesIO(data))
            thumbnail = file.getexif().get_ifd(ExifTags.IFD.IFD1)
            start = thumbnail.get(ExifTags.Base.JpegIFOffset)
            if isinstance(start, int):
                exif = file.info.get("exif", b"").removeprefix(b"Exif\0\0")
                inner = decode(exif[start : start + int(thumbnail.get(ExifTags.Base.JpegIFByteCount, 0))])
                yield from () if inner is None else (inner,)
            for number in range(1, min(getattr(file, "n_frames", 1), _MOST_FRAMES)):
                file.seek(number)
                yield file.convert("RGB")
    except Exception:  # whatever a decoder makes of damaged bytes, as below
        return


@dataclass(frozen=True)
class Originals:
    """Pictures that others are compared with, each in all eight orientations.

    Attributes:
        oids: of the pictures.
        bits: their perceptual hashes, uint64 [N, 8].
        pixels: float32 [N, 64, 64], as `small` makes them.
    """

    oids: Sequence[str]
    bits: NDArray[np.uint64]
    pixels: Pixels

    @classmethod
    def of(cls, images: Iterable[tuple[str, Image.Image]]) -> Originals:
        """Take pictures, each with its hash."""
        oids, bits, pixels = [], [], []
        for oid, image in images:
            grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS))  # the hash's own pixels
            oids.append(oid)
            bits.append(hash_bits([photo_hash(Image.fromarray(_oriented(grey, *each))) for each in _ORIENTATIONS]))
            pixels.append(small(image))
        return cls(
            oids, np.array(bits, np.uint64).reshape(-1, 8), np.array(pixels, np.float32).reshape(-1, _SIDE, _SIDE)
        )

    def copied_in(self, image: Image.Image) -> str:
        """The original that a picture is a copy of; "" if it is of none."""
        places = self.near(photo_hash(image))
        return self.alike(places, small(image)) if len(places) else ""

    def likeness(self, image: Image.Image) -> float:
        """Correlation of the pixels with those of the original that has most; -1 where there is none."""
        pixels = small(image).ravel()
        sides = ((each, *one) for each in self.pixels for one in _ORIENTATIONS)
        return max((float(np.mean(_oriented(*side).ravel() * pixels)) for side in sides), default=-1.0)

    def near(self, hashed: str) -> NDArray[np.int64]:
        """Where the originals are whose hash is near to one: [n, 2], number of the original and of the orientation."""
        if not hashed or not len(self.oids):
            return np.zeros((0, 2), np.int64)
        return np.argwhere(hamming(self.bits.ravel(), hash_bits([hashed])).reshape(-1, 8) <= _MOST_BITS)

    def alike(self, places: NDArray[np.int64], pixels: Pixels) -> str:
        """The first of the originals at `places` that has the same pixels; "" if none has."""
        for number, orientation in places:
            own = _oriented(self.pixels[number], *_ORIENTATIONS[orientation])
            if float(np.mean(own * pixels)) >= _LEAST_CORRELATION:
                return self.oids[number]
        return ""


def _oriented(grey: NDArray[Any], mirrored: bool, turns: int) -> NDArray[Any]:
    return np.ascontiguousarray(np.rot90(grey[:, ::-1] if mirrored else grey, turns))


class Pictures:
    """Hashes of the pictures in objects, each computed once.

    Args:
        kept: where they are.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._hashes: dict[str, list[str]] = {}
        self._outside: dict[str, list[Image.Image]] = {}

    def add(self, oid: str, data: bytes) -> None:
        """Take a picture that is no object."""
        images = _all_of(data)
        self._hashes[oid] = [photo_hash(image) for image in images]
        self._outside[oid] = [image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS) for image in images]

    def originals(self, oids: Iterable[str]) -> Originals:
        """Pictures to compare others with; what is no picture, or is gone, is left out."""
        images = ((oid, self._image(oid)) for oid in sorted(set(oids)))
        return Originals.of((oid, image) for oid, image in images if image is not None)

    def copies(self, originals: Originals, candidates: Iterable[str]) -> set[str]:
        """Which of the candidates are copies of an original, or have a thumbnail, a frame or a page that is."""
        return {
            oid
            for oid in self._hashed(set(candidates) - set(originals.oids))
            if any(len(originals.near(each)) for each in self._hashes[oid])
            and any(map(originals.copied_in, self._images(oid)))
        }

    def likeness(self, originals: Originals, oid: str) -> float:
        """`Originals.likeness` of an object; -1 where it cannot be read."""
        image = self._image(oid)
        return -1.0 if image is None else originals.likeness(image)

    def _hashed(self, oids: set[str]) -> list[str]:
        missing = sorted(oid for oid in oids if oid not in self._hashes)

        def read(oid: str) -> None:
            self._hashes[oid] = [photo_hash(image) for image in self._images(oid)]

        with ThreadPoolExecutor() as pool:
            list(progress(pool.map(read, missing), len(missing), say("comparing pictures"), say("picture")))
        return sorted(oids)

    def _images(self, oid: str) -> list[Image.Image]:
        if oid in self._outside:
            return self._outside[oid]
        return _all_of(self._kept.read(oid) or b"")

    def _image(self, oid: str) -> Image.Image | None:
        if oid in self._outside:
            return next(iter(self._outside[oid]), None)
        data = self._kept.read(oid)
        return None if data is None else decode(data)


def _all_of(data: bytes) -> list[Image.Image]:
    """A picture and the other ones in its file; none where it cannot be read."""
    image = decode(data)
    return [] if image is None else [image, *more_of(data)]


def small(image: Image.Image) -> Pixels:
    """Grey pixels, float32 [64, 64], of mean 0 and deviation 1; zeros where all are the same."""
    grey = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float32)
    grey = grey - grey.mean()
    deviation = float(grey.std())
    return grey / np.float32(deviation) if deviation > 0 else np.zeros_like(grey)
