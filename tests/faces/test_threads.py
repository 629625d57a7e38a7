"""Side by side or one after the other, in order, and what fails is heard of."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import threadpoolctl
from joblib.externals import loky

import faces.threads
from faces.threads import (
    CoresError,
    ThreadedMap,
    available_cores,
    limit_numpy,
    read_ahead,
    slices,
    threads_per_worker,
)


def test_a_worker_has_its_share_and_never_none() -> None:
    assert available_cores() >= 1
    assert threads_per_worker(1) == available_cores()
    assert threads_per_worker(1000) == 1


@pytest.mark.parametrize(("workers", "threads"), [(0, 8), (1, 8), (2, 4), (3, 2), (4, 2), (5, 1), (8, 1), (9, 1)])
def test_workers_share_the_cores(workers: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces.threads, "available_cores", lambda: 8)
    assert threads_per_worker(workers) == threads


def test_numpy_uses_as_many_threads_as_are_allowed_and_then_as_before() -> None:
    def of_numpy() -> set[int]:
        return {int(library["num_threads"]) for library in threadpoolctl.threadpool_info()}

    with limit_numpy(2):
        before = of_numpy()
        with limit_numpy(1):
            assert of_numpy() == {1}
        assert of_numpy() == before


@pytest.mark.parametrize("wanted", [None, "1", "2", "1000"])
def test_cores_are_counted_as_joblib_counts_them(wanted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    if wanted is not None:
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", wanted)
    assert available_cores() == loky.cpu_count()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process cannot be kept to some cores")
def test_cores_that_the_process_is_kept_off_do_not_count() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "250000 100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "150000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
        ({"cpu.max": "what is this"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota(files: dict[str, str], cores: int | None, tmp_path: Path) -> None:
    write(tmp_path, files)
    assert faces.threads._quota(tmp_path, tmp_path / "none") == cores


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("member", "files", "cores"),
    [
        # A unit with CPUQuota=, in systemd's version 2
        ("0::/system.slice/face.service", {"system.slice/face.service/cpu.max": "150000 100000"}, 2),
        # The slice around it has less
        ("0::/system.slice/face.service",
         {"system.slice/face.service/cpu.max": "400000 100000", "system.slice/cpu.max": "100000 100000"}, 1),
        ("0::/system.slice/face.service", {"other.slice/cpu.max": "100000 100000"}, None),
        ("4:cpu,cpuacct:/face\n0::/",
         {"cpu/face/cpu.cfs_quota_us": "300000", "cpu/face/cpu.cfs_period_us": "100000"}, 3),
        ("4:cpuset:/face", {"cpu/face/cpu.cfs_quota_us": "300000", "cpu/face/cpu.cfs_period_us": "100000"}, None),
        # A container without a namespace of its own is called there as outside
        ("0::/docker/0123", {"cpu.max": "200000 100000"}, 2),
    ],
)  # fmt: skip
def test_a_quota_of_the_processs_own_group(
    member: str, files: dict[str, str], cores: int | None, tmp_path: Path
) -> None:
    write(tmp_path, {**files, "self": member})
    assert faces.threads._quota(tmp_path, tmp_path / "self") == cores


@pytest.mark.skipif(
    not (sys.platform == "linux" and os.access("/sys/fs/cgroup/cpu/cgroup.procs", os.W_OK)),
    reason="no control group of version 1 can be made here",
)
def test_a_real_quota_counts() -> None:
    group = Path("/sys/fs/cgroup/cpu/face-verification-test")
    group.mkdir()
    try:
        (group / "cpu.cfs_quota_us").write_text("100000")
        joining = f"Path({str(group / 'cgroup.procs')!r}).write_text(str(os.getpid()))"
        code = f"import os; from pathlib import Path; {joining}; "
        code += "from faces.threads import available_cores; print(available_cores())"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "1\n"
    finally:
        group.rmdir()


def test_a_number_of_cores_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "two")
    with pytest.raises(CoresError, match="LOKY_MAX_CPU_COUNT is 'two'; expected a number of processor cores"):
        available_cores()


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order(threads: int) -> None:
    def late_first(part: int) -> int:
        time.sleep((3 - part) * 0.01)
        return part

    assert ThreadedMap(threads).map(late_first, iter(range(4))) == [0, 1, 2, 3]


@pytest.mark.parametrize("threads", [1, 3])
def test_what_a_part_raises_is_raised(threads: int) -> None:
    with pytest.raises(ZeroDivisionError):
        ThreadedMap(threads).map(lambda part: 1 // part, [1, 0, 1])


def test_parts_run_at_once() -> None:
    meeting = threading.Barrier(2, timeout=10)
    ThreadedMap(2).map(lambda _: meeting.wait(), range(2))


def test_the_caller_waits_for_no_thread_that_is_busy_elsewhere() -> None:
    two, held = ThreadedMap(2), threading.Event()
    assert two._pool is not None
    elsewhere = two._pool.submit(held.wait, 10)
    assert two.map(lambda part: part, range(3)) == [0, 1, 2]
    assert not elsewhere.done()
    held.set()
    assert elsewhere.result()


def test_all_parts_have_ended_where_one_fails() -> None:
    ended = threading.Event()

    def fail_first(part: int) -> None:
        if part == 0:
            time.sleep(0.01)  # the other has begun
            raise ZeroDivisionError
        time.sleep(0.1)
        ended.set()

    with pytest.raises(ZeroDivisionError):
        ThreadedMap(2).map(fail_first, range(2))
    assert ended.is_set()


@pytest.mark.parametrize(("length", "count"), [(10, 1), (10, 3), (2, 5), (640, 2)])
def test_slices_are_an_interval_in_parts(length: int, count: int) -> None:
    parts = slices(length, count)
    assert [place for part in parts for place in range(part.start, part.stop)] == list(range(length))
    assert len(parts) == min(length, count)


def test_the_next_item_is_made_meanwhile() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    ahead = read_ahead(items())
    assert next(ahead) == 1
    assert made.wait(10)
    assert list(ahead) == [2]


def test_what_making_an_item_raises_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        list(read_ahead(items()))
