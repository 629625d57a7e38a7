"""Each figure stands where it belongs, in both languages: no two are alike, and each section's are looked up in order.

Words between them are the translators'; figures come in one order in both languages.
"""

from __future__ import annotations

import datetime
import math
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stages.files.problem_kinds import PROBLEM_NAMES
from stages.report import rendering
from stages.report.latency import STEPS
from tests.stages.report.support import SECTIONS, made_up_values, numbers_in, section

LANGUAGES = pytest.mark.parametrize("language", ["es", "en"])
Values = dict[str, Any]


@pytest.fixture
def values() -> Values:
    return made_up_values()


def all_numbers(value: Any) -> set[float]:
    """Every number that a report may print of some values: as it is, as a percentage, of a thousand."""
    if isinstance(value, dict):
        return set().union(*(all_numbers(item) for item in value.values())) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*(all_numbers(item) for item in value)) if value else set()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return set()
    return {float(value), pct(value), round(1000 * value), math.ceil(1000 * value - 1e-9)}


def pct(rate: float) -> float:
    return round(100 * rate, 1)


def told(values: Values, language: str, english: str, beside: set[float] | None = None) -> list[float]:
    """The figures of a section in its order, but for numbers that are no figures of this data set (95 %, 1000)."""
    text = section(rendering.render_markdown(language, values), language, english)
    text = text.replace(datetime.date.today().isoformat(), "")  # it might be a figure's number
    figures = {name: value for name, value in values.items() if name not in ("params", "manifest")}
    known = all_numbers(figures) | (beside or set())
    return [number for number in numbers_in(text, language) if number in known]


def span(interval: dict[str, float]) -> list[float]:
    return [pct(interval["low"]), pct(interval["high"])]


def test_no_two_figures_are_alike(values: Values) -> None:
    """Or a figure in the wrong place would look right."""

    def leaves(value: Any) -> list[float]:
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        if isinstance(value, list):
            return [leaf for item in value for leaf in leaves(item)]
        return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) and value else []

    figures = leaves({name: value for name, value in values.items() if name not in ("params", "manifest")})
    figures.remove(values["evaluation"]["operating_point"]["estimated_threshold"])  # which at_estimated has too
    figures.remove(2.0)  # how many groups of light there are, which no report prints
    assert len(figures) == len(set(figures)) > 110
    rates = [figure for figure in figures if figure < 1]
    assert len({pct(rate) for rate in rates}) > 0.9 * len(rates)


@LANGUAGES
def test_the_summary(values: Values, language: str) -> None:
    evaluation, robustness = values["evaluation"], values["robustness"]
    at, point = evaluation["threshold_analysis"]["at_default"], evaluation["operating_point"]
    worst = robustness["worst_far"]

    def row(of: dict[str, Any], threshold: float) -> list[float]:
        return [threshold, pct(of["far_interval"]["high"]), pct(of["far"]), pct(of["far_estimated"]), pct(of["frr"])]

    shown = round(at["threshold"], 2)
    start = [
        *row(at, shown), *row(point, point["threshold"]),
        *row(point["at_estimated"], point["at_estimated"]["threshold"]),
        evaluation["test_groups"]["not_me"], shown, math.ceil(1000 * at["far_interval"]["high"]),
        values["metrics"]["protocol"]["repeats"], 6.8, shown, pct(at["frr_interval"]["high"]),
        34.5, worst["accepted"], worst["photos"], pct(worst["far"]), pct(robustness["undegraded"]["far"]),
        pct(point["target_far"]),
    ]  # fmt: skip
    beside = {shown, 6.8}
    assert told(values, language, "Summary", beside) == [*start, point["people_needed"], 250, 180]
    point["effective_people"] = 250
    assert told(values, language, "Summary", beside) == [*start, point["people_needed"], 250]
    point["supported"] = True
    assert told(values, language, "Summary", beside) == start
    text = section(rendering.render_markdown(language, values), language, "Summary")
    assert text.index("FAR") < text.index("FRR")


WORDS = {"en": ("promised", "measured", "estimated"), "es": ("garantizado", "medido", "estimado")}


@LANGUAGES
@pytest.mark.parametrize("english", ["Summary", "Thresholds", "Model card"])
def test_what_is_promised_measured_and_estimated_are_told_apart(values: Values, language: str, english: str) -> None:
    text = section(rendering.render_markdown(language, values), language, english).lower()
    assert all(word in text for word in WORDS[language])


