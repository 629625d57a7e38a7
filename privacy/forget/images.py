"""Is one picture a copy of another? Compared by their pixels, whatever their size, format and quality."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from faces.message import Message
from faces.recognition.image import Photo
from faces.recognition.quality import hamming, hash_bits, photo_hash
from privacy.forget.kept import Kept
from stages.progress import progress

MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
_MOST_BITS = 10
"""Bits of 64 in which the hashes of two copies may differ; those of two photos differ in about 32."""
_LEAST_CORRELATION = 0.985
"""Correlation of the pixels of two copies, at least.

A copy of a quarter of the size, or with JPEG quality 30, has 0.995 or more. The hash alone would take portraits of two
people before one wall for copies.
"""
_SIDE = 64


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
        return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    except Exception:  # as above
        return None


class Pictures:
    """Hashes and small pixels of objects, each computed once.

    Args:
        kept: where they are.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._hashes: dict[str, str] = {}
        self._pixels: dict[str, NDArray[np.float32] | None] = {}

    def add(self, oid: str, data: bytes) -> None:
        """Take a picture that is no object."""
        image = decode(data)
        self._pixels[oid] = None if image is None else _small(image)
        self._hashes[oid] = "" if image is None else photo_hash(image)

    def copies(self, originals: Iterable[str], candidates: Iterable[str]) -> set[str]:
        """Which of the candidates are copies of an original."""
        own = [oid for oid in self._hashed(set(originals)) if self._hashes[oid]]
        others = [oid for oid in self._hashed(set(candidates) - set(own)) if self._hashes[oid]]
        if not own or not others:
            return set()
        first, second = (hash_bits([self._hashes[oid] for oid in oids]) for oids in (own, others))
        found = set()
        for number, oid in enumerate(others):
            near = np.flatnonzero(hamming(second[number : number + 1], first)[0] <= _MOST_BITS)
            if any(self._alike(own[int(place)], oid) for place in near):
                found.add(oid)
        return found

    def _hashed(self, oids: set[str]) -> list[str]:
        missing = sorted(oid for oid in oids if oid not in self._hashes)

        def read(oid: str) -> None:
            data = self._kept.read(oid)
            if data is not None:
                self.add(oid, data)
            else:
                self._hashes[oid] = ""

        with ThreadPoolExecutor() as pool:
            list(progress(pool.map(read, missing), len(missing), Message("comparing pictures"), Message("picture")))
        return sorted(oids)

    def _alike(self, first: str, second: str) -> bool:
        pixels = [self._small_pixels(oid) for oid in (first, second)]
        if pixels[0] is None or pixels[1] is None:
            return False
        return float(np.mean(pixels[0] * pixels[1])) >= _LEAST_CORRELATION

    def _small_pixels(self, oid: str) -> NDArray[np.float32] | None:
        if oid not in self._pixels:
            data = self._kept.read(oid)
            image = None if data is None else decode(data)
            self._pixels[oid] = None if image is None else _small(image)
        return self._pixels[oid]


def _small(image: Image.Image) -> NDArray[np.float32]:
    """Grey pixels, float32 [64, 64], of mean 0 and deviation 1."""
    grey = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float32)
    grey = grey - grey.mean()
    deviation = float(grey.std())
    return grey / np.float32(deviation) if deviation > 0 else np.zeros_like(grey)
