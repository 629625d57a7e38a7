"""The verifier that needs nobody else's photos: what it promises, and that it is read without scikit-learn."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from faces.fit_population import fit_population
from faces.population import Population
from faces.population_classifier import LOOK_ALIKE_FAR, MOST_LOOK_ALIKES, PopulationClassifier
from faces.scoring import LOOK_ALIKE_ODDS, unit_length
from faces.verifier_arrays import decode, encode
from tests.faces.populations import RECIPE, look_alike, people

PASS_THROUGH = StandardScaler(with_mean=False, with_std=False).fit(np.zeros((2, 128)))
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
        assert stricter.likenesses(others).mean() < plain.likenesses(others).mean()


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


def fitted(population: Population, own: np.ndarray, *others: np.ndarray) -> PopulationClassifier:
    """Fitted to photos of me, and to photos of other people, [n, D] each."""
    photos = np.concatenate([own, *others])
    numbers = [len(own) + number for number, each in enumerate(others) for _ in each]
    labels = np.repeat([1, 0], [len(own), len(photos) - len(own)])
    return PopulationClassifier(population).fit(photos, labels, np.array([*range(len(own)), *numbers]))


def one_by_one(photos: np.ndarray) -> list[np.ndarray]:
    """Each photo of a person of its own."""
    return [photo[None] for photo in photos]


def accepted(classifier: PopulationClassifier, photos: np.ndarray) -> float:
    return float((classifier.predict_proba(photos)[:, 1] >= 0.75).mean())


def test_a_look_alike_who_is_known_is_refused(population: Population) -> None:
    mine = people(1, photos=20, seed=24)[0]
    own, further = mine[:12], mine[12:]
    unknown = fitted(population, own, *one_by_one(CROWD[:20]))
    still_me = []
    for seed in range(6):
        hers = look_alike(mine, 0.25, 16, seed)
        known = fitted(population, own, *one_by_one(CROWD[:20]), hers[:8])
        assert known.look_alikes_ == pytest.approx(unit_length(hers[:8].mean(axis=0))[None], abs=1e-3)
        assert not known.contradicted_
        assert accepted(unknown, hers[8:]) >= 0.75
        assert accepted(known, hers[8:]) <= 0.25
        still_me.append(accepted(known, further))
    assert accepted(unknown, further) == 1.0
    assert np.mean(still_me) > 0.8


def test_a_photo_as_like_to_both_is_rather_mine(population: Population, own: np.ndarray) -> None:
    """With a look-alike whose template is mine, what her side takes away is known."""
    plain = fitted(population, own)
    both = fitted(population, own, np.tile(plain.template_, (1, 1)))
    odds = both.slope_ * both.likenesses(own) + both.intercept_
    assert both.look_alikes_ == pytest.approx(both.template_[None])
    assert both.decision_function(own) == pytest.approx(-np.logaddexp(-odds, -LOOK_ALIKE_ODDS))


def test_only_who_resembles_me_is_remembered(population: Population, own: np.ndarray) -> None:
    far = [look_alike(own, 1.3, 1, seed) for seed in range(12)]
    near = [look_alike(own, 0.2, 1, seed) for seed in range(3)]
    classifier = fitted(population, own, *far, *near)
    shares = population.far(classifier.likenesses(np.concatenate([*far, *near])))
    assert (shares <= LOOK_ALIKE_FAR).tolist() == [False] * 12 + [True] * 3
    nearest_first = np.concatenate(near)[np.argsort(shares[12:])]
    assert classifier.look_alikes_ == pytest.approx(nearest_first)
    assert fitted(population, own, *far).look_alikes_.shape == (0, own.shape[1])


def test_the_nearest_of_many_look_alikes_are_remembered(population: Population, own: np.ndarray) -> None:
    near = [look_alike(own, 0.1 + 0.01 * number, 1, number) for number in range(MOST_LOOK_ALIKES + 4)]
    classifier = fitted(population, own, *near)
    likenesses = np.sort(classifier.likenesses(np.concatenate(near)))[::-1]
    assert classifier.likenesses(classifier.look_alikes_) == pytest.approx(likenesses[:MOST_LOOK_ALIKES])


@pytest.mark.parametrize(
    ("near", "far", "contradicted"), [(6, 4, True), (5, 5, False), (4, 0, False), (5, 0, True), (0, 5, False)]
)
def test_strangers_who_all_look_like_me_contradict_the_population(
    population: Population, own: np.ndarray, near: int, far: int, contradicted: bool
) -> None:
    others = [look_alike(own, 0.2, 1, seed) for seed in range(near)] + [look_alike(own, 1.3, 1, n) for n in range(far)]
    assert fitted(population, own, *others).contradicted_ is contradicted


def test_photos_of_one_person_do_not_contradict(population: Population, own: np.ndarray) -> None:
    """A sister with ten photos is one stranger of two."""
    crowd = one_by_one(CROWD[:20])
    assert not fitted(population, own, look_alike(own, 0.2, 30, 1), *crowd).contradicted_
    assert not fitted(population, own, look_alike(own, 0.2, 30, 1)).contradicted_


@pytest.mark.parametrize("number", range(6))
def test_people_of_my_kind_come_nearer_by_the_factor(population: Population, number: int) -> None:
    """A third of the crowd is of each kind, and nobody of another kind comes near: three times as many, counted."""
    mine = people(6, photos=12, seed=24)[number]
    classifier = PopulationClassifier(population, far=0.01).fit(mine, np.ones(12))
    cosines = CROWD @ classifier.template_
    same = np.arange(len(CROWD)) % 3 == number % 3
    counted = (cosines[same] >= np.quantile(cosines, 0.99)).mean() / 0.01
    assert counted > 2.5
    assert counted / 1.7 < classifier.like_me_factor() < 1.7 * counted


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
    read, _ = decode(encode(classifier, PASS_THROUGH) or b"")
    assert type(read).__module__ == "faces.scoring"
    assert np.array_equal(read.look_alike_groups_, classifier.look_alike_groups_)
    assert np.array_equal(read.predict_proba(CROWD[:50]), classifier.predict_proba(CROWD[:50]))
    assert np.array_equal(read.strangers_like(np.arange(-3.0, 9)), classifier.strangers_like(np.arange(-3.0, 9)))
    written = joblib.load(tmp_path / "model.joblib")
    assert written.population is None, "the classifier's file holds what scores, and no more"
    assert (tmp_path / "model.joblib").stat().st_size < 60_000


def test_one_that_lacks_something_is_not_written_as_arrays(population: Population, own: np.ndarray) -> None:
    classifier = PopulationClassifier(population).fit(own, np.ones(12))
    del classifier.fars_
    assert encode(classifier, PASS_THROUGH) is None
