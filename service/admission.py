"""Requests are let in as long as they can be answered in time; the others are told so.

Verifying is the processor's work, so a few threads of each process do it and everything else waits its turn. A queue
without end helps nobody: clients give up, and their photos are verified all the same. So a photo takes a place in the
queue when all of it has arrived, and the time that it would wait is estimated then, from the photos before it and from
the work in progress. Where that is too long, the answer is 503 with Retry-After at once. An estimate can be wrong, so
a photo that has waited for too long all the same is given up, unless its turn has come.

The queue has two lines. A usual photo takes some hundredths of a second, but a file of the same size can take up to two
seconds, and work that has begun is not interrupted. In one line, a few clients who post such files would keep all
others waiting. So photos that look costly wait in a second line, which has places and slots of its own. The operating
system shares the processor between the slots of both: usual photos wait for no costly one, however many of those there
are, and costly photos get their share, however many usual ones there are. What turns out to be costly when its work has
begun in the first line leaves its slot, and the rest of it waits in the second line.
"""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from faces.message import Message

MAX_WAITING = 32
"""Photos that the first line of a process holds at once, waiting or being verified, however short the work is."""

MAX_COSTLY = 16
"""Photos that the second line holds at once."""

STUCK_SECONDS = 30.0
"""Where photos wait and none was finished for so long, the process is not ready. No photo costs so much."""

_FIRST_GUESS_SECONDS = 0.05
_FIRST_GUESS_COSTLY = 0.5
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


@dataclass(frozen=True)
class Costly(Generic[T]):
    """What work returns instead of its result where much is to be done.

    Attributes:
        rest: does it.
    """

    rest: Callable[[], T]


class _Job(Generic[T]):
    """A photo's work: waiting, begun or given up; then its result or its error."""

    def __init__(self, work: Callable[[], T], done: Signal) -> None:
        self.work = work
        self.done = done
        self.begun: float | None = None
        self.given_up = False
        self.result: T | None = None
        self.error: BaseException | None = None


class _Line:
    """Jobs that wait, and those that are worked on. The queue's lock guards all of it.

    Args:
        name: of its threads.
        slots: how many jobs are worked on at once.
        places: how many it holds at most.
        seconds: that a job is thought to take until some have been done.
    """

    def __init__(self, name: str, slots: int, places: int, seconds: float) -> None:
        self.pool = ThreadPoolExecutor(slots, thread_name_prefix=name)
        self.waiting: set[_Job[Any]] = set()
        self.working: set[_Job[Any]] = set()
        self.last_progress = time.monotonic()
        self.seconds = seconds
        self._slots = slots
        self._places = places

    def start(self) -> None:
        """Start all threads, so that none has to be made under load."""
        all_there = threading.Barrier(self._slots)
        for started in [self.pool.submit(all_there.wait, _START_SECONDS) for _ in range(self._slots)]:
            started.result()

    @property
    def held(self) -> int:
        """How many jobs there are."""
        return len(self.waiting) + len(self.working)

    @property
    def silent_seconds(self) -> float:
        """For how long jobs have been waiting and none was finished; 0 where none waits."""
        return time.monotonic() - self.last_progress if self.waiting else 0.0

    def refuse_if_full(self, max_wait: float) -> None:
        """Raises SaturatedError where a job that comes now would wait for more seconds than that."""
        if self.is_full(max_wait):
            raise SaturatedError(self.expected_wait())

    def is_full(self, max_wait: float) -> bool:
        """Whether there is no place for a job that comes now, or it would wait for more seconds than that."""
        return self.held >= self._places or self.expected_wait() > max_wait

    def expected_wait(self) -> float:
        """Seconds until a job that comes now has its turn, as far as one can say.

        Work in progress is expected to last as long as the work before it. If it has lasted longer already, what it
        has spent beyond that is expected once more.
        """
        now = time.monotonic()
        free = [abs(self.seconds - (now - (job.begun or now))) for job in self.working]
        free += [0.0] * (self._slots - len(free))
        heapq.heapify(free)
        for _ in self.waiting:
            heapq.heapreplace(free, free[0] + self.seconds)
        return free[0]


