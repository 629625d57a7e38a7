"""The pixels of a crop, as stage crop stored them, and a picture of several."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SHOWN = 6  # faces of a person on a picture, at most


def decode_crop(png: bytes) -> NDArray[np.uint8]:
    """Pixels of a crop's PNG file, uint8 [S, S, 3] RGB.

    Raises:
        OSError, SyntaxError, ValueError: it is damaged.
    """
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        return np.asarray(image.convert("RGB"))


def draw_people(people: Sequence[Sequence[Path]]) -> bytes:
    """A picture with a row of faces for each of some people, as PNG.

    Args:
        people: for each, the files of crops, at least one.
    """
    side, gap = 160, 8
    columns = min(max(len(crops) for crops in people), _SHOWN)
    sheet = Image.new("RGB", (columns * (side + gap) + gap, len(people) * (side + gap) + gap), "white")
    for row, crops in enumerate(people):
        for column, path in enumerate(crops[:_SHOWN]):
            face = Image.fromarray(decode_crop(path.read_bytes())).resize((side, side))
            sheet.paste(face, (gap + column * (side + gap), gap + row * (side + gap)))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
