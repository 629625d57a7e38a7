"""The networks' work in parts, side by side or one after the other, is the same work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faces.detection.cascade import ONET_BATCH, Cascade
from faces.detection.detector import Detector
from faces.detection.summed_area import SummedArea
from faces.recognition.image import Photo
from faces.recognition.recognizer import Recognizer, reduce_for_detection


def test_faces_are_the_same_with_several_threads(recognizer: Recognizer, photos_dir: Path) -> None:
    one, three = (recognizer.networks.open_detector(threads) for threads in (1, 3))
    pixels = np.asarray(reduce_for_detection(Photo.open(photos_dir / "bald_guys.jpg").decode(640), 640))
    every = [[face.as_json() for face in detector.detect_all(pixels)] for detector in (one, three)]
    assert len(every[0]) > 5
    assert every[0] == every[1]
    assert three.detect_largest(pixels).as_json() == one.detect_largest(pixels).as_json()


@pytest.mark.parametrize("size", [(12, 12), (13, 40), (150, 150), (301, 399), (1000, 30), (30, 1000), (240, 2000)])
def test_an_image_in_strips_gives_pnets_own_result(detector: Detector, size: tuple[int, int]) -> None:
    sums = SummedArea(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
    shifts, probabilities = detector.cascade.pnet.run(None, {"pixels": sums.resize(*size)[None]})
    in_strips, faces_in_strips = detector.cascade.run_pnet(sums, *size)
    assert np.abs(in_strips - shifts[0]).max() <= 1e-6
    assert np.abs(faces_in_strips - probabilities[0, 1]).max() <= 1e-6


@pytest.mark.parametrize(
    ("count", "threads", "expected"),
    [(0, 2, []), (1, 2, [1]), (2, 2, [2]), (3, 2, [2, 1]), (8, 2, [4, 4]), (9, 2, [3, 2, 2, 2]), (9, 1, [3, 3, 3])],
)
def test_batches_are_shared_evenly(detector: Detector, count: int, threads: int, expected: list[int]) -> None:
    """Three quarters of a batch are worth a second thread; fewer stay together."""
    cascade = Cascade(detector.cascade.pnet, detector.cascade.rnet, detector.cascade.onet, detector.settings, threads)
    batches = cascade._batches(np.arange(count), ONET_BATCH)
    assert [len(batch) for batch in batches] == expected
    assert [place for batch in batches for place in batch] == list(range(count))
