"""Work that waits for a disk or another process, in a thread, so that a worker answers others meanwhile."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from service.admission import Signal

MOST_WAITING = 64
"""So much waits for the thread at once; whoever brings more is told so."""

T = TypeVar("T")


class WorkerThread:
    """One thread that does what it is given, in turn. Made anew in each process, since threads do not survive a fork.

    Args:
        make_signal: how a caller waits, as `service.admission.Admission` takes it.
        name: of the thread.

    Attributes:
        process: in which it was made.
    """

    def __init__(self, make_signal: Callable[[], Signal], name: str) -> None:
        self.process = os.getpid()
        self._make_signal = make_signal
        self._lock = threading.Lock()
        self._waiting = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._pool.submit(lambda: None).result()  # the thread is made now: under load there may be no place for one

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """Do it there; what it raises is raised here.

        Args:
            work: what to do.
            seconds: how long to wait for it. What has begun by then is done all the same.

        Raises:
            TimeoutError: it took longer, or too many others wait.
        """
        future = self._submit(work)
        done = self._make_signal()
        future.add_done_callback(lambda _: done.set())
        if not done.wait(seconds):
            future.cancel()
            raise TimeoutError
        return future.result()

    def begin(self, work: Callable[[], None]) -> None:
        """Do it there some time, without any wait.

        Raises:
            TimeoutError: too many others wait.
        """
        self._submit(work)

    def finish(self, seconds: float) -> None:
        """Wait, without a signal, until all that has been begun is done, or for so many seconds."""
        # The RuntimeError is that of a Python that ends: it has waited for the thread already.
        with contextlib.suppress(TimeoutError, RuntimeError):
            self._pool.submit(lambda: None).result(seconds)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise TimeoutError
            self._waiting += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._one_less)
        return future

    def _one_less(self, _: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1
