"""Running a bench in its quick form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

# Benches export networks for themselves. That they can is shown by one; the others get those that all tests share.
_WITH_NETWORKS = """
import pathlib, runpy, sys
from bench.support import models
from tests.recording import copy_networks
networks, bench = sys.argv[1:3]
models.export_networks = lambda params, folder: copy_networks(pathlib.Path(networks), folder)
sys.argv = [bench, *sys.argv[3:]]
runpy.run_module(f"bench.{bench}", run_name="__main__")
"""


def run(bench: str, *arguments: str, networks: Path | None = None) -> dict[str, Any]:
    """The JSON line of a bench, which must end well.

    Args:
        bench: its name.
        arguments: as on the command line.
        networks: folder with networks of dlib-resnet for it; None where it needs none, or exports its own.
    """
    command = ["-m", f"bench.{bench}"] if networks is None else ["-c", _WITH_NETWORKS, str(networks), bench]
    done = subprocess.run(
        [sys.executable, *command, *arguments], cwd=ROOT, check=False, capture_output=True, text=True,
        encoding="utf-8", timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert values["bench"] == bench
    return values
