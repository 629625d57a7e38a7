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
import contextlib
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from bench.support.faults import Fault, FaultError, read_faults
from bench.support.warm import POSSIBLE, WarmPython
from faces.threads import available_cores
from stages.progress import progress
from stages.report.machine import describe_machine

ROOT = Path(__file__).resolve().parent.parent
FAULTS = Path("bench/mutations.toml")

Outcome = Literal["noticed", "survived", "not tried"]

_LEAST_SECONDS = 120.0  # that tests have, however quick they are without the fault
_TIMES_AS_LONG = 5.0  # as without the fault
_BASELINE_SECONDS = 1800.0
LIBRARIES = (
    "facenet_pytorch", "flask", "jinja2", "joblib", "markdown_it", "matplotlib.figure", "msgspec", "onnx",
    "onnxruntime", "pandas", "pytest", "requests", "scipy.cluster.hierarchy", "scipy.sparse.csgraph", "scipy.stats",
    "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "torch", "torchvision", "yaml",
)  # fmt: skip
"""What tests import that takes long: it is imported once, before they run."""

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


_AUTHOR = ("-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false")


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
        self._free: queue.SimpleQueue[_Copy] = queue.SimpleQueue()
        self._copies: list[_Copy] = []
        shared = os.environ.get("SHARED_PHOTOS", str(root.parent / "shared"))
        # Compiled code is told from stale one by the second it was written in and its size, which a fault can keep.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "SHARED_PHOTOS": shared}
        # service/run_gunicorn.sh looks in .venv, which git does not track, and then on the PATH.
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        names = _files_of(root)
        for number in range(count):
            project = folder / f"{number}" / "project"
            for name in names:
                (project / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, project / name, follow_symlinks=False)
            # Some tests ask git what belongs to the project, and which commit it is.
            for command in (["init", "--quiet"], ["add", "--all"], [*_AUTHOR, "commit", "--quiet", "-m", "a copy"]):
                subprocess.run(["git", *command], cwd=project, check=True, capture_output=True)
            self._copies.append(_Copy(project, environment))
            self._free.put(self._copies[-1])

    def run(self, tests: Sequence[str], seconds: float, fault: Fault | None = None) -> _Run:
        """Run tests in a free copy, with a fault in it, which is taken out again.

        Raises:
            FaultError: the fault does not apply, or `tests` names none.
        """
        copy = self._free.get()
        try:
            with _put_in(fault, copy.project):
                return copy.pytest(tests, seconds, must_find=fault is None)
        finally:
            self._free.put(copy)

    def stop(self) -> None:
        """End all tests that run, and begin no more."""
        for copy in self._copies:
            copy.stop()


class _Copy:
    """One copy of the project, in which one run of pytest at a time goes on."""

    def __init__(self, project: Path, environment: dict[str, str]) -> None:
        self.project = project
        self._environment = environment
        self._lock = threading.Lock()
        self._running: int | None = None
        self._stopped = False
        self._warm = WarmPython(LIBRARIES, environment) if POSSIBLE else None

    def pytest(self, tests: Sequence[str], seconds: float, must_find: bool) -> _Run:
        """Run tests; what lasts longer than so many seconds is ended and counts as failed.

        So does a project that pytest cannot even import, unless it has no fault (`must_find`).
        """
        temporary, output = self.project.parent / "temporary", self.project.parent / "output"
        options = ["-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", f"--basetemp={temporary}"]
        begun = time.monotonic()
        status, in_time = self._run([*options, *tests], output, seconds)
        spent = time.monotonic() - begun
        shutil.rmtree(temporary, ignore_errors=True)
        text = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        if self._stopped or not in_time:
            return _Run(False, "stopped" if self._stopped else f"not done after {seconds:.0f} s", spent)
        if status in _NO_TESTS and must_find:
            raise FaultError(f"pytest finds no test in {' '.join(tests)}: {text.strip()[-500:]}")
        return _Run(status == 0, _first_failure(text), spent)

    def _run(self, arguments: list[str], output: Path, seconds: float) -> tuple[int, bool]:
        """The exit status of pytest, and whether it came in time."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self._kill()

        timer = threading.Timer(seconds, end)
        with self._lock:
            if self._stopped:
                return 1, True
            wait = self._start(arguments, output)
        timer.start()
        try:
            return wait(), not late.is_set()
        finally:
            timer.cancel()
            with self._lock:
                self._running = None

    def _start(self, arguments: list[str], output: Path) -> Callable[[], int]:
        """Start pytest; returns what waits for its exit status."""
        if self._warm is not None:
            self._running = self._warm.start(self.project, arguments, output)
            return self._warm.wait
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *arguments], cwd=self.project, env=self._environment,
                stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._running = process.pid
        return process.wait

    def _kill(self) -> None:
        """End the run that goes on, and all that it started."""
        with self._lock, contextlib.suppress(OSError):
            if self._running is None:
                return
            if sys.platform == "win32" or self._warm is None:
                os.kill(self._running, signal.SIGTERM)
                return
            try:
                os.killpg(self._running, signal.SIGKILL)
            except ProcessLookupError:  # begun this moment, it leads no group yet
                os.kill(self._running, signal.SIGKILL)

    def stop(self) -> None:
        """End the run that goes on, and begin no more."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self._kill()
        if self._warm is not None:
            self._warm.close()


@contextmanager
def _put_in(fault: Fault | None, project: Path) -> Iterator[None]:
    """A fault in a project's files, until the block ends."""
    if fault is None:
        yield
        return
    file = project / fault.file
    before = file.read_bytes()
    file.write_text(fault.applied(project), encoding="utf-8", newline="\n")
    try:
        yield
    finally:
        file.write_bytes(before)


def _files_of(root: Path) -> list[str]:
    """What git tracks in a project, and what it would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, check=False, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    if listed.returncode:
        raise FaultError(f"git does not say which files belong to {root} ({listed.stderr.strip()}): clone the project")
    return [name for name in listed.stdout.split("\0") if name and os.path.lexists(root / name)]


def _first_failure(output: str) -> str:
    """The first test that pytest names as failed, or its last line."""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", output, flags=re.MULTILINE)
    return found[1] if found else (output.strip().splitlines() or ["no output"])[-1]


def select_tests(fault: Fault, which: str, root: Path) -> tuple[str, ...]:
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
        which: "nearest", "folder" or "all", see `select_tests`.
        jobs: how many at once.

    Raises:
        FaultError: a fault does not apply, or names no test; none is tried then.
    """
    for fault in faults:
        fault.applied(root)
    with _copies(root, jobs) as copies, ThreadPoolExecutor(jobs) as pool:
        lists = list(dict.fromkeys(select_tests(fault, which, root) for fault in faults))

        def without(tests: tuple[str, ...]) -> _Run:
            return copies.run(tests, _BASELINE_SECONDS)

        def tried(fault: Fault) -> Verdict:
            tests = select_tests(fault, which, root)
            if not baseline[tests].passed:
                return Verdict(fault, "not tried", f"fails without it: {baseline[tests].said}")
            run = copies.run(tests, max(_LEAST_SECONDS, _TIMES_AS_LONG * baseline[tests].seconds), fault)
            if run.passed:
                tqdm.write(f"survived: {fault.name}", sys.stderr)  # at once: the whole takes half an hour
                return Verdict(fault, "survived", "")
            return Verdict(fault, "noticed", run.said)

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
    which = "those that the list names, those of the folder that mirrors the file's, or all"
    parser.add_argument("--tests", choices=("nearest", "folder", "all"), default="nearest", help=which)
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
