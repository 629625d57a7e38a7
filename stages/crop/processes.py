"""Work on many items in processes of their own, where threads would wait for Python's lock.

A photo can crash a decoder in native code, or keep it busy for ever. Then the process that works on it ends, a new one
takes its place, and the item is tried once more, alone; where that fails too, it is given up and the others go on.

Neither joblib's loky nor `concurrent.futures` can do that: where one of their processes dies, all end, and nobody says
on which item it worked. Besides, `python -m bench.processes PHOTOS` measures what follows. Loky's processes begin as
new programs that import everything again; on Linux, ours are forked and begin at once. Where the first process is
killed (SIGKILL, SIGTERM), loky's others stay and hold their memory; ours end with it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from faces.message import Message
from faces.threads import available_cores
from stages.errors import StageError

T = TypeVar("T")
R = TypeVar("R")

MOST_SECONDS = 180.0
"""An item that takes longer is given up. The largest photos take some seconds on a slow machine."""

_START_METHOD = "fork" if sys.platform == "linux" else "spawn"  # elsewhere a forked process may crash
_LEAST_ITEMS = 4 if _START_METHOD == "fork" else 32  # a process: for fewer, starting it takes longer than it saves
_MOST_PROCESSES = 60  # Windows can wait for no more at once
_MOST_AT_ONCE = 4  # items that a process is handed together
_AHEAD = 4  # such parts for each process that are handed out before the first of them is done
_TRIES = 2  # of an item that ends its process: the system may have ended it for what another process did
_MOST_LOST = 20  # items in a row: then it is not the items


def map_in_processes(
    prepare: Callable[..., Callable[[T], R]],
    given: tuple[Any, ...],
    items: Sequence[T],
    lost: Callable[[T, Message], R] | None = None,
) -> Generator[R]:
    """Results of `prepare(*given, threads)(item)` in the order of the items, on all cores.

    `threads` is the number of cores that each process has to itself. The processes end with this one, however it ends,
    and at once where the iterator is closed.

    Args:
        prepare: a function of an imported module; called once in each process.
        given: its arguments; like items and results, they can be pickled.
        items: what to work on, at least one.
        lost: makes the result of an item that ends its process, or takes longer than `MOST_SECONDS`, given the reason.
            Without it, such an item is an error.

    Raises:
        StageError: the system has ended one of the processes, and `lost` is not given; or it ends them all.
    """
    cores = available_cores()
    processes = max(1, min(cores, len(items) // _LEAST_ITEMS, _MOST_PROCESSES))
    work = _Work(prepare, (*given, cores // processes), items, lost)
    try:
        work.start(processes)
        yield from work.results()
    finally:
        work.end()


class _Worker:
    """A process, and the items that it has been handed and not answered: it works on the first of them.

    Args:
        prepare, given: as for `map_in_processes`.
    """

    def __init__(self, prepare: Callable[..., Callable[[Any], Any]], given: tuple[Any, ...]) -> None:
        context: Any = multiprocessing.get_context(_START_METHOD)  # its type has no Process
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, prepare, given), daemon=True)
        self.process.start()
        theirs.close()  # else the end of the process would not be seen
        self.waiting: deque[int] = deque()
        self._since = time.monotonic()

    def hand(self, numbers: Sequence[int], items: Sequence[Any]) -> None:
        """Hand it items by their numbers. An error is left to the next `answer`."""
        if not self.waiting:
            self._since = time.monotonic()
        self.waiting += numbers
        try:
            self.connection.send([items[number] for number in numbers])
        except OSError:  # it has ended
            return

    def answer(self) -> tuple[int, bool, Any]:
        """Number of an item, whether it was worked on, and its result or what was raised.

        Raises:
            EOFError, OSError: the process has ended.
        """
        done, value = self.connection.recv()
        self._since = time.monotonic()
        return self.waiting.popleft(), done, value

    @property
    def seconds(self) -> float:
        """How long it has worked on its item; 0 where it has none."""
        return time.monotonic() - self._since if self.waiting else 0.0

    def end(self) -> int | None:
        """Kill it; returns its exit code, which is negative where a signal had ended it before."""
        self.process.kill()
        self.process.join()
        self.connection.close()
        return self.process.exitcode


class _Work(Generic[T, R]):
    """Hands out items to workers, and collects their results; arguments as for `map_in_processes`."""

    def __init__(
        self,
        prepare: Callable[..., Callable[[T], R]],
        given: tuple[Any, ...],
        items: Sequence[T],
        lost: Callable[[T, Message], R] | None,
    ) -> None:
        self._prepare, self._given, self._items, self._lost = prepare, given, items, lost
        self._workers: list[_Worker] = []
        self._begun = 0  # items before this one were handed out
        self._again: deque[int] = deque()  # of these, those that are to be handed out anew
        self._failures: Counter[int] = Counter()  # by item, how many processes it has ended
        self._lost_in_a_row = 0
        self._results: dict[int, R] = {}
        self._next = 0  # the result that is given next

    def start(self, processes: int) -> None:
        """Start that many workers."""
        for _ in range(processes):
            self._workers.append(_Worker(self._prepare, self._given))

    def end(self) -> None:
        """End all workers, whatever they do."""
        for worker in self._workers:
            worker.end()

    def results(self) -> Generator[R]:
        """The results, in order."""
        while self._next < len(self._items):
            for worker in self._workers:
                self._hand_out(worker)
            oldest = max(worker.seconds for worker in self._workers)
            ready = wait([worker.connection for worker in self._workers], max(0.0, MOST_SECONDS - oldest) + 0.01)
            for worker in list(self._workers):
                if worker.connection in ready:
                    self._take_answer(worker)
                elif worker.seconds > MOST_SECONDS:
                    self._replace(worker, hangs=True)
            while self._next in self._results:
                yield self._results.pop(self._next)
                self._next += 1

    def _hand_out(self, worker: _Worker) -> None:
        """Hand items to a worker that is about to have none. One that has ended a process is handed out alone."""
        size = min(_MOST_AT_ONCE, max(1, len(self._items) // (_AHEAD * len(self._workers))))
        if len(worker.waiting) >= size:
            return
        if self._again:
            worker.hand([self._again.popleft()], self._items)
            return
        last = min(self._next + _AHEAD * len(self._workers) * size, len(self._items), self._begun + size)
        if last > self._begun:
            worker.hand(range(self._begun, last), self._items)
            self._begun = last

    def _take_answer(self, worker: _Worker) -> None:
        """Raises what was raised in the process."""
        try:
            number, done, value = worker.answer()
        except (EOFError, OSError):
            self._replace(worker, hangs=False)
            return
        if not done:
            raise value
        self._results[number] = value
        self._lost_in_a_row = 0

    def _replace(self, worker: _Worker, hangs: bool) -> None:
        """Start a process in the place of one that has ended or hangs, and see to the items that it had.

        Raises:
            StageError: the items are not to blame, or nobody wants to know of them.
        """
        exit_code = worker.end()
        if self._lost is None or self._lost_in_a_row >= _MOST_LOST:
            raise StageError(
                "one of {processes} processes was ended by the system, for lack of memory perhaps. Close other "
                "programs, or allow fewer processor cores (LOKY_MAX_CPU_COUNT=1), and run it again",
                processes=len(self._workers),
            )
        if worker.waiting:
            number = worker.waiting.popleft()
            self._again.extendleft(reversed(worker.waiting))
            self._failures[number] += 1
            if not hangs and self._failures[number] < _TRIES:
                self._again.appendleft(number)
            else:
                self._lost_in_a_row += 1
                self._results[number] = self._lost(self._items[number], _reason(hangs, exit_code))
        self._workers[self._workers.index(worker)] = _Worker(self._prepare, self._given)


def _reason(hangs: bool, exit_code: int | None) -> Message:
    if hangs:
        return Message(
            "not done after {seconds:.0f} seconds, so it was given up. Save it again with another program, or "
            "delete it",
            seconds=MOST_SECONDS,
        )
    return Message(
        "it ends the process that reads it (exit code {exit_code}, {tries} times): damaged in a way that the decoder "
        "does not survive, or memory ran out. Save it again with another program, or delete it",
        exit_code=exit_code,
        tries=_TRIES,
    )


# What follows runs in the other processes.


def _serve(connection: Connection, prepare: Callable[..., Callable[[Any], Any]], given: tuple[Any, ...]) -> None:
    """Work on items as long as some are handed over; answer each with its result, or with what was raised."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears of Ctrl-C too, and says when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work: Callable[[Any], Any] | None = None
    while True:
        for item in connection.recv():
            try:
                work = work or prepare(*given)
                answer = (True, work(item))
            except Exception as error:  # raised here, it would look as if the system had ended the process
                answer = (False, error)
            connection.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
