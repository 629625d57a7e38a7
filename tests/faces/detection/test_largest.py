"""The largest face: that of a scan of every scale, found with less work."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faces.detection import largest
from faces.detection.cascade import Session
from faces.detection.detector import Detector
from faces.detection.face import Face, intersection_over_union
from faces.detection.scan import WINDOW, Scan
from faces.recognition.image import Photo
from faces.recognition.recognizer import Recognizer
from tests.conftest import ROOT
from tests.faces.detection.conftest import Reference


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
    assert faces[1].size > 0.9 * faces[0].size
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
    assert largest._enough([of_size(90)]) == 45
    assert largest._enough([of_size(90), of_size(60)]) == 45
    assert largest._enough([of_size(90), of_size(70)]) == 30


def test_ranking() -> None:
    wide = Face(np.array([0.0, 0.0, 90.0, 40.0]), 1.0, np.zeros((5, 2)))  # a side of 60 has the same area
    first, second, third = of_size(59), wide, of_size(61)
    assert largest.largest_first([first, second, third]) == [third, second, first]
    one, other = of_size(50), of_size(50)
    assert [id(face) for face in largest.largest_first([one, other])] == [id(one), id(other)]
