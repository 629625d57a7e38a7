"""Would the tests notice? Single faults are put in, one at a time, and the tests nearest to each are run.

    python -m bench.mutation [--only TEXT] [--tests nearest|folder|all] [--jobs N] [--list]

bench/mutations.toml lists the faults, with what a user would suffer from each. The project's own files stay as they
are: each job works on a copy of what git tracks or would track, in a temporary folder. First the tests run without a
fault, for where they fail already they would "notice" anything. A fault is noticed where a test fails, or is not done
in several times as long as without it.

Tools that make up faults by themselves (mutmut, cosmic-ray) change operators and numbers in every line, which for this
project are some ten thousand runs of the tests, and know neither the report's templates nor a limit or a column that
is mistaken for another. So the list is written by hand: each entry is a mistake that somebody could make.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.support.faults import Fault, FaultError, read_faults
from faces.threads import available_cores
from stages.progress import progress
from stages.report.machine import describe_machine

ROOT = Path(__file__).resolve().parent.parent
FAULTS = Path("bench/mutations.toml")

Outcome = Literal["noticed", "survived", "not tried"]

_LEAST_SECONDS = 120.0  # that tests have, however quick they are without the fault
_TIMES_AS_LONG = 5.0  # as without the fault
_BASELINE_SECONDS = 1800.0
_NO_TESTS = (4, 5)  # pytest's exit status where the arguments name no test, or none that is collected


@dataclass(frozen=True)
class Verdict:
    """What became of a fault.

    Attributes:
        fault: which one.
        outcome: "not tried" where its tests fail without it, too.
        by: the first test that failed, or why it counts as noticed or was not tried; "" where it survived.
    """

    fault: Fault
    outcome: Outcome
    by: str


@dataclass(frozen=True)
class _Run:
    """How tests ended: whether all passed, else the first that failed, and how many seconds they took."""

    passed: bool
    said: str
    seconds: float


class Copies:
    """Copies of a project, one for each job, and the test processes that run in them.

    Args:
        root: the project, a git repository.
        folder: an empty folder.
        count: how many.

    Raises:
        FaultError: git does not say what belongs to the project.
    """

    def __init__(self, root: Path, folder: Path, count: int) -> None:
        self._root = root
        self._free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._processes: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False
        names = _files_of(root)
        for number in range(count):
            copy = folder / f"{number}" / "project"
            for name in names:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, copy / name, follow_symlinks=False)
            # Some tests ask git what belongs to the project.
            for command in (["init", "--quiet"], ["add", "--all"]):
                subprocess.run(["git", *command], cwd=copy, check=True, capture_output=True)
            self._free.put(copy)

    def run(self, tests: Sequence[str], seconds: float, fault: Fault | None = None) -> _Run:
        """Run tests in a free copy, with a fault in it, which is taken out again.

        Raises:
            FaultError: the fault does not apply, or `tests` names none.
        """
        copy = self._free.get()
        try:
            if fault is None:
                return self._pytest(copy, tests, seconds)
            file = copy / fault.file
            before = file.read_bytes()
            file.write_text(fault.applied(copy), encoding="utf-8", newline="\n")
            try:
                return self._pytest(copy, tests, seconds)
            finally:
                file.write_bytes(before)
        finally:
            self._free.put(copy)

    def _pytest(self, copy: Path, tests: Sequence[str], seconds: float) -> _Run:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", *tests]
        shared = os.environ.get("SHARED_PHOTOS", str(self._root.parent / "shared"))
        # Compiled code is told from stale one by the second it was written in and its size, which a fault can keep.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "SHARED_PHOTOS": shared}
        begun = time.monotonic()
        with self._lock:
            if self._stopped:
                return _Run(False, "stopped", 0.0)
            process = subprocess.Popen(
                command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, encoding="utf-8", errors="replace", start_new_session=True,
            )  # fmt: skip
            self._processes.add(process)
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _kill(process)
            return _Run(False, f"not done after {seconds:.0f} s", time.monotonic() - begun)
        finally:
            with self._lock:
                self._processes.discard(process)
        if process.returncode in _NO_TESTS:
            raise FaultError(f"pytest finds no test in {' '.join(tests)}: {output.strip()[-500:]}")
        return _Run(process.returncode == 0, _first_failure(output), time.monotonic() - begun)

    def stop(self) -> None:
        """End all tests that run, and begin no more."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                _kill(process)


def _files_of(root: Path) -> list[str]:
    """What git tracks in a project, and what it would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, check=False, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    if listed.returncode:
        raise FaultError(f"git does not say which files belong to {root} ({listed.stderr.strip()}): clone the project")
    return [name for name in listed.stdout.split("\0") if name and os.path.lexists(root / name)]


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started."""
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _first_failure(output: str) -> str:
    """The first test that pytest names as failed, or its last line."""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", output, flags=re.MULTILINE)
    return found[1] if found else (output.strip().splitlines() or ["no output"])[-1]


def tests_of(fault: Fault, which: str, root: Path) -> tuple[str, ...]:
    """Arguments of pytest for a fault: its nearest tests, those of the folder that mirrors its file's, or all."""
    if which == "nearest":
        return fault.tests
    if which == "all":
        return ("tests",)
    folder = Path(fault.file).parent
    while not (root / "tests" / folder).is_dir():
        folder = folder.parent
    return (f"tests/{folder.as_posix()}",)


