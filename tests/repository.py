"""A folder with git and DVC of its own, in which commands run; nothing is written outside of what is around it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


class Repository:
    """The commands of such a folder.

    Attributes:
        root: the folder. DVC's own files lie beside it.
    """

    root: Path

    def environment(self) -> dict[str, str]:
        """dvc.yaml says `python`: the running one comes first."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
        return inherited | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "DVC_SITE_CACHE_DIR": str(self.root.parent / "site-cache"),
            "DVC_NO_ANALYTICS": "1",
            "PYTHONIOENCODING": "utf-8",
        }

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.root, env=self.environment(), check=False, capture_output=True, text=True,
            encoding="utf-8", errors="backslashreplace", timeout=2500, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def git(self, *arguments: str) -> str:
        """Run a git command that must end well; returns what it printed."""
        done = self.call("git", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def dvc(self, *arguments: str) -> str:
        """Run a DVC command that must end well; returns what it printed."""
        done = self.call(sys.executable, "-m", "dvc", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def begin(self) -> None:
        """Make it a repository of git, empty."""
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("config", "user.name", "Test")
        self.git("config", "user.email", "test@example.org")
        self.git("config", "commit.gpgsign", "false")
