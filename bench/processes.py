"""Are the crop stage's own processes worth their code? Beside loky's, which come with joblib.

    python -m bench.processes PHOTO_OR_FOLDER … [--rounds 7] [--quick]

Both find the faces on the same photos, each time in a new Python. In turn, few and many photos are given to each: the
whole time from the start of Python, the processor's time, and the first as a ratio. Then, while photos are worked on,
the first process is ended in several ways, or one of the others is killed: how long is it until all have ended?
Processes that still run after 10 seconds count as left behind (Linux only: they are looked for in /proc).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.support.photos import find_photos, is_small, spread
from bench.support.servers import ROOT
from faces.recognition.image import Photo
from faces.recognition.networks import DETECTOR_NAMES, Networks
from faces.recognition.recognizer import find_faces
from faces.threads import available_cores
from stages.crop.processes import map_in_processes
from stages.progress import progress
from stages.report.machine import describe_machine

COUNTS = (10, 300)
WAIT_SECONDS = 10.0
ENDINGS = {
    "Ctrl-C": "SIGINT to all processes of the terminal",
    "SIGTERM": "to the first process",
    "SIGKILL": "to the first process",
    "a process killed": "SIGKILL to one of the others",
}
_PHOTOS_OF_A_LONG_RUN = 100_000

Prepare = Callable[..., Callable[[Any], Any]]


def open_finder(networks: Path, threads: int) -> Callable[[Path], int]:
    """For each process: what finds the faces on a photo and says how many there are."""
    loaded = Networks.load(networks, DETECTOR_NAMES)
    detector = loaded.open_detector(threads)
    return lambda path: len(find_faces(Photo.open(path), detector, loaded.manifest.crop, largest_only=False))


_work: Callable[[Any], Any]  # of loky's processes: an initializer has no other place to leave it


def _start(prepare: Prepare, given: tuple[Any, ...]) -> None:
    global _work
    _work = prepare(*given)


def _run(items: Sequence[Any]) -> list[Any]:
    return [_work(item) for item in items]


def map_with_loky(prepare: Prepare, given: tuple[Any, ...], items: Sequence[Any]) -> Iterable[Any]:
    """What `map_in_processes` does, with joblib's loky."""
    from joblib.externals.loky import ProcessPoolExecutor

    cores = available_cores()
    pool = ProcessPoolExecutor(cores, initializer=_start, initargs=(prepare, (*given, 1)))
    try:
        parts: deque[Any] = deque()
        for start in range(0, len(items), 4):
            parts.append(pool.submit(_run, items[start : start + 4]))
            if len(parts) > 4 * cores:
                yield from parts.popleft().result()
        while parts:
            yield from parts.popleft().result()
    finally:
        pool.shutdown(wait=True, kill_workers=True)


MAPS: dict[str, Callable[[Prepare, tuple[Any, ...], Sequence[Any]], Iterable[Any]]] = {
    "own": map_in_processes,
    "loky": map_with_loky,
}


