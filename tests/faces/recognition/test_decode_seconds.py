"""What a photo's header says of how long decoding takes. That this is true, `python -m bench.decoding` shows."""

from __future__ import annotations

import struct

import pillow_heif  # type: ignore[import-untyped]  # it ships no types
import pytest
from PIL import Image

from bench.support.hostile import chunk, encoded, entry, exif, grid, png, split
from faces.recognition.image import Photo, peek_seconds
from service.photo_work import COSTLY_SECONDS

pillow_heif.register_heif_opener()

TURNED = exif(entry(0x0112, 3, 1, 6))
LARGE = Image.new("RGB", (1600, 1200), (120, 90, 60))


def seconds(data: bytes) -> float:
    return Photo.open(data).decode_seconds


def jpeg_that_claims(width: int, height: int, more: int = 0) -> bytes:
    """With so many more bytes of pixels. It is not decoded here."""
    data = encoded(Image.new("RGB", (16, 16)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 : -2] + bytes(more) + data[-2:]


def png_that_claims(width: int, height: int, bits: int, colour: int) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        encoded(LARGE, "JPEG", progressive=True),
        encoded(LARGE, "PNG"),
        encoded(LARGE, "WEBP"),
        encoded(LARGE, "AVIF", speed=10),
        encoded(LARGE, "HEIF"),
        jpeg_that_claims(4032, 3024, more=2_000_000),  # as a telephone makes it, and as large as may be
    ],
    ids=["progressive JPEG", "PNG", "WebP", "AVIF", "HEIC", "JPEG of 12 megapixels"],
)
def test_usual_photos_are_not_costly(data: bytes) -> None:
    assert 0 < seconds(data) < COSTLY_SECONDS


@pytest.mark.parametrize(
    "data",
    [
        jpeg_that_claims(8000, 8000),
        png_that_claims(8000, 6000, 8, 6),
        png_that_claims(5000, 4000, 16, 6),
        encoded(Image.new("RGB", (4000, 4000)), "WEBP", lossless=True, quality=0, method=0),
    ],
    ids=["JPEG", "PNG", "PNG of 16 bits", "WebP"],
)
def test_large_ones_are(data: bytes) -> None:
    assert seconds(data) > COSTLY_SECONDS


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_beginning_says_at_least_about_as_much(kind: str) -> None:
    data = encoded(LARGE, kind)
    assert 0.3 * seconds(data) < peek_seconds(data) <= seconds(data)
    assert peek_seconds(data + bytes(10_000_000)) == peek_seconds(data)


def test_a_beginning_that_says_nothing() -> None:
    comments = b"\xff\xfe\xff\xff" + bytes(65_533)
    jpeg = encoded(LARGE, "JPEG")
    assert peek_seconds(jpeg[:2] + comments + jpeg[2:]) == peek_seconds(jpeg)
    for data in (
        jpeg[:2] + 2 * comments + jpeg[2:],  # the header is too far from it
        jpeg[:2] + 100 * b"\xff\xfe\0\2" + jpeg[2:],  # or behind too much
        jpeg[:10],
        encoded(LARGE, "PNG")[:20],
        encoded(LARGE, "WEBP")[:20],
        encoded(LARGE, "AVIF", speed=10),
        encoded(LARGE, "PNG").replace(b"\x08\x02\0\0\0", b"\x08\x07\0\0\0"),  # no such colour
        b"GIF89a",
        b"",
    ):
        assert peek_seconds(data) == 0.0


def test_each_pass_over_a_jpeg_counts() -> None:
    head, scans = split(encoded(LARGE, "JPEG", progressive=True))
    few, many = (seconds(head + b"".join(scans) + scans[-1] * count + b"\xff\xd9") for count in (0, 200))
    assert many > few + 200 * 0.0001


def test_a_jpeg_without_an_end_is_decoded_three_times() -> None:
    whole = encoded(LARGE, "JPEG")
    assert seconds(whole[:-2]) > 2 * seconds(whole)


def test_bits_of_a_png_count() -> None:
    assert seconds(png(LARGE.size, 16, 6)) > 1.5 * seconds(png(LARGE.size, 8, 6))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_turning_and_converting_count(kind: str) -> None:
    plain = seconds(encoded(LARGE, kind))
    assert seconds(encoded(LARGE, kind, exif=TURNED)) > plain + 0.005
    mode = {"JPEG": "CMYK", "PNG": "LA"}[kind]
    assert seconds(encoded(LARGE.convert(mode), kind)) > plain


def test_pixels_of_a_heic_that_are_not_seen_count() -> None:
    tile = encoded(Image.new("RGB", (512, 512)), "HEIF")
    seen, hidden = (seconds(grid(tile, 2, 2, (512, 512), size)) for size in ((1024, 1024), (530, 1024)))
    assert hidden > 0.7 * seen  # what is seen is half as much, and is converted
