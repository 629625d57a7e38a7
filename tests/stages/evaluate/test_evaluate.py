"""The stage evaluate: which faces choose a threshold and which judge it, and what it says of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import auc, average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from faces.operating_point import OperatingPoint
from faces.verifier import Verifier
from stages.estimation.held_out import HeldOutScores
from stages.estimation.rates import calibration_error, classification_metrics, error_rates, rates_with_intervals
from stages.evaluate import evaluate, operating_point
from stages.evaluate.curves import FILES
from stages.evaluate.thresholds import analyse_thresholds, threshold_table
from stages.params import load_params
from stages.train import train
from tests.stages.support import ROOT, Workspace, put_embeddings, put_groups, write_params

PICTURES = [path.name for path in FILES if path.suffix == ".png"]


WITHOUT_ESTIMATE = Verifier(LogisticRegression(), StandardScaler())
"""Of a model that knows no population; its scores are not asked for."""


def part_of(seed: int, strangers: int, me: int) -> HeldOutScores:
    """Scores that overlap; two faces of each stranger, each photo of me a moment of its own."""
    generator = np.random.default_rng(seed)
    labels = np.array([0] * strangers + [1] * me)
    scores = np.concatenate([generator.beta(2, 4, strangers), generator.beta(5, 2, me)]).round(4)
    groups = np.concatenate([np.arange(strangers) // 2, strangers + np.arange(me)])
    return HeldOutScores(np.arange(len(labels)), labels, scores, groups)


@pytest.mark.parametrize("chosen_on", ["test", "validation"])
def test_validation_faces_choose_if_there_are_some_and_test_faces_judge(chosen_on: str) -> None:
    """Both parts say other things, so that each figure shows where it is from."""
    test, other = part_of(0, 120, 40), part_of(1, 200, 30)
    parts = {"test": test} | ({"validation": other} if chosen_on == "validation" else {})
    chooser = parts[chosen_on]
    params = replace(load_params(ROOT / "params.yaml").evaluate, threshold=0.7, target_far=0.2, bootstrap=120)
    judged = evaluate.judge(parts, {"backbone": "b", "verifier": "v"}, params, WITHOUT_ESTIMATE)
    strangers = chooser.labels == 0
    point = operating_point.choose(chooser.scores[strangers], chooser.groups[strangers], params, None)
    assert judged.operating_point == point
    at_point = rates_with_intervals(test, point.threshold, 120)
    figures = {name: at_point[name] for name in ("far", "far_interval", "frr", "frr_interval")}
    assert judged.figures_at_point == {**figures, "far_estimated": None}
    table = threshold_table(chooser, params.thresholds, params.bootstrap)
    pd.testing.assert_frame_equal(judged.thresholds, table.assign(far_estimated=None))
    analysis = analyse_thresholds(chooser, table, params, point.threshold, lambda _: None)
    metrics = classification_metrics(test.labels, test.scores, 0.7)
    del metrics["classification_report"]
    assert judged.results == {
        "backbone": "b",
        "verifier": "v",
        "test_faces": {"not_me": 120, "me": 40},
        "test_groups": {"not_me": 60, "me": 40},
        "threshold": 0.7,
        "estimated_for": None,
        "metrics": {
            **metrics,
            "average_precision": pytest.approx(average_precision_score(test.labels, test.scores)),
            "expected_calibration_error": calibration_error(test.labels, test.scores),
        },
        "threshold_analysis": {"chosen_on": chosen_on, **analysis},
        "at_optimal_threshold_f1": error_rates(test.labels, test.scores, analysis["optimal_threshold_f1"]),
        "operating_point": {
            "target_far": 0.2, "supported": point.supported, "people": point.people,
            "effective_people": point.effective_people, "people_needed": 15, "threshold": point.threshold,
            "basis": point.basis, "estimated_threshold": None, "at_estimated": None,
            **judged.figures_at_point,
        },
    }  # fmt: skip
    assert point.supported and (point.people, point.effective_people) == (len(strangers[strangers]) // 2,) * 2
    assert 0 < at_point["far"] != rates_with_intervals(other, point.threshold, 120)["far"] > 0


def figures_in(text: str) -> list[float]:
    """All numbers of a text, in their order, whatever words stand between them; percentages as they are."""
    return [float(number.replace(",", ".")) for number in re.findall(r"\d+(?:[.,]\d+)?", text)]


def test_the_terminal_says_each_figure_in_its_place() -> None:
    """No two figures are alike; 95 is the confidence of intervals."""
    at = {"far": 0.0123, "far_interval": {"low": 0.0045, "high": 0.0234}, "frr": 0.1212,
          "frr_interval": {"low": 0.0567, "high": 0.2345}, "far_estimated": None}  # fmt: skip
    point = {"target_far": 0.001, "supported": False, "people": 250, "effective_people": 180, "people_needed": 3000,
             "threshold": 0.8765, "far": 0.0007, "frr": 0.3131, "basis": "measured",
             "estimated_threshold": None, "far_estimated": None}  # fmt: skip
    results = {"threshold": 0.75, "estimated_for": "anyone", "threshold_analysis": {"at_default": at},
               "operating_point": point, "test_faces": {"not_me": 777, "me": 19}}  # fmt: skip
    said = evaluate.summarise(results)
    rates = [0.75, 12.12, 95, 23.45, 1.23, 95, 2.34, 0.1, 0.8765, 31.31]
    assert figures_in(said) == [*rates, 3000, 250, 180]
    assert said.endswith(
        "the test had 250 (worth 180: several faces of one person or one photo say less than as many people)"
    )
    equal = evaluate.summarise(results | {"operating_point": point | {"effective_people": 250}})
    assert equal.endswith("measured, not promised: a promise takes faces of 3000 strangers, and the test had 250")
    first, second, third, _ = said.splitlines()
    assert "FRR" in first.partition("0.75")[2] and "FAR" not in first
    assert second.index("measured") < second.index("1.23") < second.index("promised") < second.index("2.34")
    assert "measured" in third.partition("8765")[2].partition("FRR")[0]
    promised = results | {"operating_point": point | {"supported": True, "basis": "promised"}}
    assert figures_in(evaluate.summarise(promised)) == rates
    assert "promised), FRR" in evaluate.summarise(promised)
    too_low = evaluate.summarise(results | {"operating_point": point | {"far_estimated": 0.0254}})
    assert "estimated that 2.5 % of strangers reach that threshold, so do not serve it" in too_low
    many = evaluate.summarise(results | {"operating_point": point | {"supported": True, "frr": 0.8421}})
    assert figures_in(many)[-3:] == [84.21, 16, 19], "about 16 of 19 faces of me would be refused"
    assert many.index("84.21") < many.index("data_quality.csv") < many.index("contact_sheet.png")


def test_the_terminal_says_what_is_estimated_and_for_me_alone_that_nothing_is_measured() -> None:
    unknown = {"low": float("nan"), "high": float("nan")}
    at = {"far": float("nan"), "far_interval": unknown, "frr": 0.1212, "frr_interval": {"low": 0.0567, "high": 0.2345},
          "far_estimated": 0.000456}  # fmt: skip
    point = {"target_far": 0.001, "supported": False, "people": 0, "effective_people": 0, "people_needed": 3000,
             "threshold": 0.6543, "far": float("nan"), "frr": 0.0303, "basis": "estimated",
             "estimated_threshold": 0.6543, "at_estimated": {"frr": 0.0303}}  # fmt: skip
    results = {
        "threshold": 0.75,
        "estimated_for": "anyone",
        "threshold_analysis": {"at_default": at},
        "operating_point": point,
    }
    said = evaluate.summarise(results)
    assert figures_in(said) == [0.75, 12.12, 95, 23.45, 0.046, 0.1, 0.6543, 3.03]
    _, none, estimated, target = said.splitlines()
    alike = evaluate.summarise(results | {"estimated_for": "like_me"}).splitlines()[2]
    assert "who resemble me: 0.046 %" in alike and "resemble" not in estimated
    assert "without photos of others" in none and "estimated" in estimated and "(estimated)" in target


def unseen_of(workspace: Workspace, part: str = "test") -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Labels and scores of predictions.csv."""
    table = pd.read_csv(workspace.path("data/predictions.csv"))
    own = table[table["part"] == part]
    return own["label"].to_numpy(), own["score"].to_numpy()


