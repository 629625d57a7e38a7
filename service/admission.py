"""Requests are let in as long as they can be answered in time; the others are told so.

Verifying is the processor's work, so a few threads of each process do it and everything else waits its turn. A queue
without end helps nobody: clients give up, and their photos are verified all the same. So a photo takes a place in the
queue when all of it has arrived, and the time that it would wait is estimated then, from the photos before it and from
the work in progress. Where that is too long, the answer is 503 with Retry-After at once. An estimate can be wrong, so
a photo that has waited for too long all the same is given up, unless its turn has come.
"""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar, cast

from faces.message import Message

MAX_WAITING = 32
"""Photos that a process holds at once, waiting or being verified, however short the work is."""

STUCK_SECONDS = 30.0
"""Where photos wait and none was finished for so long, the process is not ready. No photo costs so much."""

_FIRST_GUESS_SECONDS = 0.05
_WEIGHT_OF_NEWEST = 0.1
_START_SECONDS = 30.0

T = TypeVar("T")


class SaturatedError(Exception):
    """There are more requests than can be answered in time.

    Attributes:
        retry_after_seconds: when it may be worth another try, at least 1.
    """

    def __init__(self, seconds: float) -> None:
        self.retry_after_seconds = max(1, math.ceil(seconds))
        super().__init__(f"no place in the queue; try again in {self.retry_after_seconds} s")


class Signal(Protocol):
    """What a caller waits for its result with, as `threading.Event` does it."""

    def set(self) -> None:
        """Say, from another thread, that the waiting is over."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until then, or for so many seconds; whether it has been set."""


class _Job(Generic[T]):
    """A photo's work: waiting, begun or given up; then its result or its error."""

    def __init__(self, work: Callable[[], T], done: Signal) -> None:
        self.work = work
        self.done = done
        self.begun: float | None = None
        self.given_up = False
        self.result: T | None = None
        self.error: BaseException | None = None


class Admission:
    """The queue in front of the models of one process. Safe to use from several threads at once.

    Args:
        slots: how many photos are verified at once.
        max_wait_seconds: a photo that would wait longer is not let in; one that has waited longer is given up.
        make_signal: how a caller waits. A server that runs all its connections in one thread has a way of its own, in
            which the others go on.
        report: is told, at each change, how many photos wait and how many are being verified. It must not wait.
    """

    def __init__(
        self,
        slots: int,
        max_wait_seconds: float,
        make_signal: Callable[[], Signal] = threading.Event,
        report: Callable[[int, int], None] = lambda _waiting, _working: None,
    ) -> None:
        self._slots = slots
        self._max_wait = max_wait_seconds
        self._make_signal = make_signal
        self._report = report
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="verify")
        self._lock = threading.Lock()
        self._waiting: set[_Job[Any]] = set()
        self._working: set[_Job[Any]] = set()
        self._seconds = _FIRST_GUESS_SECONDS
        self._last_progress = time.monotonic()

    def start(self, work: Callable[[], object]) -> None:
        """Start all threads, so that none has to be made under load, and do some work in one of them.

        It blocks, whatever `make_signal` makes, and does not count for the estimate. What the work raises is raised.
        """
        all_there = threading.Barrier(self._slots)
        for started in [self._pool.submit(all_there.wait, _START_SECONDS) for _ in range(self._slots)]:
            started.result()
        self._pool.submit(work).result()

    @property
    def busy(self) -> bool:
        """Whether a photo that comes now would wait, however shortly."""
        return len(self._working) + len(self._waiting) >= self._slots

    @property
    def problem(self) -> Message | None:
        """Why photos are not verified in time; None if they are."""
        with self._lock:
            silent = time.monotonic() - self._last_progress
            if self._waiting and silent > STUCK_SECONDS:
                text = "Photos wait, and none has been finished for {seconds:# second|# seconds}"
                return Message(text, seconds=round(silent))
            return Message("The queue is full") if self._is_full() else None

    def check(self) -> None:
        """Whether a photo that arrived now would be let in: then it is worth reading.

        Raises:
            SaturatedError: it would not.
        """
        with self._lock:
            self._refuse_if_full()

    def run(self, work: Callable[[], T]) -> T:
        """Do the work in one of the slots, in the order of asking; what it raises is raised here.

        Raises:
            SaturatedError: it would have to wait for too long, or has.
        """
        job = _Job(work, self._make_signal())
        with self._lock:
            self._refuse_if_full()
            if not (self._waiting or self._working):
                self._last_progress = time.monotonic()  # nothing was to be done till now
            self._waiting.add(job)
            self._report_now()
        try:
            self._pool.submit(self._do, job)
            if not job.done.wait(self._max_wait):
                with self._lock:
                    if job.begun is None and self._working:
                        raise SaturatedError(self._expected_wait())
                job.done.wait()  # its turn has come, or comes now: it is as good as answered
        finally:
            with self._lock:  # whatever ended the waiting: the connection may have been given up
                job.given_up = True
                if job in self._waiting:
                    self._waiting.remove(job)
                    self._report_now()
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    def _do(self, job: _Job[Any]) -> None:
        """In a thread of the pool."""
        with self._lock:
            if job.given_up:
                return
            self._waiting.discard(job)
            self._working.add(job)
            self._report_now()
            job.begun = time.monotonic()
        try:
            job.result = job.work()
        except BaseException as error:  # raised where the result is waited for
            job.error = error
        finally:
            with self._lock:
                self._working.discard(job)
                self._report_now()
                self._last_progress = time.monotonic()
                self._seconds += _WEIGHT_OF_NEWEST * (self._last_progress - job.begun - self._seconds)
            job.done.set()

    def _report_now(self) -> None:
        self._report(len(self._waiting), len(self._working))

    def _refuse_if_full(self) -> None:
        if self._is_full():
            raise SaturatedError(self._expected_wait())

    def _is_full(self) -> bool:
        return len(self._waiting) + len(self._working) >= MAX_WAITING or self._expected_wait() > self._max_wait

    def _expected_wait(self) -> float:
        """Seconds until a photo that comes now has its turn, as far as one can say.

        Work in progress is expected to last as long as the work before it. If it has lasted longer already, what it
        has spent beyond that is expected once more.
        """
        now = time.monotonic()
        free = [abs(self._seconds - (now - (job.begun or now))) for job in self._working]
        free += [0.0] * (self._slots - len(free))
        heapq.heapify(free)
        for _ in self._waiting:
            heapq.heapreplace(free, free[0] + self._seconds)
        return free[0]
