"""Files that broke decoders, cost them much, or were refused for the sake of what decides no pixel."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from bench.support.hostile import HostileFile, chunk, encoded, entry, exif, like_the_plain_photo, png, segment, split
from faces.recognition import jpeg_file
from faces.recognition.exif import orientation_of
from faces.recognition.image import (
    ImageError,
    ImageTooCostlyError,
    ImageTooLargeError,
    Photo,
    UnreadableImageError,
)
from tests.conftest import SHARED

ROOT = Path(__file__).resolve().parents[3]
PLAIN = (ROOT / "demo" / "ask" / "me_2.jpg").read_bytes()
ALIKE = list(like_the_plain_photo(PLAIN))
JPEG_ERROR = 16


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Photo.open(data).decode()).astype(int)


@pytest.fixture(scope="session")
def hard_dir() -> Path:
    """Files that broke the decoder once; its README says what is right."""
    folder = SHARED / "hard"
    if not folder.is_dir():
        pytest.skip(f"no hard files: {folder} is not there")
    return folder


class TestMetadata:
    """What decides no pixel decides nothing."""

    @pytest.mark.parametrize("file", ALIKE, ids=[file.name for file in ALIKE])
    def test_the_photo_is_read_as_if_it_had_none(self, file: HostileFile) -> None:
        assert file.same
        assert np.abs(pixels(file.data) - pixels(PLAIN)).max() <= (0 if file.name.startswith("png") else JPEG_ERROR)

    @pytest.mark.parametrize(
        "name",
        [
            "png_icc_1.2MB.png",
            "png_bad_crc_in_text.png",
            "exif_unreadable_tag_before_orientation.jpg",
            "jpeg_adobe_segment_short.jpg",
            "jpeg_jfif_segment_short.jpg",
            "jpeg_without_end_marker.jpg",
        ],
    )
    def test_hard_files_that_show_the_portrait(self, hard_dir: Path, name: str) -> None:
        assert np.abs(pixels((hard_dir / name).read_bytes()) - pixels(PLAIN)).max() <= JPEG_ERROR

    def test_whole_segments_that_decide_colours_are_kept(self) -> None:
        """Three channels with an Adobe segment that says RGB; without it, they would be taken for YCbCr."""
        red = Image.new("RGB", (32, 32), (200, 20, 20))
        data = encoded(red, "JPEG", quality=95, subsampling=0, keep_rgb=True)
        assert b"Adobe" in data
        for marker, first, step in ((b"\xff\xc0", 10, 3), (b"\xff\xda", 5, 2)):  # its channels are called R, G and B
            at = data.index(marker) + first
            for number in (1, 2, 3):
                place = at + step * (number - 1)
                data = data[:place] + bytes([number]) + data[place + 1 :]
        assert np.abs(pixels(data) - (200, 20, 20)).max() <= JPEG_ERROR

    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_transparency_of_grey_is_compared_bit_by_bit(self, bits: int) -> None:
        """One level of grey is transparent, so it is seen white; all others stay."""
        white = 2**bits - 1
        levels = np.arange(16) % (white + 1)
        row = np.packbits((levels[:, None] >> np.arange(bits)[::-1]) & 1)
        for level in range(min(white, 15) + 1):
            header = struct.pack(">IIBBBBB", 16, 1, bits, 0, 0, 0, 0)
            parts = {b"IHDR": header, b"tRNS": struct.pack(">H", level), b"IDAT": zlib.compress(b"\0" + row.tobytes())}
            data = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in parts.items())
            expected = np.where(levels == level, 255, levels * 255 // white)
            assert pixels(data)[0, :, 0].tolist() == expected.tolist()

    def test_wrong_checksum_of_what_decides_pixels_is_damage(self) -> None:
        data = png((8, 8), 8, 3, chunk(b"PLTE", bytes(range(30))))
        assert pixels(data)[0, 0].tolist() == [0, 1, 2]
        place = data.index(b"PLTE") + 4 + 30
        with pytest.raises(UnreadableImageError):
            Photo.open(data[:place] + b"\0\0\0\0" + data[place + 4 :])


class TestOrientation:
    """EXIF is read entry by entry."""

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_each(self, orientation: int, order: str) -> None:
        assert orientation_of(exif(entry(0x0112, 3, 1, orientation, order), order=order)) == orientation

    @pytest.mark.parametrize(
        "before",
        [
            entry(0x010F, 2, 1000, 2**32 - 1),
            entry(0x010F, 2, 2**32 - 1, 8),
            entry(0x010F, 77, 1, 1),
            entry(0x0112, 2, 4, 8),  # an orientation that is a text
            entry(0x0112, 3, 2, 8),  # or several numbers
            entry(0x0112, 3, 1, 9),  # or none that there is
        ],
    )
    def test_what_cannot_be_read_hides_nothing(self, before: bytes) -> None:
        assert orientation_of(exif(before, entry(0x0112, 3, 1, 6))) == 6

    @pytest.mark.parametrize("end", range(26))
    def test_a_block_that_is_cut_asks_for_no_turn(self, end: int) -> None:
        assert orientation_of(exif(entry(0x0112, 3, 1, 6))[6 : 6 + end][:21]) == 1

    def test_the_first_block_decides(self) -> None:
        first, second = (segment(0xE1, exif(entry(0x0112, 3, 1, number))) for number in (6, 3))
        xmp = segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="8"/>')
        data = encoded(Image.new("RGB", (40, 20)), "JPEG")
        assert Photo.open(data[:2] + xmp + first + second + data[2:]).decode().size == (20, 40)

    @pytest.mark.parametrize("packed", [True, False])
    def test_imagemagicks_text_is_exif(self, packed: bool) -> None:
        text = f"\nexif\n{38:8}\n{exif(entry(0x0112, 3, 1, 6)).hex()}".encode()
        name = b"Raw profile type exif\0"
        extra = chunk(b"zTXt", name + b"\0" + zlib.compress(text)) if packed else chunk(b"tEXt", name + text)
        assert Photo.open(png((40, 20), 8, 2, extra)).decode().size == (20, 40)


class TestWithoutEnd:
    """An end marker may be missing; a row may not."""

    @pytest.mark.parametrize("restarts", [0, 1, 7])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_cut_anywhere(self, progressive: bool, restarts: int) -> None:
        noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (80, 96, 3), np.uint8))
        data = encoded(noise, "JPEG", quality=60, progressive=progressive, restart_marker_blocks=restarts)
        image = JpegImageFile(io.BytesIO(data))
        image.load()
        whole = np.asarray(image)
        first = data.index(b"\xff\xda") + 14
        accepted = []
        for end in [*range(first, len(data) - 60, 23), *range(len(data) - 60, len(data))]:
            try:
                decoded = np.asarray(Photo.open(data[:end]).decode())
            except UnreadableImageError:
                continue
            accepted.append(end)
            assert (decoded != whole).any(axis=2).sum() <= 64, end  # a refinement of the last block, at most
        assert len(data) - 2 in accepted
        assert min(accepted) >= len(data) - 16

    def test_a_progressive_one_that_lacks_a_scan_is_cut_off(self) -> None:
        noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (80, 96, 3), np.uint8))
        head, scans = split(encoded(noise, "JPEG", quality=60, progressive=True))
        assert Photo.open(head + b"".join(scans)).decode().size == (96, 80)
        for count in range(1, len(scans)):
            with pytest.raises(UnreadableImageError):
                Photo.open(head + b"".join(scans[:count])).decode()

    def test_another_picture_after_it_is_passed_over(self) -> None:
        data = encoded(Image.new("RGB", (60, 40), (90, 60, 30)), "JPEG")
        for first in (data, data[:-2]):
            assert Photo.open(first + encoded(Image.new("RGB", (9, 9)), "JPEG")).decode().size == (60, 40)

    def test_one_of_64_megapixels_is_looked_at_reduced(self) -> None:
        data = encoded(Image.new("RGB", (6000, 4000), (90, 60, 30)), "JPEG")
        assert Photo.open(data[:-2]).decode(640).size == (750, 500)
        with pytest.raises(UnreadableImageError):
            Photo.open(data[: len(data) // 2]).decode(640)


class TestNothingElseEscapes:
    """Whatever a decoder raises is an error of ours."""

    @pytest.mark.parametrize(
        "error", [AssertionError("no palette"), AttributeError("x"), RuntimeError("x"), Warning("x")]
    )
    def test_errors(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        def fail(*_: object) -> None:
            raise error

        photo = Photo.open(PLAIN)
        monkeypatch.setattr(JpegImageFile, "load", fail)
        with pytest.raises(UnreadableImageError):
            photo.decode()
        monkeypatch.setattr(jpeg_file.JpegFile, "_walk", fail)
        with pytest.raises(UnreadableImageError):
            Photo.open(PLAIN)

    def test_memory_that_runs_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise MemoryError

        photo = Photo.open(PLAIN)
        monkeypatch.setattr(JpegImageFile, "load", fail)
        with pytest.raises(ImageTooCostlyError, match="not enough memory"):
            photo.decode()

    def test_a_palette_that_is_missing(self) -> None:
        with pytest.raises(UnreadableImageError):
            Photo.open(png((8, 8), 8, 3))


class TestCost:
    """What a photo costs is known before it is decoded."""

    def test_scans_are_counted(self) -> None:
        head, scans = split(encoded(Image.new("RGB", (4000, 4000)), "JPEG", progressive=True))
        assert Photo.open(head + b"".join(scans) + scans[-1] * 2 + b"\xff\xd9").decode(640).size == (1000, 1000)
        with pytest.raises(ImageTooCostlyError, match=r"4000 × 4000 pixels in 1010 scans of a JPEG take .* times"):
            Photo.open(head + b"".join(scans) + scans[-1] * 1000 + b"\xff\xd9")

    @pytest.mark.parametrize("first", [64, 255])
    def test_a_scan_of_no_coefficients_makes_up_for_no_other(self, first: int) -> None:
        """libjpeg refuses it, but only when it has done all that is before it."""
        head, scans = split(encoded(Image.new("L", (64, 64)), "JPEG", progressive=True))
        empty = segment(0xDA, bytes([1, 1, 0, first, 0, 0x10]))
        with pytest.raises(UnreadableImageError):
            Photo.open(head + b"".join(scans) + empty + b"\xff\xd9")

    def test_scans_count_where_channels_share_a_name(self) -> None:
        """The first scan has one of three channels, so libjpeg keeps the coefficients of all of them."""
        data = bytearray(encoded(Image.new("RGB", (64, 64)), "JPEG", subsampling=0))
        frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
        data[frame + 5 : frame + 9] = struct.pack(">HH", 8000, 8000)
        for channel in range(3):
            data[frame + 10 + 3 * channel] = 1
        one = segment(0xDA, bytes([1, 1, 0, 0, 63, 0]))
        with pytest.raises(ImageTooCostlyError, match="8000 × 8000 pixels of a JPEG take about 388 MB"):
            Photo.open(bytes(data[:scan]) + one + bytes(data[scan + 14 :]))

    def test_hard_file_of_many_scans(self, hard_dir: Path) -> None:
        with pytest.raises(ImageTooCostlyError):
            Photo.open(hard_dir / "jpeg_256_scans_64MP_150kB.jpg")

    @pytest.mark.parametrize("size", [(1, 70_000), (70_000, 1)])
    def test_each_side_has_a_limit(self, size: tuple[int, int]) -> None:
        with pytest.raises(ImageTooLargeError, match="no side may have more than 65535"):
            Photo.open(png(size, 8, 0))

    def test_lossless_jpegs_are_not_read(self) -> None:
        data = encoded(Image.new("RGB", (16, 16)), "JPEG").replace(b"\xff\xc0", b"\xff\xc3")
        with pytest.raises(UnreadableImageError):
            Photo.open(data)

    @pytest.mark.parametrize(
        ("bits", "colour", "told"), [(16, 2, "48 bits are 384 MB; the limit is 300"), (16, 6, "64 bits are 512 MB")]
    )
    def test_pngs_of_too_many_bytes(self, bits: int, colour: int, told: str) -> None:
        head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8000, 8000, bits, colour, 0, 0, 0))
        with pytest.raises(ImageTooCostlyError, match=told):
            Photo.open(head + chunk(b"IDAT", b"") + chunk(b"IEND", b""))

    def test_progressive_ones_whose_coefficients_need_too_much(self) -> None:
        data = encoded(Image.new("RGB", (64, 64)), "JPEG", progressive=True, subsampling=0)
        at = data.index(b"\xff\xc2") + 5
        with pytest.raises(ImageTooCostlyError, match="8000 × 8000 pixels of a JPEG take about 388 MB to decode"):
            Photo.open(data[:at] + struct.pack(">HH", 8000, 8000) + data[at + 4 :])

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_bands_change_no_pixel(self, monkeypatch: pytest.MonkeyPatch, mode: str, orientation: int) -> None:
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (101, 67, 4), np.uint8))
        data = encoded(noise.convert(mode), "PNG", exif=exif(entry(0x0112, 3, 1, orientation)))
        at_once = pixels(data)
        monkeypatch.setattr("faces.recognition.image._BAND_PIXELS", 67 * 10)
        assert np.array_equal(pixels(data), at_once)

    def test_where_memory_is_short_a_photo_is_reduced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 301, 4), np.uint8))
        data = encoded(noise, "PNG", exif=exif(entry(0x0112, 3, 1, 6)))
        whole = Photo.open(data).decode()
        monkeypatch.setattr("faces.recognition.image._LEAST_MEMORY", 200 * 301 * 5)
        monkeypatch.setattr("faces.recognition.image._RESERVE_BYTES", 0)
        photo = Photo.open(data, max_pixels=200 * 301)
        assert photo.finest_side == 151
        monkeypatch.setattr("faces.recognition.image._BAND_PIXELS", 301 * 10)
        reduced = photo.decode()
        assert reduced.size == (100, 151)
        turned_back = whole.transpose(Image.Transpose.ROTATE_90).reduce(2)
        assert np.array_equal(np.asarray(reduced.transpose(Image.Transpose.ROTATE_90)), np.asarray(turned_back))


MEASURE = """
import resource, sys, time
from pathlib import Path
from faces.recognition.image import ImageError, Photo
data = Path(sys.argv[1]).read_bytes()
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before, started = peak(), time.process_time()
try:
    image = Photo.open(data).decode(640)
    said = "decoded"
except ImageError as error:
    said = type(error).__name__
print(said, time.process_time() - started, (peak() - before) * 1024 / 1e6)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "name",
    ["rgba", "progressive", *(pytest.param(name, marks=pytest.mark.slow) for name in ("rgb", "16_bit", "palette"))],
)
def test_64_megapixels_take_300_megabytes_at_most(tmp_path: Path, name: str) -> None:
    size = (8000, 8000)
    palette = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(range(256)))
    path = tmp_path / name
    made = {
        "rgb": lambda: png(size, 8, 2),
        "rgba": lambda: png(size, 8, 6),
        "16_bit": lambda: png(size, 16, 0),
        "progressive": lambda: encoded(Image.new("RGB", size), "JPEG", progressive=True),
        "palette": lambda: png(size, 8, 3, palette),
    }
    path.write_bytes(made[name]())
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, path],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    said, seconds, megabytes = done.stdout.split()
    assert said == "decoded"
    assert float(megabytes) <= 300
    assert float(seconds) <= 4  # 2 on a quiet machine


def test_errors_have_the_kinds_that_callers_catch() -> None:
    assert issubclass(ImageTooCostlyError, ImageError)
