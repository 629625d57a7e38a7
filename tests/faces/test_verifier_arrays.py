"""A verifier as arrays scores as the one that was fitted, to the last bit, and nothing in its file can run."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from faces import scoring
from faces.cosine import CosineClassifier
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from faces.verifier import Verifier
from faces.verifier_arrays import decode, encode
from tests.conftest import ROOT, TrainedModels
from tests.faces.support import modules_after

pytestmark = pytest.mark.security

LABELS = np.arange(60) % 3 == 0
EMBEDDINGS = np.random.default_rng(0).normal(0, 0.1, (60, 128)) + 0.2 * LABELS[:, None]
PROBES = np.random.default_rng(1).normal(0.1, 0.2, (50, 128))
PASS_THROUGH = StandardScaler(with_mean=False, with_std=False).fit(EMBEDDINGS)
POPULATION = Population.read(ROOT / "faces/populations/dlib_resnet.npz")


def read_again(model: Any, scaler: Any = PASS_THROUGH) -> Verifier:
    data = encode(model, scaler)
    assert data is not None
    return Verifier(*decode(data))


@pytest.mark.parametrize(("fitted", "asked"), [("f8", "f4"), ("f8", "f8"), ("f4", "f4")])
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (CosineClassifier(), scoring.CosineScoring),
        (PopulationClassifier(POPULATION), scoring.PopulationScoring),
        (PopulationClassifier(POPULATION, 0.01, "like_me"), scoring.PopulationScoring),
        (LogisticRegression(), scoring.LogisticScoring),
        (LogisticRegression(class_weight="balanced", C=100.0, random_state=42), scoring.LogisticScoring),
        (LogisticRegression(fit_intercept=False), scoring.LogisticScoring),
        (LogisticRegression(solver="liblinear"), scoring.LogisticScoring),
    ],
    ids=["cosine", "population", "like me", "regression", "balanced", "no intercept", "liblinear"],
)
def test_every_verifier_scores_as_it_was_fitted(model: Any, kind: type, fitted: str, asked: str) -> None:
    model.fit(EMBEDDINGS.astype(fitted), LABELS)
    probes = PROBES.astype(asked)
    read = read_again(model).model
    assert type(read) is kind
    expected = model.predict_proba(probes)
    assert expected[:, 1].std() > 0.01  # they differ: a constant would agree with many a mistake
    # Our own classes share the sums with what is read; scikit-learn rounds the logistic function otherwise.
    if isinstance(model, LogisticRegression):
        tolerance = 1e-13 if expected.dtype == np.float64 else 1e-6
        np.testing.assert_allclose(read.predict_proba(probes), expected, rtol=tolerance, atol=tolerance / 100)
    else:
        assert np.array_equal(read.predict_proba(probes), expected)


def test_look_alikes_come_with_it() -> None:
    """Of the embeddings of others, some are so near that they are remembered."""
    others = EMBEDDINGS.copy()
    others[~LABELS] += 0.15
    model = PopulationClassifier(POPULATION).fit(others, LABELS)
    read = read_again(model).model
    assert len(read.look_alikes_) > 0
    assert np.array_equal(read.look_alike_groups_, model.look_alike_groups_)
    assert np.array_equal(read.predict_proba(PROBES), model.predict_proba(PROBES))
    assert np.array_equal(read.strangers_like(np.arange(-3.0, 9)), model.strangers_like(np.arange(-3.0, 9)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_a_scaler_scales_as_its_original(with_mean: bool, with_std: bool, dtype: type) -> None:
    scaler = StandardScaler(with_mean=with_mean, with_std=with_std).fit(EMBEDDINGS * 100)
    read = read_again(CosineClassifier().fit(EMBEDDINGS, LABELS), scaler).scaler
    assert type(read) is scoring.StandardScaling
    given = (PROBES * 100).astype(dtype)
    kept = given.copy()
    scaled, expected = read.transform(given), scaler.transform(given)
    assert np.array_equal(scaled, expected) and scaled.dtype == expected.dtype
    assert np.array_equal(given, kept), "what was given is not changed"


def test_recipe_and_size_come_with_it() -> None:
    model = CosineClassifier().fit(EMBEDDINGS, LABELS)
    fitted = Verifier(model, PASS_THROUGH)
    fitted.describe({"flip": False, "crop": {"points": [1.5, 2]}}, {"code": "c0de"})
    read = read_again(model)
    assert read.recipe == fitted.recipe and read.made_with == fitted.made_with and read.flip is False
    assert (read.model.n_features_in_, read.scaler.n_features_in_) == (128, 128)


@pytest.mark.parametrize("model", [CosineClassifier(), PopulationClassifier(POPULATION), LogisticRegression()])
def test_what_was_read_is_written_as_it_was(model: Any) -> None:
    data = encode(model.fit(EMBEDDINGS, LABELS), StandardScaler().fit(EMBEDDINGS))
    assert data is not None
    assert encode(*decode(data)) == data


def test_the_same_verifier_gives_the_same_bytes() -> None:
    first, again = (encode(PopulationClassifier(POPULATION).fit(EMBEDDINGS, LABELS), PASS_THROUGH) for _ in range(2))
    assert first == again


class MyRegression(LogisticRegression):
    """Somebody's own class."""


