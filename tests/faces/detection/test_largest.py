"""The largest face: that of a scan of every scale, found with less work."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from faces.detection import largest
from faces.detection.cascade import Session
from faces.detection.detector import Detector
from faces.detection.face import Face, intersection_over_union
from faces.detection.scan import WINDOW, Scan
from faces.files import sha256_of
from faces.recognition.image import Photo
from faces.recognition.recognizer import Recognizer
from tests.conftest import ROOT
from tests.faces.detection.conftest import Reference
from tests.faces.support import encode


@dataclass
class Counting:
    """A network that records how many candidates it is asked of, each time."""

    network: Session
    asked: list[int] = field(default_factory=list)

    def run(self, output_names: list[str] | None, input_feed: dict[str, Any]) -> Any:
        self.asked.append(len(input_feed["pixels"]))
        return self.network.run(output_names, input_feed)


def of_size(side: float) -> Face:
    return Face(np.array([0.0, 0.0, side, side]), 1.0, np.zeros((5, 2)))


def test_largest_face(detector: Detector, references: list[Reference]) -> None:
    distances = []
    for reference in references:
        face = detector.detect_largest(reference.pixels)
        assert (face is None) == (len(reference.boxes) == 0), reference.name
        if face is not None:
            assert intersection_over_union(face.box, reference.boxes[0]) >= 0.8, reference.name
            eyes = np.linalg.norm(reference.landmarks[0][0] - reference.landmarks[0][1])
            distances.append(np.abs(face.landmarks - reference.landmarks[0]).max() / eyes)
    assert max(distances) <= 0.05


def test_what_is_passed_over_decides_nothing(
    detector: Detector, references: list[Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    sparing = [detector.detect_largest(reference.pixels) for reference in references]
    monkeypatch.setattr(largest, "WORTH_RNET", (0.0, 0.0))
    monkeypatch.setattr(largest, "WORTH_ONET", (0.0, 0.0))
    for face, reference in zip(sparing, references, strict=True):
        lavish = detector.detect_largest(reference.pixels)
        assert (face and face.as_json()) == (lavish and lavish.as_json()), reference.name


def test_onet_is_asked_later_and_less_often(
    detector: Detector, references: list[Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    onet = Counting(detector.cascade.onet)
    counted = Detector(detector.cascade.pnet, detector.cascade.rnet, onet, detector.settings)
    later = [counted.detect_largest(reference.pixels) for reference in references]
    asked_later = len(onet.asked)
    monkeypatch.setattr(largest, "CERTAIN", np.inf)  # at once, where R-Net takes anything for a face
    for face, reference in zip(later, references, strict=True):
        sooner = counted.detect_largest(reference.pixels)
        assert (face is None) == (sooner is None), reference.name
        assert face is None or intersection_over_union(face.box, sooner.box) >= 0.8, reference.name
    assert asked_later < 0.9 * (len(onet.asked) - asked_later)


def test_faces_nearly_of_one_size(detector: Detector, lfw_dir: Path) -> None:
    """The coarse scales alone would take the smaller face, cut by the photo's border, for the larger one."""
    pixels = np.asarray(Photo.open(lfw_dir / "images/Sherry_Fisher/Sherry_Fisher_0001.jpg").decode())
    faces, face = detector.detect_all(pixels), detector.detect_largest(pixels)
    ranking = largest.Ranking(250, 250)
    assert ranking.size(faces[1]) > 0.7 * ranking.size(faces[0])
    assert intersection_over_union(face.box, faces[0].box) > 0.8