def without_others(values: Values) -> Values:
    """What the stages write where data/not_me is empty: nothing that needs strangers is known."""
    unknown = {"low": None, "high": None}
    evaluation = values["evaluation"]
    point, analysis = evaluation["operating_point"], evaluation["threshold_analysis"]
    for at in (analysis["at_default"], analysis["at_target_far"], point, point["at_estimated"]):
        at |= {"far": None, "far_interval": unknown}
    analysis |= {"at_optimal_f1": None, "at_equal_error_rate": None}
    point |= {"people": 0, "effective_people": 0, "basis": "estimated"}
    for metrics in (evaluation["metrics"], values["metrics"]):
        metrics |= dict.fromkeys({*metrics} & {"accuracy", "auc_roc", "precision", "f1_score",
                                              "expected_calibration_error"})  # fmt: skip
    values["metrics"]["people"]["not_me"] = 0
    values["robustness"]["photos"]["not_me"] = 0
    values["robustness"]["undegraded"]["far"] = None
    values["robustness"]["worst_far"] = None
    values["look_alikes"] = {"remembered": False, "count": 0, "rows": []}
    return values


@LANGUAGES
def test_without_photos_of_others_the_report_says_so_and_estimates(values: Values, language: str) -> None:
    text = rendering.render_markdown(language, without_others(values))
    assert not re.search(r"None(?! of)|\bnan\b|– – –|(below|menos del) –", text)
    summary = section(text, language, "Summary")
    assert ("no photos of others" if language == "en" else "no hay fotos de otras personas") in summary
    point = values["evaluation"]["operating_point"]
    rows = [line for line in summary.splitlines() if line.startswith("| ")][2:]
    assert [line.split(" | ")[2:4] for line in rows] == [["–", "–"]] * 2
    there = point["at_estimated"]
    assert numbers_in(rows[1], language) == [there["threshold"], pct(there["far_estimated"]), pct(there["frr"])]
    assert len([line for line in section(text, language, "Thresholds").splitlines() if line.startswith("| ")]) == 4
    shown = re.findall(r"!\[[^\]]+\]\((\w+)\.png\)", text)
    assert shown == ["threshold_analysis", "scores", "roc_curve", "pr_curve", "robustness"], (
        "the others would show zeros, or nothing"
    )
    assert ("no confusion matrix" if language == "en" else "no hay matriz de confusión") in text
    assert ("DET curve and the calibration are not" if language == "en" else "No se muestran la curva DET ni") in text
    rounds, metrics = values["metrics"]["protocol"]["repeats"], section(text, language, "Metrics")
    assert [numbers_in(said, language).count(rounds) for said in (summary, metrics)] == [1, 1]


@LANGUAGES
def test_what_too_few_photos_cannot_say_is_not_given_as_a_figure(values: Values, language: str) -> None:
    """Three photos of me, of which none is turned away, say nothing: FRR is below 100 %."""
    nothing = {"low": 0.0, "high": 1.0}
    evaluation = values["evaluation"]
    point, analysis = evaluation["operating_point"], evaluation["threshold_analysis"]
    for at in (*(at for at in analysis.values() if isinstance(at, dict)), point, point["at_estimated"]):
        at |= {"far_interval": nothing, "frr_interval": nothing}
    values["recommendations"] = [{"name": "no_stranger_got_in", "people": 3, "below": 1.0}]
    text = rendering.render_markdown(language, values)
    assert not re.search(r"\b100[.,]0 %|\b1000\b(?! stranger)|menos de 1000", text)
    few = {
        "en": ("too few photos", "so few say nothing", "there are too few", "too few to say", "| too few |"),
        "es": ("muy pocas fotos", "con tan pocas no", "hay muy pocos", "no hay bastantes", "| muy pocas |"),
    }
    assert [words for words in few[language] if words not in text] == []
    fine = rendering.render_markdown(language, made_up_values())
    assert [words for words in few[language] if words in fine] == []


@LANGUAGES
def test_the_measured_figure_of_one_split_is_no_mean(values: Values, language: str) -> None:
    mean = "media de las" if language == "es" else "mean of the"
    assert mean in section(rendering.render_markdown(language, values), language, "Summary")
    for protocol in (values["metrics"]["protocol"] | {"repeats": 1}, {"name": "holdout"}):
        values["metrics"]["protocol"] = protocol
        assert mean not in section(rendering.render_markdown(language, values), language, "Summary")


