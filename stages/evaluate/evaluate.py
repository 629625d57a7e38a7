"""Stage evaluate: what each threshold would do with faces that the model did not see, and which one to serve with.

Reads the scores that stage train wrote of faces kept out of training. Writes reports/evaluation_results.json, curves
(reports/*.csv for `dvc plots`, reports/*.png for people), models/operating_point.json and its record. FAR is the share
of other people's faces that a threshold accepts (false acceptance), FRR the share of the person's own that it rejects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from faces.operating_point import OperatingPoint
from faces.verifier import Verifier
from stages.estimation.held_out import HeldOutScores, load_held_out
from stages.estimation.intervals import is_no_bound
from stages.estimation.rates import calibration_error, classification_metrics, error_rates, refuses_many
from stages.evaluate import curves, operating_point
from stages.evaluate.thresholds import analyse_thresholds, describe, threshold_table
from stages.files.making import made_from
from stages.files.paths import (
    CONTACT_SHEET,
    EVALUATE_RECORD,
    EVALUATION,
    METRICS,
    MODEL,
    MODELS,
    OPERATING_POINT,
    PREDICTIONS,
    QUALITY_CSV,
    SCALER,
)
from stages.files.photos import CLASSES
from stages.files.tables import read_json, rounded, write_json
from stages.language.telling import number, tell
from stages.params import EvaluateParams, load_params

OUTPUTS = (EVALUATION, OPERATING_POINT, EVALUATE_RECORD, *curves.FILES)


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
    """What the stage says on the terminal: what own strangers promise and show, and what is estimated, apart."""
    at, point = results["threshold_analysis"]["at_default"], results["operating_point"]
    text = "evaluate: at {threshold:g}: FRR {frr:.2f} % (95 %: below {frr_high:.2f} %)"
    if is_no_bound(at["frr_interval"]["high"]):
        text = "evaluate: at {threshold:g}: FRR {frr:.2f} % (photos of me are too few to say more)"
    lines = [
        tell(
            text, threshold=results["threshold"], frr=100 * at["frr"], frr_high=100 * at["frr_interval"]["high"],
        )
    ]  # fmt: skip
    lines += [*_about_far(at, point, results["estimated_for"] == "like_me"), *_about_target(results)]
    if point["people"] and not point["supported"]:
        people, worth = point["people"], point["effective_people"]
        text = "  measured, not promised: a promise takes faces of {needed} strangers, and the test had {people}"
        if worth < people:
            text = (
                "  measured, not promised: a promise takes faces of {needed} strangers, and the test had "
                "{people} (worth {effective}: several faces of one person or one photo say less than as many people)"
            )
        lines.append(tell(text, people=people, effective=worth, needed=point["people_needed"]))
    return "\n".join(lines)


def _about_far(at: dict[str, Any], point: dict[str, Any], for_like_me: bool) -> list[str]:
    """What is known of the strangers whom the default threshold lets in: promised, measured, estimated."""
    if point["people"]:
        text = "  FAR: measured {far:.2f} %; promised, with 95 % confidence: below {far_high:.2f} %"
        if is_no_bound(at["far_interval"]["high"]):
            text = "  FAR: measured {far:.2f} %; promised: nothing, since there are too few photos of others"
        lines = [tell(text, far=100 * at["far"], far_high=100 * at["far_interval"]["high"])]
    else:
        lines = [tell("  FAR: without photos of others, nothing is measured and nothing can be promised")]
    if at["far_estimated"] is not None:
        text = "  FAR, estimated for strangers like those of the population: {far} %"
        if for_like_me:
            text = "  FAR, estimated for those strangers of the population who resemble me: {far} %"
        lines.append(tell(text, far=number(100 * at["far_estimated"], ".2g")))
    return lines


def _about_target(results: dict[str, Any]) -> list[str]:
    """The thresholds for `evaluate.target_far`."""
    point, lines = results["operating_point"], []
    target = 100 * point["target_far"]
    if point["people"]:
        text = (
            "  for a FAR of {target:g} %: threshold {threshold:.4f} (promised), FRR {frr:.2f} %"
            if point["supported"]
            else "  for a FAR of {target:g} %: threshold {threshold:.4f} (measured), FRR {frr:.2f} %"
        )
        lines.append(tell(text, target=target, threshold=point["threshold"], frr=100 * point["frr"]))
        if not point["supported"] and (point["far_estimated"] or 0) > point["target_far"]:
            said = "  it is estimated that {far} % of strangers reach that threshold, so do not serve it"
            lines.append(tell(said, far=number(100 * point["far_estimated"], ".2g")))
        if refuses_many(point["frr"]):
            faces = results["test_faces"]["me"]
            text = (
                "  that threshold would refuse about {refused} of {faces:# face|# faces} of me: first look at the "
                "photos that {table} names and {sheet} shows, then run 'dvc repro' again"
            )
            refused = round(point["frr"] * faces)
            lines.append(tell(text, refused=refused, faces=faces, table=QUALITY_CSV, sheet=CONTACT_SHEET))
    if point["estimated_threshold"] is not None:
        text = "  for a FAR of {target:g} %: threshold {threshold:.4f} (estimated), FRR {frr:.2f} %"
        there = {"threshold": point["estimated_threshold"], "frr": 100 * point["at_estimated"]["frr"]}
        lines.append(tell(text, target=target, **there))
    return lines


def judge(
    parts: dict[str, HeldOutScores], trained: dict[str, Any], params: EvaluateParams, verifier: Verifier
) -> Evaluation:
    """Choose thresholds and say what they do.

    Args:
        parts: scores of held-out faces, "test" and perhaps "validation".
        trained: the content of metrics.json.
        params: the parameters.
        verifier: the model that serves, which may know how many of all strangers reach a score.
    """

    def estimate(threshold: float) -> float | None:
        shares = verifier.strangers_like(np.array([threshold]))
        return None if shares is None else float(shares[0])

    test = parts["test"]
    # A threshold chosen on the very faces that judge it looks better than it is: validation faces choose, if any.
    chosen_on = "validation" if "validation" in parts else "test"
    chooser = parts[chosen_on]
    table = threshold_table(chooser, params.thresholds, params.bootstrap)
    strangers = chooser.labels == 0
    point = operating_point.choose(
        chooser.scores[strangers], chooser.groups[strangers], params, verifier.score_reached_by(params.target_far)
    )
    analysis = analyse_thresholds(chooser, table, params, point.threshold, estimate)
    table["far_estimated"] = verifier.strangers_like(table["threshold"].to_numpy())
    at_default = classification_metrics(test.labels, test.scores, params.threshold)
    at_point = describe(point.threshold, test, params, estimate)
    figures = {name: at_point[name] for name in ("far", "far_interval", "frr", "frr_interval", "far_estimated")}
    best = analysis["optimal_threshold_f1"]
    estimated = point.estimated_threshold
    at_estimated = None if estimated is None else describe(estimated, test, params, estimate)
    at_best = None if math.isnan(best) else error_rates(test.labels, test.scores, best)
    results = {
        "backbone": trained.get("backbone"),
        "verifier": trained.get("verifier"),
        "test_faces": test.count_faces(),
        "test_groups": test.count_groups(),
        "threshold": params.threshold,
        "estimated_for": trained.get("population", {}).get("strangers"),
        "metrics": {
            **{name: value for name, value in at_default.items() if name != "classification_report"},
            "average_precision": average_precision(test),
            "expected_calibration_error": calibration_error(test.labels, test.scores),
        },
        "threshold_analysis": {"chosen_on": chosen_on, **analysis},
        "at_optimal_threshold_f1": at_best,
        "operating_point": {
            "target_far": point.target_far,
            "supported": point.supported,
            "basis": point.basis,
            "estimated_threshold": point.estimated_threshold,
            "at_estimated": at_estimated,
            "people": point.people,
            "effective_people": point.effective_people,
            "people_needed": point.people_needed,
            "threshold": at_point["threshold"],
            **figures,
        },
    }
    return Evaluation(results, table, point, figures)


def average_precision(held_out: HeldOutScores) -> float:
    """Of the classes as frequent as they are; NaN where one is missing."""
    if len(np.unique(held_out.labels)) < len(CLASSES):
        return math.nan
    return float(average_precision_score(held_out.labels, held_out.scores))


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params().evaluate
    parts = load_held_out()
    trained = read_json(METRICS, "train")
    verifier = Verifier.load(MODEL, SCALER)
    judged = judge(parts, trained, params, verifier)
    point = judged.operating_point
    backbone = str(trained.get("backbone"))
    curves.write_all(parts["test"], judged.thresholds, params.threshold, point.threshold, backbone, verifier)
    write_json(EVALUATION, judged.results)
    making = made_from("evaluate", [MODEL, METRICS, PREDICTIONS], {"evaluate": params}, ["numpy", "scikit-learn"])
    point.write(MODELS, MODEL, rounded(judged.figures_at_point), making, backbone)
    print(summarise(judged.results))
