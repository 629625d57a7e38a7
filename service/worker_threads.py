"""Work that waits for a disk or another process, in a thread, so that a worker answers others meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from service.admission import Signal

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
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._pool.submit(lambda: None).result()  # the thread is made now: under load there may be no place for one

    def run(self, work: Callable[[], T]) -> T:
        """Do it there; what it raises is raised here."""
        done = self._make_signal()
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: done.set())
        done.wait()
        return future.result()
