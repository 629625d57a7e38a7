"""Measures of a photo: what keeps its hash, and what changes sharpness and brightness."""

from __future__ import annotations

from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from faces.recognition.image import Photo
from faces.recognition.quality import HASH_BITS, brightness, hamming, hash_bits, luminance, photo_hash, sharpness
from faces.recognition.recognizer import Recognizer


def bits_apart(first: Image.Image, second: Image.Image) -> int:
    bits = hash_bits([photo_hash(first), photo_hash(second)])
    return int(hamming(bits[:1], bits[1:])[0, 0])


@pytest.fixture(scope="module")
def photos(lfw_dir: Path) -> list[Image.Image]:
    return [Photo.open(path).decode() for path in sorted((lfw_dir / "images" / "Hans_Blix").glob("*.jpg"))[:12]]


@pytest.fixture(scope="module")
def crops(recognizer: Recognizer, lfw_dir: Path) -> list[np.ndarray]:
    paths = sorted((lfw_dir / "images" / "Hans_Blix").glob("*.jpg"))[:12]
    return [face.crop for face in map(recognizer.largest_face, paths) if face is not None and face.crop is not None]


def blurred(crop: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(crop).filter(ImageFilter.GaussianBlur(radius)))


def dimmed(crop: np.ndarray, factor: float) -> np.ndarray:
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(crop)).enhance(factor))


def test_a_hash_is_text_that_numbers_can_be_made_of(photos: list[Image.Image]) -> None:
    text = photo_hash(photos[0])
    assert (len(text), HASH_BITS) == (16, 64)
    assert hash_bits([text, "0" * 16, "f" * 16]).tolist() == [int(text, 16), 0, 2**64 - 1]
    assert hash_bits([]).shape == (0,)


def test_a_hash_is_imagehashs(photos: list[Image.Image], photos_dir: Path) -> None:
    even = [Image.new("RGB", (50, 40), colour) for colour in ("black", "white", "#123456")]
    ramp = Image.linear_gradient("L")
    others = [Image.open(path) for path in sorted(photos_dir.glob("*.jpg"))]
    for photo in [*photos, *others, *even, ramp, ramp.rotate(90)]:
        assert photo_hash(photo) == str(imagehash.phash(photo))


@pytest.mark.parametrize("text", ["", "abc", "g" * 16, "0" * 17])
def test_what_is_no_hash(text: str) -> None:
    with pytest.raises(ValueError, match=r"hexadecimal|invalid literal"):
        hash_bits([text])


def test_bits_that_differ_are_counted() -> None:
    first, second = np.array([0, 2**64 - 1], np.uint64), np.array([0, 1, 2**63 + 1], np.uint64)
    assert hamming(first, second).tolist() == [[0, 1, 2], [64, 63, 62]]


def test_a_hash_outlives_saving_and_resizing_and_tells_photos_apart(photos: list[Image.Image]) -> None:
    for photo in photos:
        half = photo.resize((photo.width // 2, photo.height // 2), Image.Resampling.LANCZOS)
        for other in (half, ImageEnhance.Brightness(photo).enhance(0.7), photo.filter(ImageFilter.GaussianBlur(1))):
            assert bits_apart(photo, other) <= 6
    apart = [bits_apart(first, second) for first in photos for second in photos if first is not second]
    assert min(apart) > 10


def test_blur_lowers_sharpness_and_darkness_does_not(crops: list[np.ndarray]) -> None:
    for crop in crops:
        values = [sharpness(luminance(blurred(crop, radius))) for radius in (0, 1, 2, 4)]
        assert values == sorted(values, reverse=True)
        assert values[0] > 4 * values[2]
        assert (
            0.9 * values[0] < sharpness(luminance(dimmed(crop, 0.4))) < 1.6 * values[0]
        )  # fewer grey levels: some noise


def test_sharpness_has_limits() -> None:
    assert sharpness(luminance(np.full((160, 160, 3), 90, np.uint8))) == 0
    rows, columns = np.indices((160, 160))
    chess = np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    assert sharpness(luminance(chess)) == pytest.approx(64)


def test_brightness_is_mean_luminance(crops: list[np.ndarray]) -> None:
    assert brightness(luminance(np.zeros((160, 160, 3), np.uint8))) == 0
    assert brightness(luminance(np.full((160, 160, 3), 255, np.uint8))) == 255
    for crop in crops:
        assert brightness(luminance(dimmed(crop, 0.5))) == pytest.approx(brightness(luminance(crop)) / 2, abs=1)


def test_brightness_weighs_colours_as_the_eye_does() -> None:
    """By ITU-R 601: green counts for most. Half black and half white is half."""
    pixels = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
    measured = {name: brightness(luminance(np.full((20, 20, 3), colour, np.uint8))) for name, colour in pixels.items()}
    assert measured == pytest.approx({"red": 0.299 * 255, "green": 0.587 * 255, "blue": 0.114 * 255}, abs=1)
    quarter = np.zeros((20, 20, 3), np.uint8)
    quarter[:5] = 200
    assert brightness(luminance(quarter)) == pytest.approx(50)


def test_sharpness_of_stripes_by_hand() -> None:
    """Stripes of one pixel: the Laplacian is ±4 times the half range, so 16 times the variance, whatever their way."""
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::2] = 100
    for crop in (stripes, stripes.swapaxes(0, 1)):
        assert sharpness(luminance(np.ascontiguousarray(crop))) == pytest.approx(16)
