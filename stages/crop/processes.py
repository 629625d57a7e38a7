"""Work on many items in processes of their own, where threads would wait for Python's lock.

joblib's loky does this too. It is not used here for two reasons, which `python -m bench.processes PHOTOS` measures.
Its processes begin as new programs that import everything again; on Linux, ours are forked and begin at once. On 2
cores, 10 photos take 2.3 times as long with loky, 300 of LFW's 1.1 times. And where the first process is killed
(SIGKILL, SIGTERM), loky's others stay and hold their memory; ours end with it. Where one of the others is killed, and
on Ctrl-C, both end within a second.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NoReturn, TypeVar

from faces.threads import available_cores
from stages.errors import StageError

T = TypeVar("T")
R = TypeVar("R")

_START_METHOD = "fork" if sys.platform == "linux" else "spawn"  # elsewhere a forked process may crash
_LEAST_ITEMS = 4 if _START_METHOD == "fork" else 32  # a process: for fewer, starting it takes longer than it saves
_MOST_PROCESSES = 60  # Windows can wait for no more at once
_MOST_AT_ONCE = 4  # items that a process is handed together
_AHEAD = 4  # such parts for each process that are handed out before the first of them is done


def map_in_processes(
    prepare: Callable[..., Callable[[T], R]], given: tuple[Any, ...], items: Sequence[T]
) -> Generator[R]:
    """Results of `prepare(*given, threads)(item)` in the order of the items, on all cores.

    `threads` is the number of cores that each process has to itself. Few items are worked on in this process. The other
    processes end with this one, however it ends, and at once where the iterator is closed.

    Args:
        prepare: a function of an imported module; called once in each process.
        given: its arguments; like items and results, they can be pickled.
        items: what to work on, at least one. A result is to be small, 16 kB at most: a process that is ended in the
            middle of a message larger than a pipe's buffer would leave this one waiting for the rest.

    Raises:
        StageError: the system has ended one of the processes.
    """
    cores = available_cores()
    processes = min(cores, len(items) // _LEAST_ITEMS, _MOST_PROCESSES)
    if processes < 2:
        yield from map(prepare(*given, cores), items)
        return
    context = multiprocessing.get_context(_START_METHOD)
    size = min(_MOST_AT_ONCE, max(1, len(items) // (_AHEAD * processes)))
    with ProcessPoolExecutor(processes, context, _start, (prepare, (*given, cores // processes))) as pool:
        try:
            # Not pool.map: it hands out all parts at once, and cancels them where a process dies; in Python 3.11, many
            # cancelled parts leave the other processes waiting for ever.
            parts: deque[Future[list[R]]] = deque()
            for start in range(0, len(items), size):
                parts.append(pool.submit(_run, items[start : start + size]))
                if len(parts) > _AHEAD * processes:
                    yield from parts.popleft().result()
            while parts:
                yield from parts.popleft().result()
        except BrokenProcessPool as error:
            raise StageError(
                "one of {processes} processes was ended by the system, for lack of memory perhaps. Close other "
                "programs, or allow fewer processor cores (LOKY_MAX_CPU_COUNT=1), and run it again",
                processes=processes,
            ) from error
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()  # otherwise the end of the block would wait for all that was handed out
            raise


# What follows runs in the other processes.

_work: Callable[[Any], Any]
"""What works on an item. The only global variable: the pool hands nothing from its initializer to the parts but so."""


def _start(prepare: Callable[..., Callable[[Any], Any]], given: tuple[Any, ...]) -> None:
    """Prepare one process."""
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears of Ctrl-C too, and says when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _work = prepare(*given)
    except Exception as error:  # raised here, it would look as if the system had ended the process
        failure = error

        def fail(_: Any) -> NoReturn:
            raise failure

        _work = fail


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _run(items: Sequence[Any]) -> list[Any]:
    """Work on some items, one after the other."""
    return [_work(item) for item in items]
