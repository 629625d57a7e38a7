"""The stage evaluate: figures against a count by hand, thresholds, curves and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from faces.operating_point import OperatingPoint
from stages.errors import StageError
from stages.estimation import plots
from stages.estimation.rates import calibration_error, error_rates
from stages.evaluate import evaluate, thresholds
from stages.evaluate.curves import FILES
from stages.train import train
from tests.stages.support import Workspace, put_embeddings, put_groups

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
SCORES = np.array([0.1, 0.2, 0.4, 0.7, 0.3, 0.6, 0.7, 0.8, 0.9])
PICTURES = [path.name for path in FILES if path.suffix == ".png"]


def table_of(f1: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"threshold": np.linspace(0, 1, len(f1)), "f1": f1})


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
def inside(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace trained on made-up faces that are hard to tell apart, as the current folder."""
    put_embeddings(empty, me=60, not_me=100, apart=0.15)
    monkeypatch.chdir(empty.root)
    train.main()
    return empty


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


def test_the_table_goes_evenly_from_0_to_1() -> None:
    table = thresholds.threshold_table(LABELS, SCORES, 11)
    assert list(table["threshold"]) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert (np.diff(table["far"]) <= 0).all()
    assert (np.diff(table["frr"]) >= 0).all()
    assert table["f1"].iloc[5] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("f1", "best"),
    [
        ([0, 0.5, 1, 1, 1, 1, 1, 0.5, 0.2, 0.1, 0], 0.4),  # the middle of a plateau
        ([1, 1, 1, 0.5, 0.4, 0.3, 0.2, 0.1, 0, 0, 0], 0.1),  # at the start
        ([0, 0, 0, 0, 0, 0.1, 0.2, 0.5, 1, 1, 1], 0.9),  # at the end
        ([0, 0.1, 0.2, 0.9, 0.2, 0.1, 0, 0, 0, 0, 0], 0.3),  # one point
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 1.0),  # the last one
        ([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.0),  # the first one
        ([0.5] * 11, 0.5),  # everywhere
        ([0, 0.8, 0.1, 0, 0, 0.8, 0.8, 0.8, 0, 0, 0], 0.1),  # the first of several
        ([0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0], 0.2),  # an even number: the lower of the two in the middle
        ([0, 0, 1 - 1e-15, 1, 1 - 1e-15, 0, 0, 0, 0, 0, 0], 0.3),  # equal but for rounding
    ],
)
def test_the_best_threshold_is_the_middle_of_the_best(f1: list[float], best: float) -> None:
    assert thresholds.best_threshold(table_of(f1), "f1") == pytest.approx(best)


@pytest.mark.parametrize(
    ("labels", "scores", "eer"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.0),
        ([0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.8, 0.25, 0.7, 0.9, 0.95], 0.25),
        ([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2], 1.0),
    ],
)
def test_equal_error_rate_by_hand(labels: list[int], scores: list[float], eer: float) -> None:
    found = thresholds.equal_error_rate(np.array(labels), np.array(scores))
    assert found["eer"] == pytest.approx(eer)
    rates = error_rates(np.array(labels), np.array(scores), found["threshold"])
    assert (rates["far"] + rates["frr"]) / 2 == pytest.approx(eer)
    assert 0 <= found["threshold"] <= 1


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
    assert "100 strangers are too few to promise that: it takes 3000" in capsys.readouterr().out
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


@pytest.mark.parametrize(
    ("labels", "scores", "error"),
    [([0, 1], [0.0, 1.0], 0.0), ([0, 1], [1.0, 0.0], 1.0), ([0, 0, 0, 1], [0.25] * 3 + [0.25], 0.25),
     ([0, 1, 0, 1], [0.3, 0.3, 0.9, 0.9], 0.3)],
)  # fmt: skip
def test_calibration_error_by_hand(labels: list[int], scores: list[float], error: float) -> None:
    assert calibration_error(np.array(labels), np.array(scores)) == pytest.approx(error)


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
    assert list(thresholds.columns) == ["threshold", "far", "frr", "precision", "recall", "f1", "accuracy"]
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


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_open_and_show_something(built: Workspace, name: str) -> None:
    with Image.open(built.path(f"reports/{name}")) as image:
        assert image.format == "PNG"
        assert min(image.size) >= 400
        pixels = np.asarray(image.convert("RGB"))
    assert 0.01 < (pixels != 255).any(axis=2).mean() < 0.95
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20


def test_a_curve_along_the_edge_is_seen(tmp_path: Path) -> None:
    """Where no face is mistaken, the whole DET curve lies there."""
    plots.draw_det(np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]), "dlib-resnet", tmp_path / "det.png")
    with Image.open(tmp_path / "det.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    blue = abs(pixels - (0x1F, 0x5F, 0xA8)).max(axis=2) < 30
    assert blue.sum(axis=0).max() > 300 and blue.sum(axis=1).max() > 300


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


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0,0,test,0,0.1\n0,160,test,1,0.9\n", "speaks of other faces than the 160 embeddings"),
        ("0,0,test,1,0.1\n", "speaks of other faces than the 160 embeddings"),
        ("0,0,test,0,0.1\n0,1,test,0,0.1\n", "no face of one class, or of both, to the part 'test'"),
        ("0,0,validation,0,0.1\n0,159,validation,1,0.9\n", "no face of one class, or of both, to the part 'test'"),
        ("0,0,test,0,high\n", "is damaged (could not convert"),
        ("", "speaks of other faces"),
    ],
)
def test_predictions_of_other_data_are_refused(inside: Workspace, rows: str, said: str) -> None:
    inside.path("data/predictions.csv").write_text("repeat,row,part,label,score\n" + rows, encoding="utf-8")
    with pytest.raises(StageError, match="run 'dvc repro --force train'") as caught:
        evaluate.main()
    assert said in str(caught.value)
