"""The threshold to serve with: the lowest that lets no more strangers in than was asked for.

`models/operating_point.json` goes with the model: `VERIFY_THRESHOLD=auto` finds it wherever the model is copied to.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.files import sha256_of, write_text
from stages.intervals import allowed_rate, effective_count, people_needed

_DIGITS = 6


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and what it rests on.

    Attributes:
        threshold: 0 to 1.
        target_far: what was asked for.
        supported: whether the data promise it with 95 % confidence; if not, it is only what was measured.
        people: strangers it was measured on; one with more photos than others counts for less than they suggest.
        people_needed: how many it takes, at least, to promise the target.
    """

    threshold: float
    target_far: float
    supported: bool
    people: int
    people_needed: int


def choose(scores: NDArray[np.float64], groups: NDArray[np.int64], target_far: float) -> OperatingPoint:
    """The lowest threshold that keeps enough strangers out.

    Where there are enough people, those let in may be so few that the rate is below the target with 95 % confidence;
    otherwise the measured rate is at the target or below, which promises less.

    Args:
        scores: float64 [N] of strangers, 0 to 1.
        groups: int64 [N], who they are.
        target_far: share of strangers that may get in.
    """
    rate, supported = allowed_rate(target_far, effective_count(groups))
    worst_first = np.sort(scores)[::-1]
    may_pass = math.floor(rate * len(scores) + 1e-9)
    # Just above the first that must not pass.
    threshold = math.floor(float(worst_first[may_pass]) * 10**_DIGITS + 1) / 10**_DIGITS if len(scores) else 1.0
    return OperatingPoint(min(threshold, 1.0), target_far, supported, len(np.unique(groups)), people_needed(target_far))


def write(path: Path, point: OperatingPoint, model: Path, rates: dict[str, Any]) -> None:
    """Write operating_point.json for a model; `rates` are those at the threshold, with their intervals."""
    content = {
        "threshold": point.threshold,
        "target_far": point.target_far,
        "supported": point.supported,
        "people": point.people,
        "people_needed": point.people_needed,
        "far": rates["far"],
        "far_interval": rates["far_interval"],
        "frr": rates["frr"],
        "frr_interval": rates["frr_interval"],
        "model_sha256": sha256_of(model),
    }
    write_text(path, json.dumps(content, indent=2) + "\n")
