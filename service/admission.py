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

In each line, clients take turns: whoever has many photos there waits for the others between one of them and the next.
And where a line is full, a client that has few photos in it takes the place of the newest one of the client that has
most. So one client that sends as much as it can does not keep the others waiting, whatever it sends.
"""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections import OrderedDict, deque
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
    """A photo's work: waiting or begun; then its result or its error."""

    def __init__(self, work: Callable[[], T], client: str, done: Signal) -> None:
        self.work = work
        self.client = client
        self.done = done
        self.begun: float | None = None
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
        self.working: set[_Job[Any]] = set()
        self.last_progress = time.monotonic()
        self.seconds = seconds
        self._slots = slots
        self._places = places
        self._of_clients: OrderedDict[str, deque[_Job[Any]]] = (
            OrderedDict()
        )  # that wait; whose turn is next comes first

    def start(self) -> None:
        """Start all threads, so that none has to be made under load."""
        all_there = threading.Barrier(self._slots)
        for started in [self.pool.submit(all_there.wait, _START_SECONDS) for _ in range(self._slots)]:
            started.result()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return sum(map(len, self._of_clients.values()))

    @property
    def held(self) -> int:
        """How many jobs there are."""
        return self.waiting + len(self.working)

    @property
    def silent_seconds(self) -> float:
        """For how long jobs have been waiting and none was finished; 0 where none waits."""
        return time.monotonic() - self.last_progress if self.waiting else 0.0

    def add(self, job: _Job[Any]) -> None:
        """A job begins to wait."""
        self._of_clients.setdefault(job.client, deque()).append(job)

    def remove(self, job: _Job[Any]) -> bool:
        """A job waits no longer. Whether it did."""
        jobs = self._of_clients.get(job.client, deque())
        if job not in jobs:
            return False
        jobs.remove(job)
        if not jobs:
            del self._of_clients[job.client]
        return True

    def begin_next(self) -> _Job[Any] | None:
        """Begin the first job of the client whose turn it is: it waits no longer. None where none waits."""
        if not self._of_clients:
            return None
        client, jobs = self._of_clients.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._of_clients[client] = jobs
        self.working.add(job)
        return job

    def place_for(self, client: str, max_wait: float) -> _Job[Any] | None:
        """Find a place for one more job of a client.

        Returns:
            Whose place that is, where none is free.

        Raises:
            SaturatedError: there is none, or the job would wait for more seconds than that.
        """
        if self.expected_wait(client) <= max_wait:
            if self.held < self._places:
                return None
            most = max(self._of_clients.values(), key=len, default=deque())
            if len(most) > self._waiting_of(client) + 1:
                return most[-1]
        raise SaturatedError(self.expected_wait(client))

    def is_full(self, max_wait: float) -> bool:
        """Whether no place is free, or whoever has all the places would wait for more seconds than that."""
        return self.held >= self._places or self.expected_wait() > max_wait

    def expected_wait(self, client: str | None = None) -> float:
        """Seconds until a job that comes now has its turn, as far as one can say.

        Work in progress is expected to last as long as the work before it. If it has lasted longer already, what it
        has spent beyond that is expected once more.

        Args:
            client: whose job it is; None is one whose job comes after all others.
        """
        now = time.monotonic()
        free = [abs(self.seconds - (now - (job.begun or now))) for job in self.working]
        free += [0.0] * (self._slots - len(free))
        heapq.heapify(free)
        turns = self._places if client is None else self._waiting_of(client) + 1
        for _ in range(sum(min(len(jobs), turns) for jobs in self._of_clients.values())):
            heapq.heapreplace(free, free[0] + self.seconds)
        return free[0]

    def _waiting_of(self, client: str) -> int:
        return len(self._of_clients.get(client, ()))


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
        return self._usual.waiting > 0

    @property
    def problem(self) -> Message | None:
        """Why usual photos are not verified in time; None if they are."""
        with self._lock:
            silent = max(line.silent_seconds for line in self._lines)
            if silent > STUCK_SECONDS:
                text = "Photos wait, and none has been finished for {seconds:# second|# seconds}"
                return Message(text, seconds=round(silent))
            return Message("The queue is full") if self._usual.is_full(self._max_wait) else None

    def check(self, client: str = "") -> None:
        """Whether a client's photo that arrived now would be let in, unless it is costly: then it is worth reading.

        Raises:
            SaturatedError: it would not.
        """
        with self._lock:
            self._usual.place_for(client, self._max_wait)

    def run(self, work: Callable[[], T | Costly[T]], client: str = "") -> T:
        """Do the work in a slot of the first line, when it is the client's turn; what it raises is raised here.

        Args:
            work: gives the result; or, if that is much, what is to be done for it in the second line.
            client: for whom. The order is that of asking among the photos of one client.

        Raises:
            SaturatedError: it would have to wait for too long, or has; or a client with fewer photos took its place.
        """
        came = begun = time.monotonic()

        def work_in_turn() -> T | Costly[T]:
            nonlocal begun
            begun = time.monotonic()
            return work()

        result = self._run_in(self._usual, work_in_turn, client, self._max_wait)
        if isinstance(result, Costly):
            waited = begun - came
            return cast(T, self._run_in(self._costly, result.rest, client, max(0.0, self._max_wait - waited)))
        return result

    def run_costly(self, work: Callable[[], T], client: str = "") -> T:
        """Do the work in a slot of the second line; as `run`."""
        return self._run_in(self._costly, work, client, self._max_wait)

    def _run_in(self, line: _Line, work: Callable[[], T], client: str, max_wait: float) -> T:
        job = _Job(work, client, self._make_signal())
        with self._lock:
            displaced = line.place_for(client, max_wait)
            if displaced is not None:
                line.remove(displaced)
                displaced.error = SaturatedError(line.expected_wait(displaced.client))
            if not line.held:
                line.last_progress = time.monotonic()  # nothing was to be done till now
            line.add(job)
            self._report_now()
        try:
            if displaced is not None:
                displaced.done.set()
            line.pool.submit(self._do_next, line)
            if not job.done.wait(max_wait):
                with self._lock:
                    if job.begun is None and line.working:
                        raise SaturatedError(line.expected_wait(client))
                job.done.wait()  # its turn has come, or comes now: it is as good as answered
        finally:
            with self._lock:  # whatever ended the waiting: the connection may have been given up
                if line.remove(job):
                    self._report_now()
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    def _do_next(self, line: _Line) -> None:
        """In a thread of the line. It is called once for each job, and finds none where one was given up."""
        with self._lock:
            job = line.begin_next()
            if job is None:
                return
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
        self._report(sum(line.waiting for line in self._lines), sum(len(line.working) for line in self._lines))
