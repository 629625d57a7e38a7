"""The cosine verifier: what its probability means, from few photos and many, and what it must not be misled by."""

from __future__ import annotations

import itertools
import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from faces.cosine import CosineClassifier
from faces.scoring import unit_length

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


def gain(enrolled: Array, count: int) -> float:
    """How much nearer a photo comes to the mean of so many photos than to a single one, as the module explains it."""
    alike = np.mean([first @ second for first, second in itertools.combinations(enrolled, 2)])
    return float(1 / np.sqrt(alike + (1 - alike) / count))


def weighted(scores: Array, weights: Array, share: float) -> tuple[Array, Array]:
    """Scores and weights that sum to a share."""
    return scores, share * weights / weights.sum()


def regression(parts: dict[int, list[tuple[Array, Array]]], probes: Array, strength: float) -> Array:
    """Log odds at some cosines by scikit-learn's regression on weighted cosines, which are standardised before."""
    scores = np.concatenate([scores for label in parts for scores, _ in parts[label]])
    weights = np.concatenate([weights for label in parts for _, weights in parts[label]])
    labels = np.concatenate([np.full(len(scores), label) for label in parts for scores, _ in parts[label]])
    mean = weights @ scores
    deviation = np.sqrt(weights @ (scores - mean) ** 2)
    model = LogisticRegression(C=strength, max_iter=1000)
    model.fit(((scores - mean) / deviation)[:, None], labels, sample_weight=weights)
    odds: Array = model.decision_function(((probes - mean) / deviation)[:, None])
    return odds


@pytest.mark.parametrize(("cohort_weight", "strength"), [(0.5, 1000.0), (0.0, 1000.0), (1.0, 1000.0), (0.2, 3.0)])
def test_it_is_fitted_to_what_new_photos_would_score(cohort_weight: float, strength: float) -> None:
    """Everything by hand, from the module's own words: no histogram, a loop over pairs.

    Genuine scores are cosines to the mean of the others of me; strangers' are their cosines to me and, with the
    cohort's weight, those among themselves, but for pairs of one person and of photos that may show one. Each person
    counts once, both classes alike.
    """
    generator = np.random.default_rng(3)
    by_person = faces_of(generator, 31, 6).reshape(31, 6, SIZE)
    me = np.concatenate([by_person[0, :4], by_person[0, :1] + 0.1 * generator.normal(size=(1, SIZE))])
    named = by_person[21:24, :4] + 0.6 * generator.normal(size=(3, 4, SIZE))
    unnamed = by_person[24:28, :1] + 0.4 * generator.normal(size=(4, 2, SIZE))
    strangers = np.concatenate([by_person[1:21, 0], named.reshape(-1, SIZE), unnamed.reshape(-1, SIZE)])
    people = np.array([*range(20), *np.repeat([20, 21, 22], 4), *range(23, 31)])
    inside, labels = np.concatenate([me, strangers]), np.repeat([1, 0], [5, len(strangers)])
    groups = np.concatenate([100 + np.arange(5), people])
    model = CosineClassifier(C=strength, cohort_weight=cohort_weight).fit(inside, labels, groups)

    enrolled, others = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (me, strangers))
    template = enrolled.mean(axis=0) / np.linalg.norm(enrolled.mean(axis=0))
    genuine = []
    for place in range(5):
        rest = np.delete(enrolled, place, axis=0).mean(axis=0)
        genuine.append(enrolled[place] @ rest / np.linalg.norm(rest) * gain(enrolled, 5) / gain(enrolled, 4))
    own = np.array([1 / (people == person).sum() for person in people])
    same = np.median([first @ second for first, second in itertools.combinations(enrolled, 2)])
    pairs, pair_weights, left_out = [], [], Counter[str]()
    for first, second in itertools.combinations(range(len(others)), 2):
        cosine = others[first] @ others[second]
        left_out["named"] += people[first] == people[second] and cosine < same
        left_out["unnamed"] += people[first] != people[second] and cosine >= same
        if people[first] != people[second] and cosine < same:
            pairs.append(cosine * gain(enrolled, 5))
            pair_weights.append(own[first] * own[second])
    assert (left_out["named"], left_out["unnamed"]) == (18, 4), "neither way of leaving out does the other's work"
    probes = np.linspace(-0.2, 1, 25)
    parts = {
        1: [weighted(np.array(genuine), np.ones(5), 0.5)],
        0: [weighted(others @ template, own, 0.5 * (1 - cohort_weight)),
            weighted(np.array(pairs), np.array(pair_weights), 0.5 * cohort_weight)],
    }  # fmt: skip
    expected = regression(parts, probes, strength)
    found = model.slope_ * probes + model.intercept_
    assert found == pytest.approx(expected, rel=1e-4, abs=0.005), "but for the width of the histogram's bins"


