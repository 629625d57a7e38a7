"""How good a photo is: what it shares with others, how sharp and how bright its faces are, where they look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HASH_BITS = 64
"""Bits of a photo's hash; two unrelated photos differ in about half of them."""

_HASH_PIXELS = 32
_WAVES = np.cos(np.pi / _HASH_PIXELS * np.outer(np.arange(8), np.arange(_HASH_PIXELS) + 0.5))  # the 8 slowest


def photo_hash(image: Image.Image) -> str:
    """Perceptual hash of a photo: nearly equal photos have nearly equal hashes, whatever their size and format.

    It is the hash of `imagehash.phash`, described at
    https://www.hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html: the photo is reduced to 32 × 32 grey
    pixels; each bit says whether one of the lowest 8 × 8 frequencies of its cosine transform is above their median.
    That package is not used because it imports SciPy, which takes longer than hashing a dozen photos.

    Args:
        image: the photo as displayed, of any size: a reduced decoding will do.

    Returns:
        `HASH_BITS` bits as 16 hexadecimal digits.
    """
    grey = image.convert("L").resize((_HASH_PIXELS, _HASH_PIXELS), Image.Resampling.LANCZOS)
    # In a picture with even areas, many frequencies should be 0. Without rounding, they are only nearly 0.
    lowest = (_WAVES @ np.asarray(grey, np.float64) @ _WAVES.T).round(6)
    return np.packbits(lowest > np.median(lowest)).tobytes().hex()


def hash_bits(hashes: list[str]) -> NDArray[np.uint64]:
    """Hashes as numbers, uint64 [N], to be compared by `hamming`.

    Raises:
        ValueError: one is no hash that `photo_hash` writes.
    """
    if not all(len(text) == HASH_BITS // 4 for text in hashes):
        raise ValueError(f"expected hashes of {HASH_BITS // 4} hexadecimal digits")
    return np.array([int(text, 16) for text in hashes], np.uint64)


def hamming(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many bits differ between each of `first` and each of `second`, 0 to 64: uint8 [N, M] for [N] and [M]."""
    return np.bitwise_count(first[:, None] ^ second[None, :])


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Fine detail of a crop: variance of its Laplacian over the variance of its luminance, without unit.

    The Laplacian's variance is the usual measure of focus (Pech-Pacheco et al., 2000, "Diatom autofocusing in
    brightfield microscopy"); it is divided by the variance of the luminance, so that a dark or flat picture does not
    count as blurred.

    Args:
        grey: uint8 [S, S], from `luminance`.

    Returns:
        0 (one colour) to 64 (a chessboard of single pixels). A sharp face of 160 × 160 pixels has some hundredths.
        Noise gives more, and so does a face that was larger on the photo.
    """
    whole = grey.astype(np.int16)
    middle = whole[1:-1, 1:-1]
    laplacian = whole[:-2, 1:-1] + whole[2:, 1:-1]
    laplacian += whole[1:-1, :-2]
    laplacian += whole[1:-1, 2:]
    laplacian -= 4 * middle
    variance = float(middle.astype(np.float32).var())
    return float(laplacian.astype(np.float32).var()) / variance if variance > 0 else 0.0


def brightness(grey: NDArray[np.uint8]) -> float:
    """Mean luminance of a crop, uint8 [S, S] from `luminance`: 0 (black) to 255 (white)."""
    return float(grey.mean())


def turned_away(landmarks: NDArray[np.float64]) -> float:
    """How far a face looks to a side.

    Args:
        landmarks: float64 [5, 2], as `faces.detection.face.Face` has them.

    Returns:
        Distance of the nose from the middle between the eyes, along the line through them, in parts of the eyes'
        distance: 0 from the front, 0.5 where the nose is below an eye, more in profile. Of LFW's faces, 5 % have more
        than 0.29 and 1 % more than 0.44.
    """
    left, right, nose = landmarks[:3]
    across = right - left
    length = float(across @ across)
    return abs(float((nose - (left + right) / 2) @ across)) / length if length > 0 else 0.0


def luminance(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of a crop, uint8 [S, S, 3] RGB: uint8 [S, S], by ITU-R 601 as JPEG and Pillow weigh the colours."""
    return np.asarray(Image.fromarray(crop).convert("L"))