def work(kind: str, networks: Path, paths: Path, count: int) -> None:
    """As a process of its own: find the faces on that many photos, whose paths stand in a file."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a script started this in the background
    known = [Path(line) for line in paths.read_text(encoding="utf-8").splitlines()]
    photos = [known[number % len(known)] for number in range(count)]
    total = 0
    for done, found in enumerate(MAPS[kind](open_finder, (networks,), photos), 1):
        total += found
        if done == 1:
            print("begun", flush=True)
    print(total)


@dataclass
class Bench:
    """Runs `work` in processes of its own.

    Attributes:
        networks: folder with the exported networks.
        paths: file with the photos' paths, one a line.
    """

    networks: Path
    paths: Path

    def _command(self, kind: str, count: int) -> list[str]:
        code = "import sys; from pathlib import Path; import bench.processes as b; "
        code += "b.work(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))"
        return [sys.executable, "-c", code, kind, str(self.networks), str(self.paths), str(count)]

    def time(self, kind: str, count: int) -> tuple[float, float, int]:
        """Seconds by the clock and of the processor that some photos take, and the faces found."""
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(self._command(kind, count), cwd=ROOT, check=True, capture_output=True, text=True)
        seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, spent, int(done.stdout.split()[-1])

    def end(self, kind: str, how: str) -> dict[str, float]:
        """Seconds until all processes have ended, and how many had to be killed after that time."""
        with subprocess.Popen(
            self._command(kind, _PHOTOS_OF_A_LONG_RUN),
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            process.stdout.readline()
            begun = time.perf_counter()
            if how == "Ctrl-C":
                os.killpg(process.pid, signal.SIGINT)
            elif how == "a process killed":
                os.kill(_workers(process.pid)[-1], signal.SIGKILL)
            else:
                process.send_signal(signal.SIGTERM if how == "SIGTERM" else signal.SIGKILL)
            while (left := _session(process.pid)) and time.perf_counter() - begun < WAIT_SECONDS:
                time.sleep(0.01)
            seconds = time.perf_counter() - begun
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        return {"seconds": round(seconds, 2), "left": len(left)}


def _session(leader: int) -> list[int]:
    """Processes of the session that a process leads, itself included; those that have ended are left out."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(status.parent.name))
    return sorted(found)


def _workers(leader: int) -> list[int]:
    """Of those, the ones that work on photos: they have loaded ONNX Runtime."""
    return [pid for pid in _session(leader) if pid != leader and "onnxruntime" in Path(f"/proc/{pid}/maps").read_text()]


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one round of few photos")
    args = parser.parse_args()
    from bench.support.models import make_models  # it imports torch, for which the processes measured would wait

    found = find_photos(args.photos)
    small = [path for path in found if is_small(path)] or found
    rounds, counts = (1, COUNTS[:1]) if args.quick else (args.rounds, COUNTS)
    times: dict[str, dict[str, float]] = {}
    endings: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        make_models(Path(name), "dlib-resnet")
        paths = Path(name) / "photos.txt"
        paths.write_text("\n".join(str(path.resolve()) for path in spread(small, max(counts))), encoding="utf-8")
        bench = Bench(Path(name) / "networks", paths)
        for count in counts:
            rows = {kind: np.empty((rounds, 3)) for kind in MAPS}
            for turn in progress(range(rounds), rounds, f"{count} photos", "round"):
                for kind in list(MAPS)[:: 1 if turn % 2 else -1]:
                    rows[kind][turn] = bench.time(kind, count)
            own, loky = rows["own"], rows["loky"]
            if (own[:, 2] != loky[:, 2]).any():
                sys.exit("the two do not find the same faces")
            times[str(count)] = {
                "own_s": round(float(np.median(own[:, 0])), 2),
                "loky_s": round(float(np.median(loky[:, 0])), 2),
                "loky_takes": round(float(np.median(loky[:, 0] / own[:, 0])), 2),
                "own_processor_s": round(float(np.median(own[:, 1])), 2),
                "loky_processor_s": round(float(np.median(loky[:, 1])), 2),
            }
        if sys.platform == "linux":
            endings = {how: {kind: bench.end(kind, how) for kind in MAPS} for how in ENDINGS}
    print(f"{describe_machine()}\n\n{'':12}{'own':>8}{'loky':>8}   loky takes   processor: own{'loky':>8}")
    for photos, row in times.items():
        print(f"{photos + ' photos':12}{row['own_s']:6} s{row['loky_s']:6} s{row['loky_takes']:10} ×", end="")
        print(f"{row['own_processor_s']:16} s{row['loky_processor_s']:6} s")
    for how, results in endings.items():
        print(f"\n{how} ({ENDINGS[how]})")
        for kind, row in results.items():
            after = f"{row['left']} left after {WAIT_SECONDS:.0f} s" if row["left"] else f"ended in {row['seconds']} s"
            print(f"  {kind:6}{after}")
    print(json.dumps({"bench": "processes", "machine": describe_machine(), "times": times, "endings": endings}))


if __name__ == "__main__":
    main()