def results_of(workspace: Workspace) -> dict[str, Any]:
    text = workspace.path("reports/evaluation_results.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A folder trained on made-up faces that are hard to tell apart, as the current folder."""
    write_params(tmp_path)
    workspace = Workspace(tmp_path)
    put_embeddings(workspace, me=60, not_me=100, apart=0.15)
    monkeypatch.chdir(tmp_path)
    train.main()
    return workspace


def test_results_are_those_of_the_unseen_rows(inside: Workspace) -> None:
    evaluate.main()
    results = results_of(inside)
    labels, scores = unseen_of(inside)
    assert results["test_faces"] == results["test_groups"] == {"not_me": 100, "me": 60}
    assert results["threshold"] == 0.75
    assert (results["backbone"], results["verifier"]) == ("dlib-resnet", "cosine")
    metrics, rates = results["metrics"], error_rates(labels, scores, 0.75)
    assert 0 < rates["frr"] < 1, "the example must not be perfect"
    assert metrics["auc_roc"] == pytest.approx(roc_auc_score(labels, scores), abs=5e-5)
    assert metrics["average_precision"] == pytest.approx(average_precision_score(labels, scores), abs=5e-5)
    assert metrics["recall"] == pytest.approx(1 - rates["frr"], abs=5e-5)
    analysis = results["threshold_analysis"]
    assert analysis["chosen_on"] == "test"
    assert {name: analysis["at_default"][name] for name in rates} == pytest.approx(rates, abs=5e-5)
    best = analysis["optimal_threshold_f1"]
    f1_values = [error_rates(labels, scores, point)["f1"] for point in np.linspace(0, 1, 101)]
    assert analysis["at_optimal_f1"]["f1"] == pytest.approx(max(f1_values), abs=5e-5)
    assert error_rates(labels, scores, best)["f1"] == pytest.approx(max(f1_values), abs=5e-5)
    assert set(analysis["equal_error_rate"]) == {"threshold", "eer"}


def test_every_threshold_worth_knowing_has_its_rates_and_intervals(inside: Workspace) -> None:
    evaluate.main()
    analysis = results_of(inside)["threshold_analysis"]
    for name in ("at_default", "at_optimal_f1", "at_equal_error_rate", "at_target_far"):
        at = analysis[name]
        for rate in ("far", "frr"):
            interval = at[f"{rate}_interval"]
            assert 0 <= interval["low"] <= at[rate] <= interval["high"] <= 1
            assert interval["high"] - interval["low"] > 0.02, "100 strangers and 60 photos promise no more"
    equal = analysis["at_equal_error_rate"]
    assert equal["far"] == pytest.approx(equal["frr"], abs=0.03)


def test_the_operating_point_is_said_to_be_no_promise_where_strangers_are_few(
    inside: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate.main()
    point = results_of(inside)["operating_point"]
    assert (point["target_far"], point["supported"], point["people"], point["people_needed"]) == (
        0.001,
        False,
        100,
        3000,
    )
    assert point["far"] <= 0.001
    assert "a promise takes faces of 3000 strangers, and the test had 100" in capsys.readouterr().out
    served = OperatingPoint.read(inside.path("models/operating_point.json"), inside.path("models/model.joblib"))
    assert served.threshold == pytest.approx(point["threshold"], abs=5e-5)
    assert not served.supported


def test_the_operating_point_is_promised_where_they_suffice(inside: Workspace) -> None:
    inside.set_params(evaluate__target_far=0.2)
    evaluate.main()
    point = results_of(inside)["operating_point"]
    assert point["supported"]
    assert point["far"] < 0.2
    assert 0.1 < point["far_interval"]["high"] < 0.25


def test_one_stranger_with_most_of_the_photos_makes_intervals_wide(inside: Workspace) -> None:
    evaluate.main()
    before = results_of(inside)["threshold_analysis"]["at_default"]["far_interval"]
    put_groups(inside, [min(row, 20) if row < 100 else row for row in range(160)])  # 80 photos of one
    evaluate.main()
    after = results_of(inside)["threshold_analysis"]["at_default"]["far_interval"]
    assert after["high"] > 2 * before["high"]


def test_with_validation_its_faces_choose_the_threshold_and_the_test_faces_judge_it(inside: Workspace) -> None:
    inside.set_params(train__protocol="holdout", train__validation_size=0.2)
    train.main()
    evaluate.main()
    results = results_of(inside)
    analysis = results["threshold_analysis"]
    assert analysis["chosen_on"] == "validation"
    best = analysis["optimal_threshold_f1"]
    for part, rates in (("validation", analysis["at_optimal_f1"]), ("test", results["at_optimal_threshold_f1"])):
        wanted = error_rates(*unseen_of(inside, part), best)
        assert {name: rates[name] for name in wanted} == pytest.approx(wanted, abs=5e-5)


def test_curves_are_written_as_tables(inside: Workspace) -> None:
    inside.set_params(evaluate__thresholds=21)
    evaluate.main()
    results = results_of(inside)
    roc = pd.read_csv("reports/roc_curve.csv")
    assert (roc.iloc[0]["fpr"], roc.iloc[0]["tpr"], roc.iloc[-1]["fpr"], roc.iloc[-1]["tpr"]) == (0, 0, 1, 1)
    assert auc(roc["fpr"], roc["tpr"]) == pytest.approx(results["metrics"]["auc_roc"], abs=1e-3)
    precision_recall = pd.read_csv("reports/pr_curve.csv")
    assert precision_recall["recall"].is_monotonic_increasing
    assert precision_recall["precision"].between(0, 1).all()
    thresholds = pd.read_csv("reports/threshold_analysis.csv")
    assert list(thresholds.columns) == [
        "threshold", "far", "frr", "precision", "recall", "f1", "accuracy",
        "far_low", "far_high", "frr_low", "frr_high", "far_estimated",
    ]  # fmt: skip
    assert len(thresholds) == 21
    confusion = pd.read_csv("reports/confusion_matrix.csv")
    first = pd.read_csv("data/predictions.csv").query("repeat == 0")
    wrong = ((first["score"] >= 0.75) != first["label"]).mean()
    assert (confusion["actual"] != confusion["predicted"]).mean() == pytest.approx(wrong)
    assert len(confusion) == 160
    assert results["threshold"] == 0.75
    det, scores = pd.read_csv("reports/det_curve.csv"), pd.read_csv("reports/scores.csv")
    assert (det.iloc[0]["far"], det.iloc[0]["frr"], det.iloc[-1]["far"], det.iloc[-1]["frr"]) == (0, 1, 1, 0)
    assert scores[["me", "not_me"]].sum().to_list() == pytest.approx([1, 1], abs=5e-3)
    calibration = pd.read_csv("reports/calibration.csv")
    assert calibration["weight"].sum() == pytest.approx(1, abs=1e-3)
    assert calibration["share_me"].between(0, 1).all()


def test_two_runs_write_the_same_bytes(inside: Workspace) -> None:
    evaluate.main()
    first = inside.outputs()
    evaluate.main()
    assert inside.outputs() == first
    assert {f"reports/{name}" for name in PICTURES} <= first.keys()


def test_pictures_change_with_what_they_show(inside: Workspace) -> None:
    evaluate.main()
    first = inside.outputs()
    put_embeddings(inside, me=60, not_me=100, apart=0.3, seed=1)
    train.main()
    evaluate.main()
    second = inside.outputs()
    assert all(first[f"reports/{name}"] != second[f"reports/{name}"] for name in PICTURES)


def test_the_threshold_is_a_parameter(inside: Workspace) -> None:
    inside.set_params(evaluate__threshold=0.9)
    evaluate.main()
    assert results_of(inside)["threshold"] == 0.9
    assert results_of(inside)["threshold_analysis"]["at_default"]["threshold"] == 0.9
