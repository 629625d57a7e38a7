"""The threshold to serve with: no more strangers than asked for, and no promise without people enough."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from faces.operating_point import OperatingPoint
from stages.estimation.intervals import rate_interval
from stages.evaluate import operating_point
from stages.params import load_params
from tests.stages.support import ROOT

RESAMPLINGS = 100


def choose(scores: np.ndarray, groups: np.ndarray, target: float, estimated: float | None = None) -> OperatingPoint:
    params = replace(load_params(ROOT / "params.yaml").evaluate, target_far=target, bootstrap=RESAMPLINGS)
    return operating_point.choose(scores, groups, params, estimated)


def test_what_is_estimated_stands_beside_what_is_measured() -> None:
    scores = np.linspace(0, 0.999, 1000)
    measured = choose(scores, np.arange(1000), 0.001)
    both = choose(scores, np.arange(1000), 0.001, estimated=0.7512345678)
    assert (measured.basis, measured.estimated_threshold) == ("measured", None)
    assert (both.basis, both.threshold) == ("measured", measured.threshold)
    assert both.estimated_threshold == 0.751235, "in whole steps, and not below what was estimated"


def test_without_strangers_it_is_the_estimated_one() -> None:
    point = choose(np.empty(0), np.empty(0, int), 0.001, estimated=0.68)
    assert (point.basis, point.supported, point.people) == ("estimated", False, 0)
    assert point.threshold == point.estimated_threshold == 0.680001


@pytest.mark.parametrize(("target", "passing"), [(0.002, 2), (0.0025, 2), (0.001, 1), (0.0005, 0)])
def test_without_a_promise_it_is_the_lowest_that_lets_few_enough_in(target: float, passing: int) -> None:
    """A thousand strangers are too few to promise such a target."""
    scores = np.linspace(0, 0.999, 1000)
    point = choose(scores, np.arange(1000), target)
    assert not point.supported
    assert int((scores >= point.threshold).sum()) == passing
    assert int((scores >= point.threshold - 2e-6).sum()) == passing + 1, "the next stranger is refused by a hair"
    assert (point.people, point.effective_people, point.target_far) == (1000, 1000, target)
    assert point.people_needed == round(3 / target)


@pytest.mark.parametrize(("target", "people"), [(0.01, 300), (0.01, 1000), (0.1, 1000)])
def test_with_a_promise_it_is_the_lowest_that_keeps_it(target: float, people: int) -> None:
    scores = np.linspace(0, 0.999, people)
    point = choose(scores, np.arange(people), target)
    assert point.supported
    passing = int((scores >= point.threshold).sum())
    assert passing < target * people
    assert rate_interval(np.arange(people) < passing, np.arange(people), RESAMPLINGS).high <= target
    assert rate_interval(np.arange(people) < passing + 1, np.arange(people), RESAMPLINGS).high > target
    assert int((scores >= point.threshold - 2e-6).sum()) == passing + 1
    assert (point.people, point.effective_people, point.target_far) == (people, people, target)


def test_people_are_counted_once_and_by_what_they_are_worth() -> None:
    """Of a hundred people one has as many photos as the others together: they are worth four, all but a little."""
    groups = np.concatenate([np.arange(100), np.zeros(99, int)])
    point = choose(np.linspace(0, 0.9, 199), groups, 0.03)
    assert (point.people, point.effective_people) == (100, 3)
    assert not point.supported


def test_a_promise_takes_a_stricter_threshold_than_a_measurement() -> None:
    scores = np.random.default_rng(0).random(10_000)
    point = choose(scores, np.arange(10_000), 0.01)
    assert point.supported
    assert 0.005 < (scores >= point.threshold).mean() < 0.009
    fewer = choose(scores[:200], np.arange(200), 0.01)
    assert not fewer.supported
    assert fewer.people_needed == 300


@pytest.mark.parametrize("seed", range(3))
def test_what_is_promised_is_kept(seed: int) -> None:
    """Of many data sets, at most one in twenty gets a threshold that lets more strangers in than the target."""
    generator = np.random.default_rng(seed)
    broken = 0
    for _ in range(200):
        point = choose(generator.random(400), np.arange(400), 0.01)  # the true FAR of a threshold is 1 - threshold
        assert point.supported
        broken += 1 - point.threshold > 0.01
    assert broken <= 18  # 10 expected at most; 18 has a probability below 1 %


def test_one_person_with_many_photos_is_not_many_people() -> None:
    scores = np.random.default_rng(0).random(5000)
    assert choose(scores, np.arange(5000), 0.001).supported
    assert not choose(scores, np.arange(5000) % 100, 0.001).supported


def test_scores_at_the_end_of_the_scale() -> None:
    assert choose(np.array([1.0, 1.0, 0.2]), np.arange(3), 0.001).threshold == 1.0
    assert choose(np.zeros(5), np.arange(5), 0.001).threshold == pytest.approx(1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("target", "people"), [(0.05, 100), (0.02, 400)])
def test_a_promise_is_what_the_interval_says_and_no_stricter(seed: int, target: float, people: int) -> None:
    """Whoever looks the threshold up in a report finds an interval that ends at the target or below."""
    generator = np.random.default_rng(seed)
    groups = generator.integers(0, people, 3 * people)  # some have many photos, others few
    scores = generator.beta(1, 1 + generator.random(people)[groups] * 20)
    point = choose(scores, groups, target)
    assert point.effective_people < point.people
    assert point.supported == (point.effective_people >= 3 / target)
    if point.supported:
        assert rate_interval(scores >= point.threshold, groups, RESAMPLINGS).high <= target
        one_more = scores >= scores[scores < point.threshold].max()
        assert rate_interval(one_more, groups, RESAMPLINGS).high > target


def test_nothing_is_promised_where_a_stranger_has_the_highest_score_there_is() -> None:
    point = choose(np.array([1.0] + [0.1] * 99), np.arange(100), 0.03)
    assert not point.supported
    assert choose(np.array([0.9] + [0.1] * 99), np.arange(100), 0.03).supported
