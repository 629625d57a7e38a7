"""No core dumps: the memory of a process that crashes holds photos, and a dump would put them on the disk."""

from __future__ import annotations

import sys


def forbid() -> None:
    """From now on this process, and those that it starts, leave no core dump; without privileges that is for good.

    On Linux the limit is one byte, not zero: a dump that goes to a file needs more than that, and where dumps are piped
    to a program (systemd-coredump, apport), the kernel heeds no other limit than this very one (core(5) says that it
    heeds none; fs/coredump.c has the exception). PR_SET_DUMPABLE would do the same, but it also takes `/proc/<pid>`
    away from the operator's own user: no profiler, no memory figures, no list of open files. Windows has no such limit.
    """
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return
    limit = 1 if sys.platform == "linux" else 0
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
