"""Photos of every kind that people have are decoded right; whatever is not one is refused with the reason."""

from __future__ import annotations

import random
import struct
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces.recognition.image import (
    LARGEST_MAX_PIXELS,
    ImageError,
    ImageTooLargeError,
    Photo,
    UnknownKindError,
    UnreadableImageError,
)
from tests.faces.support import as_stored, encode, oriented

# 4 × 3 fields no two of which are alike: shows every turn and mirroring. Chosen so that JPEG keeps them apart.
FIELDS = np.array(
    [
        [[230, 20, 20], [20, 200, 20], [20, 20, 230], [240, 240, 240]],
        [[120, 120, 120], [230, 230, 20], [20, 200, 200], [200, 20, 200]],
        [[20, 20, 20], [120, 60, 20], [20, 60, 120], [250, 150, 100]],
    ],
    dtype=np.uint8,
)
JPEG_ERROR = 8


def picture(field: int = 16) -> np.ndarray:
    """Those fields, each so many pixels wide and high."""
    return FIELDS.repeat(field, axis=0).repeat(field, axis=1)


def fields_of(image: Image.Image) -> np.ndarray:
    """Middles of the fields of a decoded picture, [rows, columns, 3]."""
    columns, rows = (4, 3) if image.width > image.height else (3, 4)
    x, y = (
        (np.arange(count) * 2 + 1) * side // (2 * count)
        for count, side in ((columns, image.width), (rows, image.height))
    )
    return np.asarray(image)[np.ix_(y, x)].astype(int)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, bits: int, colour: int, rows: bytes | None, extra: bytes = b"") -> bytes:
    """A PNG made by hand; with None for rows it has a header and no pixels at all."""
    data = b"" if rows is None else chunk(b"IDAT", zlib.compress(rows))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + data + chunk(b"IEND", b"")


def jpeg_that_claims(width: int, height: int) -> bytes:
    data = encode(Image.new("RGB", (16, 16)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


class TestKinds:
    """Every mode a JPEG or PNG can have becomes the same 8-bit RGB."""

    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_rgb(self, kind: str) -> None:
        photo = Photo.open(encode(Image.fromarray(picture()), kind))
        decoded = photo.decode()
        assert (photo.kind.name, photo.stored_size, decoded.mode, decoded.size) == (kind, (64, 48), "RGB", (64, 48))
        assert np.abs(fields_of(decoded) - FIELDS).max() <= (JPEG_ERROR if kind == "JPEG" else 0)

    @pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {})])
    def test_grey(self, kind: str, options: dict[str, bool]) -> None:
        grey = Image.fromarray(picture()).convert("L")
        decoded = np.asarray(Photo.open(encode(grey, kind, **options)).decode())
        assert np.abs(decoded[:, :, 0].astype(int) - np.asarray(grey)).max() <= (JPEG_ERROR if kind == "JPEG" else 0)
        assert (decoded[:, :, :1] == decoded).all()

    def test_cmyk_jpeg(self) -> None:
        cmyk = Image.fromarray(picture()).convert("CMYK")
        decoded = Photo.open(encode(cmyk, "JPEG")).decode()
        assert np.abs(fields_of(decoded) - FIELDS).max() <= JPEG_ERROR

    def test_palette(self) -> None:
        indexed = Image.fromarray(picture()).quantize(12)
        assert indexed.mode == "P"
        decoded = Photo.open(encode(indexed, "PNG")).decode()
        assert np.array_equal(np.asarray(decoded), np.asarray(indexed.convert("RGB")))
        assert np.abs(fields_of(decoded) - FIELDS).max() <= 2

    def test_one_bit(self) -> None:
        bits = Image.fromarray(picture()[:, :, 0] > 100)
        assert bits.mode == "1"
        decoded = np.asarray(Photo.open(encode(bits, "PNG")).decode())
        assert np.array_equal(decoded[:, :, 1], np.asarray(bits) * np.uint8(255))

    def test_sixteen_bit_grey_keeps_its_values(self) -> None:
        values = np.array([[0, 255, 256, 1000], [20_000, 40_000, 65_279, 65_535]], np.uint16)
        decoded = np.asarray(Photo.open(encode(Image.fromarray(values), "PNG")).decode())
        assert decoded[:, :, 0].tolist() == [[0, 0, 1, 3], [78, 156, 254, 255]]

    def test_sixteen_bit_colour(self) -> None:
        rows = b"\0" + struct.pack(">6H", 0, 255, 256, 20_000, 40_000, 65_535)
        assert np.asarray(Photo.open(png(2, 1, 16, 2, rows)).decode()).tolist() == [[[0, 0, 1], [78, 156, 255]]]

    def test_multi_picture_jpeg_is_its_first_picture(self) -> None:
        first = Image.fromarray(picture())
        data = encode(first, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))])
        with Image.open(BytesIO(data)) as image:
            assert image.format == "MPO"
        assert np.abs(fields_of(Photo.open(data).decode()) - FIELDS).max() <= JPEG_ERROR

    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".txt", ""])
    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_content_decides_not_the_name(self, tmp_path: Path, kind: str, suffix: str) -> None:
        path = tmp_path / f"photo{suffix}"
        path.write_bytes(encode(Image.fromarray(picture()), kind))
        assert Photo.open(path).kind.name == kind


