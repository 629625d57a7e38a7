"""A photo that is too large is sent smaller: upright, within the limits, and the file stays as it is."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from service.client.client import Address, Client
from service.client.language import speak
from service.client.limits import GUESSED_BYTES, Limits, bytes_named
from service.client.shrinking import ShrinkingError, fits, shrink
from service.config import Settings
from tests.service.client.support import VERDICT, Answer, client, scripted, usual
from tests.service.support import Server, encode, padded, shipped_gunicorn


@pytest.fixture(autouse=True)
def in_english() -> None:
    speak("en")


def noise(width: int, height: int) -> Image.Image:
    """A picture that no encoder makes small."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def halves(width: int, height: int) -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width, height // 2))
    return image


def image_in(body: bytes) -> bytes:
    """The photo of a multipart body."""
    part = next(part for part in body.split(b"--" + body[2:].split(b"\r\n", 1)[0]) if b'name="image"' in part)
    return part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_stands_upright_as_it_did(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Model] = "Camera of somebody"
    turn = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = halves(1500, 2000) if turn[orientation] is None else halves(1500, 2000).transpose(turn[orientation])
    data = encode(stored, "JPEG", exif=exif, quality=95)
    made, size = shrink(data, Limits(len(data) - 1))
    assert len(made) < len(data) and b"Camera" not in made
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == size and image.format == "JPEG" and not image.getexif()
        assert image.height > image.width
        red, _, blue = image.getpixel((image.width // 2, 10))  # type: ignore[misc]
        assert red > 200 > 60 > blue


@pytest.mark.parametrize(("limit", "side"), [(2 * 2**20, 1200), (300_000, 500), (40_000_000, 4000)])
def test_as_many_pixels_are_kept_as_fit(limit: int, side: int) -> None:
    data = encode(noise(4400, 2200), "JPEG", quality=90)
    made, size = shrink(data, Limits(limit))
    assert len(made) <= limit and max(size) >= side and size[0] == 2 * size[1]


def test_a_limit_in_pixels_is_kept() -> None:
    data = encode(Image.new("RGB", (3000, 2000)), "PNG")
    limits = Limits(None, 2_000_000)
    assert not fits(data, limits)
    made, size = shrink(data, limits)
    assert size[0] * size[1] <= 2_000_000 and fits(made, limits)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "I;16", "1"])
def test_any_kind_of_pixels(mode: str) -> None:
    """On white what is transparent, as the service does it; 16 bits keep their brightness."""
    grey = Image.fromarray(np.full((80, 60), 40_000, np.uint16))
    image = grey if mode == "I;16" else Image.new(mode, (60, 80), 0)
    made, size = shrink(encode(image, "TIFF" if mode == "CMYK" else "PNG"), Limits(100_000))
    with Image.open(io.BytesIO(made)) as opened:
        assert (opened.mode, opened.size, size) == ("RGB", (60, 80), (60, 80))
        expected = {"I;16": 156, "RGBA": 255, "LA": 255, "CMYK": 255}.get(mode, 0)
        assert opened.getpixel((5, 5)) == pytest.approx((expected,) * 3, abs=2)


def test_what_cannot_be_read_or_gets_no_smaller_is_told_without_the_words_of_pillow(tmp_path: Path) -> None:
    with pytest.raises(ShrinkingError, match=r"Pillow cannot read it here to make it smaller \(for HEIC: pi-heif\)$"):
        shrink(b"hello", Limits(2))
    with pytest.raises(ShrinkingError, match="even with 500 pixels on the longer side"):
        shrink(encode(noise(900, 900), "JPEG"), Limits(2000))
    (tmp_path / "a.jpg").write_bytes(padded(encode(noise(900, 900), "JPEG"), 3 * 2**20)[:1000])
    asking = Client(Address("http://127.0.0.1:9"), Limits(10))
    assert asking.ask(tmp_path / "a.jpg")["code"] == "too_large"


def test_heic_where_the_package_for_it_is_installed() -> None:
    pytest.importorskip("pi_heif")
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(halves(640, 480)).save(file, format="HEIF")
    assert not fits(file.getvalue(), Limits(types=("image/jpeg", "image/png")))
    assert fits(file.getvalue(), Limits(types=("image/jpeg", "image/heic")))
    assert shrink(file.getvalue(), Limits())[1] == (640, 480)


# What the limits are known by


@pytest.mark.parametrize(
    ("answer", "limit"),
    [({"error": "Archivo demasiado grande. Límite: 2 MB"}, 2 * 2**20), ({"error": "… Límite: 1.5 MB"}, 3 * 2**19),
     ({"error": "… Límite: 0,25 MB"}, 2**18), ({"error": "413"}, GUESSED_BYTES), ({}, GUESSED_BYTES),
     (None, GUESSED_BYTES), ({"error": 5}, GUESSED_BYTES), ({"error": "0 MB"}, GUESSED_BYTES)],
)  # fmt: skip
def test_what_a_413_says(answer: Any, limit: int) -> None:
    assert bytes_named(answer) == limit


