"""What a stage imports and reads is what its deps in dvc.yaml say: or results would go stale without a word."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.stages.support import STAGES, Workspace

PIPELINE: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
ALL_STAGES = tuple(PIPELINE)

# Runs a stage and writes, as JSON, the files below the current folder that it opened to read.
_WATCHED = """
import json, os, pathlib, sys
_, stage, report = sys.argv
root, opened = os.getcwd() + os.sep, set()
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path = os.path.abspath(os.fsdecode(arguments[0]))
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        if path.startswith(root) and not flags & (os.O_WRONLY | os.O_RDWR):
            opened.add(path[len(root):].replace(os.sep, "/"))
sys.addaudithook(watch)
from stages.errors import run_stage
sys.argv = [stage]
try:
    run_stage(stage)
finally:
    pathlib.Path(report).write_text(json.dumps(sorted(opened)))
"""


def paths(stage: str, kind: str) -> list[str]:
    """Paths under a heading of a stage, such as its deps or outs."""
    return [next(iter(item)) if isinstance(item, dict) else item for item in PIPELINE[stage].get(kind, [])]


def covers(dep: str, path: str) -> bool:
    return path == dep or path.startswith(f"{dep}/")


def file_of(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def imports_of(file: Path) -> Iterator[str]:
    """Every module that a file may import, wherever the import stands, and the packages above it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: the project imports by full names"
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def code_of(stage: str) -> set[str]:
    """Files of the project that run in a stage, as paths: those of its folder and all that they import."""
    waiting = [*sorted((ROOT / "stages" / stage).glob("*.py")), ROOT / "stages" / "__init__.py"]
    found: set[str] = set()
    while waiting:
        file = waiting.pop()
        name = file.relative_to(ROOT).as_posix()
        if name not in found:
            found.add(name)
            waiting += [path for module in imports_of(file) if (path := file_of(module)) is not None]
    return found


def is_code(dep: str) -> bool:
    return dep != "faces/populations" and dep.split("/")[0] in ("stages", "faces", "service", "bench", "demo", "tests")


def test_every_folder_of_a_stage_is_a_stage() -> None:
    folders = {path.parent.name for path in (ROOT / "stages").glob("*/__main__.py")}
    assert folders == set(ALL_STAGES)


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_a_stage_imports_no_other_stage(stage: str) -> None:
    others = [f"stages/{other}" for other in ALL_STAGES if other != stage]
    assert [name for name in code_of(stage) for other in others if covers(other, name)] == []


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_deps_cover_all_that_a_stage_imports(stage: str) -> None:
    deps = paths(stage, "deps")
    missing = [name for name in sorted(code_of(stage)) if not any(covers(dep, name) for dep in deps)]
    assert missing == []


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_no_dep_is_too_wide_or_idle(stage: str) -> None:
    deps = [dep for dep in paths(stage, "deps") if is_code(dep)]
    assert not {"stages", "stages/", "faces", "faces/"} & set(deps)
    code = code_of(stage)
    assert [dep for dep in deps if not any(covers(dep, name) for name in code)] == []
    assert all((ROOT / dep).exists() for dep in deps)


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_the_command_runs_the_folder(stage: str) -> None:
    assert PIPELINE[stage]["cmd"] == f"python -m stages.{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_deps_cover_all_that_a_stage_reads(stage: str, workspace: Workspace, tmp_path: Path) -> None:
    report = tmp_path / "opened.json"
    done = workspace.run("-c", _WATCHED, stage, str(report))
    assert done.returncode == 0, done.stderr
    given = [*paths(stage, "deps"), "params.yaml"]
    made = [*paths(stage, "outs"), *paths(stage, "metrics"), *paths(stage, "plots"), "data/remembered"]
    opened = [name for name in json.loads(report.read_text()) if name.split("/")[0] in ("data", "models", "reports")]
    assert opened, "the watch sees nothing"
    strange = [name for name in opened if not any(covers(path, name) for path in [*given, *made])]
    assert [name for name in strange if not Path(name).name.startswith(".")] == []


def test_dvc_writes_the_pipeline_as_it_stands(tmp_path: Path) -> None:
    """`dvc freeze` and `unfreeze` leave dvc.yaml as it was: or one word changed would show as a file changed.

    DVC itself freezes no stage with a value of params.yaml in it; crop has one, the place of the table of consents.
    """
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    text = (ROOT / "dvc.yaml").read_bytes()
    (root / "dvc.yaml").write_bytes(text)
    (root / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8")
    environment = {**os.environ, "DVC_SITE_CACHE_DIR": str(tmp_path / "site"), "DVC_NO_ANALYTICS": "1"}
    for command in ("freeze", "unfreeze"):
        done = subprocess.run(
            [sys.executable, "-m", "dvc", command, *sorted({*ALL_STAGES} - {"crop"})], cwd=root, env=environment,
            check=False, capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (root / "dvc.yaml").read_bytes() != text or command == "unfreeze", "nothing was frozen"
    assert (root / "dvc.yaml").read_bytes().decode() == text.decode()