class TestTransparency:
    """What is transparent is put on white; what is not keeps its colour."""

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    def test_alpha(self, mode: str) -> None:
        image = Image.new(mode, (3, 1), (100, 50) if mode == "LA" else (100, 100, 100, 50))
        image.putpixel((1, 0), (100, 0) if mode == "LA" else (100, 100, 100, 0))
        image.putpixel((2, 0), (100, 255) if mode == "LA" else (100, 100, 100, 255))
        half = round(100 * 50 / 255 + 255 * 205 / 255)
        decoded = np.asarray(Photo.open(encode(image, "PNG")).decode()).astype(int)
        assert np.abs(decoded[0, :, 0] - [half, 255, 100]).max() <= 1

    def test_palette(self) -> None:
        indexed = Image.fromarray(picture()).quantize(12)
        clear = indexed.getpixel((0, 0))
        decoded = fields_of(Photo.open(encode(indexed, "PNG", transparency=clear)).decode())
        assert decoded[0, 0].tolist() == [255, 255, 255]
        assert np.abs(decoded[1:] - FIELDS[1:]).max() <= 2

    @pytest.mark.parametrize(
        ("colour", "rows", "key"),
        [
            (2, bytes([0, 1, 2, 3, 200, 100, 50]), struct.pack(">3H", 1, 2, 3)),
            (0, bytes([0, 5, 200]), struct.pack(">H", 5)),
        ],
        ids=["colour", "grey"],
    )
    def test_one_colour_that_stands_for_nothing(self, colour: int, rows: bytes, key: bytes) -> None:
        decoded = np.asarray(Photo.open(png(2, 1, 8, colour, rows, chunk(b"tRNS", key))).decode())
        assert decoded[0, 0].tolist() == [255, 255, 255]
        assert decoded[0, 1, 0] == 200


class TestOrientation:
    """A photo is seen as its camera meant it."""

    @pytest.mark.parametrize("long_side", [None, 200])
    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_each(self, kind: str, orientation: int, long_side: int | None) -> None:
        stored = Image.fromarray(np.ascontiguousarray(as_stored(picture(200), orientation)))
        photo = Photo.open(encode(stored, kind, exif=oriented(orientation)))
        decoded = photo.decode(long_side)
        assert photo.stored_size == stored.size
        assert decoded.size == ((200, 150) if long_side and kind == "JPEG" else (800, 600))
        assert np.abs(fields_of(decoded) - FIELDS).max() <= (JPEG_ERROR if kind == "JPEG" else 0)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_block_damaged_elsewhere_still_turns_the_photo(self, kind: str) -> None:
        # Little-endian TIFF; orientation 6, and a description that holds a number where text belongs.
        entries = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack("<HHIf", 0x010E, 11, 1, 1.5)
        exif = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0)
        stored = Image.fromarray(np.ascontiguousarray(as_stored(picture(), 6)))
        decoded = Photo.open(encode(stored, kind, exif=exif)).decode()
        assert np.abs(fields_of(decoded) - FIELDS).max() <= JPEG_ERROR

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    @pytest.mark.parametrize(
        "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + bytes(range(256)), oriented(77)]
    )
    def test_unreadable_block_leaves_the_photo_as_stored(self, kind: str, exif: bytes | Image.Exif) -> None:
        decoded = Photo.open(encode(Image.fromarray(picture()), kind, exif=exif)).decode()
        assert np.abs(fields_of(decoded) - FIELDS).max() <= JPEG_ERROR


