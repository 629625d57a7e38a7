"""The stage train: the contract's split, scaler, classifier and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from faces.fingerprint import scoring_fingerprint
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from faces.recognition.networks import Manifest
from faces.verifier import Verifier
from stages.files.dataset import Dataset
from stages.params import Params
from stages.train import train
from tests.stages.support import ROOT, Workspace, digest, posix_only, put_embeddings, put_groups, write_params

KEYS = {"accuracy", "auc_roc", "precision", "recall", "f1_score", "classification_report", "backbone", "faces",
        "verifier", "protocol", "people", "population", "not_enrolled"}  # fmt: skip


def predictions_of(workspace: Workspace) -> pd.DataFrame:
    return pd.read_csv(workspace.path("data/predictions.csv"))


def metrics_of(workspace: Workspace) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(workspace.path("reports/metrics.json").read_text(encoding="utf-8"))
    return values


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A folder with parameters and the embeddings of 30 and 50 made-up faces, as the current folder."""
    write_params(tmp_path)
    workspace = Workspace(tmp_path)
    put_embeddings(workspace, me=30, not_me=50, apart=0.15)
    monkeypatch.chdir(tmp_path)
    return workspace


@pytest.mark.parametrize(
    ("population", "said", "unsaid"),
    [
        ({"used": True, "source": "S", "people": 9, "far_at_default": 0.0005, "strangers": "anyone"},
         "strangers as in S (9 people): 0.05 % of them are estimated to reach 0.75", "resemble"),
        ({"used": True, "source": "S", "people": 9, "far_at_default": 0.0005, "strangers": "like_me"},
         "strangers as in S (9 people) who resemble me: 0.05 % of them are estimated", "contradict"),
        ({"used": False, "reason": "contradicted", "source": "S", "people": 9}, "do not look like those of S", "0.75"),
        ({"used": False, "reason": "none"}, "backbone.name dlib-resnet", "0.75"),
    ],
)  # fmt: skip
def test_the_terminal_says_what_is_known_of_strangers(population: dict[str, Any], said: str, unsaid: str) -> None:
    metrics = {"accuracy": 0.9, "auc_roc": 0.99, "f1_score": 0.8, "recall": 0.9, "verifier": "cosine",
               "backbone": "facenet-vggface2", "people": {"not_me": 60}, "population": population}  # fmt: skip
    text = train.summarise(metrics, 80)
    assert said in text and unsaid not in text
    assert "backbone.name" not in train.summarise(metrics | {"people": {"not_me": 300}}, 80)
    alone = train.summarise(metrics | {"accuracy": None}, 20)
    assert "of me alone" in alone and "90.0 %" in alone


def use_contract(workspace: Workspace, **values: Any) -> None:
    """The contract's verifier and split, which are settings."""
    workspace.set_params(train__verifier="logistic_regression", train__protocol="holdout", **values)


def test_figures_are_of_each_part_and_count_each_face_once(dlib_params: Params) -> None:
    """Two rounds; three people among six faces of others; four faces of me, of which the model saw two.

    At 0.5 the first round accepts two of three others and one of two of me, the second none and both.
    """
    labels, groups = np.array([0] * 6 + [1] * 4), np.array([0, 0, 1, 1, 2, 2, 10, 11, 12, 13])
    data = Dataset(np.zeros((10, 2), np.float32), labels, groups)
    tested = [(0, 0, "test", 0.5), (0, 1, "test", 0.7), (0, 2, "test", 0.2), (0, 6, "test", 0.9), (0, 7, "test", 0.4),
              (1, 0, "test", 0.1), (1, 1, "test", 0.1), (1, 2, "test", 0.1), (1, 6, "test", 0.6), (1, 7, "test", 0.6),
              (0, 3, "validation", 0.1), (0, 8, "validation", 0.7), (0, 9, "validation", 0.2)]  # fmt: skip
    table = pd.DataFrame(tested, columns=["repeat", "row", "part", "score"])
    table["label"] = labels[table["row"]]
    params = replace(dlib_params.train, protocol="holdout", test_size=0.25, validation_size=0.125)
    metrics = train.build_metrics(data, table, data.rows(np.array([4, 5, 6])), params, "a-backbone")
    assert metrics["accuracy"] == pytest.approx((1 + 1 + 3 + 2) / 10)
    assert (metrics["precision"], metrics["recall"]) == pytest.approx((3 / 5, 3 / 4))
    report = metrics["classification_report"]
    assert (report["me"]["support"], report["not_me"]["support"]) == pytest.approx((2, 3)), "a round counts half"
    assert metrics["validation"]["accuracy"] == pytest.approx(2 / 3)
    assert metrics["validation"]["recall"] == pytest.approx(1 / 2)
    assert metrics["faces"] == {
        "total": {"not_me": 6, "me": 4}, "train": {"not_me": 2, "me": 1}, "test": {"not_me": 3, "me": 2},
        "validation": {"not_me": 1, "me": 2},
    }  # fmt: skip
    assert metrics["people"] == {"not_me": 3}
    assert metrics["protocol"] == {"name": "holdout", "test_size": 0.25, "validation_size": 0.125}
    assert (metrics["backbone"], metrics["verifier"]) == ("a-backbone", params.verifier)
    rounds = train.build_metrics(data, table, data, replace(params, protocol="cross_validation", folds=4), "")
    assert rounds["protocol"] == {"name": "cross_validation", "folds": 4, "repeats": 2}


