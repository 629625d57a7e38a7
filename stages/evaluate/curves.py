"""The curves of an evaluation: as tables for `dvc plots`, and as pictures for people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from faces.verifier import Verifier
from stages.estimation import plots
from stages.estimation.held_out import HeldOutScores
from stages.estimation.rates import equal_weights
from stages.files.dataset import Labels, Scores
from stages.files.paths import REPORTS
from stages.files.photos import CLASSES
from stages.files.tables import rounded_table, write_table
from stages.language.telling import tell

NAMES = ("roc_curve", "pr_curve", "det_curve", "calibration", "scores", "confusion_matrix", "threshold_analysis")
FILES = tuple(REPORTS / f"{name}{suffix}" for name in NAMES for suffix in (".csv", ".png"))
"""What `write_all` writes."""

_CALIBRATION_BINS = 10
_SCORE_BINS = 40


def calibration_table(held_out: HeldOutScores) -> pd.DataFrame:
    """For scores in each tenth: their mean, and the share that is "me", both classes being equally frequent.

    Returns:
        Columns score and share_me (0 to 1), weight (share of all, both classes being equally frequent) and faces (how
        many different ones have a score there); a row for each tenth that holds a score.
    """
    labels, scores = held_out.labels, held_out.scores
    weights = equal_weights(labels)
    bin_of = np.minimum((scores * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    total = np.bincount(bin_of, weights=weights, minlength=_CALIBRATION_BINS)
    filled = total > 0
    faces = pd.Series(held_out.rows).groupby(bin_of).nunique()
    means, share = (
        np.bincount(bin_of, weights=weights * values, minlength=_CALIBRATION_BINS)[filled] / total[filled]
        for values in (scores, labels)
    )
    return pd.DataFrame({"score": means, "share_me": share, "weight": total[filled], "faces": faces.to_numpy()})


def score_table(labels: Labels, scores: Scores) -> pd.DataFrame:
    """Share of each class's faces by score, in bins of equal width from 0 to 1."""
    edges = np.linspace(0, 1, _SCORE_BINS + 1)
    table = pd.DataFrame({"score": (edges[:-1] + edges[1:]) / 2})
    for label, name in enumerate(CLASSES):
        own = scores[labels == label]
        table[name] = np.histogram(own, bins=edges)[0] / max(len(own), 1)
    return table


@dataclass(frozen=True)
class ErrorCurve:
    """Error rates along all thresholds that differ, from the highest on.

    Attributes:
        far, recall: float64 [K], rising; recall is 1 - FRR.
        estimated: whether FAR is estimated, since there is no photo of others to measure it with.
    """

    far: NDArray[np.float64]
    recall: NDArray[np.float64]
    estimated: bool = False

    @property
    def frr(self) -> NDArray[np.float64]:
        """Falling."""
        return 1 - self.recall

    @property
    def area(self) -> float:
        """Under the ROC curve."""
        return float(np.trapezoid(self.recall, self.far))

    def precision(self) -> NDArray[np.float64]:
        """Where both classes are equally frequent."""
        accepted = self.far + self.recall
        return np.divide(self.recall, accepted, out=np.ones_like(accepted), where=accepted > 0)


def error_curve(held_out: HeldOutScores, verifier: Verifier) -> ErrorCurve:
    """The curve of held-out faces; where there are none of others, with the FAR that the verifier estimates."""
    if (held_out.labels == 0).any():
        far, recall, _ = roc_curve(held_out.labels, held_out.scores)
        return ErrorCurve(far, recall)
    thresholds = np.unique(held_out.scores)[::-1]
    far = verifier.strangers_like(thresholds)
    assert far is not None, "a model of me alone is only trained with a population"
    recall = np.array([(held_out.scores >= threshold).mean() for threshold in thresholds])
    return ErrorCurve(np.concatenate([[0.0], far, [1.0]]), np.concatenate([[0.0], recall, [1.0]]), estimated=True)


def write_all(
    held_out: HeldOutScores,
    table: pd.DataFrame,
    threshold: float,
    chosen: float,
    backbone: str,
    verifier: Verifier,
) -> None:
    """Write `FILES`.

    Args:
        held_out: what is drawn; of several scores of a face the confusion matrix takes the first.
        table: error rates by threshold.
        threshold: the service's default.
        chosen: the operating point.
        backbone: named in the pictures.
        verifier: the model that serves; what it estimates is drawn where there are no photos of others.
    """
    labels, scores = held_out.labels, held_out.scores
    curve = error_curve(held_out, verifier)
    if curve.estimated:
        precision, recall = curve.precision()[::-1], curve.recall[::-1]
        average = float(np.trapezoid(precision[::-1], recall[::-1]))
    else:
        precision, recall, _ = precision_recall_curve(labels, scores)
        average = float(average_precision_score(labels, scores))
    first = np.unique(held_out.rows, return_index=True)[1]
    actual, predicted = labels[first], (scores[first] >= threshold).astype(int)
    calibration, histogram = calibration_table(held_out), score_table(labels, scores)
    tables = {
        "roc_curve": pd.DataFrame({"fpr": curve.far, "tpr": curve.recall}),
        "pr_curve": pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}),
        "det_curve": pd.DataFrame({"far": curve.far, "frr": curve.frr}),
        "calibration": calibration,
        "scores": histogram,
        "threshold_analysis": table,
        "confusion_matrix": pd.DataFrame(
            {"actual": [CLASSES[i] for i in actual], "predicted": [CLASSES[i] for i in predicted]}
        ).sort_values(["actual", "predicted"]),
    }
    for name, content in tables.items():
        if name != "confusion_matrix":
            content = rounded_table(content).drop_duplicates()
        write_table(REPORTS / f"{name}.csv", content)
    path = {name: REPORTS / f"{name}.png" for name in NAMES}
    plots.draw_roc(curve.far, curve.recall, curve.area, backbone, path["roc_curve"], curve.estimated)
    plots.draw_precision_recall(recall, precision, average, backbone, path["pr_curve"], curve.estimated)
    plots.draw_det(curve.far, curve.frr, backbone, path["det_curve"], curve.estimated)
    plots.draw_calibration(calibration, backbone, path["calibration"])
    named = {tell("the service's"): threshold, tell("for the FAR asked for"): chosen}  # as the report's table says
    plots.draw_scores(labels, scores, named, backbone, path["scores"])
    plots.draw_errors_by_threshold(table, named, backbone, path["threshold_analysis"])
    plots.draw_confusion(actual, predicted, threshold, backbone, path["confusion_matrix"])