class Admission:
    """The queue in front of the models of one process. Safe to use from several threads at once.

    Args:
        slots: how many usual photos are verified at once; and how many costly ones beside them.
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
        self._lock = threading.Lock()
        self._usual = _Line("verify", slots, MAX_WAITING, _FIRST_GUESS_SECONDS)
        self._costly = _Line("costly", slots, MAX_COSTLY, _FIRST_GUESS_COSTLY)
        self._lines = (self._usual, self._costly)

    def start(self, work: Callable[[], object]) -> None:
        """Start all threads, and do some work in one of them.

        It blocks, whatever `make_signal` makes, and does not count for the estimate. What the work raises is raised.
        """
        for line in self._lines:
            line.start()
        self._usual.pool.submit(work).result()

    @property
    def busy(self) -> bool:
        """Whether a photo that comes now would wait, or have to share the processor, however shortly."""
        return sum(line.held for line in self._lines) >= self._slots

    @property
    def wanted(self) -> bool:
        """Whether a photo waits for a slot of the first line."""
        return bool(self._usual.waiting)

    @property
    def problem(self) -> Message | None:
        """Why usual photos are not verified in time; None if they are."""
        with self._lock:
            silent = max(line.silent_seconds for line in self._lines)
            if silent > STUCK_SECONDS:
                text = "Photos wait, and none has been finished for {seconds:# second|# seconds}"
                return Message(text, seconds=round(silent))
            return Message("The queue is full") if self._usual.is_full(self._max_wait) else None

    def check(self) -> None:
        """Whether a photo that arrived now would be let in, unless it is costly: then it is worth reading.

        Raises:
            SaturatedError: it would not.
        """
        with self._lock:
            self._usual.refuse_if_full(self._max_wait)

    def run(self, work: Callable[[], T | Costly[T]]) -> T:
        """Do the work in a slot of the first line, in the order of asking; what it raises is raised here.

        Args:
            work: gives the result; or, if that is much, what is to be done for it in the second line.

        Raises:
            SaturatedError: it would have to wait for too long, or has.
        """
        came = begun = time.monotonic()

        def work_in_turn() -> T | Costly[T]:
            nonlocal begun
            begun = time.monotonic()
            return work()

        result = self._run_in(self._usual, work_in_turn, self._max_wait)
        if isinstance(result, Costly):
            waited = begun - came
            return cast(T, self._run_in(self._costly, result.rest, max(0.0, self._max_wait - waited)))
        return result

    def run_costly(self, work: Callable[[], T]) -> T:
        """Do the work in a slot of the second line; as `run`."""
        return self._run_in(self._costly, work, self._max_wait)

    def _run_in(self, line: _Line, work: Callable[[], T], max_wait: float) -> T:
        job = _Job(work, self._make_signal())
        with self._lock:
            line.refuse_if_full(max_wait)
            if not line.held:
                line.last_progress = time.monotonic()  # nothing was to be done till now
            line.waiting.add(job)
            self._report_now()
        try:
            line.pool.submit(self._do, line, job)
            if not job.done.wait(max_wait):
                with self._lock:
                    if job.begun is None and line.working:
                        raise SaturatedError(line.expected_wait())
                job.done.wait()  # its turn has come, or comes now: it is as good as answered
        finally:
            with self._lock:  # whatever ended the waiting: the connection may have been given up
                job.given_up = True
                if job in line.waiting:
                    line.waiting.remove(job)
                    self._report_now()
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    def _do(self, line: _Line, job: _Job[Any]) -> None:
        """In a thread of the line."""
        with self._lock:
            if job.given_up:
                return
            line.waiting.discard(job)
            line.working.add(job)
            self._report_now()
            job.begun = time.monotonic()
        try:
            job.result = job.work()
        except BaseException as error:  # raised where the result is waited for
            job.error = error
        finally:
            with self._lock:
                line.working.discard(job)
                self._report_now()
                line.last_progress = time.monotonic()
                line.seconds += _WEIGHT_OF_NEWEST * (line.last_progress - job.begun - line.seconds)
            job.done.set()

    def _report_now(self) -> None:
        self._report(sum(len(line.waiting) for line in self._lines), sum(len(line.working) for line in self._lines))
