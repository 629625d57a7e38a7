"""The verifier that needs nobody else's photos: what it promises, and that it is read without scikit-learn."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pytest

from faces import scoring
from faces.fit_population import fit_population
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from tests.faces.populations import RECIPE, people

CROWD = np.concatenate(people(3000, seed=23))


@pytest.fixture(scope="module")
def population() -> Population:
    made = people(700, seed=21) + people(80, photos=8, seed=22)
    return fit_population({f"{number}": own for number, own in enumerate(made)}, RECIPE, "nobody")


@pytest.fixture
def own() -> np.ndarray:
    return people(1, photos=12, seed=24)[0]


@pytest.mark.parametrize("count", [1, 3, 10])
def test_from_photos_of_me_alone(population: Population, own: np.ndarray, count: int) -> None:
    classifier = PopulationClassifier(population, far=0.003).fit(own[:count], np.ones(count))
    assert (classifier.predict_proba(own[10:])[:, 1] > 0.75).all()
    assert (classifier.predict_proba(CROWD)[:, 1] >= 0.75).mean() < 0.012


def test_at_the_threshold_the_share_is_the_one_that_was_asked_for(population: Population, own: np.ndarray) -> None:
    for far in (0.01, 5e-4):
        classifier = PopulationClassifier(population, far).fit(own, np.ones(12))
        assert classifier.strangers_like(np.array([np.log(3.0)])) == pytest.approx([far])
    scores = classifier.decision_function(CROWD)
    estimated = classifier.strangers_like(scores)
    assert (np.diff(estimated[np.argsort(scores)]) <= 0).all()


def test_strangers_of_ones_own_kind_are_more_alike(population: Population, own: np.ndarray) -> None:
    """Against them the bar is higher, whether they are given as photos or asked for by name."""
    same_kind = np.concatenate(people(200, seed=25, kind=0))
    labels = np.repeat([1, 0], [12, 200])
    plain = PopulationClassifier(population).fit(own, np.ones(12))
    told = PopulationClassifier(population).fit(np.concatenate([own, same_kind]), labels)
    like_me = PopulationClassifier(population, strangers="like_me").fit(own, np.ones(12))
    others = np.concatenate(people(200, seed=26, kind=0))
    for stricter in (told, like_me):
        assert stricter.decision_function(others).mean() < plain.decision_function(others).mean()


def test_groups_count_once(population: Population, own: np.ndarray) -> None:
    copies = np.concatenate([own[:3], np.repeat(own[:1], 9, axis=0)])
    groups = np.array([0, 1, 2, *[0] * 9])
    once = PopulationClassifier(population).fit(own[:3], np.ones(3))
    assert PopulationClassifier(population).fit(copies, np.ones(12), groups).template_ == pytest.approx(once.template_)
    assert PopulationClassifier(population).fit(copies, np.ones(12)).template_ != pytest.approx(once.template_)


def test_length_decides_nothing(population: Population, own: np.ndarray) -> None:
    classifier = PopulationClassifier(population).fit(own, np.ones(12))
    assert classifier.decision_function(5 * own) == pytest.approx(classifier.decision_function(own))
    assert classifier.predict(np.concatenate([own[:2], CROWD[:2]])).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("embeddings", "labels", "message"),
    [
        (np.ones((3, 24)), np.zeros(3), "expected a photo of me; given none"),
        (np.ones((3, 24)), np.ones(2), "expected finite embeddings"),
        (np.full((3, 24), np.nan), np.ones(3), "expected finite embeddings"),
        (np.ones(24), np.ones(24), "expected finite embeddings"),
    ],
)
def test_bad_input(population: Population, embeddings: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PopulationClassifier(population).fit(embeddings, labels)


def test_it_is_read_without_scikit_learn(population: Population, own: np.ndarray, tmp_path: Path) -> None:
    classifier = PopulationClassifier(population).fit(own, np.ones(12))
    joblib.dump(classifier, tmp_path / "model.joblib")
    read = scoring.load(tmp_path / "model.joblib")
    assert type(read).__module__ == "faces.scoring"
    assert np.array_equal(read.predict_proba(CROWD[:50]), classifier.predict_proba(CROWD[:50]))
    assert np.array_equal(read.strangers_like(np.arange(-3.0, 9)), classifier.strangers_like(np.arange(-3.0, 9)))
    assert not hasattr(read, "population"), "the classifier's file holds what scores, and no more"
    assert (tmp_path / "model.joblib").stat().st_size < 60_000


def test_a_file_that_lacks_something_is_not_taken(population: Population, own: np.ndarray, tmp_path: Path) -> None:
    classifier = PopulationClassifier(population).fit(own, np.ones(12))
    del classifier.fars_
    joblib.dump(classifier, tmp_path / "model.joblib")
    assert type(scoring.load(tmp_path / "model.joblib")) is PopulationClassifier
