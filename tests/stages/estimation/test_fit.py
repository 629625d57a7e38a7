"""Fitting: the parameters and groups reach the classifier, and nobody is scored by a model that saw their group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from faces.cosine import CosineClassifier
from stages.estimation.fit import fit, predict
from stages.estimation.protocol import Split, make_splits
from stages.files.dataset import Dataset
from stages.params import TrainParams, load_params
from tests.stages.support import ROOT


def settings(**values: Any) -> TrainParams:
    return replace(load_params(ROOT / "params.yaml").train, **values)


@pytest.fixture
def data() -> Dataset:
    """24 photos of 30 dimensions that are no distance apart which any classifier must find; each person has two."""
    labels = np.array([0] * 14 + [1] * 10)
    embeddings = np.random.default_rng(0).normal(2, 1, size=(24, 30)).astype(np.float32)
    embeddings[labels == 1] += np.float32(0.4)
    return Dataset(embeddings, labels, np.arange(24) // 2)


def test_the_cosine_verifier_has_its_parameters_the_groups_and_embeddings_as_they_are(data: Dataset) -> None:
    verifier = fit(data, settings(cosine_C=5.0, cohort_weight=0.1), None)
    expected = CosineClassifier(C=5.0, cohort_weight=0.1).fit(data.embeddings, data.labels, data.groups)
    assert verifier.model.get_params() == {"C": 5.0, "cohort_weight": 0.1}
    assert verifier.score(data.embeddings) == pytest.approx(expected.predict_proba(data.embeddings)[:, 1])
    assert np.array_equal(verifier.scaler.transform(data.embeddings), data.embeddings)
    alone = CosineClassifier(C=5.0, cohort_weight=0.1).fit(data.embeddings, data.labels)
    assert verifier.score(data.embeddings) != pytest.approx(alone.predict_proba(data.embeddings)[:, 1])


def test_the_contracts_verifier_is_a_regression_on_scaled_embeddings(data: Dataset) -> None:
    params = settings(verifier="logistic_regression", C=0.3, class_weight="balanced", max_iter=77, random_state=9)
    verifier = fit(data, params, None)
    scaler = StandardScaler().fit(data.embeddings)
    model = LogisticRegression(C=0.3, class_weight="balanced", max_iter=77, random_state=9)
    model.fit(scaler.transform(data.embeddings), data.labels)
    assert verifier.model.get_params() == model.get_params()
    assert verifier.score(data.embeddings) == pytest.approx(
        model.predict_proba(scaler.transform(data.embeddings))[:, 1]
    )


@pytest.mark.parametrize("verifier", ["cosine", "logistic_regression"])
def test_each_face_is_scored_by_models_fitted_to_the_rest(data: Dataset, verifier: str) -> None:
    params = settings(verifier=verifier, repeats=2, folds=3)
    splits = make_splits(data, params, False)
    table = predict(data, splits, params, None)
    assert list(table.columns) == ["repeat", "row", "part", "label", "score"]
    assert table["row"].tolist() == list(range(24)) * 2
    assert table["repeat"].tolist() == [0] * 24 + [1] * 24
    assert table["label"].tolist() == data.labels.tolist() * 2
    assert set(table["part"]) == {"test"}
    for split in splits:
        own = table[(table["repeat"] == split.repeat) & table["row"].isin(split.test)]
        expected = fit(data.rows(split.train), params, None).score(data.embeddings[own["row"]])
        assert own["score"].to_numpy() == pytest.approx(expected)


def test_validation_faces_are_scored_beside_the_test_faces(data: Dataset) -> None:
    train, test, validation = np.array([0, 1, 2, 3, 4, 14, 15, 16, 17]), np.array([6, 7, 20]), np.array([9, 22, 23])
    params = settings(verifier="logistic_regression")
    table = predict(data, [Split(0, train, test, validation)], params, None)
    assert [(part, int(row)) for part, row in zip(table["part"], table["row"], strict=True)] == [
        ("test", 6), ("test", 7), ("test", 20), ("validation", 9), ("validation", 22), ("validation", 23),
    ]  # fmt: skip
    assert table["label"].tolist() == [0, 0, 1, 0, 1, 1]
    expected = fit(data.rows(train), params, None).score(data.embeddings[[6, 7, 20, 9, 22, 23]])
    assert table["score"].to_numpy() == pytest.approx(expected)
