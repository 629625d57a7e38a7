"""Ways to make a photo worse, each in several levels."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from stages.files.degradation_kinds import DEGRADATION_KINDS

_QUALITY = 95  # of the JPEG that a degraded photo is saved as
_BAR = (90, 110, 130)  # colour of the bar that covers a face, as of a mask
_GREY = (127, 127, 127)  # colour of the corners of a turned photo
Box = NDArray[np.float64]


@dataclass(frozen=True)
class Degradation:
    """One way to make a photo worse.

    Attributes:
        name: as in robustness.csv, and in `DEGRADATION_KINDS`, which has the words for it.
        levels: from the mildest to the worst.
        apply: returns the bytes (JPEG) of the degraded photo. It takes the photo, the face's box in the photo's pixels
            (float64 [4]: left, top, right, bottom), a level and a seed.
    """

    name: str
    levels: tuple[float, ...]
    apply: Callable[[Image.Image, Box, float, int], bytes]

    @property
    def unit(self) -> str:
        """What its levels are, in English."""
        return DEGRADATION_KINDS[self.name].unit_en


def encode(image: Image.Image, quality: int = _QUALITY) -> bytes:
    """An RGB photo as a JPEG with a quality from 1 to 100."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _brightness(image: Image.Image, _box: Box, factor: float, _seed: int) -> bytes:
    """Every value times a factor, white at most."""
    return encode(ImageEnhance.Brightness(image).enhance(factor))


def _contrast(image: Image.Image, _box: Box, factor: float, _seed: int) -> bytes:
    """The difference of every value from the photo's mean grey, times a factor."""
    return encode(ImageEnhance.Contrast(image).enhance(factor))


def _blur(image: Image.Image, box: Box, share: float, _seed: int) -> bytes:
    """Out of focus. The blur is relative to the face's width, since a large face suffers less from the same blur."""
    return encode(image.filter(ImageFilter.GaussianBlur(share / 100 * float(box[2] - box[0]))))


def _noise(image: Image.Image, _box: Box, deviation: float, seed: int) -> bytes:
    """Normally distributed noise on each value, which stays between black and white."""
    pixels = np.asarray(image, np.float32)
    noise = np.random.default_rng(seed).normal(0, deviation, pixels.shape)
    return encode(Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)))


def _jpeg(image: Image.Image, _box: Box, quality: float, _seed: int) -> bytes:
    return encode(image, int(quality))


def _shrink(image: Image.Image, box: Box, width: float, _seed: int) -> bytes:
    """The whole photo reduced until its face has a given width. A face that is small already stays as it is."""
    scale = min(width / float(box[2] - box[0]), 1.0)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return encode(image.resize(size, Image.Resampling.LANCZOS))


def _rotate(image: Image.Image, box: Box, degrees: float, _seed: int) -> bytes:
    """The photo turned counter-clockwise around the centre of the face."""
    centre = ((float(box[0]) + float(box[2])) / 2, (float(box[1]) + float(box[3])) / 2)
    return encode(image.rotate(degrees, Image.Resampling.BICUBIC, center=centre, fillcolor=_GREY))


def _cover(image: Image.Image, box: Box, share: float, _seed: int) -> bytes:
    """A bar over the lower part of the face's box, like a mask or a scarf."""
    covered = image.copy()
    left, top, right, bottom = (float(value) for value in box)
    upper = bottom - share / 100 * (bottom - top)
    covered.paste(_BAR, (round(left), round(upper), round(right), round(bottom)))
    return encode(covered)


DEGRADATIONS = (
    Degradation("darker", (0.5, 0.3, 0.2, 0.1), _brightness),
    Degradation("brighter", (1.25, 1.5, 2.0, 3.0), _brightness),
    Degradation("contrast", (0.6, 0.4, 0.25, 0.1), _contrast),
    Degradation("blur", (1.0, 2.0, 4.0, 6.0), _blur),
    Degradation("noise", (15.0, 30.0, 50.0, 80.0), _noise),
    Degradation("jpeg", (40.0, 20.0, 10.0, 5.0), _jpeg),
    Degradation("size", (60.0, 40.0, 25.0, 15.0), _shrink),
    Degradation("rotation", (15.0, 30.0, 45.0, 60.0), _rotate),
    Degradation("covered", (15.0, 30.0, 40.0, 50.0), _cover),
)