@LANGUAGES
def test_more_strangers_than_estimated_stand_in_the_summary(values: Values, language: str) -> None:
    advice = {"name": "more_than_estimated", "threshold": 0.77, "far": 0.213, "low": 0.114, "estimated": 0.0025,
              "source": "photos of strangers", "cautious": False}  # fmt: skip
    text = rendering.render_markdown(language, values | {"recommendations": [advice]})
    summary = numbers_in(section(text, language, "Summary"), language)
    assert summary.index(21.3) < summary.index(0.25)
    assert "photos of strangers" in section(text, language, "Recommendations")
    assert "`train.strangers: like_me`" in section(text, language, "Recommendations")
    cautious = rendering.render_markdown(language, values | {"recommendations": [advice | {"cautious": True}]})
    assert "like_me" not in section(cautious, language, "Recommendations")


@LANGUAGES
@pytest.mark.parametrize("reason", ["none", "contradicted"])
def test_why_nothing_is_estimated_is_said(values: Values, language: str, reason: str) -> None:
    values["metrics"]["population"] = {"used": False, "reason": reason, "source": "photos of strangers", "people": 7}
    evaluation = values["evaluation"]
    evaluation["operating_point"] |= {"at_estimated": None, "estimated_threshold": None, "far_estimated": None}
    for at in evaluation["threshold_analysis"].values():
        if isinstance(at, dict):
            at["far_estimated"] = None
    text = rendering.render_markdown(language, values)
    summary = section(text, language, "Summary")
    assert not re.search(r"None(?! of)|\bnan\b", text)
    assert ("`backbone.name: dlib-resnet`" in summary) == (reason == "none")
    assert ("photos of strangers" in summary) == (reason == "contradicted")
    assert "`evaluate.accept_estimate: true`" not in summary
    params = values["params"]
    unwanted = replace(params, train=replace(params.train, population="none"))
    text = section(rendering.render_markdown(language, values | {"params": unwanted}), language, "Summary")
    assert ("`train.population`" in text) == (reason == "none") and "dlib-resnet" not in text


@LANGUAGES
@pytest.mark.parametrize("accepted", [True, False])
def test_an_estimated_threshold_is_served_where_that_was_asked_for(
    values: Values, language: str, accepted: bool
) -> None:
    params = values["params"]
    values["params"] = replace(params, evaluate=replace(params.evaluate, accept_estimate=accepted))
    text = section(rendering.render_markdown(language, values), language, "Summary")
    after = text.partition("`VERIFY_THRESHOLD=auto`")[2]
    default = "0,75" if language == "es" else "0.75"
    assert (default in after) != accepted and "`evaluate.accept_estimate" in after


@LANGUAGES
def test_the_look_alikes(values: Values, language: str) -> None:
    """The factor of others, then the user's own; who resembles the user, by the row of the table with the names."""
    alike = values["look_alikes"]
    rows = [value for row in alike["rows"] for value in row.values()]
    bias = [rendering.KNOWN_BIAS[name] for name in ("average", "highest", "women", "east_asian")]
    beside = {*bias, 6.8}
    assert told(values, language, "Look-alikes", beside) == [*bias, 6.8, alike["count"], *rows]
    text = section(rendering.render_markdown(language, values), language, "Look-alikes")
    assert "`train.strangers: like_me`" in text and "`not_me`" in text and "`reports/strangers.csv`" in text
    relatives, twins = ("Relatives", "twins") if language == "en" else ("familiares", "gemelos")
    assert relatives in text and twins in text
    highest = {"remembered": False, "count": 0, "rows": [alike["rows"][0] | {"score_known": None}]}
    assert told(values | {"look_alikes": highest}, language, "Look-alikes", beside) == [*bias, 6.8, *rows[:3]]
    none = {"remembered": True, "count": 0, "rows": []}
    text = section(rendering.render_markdown(language, values | {"look_alikes": none}), language, "Look-alikes")
    assert "| " not in text and " 100 " in text


@LANGUAGES
def test_in_the_cautious_mode_the_estimate_is_of_people_like_me(values: Values, language: str) -> None:
    before = rendering.render_markdown(language, values)
    values["metrics"]["population"]["strangers"] = "like_me"
    after = rendering.render_markdown(language, values)
    for english in ("Summary", "Process"):
        said = "who resemble you" if language == "en" else "que se te parecen"
        summary = section(after, language, english)
        assert said in summary and summary != section(before, language, english)
    assert "6.8" not in section(after, language, "Summary").replace(",", ".")


