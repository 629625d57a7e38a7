"""Embeddings, labels and groups belong together, or it is said which stage to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages.errors import StageError
from stages.files.dataset import IDEAL, IMBALANCED, RECOMMENDED, Dataset, load_dataset

LABELS = np.array([0, 0, 0, 1, 1], np.int64)
GROUPS = [7, 7, 8, 9, 12]


def put(embeddings: np.ndarray, labels: np.ndarray, groups: list[object]) -> None:
    np.save("data/embeddings.npy", embeddings)
    np.save("data/labels.npy", labels)
    rows = "".join(f"{row},{group}\n" for row, group in enumerate(groups))
    Path("data/groups.csv").write_text(f"row,group\n{rows}", encoding="utf-8")


@pytest.fixture(autouse=True)
def embeddings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A sound data set in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    values = np.arange(20, dtype=np.float32).reshape(5, 4)
    put(values, LABELS, [*GROUPS])
    return values


def test_it_is_read_as_the_stages_wrote_it(embeddings: np.ndarray) -> None:
    data = load_dataset()
    assert np.array_equal(data.embeddings, embeddings)
    assert np.array_equal(data.labels, LABELS)
    assert data.groups.tolist() == GROUPS and data.groups.dtype == np.int64


def test_groups_are_counted_by_class() -> None:
    data = load_dataset()
    assert (data.count_groups(0), data.count_groups(1)) == (2, 2)
    assert Dataset(data.embeddings, data.labels, np.array([1, 2, 3, 4, 4])).count_groups(0) == 3


@pytest.mark.parametrize("chosen", [np.array([3, 0]), np.array([True, False, False, True, False])])
def test_rows_keep_their_labels_and_groups(embeddings: np.ndarray, chosen: np.ndarray) -> None:
    rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
    some = load_dataset().rows(chosen)
    assert np.array_equal(some.embeddings, embeddings[rows])
    assert some.labels.tolist() == LABELS[rows].tolist()
    assert some.groups.tolist() == np.array(GROUPS)[rows].tolist()


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        (lambda e: put(e[:-1], LABELS, [*GROUPS]), "embed"),
        (lambda e: put(e[:, 0], LABELS, [*GROUPS]), "embed"),
        (lambda e: put(e, LABELS[:-1], [*GROUPS]), "embed"),
        (lambda e: put(e, LABELS[:, None], [*GROUPS]), "embed"),
        (lambda e: put(e, LABELS * 2, [*GROUPS]), "embed"),
        (lambda e: put(np.where(e == 7, np.nan, e), LABELS, [*GROUPS]), "embed"),
        (lambda e: put(np.where(e == 7, -np.inf, e), LABELS, [*GROUPS]), "embed"),
        (lambda e: put(e, LABELS, GROUPS[:-1]), "quality"),
        (lambda e: put(e, LABELS, [*GROUPS, 13]), "quality"),
        (lambda e: put(e, LABELS, [7, 7, 8, 9, "x"]), "quality"),
        (lambda e: put(e, LABELS, [7, 7, 8, 9, -1]), "quality"),
        (lambda e: put(e, LABELS, [7, 7, 8, 9, 1.5]), "quality"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    embeddings: np.ndarray, change: Callable[[np.ndarray], None], stage: str
) -> None:
    change(embeddings)
    with pytest.raises(StageError, match=f"run 'dvc repro --force {stage}'"):
        load_dataset()


def test_what_is_advised_are_the_numbers_of_the_contract() -> None:
    """20 to 30 at least, 50 ideal; 10 % of positives is an imbalance to warn of, 15 % not yet."""
    assert (RECOMMENDED, IDEAL, IMBALANCED) == (20, 50, 0.15)


def test_blurred_faces_of_me_are_left_out_while_three_sharp_shots_remain() -> None:
    """Two shots of five are blurred, one of them with two copies; a blurred stranger stays."""
    labels, groups = np.array([0, 0, 1, 1, 1, 1, 1, 1]), np.array([0, 1, 2, 3, 4, 5, 5, 6])
    blurred = np.array([True, False, False, False, False, True, True, False])
    data = Dataset(np.zeros((8, 2), np.float32), labels, groups, blurred=blurred)
    assert np.flatnonzero(data.left_out()).tolist() == [5, 6]
    kept = data.rows(~data.left_out())
    assert not kept.left_out().any() and len(kept.labels) == 6
    few = data.rows(np.array([0, 1, 2, 3, 3, 5, 6]))
    assert not few.left_out().any(), "two sharp shots would be left"
    assert not Dataset(data.embeddings, labels, groups).left_out().any()
