"""The stage train: the contract's split, scaler, classifier and figures."""

from __future__ import annotations

import json
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from faces.networks import Manifest
from stages import train
from stages.errors import StageError
from stages.params import TrainParams, load_params
from tests.stages.support import ROOT, Workspace, digest, posix_only, put_embeddings

KEYS = {"accuracy", "auc_roc", "precision", "recall", "f1_score", "classification_report", "backbone", "faces"}


def settings(**values: Any) -> TrainParams:
    return load_params(ROOT / "params.yaml").train.model_copy(update=values)


def labels_of(me: int, not_me: int) -> np.ndarray:
    return np.array([0] * not_me + [1] * me, np.int64)


def split_of(workspace: Workspace) -> np.ndarray:
    return pd.read_csv(workspace.path("data/split.csv"))["part"].to_numpy(str)


def metrics_of(workspace: Workspace) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(workspace.path("reports/metrics.json").read_text(encoding="utf-8"))
    return values


@pytest.fixture
def inside(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with the embeddings of 30 and 50 made-up faces, as the current folder."""
    put_embeddings(empty, me=30, not_me=50, apart=0.15)
    monkeypatch.chdir(empty.root)
    return empty


@pytest.mark.parametrize(("me", "not_me"), [(12, 20), (20, 60), (7, 100), (100, 7), (5, 5)])
def test_default_split_is_the_contracts(me: int, not_me: int) -> None:
    labels = labels_of(me, not_me)
    parts = train.split_rows(labels, settings())
    expected, tested = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=42, stratify=labels)
    assert set(np.flatnonzero(parts == "test")) == set(tested)
    assert set(np.flatnonzero(parts == "train")) == set(expected)


def test_defaults_are_the_contracts() -> None:
    wanted = {"test_size": 0.2, "random_state": 42, "validation_size": 0, "class_weight": "balanced"}
    assert {name: getattr(settings(), name) for name in wanted} == wanted


def test_validation_makes_70_15_15() -> None:
    labels = labels_of(40, 160)
    parts = train.split_rows(labels, settings(validation_size=0.15, test_size=0.15))
    for label, count in ((1, 40), (0, 160)):
        found = {part: int(((parts == part) & (labels == label)).sum()) for part in ("train", "validation", "test")}
        assert found == {"train": 0.7 * count, "validation": 0.15 * count, "test": 0.15 * count}
    tested = train_test_split(np.arange(200), test_size=0.15, random_state=42, stratify=labels)[1]
    assert set(np.flatnonzero(parts == "test")) == set(tested)


def test_split_follows_the_seed() -> None:
    labels = labels_of(20, 30)
    same, other = (train.split_rows(labels, settings(random_state=seed)) for seed in (42, 43))
    assert np.array_equal(same, train.split_rows(labels, settings()))
    assert not np.array_equal(same, other)


@pytest.mark.parametrize(("me", "not_me"), [(2, 3), (2, 100), (3, 2), (2, 2)])
def test_few_faces_are_either_split_with_both_classes_everywhere_or_refused(me: int, not_me: int) -> None:
    labels = labels_of(me, not_me)
    try:
        parts = train.split_rows(labels, settings())
    except StageError as error:
        assert f"not_me {not_me}, me {me}" in str(error)
        assert "would lack a class. Add photos, or change the sizes in params.yaml" in str(error)
        # no seed could do better: the test part has not even room for both classes
        assert np.ceil(0.2 * len(labels)) < 2 or round(me * 0.2) == 0
        return
    for part in ("train", "test"):
        assert set(labels[parts == part]) == {0, 1}


@pytest.mark.parametrize(
    ("me", "not_me", "validation", "said"),
    [
        (1, 1, 0.0, "not_me has 1 usable face; at least 2 are needed"),
        (1, 30, 0.0, "me has 1 usable face; at least 2 are needed to train and to test, 20 to 30 are recommended. "
         "Add photos to data/me"),
        (30, 0, 0.0, "not_me has 0 usable faces; at least 2 are needed"),
        (2, 30, 0.15, "me has 2 usable faces; at least 3 are needed"),
    ],
)  # fmt: skip
def test_too_few_faces_are_refused_with_their_number(me: int, not_me: int, validation: float, said: str) -> None:
    with pytest.raises(StageError) as caught:
        train.split_rows(labels_of(me, not_me), settings(validation_size=validation))
    assert said in str(caught.value)


def test_models_are_what_the_contract_names(built: Workspace) -> None:
    model, scaler = (joblib.load(built.path(f"models/{name}.joblib")) for name in ("model", "scaler"))
    assert type(model) is LogisticRegression
    assert type(scaler) is StandardScaler
    assert (model.class_weight, model.C, model.random_state) == ("balanced", 1.0, 42)
    assert list(model.classes_) == [0, 1]


def test_score_is_the_contracts_formula_on_the_training_rows_alone(built: Workspace) -> None:
    """Rebuilt with scikit-learn alone, from the files that the stage read."""
    embeddings, labels = built.embeddings(), np.load(built.path("data/labels.npy"))
    kept, tested = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=42, stratify=labels)
    kept, tested = np.sort(kept), np.sort(tested)
    scaler = StandardScaler().fit(embeddings[kept])
    model = LogisticRegression(class_weight="balanced", max_iter=1000, random_state=42)
    model.fit(scaler.transform(embeddings[kept]), labels[kept])
    expected = model.predict_proba(scaler.transform(embeddings))[:, 1]
    ours, scaling = (joblib.load(built.path(f"models/{name}.joblib")) for name in ("model", "scaler"))
    scores = ours.predict_proba(scaling.transform(embeddings))[:, 1]
    assert np.allclose(scores, expected, atol=1e-6)
    assert np.array_equal(np.flatnonzero(split_of(built) == "test"), tested)
    assert scores[labels == 1].min() > scores[labels == 0].max()


def test_metrics_are_those_of_the_test_rows_at_one_half(inside: Workspace) -> None:
    train.main()
    metrics, parts = metrics_of(inside), split_of(inside)
    assert metrics.keys() == KEYS
    model, scaler = (joblib.load(inside.path(f"models/{name}.joblib")) for name in ("model", "scaler"))
    labels = np.load("data/labels.npy")[parts == "test"]
    scores = model.predict_proba(scaler.transform(inside.embeddings()))[:, 1][parts == "test"]
    predicted = (scores >= 0.5).astype(int)
    assert 0 < (predicted != labels).mean() < 0.5, "the example must not be perfect"
    wanted = {
        "accuracy": accuracy_score(labels, predicted),
        "auc_roc": roc_auc_score(labels, scores),
        "precision": precision_score(labels, predicted),
        "recall": recall_score(labels, predicted),
        "f1_score": f1_score(labels, predicted),
    }
    for name, value in wanted.items():
        assert metrics[name] == pytest.approx(value, abs=5e-5), name
    report = metrics["classification_report"]
    assert report["me"]["recall"] == metrics["recall"]
    assert (report["me"]["support"], report["not_me"]["support"]) == (6, 10)
    assert metrics["faces"] == {"train": {"not_me": 40, "me": 24}, "test": {"not_me": 10, "me": 6}}
    assert metrics["backbone"] == "dlib-resnet"
    assert "validation" not in metrics


def test_metrics_with_validation_have_both(inside: Workspace) -> None:
    inside.set_params(train__validation_size=0.15, train__test_size=0.15)
    train.main()
    metrics = metrics_of(inside)
    assert metrics["validation"].keys() == KEYS - {"backbone", "faces"}
    assert {part: sum(counts.values()) for part, counts in metrics["faces"].items()} == {
        "train": 56, "validation": 12, "test": 12,
    }  # fmt: skip


def test_the_model_says_how_its_embeddings_were_made(built: Workspace) -> None:
    model = joblib.load(built.path("models/model.joblib"))
    manifest = Manifest.read(built.path("models/networks"))
    assert model.embedding_recipe_ == manifest.recipe(flip=True)


def test_two_runs_write_the_same_bytes(inside: Workspace) -> None:
    train.main()
    first = inside.outputs()
    train.main()
    assert inside.outputs() == first
    assert {"reports/metrics.json", "models/model.joblib", "models/scaler.joblib", "data/split.csv"} <= first.keys()


def test_parameters_reach_the_classifier(inside: Workspace) -> None:
    inside.set_params(train__C=0.01, train__class_weight=None, train__random_state=7)
    train.main()
    model = joblib.load("models/model.joblib")
    assert (model.C, model.class_weight, model.random_state) == (0.01, None, 7)


@pytest.mark.parametrize(
    ("me", "not_me", "warned"),
    [(20, 25, []), (19, 25, ["me has 19 faces; 20 to 30"]), (20, 180, ["10 % of the faces are me: an imbalance"]),
     (180, 20, ["90 % of the faces are me: an imbalance"]),
     (5, 100, ["me has 5 faces", "5 % of the faces are me: an imbalance. Accuracy then says little"])],
)  # fmt: skip
def test_few_faces_and_imbalance_are_warned_of(
    inside: Workspace, caplog: pytest.LogCaptureFixture, me: int, not_me: int, warned: list[str]
) -> None:
    put_embeddings(inside, me, not_me)
    train.main()
    messages = [record.getMessage() for record in caplog.records if record.name == "stages.train"]
    assert len(messages) == len(warned)
    for said in warned:
        assert any(message.startswith(said) for message in messages), messages


def test_ten_percent_of_positives_still_find_them(inside: Workspace) -> None:
    """class_weight balanced: the rarer class is not given up."""
    put_embeddings(inside, me=20, not_me=180, apart=1.0)
    train.main()
    assert metrics_of(inside)["recall"] == 1.0


def test_a_training_that_fails_leaves_the_last_good_model(workspace: Workspace) -> None:
    before = workspace.outputs()
    labels = np.load(workspace.path("data/labels.npy"))
    keep = np.flatnonzero((labels == 0) | (np.cumsum(labels) == 1))  # one photo of me
    np.save(workspace.path("data/embeddings.npy"), workspace.embeddings()[keep])
    np.save(workspace.path("data/labels.npy"), labels[keep])
    message = workspace.failing("train")
    assert message.startswith("me has 1 usable face; at least 2 are needed")
    for name in ("models/model.joblib", "models/scaler.joblib", "reports/metrics.json", "data/split.csv"):
        assert digest(workspace.path(name)) == before[name]


@posix_only
@pytest.mark.parametrize("moves", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow),
                                   pytest.param(3, marks=pytest.mark.slow)])  # fmt: skip
def test_killed_between_two_moves_a_model_is_there_and_the_next_run_is_right(workspace: Workspace, moves: int) -> None:
    before = workspace.outputs()
    workspace.set_params(train__C=0.01)
    undisturbed = workspace.copy(workspace.root.parent / "undisturbed")
    undisturbed.stage("train")
    after = undisturbed.outputs()
    workspace.killed_at_move("train", moves)
    assert workspace.leftovers()
    for name, kind in (("model", LogisticRegression), ("scaler", StandardScaler)):
        file = workspace.path(f"models/{name}.joblib")
        assert type(joblib.load(file)) is kind
        assert digest(file) in {before[f"models/{name}.joblib"], after[f"models/{name}.joblib"]}
    workspace.stage("train")
    assert workspace.outputs() == after


def test_rows_of_the_split_are_in_order(inside: Workspace) -> None:
    train.main()
    table = pd.read_csv(inside.path("data/split.csv"))
    assert list(table.columns) == ["row", "part"]
    assert list(table["row"]) == list(range(80))
