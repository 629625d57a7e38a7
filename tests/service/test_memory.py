"""What keeps the workers' memory small, in processes of their own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_HEAPS = """
import ctypes, threading
from service.memory import keep_one_heap
{first}
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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have one heap, or none to count")
@pytest.mark.parametrize(("first", "one"), [("keep_one_heap()", True), ("", False)])
def test_threads_share_a_heap(first: str, one: bool) -> None:
    code = _HEAPS.format(first=first)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, encoding="utf-8")
    heaps = [line for line in done.stderr.splitlines() if line.startswith("Arena")]
    assert heaps[0] == "Arena 0:"
    assert (len(heaps) == 1) is one
