"""The lock of whoever writes to the log. The system frees it where its holder is killed.

On POSIX this is `flock` on a file that stays open, since a record takes twice as long with filelock (0.6 ms instead of
0.3, measured between answers); on Windows it is filelock. Both lock the same file, so a process with filelock is waited
for, too.
"""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock

try:
    import fcntl
except ModuleNotFoundError:
    HAS_FLOCK = False  # Windows
else:
    HAS_FLOCK = True

POLL_SECONDS = 0.0002


def make_lock(path: Path, seconds: float) -> AbstractContextManager[object]:
    """A lock for one process at a time; its threads have to take turns by themselves.

    Args:
        path: of a file that is made for it.
        seconds: how long to wait for others.

    Returns:
        What is entered to hold the lock. That raises TimeoutError where another process holds it all the time, and
        OSError where the file cannot be made.
    """
    if not HAS_FLOCK:
        return FileLock(path, timeout=seconds, poll_interval=POLL_SECONDS, thread_local=False)
    return _FileLock(path, seconds)


class _FileLock:
    def __init__(self, path: Path, seconds: float) -> None:
        self._path = path
        self._seconds = seconds
        self._descriptor = -1
        self._process = 0

    def __enter__(self) -> None:
        deadline = time.monotonic() + self._seconds
        while True:
            if self._process != os.getpid():  # a fork would share the lock of its parent
                self._open()
            while not self._try():
                if time.monotonic() > deadline:
                    raise TimeoutError
                time.sleep(POLL_SECONDS)
            if self._is_in_place():
                return
            self._open()  # somebody has removed the file: others lock the new one

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _is_in_place(self) -> bool:
        own = os.fstat(self._descriptor)
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino)

    def _open(self) -> None:
        opened = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self.close()
        self._descriptor, self._process = opened, os.getpid()

    def close(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor, self._process = -1, 0

    def __del__(self) -> None:
        self.close()
