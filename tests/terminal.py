"""Programs that ask about photos, as a user starts and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# Runs the command, which may write no file larger than so many bytes.
FILES_LIMITED = """
import resource, runpy, sys
_, size, module = sys.argv[:3]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY))
sys.argv = sys.argv[2:]
runpy.run_module(module, run_name="__main__")
"""


def run(command: Sequence[str], cwd: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run python with arguments. A traceback is a failure, whatever the status."""
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=variables, check=False,
        capture_output=True, text=True, encoding="utf-8", errors="backslashreplace", timeout=100,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    done.stderr = without_bar(done.stderr)
    return done


def without_bar(text: str) -> str:
    """What was said but for the progress, which comes and goes with the machine's speed."""
    return "".join(line for line in text.splitlines(keepends=True) if "%|" not in line and line.strip())


def interrupted_once_it_shows_progress(
    command: Sequence[str], cwd: Path, variables: dict[str, str], number: signal.Signals = signal.SIGINT
) -> subprocess.CompletedProcess[str]:
    """Start a program, and send it a signal when its bar appears."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=cwd, env={**variables, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    assert process.stderr is not None
    try:
        first = process.stderr.read(1)  # nothing else is said before
        os.kill(process.pid, number)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "Traceback" not in errors, errors
    return subprocess.CompletedProcess(command, process.returncode, output, first + errors)
