"""Intervals of error rates: against known values, and that they hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from stages.estimation import intervals
from stages.estimation.intervals import (
    effective_count,
    exact_interval,
    people_needed,
    rate_interval,
)


def test_rule_of_three_is_the_issues() -> None:
    assert exact_interval(0.0, 412).high == pytest.approx(0.0073, abs=5e-5)
    assert exact_interval(0.0, 412).low == 0
    assert people_needed(0.001) == 3000
    assert people_needed(0.01) == 300
    assert people_needed(0.07) == 43, "3 / 0.07 is 42.9: 42 do not suffice"
    assert exact_interval(0.0, 2).high == 1.0
    assert exact_interval(1.0, 30).low == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("wrong", "count", "low", "high"),
    # Clopper and Pearson's, as R's binom.test gives them
    [(1, 10, 0.002529, 0.445016), (5, 100, 0.016432, 0.112835), (7, 7 * 7, 0.059399, 0.272424)],
)
def test_exact_intervals_are_clopper_and_pearsons(wrong: int, count: int, low: float, high: float) -> None:
    interval = exact_interval(wrong / count, count)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=2e-4)


def test_people_count_and_not_photos() -> None:
    assert effective_count(np.arange(50)) == pytest.approx(50)
    assert effective_count(np.repeat(np.arange(50), 10)) == pytest.approx(50)
    dominated = np.concatenate([np.zeros(500, int), np.arange(1, 51)])
    assert effective_count(dominated) < 1.3
    errors = np.zeros(500, bool)
    by_photo, by_person = (
        rate_interval(errors, np.arange(500), 200),
        rate_interval(errors, np.repeat(range(50), 10), 200),
    )
    assert by_photo.high == pytest.approx(3 / 500)
    assert by_person.high == pytest.approx(3 / 50)


def test_the_bootstrap_widens_where_one_person_makes_all_the_errors() -> None:
    groups = np.repeat(np.arange(20), 5)
    spread = np.zeros(100, bool)
    spread[::5][:5] = True
    one = np.zeros(100, bool)
    one[:5] = True
    assert rate_interval(one, groups, 2000).low < rate_interval(spread, groups, 2000).low


def test_it_holds_the_rate_and_stays_within_0_and_1() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        groups = generator.integers(0, generator.integers(1, 40), generator.integers(1, 200))
        errors = generator.random(len(groups)) < generator.random()
        interval = rate_interval(errors, groups, 100)
        assert 0 <= interval.low <= errors.mean() <= interval.high <= 1


def test_the_bootstrap_s_bounds_are_those_of_95_per_cent() -> None:
    """Of 100 people of one photo, 30 go wrong: the rate drawn is binomial."""
    low, high = intervals._bootstrap((np.arange(100) < 30)[:, None], np.arange(100), 20_000, 0)
    assert (low[0], high[0]) == pytest.approx(binom.ppf([0.025, 0.975], 100, 0.3) / 100, abs=0.006)


def test_as_many_resamplings_are_drawn_as_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    quantile = np.quantile
    monkeypatch.setattr(
        np, "quantile", lambda rates, q, axis: drawn.append(len(rates)) or quantile(rates, q, axis=axis)
    )
    for count in (100, 200, 1050):
        rate_interval(np.arange(30) < 9, np.arange(30), count)
    assert drawn == [100, 200, 1050]


def test_several_rates_have_the_intervals_that_each_has_alone() -> None:
    """None wrong, all wrong, and two between, of people with one to three photos."""
    errors = np.arange(60)[:, None] % 7 < np.array([0, 2, 5, 7])
    groups = np.arange(60) // np.repeat([1, 2, 3], 20)
    several = intervals.rate_intervals(errors, groups, 300)
    assert several == [rate_interval(column, groups, 300) for column in errors.T]
    assert several[0].low == 0 and several[3].high == 1


def test_the_same_seed_gives_the_same() -> None:
    errors, groups = np.arange(90) % 7 == 0, np.arange(90) // 3
    assert rate_interval(errors, groups, 500) == rate_interval(errors, groups, 500)


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.3])
@pytest.mark.parametrize("photos", [1, 4])
def test_it_holds_the_truth_as_often_as_it_says(rate: float, photos: int) -> None:
    """People differ: some are let in often, most never."""
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        own = generator.beta(0.3, 0.3 * (1 - rate) / rate, size=60)
        errors = generator.random((60, photos)) < own[:, None]
        interval = rate_interval(errors.ravel(), np.repeat(np.arange(60), photos), 200)
        held += interval.low <= rate <= interval.high
    assert held / 300 >= 0.93
