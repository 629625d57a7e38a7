"""Error rates at a threshold with their intervals, the contract's metrics, and the calibration of scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from stages.estimation.held_out import HeldOutScores
from stages.estimation.intervals import Interval, rate_interval
from stages.files.dataset import Labels, Scores
from stages.files.photos import CLASSES

_MANY_REFUSED = 1 / 3
"""Share of own photos. A threshold that refuses more says that something is wrong with the photos."""


def error_rates(labels: Labels, scores: Scores, threshold: float) -> dict[str, float]:
    """The error rates and other figures at a threshold.

    Args:
        labels: int64 [N].
        scores: float64 [N], 0 to 1.
        threshold: a score at or above it is accepted as "me".

    Returns:
        threshold, far, frr, precision (1 if nothing is accepted), recall, f1 and accuracy. Where a class is missing,
        the rate of it is NaN, and so is what needs both classes.
    """
    both = len(np.unique(labels)) == len(CLASSES)
    accepted = scores >= threshold
    me = labels == 1
    true_accepts, false_accepts = int((accepted & me).sum()), int((accepted & ~me).sum())
    misses = int((~accepted & me).sum())
    denominator = 2 * true_accepts + false_accepts + misses
    return {
        "threshold": float(threshold),
        "far": _share(false_accepts, int((~me).sum())),
        "frr": _share(misses, int(me.sum())),
        "precision": math.nan if not both else _share(true_accepts, true_accepts + false_accepts, 1.0),
        "recall": _share(true_accepts, int(me.sum())),
        "f1": math.nan if not both else _share(2 * true_accepts, denominator, 0.0),
        "accuracy": float((accepted == me).mean()) if both else math.nan,
    }


def _share(part: int, whole: int, of_nothing: float = math.nan) -> float:
    return part / whole if whole else of_nothing


def refuses_many(frr: float) -> bool:
    """Whether a threshold refuses so many own photos that it is not advised without a warning.

    Args:
        frr: share of the person's own photos that it refuses, 0 to 1.
    """
    return frr > _MANY_REFUSED


def rates_with_intervals(held_out: HeldOutScores, threshold: float, resamplings: int) -> dict[str, Any]:
    """`error_rates` with `far_interval` and `frr_interval`, each low and high, with 95 % confidence.

    Of a missing class, both ends are NaN.
    """
    intervals = dict.fromkeys(("far_interval", "frr_interval"), Interval(math.nan, math.nan))
    for label, name in enumerate(intervals):
        own = held_out.labels == label
        if not own.any():
            continue
        wrong = (held_out.scores[own] >= threshold) != (label == 1)
        intervals[name] = rate_interval(wrong, held_out.groups[own], resamplings)
    rates = error_rates(held_out.labels, held_out.scores, threshold)
    return {**rates, **{name: interval.as_dict() for name, interval in intervals.items()}}


def classification_metrics(
    labels: Labels, scores: NDArray[np.float64], threshold: float, weights: NDArray[np.float64] | None = None
) -> dict[str, Any]:
    """The contract's figures at a threshold on the score.

    Args:
        labels: int64 [N].
        scores: float64 [N], 0 to 1.
        threshold: a score at or above it counts as "me".
        weights: float64 [N]; None: every row counts the same.

    Returns:
        accuracy, auc_roc, precision, recall, f1_score and classification_report. Where not_me is missing, only the
        recall is known, and the others are None.
    """
    if not (labels == 0).any():
        return _of_me_alone(float(np.average(scores >= threshold, weights=weights)), len(labels))
    predicted = (scores >= threshold).astype(int)
    same = {"sample_weight": weights}
    return {
        "accuracy": float(accuracy_score(labels, predicted, **same)),
        "auc_roc": float(roc_auc_score(labels, scores, **same)),
        "precision": float(precision_score(labels, predicted, zero_division=0, **same)),
        "recall": float(recall_score(labels, predicted, zero_division=0, **same)),
        "f1_score": float(f1_score(labels, predicted, zero_division=0, **same)),
        "classification_report": classification_report(
            labels, predicted, labels=[0, 1], target_names=list(CLASSES), output_dict=True, zero_division=0, **same
        ),
    }


def _of_me_alone(recall: float, support: int) -> dict[str, Any]:
    names = ("accuracy", "auc_roc", "precision", "f1_score")
    me = {"precision": None, "recall": recall, "f1-score": None, "support": support}
    report = {"not_me": {"precision": None, "recall": None, "f1-score": None, "support": 0}, "me": me}
    return {**dict.fromkeys(names), "recall": recall, "classification_report": report}


def equal_weights(labels: Labels) -> NDArray[np.float64]:
    """Weights that give both classes the same total, float64 [N], sum 1."""
    counts = np.bincount(labels, minlength=len(CLASSES))
    weights: NDArray[np.float64] = 0.5 / counts[labels]
    return weights


def calibration_error(labels: Labels, scores: Scores, bins: int = 15) -> float:
    """Expected calibration error, 0 to 1, with the same total weight for both classes; NaN if one is missing.

    Args:
        labels: int64 [N].
        scores: float64 [N], 0 to 1.
        bins: of equal width (Guo et al. 2017).
    """
    if len(np.unique(labels)) < len(CLASSES):
        return math.nan
    weights = equal_weights(labels)
    bin_of = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=weights * (labels - scores), minlength=bins)
    return float(np.abs(gaps).sum())
