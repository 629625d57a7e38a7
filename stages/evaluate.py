"""Stage evaluate: metrics on faces that the model did not see, curves, and what each threshold would do.

Writes reports/evaluation_results.json, reports/{confusion_matrix,roc_curve,pr_curve}.{png,csv} and
reports/threshold_analysis.csv. FAR is the share of other people's faces that a threshold accepts (false acceptance),
FRR the share of the person's own that it rejects (false rejection).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from faces.files import write_text
from faces.networks import Manifest
from faces.verifier import Verifier
from stages import plots
from stages.errors import StageError, run_stage
from stages.figures import DIGITS, rounded
from stages.inputs import read_table
from stages.params import load_params
from stages.paths import (
    CONFUSION_CSV,
    CONFUSION_PNG,
    EMBEDDINGS,
    EVALUATION,
    MODEL,
    NETWORKS,
    PR_CSV,
    PR_PNG,
    ROC_CSV,
    ROC_PNG,
    SCALER,
    SPLIT,
    THRESHOLDS_CSV,
)
from stages.photos import CLASSES
from stages.train import classification_metrics, load_dataset

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def error_rates(labels: Labels, scores: Scores, threshold: float) -> dict[str, float]:
    """Everything that a threshold decides.

    Args:
        labels: int64 [N], both classes present.
        scores: float64 [N], 0 to 1.
        threshold: a score at or above it is accepted as "me".

    Returns:
        threshold, far, frr, precision (1 where nothing is accepted), recall, f1 and accuracy.
    """
    accepted = scores >= threshold
    me = labels == 1
    true_accepts, false_accepts = int((accepted & me).sum()), int((accepted & ~me).sum())
    misses = int((~accepted & me).sum())
    denominator = 2 * true_accepts + false_accepts + misses
    return {
        "threshold": float(threshold),
        "far": false_accepts / int((~me).sum()),
        "frr": misses / int(me.sum()),
        "precision": true_accepts / (true_accepts + false_accepts) if accepted.any() else 1.0,
        "recall": true_accepts / int(me.sum()),
        "f1": 2 * true_accepts / denominator if denominator else 0.0,
        "accuracy": float((accepted == me).mean()),
    }


def threshold_table(labels: Labels, scores: Scores, points: int) -> pd.DataFrame:
    """`error_rates` at thresholds spaced evenly from 0 to 1, a row each."""
    return pd.DataFrame([error_rates(labels, scores, threshold) for threshold in np.linspace(0, 1, points)])


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
    """Threshold where FAR and FRR are nearest to each other, and their mean there."""
    false_positive, true_positive, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    gap = np.abs(false_positive - (1 - true_positive))
    at = int(np.argmin(gap))
    return {
        "threshold": float(min(thresholds[at], 1.0)),
        "eer": float((false_positive[at] + 1 - true_positive[at]) / 2),
    }


def analyse_thresholds(labels: Labels, scores: Scores, table: pd.DataFrame, default: float) -> dict[str, Any]:
    """The content of `threshold_analysis`."""
    best = best_threshold(table, "f1")
    return {
        "optimal_threshold_f1": best,
        "at_optimal_f1": error_rates(labels, scores, best),
        "at_default": error_rates(labels, scores, default),
        "equal_error_rate": equal_error_rate(labels, scores),
    }


def load_parts(labels: Labels) -> NDArray[np.str_]:
    """Which part each row went to, from split.csv.

    Args:
        labels: int64 [N].

    Raises:
        StageError: it is missing or damaged, or of another data set.
    """
    parts = read_table(SPLIT, "train", ["part"])["part"].to_numpy(str)
    if len(parts) != len(labels):
        raise StageError(f"{SPLIT} has {len(parts)} rows, the embeddings {len(labels)}: run 'dvc repro --force train'")
    for part in {"test", *parts}:
        if len(np.unique(labels[parts == part])) < len(CLASSES):
            raise StageError(
                f"{SPLIT} gives no face of one class, or of both, to the part {part!r}: run 'dvc repro --force train'"
            )
    return parts


def write_curves(labels: Labels, scores: Scores, table: pd.DataFrame, threshold: float, backbone: str) -> None:
    """Write the curves as CSV, for `dvc plots`, and as pictures, for people."""
    false_positive, true_positive, _ = roc_curve(labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores)
    predicted = (scores >= threshold).astype(int)
    tables = {
        ROC_CSV: pd.DataFrame({"fpr": false_positive, "tpr": true_positive}),
        PR_CSV: pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}),
        THRESHOLDS_CSV: table,
        CONFUSION_CSV: pd.DataFrame(
            {"actual": [CLASSES[i] for i in labels], "predicted": [CLASSES[i] for i in predicted]}
        ).sort_values(["actual", "predicted"]),
    }
    for path, content in tables.items():
        write_text(path, content.round(DIGITS).to_csv(index=False, lineterminator="\n"))
    metrics = classification_metrics(labels, scores, threshold)
    plots.draw_roc(false_positive, true_positive, metrics["auc_roc"], backbone, ROC_PNG)
    plots.draw_precision_recall(recall, precision, float(average_precision_score(labels, scores)), backbone, PR_PNG)
    plots.draw_confusion(labels, predicted, threshold, backbone, CONFUSION_PNG)


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params().evaluate
    data = load_dataset()
    parts = load_parts(data.labels)
    manifest = Manifest.read(NETWORKS)
    verifier = Verifier.load(MODEL, SCALER)
    size = getattr(verifier.scaler, "n_features_in_", data.embeddings.shape[1])
    if size != data.embeddings.shape[1]:
        raise StageError(
            f"{MODEL} takes {size} dimensions, {EMBEDDINGS} has {data.embeddings.shape[1]}: "
            f"run 'dvc repro' (or 'python -m stages.train') first"
        )
    scores = verifier.score(data.embeddings)
    test = parts == "test"
    # A threshold chosen on the very faces that judge it looks better than it is: validation faces choose, if any.
    chosen_on = "validation" if (parts == "validation").any() else "test"
    chooser = parts == chosen_on
    table = threshold_table(data.labels[chooser], scores[chooser], params.thresholds)
    analysis = analyse_thresholds(data.labels[chooser], scores[chooser], table, params.threshold)
    labels, test_scores = data.labels[test], scores[test]
    at_default = classification_metrics(labels, test_scores, params.threshold)
    results = {
        "backbone": manifest.backbone,
        "test_faces": {name: int((labels == label).sum()) for label, name in enumerate(CLASSES)},
        "threshold": params.threshold,
        "metrics": {
            **{name: value for name, value in at_default.items() if name != "classification_report"},
            "average_precision": float(average_precision_score(labels, test_scores)),
        },
        "threshold_analysis": {"chosen_on": chosen_on, **analysis},
        "at_optimal_threshold_f1": error_rates(labels, test_scores, analysis["optimal_threshold_f1"]),
    }
    write_curves(labels, test_scores, table, params.threshold, manifest.backbone)
    write_text(EVALUATION, json.dumps(rounded(results), indent=2) + "\n")
    at = error_rates(labels, test_scores, params.threshold)
    print(
        f"evaluate: {len(labels)} faces not seen in training; at {params.threshold}: FAR {at['far']:.2%}, "
        f"FRR {at['frr']:.2%}; best F1 at {analysis['optimal_threshold_f1']:.2f} → {EVALUATION}"
    )


if __name__ == "__main__":
    run_stage(
        "evaluate",
        main,
        [CONFUSION_CSV, CONFUSION_PNG, EVALUATION, PR_CSV, PR_PNG, ROC_CSV, ROC_PNG, THRESHOLDS_CSV],
    )
