"""Work in processes: in order, and what fails or is killed is heard of and leaves nothing running."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.crop import processes
from stages.crop.processes import map_in_processes
from stages.errors import StageError
from tests.stages.support import posix_only


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "available_cores", lambda: 2)


def prepare(what: str, threads: int) -> Callable[[int], tuple[int, int, int]]:
    """For each process: what it does with a number."""
    if what == "unprepared" and multiprocessing.parent_process() is not None:
        raise RuntimeError("the model is refused")

    def work(number: int) -> tuple[int, int, int]:
        if what == "slow":
            time.sleep(0.02)
        if number == 20:
            if what == "full":
                raise OSError(28, "No space left on device", "crop.png")
            if what == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
        return number, os.getpid(), threads

    return work


def test_results_come_in_order_and_of_two_processes() -> None:
    results = list(map_in_processes(prepare, ("slow",), range(200)))
    assert [number for number, _, _ in results] == list(range(200))
    assert len({process for _, process, _ in results} - {os.getpid()}) == 2
    assert {threads for _, _, threads in results} == {1}


def test_few_items_need_no_process_and_have_all_cores() -> None:
    assert list(map_in_processes(prepare, ("",), range(3))) == [(number, os.getpid(), 2) for number in range(3)]


def test_an_error_arrives_as_it_was() -> None:
    with pytest.raises(OSError, match=r"No space left.*crop\.png") as raised:
        list(map_in_processes(prepare, ("full",), range(100)))
    assert raised.value.errno == 28


def test_what_cannot_be_prepared_is_no_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="the model is refused"):
        list(map_in_processes(prepare, ("unprepared",), range(100)))


@posix_only
@pytest.mark.timeout(60)
@pytest.mark.parametrize("count", [30, 40_000])
def test_a_process_that_the_system_ends_is_an_error_to_read(count: int) -> None:
    with pytest.raises(StageError, match="ended by the system, for lack of memory perhaps"):
        list(map_in_processes(prepare, ("killed",), range(count)))
    assert not multiprocessing.active_children()


def test_closed_half_way_it_leaves_no_process() -> None:
    results = map_in_processes(prepare, ("slow",), range(10_000))
    assert next(results)[0] == 0
    started = time.monotonic()
    results.close()
    assert not multiprocessing.active_children()
    assert time.monotonic() - started < 20  # 100 s, if all were worked on


PROGRAM = """
import signal, time
from stages.crop.processes import map_in_processes
from stages.crop import processes
processes.available_cores = lambda: 2

def prepare(threads):
    def work(number):
        print("working", flush=True)
        time.sleep(60)
    return work

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a script's background jobs
    list(map_in_processes(prepare, (), range(30)))
"""


@posix_only
@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_with_the_first_however_it_ends(tmp_path: Path, how: signal.Signals) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"working")
        assert len(running(program)) == 3
        process.send_signal(how)
        process.wait(timeout=10)
    deadline = time.monotonic() + 10
    while running(program):
        assert time.monotonic() < deadline, "its processes go on without it"
        time.sleep(0.05)


def running(program: Path) -> list[int]:
    """Processes that run a program."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(program).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
