"""A clone of the project's working tree, uncommitted changes included, in which DVC runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import Repository
from tests.stages.support import ROOT, Workspace, write_params

ALL_STAGES = ["export", "crop", "embed", "quality", "train", "evaluate", "robustness", "report"]

OF_ITS_RUN = ("reports/INFORME_H10.", "reports/report.json", "models/card/card.json", "models/records/report.json")
"""Outputs that another run makes otherwise: the report holds measured times, and the model's card says when it was."""


class Clone(Repository, Workspace):
    """A clone with git and DVC of its own."""

    def failing_dvc(self, *arguments: str) -> str:
        """Run a DVC command that must fail; returns all that it printed."""
        done = self.call(sys.executable, "-m", "dvc", *arguments)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def history(self, *arguments: str) -> str:
        """Run a command of the history that must end well; returns what it printed."""
        done = self.call(sys.executable, "-m", "history", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def failing_history(self, *arguments: str) -> str:
        """Run a command of the history that must fail with a message; returns it."""
        done = self.call(sys.executable, "-m", "history", *arguments)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def repro(self) -> list[str]:
        """Run `dvc repro`; returns the stages that ran."""
        return stages_run(self.dvc("repro"))

    def repro_alone(self, *stages: str) -> None:
        """Run stages that DVC finds changed, and none that depends on them."""
        for stage in stages:
            assert stages_run(self.dvc("repro", "--single-item", stage)) == [stage]

    def would_run(self) -> list[str]:
        """The stages in which `dvc status` finds a change, in order; it does not say what their outputs will change."""
        changed = json.loads(self.dvc("status", "--json"))
        return [stage for stage in ALL_STAGES if stage in changed] + sorted(changed.keys() - set(ALL_STAGES))

    def pinned(self) -> dict[str, str]:
        """`outputs` but for `OF_ITS_RUN`."""
        return {name: value for name, value in self.outputs().items() if not name.startswith(OF_ITS_RUN)}

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def copy(self, root: Path) -> Clone:
        shutil.copytree(self.root, root, symlinks=True)
        return Clone(root)


def stages_run(output: str) -> list[str]:
    """Stages that DVC ran, in order, as its output says."""
    return re.findall(r"^Running stage '(\w+)':", output, flags=re.MULTILINE)


def new_clone(root: Path) -> Clone:
    """What git would hold of the working tree, in a repository of its own, nothing built."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, check=False, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("the project is not a git repository: there is nothing to clone")
    root.mkdir(parents=True)
    for name in listed.stdout.split("\0"):
        if (ROOT / name).is_file() and not is_built(name):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    write_params(root, "es")  # as shipped
    clone = Clone(root)
    clone.begin()
    return clone


def is_built(name: str) -> bool:
    """Whether a file of the working tree is what a run with other photos left there for git."""
    path = Path(name)
    return name == "dvc.lock" or (path.parts[0] in ("data", "models", "reports") and path.name != ".gitignore")