@pytest.mark.parametrize("flip", [True, False])
def test_the_model_says_how_stage_embed_made_its_embeddings(inside: Workspace, flip: bool) -> None:
    """Whether they are averaged with the mirrored face's decides how it is served."""
    recipe = {"backbone": "a-backbone", "embedding_size": 128, "weights": {"embedder": "abc"}, "flip": flip}
    made_with = {"code": "c0de", "numpy": "1.2.3"}
    text = json.dumps({"recipe": recipe, "made_with": made_with})
    inside.path("data/embedding_recipe.json").write_text(text, encoding="utf-8")
    inside.set_params(train__repeats=1, embed__flip=not flip)  # what embed did counts, not what it is to do next
    train.main()
    verifier = Verifier.load(Path("models/model.joblib"), Path("models/scaler.joblib"))
    assert verifier.recipe == recipe
    assert verifier.flip is flip
    assert verifier.made_with == {**made_with, "scoring": scoring_fingerprint()}
    assert metrics_of(inside)["backbone"] == "a-backbone"


def test_models_are_what_the_contract_names(inside: Workspace) -> None:
    use_contract(inside)
    train.main()
    model, scaler = (joblib.load(inside.path(f"models/{name}.joblib")) for name in ("model", "scaler"))
    assert type(model) is LogisticRegression
    assert type(scaler) is StandardScaler
    assert (model.class_weight, model.C, model.random_state) == ("balanced", 1.0, 42)
    assert list(model.classes_) == [0, 1]


def test_the_default_verifier_passes_embeddings_through_and_sees_every_face(built: Workspace) -> None:
    model, scaler = (joblib.load(built.path(f"models/{name}.joblib")) for name in ("model", "scaler"))
    assert type(model) is PopulationClassifier
    embeddings, labels = built.embeddings(), np.load(built.path("data/labels.npy"))
    assert np.array_equal(scaler.transform(embeddings), embeddings)
    groups = pd.read_csv(built.path("data/groups.csv"))["group"].to_numpy()
    population = Population.read(ROOT / "faces/populations/dlib_resnet.npz")
    whole = PopulationClassifier(population, far=5e-4).fit(embeddings, labels, groups)
    assert whole.predict_proba(embeddings) == pytest.approx(model.predict_proba(embeddings))
    scores = model.predict_proba(scaler.transform(embeddings))[:, 1]
    assert scores[labels == 1].min() > scores[labels == 0].max()


def test_the_contracts_score_is_its_formula_on_the_training_rows_alone(workspace: Workspace) -> None:
    """Rebuilt with scikit-learn alone, from the files that the stage read."""
    use_contract(workspace)
    put_groups(workspace, range(len(workspace.index())))
    workspace.stage("train")
    embeddings, labels = workspace.embeddings(), np.load(workspace.path("data/labels.npy"))
    kept, tested = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=42, stratify=labels)
    kept, tested = np.sort(kept), np.sort(tested)
    scaler = StandardScaler().fit(embeddings[kept])
    model = LogisticRegression(class_weight="balanced", max_iter=1000, random_state=42)
    model.fit(scaler.transform(embeddings[kept]), labels[kept])
    expected = model.predict_proba(scaler.transform(embeddings))[:, 1]
    ours, scaling = (joblib.load(workspace.path(f"models/{name}.joblib")) for name in ("model", "scaler"))
    scores = ours.predict_proba(scaling.transform(embeddings))[:, 1]
    assert np.allclose(scores, expected, atol=1e-6)
    table = predictions_of(workspace)
    assert np.array_equal(table["row"], tested)
    assert table["score"].to_numpy() == pytest.approx(scores[tested], abs=1e-6)


@pytest.mark.parametrize("contract", [True, False])
def test_metrics_are_those_of_unseen_rows_at_one_half(inside: Workspace, contract: bool) -> None:
    if contract:
        use_contract(inside)
    train.main()
    metrics, table = metrics_of(inside), predictions_of(inside)
    assert metrics.keys() == KEYS
    labels, scores = table["label"], table["score"]
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
    tested = {"not_me": 10, "me": 6} if contract else {"not_me": 50, "me": 30}
    assert {name: report[name]["support"] for name in tested} == pytest.approx(tested)
    trained = {"not_me": 40, "me": 24} if contract else {"not_me": 50, "me": 30}
    assert metrics["faces"] == {"total": {"not_me": 50, "me": 30}, "train": trained, "test": tested}
    assert metrics["backbone"] == "dlib-resnet"
    assert metrics["protocol"]["name"] == ("holdout" if contract else "cross_validation")
    assert "validation" not in metrics