class TestReducedDecoding:
    """`long_side` saves work and never leaves fewer pixels than asked for."""

    @pytest.mark.parametrize(
        ("size", "long_side", "expected"),
        [
            ((1280, 960), 640, (640, 480)),
            ((1279, 960), 640, (1279, 960)),
            ((2559, 1001), 640, (1280, 501)),
            ((2561, 1001), 640, (641, 251)),
            ((1001, 2561), 640, (251, 641)),
            ((5200, 3000), 640, (650, 375)),
            ((16_000, 20), 640, (2000, 3)),
            ((3000, 1), 640, (3000, 1)),
            ((1, 3000), 640, (1, 3000)),
            ((100, 80), 640, (100, 80)),
            ((1000, 800), 1, (125, 100)),
        ],
    )
    def test_jpeg(self, size: tuple[int, int], long_side: int, expected: tuple[int, int]) -> None:
        decoded = Photo.open(encode(Image.new("RGB", size), "JPEG")).decode(long_side)
        assert decoded.size == expected

    def test_png_has_only_one_size(self) -> None:
        assert Photo.open(encode(Image.new("RGB", (1280, 960)), "PNG")).decode(640).size == (1280, 960)


def video() -> bytes:
    return b"\0\0\0\x18ftypisom\0\0\2\0isommp42" + bytes(100)


