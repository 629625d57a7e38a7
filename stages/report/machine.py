"""The machine that times were measured on."""

from __future__ import annotations

import platform
from pathlib import Path

from faces.threads import available_cores


def describe_machine() -> str:
    """Cores, processor, system and Python, in one line that names no machine."""
    return f"{available_cores()} cores, {_processor()}, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
