"""HEIC, WebP and AVIF are read within the same bounds, and turned once."""

from __future__ import annotations

import builtins
import io
import re
import struct
from typing import Any

import numpy as np
import pillow_heif  # type: ignore[import-untyped]  # it ships no types
import pytest
from PIL import Image

from bench.support.hostile import box, full_box, grid
from faces.recognition.heif_items import Decoding, _Frames, read_decoding
from faces.recognition.image import ImageError, ImageTooCostlyError, ImageTooLargeError, Photo, UnreadableImageError
from faces.recognition.image_kinds import HEIC, KINDS, SUFFIXES, kind_of
from faces.recognition.modern_file import ModernFile
from quickstart import PHOTO_SUFFIXES
from stages.files import photos
from tests.faces.recognition.test_image import FIELDS, fields_of, picture
from tests.faces.support import as_stored, encode, oriented

pillow_heif.register_heif_opener()

LOSS = 24
FORMATS = {"WebP": "WEBP", "AVIF": "AVIF", "HEIC": "HEIF"}
"""What Pillow calls each kind."""


def made(name: str, image: Image.Image, **options: Any) -> bytes:
    options = {"WebP": {"quality": 95}, "AVIF": {"quality": 95, "speed": 10}, "HEIC": {"quality": 95}}[name] | options
    return encode(image, FORMATS[name], **options)


