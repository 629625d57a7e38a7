"""The pixels of a crop, as stage crop stored them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def decode_crop(png: bytes) -> NDArray[np.uint8]:
    """Pixels of a crop's PNG file, uint8 [S, S, 3] RGB.

    Raises:
        OSError, SyntaxError, ValueError: it is damaged.
    """
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        return np.asarray(image.convert("RGB"))
