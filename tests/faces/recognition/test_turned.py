"""A photo that lies on its side, without an EXIF orientation that says so, shows the same face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces.detection.face import intersection_over_union
from faces.recognition.image import Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from faces.recognition.turned import SURE
from tests.faces.support import cosine, encode, oriented

TURNS = [90, 180, 270]
DEMO = Path(__file__).parents[3] / "demo/ask"
PORTRAITS = ["angelina_jolie", "kate_siegel", "paul_rudd", "shea_whigham"]


@pytest.fixture(scope="module", params=["recognizer", pytest.param("facenet_recognizer", marks=pytest.mark.slow)])
def either(request: pytest.FixtureRequest) -> Recognizer:
    """With a crop by landmarks, and with one by box."""
    recognizer: Recognizer = request.getfixturevalue(request.param)
    return recognizer


def lying(path: Path, degrees: int) -> Image.Image:
    """A photo that has to be turned so many degrees clockwise to be upright."""
    return Photo.open(path).decode().rotate(degrees, expand=True)  # Pillow turns the other way


@pytest.mark.parametrize("name", PORTRAITS)
@pytest.mark.parametrize("degrees", TURNS)
def test_same_face(either: Recognizer, photos_dir: Path, name: str, degrees: int) -> None:
    path = photos_dir / f"{name}.jpg"
    upright = either.largest_face(path)
    image = lying(path, degrees)
    face, *others = either.faces(encode(image, "PNG", compress_level=1))
    assert (upright.turned, face.turned, len(others)) == (0, degrees, len(either.faces(path)) - 1)
    assert face.as_json()["turned"] == degrees
    either.embed([upright, face])
    assert cosine(upright.embedding, face.embedding) > 0.99
    assert np.abs(upright.crop.astype(float) - face.crop.astype(float)).mean() < 12, "the crop lies on its side"

    centre = image.crop(tuple(face.box.round().astype(int))).rotate(-degrees, expand=True)
    expected = Photo.open(path).decode().crop(tuple(upright.box.round().astype(int)))
    difference = np.asarray(centre.resize((80, 80)), float) - np.asarray(expected.resize((80, 80)), float)
    assert np.abs(difference).mean() < 12, "the box is elsewhere"
    points = [np.array(Image.fromarray(np.asarray(image)).size) * 0.5, face.landmarks]
    left_eye, right_eye = points[1][0], points[1][1]
    across = np.rad2deg(np.arctan2(*(right_eye - left_eye)[::-1]))
    assert abs((across + degrees + 180) % 360 - 180) < 30, "the landmarks are elsewhere"


@pytest.mark.parametrize("degrees", TURNS)
@pytest.mark.parametrize("name", ["me_1", "me_2", "me_3"])
def test_drawn_portraits(recognizer: Recognizer, name: str, degrees: int) -> None:
    """MTCNN takes the second one for an upright face even on its head, with a probability of 0.9956."""
    path = next(DEMO.glob(f"{name}.*"))
    upright = recognizer.largest_face(path)
    face = recognizer.largest_face(encode(lying(path, degrees), "JPEG", quality=95))
    recognizer.embed([upright, face])
    assert cosine(upright.embedding, face.embedding) > 0.95


def test_the_largest_is_the_first_of_all(either: Recognizer, photos_dir: Path) -> None:
    data = encode(lying(photos_dir / "bald_guys.jpg", 90), "PNG")
    faces, largest = either.faces(data), either.largest_face(data)
    assert len(faces) > 10
    assert np.array_equal(faces[0].crop, largest.crop)
    assert {face.turned for face in [largest, *faces]} == {90}


def test_an_orientation_in_exif_is_followed_first(recognizer: Recognizer, photos_dir: Path) -> None:
    image = lying(photos_dir / "kate_siegel.jpg", 90)
    data = encode(image, "JPEG", exif=oriented(6))
    assert recognizer.largest_face(data).turned == 0


def test_it_can_be_switched_off(networks_dir: Path, photos_dir: Path) -> None:
    networks = Networks.load(networks_dir)
    assert networks.manifest.detector.try_turned
    settings = replace(networks.manifest.detector, try_turned=False)
    networks.manifest = replace(networks.manifest, detector=settings)
    recognizer = Recognizer(networks)
    recognizer.open()
    assert recognizer.largest_face(photos_dir / "kate_siegel.jpg").turned == 0
    assert recognizer.faces(encode(lying(photos_dir / "kate_siegel.jpg", 90), "PNG")) == []


def test_no_face_appears_where_there_is_none(recognizer: Recognizer, photos_dir: Path) -> None:
    assert recognizer.faces(photos_dir / "dogs.jpg") == []


def test_of_several_ways_the_likeliest_large_face_counts(recognizer: Recognizer, photos_dir: Path) -> None:
    """A small face lies on its side, a large one on its head."""
    canvas = Image.new("RGB", (900, 600), (100, 110, 120))
    for name, degrees, side, place in (("kate_siegel", 90, 200, (20, 20)), ("paul_rudd", 180, 550, (300, 20))):
        portrait = Photo.open(photos_dir / f"{name}.jpg").decode()
        portrait.thumbnail((side, side))
        canvas.paste(portrait.rotate(degrees, expand=True), place)
    face = recognizer.largest_face(encode(canvas, "PNG"))
    assert face.turned == 180
    assert intersection_over_union(face.box, np.array([300, 20, 850, 570], float)) > 0.1


@pytest.mark.parametrize(("side", "turned"), [(100, 0), (600, 90)])
def test_an_unsure_face_does_not_give_way_to_a_much_smaller_one(
    recognizer: Recognizer, photos_dir: Path, lfw_dir: Path, side: int, turned: int
) -> None:
    """MTCNN is not sure of the face on the left; on the right hangs a portrait that lies on its side."""
    unsure = Photo.open(lfw_dir / "images/Princess_Elisabeth/Princess_Elisabeth_0001.jpg").decode()
    canvas = Image.new("RGB", (1120, 660), (110, 110, 110))
    canvas.paste(unsure.resize((500, 500)), (0, 10))
    upright = recognizer.largest_face(encode(canvas, "PNG"))
    assert (upright.turned, upright.probability < SURE) == (0, True)
    canvas.paste(lying(photos_dir / "shea_whigham.jpg", 90).resize((side, side)), (510, 50))
    face = recognizer.largest_face(encode(canvas, "PNG"))
    assert face.turned == turned
    assert (intersection_over_union(face.box, upright.box) > 0.8) == (turned == 0)
