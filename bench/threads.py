"""Is a second thread worth it for one photo, and would it be better to keep it off the core of the first?

    python -m bench.threads [--rounds 100] [--pauses 0 0.1 0.5] [--quick]

A face and its mirror image are embedded in one thread, in two as faces/threads.py does it, and in two of which the
helper is kept off the core where its caller runs (on Linux). The last one was once part of faces/threads.py: after a
pause, the system often wakes the helper on its caller's core, while another core is idle.

The three are timed in turn, each time after the same pause: without one, the threads are awake; between requests they
sleep. All is done twice, the second time while another program keeps one core busy. Shown are quantiles, and the median
of the ratios within each round to two threads as they are. The first half needs a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.support.models import make_models
from faces.recognition.embedder import Embedder
from faces.recognition.networks import Networks
from faces.threads import ThreadedMap
from stages.progress import progress
from stages.report.machine import describe_machine

T = TypeVar("T")
R = TypeVar("R")


class KeptApart(ThreadedMap):
    """Its helpers may run on any core but that of their caller; elsewhere than on Linux, on any core."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._helpers: list[int] = []  # the system's numbers of the threads
        self._pool = ThreadPoolExecutor(threads - 1, initializer=self._begin)
        self._core = -1
        self._library = ctypes.PyDLL(None) if sys.platform == "linux" else None

    def map(self, work: Callable[[T], R], parts: Iterable[T]) -> list[R]:
        """As its parent's."""
        if self._library is not None and (core := self._library.sched_getcpu()) != self._core:
            others = os.sched_getaffinity(0) - {core}
            for helper in self._helpers if others else []:
                os.sched_setaffinity(helper, others)
            self._core = core
        return super().map(work, parts)

    def _begin(self) -> None:
        self._helpers.append(threading.get_native_id())
        self._core = -1


@contextmanager
def busy_core() -> Iterator[None]:
    """Another program that keeps one core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def time_in_turn(
    maps: dict[str, ThreadedMap], embedder: Embedder, crop: NDArray[np.uint8], pause: float, rounds: int
) -> NDArray[np.float64]:
    """Milliseconds that each way takes to embed a crop and its mirror image, [rounds, ways]."""
    both = [crop, crop[:, :, ::-1]]
    ways = list(maps.values())
    times = np.empty((rounds, len(ways)))
    for turn in range(rounds):
        for step in range(len(ways)):
            which = (turn + step) % len(ways)
            time.sleep(pause)
            begun = time.perf_counter()
            ways[which].map(embedder.embed, both)
            times[turn, which] = 1000 * (time.perf_counter() - begun)
    return times


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--pauses", type=float, nargs="+", default=[0.0, 0.1, 0.5], help="seconds")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        make_models(Path(name), "dlib-resnet")
        networks = Networks.load(Path(name) / "networks")
    embedder = networks.open_embedder(flip=False)
    size = networks.manifest.crop.image_size
    crop = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    maps = {"two threads": ThreadedMap(2), "two, kept apart": KeptApart(2), "one thread": ThreadedMap(1)}
    time_in_turn(maps, embedder, crop, 0, 3)
    figures: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    print(f"milliseconds for a face and its mirror image; {describe_machine()}")
    for busy in (False, True):
        title = "another program keeps a core busy" if busy else "nothing else runs"
        figures[title] = {}
        print(f"\n{title:36}{'10 %':>7}{'50 %':>7}{'90 %':>7}   ratio to two threads")
        with busy_core() if busy else nullcontext():
            for pause in progress(args.pauses, len(args.pauses), title, "pause"):
                times = time_in_turn(maps, embedder, crop, pause, 5 if args.quick else args.rounds)
                ratios = np.median(times / times[:, [0]], axis=0)
                rows: dict[str, dict[str, float]] = {}
                for way, own, ratio in zip(maps, times.T, ratios, strict=True):
                    low, median, high = np.quantile(own, [0.1, 0.5, 0.9])
                    print(f"pause {pause:<6g}{way:24}{low:7.1f}{median:7.1f}{high:7.1f}{ratio:10.2f}")
                    rows[way] = {"p50": round(float(median), 2), "ratio": round(float(ratio), 3)}
                figures[title][f"{pause:g}"] = rows
    print(json.dumps({"bench": "threads", "machine": describe_machine(), "figures": figures}))


if __name__ == "__main__":
    main()
