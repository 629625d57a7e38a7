"""/metrics with several workers: one count of all, through reloads and kills, and no file that stays."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from service.config import PROJECT_ROOT, Settings
from tests.service.monitoring.support import figures
from tests.service.support import Server, posix_only, shipped_gunicorn

pytestmark = posix_only

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="shows who holds a folder; Linux alone has it"
)

ANSWERED = 'face_verification_requests_total{endpoint="/livez",status="200"}'


def asked(server: Server) -> dict[str, float]:
    return figures(requests.get(f"{server.url}/metrics", timeout=10).text)


def live(server: Server, times: int) -> None:
    for _ in range(times):  # a connection each: any worker may take it
        assert requests.get(f"{server.url}/livez", timeout=10).status_code == 200


def test_whichever_worker_is_asked_tells_of_all(gunicorn: Server, me_photo: bytes) -> None:
    before = asked(gunicorn)
    live(gunicorn, 20)
    gunicorn.verify(me_photo)
    for _ in range(5):
        after = asked(gunicorn)
        assert after[ANSWERED] - before.get(ANSWERED, 0) == 20
        name = 'face_verification_decisions_total{decision="me"}'
        assert after[name] - before[name] == 1
        assert after["face_verification_workers"] == after["face_verification_workers_ready"] == 2
        (model,) = [value for name, value in after.items() if "model_workers" in name]
        assert model == 2
        assert after["face_verification_photos_waiting"] == after["face_verification_photos_in_work"] == 0


@needs_proc
def test_reloads_and_kills_lose_no_count_and_leave_no_file(no_models: Settings, tmp_path: Path) -> None:
    with shipped_gunicorn(no_models, tmp_path) as server:
        (folder,) = [path for path in folders() if held_by(path, server.process.pid)]
        live(server, 10)
        for round_ in range(1, 5):
            server.process.send_signal(signal.SIGHUP)
            until(lambda: server.log.count("Worker exiting") >= 2 * round_)  # noqa: B023
            until(lambda: asked(server)["face_verification_workers"] == 2)
            live(server, 5)
        for _ in range(3):
            workers = re.findall(r"Worker ready \(pid: (\d+)\)", server.log)
            os.kill(int(workers[-1]), signal.SIGKILL)
            until(lambda: server.log.count("Worker ready") > len(workers))  # noqa: B023
            until(lambda: asked(server)["face_verification_workers"] == 2)
        live(server, 5)
        assert asked(server)[ANSWERED] == 10 + 4 * 5 + 5
        assert len(list(folder.glob("histogram_*.db"))) <= 4 + 1, "those of two generations, and the master's"
        assert "Traceback" not in server.log
    assert not folder.exists()


@needs_proc
@pytest.mark.slow
def test_what_a_killed_master_leaves_goes_at_the_next_start(no_models: Settings, tmp_path: Path) -> None:
    with contextlib.suppress(pytest.fail.Exception), shipped_gunicorn(no_models, tmp_path) as server:
        (left,) = [path for path in folders() if held_by(path, server.process.pid)]
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait(10)
    assert left.exists()
    with shipped_gunicorn(no_models, tmp_path):
        assert not left.exists()


def folders() -> list[Path]:
    parent = Path("/dev/shm")
    return list(parent.glob("face-verification-metrics-*")) if parent.is_dir() else []


def held_by(folder: Path, process: int) -> bool:
    """Whether a process has the folder's lock open."""
    descriptors = Path(f"/proc/{process}/fd").iterdir()
    return any(os.path.realpath(descriptor) == str(folder / "lock") for descriptor in descriptors)


def until(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


_MAKE = """
import sys
from pathlib import Path
from service.monitoring import shared_folder
folder = shared_folder.make(Path(sys.argv[1]))
assert shared_folder.make(Path(sys.argv[1])) == folder, "read again, after SIGHUP"
print(folder, flush=True)
sys.stdin.read()
"""


def test_a_folder_is_its_makers_and_others_leave_it_alone(tmp_path: Path) -> None:
    def start() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", _MAKE, str(tmp_path)], cwd=PROJECT_ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    first, killed = start()
    second, own = start()
    assert killed.is_dir() and own.is_dir() and killed != own
    assert own.stat().st_mode & 0o777 == 0o700
    first.kill()
    first.communicate(timeout=10)
    assert killed.is_dir()
    third, _ = start()
    assert own.is_dir() and not killed.exists()
    for process in (second, third):
        process.communicate(timeout=10)
        assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


_FULL = """
import errno, os, sys
from pathlib import Path
from types import SimpleNamespace
from service.monitoring import metrics

full = sys.argv[2] == "full"
reserved = []

def fallocate(descriptor, start, length):
    if full:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    reserved.append(length)

os.posix_fallocate = fallocate
metrics.share(Path(sys.argv[1]))
worker = SimpleNamespace()
metrics.choose_slot(worker, [])
metrics.use_slot(worker)
metrics.count_refusal("limit")
assert 'refusals_total{reason="limit"} 1.0' in metrics.exposition("")[0].decode()
metrics.free_slot(worker)
assert len(reserved) == (0 if full else 4), reserved
"""


@pytest.mark.parametrize("room", ["full", "there"])
def test_memory_is_reserved_and_where_there_is_none_a_worker_counts_alone(tmp_path: Path, room: str) -> None:
    """Without it, writing to a file in memory that has none left ends the process."""
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path), room], cwd=PROJECT_ROOT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ("No room for metrics" in done.stderr) == (room == "full")


@needs_proc
def test_what_is_reserved_is_enough(gunicorn: Server) -> None:
    """Whatever has been asked: no file of a worker has grown, and half of each is free."""
    requests.get(f"{gunicorn.url}/openapi.json", timeout=10)
    (folder,) = [path for path in folders() if held_by(path, gunicorn.process.pid)]
    files = list(folder.glob("*_[0-9].db"))
    assert len(files) == 8
    for path in files:
        content = path.read_bytes()
        assert len(content) == 128 * 1024 and int.from_bytes(content[:4], sys.byteorder) < 64 * 1024