class TestOtherContent:
    """What is of no kind that is read is refused by name, whatever it is called."""

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            (b"", "an empty file"),
            ("esto no es una foto, señor".encode(), "a text file"),
            (encode(Image.new("P", (8, 8)), "GIF"), "a GIF"),
            (encode(Image.new("RGB", (8, 8)), "BMP"), "a BMP"),
            (encode(Image.new("RGB", (8, 8)), "TIFF"), "a TIFF"),
            (encode(Image.new("RGB", (8, 8)), "PDF"), "a PDF"),
            (video(), "a video, or a picture of an unknown kind"),
            (b"PK\x03\x04" + bytes(50), "a ZIP archive"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
            (b"<?xml version='1.0'?><svg/>", "an XML file"),
            (b"\xde\xad\xbe\xef" * 10, "an unknown kind of file"),
            (b"\xff\xd8", "an unknown kind of file"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_is_named(self, tmp_path: Path, data: bytes, name: str) -> None:
        path = tmp_path / "photo.jpg"
        path.write_bytes(data)
        for source in (data, path):
            with pytest.raises(
                UnknownKindError, match=f"the content is {name}; expected one of JPEG, PNG, WebP, HEIC, AVIF"
            ):
                Photo.open(source)

    @pytest.mark.parametrize("name", ["missing.jpg", "."])
    def test_unreadable_path(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(OSError, match=r"No such file|directory|denied"):
            Photo.open(tmp_path / name)


class TestTooLarge:
    """The limit holds on what the header says, before a pixel is decoded."""

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            (png(9000, 9000, 8, 2, None), "9000 × 9000 = 81.0 megapixels; the limit is 64"),
            (jpeg_that_claims(9000, 9000), "9000 × 9000 = 81.0 megapixels; the limit is 64"),
            (png(30_000, 30_000, 1, 0, None), "more than 179 megapixels; the limit is 64"),
            (jpeg_that_claims(30_000, 30_000), "more than 179 megapixels; the limit is 64"),
            (png(2**31 - 1, 2**31 - 1, 16, 6, None), "more than 179 megapixels"),
        ],
    )
    def test_header_alone_decides(self, data: bytes, told: str) -> None:
        tracemalloc.start()
        try:
            with pytest.raises(ImageTooLargeError, match=told):
                Photo.open(data)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_limit_itself_passes(self, kind: str) -> None:
        data = encode(Image.new("RGB", (10, 13)), kind)
        assert Photo.open(data, max_pixels=130).decode().size == (10, 13)
        with pytest.raises(ImageTooLargeError):
            Photo.open(data, max_pixels=129)

    @pytest.mark.filterwarnings("error")
    def test_pillows_own_limit_is_the_largest(self) -> None:
        width = 10_000
        height = LARGEST_MAX_PIXELS // width
        assert Photo.open(png(width, height, 8, 0, None), LARGEST_MAX_PIXELS).stored_size == (width, height)
        with pytest.raises(ImageTooLargeError, match="more than 179 megapixels"):
            Photo.open(png(width, height + 1, 8, 0, None), 2 * LARGEST_MAX_PIXELS)


def noise(kind: str) -> Image.Image:
    """Pixels that compress to many bytes, so that damage hits them."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)).convert(kind)


def originals() -> dict[str, bytes]:
    exif = oriented(6)
    exif[0x010F], exif[0x0110], exif[0x8769] = "Maker", "Model", {0x9003: "2020:01:01 00:00:00", 0x829A: (1, 3)}
    return {
        "jpeg": encode(noise("RGB"), "JPEG", exif=exif, dpi=(72, 72)),
        "progressive": encode(noise("RGB"), "JPEG", progressive=True),
        "cmyk": encode(noise("CMYK"), "JPEG"),
        "mpo": encode(noise("RGB"), "MPO", save_all=True, append_images=[noise("RGB")]),
        "png": encode(noise("RGB"), "PNG", exif=exif),
        "palette": encode(noise("RGB").quantize(16), "PNG", transparency=3),
        "grey16": encode(Image.fromarray(np.random.default_rng(0).integers(0, 2**16, (48, 64), np.uint16)), "PNG"),
        "alpha": encode(noise("LA"), "PNG"),
    }


ORIGINALS = originals()


def changed(data: bytes, rng: random.Random) -> bytes:
    """Some bytes replaced."""
    result = bytearray(data)
    for _ in range(rng.randrange(1, 8) if data else 0):
        result[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(result)


def with_damaged_chunk(data: bytes, rng: random.Random) -> bytes:
    """A PNG with one chunk changed, put in or called something else, and its checksum right again."""
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    place = rng.randrange(len(chunks))
    kind, content = chunks[place]
    other = rng.choice([b"tRNS", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"PLTE", b"acTL", b"fdAT", b"pHYs", b"cHRM"])
    what = rng.choice(["change", "put in", "rename"])
    chunks[place : place + (what != "put in")] = [(kind if what == "change" else other, changed(content, rng))]
    return data[:8] + b"".join(chunk(*parts) for parts in chunks)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A file damaged anywhere, near its start, or, if a PNG, inside one chunk."""
    if data.startswith(b"\x89PNG") and rng.random() < 0.7:
        return with_damaged_chunk(data, rng)
    start = rng.choice([len(data), 300])
    return changed(data[:start], rng) + data[start:]


class TestDamaged:
    """Damage is an error of ours or is decoded; nothing else escapes."""

    @pytest.mark.parametrize("name", ORIGINALS)
    @pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
    def test_truncated(self, name: str, part: float) -> None:
        # The second picture of an MPO is not looked at, so only the first can be short.
        data = ORIGINALS["jpeg" if name == "mpo" else name]
        with pytest.raises(UnreadableImageError, match=r"a damaged (JPEG|PNG), or cut off: "):
            Photo.open(data[: int(len(data) * part)]).decode()

    @pytest.mark.parametrize(
        "data",
        [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", png(0, 5, 8, 2, b""), png(5, 0, 8, 2, b""), jpeg_that_claims(0, 9)],
    )
    def test_without_a_size(self, data: bytes) -> None:
        with pytest.raises(UnreadableImageError):
            Photo.open(data)

    @pytest.mark.filterwarnings("ignore")  # Pillow's remarks about the damage
    @pytest.mark.parametrize("name", ORIGINALS)
    def test_bytes_changed_at_random(self, name: str) -> None:
        rng = random.Random(name)
        outcomes = {"decoded": 0, "refused": 0}
        for _ in range(400):
            try:
                decoded = Photo.open(damaged(ORIGINALS[name], rng)).decode(rng.choice([None, 20, 640]))
            except ImageError:
                outcomes["refused"] += 1
            else:
                assert decoded.mode == "RGB"
                outcomes["decoded"] += 1
        assert min(outcomes.values()) >= 5, outcomes  # else this shows little