@LANGUAGES
@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0005, "0.05 %"), (0.001, "0.1 %"), (0.000123, "0.012 %"), (0.0345, "3.5 %"), (0.345, "34 %"), (1.0, "100 %"),
     (0.00002, "0.002 %"), (1e-9, "< 0.0001 %"), (None, "–")],
)  # fmt: skip
def test_an_estimate_has_two_digits(values: Values, language: str, share: float | None, shown: str) -> None:
    at = values["evaluation"]["threshold_analysis"]["at_default"]
    at["far_estimated"] = share
    text = section(rendering.render_markdown(language, values), language, "Summary")
    row = next(line for line in text.splitlines() if line.startswith("| ") and " 0" in line)
    assert row.split(" | ")[4].replace(",", ".") == shown


@LANGUAGES
@pytest.mark.parametrize("suspected", [0, 1, 21])
def test_a_threshold_that_refuses_many_of_me_is_warned_of_where_it_is_named(
    values: Values, language: str, suspected: int
) -> None:
    """Beside the threshold itself and among the advice: what to look at first, and how many it would refuse."""
    advice = {"name": "clear_first", "threshold": 0.8877, "refused": 58, "faces": 63, "suspected": suspected}
    before = rendering.render_markdown(language, values)
    text = rendering.render_markdown(language, values | {"recommendations": [advice]})
    for english in ("Summary", "Recommendations"):
        said = section(text, language, english)
        assert "58" in said and "63" in said and "data_quality.csv" in said and "`dvc repro`" in said
        assert ("contact_sheet.png" in said) == (suspected > 0)
        assert "data_quality.csv" not in section(before, language, english)
    point = section(text, language, "Summary").index("58")
    assert section(text, language, "Summary").rindex("%", 0, point) < point


@LANGUAGES
def test_differences_are_called_others_only_after_one_was_named(values: Values, language: str) -> None:
    def last() -> str:
        return section(rendering.render_markdown(language, values), language, "Fairness").strip().splitlines()[-1]

    other = "Las demás diferencias" if language == "es" else "Other differences"
    assert last().startswith(other)
    values["fairness"]["columns"][0]["differs"] = []
    assert not last().startswith(other) and last().startswith(("Las diferencias", "Differences"))


@LANGUAGES
def test_what_begins_at_zero_does_not_double(values: Values, language: str) -> None:
    words = ("duplica", "dobla") if language == "es" else ("double",)
    robustness = values["robustness"]
    robustness["frr_doubles_at"]["blur"] = None
    for frr in (0.25, 0.0):
        robustness["undegraded"]["frr"] = frr
        text = section(rendering.render_markdown(language, values), language, "Robustness")
        assert any(word in text for word in words) == (frr > 0)


@LANGUAGES
def test_no_table_has_an_empty_heading(values: Values, language: str) -> None:
    page = rendering.render_html(rendering.render_markdown(language, values), language, Path())
    assert page.count("<th") > 20
    assert not re.search(r"<th[^>]*>\s*</th>", page)


def test_english_says_own_photos_not_the_own(values: Values) -> None:
    values["recommendations"] = [entry for entry, _ in ADVICE]
    assert not re.search(r"\bthe own\b", rendering.render_markdown("en", values))


@LANGUAGES
def test_strangers_count_as_fewer_for_the_right_reason(values: Values, language: str) -> None:
    """A bystander on a photo or a near-duplicate is one, too: faces of one photo or person say less together."""
    text = section(rendering.render_markdown(language, values), language, "Summary")
    reason = "several faces of one person or photo" if language == "en" else "varias caras de una misma persona o foto"
    assert reason in text and "more photos" not in text and "más fotos" not in text


@LANGUAGES
def test_what_is_promised_and_what_is_not_read_differently(values: Values, language: str) -> None:
    """`VERIFY_THRESHOLD=auto` serves the point where it is promised, 0.75 where it is not."""
    point = values["evaluation"]["operating_point"]
    default = "0,75" if language == "es" else "0.75"
    for supported in (True, False):
        point["supported"] = supported
        text = section(rendering.render_markdown(language, values), language, "Summary")
        assert "`VERIFY_THRESHOLD=auto`" in text
        assert (f" {default}" in text.partition("VERIFY_THRESHOLD=auto")[2]) == (not supported)