def test_the_example_in_the_docstring(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = recognizer.networks.open_detector()
    cascade, steps = detector.cascade, []
    propose, likely_faces, confirmed_faces = cascade.propose, cascade.likely_faces, cascade.confirmed_faces

    def proposing(scan: Scan) -> float:
        window = WINDOW / scan.scales[-1]
        missing = propose(scan)
        open_size = scan.largest_open(*detector.settings.thresholds[1:])
        steps.append(("P-Net", round(window), round(missing), round(open_size)))
        return missing

    def told(network: str, faces: list[Face]) -> list[Face]:
        steps.append((network, *sorted((round(face.size) for face in faces), reverse=True)))
        return faces

    monkeypatch.setattr(cascade, "propose", proposing)
    monkeypatch.setattr(cascade, "likely_faces", lambda *given: told("R-Net", likely_faces(*given)))
    monkeypatch.setattr(cascade, "confirmed_faces", lambda *given: told("O-Net", confirmed_faces(*given)))
    pixels = np.asarray(Photo.open(ROOT / "demo/ask/me_1.jpg").decode())
    scan = Scan.of(pixels, detector.settings)
    windows = [round(WINDOW / scale) for scale in reversed(scan.scales)]
    sides = [[int(side * scale + 1) for side in pixels.shape[:2]] for scale in scan.scales]
    assert pixels.shape == (420, 330, 3)
    assert windows == [313, 222, 157, 112, 79, 56, 40, 28, 20]
    assert largest.find_largest(cascade, scan).size == pytest.approx(131, abs=0.5)
    assert steps == [
        ("P-Net", 313, 222, 282),
        ("P-Net", 222, 157, 282),
        ("R-Net", 127),
        ("P-Net", 157, 112, 197),
        ("P-Net", 112, 79, 197),
        ("P-Net", 79, 56, 197),
        ("O-Net", 131),
    ]
    areas = [height * width for height, width in sides]
    assert len(scan.scales) == 4
    assert round(sum(areas[:4]) / sum(areas), 2) == 0.94


def test_how_small_the_missing_may_be() -> None:
    ranking = largest.Ranking(200, 200)
    assert largest._enough([of_size(90)], ranking) == 45
    assert largest._enough([of_size(90), of_size(60)], ranking) == 45
    assert largest._enough([of_size(90), of_size(70)], ranking) == 30


def test_ranking() -> None:
    wide = Face(np.array([0.0, 0.0, 90.0, 40.0]), 1.0, np.zeros((5, 2)))  # a side of 60 has the same area
    first, second, third = of_size(59), wide, of_size(61)
    ranking = largest.Ranking(100, 100)
    assert ranking.largest_first([first, second, third]) == [third, second, first]
    one, other = of_size(50), of_size(50)
    assert [id(face) for face in ranking.largest_first([one, other])] == [id(one), id(other)]


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((10, 10, 70, 70), 60),
        ((-30, 10, 30, 70), 30),  # the right half is on the photo: half of the area, of which half counts
        ((150, -15, 210, 45), 37.5),
        ((170, 170, 230, 230), 15),
        ((-100, 20, -40, 80), 0),
        ((-200, -200, 400, 400), 200 / 3),
        ((50, 50, 50, 90), 0),
    ],
)
def test_a_face_that_the_border_cuts_off_counts_less(box: tuple[float, ...], size: float) -> None:
    face = Face(np.array(box, float), 1.0, np.zeros((5, 2)))
    assert largest.Ranking(200, 200).size(face) == pytest.approx(size)


@pytest.mark.parametrize("border", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize("inside", [0, 20])
def test_a_whole_face_comes_before_a_larger_one_of_which_half_is_on_the_photo(
    recognizer: Recognizer, photos_dir: Path, inside: int, border: str
) -> None:
    """The whole one has 100 pixels, the other 120, its middle at the border or 20 pixels inside."""
    canvas = Image.new("RGB", (700, 700), (120, 130, 140))
    whole = put(canvas, recognizer, photos_dir / "kate_siegel.jpg", 100, (350, 350))
    far = 700 - inside
    at = {"left": (inside, 350), "right": (far, 350), "top": (350, inside), "bottom": (350, far)}[border]
    put(canvas, recognizer, photos_dir / "shea_whigham.jpg", 120, at)
    photo = encode(canvas, "PNG")
    faces, face = recognizer.faces(photo), recognizer.largest_face(photo)
    assert intersection_over_union(face.box, whole) > 0.7
    assert face.as_json() == faces[0].as_json()
    if inside:  # with less on the photo, it is often not even found
        assert faces[1].size > face.size


def put(canvas: Image.Image, recognizer: Recognizer, path: Path, side: int, centre: tuple[int, int]) -> np.ndarray:
    """Paste a portrait's face, cut with a margin, so that it has this side and its middle is there; returns its box."""
    portrait = Photo.open(path).decode()
    face = recognizer.largest_face(path)
    reach = np.array([-0.25, -0.25, 0.25, 0.25]) * face.size + face.box
    scale = side / face.size
    part = portrait.crop(tuple(round(value) for value in reach))
    small = part.resize((round(part.width * scale), round(part.height * scale)), Image.Resampling.LANCZOS)
    box = (face.box - (face.box[:2] + face.box[2:])[[0, 1, 0, 1]] / 2) * scale + np.tile(centre, 2)
    canvas.paste(small, (centre[0] - small.width // 2, centre[1] - small.height // 2))
    return np.asarray(box)


def test_of_two_faces_the_one_that_is_whole(recognizer: Recognizer, lfw_dir: Path) -> None:
    """Half of the bystander on the right is outside the photo; his box is the larger one."""
    (path,) = (path for path in lfw_dir.rglob("*.jpg") if sha256_of(path).startswith("0b42bea0896e"))
    face, *others = recognizer.faces(path)
    assert others[0].box[0] > face.box[2]
    assert others[0].size > face.size
    assert face.as_json() == recognizer.largest_face(path).as_json()
