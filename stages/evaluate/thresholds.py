"""What each threshold would do, and the thresholds worth knowing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from stages.estimation.held_out import HeldOutScores
from stages.estimation.intervals import rate_intervals
from stages.estimation.rates import error_rates, rates_with_intervals
from stages.files.dataset import Labels, Scores
from stages.files.photos import CLASSES
from stages.params import EvaluateParams


def threshold_table(held_out: HeldOutScores, points: int, resamplings: int) -> pd.DataFrame:
    """`error_rates` at thresholds spaced evenly from 0 to 1, a row each, with the ends of the rates' intervals.

    Args:
        held_out: faces that no model had seen; rates of a class that is not among them are NaN.
        points: how many thresholds.
        resamplings: of the intervals' bootstrap.

    Returns:
        The columns of `error_rates`, then far_low, far_high, frr_low and frr_high, with 95 % confidence.
    """
    thresholds = np.linspace(0, 1, points)
    table = pd.DataFrame([error_rates(held_out.labels, held_out.scores, threshold) for threshold in thresholds])
    for label, name in ((0, "far"), (1, "frr")):
        own = held_out.labels == label
        if not own.any():
            table[f"{name}_low"] = table[f"{name}_high"] = np.nan
            continue
        wrong = (held_out.scores[own][:, None] >= thresholds) != (label == 1)
        intervals = rate_intervals(wrong, held_out.groups[own], resamplings)
        table[f"{name}_low"] = [interval.low for interval in intervals]
        table[f"{name}_high"] = [interval.high for interval in intervals]
    return table


def best_threshold(table: pd.DataFrame, column: str) -> float:
    """The threshold with the highest value of a column; of several in a row, the middle one.

    A model that separates the test faces perfectly is right over a whole range; its middle leaves the most room on
    both sides.
    """
    best = table[column].to_numpy() >= table[column].max() - 1e-12
    first = int(np.argmax(best))
    length = int(np.argmin(best[first:])) if not best[first:].all() else int(best[first:].sum())
    return float(table["threshold"].iloc[first + (length - 1) // 2])


def equal_error_rate(labels: Labels, scores: Scores) -> dict[str, float]:
    """Threshold where FAR and FRR are nearest to each other, and their mean there; NaN where a class is missing."""
    if len(np.unique(labels)) < len(CLASSES):
        return {"threshold": math.nan, "eer": math.nan}
    false_positive, true_positive, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    gap = np.abs(false_positive - (1 - true_positive))
    at = int(np.argmin(gap))
    return {
        "threshold": float(min(thresholds[at], 1.0)),
        "eer": float((false_positive[at] + 1 - true_positive[at]) / 2),
    }


def analyse_thresholds(
    chooser: HeldOutScores,
    table: pd.DataFrame,
    params: EvaluateParams,
    target: float,
    estimate: Callable[[float], float | None],
) -> dict[str, Any]:
    """The content of `threshold_analysis`: the thresholds worth knowing, each with its error rates.

    Those that it takes both classes to find are None where one is missing.

    Args:
        chooser: faces to choose on.
        table: `threshold_table` of them.
        params: the parameters.
        target: the threshold chosen for `evaluate.target_far`.
        estimate: the share of all strangers that is estimated to reach a threshold, None where nothing is.
    """
    best = best_threshold(table, "f1") if table["f1"].notna().all() else math.nan
    equal = equal_error_rate(chooser.labels, chooser.scores)
    named = {
        "at_default": params.threshold,
        "at_optimal_f1": best,
        "at_equal_error_rate": equal["threshold"],
        "at_target_far": target,
    }
    return {
        "optimal_threshold_f1": best,
        "equal_error_rate": equal,
        **{
            name: None if math.isnan(threshold) else describe(threshold, chooser, params, estimate)
            for name, threshold in named.items()
        },
    }


def describe(
    threshold: float, held_out: HeldOutScores, params: EvaluateParams, estimate: Callable[[float], float | None]
) -> dict[str, Any]:
    """What a threshold does: measured, with intervals, and `far_estimated`."""
    return {
        **rates_with_intervals(held_out, threshold, params.bootstrap),
        "far_estimated": estimate(threshold),
    }
