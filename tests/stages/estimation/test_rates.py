"""What a threshold does: rates, metrics and calibration, counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stages.estimation.held_out import HeldOutScores
from stages.estimation.intervals import rate_interval
from stages.estimation.rates import (
    calibration_error,
    classification_metrics,
    equal_weights,
    error_rates,
    rates_with_intervals,
)

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
SCORES = np.array([0.1, 0.2, 0.4, 0.7, 0.3, 0.6, 0.7, 0.8, 0.9])


@pytest.mark.parametrize(
    ("threshold", "far", "frr", "precision", "recall", "f1", "accuracy"),
    [
        (0.5, 1 / 4, 1 / 5, 4 / 5, 4 / 5, 8 / 10, 7 / 9),
        (0.7, 1 / 4, 2 / 5, 3 / 4, 3 / 5, 6 / 9, 6 / 9),  # a score equal to the threshold is accepted
        (0.0, 1, 0, 5 / 9, 1, 10 / 14, 5 / 9),
        (0.95, 0, 1, 1, 0, 0, 4 / 9),  # nothing is accepted
        (0.75, 0, 3 / 5, 1, 2 / 5, 4 / 7, 6 / 9),
    ],
)
def test_error_rates_by_hand(
    threshold: float, far: float, frr: float, precision: float, recall: float, f1: float, accuracy: float
) -> None:
    assert error_rates(LABELS, SCORES, threshold) == pytest.approx(
        {
            "threshold": threshold, "far": far, "frr": frr, "precision": precision, "recall": recall, "f1": f1,
            "accuracy": accuracy,
        }
    )  # fmt: skip


def test_each_rate_has_the_interval_of_its_own_class_and_people() -> None:
    """Strangers: one of two with three photos each is let in. Of me every photo is another moment, one is rejected."""
    labels = np.array([0] * 6 + [1] * 4)
    scores = np.array([0.8, 0.75, 0.9, 0.1, 0.2, 0.3, 0.9, 0.9, 0.9, 0.1])
    groups = np.array([5, 5, 5, 6, 6, 6, 1, 2, 3, 4])
    rates = rates_with_intervals(HeldOutScores(np.arange(10), labels, scores, groups), 0.75, 300)
    assert (rates["far"], rates["frr"], rates["threshold"]) == (0.5, 0.25, 0.75)
    strangers = rate_interval(np.array([True] * 3 + [False] * 3), groups[:6], 300)
    mine = rate_interval(np.array([False] * 3 + [True]), groups[6:], 300)
    assert rates["far_interval"] == strangers.as_dict()
    assert rates["frr_interval"] == mine.as_dict()
    assert strangers.high > 0.9, "two people say next to nothing"
    assert mine.high < 0.9


def test_metrics_by_hand() -> None:
    """Of 0.7 and above four are accepted, three of them me; me outscores others in 16.5 of 20 pairs."""
    metrics = classification_metrics(LABELS, SCORES, 0.7)
    report: dict[str, Any] = metrics.pop("classification_report")
    assert metrics == pytest.approx(
        {"accuracy": 6 / 9, "auc_roc": 16.5 / 20, "precision": 3 / 4, "recall": 3 / 5, "f1_score": 6 / 9}
    )
    assert report["me"]["precision"] == pytest.approx(3 / 4)
    assert report["me"]["recall"] == pytest.approx(3 / 5)
    assert report["me"]["support"] == 5
    assert report["not_me"]["precision"] == pytest.approx(3 / 5)
    assert report["not_me"]["recall"] == pytest.approx(3 / 4)
    assert report["not_me"]["support"] == 4


def test_metrics_with_weights_are_those_of_repeated_rows() -> None:
    weights = np.array([1, 2, 3, 1, 2, 1, 1, 3, 2])
    weighted = classification_metrics(LABELS, SCORES, 0.7, weights.astype(float))
    repeated = classification_metrics(np.repeat(LABELS, weights), np.repeat(SCORES, weights), 0.7)
    plain = classification_metrics(LABELS, SCORES, 0.7)
    for name in ("accuracy", "auc_roc", "precision", "recall", "f1_score"):
        assert weighted[name] == pytest.approx(repeated[name]), name
        assert weighted[name] != pytest.approx(plain[name]), name


def test_where_nothing_is_accepted_metrics_are_0_and_no_warning() -> None:
    metrics = classification_metrics(LABELS, SCORES, 0.95)
    assert (metrics["precision"], metrics["recall"], metrics["f1_score"]) == (0, 0, 0)


def test_classes_are_made_equally_frequent() -> None:
    weights = equal_weights(np.array([0, 0, 0, 1]))
    assert weights == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


@pytest.mark.parametrize(
    ("labels", "scores", "error"),
    [([0, 1], [0.0, 1.0], 0.0), ([0, 1], [1.0, 0.0], 1.0), ([0, 0, 0, 1], [0.25] * 3 + [0.25], 0.25),
     ([0, 1, 0, 1], [0.3, 0.3, 0.9, 0.9], 0.3),
     # Gaps within a fifteenth cancel: 0.41 and 0.45 are of one; 0.39 and 0.41 are not, nor 0.32 and 0.38.
     ([0, 1], [0.41, 0.45], 0.07), ([0, 1], [0.39, 0.41], 0.49), ([0, 1], [0.32, 0.38], 0.47),
     ([1, 0], [0.95, 0.05], 0.05)],
)  # fmt: skip
def test_calibration_error_by_hand(labels: list[int], scores: list[float], error: float) -> None:
    assert calibration_error(np.array(labels), np.array(scores)) == pytest.approx(error)
