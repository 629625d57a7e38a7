"""Choosing the threshold to serve with: the lowest that lets no more strangers in than was asked for."""

from __future__ import annotations

import bisect
import math

import numpy as np
from numpy.typing import NDArray

from faces.operating_point import OperatingPoint
from stages.estimation.intervals import effective_count, people_needed, rate_interval
from stages.params import EvaluateParams

_STEP = 1e-6  # thresholds are rounded up to it


def choose(
    scores: NDArray[np.float64], groups: NDArray[np.int64], params: EvaluateParams, estimated: float | None
) -> OperatingPoint:
    """The lowest threshold that keeps enough strangers out.

    Where there are enough people, the interval of the FAR there, as every report gives it, ends at the target or below;
    otherwise the measured rate does, which promises less. Without strangers, it is the estimated threshold.

    Args:
        scores: float64 [N] of strangers, 0 to 1; N > 0, or there is an estimate.
        groups: int64 [N], who they are.
        params: the share of strangers that may get in, and resamplings of the interval's bootstrap.
        estimated: the score that this share of strangers is estimated to reach, None if nothing is.
    """
    target_far, resamplings = params.target_far, params.bootstrap
    estimated = None if estimated is None else _above(estimated)
    if not len(scores):
        assert estimated is not None
        return OperatingPoint(
            estimated, target_far, "estimated", estimated, params.accept_estimate, 0, 0, people_needed(target_far)
        )
    highest_first = np.sort(scores)[::-1]

    def refusing_from(passing: int) -> float:
        """The threshold at which so many may pass."""
        return _above(highest_first[passing])

    def promised(passing: int) -> bool:
        accepted = scores >= refusing_from(passing)
        return rate_interval(accepted, groups, resamplings).high <= target_far + 1e-9

    measured = math.floor(target_far * len(scores) + 1e-9)
    supported = promised(0)
    passing = measured
    if supported:  # one more may pass as long as that is promised: where the next may not, none beyond may
        passing = bisect.bisect_left(range(1, measured + 1), True, key=lambda count: not promised(count))
    return OperatingPoint(
        refusing_from(passing),
        target_far,
        "promised" if supported else "measured",
        estimated,
        params.accept_estimate,
        len(np.unique(groups)),
        math.floor(effective_count(groups) + 1e-9),
        people_needed(target_far),
    )


def _above(score: float) -> float:
    """The lowest threshold, in whole steps, that refuses a score."""
    return round(min((math.floor(score / _STEP) + 1) * _STEP, 1.0), 6)