@LANGUAGES
def test_the_data(values: Values, language: str) -> None:
    parts = ("photos", "with_face", "no_face", "unusable", "faces_used", "distinct_faces")
    rows = [[values["dataset"][name][part] for part in parts] for name in ("me", "not_me")]
    expected = [*rows[0], *rows[1], values["metrics"]["people"]["not_me"], values["metrics"]["not_enrolled"],
                *list(values["quality"].values())[:2]]  # fmt: skip
    assert told(values, language, "Data") == expected
    text = section(rendering.render_markdown(language, values), language, "Data")
    assert text.index("`me`") < text.index(str(rows[0][0])) < text.index("`not_me`") < text.index(str(rows[1][0]))
    without = {**values, "quality": {"suspected_me": 0}}
    assert told(without, language, "Data") == expected[:-2]
    values["metrics"]["not_enrolled"] = 0
    changed = rendering.render_markdown(language, values)
    blurred = "borrosas de `me`" if language == "es" else "blurred ones of `me`"
    assert "min_sharpness" in text and "min_sharpness" not in section(changed, language, "Data")
    assert blurred not in section(changed, language, "What was trained on what")


@LANGUAGES
def test_the_process(values: Values, language: str) -> None:
    def numbers(changed: Values) -> list[float]:
        known = {0.6125, 0.7375, 0.8625, 0.9175, 163.0, 517.0, 777.0, 555.0, 0.375}
        text = section(rendering.render_markdown(language, changed), language, "Process")
        return [number for number in numbers_in(text, language) if number in known]

    start = [0.6125, 0.7375, 0.8625, 0.9175, 163, 163, 517]
    assert numbers(values) == start, "with a population there is no regression"
    values["metrics"]["population"] = {"used": False, "reason": "none"}
    assert numbers(values) == [*start, 777, 0.375]
    params = values["params"]
    contract = replace(params, train=replace(params.train, verifier="logistic_regression"))
    assert numbers(values | {"params": contract}) == [*start, 555]
    assert "balanced" in section(
        rendering.render_markdown(language, values | {"params": contract}), language, "Process"
    )
    assert "network-a" in section(rendering.render_markdown(language, values), language, "Process")


@LANGUAGES
def test_how_faces_are_cut_and_embedded_is_said_as_it_was(values: Values, language: str) -> None:
    def process(**changes: Any) -> str:
        return section(rendering.render_markdown(language, values | changes), language, "Process")

    params = values["params"]
    plain = process(params=replace(params, embed=replace(params.embed, flip=False)))
    negated = "sin promediar" if language == "es" else "not averaged"
    assert negated in plain and negated not in process()
    values["manifest"].crop.alignment = "box"
    by_box = process()
    values["manifest"].crop.alignment = "similarity"
    five = "cinco" if language == "es" else "five"
    assert five in process() and five not in by_box


@LANGUAGES
def test_what_was_trained_on_what(values: Values, language: str) -> None:
    metrics, english = values["metrics"], "What was trained on what"
    faces, protocol = metrics["faces"], metrics["protocol"]
    assert told(values, language, english) == [
        protocol["folds"], protocol["repeats"], faces["train"]["me"], faces["train"]["not_me"],
    ]  # fmt: skip
    metrics["protocol"] = {"name": "holdout"}
    parts = [faces[part][name] for part in ("train", "test", "validation") for name in ("me", "not_me")]
    assert told(values, language, english, {4242.0}) == [4242, *parts]
    del faces["validation"]
    assert told(values, language, english, {4242.0}) == [4242, *parts[:4]]


@LANGUAGES
def test_the_metrics(values: Values, language: str) -> None:
    metrics, evaluation = values["metrics"], values["evaluation"]
    names = ("accuracy", "auc_roc", "precision", "recall", "f1_score")
    rows = [value for name in names for value in (metrics[name], evaluation["metrics"][name])]
    expected = [round(evaluation["threshold"], 2), *rows, evaluation["metrics"]["expected_calibration_error"],
                metrics["protocol"]["repeats"]]  # fmt: skip
    assert told(values, language, "Metrics", {expected[0]}) == expected
    text = section(rendering.render_markdown(language, values), language, "Metrics")
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    for label, name in (("accuracy", "accuracy"), ("auc", "auc_roc"), ("precisi", "precision"), ("recall", "recall"),
                        ("f1", "f1_score")):  # fmt: skip
        (line,) = [line for title, line in lines.items() if label in title.lower()]
        assert numbers_in(line.partition("|")[2].partition("|")[2], language) == [
            metrics[name], evaluation["metrics"][name],
        ]  # fmt: skip


