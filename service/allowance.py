"""How much work a photo may be before it has to give its slot to others.

A header does not say what detection will cost: a portrait of 60 kB takes some ten parts of work, a crowd of the same
size a thousand. So the parts are counted while they are done. They are what `faces.threads.ThreadedMap` is given, such
as a strip of the image for P-Net or some candidates for O-Net; each takes about half a millisecond on the machine of
docs/benchmarks.md, and a photo has the same number of them on every machine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from faces.threads import ThreadedMap

USUAL_PARTS = 64
"""Photos of LFW need 10 parts in the median, groups of people up to 54, and `FACE_PARTS` more for the embedding. What
has no face needs 120 and more, since it is looked at in four ways."""

FACE_PARTS = 10
"""For how many parts an embedding counts."""

T = TypeVar("T")
R = TypeVar("R")


class SlotWantedError(Exception):
    """A photo has had its allowance, and another one waits for its slot."""


class Allowance:
    """What a photo may have.

    Args:
        parts: so many parts of work.
        wanted: whether another photo waits. Where none does, there is no limit.
    """

    def __init__(self, parts: int, wanted: Callable[[], bool]) -> None:
        self._left = parts
        self._wanted = wanted

    def take(self, parts: int) -> None:
        """To be called before so many parts are done.

        Raises:
            SlotWantedError: they are to be done later.
        """
        self._left -= parts
        if self._left < 0 and self._wanted():
            raise SlotWantedError


class CountingMap(ThreadedMap):
    """A map that counts the parts of those threads that have an allowance.

    Args:
        counted: does the work.
    """

    def __init__(self, counted: ThreadedMap) -> None:
        self.threads = counted.threads
        self._counted = counted
        self._of_thread = threading.local()

    @contextmanager
    def limited(self, allowance: Allowance | None) -> Iterator[None]:
        """Within it, this thread has an allowance; None is no limit."""
        self._of_thread.allowance = allowance
        try:
            yield
        finally:
            self._of_thread.allowance = None

    def take(self, parts: int) -> None:
        """As `Allowance.take`, of this thread's."""
        allowance: Allowance | None = getattr(self._of_thread, "allowance", None)
        if allowance is not None:
            allowance.take(parts)

    def map(self, work: Callable[[T], R], parts: Iterable[T]) -> list[R]:
        """As the map that is counted.

        Raises:
            SlotWantedError: none of it was done.
        """
        given = list(parts)
        self.take(len(given))
        return self._counted.map(work, given)
