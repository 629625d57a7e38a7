"""Work on many items in processes of their own, where threads would wait for Python's lock."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from faces.threads import available_cores
from stages.errors import StageError

T = TypeVar("T")
R = TypeVar("R")

_LEAST_ITEMS = 4  # a process: for fewer, starting it takes longer than it saves
_MOST_AT_ONCE = 4  # items that a process is handed together

_work: Callable[[Any], Any]


def map_in_processes(
    prepare: Callable[..., Callable[[T], R]], given: tuple[Any, ...], items: Sequence[T]
) -> Iterator[R]:
    """Results of `prepare(*given)(item)` in the order of the items, on all cores.

    Few items are worked on in this process. The processes end with this one, however it ends.

    Args:
        prepare: a function of a module; called once in each process.
        given: its arguments.
        items: what to work on, at least one.

    Raises:
        StageError: the system has ended one of the processes.
    """
    processes = min(available_cores(), len(items) // _LEAST_ITEMS)
    if processes < 2:
        yield from map(prepare(*given), items)
        return
    # Forking takes no time, and where this is the program's only thread there is nothing that it could break.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    with ProcessPoolExecutor(processes, context, _start, (prepare, given)) as pool:
        try:
            yield from pool.map(_run, items, chunksize=min(_MOST_AT_ONCE, len(items) // (2 * processes)))
        except BrokenProcessPool as error:
            raise StageError(
                f"one of {processes} processes was ended by the system, for lack of memory perhaps. Close other "
                f"programs, or allow fewer processor cores (LOKY_MAX_CPU_COUNT=1), and run it again"
            ) from error


def _start(prepare: Callable[..., Callable[[Any], Any]], given: tuple[Any, ...]) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears it too, and says when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work = prepare(*given)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _run(item: Any) -> Any:
    return _work(item)
