"""What is being done, on the disk until it is done: so whatever stops it, the next run finishes it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec

from privacy.errors import PrivacyError
from privacy.folder import STATE, write_private
from privacy.forget.plan import Plan

JOURNAL = STATE / "forget.json"


def read(root: Path) -> Plan | None:
    """What an earlier run has begun and not finished.

    Raises:
        PrivacyError: it cannot be read.
    """
    path = root / JOURNAL
    try:
        return msgspec.convert(json.loads(path.read_bytes()), Plan, str_keys=True)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PrivacyError(
            "{path}, which says what an earlier run has begun to forget, cannot be read ({error}): delete it, and ask "
            "again for whom that was",
            path=path,
            error=error,
        ) from error


def was_all_done(root: Path) -> bool:
    """Whether an earlier run was stopped at its very end, when `remove` had overwritten this and not yet deleted it."""
    path = root / JOURNAL
    try:
        return path.exists() and not path.read_bytes().strip()
    except OSError:
        return False  # `read` says why


def write(root: Path, plan: Plan) -> None:
    """Keep what has to be done, flushed to the disk."""
    content = msgspec.to_builtins(plan, str_keys=True)
    write_private(root / JOURNAL, json.dumps(content).encode("ascii"))  # a file's name may be no UTF-8


def done(root: Path, plan: Plan, step: str) -> None:
    """Remember that a step need not be done again."""
    plan.done.append(step)
    write(root, plan)


def remove(root: Path) -> None:
    """Everything is done: what was known of the person goes, too."""
    _wipe(root / JOURNAL)


def remove_half_written(root: Path) -> None:
    """Delete what a run left that was killed as it wrote here. It holds what is known of the person."""
    path = root / JOURNAL
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):
        _wipe(leftover)


def _wipe(path: Path) -> None:
    """Delete a file, if it is there; its bytes are overwritten before the name goes."""
    if path.exists():
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(b" " * size)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
