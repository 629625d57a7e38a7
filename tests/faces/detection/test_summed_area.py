"""Resampling is torch's mode="area"."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from faces.detection.summed_area import SummedArea


def area(pixels: np.ndarray, to: tuple[int, int]) -> np.ndarray:
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
    return interpolate(tensor, size=to, mode="area")[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("size", "to"),
    [
        ((97, 61), (24, 24)),
        ((97, 61), (48, 30)),
        ((97, 61), (97, 61)),
        ((97, 61), (96, 60)),  # windows overlap
        ((11, 7), (24, 24)),
        ((1, 1), (12, 13)),
        ((30, 200), (1, 3)),
        ((5, 40), (9, 13)),
    ],
)
def test_resize(size: tuple[int, int], to: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert np.abs(SummedArea(pixels).resize(*to) - area(pixels, to)).max() < 1e-3


def test_cut() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (90, 130, 3), np.uint8)
    corner = rng.integers(0, [129, 89], (200, 2))
    boxes = np.hstack([corner, rng.integers(corner + 1, [131, 91])])
    boxes = np.vstack([boxes, [[0, 0, 130, 90], [129, 89, 130, 90], [0, 40, 130, 41]]])
    for size in (24, 48):
        cuts = SummedArea(pixels).cut(boxes, size)
        for (left, top, right, bottom), cut in zip(boxes, cuts, strict=True):
            assert np.abs(cut - area(pixels[top:bottom, left:right], (size, size))).max() < 1e-3


def test_bright_image_does_not_overflow() -> None:
    sums = SummedArea(np.full((4200, 4200, 3), 255, np.uint8))  # its sum does not fit 32 bits
    assert (sums.resize(3, 3) == 255).all()
    assert (sums.cut(np.array([[4000, 4000, 4200, 4200]]), 5) == 255).all()


@pytest.mark.parametrize("side", [1000, 1001])
def test_both_kinds_of_table_hold_what_the_detector_asks_of_them(side: int) -> None:
    """Up to 1,000 pixels the three colours share a table: the largest windows of the brightest image fit."""
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    pixels[: side // 2] = 255
    sums = SummedArea(pixels)
    assert np.abs(sums.resize(13, 13) - area(pixels, (13, 13))).max() < 1e-3
    whole = sums.cut(np.array([[0, 0, side, side]]), 24)[0]
    assert np.abs(whole - area(pixels, (24, 24))).max() < 1e-3


def test_windows_too_large_for_a_shared_table_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 90 × 90"):
        SummedArea(np.full((1000, 1000, 3), 255, np.uint8)).resize(9, 9)


def test_rows_of_a_result_are_those_of_the_whole() -> None:
    sums = SummedArea(np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8))
    assert (sums.resize(21, 33, slice(4, 9)) == sums.resize(21, 33)[4:9]).all()
