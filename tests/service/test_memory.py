"""What keeps the workers' memory small, in processes of their own."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from service.config import PROJECT_ROOT, Settings
from tests.ports import free_port
from tests.service.support import Server, server_environment

_HEAPS = """
import ctypes, threading
library, started = ctypes.CDLL(None), threading.Barrier(4)
def allocate():
    started.wait()
    library.malloc(1000)
    started.wait()
threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
library.malloc_stats()
"""

_GIVEN_BACK = """
import sys
from pathlib import Path
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from service.memory import give_back
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
recognizer = Recognizer(Networks.load(Path(sys.argv[1])))
recognizer.open()
before = resident()
give_back()
print((before - resident()) / 1e6)
"""

_LARGE_BLOCKS = """
import ctypes, sys
from pathlib import Path
from service import create_app
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
if sys.argv[1] == "the service":
    create_app()
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
library.free(library.malloc(30 * 2**20))  # after it, glibc keeps blocks of that size
before, blocks = resident(), [library.malloc(16 * 2**20) for _ in range(10)]
for block in blocks:
    ctypes.memset(ctypes.c_void_p(block), 1, 16 * 2**20)
library.malloc(100_000)  # something small that comes to lie above
for block in blocks:
    library.free(block)
print((resident() - before) / 1e6)
"""

_RELOADED = """
import gc, weakref
from flask import Flask
from service.memory import before_forks
def serving():
    app = Flask("service")
    app.extensions["app"] = app
    return app
app = serving()
before_forks()
former, app = weakref.ref(app), serving()
before_forks()
print(former() is None, gc.get_freeze_count() > 10_000)
"""

_RELOADED_IN_ONE_PROCESS = """
import gc, weakref
from service.config import Settings
from service.reload import ProcessReloader
reloader = ProcessReloader.start(Settings.load()).extensions["reloader"]
reloader()
former = weakref.ref(reloader.app.extensions["engine"])
gc.disable()
reloader()
print(former() is None)
"""

glibc_only = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other means")


@glibc_only
@pytest.mark.parametrize(("variables", "one"), [({"MALLOC_ARENA_MAX": "1"}, True), ({}, False)])
def test_threads_share_a_heap(variables: dict[str, str], one: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"} | variables
    done = subprocess.run(
        [sys.executable, "-c", _HEAPS], env=environment, check=True, capture_output=True, text=True, encoding="utf-8"
    )
    heaps = [line for line in done.stderr.splitlines() if line.startswith("Arena")]
    assert heaps[0] == "Arena 0:"
    assert (len(heaps) == 1) is one


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_script_and_the_container_ask_for_one_heap(gunicorn: Server) -> None:
    environment = Path(f"/proc/{gunicorn.process.pid}/environ").read_bytes().split(b"\0")
    assert b"MALLOC_ARENA_MAX=1" in environment
    assert "    MALLOC_ARENA_MAX=1\n" in (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")


@glibc_only
def test_what_building_the_sessions_took_is_given_back(networks_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _GIVEN_BACK, str(networks_dir)],
        cwd=PROJECT_ROOT, env={**os.environ, "MALLOC_ARENA_MAX": "1"}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert float(done.stdout) > 20, "megabytes; if it is no longer worth it, service/memory.py can do without"


@glibc_only
@pytest.mark.parametrize(("how", "least", "most"), [("by default", 100, 200), ("the service", -5, 5)])
def test_large_blocks_are_not_kept(how: str, least: float, most: float, settings: Settings, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LARGE_BLOCKS, how], cwd=PROJECT_ROOT, check=True, capture_output=True, text=True,
        env={**server_environment(settings, free_port(), tmp_path), "MALLOC_ARENA_MAX": "1"},
    )  # fmt: skip
    assert least < float(done.stdout) < most, "megabytes; if glibc keeps none by default, there is nothing to set"


def test_after_a_reload_the_master_keeps_nothing_of_the_former_application() -> None:
    """Objects that refer to each other are freed by the garbage collector alone, which does not see what is hidden."""
    done = subprocess.run(
        [sys.executable, "-c", _RELOADED], cwd=PROJECT_ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["True", "True"], "the former application is freed; what is held now is hidden"


def test_nor_does_a_server_of_one_process(settings: Settings, tmp_path: Path) -> None:
    """By itself the garbage collector comes after many reloads, and each application takes a hundred megabytes."""
    done = subprocess.run(
        [sys.executable, "-c", _RELOADED_IN_ONE_PROCESS], cwd=PROJECT_ROOT, text=True, check=True,
        env=server_environment(settings, free_port(), tmp_path), capture_output=True,
    )  # fmt: skip
    assert done.stdout == "True\n", done.stderr
