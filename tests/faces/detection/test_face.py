"""A face's size, its place in another scale, and how much two boxes share; by hand."""

from __future__ import annotations

import numpy as np
import pytest

from faces.detection.face import Face, intersection_over_union

POINTS = np.arange(10, dtype=float).reshape(5, 2)


def face(left: float, top: float, right: float, bottom: float) -> Face:
    return Face(np.array([left, top, right, bottom]), 0.98765, POINTS)


def test_size_is_the_side_of_a_square_of_the_same_area() -> None:
    assert face(10, 20, 14, 29).size == pytest.approx(6)
    assert face(10, 20, 5, 29).size == 0
    assert face(10, 20, 14, 12).size == 0
    assert face(10, 20, 5, 12).size == 0, "two negative sides make no area"


def test_in_a_larger_photo_everything_is_further_out() -> None:
    crop, embedding = np.zeros((2, 2, 3), np.uint8), np.ones(4, np.float32)
    given = Face(np.array([1.0, 2.0, 3.0, 4.0]), 0.5, POINTS, crop=crop, embedding=embedding)
    larger = given.scaled(2.5)
    assert larger.box.tolist() == [2.5, 5.0, 7.5, 10.0]
    assert np.array_equal(larger.landmarks, 2.5 * POINTS)
    assert larger.probability == 0.5
    assert larger.crop is crop and larger.embedding is embedding
    assert given.box.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_answers_show_tenths_of_pixels_and_four_decimals() -> None:
    shown = Face(np.array([1.04, -2.26, 30.05001, 40.0]), 0.987654, POINTS).as_json()
    assert shown == {"box": [1.0, -2.3, 30.1, 40.0], "probability": 0.9877, "turned": 0}


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 50 / 150),
        ((0, 0, 10, 10), (2, 4, 6, 6), 8 / 100),  # one within the other
        ((0, 0, 10, 20), (5, 15, 25, 25), 25 / 375),  # at a corner, sides of different lengths
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),  # side by side
        ((0, 0, 10, 10), (20, 30, 40, 50), 0.0),  # apart in both directions
        ((0, 0, 10, 10), (2, 30, 8, 40), 0.0),  # apart in one
        ((3, 3, 3, 3), (3, 3, 3, 3), 0.0),  # no area at all
    ],
)
def test_shared_by_the_area_of_both(first: tuple[float, ...], second: tuple[float, ...], share: float) -> None:
    for boxes in ((first, second), (second, first)):
        assert intersection_over_union(*map(np.array, boxes)) == pytest.approx(share)
