"""The folder in which gunicorn's workers keep their figures, so that each of them can tell those of all.

prometheus_client maps a file of it into the memory of each process. The folder lies in memory where there is such a
place. It is removed at the end; one that a killed master has left is removed at the next start: a master holds a lock
in its folder for as long as it or a worker of it lives.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "face-verification-metrics-"
_LOCK = "lock"

_own: list[Path] = []  # one at most: gunicorn reads its file anew, in the same process


def make(parent: Path) -> Path:
    """Make the folder, and remove those that nobody holds any more. At a second call in one process it stays.

    Args:
        parent: where it shall lie.

    Returns:
        The folder, readable by this user alone.

    Raises:
        OSError: it cannot be made there.
    """
    if not _own:
        remove_left_ones(parent)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        # Named once it is locked: until then another start must not take it for one that was left.
        new = folder / f"{_LOCK}.new"
        descriptor = os.open(new, os.O_CREAT | os.O_RDWR, 0o600)
        _lock(descriptor)
        new.rename(folder / _LOCK)
        _own.append(folder)
        atexit.register(_remove, folder, os.getpid())
    return _own[0]


def _remove(folder: Path, maker: int) -> None:
    """At the end of the process that has made it; those that it has forked come by here, too."""
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_ones(parent: Path) -> None:
    """Remove the folders of masters that have ended without doing so."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, held by its master, or removed by another start
            descriptor = os.open(folder / _LOCK, os.O_RDWR)
            try:
                _lock(descriptor)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock a file for this process and those that it forks.

    Raises:
        BlockingIOError: somebody else holds it.
    """
    import fcntl  # there is none on Windows, where gunicorn does not run either

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
