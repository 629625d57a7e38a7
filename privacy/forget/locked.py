"""Locked photos (stages/files/encryption.py) that no key opens: what cannot be done then, and how it can."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from privacy.errors import PrivacyError
from privacy.forget.tables import tables_of
from stages.files.encryption import LockedError, is_locked_name, key_like


def why_not_opened(root: Path) -> str:
    """Why the pipeline cannot read the locked photos of a working tree; "" where it can, or none is locked.

    Args:
        root: of the project.
    """
    for path in _locked(root):
        try:
            key_like(path)
        except LockedError as error:
            return str(error)
    return ""


def refuse_closed_tables(root: Path) -> None:
    """See to it that lines can be taken out of the tables about people.

    Args:
        root: of the project.

    Raises:
        PrivacyError: one is locked, and no key opens it.
    """
    for path in (root / name for name in tables_of(root)):
        if not is_locked_name(path.name) or not path.is_file():
            continue
        try:
            key_like(path)
        except LockedError as error:
            raise PrivacyError(
                "nothing was deleted, since lines about them cannot be taken out of a locked table ({error}). If the "
                "key is lost, delete that table first",
                error=error,
            ) from error


def _locked(root: Path) -> Iterator[Path]:
    for class_name in ("me", "not_me"):
        for parent, _, files in os.walk(root / "data" / class_name):
            yield from (Path(parent, name) for name in sorted(files) if is_locked_name(name))
