"""The state of one search: the image, the scales that are still to be scanned, and the candidates found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faces.detection.settings import DetectorSettings
from faces.detection.summed_area import SummedArea

Floats = NDArray[np.float32]

WINDOW = 12
"""Side in pixels of the square that P-Net looks at."""

CANDIDATE = np.dtype(
    [
        ("window", np.float32, 4),  # the square of the image that P-Net looked at
        ("square", np.float32, 4),  # the same, moved as P-Net says and grown to a square again
        ("p_score", np.float32),  # P-Net's probability of a face
        ("r_score", np.float32),  # R-Net's; like all its answers, valid where r_asked is true
        ("r_shift", np.float32, 4),  # how far R-Net moves each side of `square`, as a part of its side
        ("o_score", np.float32),  # O-Net's; like all its answers, valid where o_asked is true
        ("o_shift", np.float32, 4),
        ("o_points", np.float32, 10),  # five x, then five y, as parts of the box's width and height
        ("r_asked", np.bool_),
        ("o_asked", np.bool_),
    ]
)
"""One candidate: P-Net's proposal, and what R-Net and O-Net have said of it.

Boxes are left, top, right, bottom in pixels of the image. The answers are kept so that each network sees a candidate at
most once, however often the candidates are gone through again.
"""


@dataclass
class Scan:
    """One search for faces.

    Attributes:
        sums: the image.
        scales: scales of the image that P-Net has not seen yet, the finest first.
        candidates: `CANDIDATE` [N]; those of finer scales come first.
    """

    sums: SummedArea
    scales: list[float]
    candidates: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, CANDIDATE))

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], settings: DetectorSettings) -> Scan:
        """A search that has not begun.

        At the finest scale, the smallest face wanted fills P-Net's window; at the coarsest, the image nearly does.

        Args:
            pixels: uint8 [H, W, 3] RGB.
            settings: give the smallest face wanted, and the ratio between scales.
        """
        sums = SummedArea(pixels)
        scales = []
        scale = WINDOW / settings.min_face
        side = min(sums.height, sums.width) * scale
        while side >= WINDOW:
            scales.append(scale)
            scale *= settings.factor
            side *= settings.factor
        return cls(sums, scales)

    def add(self, windows: Floats, squares: Floats, scores: Floats) -> None:
        """Add P-Net's proposals, which no other network has seen yet: float32 [N, 4], [N, 4], [N].

        They go before the others: suppression keeps the first of equally good candidates, and a finer scale has placed
        it more exactly.
        """
        count = len(scores)
        candidates = np.zeros(count + len(self.candidates), CANDIDATE)
        candidates["window"][:count] = windows
        candidates["square"][:count] = squares
        candidates["p_score"][:count] = scores
        candidates[count:] = self.candidates
        self.candidates = candidates

    def largest_open(self, r_threshold: float, o_threshold: float) -> float:
        """Side in pixels of the largest candidate that no network has rejected, or 0.

        Args:
            r_threshold, o_threshold: R-Net and O-Net reject what has this probability or less.
        """
        given = self.candidates
        by_rnet = given["r_asked"] & (given["r_score"] <= r_threshold)
        by_onet = given["o_asked"] & (given["o_score"] <= o_threshold)
        squares = given["square"][~(by_rnet | by_onet)]
        return float((squares[:, 2] - squares[:, 0]).max(initial=0.0))
