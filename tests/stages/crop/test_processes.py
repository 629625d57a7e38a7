"""Work in processes: in order, and what fails or is killed is heard of and leaves nothing running."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from faces.message import Message
from stages.crop import processes
from stages.crop.processes import map_in_processes
from stages.errors import StageError
from tests.stages.support import posix_only

CRASHING = (0, *range(20, 30), 99)  # among them ten of one camera, say


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
        if what == "crashing" and number in CRASHING:
            faulthandler.disable()  # pytest's, which would print all threads
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "all crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "hanging" and number in (3, 20):
            time.sleep(1000)
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


def test_few_items_are_given_to_one_process_with_all_cores() -> None:
    results = list(map_in_processes(prepare, ("",), range(3)))
    assert [(number, threads) for number, _, threads in results] == [(0, 2), (1, 2), (2, 2)]
    assert len({process for _, process, _ in results} - {os.getpid()}) == 1


def lost(number: int, reason: Message) -> tuple[int, int, str]:
    return number, 0, reason


@posix_only
@pytest.mark.timeout(60)
def test_an_item_that_crashes_its_process_is_tried_twice_and_the_others_go_on() -> None:
    results = list(map_in_processes(prepare, ("crashing",), range(100), lost))
    assert [number for number, _, _ in results] == list(range(100))
    given_up = {number: reason for number, process, reason in results if process == 0}
    assert sorted(given_up) == list(CRASHING)
    assert f"it ends the process that reads it (exit code {-signal.SIGSEGV}, 2 times)" in str(given_up[20])
    assert not multiprocessing.active_children()


@posix_only
@pytest.mark.timeout(60)
def test_of_few_items_one_may_crash_too() -> None:
    results = list(map_in_processes(prepare, ("crashing",), range(3), lost))
    assert [process == 0 for _, process, _ in results] == [True, False, False]


@posix_only
@pytest.mark.timeout(60)
def test_an_item_that_the_system_ended_once_is_done_the_second_time(tmp_path: Path) -> None:
    results = list(map_in_processes(prepare_to_die_once, (tmp_path,), range(100), lost))
    assert [number for number, _, _ in results] == list(range(100))
    assert all(process for _, process, _ in results)
    assert (tmp_path / "died").exists()


def prepare_to_die_once(folder: Path, threads: int) -> Callable[[int], tuple[int, int, int]]:
    def work(number: int) -> tuple[int, int, int]:
        if number == 20 and not (folder / "died").exists():
            (folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number, os.getpid(), threads

    return work


@posix_only
@pytest.mark.timeout(60)
def test_an_item_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MOST_SECONDS", 1.0)
    results = list(map_in_processes(prepare, ("hanging",), range(100), lost))
    assert [number for number, _, _ in results] == list(range(100))
    told = "not done after 1 seconds, so it was given up. Save it again with another program, or delete it"
    assert {number: str(reason) for number, process, reason in results if process == 0} == {3: told, 20: told}


@posix_only
@pytest.mark.timeout(60)
def test_where_every_item_ends_its_process_the_items_are_not_to_blame() -> None:
    with pytest.raises(StageError, match="ended by the system, for lack of memory perhaps"):
        list(map_in_processes(prepare, ("all crash",), range(1000), lost))
    assert not multiprocessing.active_children()


@posix_only
@pytest.mark.timeout(60)
def test_a_consumer_that_is_slow_makes_nothing_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MOST_SECONDS", 0.5)
    results = []
    for result in map_in_processes(prepare, ("slow",), range(40), lost):
        if len(results) in (1, 20):
            time.sleep(1)
        results.append(result)
    assert [number for number, process, _ in results if process] == list(range(40))


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
from faces.message import Message
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
