"""A bar where it takes long, nothing where it does not, and every item either way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import stages.progress
from stages.progress import progress
from tests.faces.support import modules_after


def test_short_work_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(range(100), 100, "counting", "item")) == list(range(100))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("count", [1, 2, 10])
def test_long_work_shows_how_far_it_is(
    count: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages.progress, "_PATIENCE_SECONDS", -1.0)
    assert list(progress(iter(range(count)), count, "counting", "item")) == list(range(count))
    shown = capsys.readouterr().err
    assert f"1/{count} [" in shown, "the bar begins with the item that was done before it"
    assert f"counting: 100%|██████████| {count}/{count}" in shown


def test_nothing_to_do() -> None:
    assert list(progress([], 0, "counting", "item")) == []


def test_what_it_iterates_over_is_not_read_ahead() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for item in range(3):
            read.append(item)
            yield item

    bar = progress(items(), 3, "counting", "item")
    assert read == []
    next(bar)
    assert read == [0]


def test_tqdm_is_imported_where_it_is_used() -> None:
    assert "tqdm" not in modules_after("from stages.progress import progress; list(progress([1], 1, 'a', 'b'))")
