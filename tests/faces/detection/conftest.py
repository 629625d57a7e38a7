"""What facenet-pytorch's MTCNN finds on real photographs, and detectors to compare with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from facenet_pytorch import MTCNN

from faces.detection.detector import Detector
from faces.detection.face import Face
from faces.detection.largest import Ranking
from faces.detection.settings import DetectorSettings
from faces.recognition.image import Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import reduce_for_detection

SETTINGS = DetectorSettings(
    min_face=20,
    factor=0.709,
    thresholds=(0.6, 0.7, 0.7),
    min_probability=0.0,  # facenet-pytorch reports all that passed O-Net
    max_side=640,
    try_turned=False,
)


@dataclass(frozen=True)
class Reference:
    """What facenet-pytorch's MTCNN says of a photo, the largest face first."""

    name: str
    pixels: np.ndarray
    boxes: np.ndarray
    probabilities: np.ndarray
    landmarks: np.ndarray


@pytest.fixture(scope="session")
def references(photos: list[Path], lfw_photos: list[Path]) -> list[Reference]:
    mtcnn = MTCNN(
        keep_all=True,
        min_face_size=SETTINGS.min_face,
        thresholds=list(SETTINGS.thresholds),
        factor=SETTINGS.factor,
    )
    found = []
    for path in photos + lfw_photos:
        image = reduce_for_detection(Photo.open(path).decode(), SETTINGS.max_side)
        boxes, probabilities, landmarks = mtcnn.detect(image, landmarks=True)
        if boxes is None:
            boxes, probabilities, landmarks = np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
        parts = (np.asarray(part, np.float64) for part in (boxes, probabilities, landmarks))
        found.append(Reference(path.name, np.asarray(image), *_largest_first(image.size, *parts)))
    return found


def _largest_first(size: tuple[int, int], *parts: np.ndarray) -> list[np.ndarray]:
    """Boxes and what belongs to them in the order in which the product ranks faces."""
    faces = [Face(box, number, np.zeros((5, 2))) for number, box in enumerate(next(iter(parts)))]
    order = [int(face.probability) for face in Ranking(*size).largest_first(faces)]
    return [part[order] for part in parts]


@pytest.fixture(scope="session")
def detector(networks_dir: Path) -> Detector:
    """One that reports all that passed O-Net."""
    return with_settings(networks_dir, SETTINGS)


def with_settings(networks_dir: Path, settings: DetectorSettings) -> Detector:
    networks = Networks.load(networks_dir)
    networks.manifest = replace(networks.manifest, detector=settings)
    return networks.open_detector()
