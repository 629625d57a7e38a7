"""Side by side or one after the other, in order, and what fails is heard of."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from faces.threads import SideBySide, available_cores, read_ahead, threads_per_worker


def test_a_worker_has_its_share_and_never_none() -> None:
    assert available_cores() >= 1
    assert threads_per_worker(1) == available_cores()
    assert threads_per_worker(1000) == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order(threads: int) -> None:
    def late_first(part: int) -> int:
        time.sleep((3 - part) * 0.01)
        return part

    assert SideBySide(threads).map(late_first, iter(range(4))) == [0, 1, 2, 3]


@pytest.mark.parametrize("threads", [1, 3])
def test_what_a_part_raises_is_raised(threads: int) -> None:
    with pytest.raises(ZeroDivisionError):
        SideBySide(threads).map(lambda part: 1 // part, [1, 0, 1])


def test_parts_run_at_once() -> None:
    meeting = threading.Barrier(2, timeout=10)
    SideBySide(2).map(lambda _: meeting.wait(), range(2))


def test_the_next_item_is_made_meanwhile() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    ahead = read_ahead(items())
    assert next(ahead) == 1
    assert made.wait(10)
    assert list(ahead) == [2]


def test_what_making_an_item_raises_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        list(read_ahead(items()))
