"""Commands of `python -m privacy` in this process, in a project folder of a test."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from privacy.held import command as held_command
from privacy.locking import command as locking_command
from privacy.register import command as register_command
from tests.conftest import ROOT

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


def set_parameter(root: Path, name: str, value: str) -> None:
    """Change a parameter of the section privacy."""
    path = root / "params.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    (place,) = (number for number, line in enumerate(lines) if line.startswith(f"  {name}:"))
    lines[place] = f"  {name}: {value}"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