@pytest.mark.parametrize("name", FORMATS)
class TestEach:
    """Whatever the kind."""

    def test_rgb(self, name: str) -> None:
        photo = Photo.open(made(name, Image.fromarray(picture(64))))
        decoded = photo.decode()
        assert (photo.kind.name, photo.stored_size, decoded.mode, decoded.size) == (name, (256, 192), "RGB", (256, 192))
        assert np.abs(fields_of(decoded) - FIELDS).max() <= LOSS

    def test_transparent_is_white(self, name: str) -> None:
        image = Image.new("RGBA", (64, 64), (200, 30, 30, 255))
        image.paste((200, 30, 30, 0), (0, 0, 32, 64))
        decoded = np.asarray(Photo.open(made(name, image)).decode()).astype(int)
        assert np.abs(decoded[32, 8] - 255).max() <= LOSS
        assert np.abs(decoded[32, 56] - (200, 30, 30)).max() <= LOSS

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_orientation_is_applied_once(self, name: str, orientation: int) -> None:
        stored = Image.fromarray(np.ascontiguousarray(as_stored(picture(64), orientation)))
        decoded = Photo.open(made(name, stored, exif=oriented(orientation).tobytes())).decode()
        assert decoded.size == (256, 192)
        assert np.abs(fields_of(decoded) - FIELDS).max() <= LOSS

    def test_damage_in_exif_decides_nothing(self, name: str) -> None:
        exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(range(200))
        data = made(name, Image.fromarray(picture(64)))
        if name == "WebP":
            data = with_webp_chunk(data, b"EXIF", exif)
        else:
            block = Image.Exif()
            block[0x010F] = "Maker"
            whole = made(name, Image.fromarray(picture(64)), exif=block.tobytes())
            data = whole.replace(b"II*\0", b"II*\1").replace(b"MM\0*", b"MM\1*")
            assert data != whole
        assert np.abs(fields_of(Photo.open(data).decode()) - FIELDS).max() <= LOSS

    def test_first_picture_of_several(self, name: str) -> None:
        others = [Image.new("RGB", (256, 192), (9, 9, 9))] * 2
        data = made(name, Image.fromarray(picture(64)), save_all=True, append_images=others)
        assert np.abs(fields_of(Photo.open(data).decode()) - FIELDS).max() <= LOSS

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
    def test_cut_off(self, name: str, part: float) -> None:
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8))
        data = made(name, noise)
        with pytest.raises(UnreadableImageError, match=f"a damaged {name}"):
            Photo.open(data[: int(len(data) * part)]).decode()

    def test_pixels_are_limited_before_decoding(self, name: str) -> None:
        data = made(name, Image.new("RGB", (300, 200)))
        assert Photo.open(data, max_pixels=60_000).decode().size == (300, 200)
        with pytest.raises(ImageTooLargeError, match="300 × 200"):
            Photo.open(data, max_pixels=59_999)

    def test_memory_is_limited_before_decoding(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        data = made(name, Image.new("RGB", (300, 200)))
        monkeypatch.setattr("faces.recognition.image._LEAST_MEMORY", 0)
        monkeypatch.setattr("faces.recognition.image._RESERVE_BYTES", 0)
        with pytest.raises(ImageTooCostlyError, match="MB to decode"):
            Photo.open(data, max_pixels=60_000)

    def test_bytes_changed_at_random(self, name: str) -> None:
        random = np.random.default_rng(0)
        data = made(name, Image.fromarray(picture(16)), exif=oriented(6).tobytes())
        for _ in range(150):
            changed = np.frombuffer(data, np.uint8).copy()
            changed[random.integers(12, min(len(data), random.choice([200, len(data)])), 3)] = random.integers(
                0, 256, 3
            )
            try:
                assert Photo.open(changed.tobytes()).decode().mode == "RGB"
            except ImageError:
                continue


@pytest.mark.parametrize(
    ("chroma", "mode", "expected"),
    [
        (420, "RGB", 5),
        (420, "RGB;16", 8),
        (422, "RGB", 10),
        (444, "RGB", 10),
        (444, "RGB;16", 15),
        (444, "RGBA;16", 20),
    ],
)
def test_memory_of_a_heic_follows_from_its_colours(chroma: int, mode: str, expected: int) -> None:
    pixels = np.zeros((48, 64, 4 if "A" in mode else 3), np.uint16 if "16" in mode else np.uint8)
    file = io.BytesIO()
    pillow_heif.from_bytes(mode, (64, 48), pixels.tobytes()).save(file, chroma=chroma)
    assert ModernFile.read(file.getvalue(), HEIC).bytes_per_pixel == expected


def test_a_heic_is_reduced_where_no_copy_of_its_pixels_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    data = made("HEIC", Image.fromarray(picture(64)), exif=oriented(1).tobytes())
    monkeypatch.setattr("faces.recognition.image._LEAST_MEMORY", 7 * 256 * 192)
    monkeypatch.setattr("faces.recognition.image._RESERVE_BYTES", 0)
    monkeypatch.setattr("faces.recognition.image._BAND_PIXELS", 256 * 10)  # several bands
    photo = Photo.open(data, max_pixels=256 * 192)
    decoded = photo.decode()
    assert (photo.finest_side, decoded.size) == (128, (128, 96))
    assert np.abs(fields_of(decoded) - FIELDS).max() <= LOSS


def with_webp_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    """A simple WebP made an extended one, with one more chunk."""
    width, height = Photo.open(data).stored_size
    flags = bytes([8, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    content += bytes(len(content) % 2)
    body = b"WEBPVP8X" + struct.pack("<I", 10) + flags + data[12:] + kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_heic_that_holds_more_pixels_than_it_says_is_damaged() -> None:
    data = made("HEIC", Image.new("RGB", (1280, 960)))
    smaller = re.sub(rb"(ispe\0\0\0\0).{8}", lambda found: found[1] + struct.pack(">II", 64, 64), data, flags=re.DOTALL)
    with pytest.raises(UnreadableImageError):
        Photo.open(smaller).decode()


@pytest.mark.parametrize("name", ["AVIF", "HEIC"])
class TestParts:
    """Pictures that are put together from others: what is decoded counts, not what is seen."""

    def test_a_grid_is_one_picture(self, name: str) -> None:
        tile = made(name, Image.new("RGB", (256, 256), (200, 30, 30)))
        photo = Photo.open(grid(tile, 4, 3, (256, 256), (1000, 700)))
        decoded = np.asarray(photo.decode()).astype(int)
        assert decoded.shape == (700, 1000, 3)
        assert np.abs(decoded - (200, 30, 30)).max() <= LOSS

    def test_alpha_is_counted(self, name: str) -> None:
        whole = read_decoding(made(name, Image.new("RGBA", (320, 256), (200, 30, 30, 9))))
        assert whole == Decoding(2 * 320 * 256, 320 * 256)

    @pytest.mark.parametrize("kind", [b"grid", b"iovl"])
    def test_of_tiles_that_are_hidden(self, name: str, kind: bytes) -> None:
        tile = made(name, Image.new("RGB", (1024, 1024)))
        assert read_decoding(grid(tile, 4, 4, (1024, 1024), (1024, 1024), kind)) == Decoding(2**24, 2**20)
        # libavif knows no layers.
        error = UnreadableImageError if (name, kind) == ("AVIF", b"iovl") else ImageTooCostlyError
        with pytest.raises(error):
            Photo.open(grid(tile, 4, 4, (1024, 1024), (1024, 1024), kind))

    def test_a_part_larger_than_the_picture_takes_its_memory(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        part = made(name, Image.new("RGB", (1024, 1024)))
        monkeypatch.setattr("faces.recognition.image._LEAST_MEMORY", 5 * 1024 * 1024 - 1)
        monkeypatch.setattr("faces.recognition.image._RESERVE_BYTES", 0)
        assert Photo.open(made(name, Image.new("RGB", (640, 640))), max_pixels=640 * 640).finest_side == 640
        with pytest.raises(ImageTooCostlyError, match="MB to decode"):
            Photo.open(grid(part, 1, 1, (1024, 1024), (640, 640)), max_pixels=640 * 640)

    def test_a_picture_made_of_itself(self, name: str) -> None:
        data = grid(made(name, Image.new("RGB", (64, 64))), 2, 2, (64, 64), (128, 128))
        at = data.index(b"dimg") + 8
        with pytest.raises(UnreadableImageError):
            Photo.open(data[:at] + struct.pack(">H", 1) + data[at + 2 :])


def test_lists_that_would_be_long_are_damage() -> None:
    extents = full_box(b"iloc", struct.pack(">HHHHH", 0, 1, 1, 0, 65_535))
    with pytest.raises(ValueError, match="all the same"):
        read_decoding(box(b"ftyp", b"avif") + full_box(b"meta", extents))
    chain = b"".join(box(b"dimg", struct.pack(">HHH", number, 1, number + 1)) for number in range(5000))
    with pytest.raises(RecursionError):
        read_decoding(full_box(b"meta", full_box(b"iref", chain)))
    with pytest.raises(ValueError, match="too many units"):
        _Frames(b"\x12\0" * 60_000).largest(((0, 0),))
    with pytest.raises(ValueError, match="more data than the file has"):
        _Frames(bytes(1000)).largest(((0, 1000),) * 3)


def test_frames_of_an_avif_may_be_larger_than_it_says() -> None:
    tile = made("AVIF", Image.new("RGB", (2000, 2000)))
    data = grid(tile, 4, 4, (64, 64), (256, 256))
    assert read_decoding(data) == Decoding(16 * 2000 * 2000, 2000 * 2000)
    with pytest.raises(ImageTooCostlyError, match="256 × 256 pixels of an AVIF are put together from 64 megapixels"):
        Photo.open(data)


def bits_of(*numbers: tuple[int, int]) -> bytes:
    """Numbers, each with so many bits, filled up to whole bytes."""
    text = "".join(f"{value:0{count}b}" for value, count in numbers)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


SIZE = ((9, 4), (8, 4), (639, 10), (479, 9))  # 640 × 480
HEADERS = {
    "reduced": ((0, 3), (3, 2), (0, 5)),
    "plain": ((0, 3), (0, 2), (0, 1), (0, 1), (0, 5), (0, 12), (5, 5)),
    "tier and delay": ((0, 3), (0, 2), (0, 1), (1, 1), (0, 5), (0, 12), (8, 5), (1, 1), (1, 1), (9, 4)),
    "two points": ((0, 3), (0, 2), (0, 1), (0, 1), (1, 5), (1, 12), (5, 5), (2, 12), (9, 5), (0, 1)),
    "timing": ((0, 3), (0, 2), (1, 1), (1, 32), (25, 32), (1, 1), (5, 5), (0, 1), (0, 1), (0, 5), (0, 12), (5, 5)),
    "model": (
        (0, 3), (0, 2), (1, 1), (1, 32), (25, 32), (0, 1), (1, 1), (9, 5), (1, 32), (9, 5), (8, 5),
        (0, 1), (0, 5), (0, 12), (5, 5), (1, 1), (7, 10), (7, 10), (0, 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_size_of_frames_stands_behind_what_a_header_may_have(name: str) -> None:
    header = bits_of(*HEADERS[name], *SIZE)
    units = b"\x12\0" + b"\x0a" + bytes([len(header)]) + header + b"\x32\x01\0"
    assert _Frames(units).largest(((0, 0),)) == 640 * 480
    assert _Frames(b"xx" + units).largest(((2, 3), (5, len(units) - 3))) == 640 * 480
    with pytest.raises(ValueError, match="cut off"):
        _Frames(units[:4] + header[:-3]).largest(((0, 0),))
    with pytest.raises(ValueError, match="without a size"):
        _Frames(units).largest(((0, 2),))


def test_without_the_package_a_heic_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    data = made("HEIC", Image.new("RGB", (64, 64)))
    imported = builtins.__import__

    def refuse(name: str, *given: Any, **more: Any) -> Any:
        if name == "pi_heif":
            raise ImportError
        return imported(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UnreadableImageError, match=r"a HEIC, which cannot be read here.*pip install pi-heif"):
        Photo.open(data)
    assert Photo.open(made("WebP", Image.new("RGB", (64, 64)))).decode().size == (64, 64)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypavis\0\0\0\0msf1miaf", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", None),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
    ],
)
def test_content_tells_kinds_apart(head: bytes, name: str | None) -> None:
    kind = kind_of(head + bytes(100))
    assert (kind and kind.name) == name


def test_each_kind_has_suffixes_of_its_own() -> None:
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
    assert len({kind.mime for kind in KINDS}) == len(KINDS)


def test_quickstart_and_the_stages_take_what_is_read() -> None:
    assert set(PHOTO_SUFFIXES) == set(photos.SUFFIXES) == set(SUFFIXES)
