"""Who has not activated the environment reads what to do, and no traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from faces.packages import missing_is_told
from tests.conftest import ROOT


@pytest.mark.parametrize("program", ["service", "privacy"])
def test_without_the_environment_a_command_says_to_activate_it(program: str) -> None:
    """-S: Python alone, without any package that is installed."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", program, "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith(f"python -m {program}: the package ") and done.stderr.count("\n") == 1
    assert "activate the environment ('source .venv/bin/activate')" in done.stderr


def test_a_module_of_the_project_is_missing_for_another_reason() -> None:
    with pytest.raises(ModuleNotFoundError, match="nothing_like_this"), missing_is_told("python -m service"):
        import faces.nothing_like_this  # type: ignore[import-not-found]  # noqa: F401
