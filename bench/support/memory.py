"""Memory of running processes, as Linux counts it."""

from __future__ import annotations

from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def proportional_megabytes(pid: int) -> float:
    """Proportional set size of a process and all below it: memory shared by several counts once, MB (10^6 bytes).

    Raises:
        OSError: this system has no /proc, or the process has ended.
    """
    total = 0
    for process in family(pid):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6


def peak_megabytes(pid: int) -> float:
    """Most resident memory that a process and its children have had so far, summed, MB (10^6 bytes).

    Memory that they share counts in each, so it is at most this. 0 once the process has ended.
    """
    total = 0.0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in [pid, *children]:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
    except OSError:  # one of them has ended meanwhile
        return 0.0
    return total
