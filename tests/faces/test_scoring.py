"""Saved verifiers are scored as scikit-learn scores them, without it; what has no namesake is scikit-learn's affair."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from faces import scoring
from faces.cosine import CosineClassifier
from faces.verifier import Verifier
from tests.conftest import TrainedModels
from tests.faces.support import modules_after

LABELS = np.arange(60) % 3 == 0
EMBEDDINGS = np.random.default_rng(0).normal(0, 0.1, (60, 128)) + 0.2 * LABELS[:, None]
PROBES = np.random.default_rng(1).normal(0.1, 0.2, (50, 128))


def saved(value: object, folder: Path, **how: Any) -> Path:
    path = folder / "value.joblib"
    joblib.dump(value, path, **how)
    return path


@pytest.mark.parametrize(("fitted", "asked"), [("f8", "f4"), ("f8", "f8"), ("f4", "f4")])
@pytest.mark.parametrize(
    "model",
    [
        CosineClassifier(),
        LogisticRegression(),
        LogisticRegression(class_weight="balanced", C=100.0, random_state=42),
        LogisticRegression(fit_intercept=False),
        LogisticRegression(solver="liblinear"),
    ],
    ids=["cosine", "regression", "balanced", "no intercept", "liblinear"],
)
def test_a_model_scores_as_its_original(model: Any, fitted: str, asked: str, tmp_path: Path) -> None:
    model.fit(EMBEDDINGS.astype(fitted), LABELS)
    probes = PROBES.astype(asked)
    loaded = scoring.load(saved(model, tmp_path))
    assert type(loaded) is getattr(scoring, type(model).__name__)
    expected = model.predict_proba(probes)
    assert expected[:, 1].std() > 0.05  # they differ: a constant would agree with many a mistake
    tolerance = 1e-13 if expected.dtype == np.float64 else 1e-6
    np.testing.assert_allclose(loaded.predict_proba(probes), expected, rtol=tolerance, atol=tolerance / 100)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_a_scaler_scales_as_its_original(with_mean: bool, with_std: bool, dtype: type, tmp_path: Path) -> None:
    scaler = StandardScaler(with_mean=with_mean, with_std=with_std).fit(EMBEDDINGS * 100)
    loaded = scoring.load(saved(scaler, tmp_path))
    assert type(loaded) is scoring.StandardScaler
    given = (PROBES * 100).astype(dtype)
    kept = given.copy()
    scaled, expected = loaded.transform(given), scaler.transform(given)
    assert np.array_equal(scaled, expected) and scaled.dtype == expected.dtype
    assert np.array_equal(given, kept), "what was given is not changed"


def test_recipe_and_size_come_with_it(tmp_path: Path) -> None:
    model = CosineClassifier().fit(EMBEDDINGS, LABELS)
    model.embedding_recipe_ = {"flip": False}
    verifier = Verifier(scoring.load(saved(model, tmp_path)), StandardScaler())
    assert verifier.recipe == {"flip": False} and verifier.flip is False
    assert verifier.model.n_features_in_ == 128


def test_probability_has_no_overflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scoring.probability(np.array([-1e4, -800.0, 0.0, 800.0, 1e4])).tolist() == [0, 0, 0.5, 1, 1]
    odds = np.linspace(-30, 30, 1001)
    np.testing.assert_allclose(scoring.probability(odds), 1 / (1 + np.exp(-odds)), rtol=1e-15, atol=0)
    assert (np.diff(scoring.probability(odds)) >= 0).all()


class MyRegression(LogisticRegression):
    """Somebody's own class."""


@pytest.mark.parametrize(
    ("value", "how"),
    [
        (SVC().fit(EMBEDDINGS, LABELS), {}),
        (SGDClassifier(loss="log_loss").fit(EMBEDDINGS, LABELS), {}),
        (LogisticRegression().fit(EMBEDDINGS, np.arange(60) % 4), {}),
        (MyRegression().fit(EMBEDDINGS, LABELS), {}),
        (make_pipeline(StandardScaler(), LogisticRegression()).fit(EMBEDDINGS, LABELS), {}),
        (MinMaxScaler().fit(EMBEDDINGS), {}),
        (LogisticRegression(), {}),
        (StandardScaler(), {}),
        (CosineClassifier(), {}),
        (LogisticRegression().fit(EMBEDDINGS, LABELS), {"compress": 3}),
        ({"a": 1}, {}),
        (None, {}),
    ],
    ids=[
        "SVC", "SGD", "four classes", "subclass", "pipeline", "other scaler", "not fitted", "scaler not fitted",
        "cosine not fitted", "compressed", "dict", "None",
    ],
)  # fmt: skip
def test_everything_else_is_what_it_was(value: object, how: dict[str, Any], tmp_path: Path) -> None:
    loaded = scoring.load(saved(value, tmp_path, **how))
    assert type(loaded) is type(value)


@pytest.mark.parametrize("keep", [0, 20, 300, -1])
def test_damaged(keep: int, tmp_path: Path) -> None:
    path = saved(LogisticRegression().fit(EMBEDDINGS, LABELS), tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(Exception):  # noqa: B017  whatever joblib makes of it; Verifier.load says what to do
        scoring.load(path)


def test_a_namesake_is_not_saved_in_the_place_of_its_original(tmp_path: Path) -> None:
    loaded = scoring.load(saved(CosineClassifier().fit(EMBEDDINGS, LABELS), tmp_path))
    with pytest.raises(TypeError, match="CosineClassifier only scores"):
        pickle.dumps(loaded)


def test_the_projects_models_need_no_scikit_learn(trained_models: TrainedModels) -> None:
    paths = [str(trained_models.path / name) for name in ("model.joblib", "scaler.joblib")]
    loaded = modules_after(
        "from pathlib import Path; import numpy; from faces.verifier import Verifier\n"
        f"Verifier.load(*map(Path, {paths})).score(numpy.ones((1, 128), 'float32'))"
    )
    assert "joblib" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"sklearn", "scipy", "pandas"}
