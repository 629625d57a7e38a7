"""Of overlapping boxes the best stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import nms

from faces.detection.suppression import non_maximum_suppression


@pytest.mark.parametrize(("threshold", "whole"), [(0.3, False), (0.5, False), (0.7, False), (0.5, True), (0.7, True)])
@pytest.mark.parametrize("seed", range(5))
def test_is_torchvisions(seed: int, threshold: float, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 100, (300, 2))
    boxes = np.hstack([corner, corner + rng.uniform(5, 60, (300, 2))]).astype(np.float32)
    if whole:  # P-Net's are: overlaps then often equal the threshold
        boxes = np.floor(boxes)
    scores = rng.integers(0, 50, 300).astype(np.float32) / 50  # with ties
    expected = nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold).numpy()
    assert non_maximum_suppression(boxes, scores, threshold).tolist() == expected.tolist()


def test_overlap_measured_by_the_smaller_box() -> None:
    boxes = np.array([[0, 0, 100, 100], [10, 10, 30, 30]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    assert non_maximum_suppression(boxes, scores, 0.7).tolist() == [0, 1]
    assert non_maximum_suppression(boxes, scores, 0.7, of_smaller=True).tolist() == [0]


def test_of_equal_scores() -> None:
    """The first stays, but in MTCNN's last step the last."""
    boxes, scores = np.array([[0, 0, 50, 50], [1, 1, 51, 51]], np.float32), np.ones(2, np.float32)
    assert non_maximum_suppression(boxes, scores, 0.7).tolist() == [0]
    assert non_maximum_suppression(boxes, scores, 0.7, of_smaller=True).tolist() == [1]


@pytest.mark.parametrize("of_smaller", [False, True])
@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two(count: int, of_smaller: bool) -> None:
    boxes = np.ones((count, 4), np.float32)
    kept = non_maximum_suppression(boxes, boxes[:, 0], 0.5, of_smaller)
    assert kept.dtype == np.int64
    assert kept.tolist() == list(range(count))
