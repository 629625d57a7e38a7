"""The service that runs on this machine takes over the new model, or none."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil

_PATIENCE = 90.0  # seconds: a reload tries the new model out first


def reload_service(root: Path) -> str:
    """Tell the gunicorn masters that serve this project to take over what lies in models/ now.

    Args:
        root: of the project.

    Returns:
        What was done, for the terminal; "" where nothing serves this project.
    """
    masters, others = _servers(root)
    if not masters and not others:
        return ""
    said = []
    for master in masters:
        try:
            before = {child.pid for child in master.children()}
            os.kill(master.pid, signal.SIGHUP)
            renewed = _renewed(master, before)
        except (psutil.Error, OSError) as error:
            said.append(f"the service (process {master.pid}) could not be told ({error}): restart it")
            continue
        if renewed:
            said.append(f"the service (process {master.pid}) serves what is there now")
        else:
            said.append(f"the service (process {master.pid}) was told, but has no new workers yet: look at /readyz")
    said += [f"the service (process {other.pid}) has to be restarted" for other in others]
    return "; ".join(said)


def _servers(root: Path) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Processes that serve this project: gunicorn's masters, and others."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if "service:create_app" not in words and "-m service" not in words:
                continue
            if Path(process.cwd()) == root and " audit " not in words and " keys " not in words:
                found[process.pid] = process
        except (psutil.Error, OSError):
            continue
    top = [process for process in found.values() if process.ppid() not in found]
    masters = [process for process in top if any("gunicorn" in word for word in process.cmdline())]
    return masters, [process for process in top if process not in masters]


def _renewed(master: psutil.Process, before: set[int]) -> bool:
    """Whether the workers were replaced within a while."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        now = {child.pid for child in master.children()}
        if now and not now & before:
            return True
        time.sleep(0.2)
    return False
