"""Curves as tables and as pictures: each figure in its own column, each curve on its own axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve
from sklearn.preprocessing import StandardScaler

from faces.verifier import Verifier
from stages.estimation import plots
from stages.estimation.held_out import HeldOutScores
from stages.evaluate import curves
from stages.evaluate.thresholds import threshold_table
from tests.stages.support import ROOT, Workspace

PICTURES = [path.name for path in curves.FILES if path.suffix == ".png"]
THRESHOLD, CHOSEN = 0.75, 0.55
WITHOUT_ESTIMATE = Verifier(LogisticRegression(), StandardScaler())


def held_out() -> HeldOutScores:
    """Eight strangers and five photos of me, each scored in two rounds; the second round says other things.

    At 0.75 the first round lets in two strangers and rejects one photo of me; a score is exactly 0.75.
    """
    labels = np.array([0] * 8 + [1] * 5)
    first = np.array([0.06, 0.12, 0.23, 0.34, 0.41, 0.62, 0.75, 0.91, 0.3, 0.78, 0.86, 0.93, 0.97])
    second = np.array([0.81, 0.91, 0.055, 0.04, 0.01, 0.02, 0.03, 0.07, 0.11, 0.21, 0.91, 0.92, 0.91])
    rows = np.tile(np.arange(13), 2)
    return HeldOutScores(rows, labels[rows], np.concatenate([first, second]), rows)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, ...]]:
    """What each function that draws was given, before the backbone and the path."""
    given: dict[str, tuple[Any, ...]] = {}
    for name in ("roc", "precision_recall", "det", "calibration", "scores", "confusion"):
        monkeypatch.setattr(plots, f"draw_{name}", lambda *what, name=name, **_: given.update({name: what}))
    return given


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """The tables of `held_out`, by name; nothing is drawn."""
    assert asked == {}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    scores = held_out()
    curves.write_all(
        scores,
        threshold_table(scores, 21, 50).assign(far_estimated=None),
        THRESHOLD,
        CHOSEN,
        "a-backbone",
        WITHOUT_ESTIMATE,
    )
    return {path.stem: pd.read_csv(path) for path in sorted((tmp_path / "reports").glob("*.csv"))}


def test_columns_hold_what_they_are_called(written: dict[str, pd.DataFrame]) -> None:
    scores = held_out()
    fpr, tpr, _ = roc_curve(scores.labels, scores.scores)
    roc, det, precision_recall = written["roc_curve"], written["det_curve"], written["pr_curve"]
    assert roc["fpr"].to_numpy() == pytest.approx(fpr, abs=5e-5)
    assert roc["tpr"].to_numpy() == pytest.approx(tpr, abs=5e-5)
    assert det["far"].to_numpy() == pytest.approx(fpr, abs=5e-5)
    assert det["frr"].to_numpy() == pytest.approx(1 - tpr, abs=5e-5)
    precision, recall, _ = precision_recall_curve(scores.labels, scores.scores)
    assert precision_recall["recall"].is_monotonic_increasing
    expected = pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}).round(4).drop_duplicates()
    assert precision_recall.to_numpy() == pytest.approx(expected.to_numpy())
    assert list(written["threshold_analysis"].columns) == [
        "threshold", "far", "frr", "precision", "recall", "f1", "accuracy",
        "far_low", "far_high", "frr_low", "frr_high", "far_estimated",
    ]  # fmt: skip
    assert len(written["threshold_analysis"]) == 21


def test_the_matrix_counts_each_face_once_at_the_service_s_threshold(written: dict[str, pd.DataFrame]) -> None:
    counts = written["confusion_matrix"].value_counts().to_dict()
    assert counts == {
        ("not_me", "not_me"): 6, ("not_me", "me"): 2, ("me", "not_me"): 1, ("me", "me"): 4,
    }  # fmt: skip
    assert list(written["confusion_matrix"].columns) == ["actual", "predicted"]


def test_scores_are_spread_over_bins_by_class(written: dict[str, pd.DataFrame]) -> None:
    table = written["scores"].set_index("score")
    assert table[["me", "not_me"]].sum().tolist() == pytest.approx([1, 1], abs=1e-3)
    assert table["not_me"][0.0625] == pytest.approx(3 / 16, abs=5e-5)  # 0.06; 0.055 and 0.07 of the second round
    assert table["me"][0.9125] == pytest.approx(3 / 10)  # 0.91 twice and 0.92 of the second round
    assert table["not_me"][0.9125] == pytest.approx(2 / 16)


def test_calibration_by_hand() -> None:
    """Four strangers and two photos of me: of class weight each stranger has an eighth, each photo of me a quarter."""
    labels, scores = np.array([0, 0, 0, 0, 1, 1]), np.array([0.05, 0.07, 0.55, 0.58, 0.52, 1.0])
    table = curves.calibration_table(HeldOutScores(np.array([0, 0, 1, 2, 3, 4]), labels, scores, np.arange(6)))
    assert table["weight"].tolist() == pytest.approx([1 / 4, 1 / 2, 1 / 4])
    assert table["share_me"].tolist() == pytest.approx([0, 1 / 2, 1])
    assert table["faces"].tolist() == [1, 3, 1], "the first two scores are of one face"
    assert table["score"].tolist() == pytest.approx([0.06, (0.55 / 8 + 0.58 / 8 + 0.52 / 4) / 0.5, 1.0])


def test_scores_at_the_ends_are_in_the_outer_bins() -> None:
    table = curves.score_table(np.array([0, 1]), np.array([0.0, 1.0]))
    assert table["score"].iloc[[0, -1]].tolist() == pytest.approx([0.0125, 0.9875])
    assert table["not_me"].tolist() == [1.0] + [0.0] * 39
    assert table["me"].tolist() == [0.0] * 39 + [1.0]


@pytest.mark.usefixtures("written")
def test_each_picture_is_given_what_it_shows(asked: dict[str, tuple[Any, ...]]) -> None:
    scores = held_out()
    fpr, tpr, _ = roc_curve(scores.labels, scores.scores)
    precision, recall, _ = precision_recall_curve(scores.labels, scores.scores)
    assert np.array_equal(asked["roc"][0], fpr) and np.array_equal(asked["roc"][1], tpr)
    assert asked["roc"][2] == pytest.approx(roc_auc_score(scores.labels, scores.scores))
    assert np.array_equal(asked["precision_recall"][0], recall)
    assert np.array_equal(asked["precision_recall"][1], precision)
    assert asked["precision_recall"][2] == pytest.approx(average_precision_score(scores.labels, scores.scores))
    assert np.array_equal(asked["det"][0], fpr) and np.array_equal(asked["det"][1], 1 - tpr)
    pd.testing.assert_frame_equal(asked["calibration"][0], curves.calibration_table(scores))
    assert np.array_equal(asked["scores"][0], scores.labels) and np.array_equal(asked["scores"][1], scores.scores)
    assert asked["scores"][2] == {"the service's": THRESHOLD, "for the FAR asked for": CHOSEN}
    actual, predicted, threshold = asked["confusion"][:3]
    assert actual.tolist() == [0] * 8 + [1] * 5
    assert predicted.tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1]
    assert threshold == THRESHOLD
    for name, given in asked.items():
        assert any(isinstance(value, str) and value == "a-backbone" for value in given), name


def test_dvc_plots_draw_each_table_by_its_own_columns(written: dict[str, pd.DataFrame]) -> None:
    """What stands on which axis, as dvc.yaml says it: `dvc plots` believes it."""
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["evaluate"]
    plots_of = {name: how for entry in pipeline["plots"] if isinstance(entry, dict) for name, how in entry.items()}
    axes = {Path(name).stem: (how["x"], how["y"]) for name, how in plots_of.items()}
    assert axes == {
        "calibration": ("score", "share_me"), "confusion_matrix": ("predicted", "actual"), "det_curve": ("far", "frr"),
        "pr_curve": ("recall", "precision"), "roc_curve": ("fpr", "tpr"), "scores": ("score", "me"),
        "threshold_analysis": ("threshold", "f1"),
    }  # fmt: skip
    for name, columns in axes.items():
        assert set(columns) <= set(written[name].columns)
    roc = plots_of["reports/roc_curve.csv"]
    assert roc["x_label"].startswith("FAR") and "FRR" in roc["y_label"]


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_of_a_run_open_and_show_something(built: Workspace, name: str) -> None:
    with Image.open(built.path(f"reports/{name}")) as image:
        assert image.format == "PNG"
        assert min(image.size) >= 400
        pixels = np.asarray(image.convert("RGB"))
    assert 0.01 < (pixels != 255).any(axis=2).mean() < 0.95
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