@pytest.mark.slow
def test_the_cohort_shows_how_near_strangers_come() -> None:
    """What it is there for: among few others hardly anybody looks like me, but some look like one another."""

    def worst(weight: float) -> float:
        rates = []
        for seed in range(40):
            generator = np.random.default_rng(seed)
            families = 1.3 * generator.normal(size=(6, SIZE))
            looks = families[generator.integers(6, size=400)] + 0.8 * generator.normal(size=(400, SIZE))
            common = generator.normal(size=SIZE)
            me = looks[0] + 0.5 * generator.normal(size=(8, SIZE)) + common
            others = looks[1:] + 0.5 * generator.normal(size=(399, SIZE)) + common
            inside = np.concatenate([me, others[:12]])
            model = CosineClassifier(cohort_weight=weight).fit(inside, np.repeat([1, 0], [8, 12]))
            rates.append((model.predict_proba(others[12:])[:, 1] >= 0.75).mean())
        return float(np.max(rates))

    rates = [worst(weight) for weight in (0.0, 0.1, 0.5)]
    assert rates[2] < 0.7 * rates[0]
    assert rates == sorted(rates, reverse=True), "the more the cohort counts, the fewer strangers get in"


def test_without_pairs_strangers_weigh_as_much_as_me() -> None:
    """One stranger has nobody to be compared with."""
    inside, labels, mine, _ = project(10, 6, 1)
    model = CosineClassifier().fit(inside, labels)
    unit = unit_length(inside)
    enrolled = unit[labels == 1]
    rest = [unit_length(np.delete(enrolled, place, axis=0).mean(axis=0)) for place in range(6)]
    genuine = np.einsum("ij,ij->i", enrolled, rest) * gain(enrolled, 6) / gain(enrolled, 5)
    parts = {1: [weighted(genuine, np.ones(6), 0.5)],
             0: [weighted(unit[labels == 0] @ model.template_, np.ones(1), 0.5)]}  # fmt: skip
    probes = unit_length(mine) @ model.template_
    assert model.slope_ * probes + model.intercept_ == pytest.approx(regression(parts, probes, 1000.0), rel=0.02)


def test_of_many_strangers_a_thousand_from_everywhere_are_compared() -> None:
    """The last half of 1,500 look alike, as a family does: that must show."""
    generator = np.random.default_rng(11)
    alone = generator.normal(size=(750, SIZE))
    family = generator.normal(size=SIZE) + 0.9 * generator.normal(size=(750, SIZE))
    me = 2 * generator.normal(size=SIZE) + 0.5 * generator.normal(size=(8, SIZE))
    labels = np.repeat([1, 0], [8, 1500])
    first, mixed, apart = (
        CosineClassifier(cohort_weight=1.0).fit(np.concatenate([me, *others]), labels)
        for others in ((family, alone), (alone, family), (alone, generator.normal(size=(750, SIZE))))
    )
    middle = [-model.intercept_ / model.slope_ for model in (first, mixed, apart)]
    assert middle[0] == pytest.approx(middle[1], abs=0.03), "wherever the family stands"
    assert min(middle[:2]) > middle[2] + 0.05


def test_it_says_me_from_a_half_on() -> None:
    inside, labels, mine, strangers = project(12, 6, 40)
    model = CosineClassifier().fit(inside, labels)
    between = np.array([mine[0] * share + strangers[0] * (1 - share) for share in np.linspace(0, 1, 400)])
    likely = model.predict_proba(between)[:, 1]
    assert ((likely > 0.5) & (likely < 0.6)).any()
    assert np.array_equal(model.predict(between), likely >= 0.5)


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
