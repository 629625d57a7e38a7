"""Choosing the threshold to serve with: the lowest that lets no more strangers in than was asked for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from faces.operating_point import OperatingPoint
from stages.intervals import allowed_rate, effective_count, people_needed

_STEP = 1e-6  # thresholds are rounded up to it


def choose(scores: NDArray[np.float64], groups: NDArray[np.int64], target_far: float) -> OperatingPoint:
    """The lowest threshold that keeps enough strangers out.

    Where there are enough people, those let in are so few that the rate is below the target with 95 % confidence;
    otherwise the measured rate is at the target or below, which promises less.

    Args:
        scores: float64 [N] of strangers, 0 to 1; N > 0.
        groups: int64 [N], who they are.
        target_far: share of strangers that may get in.
    """
    rate, supported = allowed_rate(target_far, effective_count(groups))
    may_pass = math.floor(rate * len(scores) + 1e-9)
    first_refused = float(np.sort(scores)[::-1][may_pass])
    threshold = min((math.floor(first_refused / _STEP) + 1) * _STEP, 1.0)
    return OperatingPoint(round(threshold, 6), target_far, supported, len(np.unique(groups)), people_needed(target_far))
