"""What takes long to make is made once a test run, and read by every test and worker that needs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock


@dataclass(frozen=True)
class SharedFolders:
    """Folders that all workers of pytest-xdist have in common.

    Attributes:
        root: where they lie; the same for every worker of a run.
    """

    root: Path

    def made_once(self, name: str, make: Callable[[Path], object]) -> Path:
        """A folder and its content, made by the first worker that asks for it. Others wait, and must only read it.

        Args:
            name: of the folder.
            make: fills the folder, which it is given new and empty. Where it fails, the next one that asks tries anew.
        """
        folder, complete = self.root / name, self.root / f"{name}.complete"
        with FileLock(f"{folder}.lock"):
            if not complete.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                complete.touch()
        return folder


def common_folder(basetemp: Path) -> Path:
    """The folder that the workers of a run have in common; without workers, pytest's own."""
    return basetemp.parent if "PYTEST_XDIST_WORKER" in os.environ else basetemp
