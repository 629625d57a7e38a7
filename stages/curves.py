"""The curves of an evaluation: as tables for `dvc plots`, and as pictures for people."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from faces.files import write_text
from stages import plots
from stages.dataset import Labels
from stages.figures import DIGITS
from stages.paths import REPORTS
from stages.photos import CLASSES

Scores = NDArray[np.float64]

NAMES = ("roc_curve", "pr_curve", "det_curve", "calibration", "scores", "confusion_matrix")
FILES = (
    *(REPORTS / f"{name}{suffix}" for name in NAMES for suffix in (".csv", ".png")),
    REPORTS / "threshold_analysis.csv",
)
"""What `write_all` writes."""

_CALIBRATION_BINS = 10
_SCORE_BINS = 40


def equal_weights(labels: Labels) -> NDArray[np.float64]:
    """Weights with which both classes are equally frequent, float64 [N], sum 1."""
    counts = np.bincount(labels, minlength=len(CLASSES))
    weights: NDArray[np.float64] = 0.5 / counts[labels]
    return weights


def calibration_table(labels: Labels, scores: Scores) -> pd.DataFrame:
    """For scores in each tenth: their mean, and the share that is "me", both classes being equally frequent."""
    weights = equal_weights(labels)
    bin_of = np.minimum((scores * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    total = np.bincount(bin_of, weights=weights, minlength=_CALIBRATION_BINS)
    filled = total > 0
    means, share = (
        np.bincount(bin_of, weights=weights * values, minlength=_CALIBRATION_BINS)[filled] / total[filled]
        for values in (scores, labels)
    )
    return pd.DataFrame({"score": means, "share_me": share, "weight": total[filled]})


def score_table(labels: Labels, scores: Scores) -> pd.DataFrame:
    """Share of each class's faces by score, in bins of equal width from 0 to 1."""
    edges = np.linspace(0, 1, _SCORE_BINS + 1)
    table = pd.DataFrame({"score": (edges[:-1] + edges[1:]) / 2})
    for label, name in enumerate(CLASSES):
        own = scores[labels == label]
        table[name] = np.histogram(own, bins=edges)[0] / len(own)
    return table


def write_all(
    rows: NDArray[np.int64],
    labels: Labels,
    scores: Scores,
    table: pd.DataFrame,
    threshold: float,
    chosen: float,
    backbone: str,
) -> None:
    """Write `FILES`.

    Args:
        rows: int64 [N], which face a score is of; of several scores of a face the confusion matrix takes the first.
        labels: int64 [N].
        scores: float64 [N], 0 to 1.
        table: error rates by threshold.
        threshold: the service's default.
        chosen: the operating point.
        backbone: named in the pictures.
    """
    false_positive, true_positive, _ = roc_curve(labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores)
    first = np.unique(rows, return_index=True)[1]
    actual, predicted = labels[first], (scores[first] >= threshold).astype(int)
    calibration, histogram = calibration_table(labels, scores), score_table(labels, scores)
    tables = {
        "roc_curve": pd.DataFrame({"fpr": false_positive, "tpr": true_positive}),
        "pr_curve": pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}),
        "det_curve": pd.DataFrame({"far": false_positive, "frr": 1 - true_positive}),
        "calibration": calibration,
        "scores": histogram,
        "threshold_analysis": table,
        "confusion_matrix": pd.DataFrame(
            {"actual": [CLASSES[i] for i in actual], "predicted": [CLASSES[i] for i in predicted]}
        ).sort_values(["actual", "predicted"]),
    }
    for name, content in tables.items():
        if name != "confusion_matrix":
            content = content.round(DIGITS).drop_duplicates()
        write_text(REPORTS / f"{name}.csv", content.to_csv(index=False, lineterminator="\n"))
    path = {name: REPORTS / f"{name}.png" for name in NAMES}
    plots.draw_roc(false_positive, true_positive, float(roc_auc_score(labels, scores)), backbone, path["roc_curve"])
    average = float(average_precision_score(labels, scores))
    plots.draw_precision_recall(recall, precision, average, backbone, path["pr_curve"])
    plots.draw_det(false_positive, 1 - true_positive, backbone, path["det_curve"])
    plots.draw_calibration(calibration, backbone, path["calibration"])
    plots.draw_scores(labels, scores, {"default": threshold, "chosen": chosen}, backbone, path["scores"])
    plots.draw_confusion(actual, predicted, threshold, backbone, path["confusion_matrix"])