def test_metrics_with_validation_have_both(inside: Workspace) -> None:
    use_contract(inside, train__validation_size=0.15, train__test_size=0.15)
    train.main()
    metrics = metrics_of(inside)
    assert metrics["validation"].keys() == {"accuracy", "auc_roc", "precision", "recall", "f1_score",
                                            "classification_report"}  # fmt: skip
    assert {part: sum(counts.values()) for part, counts in metrics["faces"].items()} == {
        "total": 80, "train": 56, "validation": 12, "test": 12,
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
    assert {
        "reports/metrics.json",
        "models/model.joblib",
        "models/scaler.joblib",
        "data/predictions.csv",
    } <= first.keys()


def test_parameters_reach_the_classifier(inside: Workspace) -> None:
    use_contract(inside, train__C=0.01, train__class_weight=None, train__random_state=7)
    train.main()
    model = joblib.load("models/model.joblib")
    assert (model.C, model.class_weight, model.random_state) == (0.01, None, 7)
    inside.set_params(train__verifier="cosine", train__cosine_C=5.0, train__cohort_weight=0.1)
    train.main()
    assert joblib.load("models/model.joblib").get_params() == {"C": 5.0, "cohort_weight": 0.1}


@pytest.mark.parametrize(
    ("me", "not_me", "warned"),
    [(20, 25, []), (19, 25, ["me has 19 faces; 20 to 30"]), (20, 180, ["10 % of the faces are me: an imbalance"]),
     (30, 170, []), (25, 155, ["14 % of the faces are me: an imbalance"]), (170, 30, []), (25, 19, ["not_me has 19"]),
     (180, 20, ["90 % of the faces are me: an imbalance"]),
     (5, 100, ["me has 5 faces", "5 % of the faces are me: an imbalance. Accuracy then says little"])],
)  # fmt: skip
def test_few_faces_and_imbalance_are_warned_of(
    inside: Workspace, caplog: pytest.LogCaptureFixture, me: int, not_me: int, warned: list[str]
) -> None:
    put_embeddings(inside, me, not_me)
    inside.set_params(train__repeats=1)
    train.main()
    messages = [record.getMessage() for record in caplog.records if record.name == "stages.train.train"]
    assert len(messages) == len(warned)
    for said in warned:
        assert any(message.startswith(said) for message in messages), messages


def test_ten_percent_of_positives_still_find_them(inside: Workspace) -> None:
    """class_weight balanced: the rarer class is not given up."""
    use_contract(inside)
    put_embeddings(inside, me=20, not_me=180, apart=1.0)
    train.main()
    assert metrics_of(inside)["recall"] == 1.0


def test_a_training_that_fails_leaves_the_last_good_model(workspace: Workspace) -> None:
    before = workspace.outputs()
    labels = np.load(workspace.path("data/labels.npy"))
    keep = np.flatnonzero((labels == 0) | (np.cumsum(labels) == 1))  # one photo of me
    np.save(workspace.path("data/embeddings.npy"), workspace.embeddings()[keep])
    np.save(workspace.path("data/labels.npy"), labels[keep])
    put_groups(workspace, range(len(keep)))
    message = workspace.failing("train")
    assert message.startswith("me has 1 usable face; at least 3 are needed")
    for name in ("models/model.joblib", "models/scaler.joblib", "reports/metrics.json", "data/predictions.csv"):
        assert digest(workspace.path(name)) == before[name]


@posix_only
@pytest.mark.security
@pytest.mark.parametrize(
    "moves",
    [5, *(pytest.param(moves, marks=pytest.mark.slow if moves in (0, 3, 7) else pytest.mark.long)
          for moves in (0, 1, 2, 3, 4, 6, 7))],
)  # fmt: skip
def test_killed_between_two_moves_a_model_is_there_and_the_next_run_is_right(workspace: Workspace, moves: int) -> None:
    before = workspace.outputs()
    workspace.set_params(train__population_far=0.01, train__random_state=1)
    undisturbed = workspace.copy(workspace.root.parent / "undisturbed")
    undisturbed.stage("train")
    after = undisturbed.outputs()
    workspace.killed_at_move("train", moves)
    assert workspace.leftovers()
    for name, kind in (("model", PopulationClassifier), ("scaler", StandardScaler)):
        file = workspace.path(f"models/{name}.joblib")
        assert type(joblib.load(file)) is kind
        assert digest(file) in {before[f"models/{name}.joblib"], after[f"models/{name}.joblib"]}
    assert digest(workspace.path("models/verifier.npz")) == (before if moves < 6 else after)["models/verifier.npz"]
    assert Verifier.load(workspace.path("models/model.joblib"), workspace.path("models/scaler.joblib"))
    workspace.stage("train")
    assert workspace.outputs() == after


def test_rows_of_predictions_are_in_order(inside: Workspace) -> None:
    train.main()
    table = predictions_of(inside)
    assert list(table.columns) == ["repeat", "row", "part", "label", "score"]
    assert list(table["row"]) == list(range(80)) * 10
    assert table["score"].between(0, 1).all()
