"""The detector finds the faces that facenet-pytorch's MTCNN finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from facenet_pytorch import MTCNN
from PIL import Image

from faces.detection.detector import Detector
from faces.detection.face import intersection_over_union
from faces.detection.largest import Ranking
from faces.detection.settings import DetectorSettings
from faces.recognition.image import Photo
from faces.recognition.recognizer import Recognizer, reduce_for_detection
from tests.faces.detection.conftest import SETTINGS, Reference, with_settings


class TestAgainstFacenetPytorch:
    """Real photographs, the same pixels for both."""

    def test_all_faces(self, detector: Detector, references: list[Reference]) -> None:
        for reference in references:
            ours = detector.detect_all(reference.pixels)
            assert len(ours) == len(reference.boxes), reference.name
            for face, box, probability, landmarks in zip(
                ours, reference.boxes, reference.probabilities, reference.landmarks, strict=True
            ):
                assert np.abs(face.box - box).max() < 0.01, reference.name
                assert abs(face.probability - probability) < 1e-4, reference.name
                assert np.abs(face.landmarks - landmarks).max() < 0.01, reference.name

    def test_the_photos_show_what_they_should(self, references: list[Reference]) -> None:
        counts = [len(reference.boxes) for reference in references]
        assert min(counts) == 0
        assert max(counts) >= 6
        assert sum(counts) >= 100

    def test_one_scan_finds_what_two_find(self, detector: Detector, references: list[Reference]) -> None:
        for reference in references[:10]:
            largest, everything = detector.detect(reference.pixels)
            alone = detector.detect_largest(reference.pixels)
            assert (largest and largest.as_json()) == (alone and alone.as_json())
            assert [face.as_json() for face in everything] == [
                face.as_json() for face in detector.detect_all(reference.pixels)
            ]


class TestImagesWithoutFaces:
    """No face, no error."""

    @pytest.mark.parametrize("size", [(1, 1), (1, 500), (11, 11), (12, 12), (19, 300), (20, 20), (21, 33), (160, 160)])
    @pytest.mark.parametrize("grey", [0, 128, 255])
    def test_all_one_colour(self, detector: Detector, size: tuple[int, int], grey: int) -> None:
        pixels = np.full((*size, 3), grey, np.uint8)
        assert detector.detect_all(pixels) == []
        assert detector.detect_largest(pixels) is None

    def test_noise(self, recognizer: Recognizer) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
        detector = recognizer.networks.open_detector()
        assert detector.detect_all(pixels) == []
        assert detector.detect_largest(pixels) is None


@pytest.fixture(scope="module")
def group(photos_dir: Path) -> np.ndarray:
    """Some twenty faces, most of them 50 to 80 pixels wide, one 100."""
    return np.asarray(reduce_for_detection(Photo.open(photos_dir / "bald_guys.jpg").decode(), 640))


class TestSettings:
    """What is set decides which faces are found."""

    def test_min_probability(self, networks_dir: Path, detector: Detector, group: np.ndarray) -> None:
        everything = [face.probability for face in detector.detect_all(group)]
        limit = sorted(everything)[len(everything) // 2]
        sure = with_settings(networks_dir, replace(SETTINGS, min_probability=limit))
        faces = sure.detect_all(group)
        assert [face.probability for face in faces] == [value for value in everything if value >= limit]
        assert 0 < len(faces) < len(everything)
        assert sure.detect_largest(group).probability >= limit

    @pytest.mark.parametrize(("min_face", "at_most"), [(20, 30), (150, 1), (300, 0)])
    def test_min_face(self, networks_dir: Path, group: np.ndarray, min_face: int, at_most: int) -> None:
        coarse = with_settings(networks_dir, replace(SETTINGS, min_face=min_face))
        assert min(at_most, 20) <= len(coarse.detect_all(group)) <= at_most

    @pytest.mark.parametrize(
        "settings",
        [
            replace(SETTINGS, min_face=35),
            replace(SETTINGS, factor=0.6),
            replace(SETTINGS, thresholds=(0.85, 0.7, 0.7)),
            replace(SETTINGS, thresholds=(0.6, 0.95, 0.7)),
            replace(SETTINGS, thresholds=(0.6, 0.7, 0.999)),
        ],
        ids=["min_face", "factor", "P-Net's threshold", "R-Net's threshold", "O-Net's threshold"],
    )
    def test_each_setting_is_facenet_pytorchs(
        self, networks_dir: Path, detector: Detector, group: np.ndarray, settings: DetectorSettings
    ) -> None:
        mtcnn = MTCNN(
            keep_all=True, min_face_size=settings.min_face, thresholds=list(settings.thresholds),
            factor=settings.factor,
        )  # fmt: skip
        boxes, probabilities, _ = mtcnn.detect(Image.fromarray(group), landmarks=True)
        faces = with_settings(networks_dir, settings).detect_all(group)
        assert len(faces) == len(boxes) > 0
        assert np.abs(np.array([face.box for face in faces]) - boxes).max() < 0.01
        assert np.abs(np.array([face.probability for face in faces]) - probabilities).max() < 1e-4
        usual = [face.as_json() for face in detector.detect_all(group)]
        assert [face.as_json() for face in faces] != usual, "the setting makes no difference here"

    def test_largest_first(self, detector: Detector, group: np.ndarray) -> None:
        ranking = Ranking(group.shape[1], group.shape[0])
        sizes = [ranking.size(face) for face in detector.detect_all(group)]
        assert len(sizes) > 2
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_face_at_the_border(detector: Detector, photos_dir: Path, side: str) -> None:
    """A quarter of the face lies outside the photo."""
    image = reduce_for_detection(Photo.open(photos_dir / "kate_siegel.jpg").decode(), 640)
    left, top, right, bottom = (int(value) for value in detector.detect_largest(np.asarray(image)).box)
    across, down = (right - left) // 4, (bottom - top) // 4
    x, y = left + across if side == "left" else 0, top + down if side == "top" else 0
    x_end, y_end = (
        right - across if side == "right" else image.width,
        bottom - down if side == "bottom" else image.height,
    )
    pixels = np.asarray(image.crop((x, y, x_end, y_end)))

    def visible(box: np.ndarray) -> np.ndarray:
        return np.clip(box, 0, [pixels.shape[1], pixels.shape[0]] * 2)

    expected = visible(np.array([left - x, top - y, right - x, bottom - y]))
    for face in (detector.detect_largest(pixels), detector.detect_all(pixels)[0]):
        assert intersection_over_union(visible(face.box), expected) > 0.6


def test_settings_survive_json() -> None:
    settings = DetectorSettings(40, 0.6, (0.5, 0.6, 0.8), 0.95, 800, False)
    assert DetectorSettings.from_json(settings.as_json()) == settings
