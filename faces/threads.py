"""How many threads work at once. This file decides it, for training and for serving.

Every ONNX session has one thread: the networks are small, and threads inside a session wait for each other more than
they work. Instead, independent work runs in several threads: the face and its mirror image, batches of candidates,
photos.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TypeVar

import threadpoolctl

from faces.errors import UserError

T = TypeVar("T")
R = TypeVar("R")


class CoresError(UserError):
    """The number of cores to use is set to something that is no number."""


def available_cores() -> int:
    """Cores that this process may use, at least 1: by its affinity, the quota of its control groups (a container's, a
    systemd unit's) and LOKY_MAX_CPU_COUNT.

    In a container the result is that of joblib's `cpu_count`. That is not used: it does not see the quota of a unit of
    systemd, and every stage and every worker would wait for its import (0.1 s).

    Raises:
        CoresError: LOKY_MAX_CPU_COUNT is set to something that is no whole number.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    wanted = os.environ.get("LOKY_MAX_CPU_COUNT", cores)
    try:
        return max(1, min(cores, _quota(Path("/sys/fs/cgroup")) or cores, int(wanted)))
    except ValueError:
        raise CoresError(
            "LOKY_MAX_CPU_COUNT is {wanted!r}; expected a number of processor cores, such as 2", wanted=wanted
        ) from None


def _quota(cgroups: Path, membership: Path = Path("/proc/self/cgroup")) -> int | None:
    """How many cores' time this process may use, rounded up; None if it is not limited.

    Args:
        cgroups: where Linux shows control groups. In a container, the limits stand in this folder itself; those of a
            service of systemd stand below it, in the folder of the process's group or of one around that.
        membership: names the groups of this process.
    """
    quotas = []
    for folder, names in _groups(cgroups, membership):
        try:
            quota, period = " ".join((folder / name).read_text() for name in names).split()
            if quota not in ("max", "-1"):
                quotas.append(math.ceil(int(quota) / int(period)))
        except (OSError, ValueError, ZeroDivisionError):
            continue
    return min(quotas, default=None)


def _groups(cgroups: Path, membership: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Folders where a limit may stand, and the files of each that say it: for versions 2 and 1 of control groups."""
    try:
        lines = [line.split(":", 2) for line in membership.read_text().splitlines() if line.count(":") >= 2]
    except OSError:
        lines = []
    # The root itself, whatever the groups are called: in a container they may be called as they are outside of it.
    lines += [["0", "", "/"], ["", "cpu", "/"]]
    for _, controllers, path in lines:
        group = PurePosixPath(path)
        for around in (group, *group.parents):
            below = str(around).lstrip("/")
            if not controllers:
                yield cgroups / below, ("cpu.max",)
            elif "cpu" in controllers.split(","):
                yield cgroups / "cpu" / below, ("cpu.cfs_quota_us", "cpu.cfs_period_us")


def threads_per_worker(workers: int) -> int:
    """On how many photos each of `workers` processes works at once: its share of the cores, at least 1."""
    return max(1, available_cores() // max(workers, 1))


def limit_numpy(threads: int) -> AbstractContextManager[object]:
    """Set how many threads the linear algebra of numpy and SciPy uses from now on, or until the end of a `with`."""
    limits: AbstractContextManager[object] = threadpoolctl.threadpool_limits(threads)
    return limits


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items. While the caller works on one, another thread makes the next."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def slices(length: int, count: int) -> list[slice]:
    """The interval from 0 to `length` in `count` parts of about one length; fewer if it is too short for so many."""
    edges = [length * part // count for part in range(count + 1)]
    return [slice(first, last) for first, last in pairwise(edges) if first < last]


class ThreadedMap:
    """Works on independent parts of one photo in several threads. For one process; safe to share between its threads.

    The caller's thread works too. When it has nothing left to do, it does not wait for helpers that have not begun yet:
    so if all cores are busy, it does everything itself.

    The system decides on which core a helper runs. It often wakes a helper on the core of its caller, so keeping
    helpers off that core was tried. After a pause, on a machine that does nothing else, that saves up to 6 %; but while
    another program keeps a core busy, the work takes up to 1.5 times as long (`python -m bench.threads`).

    Args:
        threads: how many threads work at once, the caller's among them.

    Attributes:
        threads: as given.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="part") if threads > 1 else None

    def map(self, work: Callable[[T], R], parts: Iterable[T]) -> list[R]:
        """The result for each part, in their order. An error that one of them raises is raised here."""
        given = list(parts)
        if self._pool is None or len(given) < 2:
            return [work(part) for part in given]
        results: dict[int, R] = {}
        places = iter(range(len(given)))  # several threads may take from it: Python's lock makes that safe

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