@pytest.mark.parametrize(
    ("values", "limits"),
    [({"max_bytes": 5, "max_megapixels": 1.5, "accepted_types": ["image/png"], "key_needed": True},
      Limits(5, 1_500_000, ("image/png",))),
     ({"max_bytes": "5", "max_megapixels": True, "accepted_types": []}, Limits(None, 1_000_000, None)),
     ({"max_bytes": True}, Limits()), ([], Limits()), ({}, Limits()), (None, Limits())],
)  # fmt: skip
def test_what_the_settings_of_the_page_say(values: Any, limits: Limits) -> None:
    assert Limits.of_settings(values) == limits


@pytest.mark.parametrize("settings", [{"max_bytes": 300_000}, None])
def test_with_and_without_them_a_large_photo_is_sent_once_it_is_small(tmp_path: Path, settings: Any) -> None:
    """Without them, the first large photo is refused, and the next is made smaller at once."""

    def answer(path: str, _before: int, body: bytes) -> Answer:
        if path == "/ui/settings.json" and settings:
            return Answer(200, settings)
        if path != "/verify":
            return usual(path)
        if len(image_in(body)) > 300_000:
            return Answer(413, {"error": "Archivo demasiado grande. Límite: 0.286 MB"})
        return Answer()

    data = encode(noise(1000, 1000), "JPEG", quality=90)
    photos = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path in photos:
        path.write_bytes(data)
    with scripted(answer) as server:
        asking = Client(Address(server.url))
        asking.look_at_service()
        for path in photos:
            made = asking.ask(path)
            assert {name: made[name] for name in VERDICT} == VERDICT
            assert made["sent_as"]["bytes"] <= 300_000 and made["sent_as"]["width"] <= 1000
        assert len(server.to("/verify")) == (2 if settings else 3)
    assert all(path.read_bytes() == data for path in photos)


def test_a_proxy_that_says_nothing_of_its_limit(tmp_path: Path) -> None:
    """It is tried with less and less."""
    (tmp_path / "a.jpg").write_bytes(encode(noise(1500, 1500), "JPEG", quality=90))
    with scripted(lambda _p, _b, body: Answer(413, b"<html>") if len(body) > 500_000 else Answer()) as server:
        made = Client(Address(server.url)).ask(tmp_path / "a.jpg")
        sizes = [len(body) for body in server.to("/verify")]
    assert made["is_me"] is True and sizes == sorted(sizes, reverse=True) and sizes[-1] <= 500_000
    with scripted(lambda *_: Answer(413, b"<html>")) as server:
        made = Client(Address(server.url)).ask(tmp_path / "a.jpg")
        assert made["code"] in ("no_answer", "too_large") and len(server.to("/verify")) <= 4


def test_a_type_that_the_service_refuses_is_sent_as_a_jpeg(
    gunicorn: Server, tmp_path: Path, stranger_photo: bytes
) -> None:
    """The real service, which takes JPEG and PNG; what is no photo at all keeps its answer."""
    with Image.open(io.BytesIO(stranger_photo)) as image:
        (tmp_path / "a.webp").write_bytes(encode(image, "WEBP", lossless=True))
    (tmp_path / "b.jpg").write_bytes(b"hello")
    asking = Client(Address(gunicorn.url))
    made = asking.ask(tmp_path / "a.webp")
    assert made["is_me"] is False and made["sent_as"]["width"] == image.width
    assert asking.ask(tmp_path / "b.jpg")["error"].startswith("Tipo de archivo no permitido")


def test_the_real_service_and_a_photo_that_is_too_large(
    gunicorn: Server, tmp_path: Path, stranger_photo: bytes
) -> None:
    """Of 2 MB and more, as phones make them; and with a limit that the user sets."""
    photo = tmp_path / "large.jpg"
    with Image.open(io.BytesIO(stranger_photo)) as image:
        photo.write_bytes(padded(encode(image.resize((2000, 2400)), "JPEG", quality=95), 2 * 2**20 + 1))
    asking = Client(Address(gunicorn.url))
    asking.look_at_service()
    made = asking.ask(photo)
    assert made["is_me"] is False and made["sent_as"]["bytes"] <= 2 * 2**20
    done = client(tmp_path, gunicorn.url, photo, "--max-mb", "0.2", "--json")
    assert '"bytes": ' in done.stdout and int(done.stdout.split('"bytes": ')[1].split("}")[0]) <= 0.2 * 2**20


@pytest.mark.slow
def test_a_large_photo_through_a_service_with_a_low_limit(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(padded(me_photo, 200_000))
    with shipped_gunicorn(replace(settings, max_content_mb=0.1), tmp_path) as server:
        done = client(tmp_path, server.url, tmp_path / "a.jpg")
    assert done.returncode == 0