@LANGUAGES
def test_the_thresholds(values: Values, language: str) -> None:
    analysis = values["evaluation"]["threshold_analysis"]
    rows = []
    for name in ("at_default", "at_target_far", "at_optimal_f1", "at_equal_error_rate"):
        at = analysis[name]
        rows += [at["threshold"], pct(at["far"]), *span(at["far_interval"]), pct(at["far_estimated"]), pct(at["frr"]),
                 *span(at["frr_interval"])]  # fmt: skip
    assert told(values, language, "Thresholds") == rows
    text = section(rendering.render_markdown(language, values), language, "Thresholds")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    heading, (service, _, best, equal) = lines[0], lines[2:]
    assert 0 < heading.index("FAR") < heading.index("FRR")
    assert "F1" in best and "EER" in equal and "servic" in service
    validation = values["evaluation"] | {"threshold_analysis": analysis | {"chosen_on": "validation"}}
    words = "validaci" if language == "es" else "validation"
    assert words not in text
    changed = rendering.render_markdown(language, values | {"evaluation": validation})
    assert words in section(changed, language, "Thresholds")


@LANGUAGES
def test_the_robustness(values: Values, language: str) -> None:
    robustness, worst = values["robustness"], values["robustness"]["worst_far"]
    expected = [
        robustness["photos"]["me"], robustness["photos"]["not_me"],
        pct(robustness["undegraded"]["frr"]), pct(robustness["undegraded"]["far"]),
        *robustness["frr_doubles_at"].values(),
        34.5, worst["accepted"], worst["photos"], pct(worst["far"]), pct(robustness["undegraded"]["far"]),
    ]  # fmt: skip
    assert told(values, language, "Robustness") == expected
    text = section(rendering.render_markdown(language, values), language, "Robustness")
    assert text.index("FRR") < text.index("FAR")
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    words = {"darker": "oscur", "brighter": "clar", "contrast": "contrast", "blur": "desenfo", "noise": "ruido",
             "jpeg": "JPEG", "size": "píxel", "rotation": "gir", "covered": "cubiert"}  # fmt: skip
    for name, line in zip(robustness["frr_doubles_at"], lines, strict=True):
        word = words[name] if language == "es" else {"size": "smaller"}.get(name, name)
        assert word.lower() in line.lower(), name


@LANGUAGES
def test_the_robustness_without_a_photo_of_me(values: Values, language: str) -> None:
    """On all of them, the largest face is somebody else's."""
    robustness = values["robustness"]
    unknown = {"photos": {**robustness["photos"], "me": 0}, "undegraded": {**robustness["undegraded"], "frr": None}}
    report = rendering.render_markdown(language, values | {"robustness": robustness | unknown})
    assert "FRR –, FAR" in section(report, language, "Robustness")


@LANGUAGES
def test_the_fairness(values: Values, language: str) -> None:
    rows = []
    for group in values["fairness"]["groups"]:
        rows += [group["people"], pct(group["far"]), *span(group["far_interval"]), group["photos_me"],
                 pct(group["frr"]), *span(group["frr_interval"])]  # fmt: skip
    assert told(values, language, "Fairness") == [*rows, 0.0123, 0.0234]
    text = section(rendering.render_markdown(language, values), language, "Fairness")
    heading = next(line for line in text.splitlines() if line.startswith("| "))
    assert heading.index("FAR") < heading.index("FRR")
    said = [line for line in text.splitlines() if line.startswith("**")]
    assert ["FAR" in line for line in said] == [True, False]


@LANGUAGES
def test_the_latency(values: Values, language: str) -> None:
    rows = [value for step in STEPS for value in values["latency"][step].values()]
    assert told(values, language, "Latency") == rows
    text = section(rendering.render_markdown(language, values), language, "Latency")
    lines = [line.lower() for line in text.splitlines() if line.startswith("| ")]
    assert lines[0].index("media") < lines[0].index("95")
    words = {"decode": "deco", "detect": "detect", "detect and cut": "cut" if language == "en" else "recort",
             "embed": "embed", "classify": "clas", "whole": "score" if language == "en" else "puntuaci"}  # fmt: skip
    for step, line in zip(STEPS, lines[2:], strict=True):
        assert words[step] in line, step


@LANGUAGES
def test_the_model_card(values: Values, language: str) -> None:
    faces, bias = values["metrics"]["faces"]["train"], rendering.KNOWN_BIAS
    known = values["metrics"]["population"]
    expected = [faces["me"], faces["not_me"], values["metrics"]["people"]["not_me"], known["people"], 6.8,
                bias["average"], bias["highest"]]  # fmt: skip
    assert told(values, language, "Model card", {6.8, *bias.values()}) == expected
    text = section(rendering.render_markdown(language, values), language, "Model card")
    trained = next(line for line in text.splitlines() if f" {faces['me']} " in line)
    assert known["source"] in trained, "the population is data that the model was made of"
    assert "network-a" in text and values["params"].train.verifier in text


