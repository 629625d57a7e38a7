"""The folder of a project in which `python -m privacy` keeps what it needs: nobody but its owner looks into it."""

from __future__ import annotations

import os
from pathlib import Path

from faces.files import write_bytes

STATE = Path("private/privacy")
"""The folder, in the project."""


def write_private(path: Path, data: bytes) -> None:
    """Replace a file's content, on the disk before this returns; only its owner may read it and see its folder."""
    make_private(path.parent)
    write_bytes(path, data, 0o600)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may look into."""
    for each in (folder.parent, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        folder.chmod(0o700)
