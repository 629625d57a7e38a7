"""The linters, beside the tests: what they complain of is a failed test."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.timeout(600)  # mypy's first run reads the types of every package
@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy"])
def test_linter(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
