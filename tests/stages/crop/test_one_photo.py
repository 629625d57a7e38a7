"""What becomes of one photo: each face's row with its own figures, and the crops of those that are kept."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from faces.detection.detector import Detector
from faces.recognition.align import CropGeometry
from faces.recognition.image import Photo
from faces.recognition.networks import Networks
from faces.recognition.quality import brightness, luminance, photo_hash, sharpness, turned_away
from faces.recognition.recognizer import Recognizer
from stages.crop.one_photo import CroppedPhoto, CropSettings, crop_photo
from stages.files.crop_row import NO_FACE_FOUND, CropRow
from tests.faces.support import encode


@pytest.fixture(scope="module")
def tools(networks_dir: Path) -> tuple[Detector, CropGeometry]:
    networks = Networks.load(networks_dir)
    return networks.open_detector(), networks.manifest.crop


def cropped(
    data: bytes, tools: tuple[Detector, CropGeometry], wanted: Any = "all", limit: float = 64.0
) -> CroppedPhoto:
    return crop_photo(data, *tools, CropSettings(wanted, limit))


def test_every_face_has_a_row_with_its_own_figures(
    tools: tuple[Detector, CropGeometry], recognizer: Recognizer, photos_dir: Path
) -> None:
    data = (photos_dir / "multiface.jpg").read_bytes()
    faces = recognizer.faces(data)
    made = cropped(data, tools)
    assert len(made.rows) == len(made.crops) == len(faces) > 2
    of_photo = photo_hash(Photo.open(data).decode(640))
    for number, (row, png, face) in enumerate(zip(made.rows, made.crops, faces, strict=True)):
        assert face.crop is not None
        with Image.open(io.BytesIO(png)) as image:
            assert np.array_equal(np.asarray(image), face.crop)
        left, top, right, bottom = (round(float(value), 1) for value in face.box)
        assert row == CropRow(
            photo="", sha256=hashlib.sha256(data).hexdigest(), faces_found=len(faces), face=number,
            left=left, top=top, right=right, bottom=bottom, probability=round(face.probability, 4), kept=True,
            reason="", crop="", crop_sha256=hashlib.sha256(png).hexdigest(), photo_hash=of_photo,
            sharpness=round(sharpness(luminance(face.crop)), 5), brightness=round(brightness(luminance(face.crop)), 1),
            turned_away=round(turned_away(face.landmarks), 3), visible=round(face.visible, 3),
        )  # fmt: skip


def test_where_the_largest_is_wanted_the_others_have_a_row_and_no_crop(
    tools: tuple[Detector, CropGeometry], photos_dir: Path
) -> None:
    data = (photos_dir / "multiface.jpg").read_bytes()
    every, largest = cropped(data, tools), cropped(data, tools, "largest")
    assert largest.crops == every.crops[:1]
    assert largest.rows[0] == every.rows[0]
    for row, other in zip(largest.rows[1:], every.rows[1:], strict=True):
        assert row == other._replace(
            kept=False,
            reason="not the largest face",
            crop_sha256="",
            sharpness=0.0,
            brightness=0.0,
            turned_away=0.0,
            visible=0.0,
        )


def test_a_photo_without_a_face_has_one_row(tools: tuple[Detector, CropGeometry]) -> None:
    image = Image.effect_noise((80, 60), 40).convert("RGB")
    data = encode(image, "PNG")
    assert cropped(data, tools) == CroppedPhoto(
        [CropRow("", hashlib.sha256(data).hexdigest(), 0, -1, reason=NO_FACE_FOUND, photo_hash=photo_hash(image))], []
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"GIF89a", "a GIF"), (b"", "an empty file"), (b"\xff\xd8\xff\xe0 cut", "a damaged JPEG")],
)
def test_a_photo_that_cannot_be_used_has_one_row_that_says_why(
    tools: tuple[Detector, CropGeometry], data: bytes, reason: str
) -> None:
    made = cropped(data, tools)
    (row,) = made.rows
    assert made.crops == []
    assert reason in row.reason and "object at 0x" not in row.reason
    assert row._replace(reason="") == CropRow("", hashlib.sha256(data).hexdigest(), 0, -1)


def test_the_limit_is_in_megapixels(tools: tuple[Detector, CropGeometry]) -> None:
    data = encode(Image.new("RGB", (500, 400)), "PNG")
    assert cropped(data, tools, limit=0.2).rows[0].reason == NO_FACE_FOUND
    assert "megapixels" in cropped(data, tools, limit=0.199999).rows[0].reason
