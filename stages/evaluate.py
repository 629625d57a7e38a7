"""Stage evaluate: what each threshold would do with faces that the model did not see, and which one to serve with.

Reads the scores that stage train wrote of faces kept out of training. Writes reports/evaluation_results.json, curves
(reports/*.csv for `dvc plots`, reports/*.png for people) and models/operating_point.json. FAR is the share of other
people's faces that a threshold accepts (false acceptance), FRR the share of the person's own that it rejects.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_curve

from faces.files import write_text
from faces.operating_point import say_strangers
from faces.verifier import VerifierNotFoundError
from stages import curves, operating_point
from stages.dataset import Groups, Labels, load_dataset
from stages.errors import StageError, run_stage
from stages.figures import rounded
from stages.inputs import read_json, read_table
from stages.intervals import Interval, rate_interval
from stages.params import EvaluateParams, load_params
from stages.paths import EVALUATION, METRICS, MODEL, OPERATING_POINT, PREDICTIONS
from stages.photos import CLASSES
from stages.train import classification_metrics

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Tested:
    """Scores of faces by models that did not see them; a face may have several, one from each round.

    Attributes:
        rows: int64 [N], which face.
        labels: int64 [N].
        scores: float64 [N], 0 to 1.
        groups: int64 [N], who or what must be counted as one.
    """

    rows: NDArray[np.int64]
    labels: Labels
    scores: Scores
    groups: Groups

    def count_faces(self) -> dict[str, int]:
        """Different faces by class."""
        return {name: len(np.unique(self.rows[self.labels == label])) for label, name in enumerate(CLASSES)}

    def count_groups(self) -> dict[str, int]:
        """People of not_me, different photos of me."""
        return {name: len(np.unique(self.groups[self.labels == label])) for label, name in enumerate(CLASSES)}


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


def rates_with_intervals(tested: Tested, threshold: float, resamplings: int) -> dict[str, Any]:
    """`error_rates` with `far_interval` and `frr_interval`, each low and high, with 95 % confidence."""
    intervals: dict[str, Interval] = {}
    for label, name in ((0, "far_interval"), (1, "frr_interval")):
        own = tested.labels == label
        wrong = (tested.scores[own] >= threshold) != (label == 1)
        intervals[name] = rate_interval(wrong, tested.groups[own], resamplings)
    rates = error_rates(tested.labels, tested.scores, threshold)
    return {**rates, **{name: interval.as_dict() for name, interval in intervals.items()}}


def calibration_error(labels: Labels, scores: Scores, bins: int = 15) -> float:
    """Expected calibration error where both classes are equally frequent, 0 to 1.

    Args:
        labels: int64 [N], both classes present.
        scores: float64 [N], 0 to 1.
        bins: of equal width (Guo et al. 2017).
    """
    weights = curves.equal_weights(labels)
    bin_of = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=weights * (labels - scores), minlength=bins)
    return float(np.abs(gaps).sum())


def analyse_thresholds(chooser: Tested, table: pd.DataFrame, params: EvaluateParams, target: float) -> dict[str, Any]:
    """The content of `threshold_analysis`: the thresholds worth knowing, each with its error rates.

    Args:
        chooser: faces to choose on.
        table: `threshold_table` of them.
        params: the parameters.
        target: the threshold chosen for `evaluate.target_far`.
    """
    best = best_threshold(table, "f1")
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
        **{name: rates_with_intervals(chooser, threshold, params.bootstrap) for name, threshold in named.items()},
    }


def load_tested() -> dict[str, Tested]:
    """The scores of predictions.csv, by part: "test", and "validation" where there is one.

    Raises:
        StageError: it is missing or damaged, or of another data set.
    """
    data = load_dataset()
    table = read_table(PREDICTIONS, "train", ["repeat", "row", "part", "label", "score"])
    try:
        rows, labels = table["row"].to_numpy(np.int64), table["label"].to_numpy(np.int64)
        scores = table["score"].to_numpy(np.float64)
    except ValueError as error:
        raise StageError(f"{PREDICTIONS} is damaged ({error}): run 'dvc repro --force train'") from error
    if not len(rows) or rows.min() < 0 or rows.max() >= len(data.labels) or (data.labels[rows] != labels).any():
        raise StageError(
            f"{PREDICTIONS} speaks of other faces than the {len(data.labels)} embeddings: run 'dvc repro --force train'"
        )
    parts = {}
    for part in ("test", *table["part"].unique()):
        own = (table["part"] == part).to_numpy()
        if len(np.unique(labels[own])) < len(CLASSES):
            raise StageError(
                f"{PREDICTIONS} gives no face of one class, or of both, to the part {part!r}: "
                f"run 'dvc repro --force train'"
            )
        parts[part] = Tested(rows[own], labels[own], scores[own], data.groups[rows[own]])
    return parts


def summarise(results: dict[str, Any]) -> str:
    """What the stage says on the terminal."""
    at, point = results["threshold_analysis"]["at_default"], results["operating_point"]
    lines = [
        f"evaluate: at {results['threshold']}: FAR {at['far']:.2%} (95 %: below {at['far_interval']['high']:.2%}), "
        f"FRR {at['frr']:.2%} (below {at['frr_interval']['high']:.2%})",
        f"  for a FAR of {point['target_far']:.2%}: threshold {point['threshold']:.4f}, FRR {point['frr']:.2%}",
    ]
    if not point["supported"]:
        strangers = say_strangers(point["people"], point["effective_people"])
        lines.append(
            f"  {strangers} are too few to promise that: it takes {point['people_needed']}, "
            f"each with as many photos as the others"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params().evaluate
    parts = load_tested()
    trained = read_json(METRICS, "train")
    if not MODEL.is_file():
        raise VerifierNotFoundError(f"there is no {MODEL}: run 'dvc repro' to train")
    test = parts["test"]
    # A threshold chosen on the very faces that judge it looks better than it is: validation faces choose, if any.
    chosen_on = "validation" if "validation" in parts else "test"
    chooser = parts[chosen_on]
    table = threshold_table(chooser.labels, chooser.scores, params.thresholds)
    strangers = chooser.labels == 0
    point = operating_point.choose(
        chooser.scores[strangers], chooser.groups[strangers], params.target_far, params.bootstrap
    )
    analysis = analyse_thresholds(chooser, table, params, point.threshold)
    at_default = classification_metrics(test.labels, test.scores, params.threshold)
    at_point = rates_with_intervals(test, point.threshold, params.bootstrap)
    results = {
        "backbone": trained.get("backbone"),
        "verifier": trained.get("verifier"),
        "test_faces": test.count_faces(),
        "test_groups": test.count_groups(),
        "threshold": params.threshold,
        "metrics": {
            **{name: value for name, value in at_default.items() if name != "classification_report"},
            "average_precision": float(average_precision_score(test.labels, test.scores)),
            "expected_calibration_error": calibration_error(test.labels, test.scores),
        },
        "threshold_analysis": {"chosen_on": chosen_on, **analysis},
        "at_optimal_threshold_f1": error_rates(test.labels, test.scores, analysis["optimal_threshold_f1"]),
        "operating_point": {
            "target_far": point.target_far,
            "supported": point.supported,
            "people": point.people,
            "effective_people": point.effective_people,
            "people_needed": point.people_needed,
            **{name: at_point[name] for name in ("threshold", "far", "far_interval", "frr", "frr_interval")},
        },
    }
    backbone = str(results["backbone"])
    curves.write_all(test.rows, test.labels, test.scores, table, params.threshold, point.threshold, backbone)
    write_text(EVALUATION, json.dumps(rounded(results), indent=2) + "\n")
    figures = {name: rounded(at_point[name]) for name in ("far", "far_interval", "frr", "frr_interval")}
    point.write(OPERATING_POINT, MODEL, **figures)
    print(summarise(results))


if __name__ == "__main__":
    run_stage("evaluate", main, [EVALUATION, OPERATING_POINT, *curves.FILES])
