"""How many threads work at once: one place decides, while training and while serving.

Every ONNX session has one thread: these networks are small, and threads inside one wait for each other more than they
work. What is independent (the face and its mirror image, batches of candidates, photos) runs side by side instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import threadpoolctl

from faces.errors import UserError

T = TypeVar("T")
R = TypeVar("R")

_library = ctypes.PyDLL(None) if sys.platform == "linux" else None  # keeps Python's lock, for a call this short


class CoresError(UserError):
    """How many cores to use cannot be told."""


def available_cores() -> int:
    """Cores that this process may use, at least 1: affinity, a container's quota and LOKY_MAX_CPU_COUNT count.

    As joblib's `cpu_count`, whose import (0.1 s) every stage and every worker would wait for.

    Raises:
        CoresError: LOKY_MAX_CPU_COUNT is set to something that is no whole number.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    wanted = os.environ.get("LOKY_MAX_CPU_COUNT", cores)
    try:
        return max(1, min(cores, _quota(Path("/sys/fs/cgroup")) or cores, int(wanted)))
    except ValueError:
        raise CoresError(f"LOKY_MAX_CPU_COUNT is {wanted!r}; expected a number of processor cores, such as 2") from None


def _quota(cgroup: Path) -> int | None:
    """How many cores' time a container may use, rounded up; None where that is not limited."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):  # versions 2 and 1
        try:
            quota, period = " ".join((cgroup / name).read_text() for name in names).split()
        except (OSError, ValueError):
            continue
        return math.ceil(int(quota) / int(period)) if quota not in ("max", "-1") else None
    return None


def threads_per_worker(workers: int) -> int:
    """How many photos each of some processes works on at once: its share of the cores, at least 1."""
    return max(1, available_cores() // max(workers, 1))


def limit_numpy(threads: int) -> AbstractContextManager[object]:
    """Set how many threads numpy's and SciPy's linear algebra uses from now on; as a context, until its end."""
    limits: AbstractContextManager[object] = threadpoolctl.threadpool_limits(threads)
    return limits


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; the next one is made in a thread of its own while the last one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def slices(length: int, count: int) -> list[slice]:
    """An interval in that many parts about equally long, or in fewer."""
    edges = [length * part // count for part in range(count + 1)]
    return [slice(first, last) for first, last in pairwise(edges) if first < last]


class ThreadedMap:
    """Independent parts of one photo's work, on several threads. Belongs to one process; safe to share between threads.

    The caller's thread takes part and waits for none that has not begun: where all cores are busy anyway it does all.

    Args:
        threads: how many work at once, the caller's among them.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._helpers: list[int] = []  # the system's numbers of the threads begun
        self._avoided = -1  # the core that they are kept off
        self._pool = ThreadPoolExecutor(threads - 1, "part", self._begin) if threads > 1 else None

    def map(self, work: Callable[[T], R], parts: Iterable[T]) -> list[R]:
        """Results in the order of the parts; what one of them raises is raised here."""
        given = list(parts)
        if self._pool is None or len(given) < 2:
            return [work(part) for part in given]
        self._keep_helpers_off_this_core()
        results: dict[int, R] = {}
        places = iter(range(len(given)))  # the interpreter's lock makes taking one from it safe

        def work_on() -> None:
            for place in places:
                results[place] = work(given[place])

        helpers = [self._pool.submit(work_on) for _ in range(min(self.threads, len(given)) - 1)]
        try:
            work_on()
        finally:
            begun = [helper for helper in helpers if not helper.cancel()]
            wait(begun)
        for helper in begun:
            helper.result()
        return [results[place] for place in range(len(given))]

    def _begin(self) -> None:
        self._helpers.append(threading.get_native_id())
        self._avoided = -1

    def _keep_helpers_off_this_core(self) -> None:
        """After a pause, Linux in a virtual machine often wakes a helper on the core where its caller runs.

        Both then share it for milliseconds while another sleeps: a face and its mirror image took 7 to 12 ms, not 7.
        """
        core = _library.sched_getcpu() if _library is not None else -1
        if core == self._avoided or core < 0:
            return
        self._avoided = core
        others = os.sched_getaffinity(0) - {core}
        for helper in self._helpers if others else []:
            with contextlib.suppress(OSError):  # a system that does not let it be set is as fast as it was
                os.sched_setaffinity(helper, others)