ADVICE: list[tuple[dict[str, Any], list[float]]] = [
    ({"name": "add_photos", "class": "me", "count": 11, "recommended": 23}, [11, 23]),
    ({"name": "more_is_better", "class": "not_me", "count": 31}, [31]),
    ({"name": "imbalance", "share": 0.071}, [7.1]),
    ({"name": "copies", "class": "me", "faces": 33, "count": 12}, [33, 12]),
    ({"name": "no_stranger_got_in", "people": 61, "below": 0.0493}, [61, 4.9]),
    ({"name": "strangers_get_in", "far": 0.083, "threshold": 0.8765, "far_there": 0.041, "frr_there": 0.127},
     [8.3, 0.8765, 4.1, 12.7]),
    ({"name": "target_unsupported", "target": 0.0123, "needed": 244, "people": 62, "effective": 44},
     [1.2, 244, 62, 44]),
    ({"name": "target_unsupported", "target": 0.0123, "needed": 244, "people": 62, "effective": 62},
     [1.2, 244, 62]),
    ({"name": "no_strangers", "target": 0.0123, "needed": 244, "factor": 13.57, "cautious": False}, [1.2, 244, 14]),
    ({"name": "more_than_estimated", "threshold": 0.77, "far": 0.213, "low": 0.114, "estimated": 0.0025,
      "source": "photos of strangers", "cautious": False}, [0.77, 21.3, 11.4, 0.25]),
    ({"name": "people_like_me", "factor": 13.57, "cautious": False}, [14]),
    ({"name": "estimate_with", "backbone": "network-a"}, []),
    ({"name": "unusable_photos", "count": 17}, [17]),
    ({"name": "clear_first", "threshold": 0.8877, "refused": 58, "faces": 63, "suspected": 21}, [21, 0.8877, 58, 63]),
    ({"name": "clear_first", "threshold": 0.8877, "refused": 58, "faces": 63, "suspected": 0}, [0.8877, 58, 63]),
    ({"name": "suspected_labels", "count": 19}, [19]),
]  # fmt: skip


@LANGUAGES
@pytest.mark.parametrize(("entry", "expected"), ADVICE, ids=str)
def test_advice_says_its_figures_in_order(
    values: Values, language: str, entry: dict[str, Any], expected: list[float]
) -> None:
    text = section(
        rendering.render_markdown(language, values | {"recommendations": [entry]}), language, "Recommendations"
    )
    found = [number for number in numbers_in(text, language) if number in expected]
    assert found == expected
    if "class" in entry:
        assert f"{entry['class']}`" in text.replace("data/", "`")


@LANGUAGES
def test_advice_names_what_was_used_and_what_was_asked_for(values: Values, language: str) -> None:
    entry = {"name": "stand_in", "backbone": "network-a", "requested": "network-b"}
    text = rendering.render_markdown(language, values | {"recommendations": [entry]})
    advice = section(text, language, "Recommendations")
    assert -1 < advice.index("`network-a`") < advice.index("`network-b`")
    fragile = {"name": "fragile", "degradations": ["blur", "noise"]}
    advice = section(
        rendering.render_markdown(language, values | {"recommendations": [fragile]}), language, "Recommendations"
    )
    words = ("desenfoque", "ruido") if language == "es" else ("blur", "noise")
    assert -1 < advice.index(words[0]) < advice.index(words[1])


@LANGUAGES
def test_sections_stand_in_their_order(values: Values, language: str) -> None:
    text = rendering.render_markdown(language, values)
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == SECTIONS[language]


def test_both_languages_say_the_same_figures(values: Values) -> None:
    """All of them, those of no data set too, section by section and in one order."""
    values["recommendations"] = [entry for entry, _ in ADVICE]
    texts = {language: rendering.render_markdown(language, values) for language in SECTIONS}
    for english in SECTIONS["en"]:
        own = {language: numbers_in(section(text, language, english), language) for language, text in texts.items()}
        assert own["es"] == own["en"], english


MANY = r"\b1 (?!de\b|of\b)(?:[a-záéíóúñ]+ )?[a-záéíóúñ]+s\b|\b1 people\b|\bare 1\b|\b(?:los|las) 1\b|\bthe 1\b"
"""What reads wrong of one thing: "1" before a plural, with a word between perhaps, and a plural before "1"."""


def ones(value: Any) -> Any:
    """The same figures, but every count is 1."""
    if isinstance(value, dict):
        return {name: ones(inner) for name, inner in value.items()}
    return 1 if isinstance(value, int) and not isinstance(value, bool) else value


