"""Running a bench in its quick form."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.conftest import ROOT


def run(bench: str, *arguments: str) -> dict[str, Any]:
    """The JSON line of a bench, which must end well."""
    command = [sys.executable, "-m", f"bench.{bench}", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, encoding="utf-8", timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert values["bench"] == bench
    return values