@pytest.mark.parametrize(
    ("model", "scaler"),
    [
        (SVC().fit(EMBEDDINGS, LABELS), PASS_THROUGH),
        (SGDClassifier(loss="log_loss").fit(EMBEDDINGS, LABELS), PASS_THROUGH),
        (LogisticRegression().fit(EMBEDDINGS, np.arange(60) % 4), PASS_THROUGH),
        (MyRegression().fit(EMBEDDINGS, LABELS), PASS_THROUGH),
        (make_pipeline(StandardScaler(), LogisticRegression()).fit(EMBEDDINGS, LABELS), PASS_THROUGH),
        (CosineClassifier().fit(EMBEDDINGS, LABELS), MinMaxScaler().fit(EMBEDDINGS)),
        (LogisticRegression(), PASS_THROUGH),
        (CosineClassifier(), PASS_THROUGH),
        (CosineClassifier().fit(EMBEDDINGS, LABELS), StandardScaler()),
        ({"a": 1}, None),
    ],
    ids=["SVC", "SGD", "four classes", "subclass", "pipeline", "other scaler", "not fitted", "cosine not fitted",
         "scaler not fitted", "dict"],
)  # fmt: skip
def test_what_the_pipeline_does_not_train_has_no_arrays(model: Any, scaler: Any) -> None:
    assert encode(model, scaler) is None


class _Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.folder,)


def test_a_pickle_among_the_arrays_does_not_run(tmp_path: Path) -> None:
    data = encode(CosineClassifier().fit(EMBEDDINGS, LABELS), PASS_THROUGH)
    assert data is not None
    with np.load(io.BytesIO(data)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name in arrays:
        file = io.BytesIO()
        np.savez(file, allow_pickle=True, **(arrays | {name: np.array([_Trap(tmp_path / "sprung")], object)}))
        with pytest.raises(ValueError, match="allow_pickle=False"):
            decode(file.getvalue())
    assert not (tmp_path / "sprung").exists()


def test_another_format_is_not_read() -> None:
    data = encode(CosineClassifier().fit(EMBEDDINGS, LABELS), PASS_THROUGH)
    assert data is not None
    with np.load(io.BytesIO(data)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["about"] = np.array(str(arrays["about"]).replace('"format": 1', '"format": 2'))
    file = io.BytesIO()
    np.savez(file, **arrays)
    with pytest.raises(ValueError, match="format 2; expected 1"):
        decode(file.getvalue())


def test_the_projects_models_need_neither_joblib_nor_scikit_learn(trained_models: TrainedModels) -> None:
    paths = [str(trained_models.path / name) for name in ("model.joblib", "scaler.joblib")]
    loaded = modules_after(
        "from pathlib import Path; import numpy; from faces.verifier import Verifier\n"
        f"Verifier.load(*map(Path, {paths})).score(numpy.ones((1, 128), 'float32'))"
    )
    assert "faces.verifier_arrays" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"joblib", "sklearn", "scipy", "pandas"}