@LANGUAGES
@pytest.mark.parametrize("protocol", ["cross_validation", "holdout"])
def test_a_report_reads_right_of_one_thing(values: Values, language: str, protocol: str) -> None:
    values["metrics"]["protocol"]["name"] = protocol
    values["recommendations"] = [entry for entry, _ in ADVICE]
    text = rendering.render_markdown(language, ones(values))
    said = "\n".join(line for line in text.splitlines() if not line.startswith(("1. ", "| ---")))
    assert len(re.findall(r"\b1\b", said)) > 30
    assert not re.findall(MANY, said)


HEADINGS = {
    "Data": {"en": ["photos", "with face", "without", "unusable", "used", "without copies"],
             "es": ["fotos", "con cara", "sin cara", "utiliz", "usadas", "sin copias"]},
    "Thresholds": {"en": ["value", "far", "frr"], "es": ["valor", "far", "frr"]},
    "Fairness": {"en": ["group", "strangers", "far", "own", "frr"], "es": ["grupo", "ajenas", "far", "propias", "frr"]},
    "Latency": {"en": ["median", "95"], "es": ["mediana", "95"]},
}  # fmt: skip


@LANGUAGES
@pytest.mark.parametrize("english", HEADINGS)
def test_columns_are_headed_in_the_order_of_their_figures(values: Values, language: str, english: str) -> None:
    text = section(rendering.render_markdown(language, values), language, english)
    heading = next(line for line in text.splitlines() if line.startswith("| ")).lower()
    places = [heading.find(word) for word in HEADINGS[english][language]]
    assert places == sorted(places) and places[0] >= 0, heading


@LANGUAGES
def test_each_picture_has_its_own_words(values: Values, language: str) -> None:
    shown = re.findall(r"!\[([^\]]+)\]\((\w+)\.png\)", rendering.render_markdown(language, values))
    words = {name: alt.lower() for alt, name in shown}
    assert "roc" in words["roc_curve"] and "det" in words["det_curve"]
    assert "precisi" in words["pr_curve"] and "calibra" in words["calibration"]
    assert ("confus" in words["confusion_matrix"]) and ("robust" in words["robustness"])
    assert ("score" if language == "en" else "puntuaci") in words["scores"]
    assert ("threshold" if language == "en" else "umbral") in words["threshold_analysis"]
    assert len(words) == 8


@LANGUAGES
def test_photos_whose_largest_face_was_not_taken_are_named(values: Values, language: str) -> None:
    before = section(rendering.render_markdown(language, values), language, "Data")
    values["not_the_largest"] = ["me/at the sea.jpg", "me/b.png"]
    after = section(rendering.render_markdown(language, values), language, "Data")
    assert "- `me/at the sea.jpg`\n- `me/b.png`" in after
    assert ("largest" if language == "en" else "más grande") in after
    assert "`me/" not in before


KINDS = {
    "suspected_not_me": ("in `me` that may not", "de `me` que quizá no"), "two_people": ("second", "segunda"),
    "suspected_me": ("in `not_me` that may", "de `not_me` que quizá"), "in_both_classes": ("both", "ambas"),
    "near_duplicate": ("duplicate", "duplicad"), "copied_shot": ("copies", "copias"),
    "tiny_face": ("tiny", "diminuta"), "blurred": ("blurred", "borrosa"),
    "dark_face": ("dark", "oscura"), "bright_face": ("bright", "luz"), "several_faces": ("several", "varias"),
    "dominating_person": ("dominate", "dominan"), "no_face": ("without a face", "sin cara"),
    "unusable": ("cannot be used", "no se puede"), "turned_away": ("to the side", "de frente"),
    "cut_off": ("cuts off", "cortadas"),
}  # fmt: skip


@LANGUAGES
def test_each_kind_of_problem_has_its_own_words_and_number(values: Values, language: str) -> None:
    assert set(KINDS) == set(PROBLEM_NAMES)
    values["quality"] = {name: 9001 + place for place, name in enumerate(PROBLEM_NAMES)}
    text = section(rendering.render_markdown(language, values), language, "Data")
    rows = dict(re.findall(r"^\| (.+) \| (9\d\d\d) \|$", text, flags=re.MULTILINE))
    by_number = {int(number): words for words, number in rows.items()}
    for place, name in enumerate(PROBLEM_NAMES):
        assert KINDS[name][0 if language == "en" else 1] in by_number[9001 + place], name
