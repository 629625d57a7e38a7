"""Which labels look wrong, on made-up embeddings: who is found, who is not, and what only the second round can tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from faces.cosine import CosineClassifier
from stages.quality import suspects
from stages.quality.suspects import check_labels, held_out_scores

Array = np.ndarray[Any, Any]
SIZE = 32


def unit(vectors: Array) -> Array:
    scaled: Array = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def people(seed: int, count: int, photos: int, spread: float = 0.35) -> Array:
    """float32 [count, photos, SIZE]: photos of a person scatter about a point; all people share a part."""
    generator = np.random.default_rng(seed)
    own = 0.8 * generator.normal(size=SIZE) + generator.normal(size=(count, 1, SIZE))
    return unit(own + spread * generator.normal(size=(count, photos, SIZE)))


def data_set(me: Array, others: Array) -> tuple[Array, Array, Array]:
    """Embeddings, labels and groups: each photo of its own."""
    labels = np.repeat([1, 0], [len(me), len(others)])
    return np.concatenate([me, others]), labels, np.arange(len(labels))


def test_a_stranger_among_me_and_me_among_strangers_are_seen() -> None:
    faces = people(0, 41, 13)
    me = np.concatenate([faces[0, :11], faces[1, :1]])  # the last is somebody else
    others = np.concatenate([faces[2:, 0], faces[0, 12:]])  # the last is me
    check = check_labels(*data_set(me, others))
    assert check.unchecked == () and not check.stray.any()
    assert check.scores[11] < 0.2 < 0.8 < check.scores[:11].min()
    assert check.scores[-1] > 0.8 > 0.2 > check.scores[12:-1].max()


def test_scores_are_by_models_that_saw_nothing_of_the_group() -> None:
    """A stranger three times among three photos of me: by models that saw a copy they would pass for me."""
    faces = people(1, 31, 10)
    me = np.concatenate([faces[0, :3], np.repeat(faces[1, :1], 3, axis=0)])
    embeddings, labels, groups = data_set(me, faces[2:, 0])
    groups[4:6] = groups[3]
    assert held_out_scores(embeddings, labels, groups)[3:6].max() < 0.2
    assert held_out_scores(embeddings, labels, np.arange(len(labels)))[3:6].min() > 0.5


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[set[int], set[int]]]:
    """Rows of me and of others, by their first value, that each model learnt from."""
    seen: list[tuple[set[int], set[int]]] = []
    original = CosineClassifier.fit

    def fit(model: CosineClassifier, X: Array, y: Array, groups: Array | None = None) -> CosineClassifier:
        assert groups is not None
        seen.append((set(groups[y == 1].tolist()), set(groups[y == 0].tolist())))
        return original(model, X, y, groups)

    monkeypatch.setattr(CosineClassifier, "fit", fit)
    return seen


def test_in_the_second_round_no_model_learns_from_who_was_strange_in_the_first(
    trained: list[tuple[set[int], set[int]]],
) -> None:
    faces = people(2, 31, 12)
    me = np.concatenate([faces[0, :11], faces[1, :1]])
    embeddings, labels, groups = data_set(me, faces[2:, 0])
    held_out_scores(embeddings, labels, groups)
    first, second = trained[:5], trained[5:]
    assert len(first) == len(second) == 5
    assert sum(11 in own for own, _ in first) == 4, "in the first round all but the one that tests it"
    assert not any(11 in own for own, _ in second)
    for (own, others), (again, other) in zip(first, second, strict=True):
        assert again == own - {11} and other == others


def test_only_the_second_round_acquits_others() -> None:
    """With a stranger among few photos of me, people who resemble that one come out as suspects, who are not me."""
    faces = people(3, 60, 8, spread=0.3)
    intruder = faces[1, :1]
    resembling = unit(0.75 * intruder + 0.25 * faces[2:8, 0])
    me = np.concatenate([faces[0, :4], intruder])
    embeddings, labels, groups = data_set(me, np.concatenate([resembling, faces[8:, 0]]))
    first = np.full(len(labels), np.nan)
    for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(embeddings, labels, groups):
        model = CosineClassifier().fit(embeddings[train], labels[train], groups[train])
        first[test] = model.predict_proba(embeddings[test])[:, 1]
    twice = held_out_scores(embeddings, labels, groups)
    assert twice[4] < 0.5 and first[4] < 0.5, "the intruder is found in both"
    assert first[5:11].max() > 0.5 > twice[5:11].max()


@pytest.mark.parametrize(("strange", "rounds"), [(0, 1), (1, 2), (6, 2), (7, 1)])
def test_where_most_of_me_looks_strange_the_first_round_stands(
    monkeypatch: pytest.MonkeyPatch, strange: int, rounds: int
) -> None:
    """Twelve photos of me. Stands for a model: one that says of each face what its first value is."""
    fitted: list[int] = []

    class Says:
        def fit(self, X: Array, *_: Array) -> Says:
            fitted.append(len(X))
            return self

        def predict_proba(self, X: Array) -> Array:
            return np.stack([1 - X[:, 0], X[:, 0]], axis=1)

    monkeypatch.setattr(suspects, "CosineClassifier", Says)
    labels = np.repeat([1, 0], [12, 20])
    scores = np.where(np.arange(32) < strange, 0.49, 0.5)
    assert held_out_scores(scores[:, None], labels, np.arange(32)) == pytest.approx(scores)
    assert len(fitted) == 5 * rounds


def test_without_two_groups_there_are_no_scores() -> None:
    faces = people(5, 9, 4)
    embeddings, labels, groups = data_set(faces[0], faces[1:, 0])
    groups[:4] = 0
    assert np.isnan(held_out_scores(embeddings, labels, groups)).all()


@pytest.mark.parametrize("second", [2, 4, 6])
def test_a_second_person_in_me_is_told_from_the_first(second: int) -> None:
    faces = people(6, 42, 12)
    me = np.concatenate([faces[0, :10], faces[1, :second]])
    check = check_labels(*data_set(me, faces[2:, 0]))
    assert np.flatnonzero(check.stray).tolist() == list(range(10, 10 + second))
    main = unit(faces[0, :10].mean(axis=0))
    assert check.likeness[10 : 10 + second] == pytest.approx(faces[1, :second] @ main, abs=1e-5)
    assert np.isnan(check.likeness[:10]).all() and (check.likeness[10 : 10 + second] < check.boundary + 0.1).all()
    assert np.isnan(check.scores[10 : 10 + second]).all(), "they are named once, and taught nobody"
    assert check.scores[:10].min() > 0.8


def test_a_lone_odd_photo_is_no_second_person() -> None:
    faces = people(7, 42, 11)
    check = check_labels(*data_set(np.concatenate([faces[0, :10], faces[1, :1]]), faces[2:, 0]))
    assert not check.stray.any()
    assert check.scores[10] < 0.2


def test_photos_of_one_moment_are_no_second_person() -> None:
    """The same stranger in two photos of one burst, which are one group: two photos are needed."""
    faces = people(8, 42, 11)
    embeddings, labels, groups = data_set(np.concatenate([faces[0, :10], faces[1, :2]]), faces[2:, 0])
    groups[11] = groups[10]
    assert not check_labels(embeddings, labels, groups).stray.any()
    groups[11] = 11
    assert check_labels(embeddings, labels, groups).stray.sum() == 2


def test_of_two_people_as_large_the_first_by_name_is_me() -> None:
    faces = people(9, 42, 12)
    check = check_labels(*data_set(np.concatenate([faces[0, :5], faces[1, :5]]), faces[2:, 0]))
    assert np.flatnonzero(check.stray).tolist() == [5, 6, 7, 8, 9]


def test_a_person_whose_photos_vary_is_one() -> None:
    """Photos that are as alike as some strangers are: the boundary lies half-way to the alike at most."""
    alarms = 0
    for seed in range(30):
        faces = people(seed, 41, 14, spread=0.9)
        alarms += bool(check_labels(*data_set(faces[0], faces[1:, 0])).stray.any())
    assert alarms <= 3


def test_a_photo_between_two_people_does_not_make_them_one() -> None:
    """Average linkage: a chain of in-between photos joins nobody."""
    faces = people(10, 42, 12, spread=0.25)
    middle = unit(faces[0, 10:11] + faces[1, 10:11])
    me = np.concatenate([faces[0, :8], faces[1, :5], middle])
    stray = check_labels(*data_set(me, faces[2:, 0])).stray[:14]
    assert stray[8:13].all() and not stray[:8].any()


def test_the_boundary_is_two_deviations_above_strangers_or_half_way() -> None:
    faces = people(11, 60, 6)
    strangers = faces[1:, 0]
    cosines = (strangers @ strangers.T)[np.triu_indices(len(strangers), 1)].astype(np.float64)
    middle = np.median(cosines)
    deviation = 1.4826 * np.median(np.abs(cosines - middle))
    own = (faces[0] @ faces[0].T)[np.triu_indices(6, 1)]
    alike = np.quantile(own, 0.75)
    assert middle + 2 * deviation < (middle + alike) / 2
    assert check_labels(*data_set(faces[0], strangers)).boundary == pytest.approx(middle + 2 * deviation, abs=1e-4)
    near = unit(0.8 * unit(strangers[:6].mean(axis=0)) + 0.2 * faces[0])  # me looks like most strangers do
    own = (near @ near.T)[np.triu_indices(6, 1)]
    near_strangers = np.concatenate([near[:0], strangers])
    half_way = (middle + np.quantile(own, 0.75)) / 2
    expected = min(middle + 2 * deviation, half_way)
    assert check_labels(*data_set(near, near_strangers)).boundary == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("me", "others"), [(6, 4), (6, 5), (2, 30), (3, 30), (6, 1)])
def test_what_cannot_be_looked_for_is_said(me: int, others: int) -> None:
    faces = people(12, others + 1, 6)
    check = check_labels(*data_set(faces[0, :me], faces[1:, 0]))
    two_people, labels = others >= 5, me >= 3 and others >= 2
    assert np.isfinite(check.boundary) == two_people
    assert np.isfinite(check.scores).any() == labels
    said = " ".join(check.unchecked)
    assert ("two people could not be checked" in said) != two_people
    assert ("labels could not be checked: me has" in said) != labels


def test_without_others_one_sentence_says_what_is_not_checked() -> None:
    faces = people(12, 1, 6)
    check = check_labels(*data_set(faces[0], np.empty((0, faces.shape[2]))))
    assert check.without_others and not check.stray.any() and np.isnan(check.scores).all()
    (said,) = check.unchecked
    assert "not_me is empty" in said
    assert not check_labels(*data_set(faces[0], people(12, 2, 6)[1, :1])).without_others
