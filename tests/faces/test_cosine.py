"""The cosine verifier: what its probability means, from few photos and many, and what it must not be misled by."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from faces.cosine import CosineClassifier

Array = np.ndarray[Any, Any]
SIZE = 64


def faces_of(generator: np.random.Generator, people: int, photos: int, spread: float = 0.5) -> Array:
    """Made-up embeddings, float64 [people * photos, SIZE]: photos of a person scatter about a point of their own.

    A part is common to all people, as in real embeddings.
    """
    common = generator.normal(size=SIZE)
    own = common + generator.normal(size=(people, 1, SIZE))
    return (own + spread * generator.normal(size=(people, photos, SIZE))).reshape(-1, SIZE)


def project(seed: int, me: int, others: int) -> tuple[Array, Array, Array, Array]:
    """Embeddings and labels to fit, then new photos of me and of strangers."""
    generator = np.random.default_rng(seed)
    common_seed = generator.integers(2**32)
    everybody = faces_of(np.random.default_rng(common_seed), others + 401, me + 50)
    by_person = everybody.reshape(others + 401, me + 50, SIZE)
    inside = np.concatenate([by_person[0, :me], by_person[1 : others + 1, 0]])
    labels = np.repeat([1, 0], [me, others])
    return inside, labels, by_person[0, me:], by_person[others + 1 :, 0]


@pytest.mark.parametrize(("me", "others"), [(5, 120), (12, 20), (12, 120), (30, 120), (3, 2), (2, 1)])
def test_new_photos_are_told_apart_from_few_photos(me: int, others: int) -> None:
    inside, labels, mine, strangers = project(0, me, others)
    model = CosineClassifier().fit(inside, labels)
    own, foreign = model.predict_proba(mine)[:, 1], model.predict_proba(strangers)[:, 1]
    assert np.median(own) > 0.8
    assert np.median(foreign) < 0.2
    assert own.min() > foreign.max() or (own[:, None] > foreign).mean() > 0.99


def test_it_is_the_formula_it_says() -> None:
    inside, labels, mine, _ = project(1, 12, 40)
    model = CosineClassifier().fit(inside, labels)
    enrolled = inside[labels == 1] / np.linalg.norm(inside[labels == 1], axis=1, keepdims=True)
    template = enrolled.mean(axis=0) / np.linalg.norm(enrolled.mean(axis=0))
    assert model.template_ == pytest.approx(template)
    cosine = mine @ template / np.linalg.norm(mine, axis=1)
    odds = model.slope_ * cosine + model.intercept_
    assert model.decision_function(mine) == pytest.approx(odds)
    assert model.predict_proba(mine) == pytest.approx(
        np.stack([1 / (1 + np.exp(odds)), 1 / (1 + np.exp(-odds))], axis=1)
    )
    assert np.array_equal(model.predict(mine), odds >= 0)
    assert model.slope_ > 0
    assert (list(model.classes_), model.n_features_in_) == ([0, 1], SIZE)


def test_the_length_of_an_embedding_does_not_count() -> None:
    inside, labels, mine, _ = project(2, 8, 30)
    scale = np.random.default_rng(0).uniform(0.5, 2, (len(inside), 1))
    one, other = CosineClassifier().fit(inside, labels), CosineClassifier().fit(inside * scale, labels)
    assert one.predict_proba(mine) == pytest.approx(other.predict_proba(3 * mine))


def test_probabilities_mean_what_they_say_over_many_people() -> None:
    """Of scores near p, a share near p is "me", where both are equally frequent."""
    scores, truth = [], []
    for seed in range(40):
        inside, labels, mine, strangers = project(seed, 8, 40)
        model = CosineClassifier().fit(inside, labels)
        for photos, label in ((mine, 1), (strangers[: len(mine)], 0)):
            scores.append(model.predict_proba(photos)[:, 1])
            truth.append(np.full(len(photos), label))
    score, label = np.concatenate(scores), np.concatenate(truth)
    assert abs(score.mean() - label.mean()) < 0.02
    assert abs((score - label)[score > 0.5].mean()) < 0.05
    assert abs((score - label)[score < 0.5].mean()) < 0.05


def test_the_cohort_shows_how_near_strangers_come() -> None:
    """What it is there for: among few others hardly anybody looks like me, but some look like one another."""

    def worst(weight: float) -> float:
        rates = []
        for seed in range(40):
            generator = np.random.default_rng(seed)
            families = 1.3 * generator.normal(size=(6, SIZE))
            looks = families[generator.integers(6, size=800)] + 0.8 * generator.normal(size=(800, SIZE))
            photos = looks[:, None] + 0.5 * generator.normal(size=(800, 9, SIZE)) + generator.normal(size=SIZE)
            inside = np.concatenate([photos[0, :8], photos[1:13, 0]])
            model = CosineClassifier(cohort_weight=weight).fit(inside, np.repeat([1, 0], [8, 12]))
            rates.append((model.predict_proba(photos[13:, 0])[:, 1] >= 0.75).mean())
        return float(np.max(rates))

    assert worst(0.5) < 0.7 * worst(0.0)


def test_near_duplicates_of_me_count_once() -> None:
    inside, labels, mine, strangers = project(3, 6, 40)
    burst = np.concatenate([np.repeat(inside[:1], 30, axis=0), inside])
    groups = np.concatenate([np.zeros(30, int), np.arange(len(inside))])
    both = np.concatenate([np.ones(30, int), labels])
    photos = np.concatenate([mine, strangers])
    plain = CosineClassifier().fit(inside, labels)
    grouped = CosineClassifier().fit(burst, both, groups)
    misled = CosineClassifier().fit(burst, both)
    assert grouped.decision_function(photos) == pytest.approx(plain.decision_function(photos))
    assert misled.decision_function(mine).mean() < grouped.decision_function(mine).mean() - 0.5


def test_a_stranger_with_many_photos_counts_as_one() -> None:
    inside, labels, mine, _ = project(4, 8, 40)
    many = np.concatenate([inside, np.repeat(inside[-1:], 200, axis=0)])
    groups = np.concatenate([np.arange(len(inside)), np.full(200, len(inside) - 1)])
    grouped = CosineClassifier().fit(many, np.concatenate([labels, np.zeros(200, int)]), groups)
    assert grouped.decision_function(mine) == pytest.approx(
        CosineClassifier().fit(inside, labels).decision_function(mine)
    )


def test_unnamed_photos_of_one_stranger_are_not_taken_for_two_people() -> None:
    """A folder without sub-folders: pairs as alike as two photos of me would drag the threshold up."""
    generator = np.random.default_rng(5)
    by_person = faces_of(generator, 31, 40).reshape(31, 40, SIZE)
    me, others = by_person[0, :10], by_person[1:, :6].reshape(-1, SIZE)
    inside, labels = np.concatenate([me, others]), np.repeat([1, 0], [10, len(others)])
    named = np.concatenate([np.arange(10), 100 + np.repeat(np.arange(30), 6)])
    with_names, without = CosineClassifier().fit(inside, labels, named), CosineClassifier().fit(inside, labels)
    new = by_person[0, 10:]
    assert without.decision_function(new) == pytest.approx(with_names.decision_function(new), abs=1.5)
    assert (without.predict_proba(new)[:, 1] >= 0.75).mean() > 0.9


def test_any_order_of_photos_and_the_same_again_is_the_same() -> None:
    inside, labels, mine, _ = project(6, 9, 50)
    order = np.random.default_rng(0).permutation(len(inside))
    first, again = CosineClassifier().fit(inside, labels), CosineClassifier().fit(inside, labels)
    other = CosineClassifier().fit(inside[order], labels[order])
    assert pickle.dumps(first) == pickle.dumps(again)
    assert first.decision_function(mine) == pytest.approx(other.decision_function(mine))


def test_scikit_learn_can_clone_it_and_its_size_is_small() -> None:
    inside, labels, mine, _ = project(7, 10, 300)
    model = CosineClassifier(C=10, cohort_weight=0.2)
    assert clone(model).get_params() == {"C": 10, "cohort_weight": 0.2}
    model.fit(inside.astype(np.float32), labels)
    assert len(pickle.dumps(model)) < 3000, "no embedding of anybody but the mean of me is kept"
    assert model.predict_proba(mine.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize(
    ("me", "others", "said"),
    [(0, 5, "given 0 and 5"), (1, 5, "given 1 and 5"), (5, 0, "given 5 and 0")],
)
def test_too_few_are_refused(me: int, others: int, said: str) -> None:
    photos = np.random.default_rng(0).normal(size=(me + others, SIZE))
    with pytest.raises(ValueError, match=said):
        CosineClassifier().fit(photos, np.repeat([1, 0], [me, others]))


def test_one_burst_of_me_is_refused() -> None:
    photos = np.random.default_rng(0).normal(size=(9, SIZE))
    with pytest.raises(ValueError, match="given 1 and 4"):
        CosineClassifier().fit(photos, np.repeat([1, 0], [5, 4]), np.array([0] * 5 + [1, 2, 3, 4]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    inside, labels, _, _ = project(8, 5, 5)
    inside[2, 3] = value
    with pytest.raises(ValueError, match="expected finite embeddings"):
        CosineClassifier().fit(inside, labels)


def test_a_zero_embedding_and_equal_photos_break_nothing() -> None:
    inside, labels, mine, _ = project(9, 5, 5)
    inside[0] = 0
    assert np.isfinite(CosineClassifier().fit(inside, labels).predict_proba(mine)).all()
    same = np.ones((6, SIZE))
    assert np.isfinite(CosineClassifier().fit(same, np.array([1, 1, 1, 0, 0, 0])).predict_proba(same)).all()
