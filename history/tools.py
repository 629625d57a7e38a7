"""git and DVC, called as programs in the project's root."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from history.errors import HistoryError

_NOBODY = ("-c", "user.name=me", "-c", "user.email=me@localhost")
"""Who commits where git was not told."""


def git(*arguments: str) -> str:
    """What a git command printed.

    Raises:
        HistoryError: it failed, or git is not installed.
    """
    return _run(("git", *arguments), f"git {' '.join(arguments[:2])}")


def dvc(*arguments: str) -> str:
    """What a DVC command printed.

    Raises:
        HistoryError: it failed.
    """
    return _run((sys.executable, "-m", "dvc", *arguments), f"dvc {' '.join(arguments[:2])}")


def succeeds(*arguments: str) -> bool:
    """Whether a git command ends well."""
    return subprocess.run(("git", *arguments), capture_output=True, check=False).returncode == 0


def identity() -> tuple[str, ...]:
    """Options with which git commits where it was not told who does."""
    return () if succeeds("config", "user.email") and succeeds("config", "user.name") else _NOBODY


def _run(command: Sequence[str], name: str) -> str:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL,
            text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise HistoryError("{program} is not installed: install it, and run this again", program=command[0]) from error
    if done.returncode:
        said = "\n".join(line for line in (done.stderr or done.stdout).strip().splitlines()[-8:])
        raise HistoryError("'{command}' failed. It said:\n{said}", command=name, said=said)
    return done.stdout
