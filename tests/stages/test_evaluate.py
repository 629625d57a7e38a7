"""The stage evaluate: figures against a count by hand, thresholds, curves and pictures."""

from __future__ import annotations

import json
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from stages import evaluate, train
from stages.errors import StageError
from tests.stages.support import Workspace, put_embeddings

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
SCORES = np.array([0.1, 0.2, 0.4, 0.7, 0.3, 0.6, 0.7, 0.8, 0.9])
PICTURES = ["confusion_matrix.png", "roc_curve.png", "pr_curve.png"]


def table_of(f1: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"threshold": np.linspace(0, 1, len(f1)), "f1": f1})


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
    assert evaluate.error_rates(LABELS, SCORES, threshold) == pytest.approx(
        {
            "threshold": threshold, "far": far, "frr": frr, "precision": precision, "recall": recall, "f1": f1,
            "accuracy": accuracy,
        }
    )  # fmt: skip


def test_the_table_goes_evenly_from_0_to_1() -> None:
    table = evaluate.threshold_table(LABELS, SCORES, 11)
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
    assert evaluate.best_threshold(table_of(f1), "f1") == pytest.approx(best)


@pytest.mark.parametrize(
    ("labels", "scores", "eer"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.0),
        ([0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.8, 0.25, 0.7, 0.9, 0.95], 0.25),
        ([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2], 1.0),
    ],
)
def test_equal_error_rate_by_hand(labels: list[int], scores: list[float], eer: float) -> None:
    found = evaluate.equal_error_rate(np.array(labels), np.array(scores))
    assert found["eer"] == pytest.approx(eer)
    rates = evaluate.error_rates(np.array(labels), np.array(scores), found["threshold"])
    assert (rates["far"] + rates["frr"]) / 2 == pytest.approx(eer)
    assert 0 <= found["threshold"] <= 1


def test_results_are_those_of_the_test_rows(inside: Workspace) -> None:
    evaluate.main()
    results = results_of(inside)
    parts = pd.read_csv("data/split.csv")["part"].to_numpy(str)
    model, scaler = joblib.load("models/model.joblib"), joblib.load("models/scaler.joblib")
    labels = np.load("data/labels.npy")[parts == "test"]
    scores = model.predict_proba(scaler.transform(inside.embeddings()))[:, 1][parts == "test"]
    assert results["test_faces"] == {"not_me": 20, "me": 12}
    assert results["threshold"] == 0.75
    assert results["backbone"] == "dlib-resnet"
    metrics, rates = results["metrics"], evaluate.error_rates(labels, scores, 0.75)
    assert 0 < rates["frr"] < 1, "the example must not be perfect"
    assert metrics["auc_roc"] == pytest.approx(roc_auc_score(labels, scores), abs=5e-5)
    assert metrics["average_precision"] == pytest.approx(average_precision_score(labels, scores), abs=5e-5)
    assert metrics["recall"] == pytest.approx(1 - rates["frr"], abs=5e-5)
    analysis = results["threshold_analysis"]
    assert analysis["chosen_on"] == "test"
    assert analysis["at_default"] == pytest.approx(rates, abs=5e-5)
    best = analysis["optimal_threshold_f1"]
    f1_values = [evaluate.error_rates(labels, scores, point)["f1"] for point in np.linspace(0, 1, 101)]
    assert analysis["at_optimal_f1"]["f1"] == pytest.approx(max(f1_values), abs=5e-5)
    assert evaluate.error_rates(labels, scores, best)["f1"] == pytest.approx(max(f1_values), abs=5e-5)
    assert set(analysis["equal_error_rate"]) == {"threshold", "eer"}


def test_with_validation_its_faces_choose_the_threshold_and_the_test_faces_judge_it(inside: Workspace) -> None:
    inside.set_params(train__validation_size=0.2)
    train.main()
    evaluate.main()
    results = results_of(inside)
    analysis = results["threshold_analysis"]
    assert analysis["chosen_on"] == "validation"
    parts = pd.read_csv("data/split.csv")["part"].to_numpy(str)
    model, scaler = joblib.load("models/model.joblib"), joblib.load("models/scaler.joblib")
    scores = model.predict_proba(scaler.transform(inside.embeddings()))[:, 1]
    labels, best = np.load("data/labels.npy"), analysis["optimal_threshold_f1"]
    for part, rates in (("validation", analysis["at_optimal_f1"]), ("test", results["at_optimal_threshold_f1"])):
        chosen = parts == part
        assert rates == pytest.approx(evaluate.error_rates(labels[chosen], scores[chosen], best), abs=5e-5)


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
    wrong = (confusion["actual"] != confusion["predicted"]).mean()
    assert 1 - wrong == pytest.approx(results["metrics"]["accuracy"], abs=5e-5)
    assert len(confusion) == 32


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_open_and_show_something(built: Workspace, name: str) -> None:
    with Image.open(built.path(f"reports/{name}")) as image:
        assert image.format == "PNG"
        assert min(image.size) >= 400
        pixels = np.asarray(image.convert("RGB"))
    assert 0.01 < (pixels != 255).any(axis=2).mean() < 0.95
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20


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
    ("parts", "said"),
    [
        (["train"] * 80 + ["test"] * 79, "159 rows, the embeddings 160"),
        (["train"] * 160, "no face of one class, or of both, to the part 'test'"),
        (["test"] * 100 + ["train"] * 60, "no face of one class, or of both, to the part"),
    ],
)
def test_a_split_of_other_data_is_refused(inside: Workspace, parts: list[str], said: str) -> None:
    pd.DataFrame({"row": range(len(parts)), "part": parts}).to_csv(inside.path("data/split.csv"), index=False)
    with pytest.raises(StageError, match="run 'dvc repro --force train'") as caught:
        evaluate.main()
    assert said in str(caught.value)
