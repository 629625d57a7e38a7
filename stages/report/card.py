"""The model's card (`faces.model_card`): the figures of an evaluation in short, and its charts, beside the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from faces import model_card
from faces.message import Message
from faces.model_card import Figure, FigureName, ModelCard, Note, Photos, Plot, Rates, Text
from faces.operating_point import OperatingPoint
from stages.estimation.intervals import is_no_bound
from stages.files.degradation_kinds import DEGRADATION_KINDS
from stages.files.making import made_from
from stages.files.paths import (
    CARD,
    EVALUATION,
    METRICS,
    MODEL,
    MODELS,
    OPERATING_POINT,
    REPORT_RECORD,
    REPORTS,
    ROBUSTNESS,
    THRESHOLDS_CSV,
    VERIFIER_ARRAYS,
)
from stages.files.tables import Record, read_records, reading_output_of
from stages.language.telling import Language, number, speaking, spoken, tell
from stages.report.rendering import LEAST_ESTIMATE

PLOTS = {
    "scores": "evaluate",
    "threshold_analysis": "evaluate",
    "det_curve": "evaluate",
    "calibration": "evaluate",
    "robustness": "robustness",
}
"""Charts of reports/ that the card has, in their order, and the stages that write them."""

OF_OTHERS = ("det_curve", "calibration")
"""Charts that say nothing without photos of others."""

OUTPUTS = (CARD / model_card.NAME, *(CARD / f"{name}.png" for name in PLOTS), REPORT_RECORD)

_COLUMNS = ("far", "far_low", "far_high", "far_estimated", "frr", "frr_low", "frr_high")
_MOST_ROWS = 1000  # of the table; params.yaml may ask for more thresholds than anybody needs here


def write(content: Mapping[str, Any], index: pd.DataFrame, language: Language) -> None:
    """Write the card of the model on the disk, its charts and their record.

    Args:
        content: the report's figures; dataset is not needed.
        index: column photo, a row for each face that is used.
        language: of the charts.

    Raises:
        StageError: what another stage writes is missing or damaged.
        OperatingPointError: the operating point is of another model.
    """
    table = read_records(THRESHOLDS_CSV, "evaluate", ["threshold", *_COLUMNS])
    rates = rates_of(table, content["evaluation"], OperatingPoint.read(OPERATING_POINT, MODEL))
    card = describe(content, index, rates, language)
    pictures = {plot.name: _read(plot.name) for plot in card.plots}
    inputs = [MODEL, METRICS, EVALUATION, OPERATING_POINT, ROBUSTNESS, THRESHOLDS_CSV, *map(_path, pictures)]
    model_card.write(MODELS, card, pictures, made_from("report", inputs, {"language": language}, []))


def _path(name: str) -> Path:
    return REPORTS / f"{name}.png"


def _read(name: str) -> bytes:
    with reading_output_of(PLOTS[name], _path(name)):
        return _path(name).read_bytes()


def describe(content: Mapping[str, Any], index: pd.DataFrame, rates: Rates, language: Language) -> ModelCard:
    """The card's content; arguments as `write` has them, and the rates along the threshold."""
    results, metrics = content["evaluation"], content["metrics"]
    now = datetime.now(UTC)
    photos = {name: int(index.loc[index["photo"].str.startswith(f"{name}/"), "photo"].nunique()) for name in _CLASSES}
    return ModelCard(
        format=model_card.FORMAT,
        model_sha256=content["model_sha256"],
        backbone=str(results["backbone"]),
        verifier=str(results["verifier"]),
        trained=_time(datetime.fromtimestamp(VERIFIER_ARRAYS.stat().st_mtime, UTC)),
        written=_time(now),
        language=language,
        photos=Photos(**photos, people=metrics["people"]["not_me"]),
        threshold=results["threshold"],
        figures=[*rates.at(results["threshold"]), *_of_all_thresholds(results, rates.people)],
        rates=rates,
        notes=[*_not_measured(content), *_limits(content)],
        plots=[_plot(name, content) for name in PLOTS if rates.people or name not in OF_OTHERS],
    )


_CLASSES = ("me", "not_me")


