"""Who has not activated the environment reads what to do, and no traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faces.packages import missing_is_told
from tests.conftest import ROOT


@pytest.mark.parametrize(("program", "status"), [("service", 1), ("privacy", 1), ("faces", 2)])
def test_without_the_environment_a_command_says_to_activate_it(program: str, status: int) -> None:
    """-S: Python alone, without any package that is installed. Of `faces`, status 1 says that somebody is not me."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", program, "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == status and not done.stdout
    assert done.stderr.startswith(f"python -m {program}: the package ") and done.stderr.count("\n") == 1
    assert "activate the environment ('source .venv/bin/activate')" in done.stderr


def test_a_module_of_the_project_is_missing_for_another_reason() -> None:
    with pytest.raises(ModuleNotFoundError, match="nothing_like_this"), missing_is_told("python -m service"):
        import faces.nothing_like_this  # type: ignore[import-not-found]  # noqa: F401


def test_a_server_that_holds_the_service_alone_says_where_the_commands_are(tmp_path: Path) -> None:
    for name in ("faces", "service"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "faces", "verify", "x"], env={"PATH": os.environ["PATH"]},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("python -m faces: this copy holds the service alone")
    assert "python -m service.client URL PHOTO" in done.stderr and done.stderr.count("\n") == 1
