"""The container's recipe is linted, and copies what the service imports and no more."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCKERFILE = ROOT / "Dockerfile"


def test_lint() -> None:
    beside = Path(sys.executable).parent / "hadolint"
    hadolint = str(beside) if beside.is_file() else shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (requirements-dev.txt)")
    done = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_is_copied_is_all_that_the_service_imports(tmp_path: Path) -> None:
    copied = re.findall(r"^COPY (\w+)/ \1/$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    for folder in copied:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    heavy = "{'torch', 'pandas', 'dvc'}"
    code = f"import service, sys; service.create_app(); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_key_is_made_where_the_service_looks(tmp_path: Path) -> None:
    """With the layout of the image and the documented options: everything lies in the volume."""
    text, page = (path.read_text(encoding="utf-8") for path in (DOCKERFILE, ROOT / "docs/deployment.md"))
    (options,) = re.findall(r"^docker run --detach .*\\\n.*$", page, re.MULTILINE)
    (command,) = re.findall(r"^docker exec face-verification python (.*)$", page, re.MULTILINE)
    given = dict(re.findall(r"\b([A-Z_]+)=(/state/\S+)", text + options))
    assert {"KEYS_PATH", "AUDIT_PATH", "AUDIT_HEAD_PATH", "AUDIT_SALTS_PATH"} == given.keys()
    assert "-v state:/state " in options
    for folder in ("faces", "service"):
        shutil.copytree(ROOT / folder, tmp_path / "app" / folder)
    (tmp_path / "state").mkdir()
    environment = {name: f"{tmp_path}{path}" for name, path in given.items()}
    done = subprocess.run(
        [sys.executable, *shlex.split(command)], cwd=tmp_path / "app", env={**os.environ, **environment},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "state").iterdir()} >= {"api_keys.json", "audit", "kept-apart"}
    assert {path.name for path in (tmp_path / "app").iterdir()} == {"faces", "service"}


def test_runs_as_nobody_special_and_says_whether_it_is_healthy() -> None:
    lines = DOCKERFILE.read_text(encoding="utf-8").splitlines()
    assert any(re.match(r"USER (?!root|0)\w+", line) for line in lines)
    (at,) = (number for number, line in enumerate(lines) if line.startswith("HEALTHCHECK"))
    assert lines[at + 1] == '    CMD ["python", "-I", "service/healthcheck.py"]'
    assert not any(re.match(r"COPY (data|models|\.)", line) for line in lines)