def _time(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def rates_of(table: Sequence[Record], results: Mapping[str, Any], point: OperatingPoint) -> Rates:
    """FAR and FRR along the threshold, and exactly at those thresholds that the service may choose by itself.

    Args:
        table: threshold_analysis.csv.
        results: evaluation_results.json.
        point: the operating point, whose thresholds are exact, which those in `results` are not.
    """
    step = math.ceil(len(table) / _MOST_ROWS)
    kept = [*table[::step], *table[-1:]]
    rows = {float(row["threshold"]): [_share(row[name]) for name in _COLUMNS] for row in kept}
    analysis = results["threshold_analysis"]
    named = [(results["threshold"], analysis["at_default"]), (point.threshold, analysis["at_target_far"])]
    if point.estimated_threshold is not None and analysis["chosen_on"] == "test":  # else of other faces than the table
        named.append((point.estimated_threshold, results["operating_point"]["at_estimated"]))
    for threshold, at in named:
        if at is not None:
            rows[threshold] = [
                *(at["far"], at["far_interval"]["low"], at["far_interval"]["high"], at["far_estimated"]),
                *(at["frr"], at["frr_interval"]["low"], at["frr_interval"]["high"]),
            ]
    thresholds = sorted(rows)
    columns = dict(zip(_COLUMNS, zip(*(rows[threshold] for threshold in thresholds), strict=True), strict=True))
    columns["far_estimated"] = tuple(map(_told_from_none, columns["far_estimated"]))
    return Rates(threshold=thresholds, people=point.people, **{name: list(column) for name, column in columns.items()})


def _share(text: str) -> float | None:
    return float(text) if text else None


def _told_from_none(estimate: float | None) -> float | None:
    """An estimated share, or the least that is told from none: as in the report."""
    return None if estimate is None else max(estimate, LEAST_ESTIMATE)


def _of_all_thresholds(results: Mapping[str, Any], people: int) -> list[Figure]:
    """Figures that no single threshold has; both need photos of others."""
    equal, area = results["threshold_analysis"]["equal_error_rate"]["eer"], results["metrics"]["auc_roc"]
    known: dict[FigureName, float | None] = {"eer": equal, "auc": area}
    return [Figure(name, value, None, "measured", None, people) for name, value in known.items() if value is not None]


# What is said -----------------------------------------------------------------------------------------------------


def _in_both(say: Message | Callable[[], str]) -> Text:
    """A message, or what a function says, in each language."""
    said = {}
    for language in get_args(Language):
        with speaking(language):
            said[language] = tell(say) if isinstance(say, Message) else say()
    return Text(**said)


def _not_measured(content: Mapping[str, Any]) -> list[Note]:
    """What the figures lack, and why."""
    results, known = content["evaluation"], content["metrics"]["population"]
    at, people = results["threshold_analysis"]["at_default"], results["operating_point"]["people"]
    said = []
    if not people:
        said.append(
            Message(
                "There are no photos of other people (not_me), so how many strangers get in is neither measured nor "
                "promised, and neither EER nor AUC is known."
            )
        )
    elif is_no_bound(at["far_interval"]["high"]):
        said.append(Message("There are too few strangers to promise anything about how many get in."))
    if not known["used"] and known["reason"] == "contradicted":
        said.append(
            Message(
                "How many strangers in general get in is not estimated: the photos of other people do not look like "
                "those that estimates are made from. So it is with drawn faces."
            )
        )
    elif not known["used"]:
        said.append(
            Message(
                "How many strangers in general get in is not estimated: for this network and this verifier it is not "
                "known how strangers' faces are spread."
            )
        )
    if not content["fairness"]["groups"]:
        said.append(Message("Groups of people were not compared: nothing says who belongs to which."))
    return [Note("not_measured", _in_both(text)) for text in said]


def _limits(content: Mapping[str, Any]) -> list[Note]:
    """What the figures do not cover."""
    results, known = content["evaluation"], content["metrics"]["population"]
    said = []
    if results["operating_point"]["people"] and results["threshold_analysis"]["at_default"]["far"] == 0:
        said.append(Message("That no stranger got in does not mean that none ever will."))
    if known["used"] and known["strangers"] == "like_me":
        said.append(Message("Estimates are for strangers who resemble me; relatives and twins are not covered."))
    elif known["used"]:
        text = (
            "Among people who resemble me, about {factor:.3g} times as many get in as estimated; relatives and twins "
            "are not covered."
        )
        said.append(Message(text, factor=float(f"{known['like_me_factor']:.2g}")))  # more would look exact
    said += [
        Message(
            "The figures hold for photos like those that they were measured on: another camera, light or other people "
            "may give others."
        ),
        Message(
            "Whether a living person is before the camera is not checked: a printed photo may pass for the person."
        ),
    ]
    return [Note("limit", _in_both(text)) for text in said]


def _plot(name: str, content: Mapping[str, Any]) -> Plot:
    title, describe_it = _ABOUT[name]
    return Plot(name, _in_both(title), _in_both(lambda: describe_it(content)))


def _percent(share: float) -> str:
    return f"{number(100 * share, '.3g')} %"


def _about_scores(content: Mapping[str, Any]) -> str:
    at = content["evaluation"]["threshold_analysis"]["at_default"]
    if not content["evaluation"]["operating_point"]["people"]:
        text = "Histogram of scores from 0 to 1. At the threshold {threshold}, {frr} of the photos of me lie below."
        return tell(text, threshold=number(at["threshold"]), frr=_percent(at["frr"]))
    text = (
        "Histogram of scores from 0 to 1: other people low, me high. At the threshold {threshold}, {far} of other "
        "people lie above and {frr} of the photos of me below."
    )
    return tell(text, threshold=number(at["threshold"]), far=_percent(at["far"]), frr=_percent(at["frr"]))


def _about_thresholds(content: Mapping[str, Any]) -> str:
    at = content["evaluation"]["threshold_analysis"]["at_default"]
    said = [tell("Curves from threshold 0 to 1: the share of strangers accepted falls, that of photos of me rejected "
                 "rises.")]  # fmt: skip
    high = at["far_interval"]["high"]
    figures = (
        (Message("FAR {share} (measured)"), at["far"]),
        (Message("FAR below {share} (promised)"), None if is_no_bound(high) else high),
        (Message("FAR {share} (estimated)"), at["far_estimated"]),
        (Message("FRR {share} (measured)"), at["frr"]),
    )
    known = [tell(text, share=_percent(share)) for text, share in figures if share is not None]
    said.append(tell("At {threshold}: {figures}.", threshold=number(at["threshold"]), figures="; ".join(known)))
    return " ".join(said)


def _about_det(content: Mapping[str, Any]) -> str:
    equal = content["evaluation"]["threshold_analysis"]["equal_error_rate"]["eer"]
    return tell("A curve of FRR over FAR, from 0.01 % to 50 % each. They are equal at {eer}.", eer=_percent(equal))


def _about_calibration(content: Mapping[str, Any]) -> str:
    error = content["evaluation"]["metrics"]["expected_calibration_error"]
    return tell(
        "The share of faces that are me, for each tenth of the score, beside the diagonal of a perfect score. The mean "
        "distance from it is {error}.",
        error=_percent(error),
    )


def _about_robustness(content: Mapping[str, Any]) -> str:
    doubled = content["robustness"]["frr_doubles_at"]
    steps = [
        f"{kind.title(spoken())} {number(doubled[name])} ({kind.unit(spoken())})"
        for name, kind in DEGRADATION_KINDS.items()
        if doubled.get(name) is not None
    ]
    text = "A table of ways to make a photo worse, step by step, with the share of photos of me rejected."
    if not steps:
        return tell(text)
    return tell("{table} The first steps that reject clearly more: {steps}.", table=tell(text), steps="; ".join(steps))


_ABOUT: dict[str, tuple[Message, Callable[[Mapping[str, Any]], str]]] = {
    "scores": (Message("Scores of faces that the model had not seen"), _about_scores),
    "threshold_analysis": (Message("Errors by threshold"), _about_thresholds),
    "det_curve": (Message("Strangers accepted, against photos of me rejected"), _about_det),
    "calibration": (Message("Whether a score is a probability"), _about_calibration),
    "robustness": (Message("Worse photos"), _about_robustness),
}
"""What each chart shows, and what is to be seen on it."""
