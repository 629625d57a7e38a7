"""Requests are let in as long as they can be answered in time; the others are told so at once.

Verifying is the processor's work, so a few threads of each process do it and everything else waits its turn. A queue
without end helps nobody: clients give up, and their photos are verified all the same. So the time that a new request
would wait is estimated from those before it, and where it is too long the answer is 503 with Retry-After, before its
photo is read.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

MAX_WAITING = 32
"""Requests that a process holds at once, waiting or being answered, however short they are."""

THREADS = 4 * MAX_WAITING
"""Threads that a server needs for each process: those that wait, and more to say no (and to read what still comes)."""

_FIRST_GUESS_SECONDS = 0.05
_WEIGHT_OF_NEWEST = 0.1

T = TypeVar("T")


class SaturatedError(Exception):
    """There are more requests than can be answered in time.

    Attributes:
        retry_after_seconds: when it may be worth another try, at least 1.
    """

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"no place in the queue; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class Admission:
    """The queue in front of the models of one process. Safe to use from several threads at once.

    Args:
        slots: how many photos are verified at once.
        max_wait_seconds: a request that would wait longer is not let in.
    """

    def __init__(self, slots: int, max_wait_seconds: float) -> None:
        self._slots = slots
        self._max_wait = max_wait_seconds
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="verify")
        self._lock = threading.Lock()
        self._inside = 0
        self._waiting = 0
        self._seconds = _FIRST_GUESS_SECONDS

    @contextmanager
    def reserve_slot(self) -> Iterator[None]:
        """Hold a place in the queue, from before a photo is read until it is answered.

        Raises:
            SaturatedError: there is none.
        """
        with self._lock:
            # Those whose photo is still arriving keep nobody waiting.
            wait = max(0, self._waiting - self._slots + 1) * self._seconds / self._slots
            if self._inside >= MAX_WAITING or wait > self._max_wait:
                raise SaturatedError(max(1, math.ceil(wait)))
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1

    def run(self, work: Callable[[], T]) -> T:
        """Do the work in one of the slots, in the order of asking; what it raises is raised here."""
        with self._lock:
            self._waiting += 1
        try:
            return self._pool.submit(self._timed, work).result()
        finally:
            with self._lock:
                self._waiting -= 1

    def _timed(self, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return work()
        finally:
            spent = time.perf_counter() - started
            with self._lock:
                self._seconds += _WEIGHT_OF_NEWEST * (spent - self._seconds)