@contextmanager
def _copies(root: Path, jobs: int) -> Iterator[Copies]:
    """Copies of a project in a temporary folder; however the block ends, no test goes on and nothing is left."""
    with tempfile.TemporaryDirectory(prefix="face-mutation-", ignore_cleanup_errors=True) as name:
        copies = Copies(root, Path(name), jobs)
        try:
            yield copies
        finally:
            copies.stop()


def try_faults(faults: Sequence[Fault], root: Path, which: str = "nearest", jobs: int = 1) -> list[Verdict]:
    """Put each fault in, alone, and run its tests.

    Args:
        faults: what to try.
        root: the project, a git repository; it stays as it is.
        which: "nearest", "folder" or "all", see `tests_of`.
        jobs: how many at once.

    Raises:
        FaultError: a fault does not apply, or names no test; none is tried then.
    """
    for fault in faults:
        fault.applied(root)
    with _copies(root, jobs) as copies, ThreadPoolExecutor(jobs) as pool:
        lists = list(dict.fromkeys(tests_of(fault, which, root) for fault in faults))

        def without(tests: tuple[str, ...]) -> _Run:
            return copies.run(tests, _BASELINE_SECONDS)

        def tried(fault: Fault) -> Verdict:
            tests = tests_of(fault, which, root)
            if not baseline[tests].passed:
                return Verdict(fault, "not tried", f"fails without it: {baseline[tests].said}")
            run = copies.run(tests, max(_LEAST_SECONDS, _TIMES_AS_LONG * baseline[tests].seconds), fault)
            return Verdict(fault, "survived" if run.passed else "noticed", "" if run.passed else run.said)

        try:
            passes = progress(pool.map(without, lists), len(lists), "without faults", "list of tests")
            baseline = dict(zip(lists, passes, strict=True))
            return list(progress(pool.map(tried, faults), len(faults), "with each fault", "fault"))
        except BaseException:
            copies.stop()  # or the pool would wait for all that it was given
            pool.shutdown(cancel_futures=True)
            raise


def choose(faults: Iterable[Fault], wanted: Sequence[str]) -> list[Fault]:
    """Faults whose name or file holds one of some texts; all where none is given.

    Raises:
        FaultError: a text is in none.
    """
    given = list(faults)
    unknown = [text for text in wanted if not any(text in fault.name or text in fault.file for fault in given)]
    if unknown:
        raise FaultError(f"no fault's name or file holds {', '.join(unknown)}: --list shows them")
    return [f for f in given if not wanted or any(text in f.name or text in f.file for text in wanted)]


def table(verdicts: Sequence[Verdict]) -> str:
    """A line for each fault, those to look at first."""
    order: list[Outcome] = ["survived", "not tried", "noticed"]
    lines = []
    for outcome in order:
        for verdict in (one for one in verdicts if one.outcome == outcome):
            fault = verdict.fault
            lines.append(f"{outcome:10}{fault.name:40} {fault.file}")
            lines.append(f"{'':10}{fault.harm if outcome == 'survived' else verdict.by}")
    return "\n".join(lines)


def main() -> None:
    """Print the table and the JSON line; exit status 1 where fewer are noticed than asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only", action="append", default=[], metavar="TEXT", help="faults whose name or file holds it"
    )
    parser.add_argument(
        "--tests",
        choices=("nearest", "folder", "all"),
        default="nearest",
        help="those that the list names, those of the folder that mirrors the file's, or all",
    )
    parser.add_argument("--jobs", type=int, default=available_cores(), help="faults tried at once")
    parser.add_argument("--least", type=float, default=0.9, help="share that must be noticed, for exit status 0")
    parser.add_argument("--list", action="store_true", help="show the faults and try none")
    args = parser.parse_args()
    begun = time.monotonic()
    try:
        faults = choose(read_faults(ROOT / FAULTS), args.only)
        if args.list:
            print("\n".join(f"{fault.name:40} {fault.file}: {fault.harm}" for fault in faults))
            return
        verdicts = try_faults(faults, ROOT, args.tests, max(args.jobs, 1))
    except FaultError as error:
        sys.exit(f"mutation: error: {error}")
    except KeyboardInterrupt:
        sys.exit("mutation: stopped; the project is as it was")
    names = {
        outcome: [verdict.fault.name for verdict in verdicts if verdict.outcome == outcome]
        for outcome in ("noticed", "survived", "not tried")
    }
    tried = len(names["noticed"]) + len(names["survived"])
    share = len(names["noticed"]) / tried if tried else 0.0
    print(f"{table(verdicts)}\n\n{len(names['noticed'])} of {tried} noticed ({share:.1%}); {describe_machine()}")
    figures = {
        "faults": len(verdicts), "noticed": len(names["noticed"]), "share": round(share, 4),
        "survived": names["survived"], "not_tried": names["not tried"], "tests": args.tests,
        "seconds": round(time.monotonic() - begun),
    }  # fmt: skip
    print(json.dumps({"bench": "mutation", "machine": describe_machine(), **figures}))
    if share < args.least or names["not tried"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
