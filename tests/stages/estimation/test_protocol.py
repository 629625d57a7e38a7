"""Splits: the contract's, grouped ones, cross-validation; nothing that belongs together is on both sides."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.model_selection import train_test_split

from stages.errors import StageError
from stages.estimation.protocol import Split, make_splits, split_holdout
from stages.files.dataset import Dataset
from stages.params import TrainParams, load_params
from tests.stages.support import ROOT

Array = np.ndarray[Any, Any]


def settings(**values: Any) -> TrainParams:
    return replace(load_params(ROOT / "params.yaml").train, **values)


def holdout(**values: Any) -> TrainParams:
    return settings(protocol="holdout", **values)


def data_of(me: int, not_me: int, groups: Array | None = None) -> Dataset:
    labels = np.array([0] * not_me + [1] * me, np.int64)
    embeddings = np.random.default_rng(0).normal(size=(len(labels), 8)).astype(np.float32)
    return Dataset(embeddings, labels, np.arange(len(labels)) if groups is None else groups)


def split_of(data: Dataset, params: TrainParams) -> Split:
    return split_holdout(data.labels, data.groups, params)


def people(sizes: list[int], start: int = 0) -> Array:
    """Groups of given sizes, numbered on."""
    return np.repeat(np.arange(start, start + len(sizes)), sizes)


def assert_whole(split: Split, data: Dataset) -> None:
    """Every row is somewhere once, and no group in two parts."""
    parts = [split.train, split.test, split.validation]
    assert sorted(np.concatenate(parts)) == list(range(len(data.labels)))
    seen = [set(data.groups[part]) for part in parts]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


@pytest.mark.parametrize(("me", "not_me"), [(12, 20), (20, 60), (7, 100), (100, 7), (5, 5)])
def test_holdout_without_groups_is_the_contracts(me: int, not_me: int) -> None:
    data = data_of(me, not_me)
    split = split_of(data, holdout())
    expected, tested = train_test_split(
        np.arange(len(data.labels)), test_size=0.2, random_state=42, stratify=data.labels
    )
    assert set(split.test) == set(tested)
    assert set(split.train) == set(expected)
    assert_whole(split, data)


def test_defaults_are_the_contracts_and_the_issues() -> None:
    wanted = {"test_size": 0.2, "random_state": 42, "validation_size": 0, "class_weight": "balanced",
              "verifier": "cosine", "protocol": "cross_validation", "folds": 5, "repeats": 10}  # fmt: skip
    assert {name: getattr(settings(), name) for name in wanted} == wanted


def test_validation_makes_70_15_15() -> None:
    data = data_of(40, 160)
    split = split_of(data, holdout(validation_size=0.15, test_size=0.15))
    for label, count in ((1, 40), (0, 160)):
        found = [int((data.labels[part] == label).sum()) for part in (split.train, split.validation, split.test)]
        assert found == [0.7 * count, 0.15 * count, 0.15 * count]
    tested = train_test_split(np.arange(200), test_size=0.15, random_state=42, stratify=data.labels)[1]
    assert set(split.test) == set(tested)
    assert_whole(split, data)


@pytest.mark.parametrize("validation", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(10))
def test_holdout_keeps_groups_whole_and_about_the_size(seed: int, validation: float) -> None:
    generator = np.random.default_rng(seed)
    sizes, bursts = generator.integers(1, 6, 40).tolist(), generator.integers(1, 4, 15).tolist()
    data = data_of(sum(bursts), sum(sizes), np.concatenate([people(sizes), people(bursts, 40)]))
    split = split_of(data, holdout(random_state=seed, validation_size=validation))
    assert_whole(split, data)
    for part in (split.test, split.validation) if validation else (split.test,):
        for label in (0, 1):
            share = (data.labels[part] == label).sum() / (data.labels == label).sum()
            assert 0.1 <= share <= 0.25


def test_holdout_follows_the_seed() -> None:
    groups = np.concatenate([people([3] * 20), people([1] * 20, 20)])
    data = data_of(20, 60, groups)
    first, same, other = (split_of(data, holdout(random_state=seed)).test for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_a_photo_with_both_classes_on_it_stays_whole() -> None:
    """A near-duplicate in both classes: one group with rows of both."""
    groups = np.concatenate([people([2] * 10), [0, 1, 30, 31, 32, 33]])
    data = data_of(6, 20, groups)
    for split in [split_of(data, holdout()), *make_splits(data, settings(), False)]:
        assert not set(data.groups[split.train]) & set(data.groups[split.test])


@pytest.mark.parametrize(("me", "not_me", "folds"), [(25, 100, 5), (5, 20, 5), (3, 3, 3), (4, 50, 4), (30, 2, 2)])
def test_cross_validation_tests_every_row_once_a_round(me: int, not_me: int, folds: int) -> None:
    data = data_of(me, not_me)
    splits = make_splits(data, settings(repeats=3), False)
    assert len(splits) == 3 * folds
    for repeat in range(3):
        rounds = [split for split in splits if split.repeat == repeat]
        assert sorted(np.concatenate([split.test for split in rounds])) == list(range(me + not_me))
        for split in rounds:
            assert_whole(split, data)
            assert set(data.labels[split.train]) == {0, 1}
    tests = [tuple(split.test) for split in splits]
    assert len(set(tests)) > folds, "each round has other folds"


def test_folds_and_rounds_are_as_asked_for_and_another_seed_makes_others() -> None:
    data = data_of(25, 100)
    tests = {}
    for seed in (42, 43, 99):
        splits = make_splits(data, settings(folds=4, repeats=2, random_state=seed), False)
        assert [split.repeat for split in splits] == [0] * 4 + [1] * 4
        tests[seed] = [tuple(split.test) for split in splits]
    assert len({test for own in (tests[42], tests[99]) for test in own}) == 16
    again = make_splits(data, settings(folds=4, repeats=2, random_state=42), False)
    assert [tuple(split.test) for split in again] == tests[42]


def test_every_part_of_a_holdout_has_both_classes_or_it_is_refused() -> None:
    """Groups that hold rows of both classes, as a photo in both folders makes them, can leave a part without one."""
    generator = np.random.default_rng(0)
    refused = 0
    for seed in range(200):
        groups = generator.integers(0, 7, 24)
        data = data_of(6, 18, groups)
        params = holdout(random_state=seed, test_size=0.3, validation_size=0.3 * (seed % 2))
        try:
            split = split_of(data, params)
        except StageError:
            refused += 1
            continue
        for part in (split.train, split.test, *([split.validation] if seed % 2 else [])):
            assert set(data.labels[part]) == {0, 1}
    assert 0 < refused < 200


def test_folds_are_stratified_and_grouped() -> None:
    sizes = [1, 2, 3, 4] * 10
    data = data_of(20, sum(sizes), np.concatenate([people(sizes), people([2] * 10, 40)]))
    for split in make_splits(data, settings(), False):
        assert_whole(split, data)
        counts = Counter(data.labels[split.test].tolist())
        assert counts[1] == 4
        assert 15 <= counts[0] <= 25


@pytest.mark.parametrize(
    ("params", "me", "not_me", "said"),
    [
        (settings(), 2, 30, "me has 2 usable faces; at least 3 are needed to train and "
         "to test, 20 to 30 are recommended. Add photos to data/me"),
        (settings(), 30, 1, "not_me has 1 usable face, of 1 person; at least 2"),
        (settings(verifier="logistic_regression"), 1, 30, "me has 1 usable face; at least 2 are"),
        (holdout(), 30, 0, "not_me has 0 usable faces"),
        (holdout(validation_size=0.15, verifier="logistic_regression"), 2, 30, "at least 3 are needed"),
        (holdout(test_size=0.1), 3, 3, "faces: not_me 3, me 3. With train.test_size 0.1 and"),
    ],
)  # fmt: skip
def test_too_few_are_refused_with_their_number(params: TrainParams, me: int, not_me: int, said: str) -> None:
    with pytest.raises(StageError) as caught:
        make_splits(data_of(me, not_me), params, False)
    assert said in str(caught.value)


def test_one_burst_is_no_test_of_anything() -> None:
    data = data_of(20, 30, np.concatenate([np.arange(30), np.full(20, 99)]))
    with pytest.raises(StageError, match="me has 20 usable faces, of only 1 shot; at least 3"):
        make_splits(data, settings(), False)


def test_one_stranger_is_no_test_of_anything() -> None:
    data = data_of(20, 30, np.concatenate([np.full(30, 99), np.arange(20)]))
    with pytest.raises(StageError, match="not_me has 30 usable faces, of 1 person; at least 2"):
        make_splits(data, settings(), False)


def test_logistic_regression_needs_only_two_of_me() -> None:
    splits = make_splits(data_of(2, 30), settings(verifier="logistic_regression", repeats=1), False)
    assert len(splits) == 2
