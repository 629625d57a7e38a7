"""Commands of `python -m privacy` in this process, in a project folder of a test."""

from __future__ import annotations

import argparse
import shutil
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from privacy.held import command as held_command
from privacy.locking import command as locking_command
from privacy.register import command as register_command
from tests.conftest import ROOT

if TYPE_CHECKING:  # processes that tests start need none
    import pytest

DAY = date(2026, 6, 15)
HEADING = "who,given,until,withdrawn,how,contact_sha256\n"


def run(*arguments: str) -> int:
    """Run a command in the current folder; returns its exit status."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for module in (register_command, held_command, locking_command):
        module.add_commands(commands)
    args = parser.parse_args(arguments)
    return int(args.run(args))


def new_project(root: Path, *photos: str) -> Path:
    """A folder with parameters as shipped and files that are called as photos are."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "params.yaml", root)
    for name in photos:
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"photo {name}".encode())
    return root


def start_project(folder: Path, command: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with photos of me, ana and somebody else, made the current folder; for a command, today is `DAY`."""
    root = new_project(folder, "me/1.jpg", "not_me/ana/1.jpg", "not_me/ana/2.jpg", "not_me/x.jpg")
    monkeypatch.chdir(root)
    monkeypatch.setattr(command, "today", lambda: DAY)
    return root


def set_parameter(root: Path, name: str, value: str) -> None:
    """Change a parameter of the section privacy."""
    path = root / "params.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    (place,) = (number for number, line in enumerate(lines) if line.startswith(f"  {name}:"))
    lines[place] = f"  {name}: {value}"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
