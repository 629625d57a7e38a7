"""Stage evaluate: what each threshold would do with faces that the model did not see, and which one to serve with.

Reads the scores that stage train wrote of faces kept out of training. Writes reports/evaluation_results.json, curves
(reports/*.csv for `dvc plots`, reports/*.png for people) and models/operating_point.json. FAR is the share of other
people's faces that a threshold accepts (false acceptance), FRR the share of the person's own that it rejects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.metrics import average_precision_score

from faces.operating_point import OperatingPoint, strangers_are
from stages.errors import StageError
from stages.estimation.held_out import HeldOutScores, load_held_out
from stages.estimation.rates import (
    calibration_error,
    classification_metrics,
    error_rates,
    rates_with_intervals,
    refuses_many,
)
from stages.evaluate import curves, operating_point
from stages.evaluate.thresholds import analyse_thresholds, threshold_table
from stages.files.paths import CONTACT_SHEET, EVALUATION, METRICS, MODEL, OPERATING_POINT, QUALITY_CSV
from stages.files.tables import read_json, rounded, write_json
from stages.language.telling import tell
from stages.params import EvaluateParams, load_params

OUTPUTS = (EVALUATION, OPERATING_POINT, *curves.FILES)


@dataclass(frozen=True)
class Evaluation:
    """What the held-out scores say.

    Attributes:
        results: the content of evaluation_results.json.
        thresholds: error rates by threshold, as `threshold_table` has them.
        operating_point: the threshold chosen for `evaluate.target_far`.
        figures_at_point: FAR and FRR there on the test faces, with their intervals.
    """

    results: dict[str, Any]
    thresholds: pd.DataFrame
    operating_point: OperatingPoint
    figures_at_point: dict[str, Any]


def summarise(results: dict[str, Any]) -> str:
    """What the stage says on the terminal."""
    at, point = results["threshold_analysis"]["at_default"], results["operating_point"]
    lines = [
        tell(
            "evaluate: at {threshold:g}: FAR {far:.2f} % (95 %: below {far_high:.2f} %), FRR {frr:.2f} % (below "
            "{frr_high:.2f} %)",
            threshold=results["threshold"], far=100 * at["far"], far_high=100 * at["far_interval"]["high"],
            frr=100 * at["frr"], frr_high=100 * at["frr_interval"]["high"],
        ),
        tell(
            "  for a FAR of {target:g} %: threshold {threshold:.4f}, FRR {frr:.2f} %",
            target=100 * point["target_far"], threshold=point["threshold"], frr=100 * point["frr"],
        ),
    ]  # fmt: skip
    if refuses_many(point["frr"]):
        faces = results["test_faces"]["me"]
        text = (
            "  that threshold would refuse about {refused} of {faces:# face|# faces} of me: first look at the photos "
            "that {table} names and {sheet} shows, then run 'dvc repro' again"
        )
        refused = round(point["frr"] * faces)
        lines.append(tell(text, refused=refused, faces=faces, table=QUALITY_CSV, sheet=CONTACT_SHEET))
    if not point["supported"]:
        strangers = strangers_are(point["people"], point["effective_people"])
        text = "  {strangers} too few to promise that: it takes {needed}, each with as many faces as the others"
        lines.append(tell(text, strangers=strangers, needed=point["people_needed"]))
    return "\n".join(lines)


def judge(parts: dict[str, HeldOutScores], trained: dict[str, Any], params: EvaluateParams) -> Evaluation:
    """Choose thresholds and say what they do.

    Args:
        parts: scores of held-out faces, "test" and perhaps "validation".
        trained: the content of metrics.json.
        params: the parameters.
    """
    test = parts["test"]
    # A threshold chosen on the very faces that judge it looks better than it is: validation faces choose, if any.
    chosen_on = "validation" if "validation" in parts else "test"
    chooser = parts[chosen_on]
    table = threshold_table(chooser, params.thresholds, params.bootstrap)
    strangers = chooser.labels == 0
    point = operating_point.choose(
        chooser.scores[strangers], chooser.groups[strangers], params.target_far, params.bootstrap
    )
    analysis = analyse_thresholds(chooser, table, params, point.threshold)
    at_default = classification_metrics(test.labels, test.scores, params.threshold)
    at_point = rates_with_intervals(test, point.threshold, params.bootstrap)
    figures = {name: at_point[name] for name in ("far", "far_interval", "frr", "frr_interval")}
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
            "threshold": at_point["threshold"],
            **figures,
        },
    }
    return Evaluation(results, table, point, figures)


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params().evaluate
    parts = load_held_out()
    trained = read_json(METRICS, "train")
    if not MODEL.is_file():
        raise StageError("there is no {model}: run 'dvc repro' (or 'python -m stages.train') first", model=MODEL)
    judged = judge(parts, trained, params)
    point = judged.operating_point
    backbone = str(trained.get("backbone"))
    curves.write_all(parts["test"], judged.thresholds, params.threshold, point.threshold, backbone)
    write_json(EVALUATION, judged.results)
    point.write(OPERATING_POINT, MODEL, **rounded(judged.figures_at_point))
    print(summarise(judged.results))
