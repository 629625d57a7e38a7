"""Locked photos (stages/files/encryption.py) that no key opens: what cannot be done then, and how it can."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from privacy.errors import PrivacyError
from privacy.forget.tables import tables_of
from privacy.locking.keys import check_all
from stages.files.encryption import (
    HEADER_BYTES,
    KEY_FILE_VARIABLE,
    KEY_VARIABLE,
    Header,
    LockedError,
    read_header,
    secret_of_environment,
)
from stages.files.locked_files import is_locked_name, key_like


def why_not_opened(root: Path) -> str:
    """Why the pipeline cannot read the locked photos of a working tree; "" where it can, or none is locked.

    Args:
        root: of the project.
    """
    for path in _locked(root):
        try:
            key_like(path)
        except LockedError as error:
            return error.args[0]
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


def refuse_wrong_key(root: Path) -> None:
    """See to it that the key that is given, if any, is the one of the locked photos.

    With another one, near copies and faces would be passed over although the user has given a key.

    Args:
        root: of the project.

    Raises:
        PrivacyError: it is not, or it cannot be read.
    """
    headers: dict[Header, Path] = {}
    for path in _locked(root):
        if (header := _header(path)) is not None:
            headers.setdefault(header, path)
    try:
        secret = secret_of_environment(root) if headers else None
        if secret is not None:
            check_all(secret, headers)
    except LockedError as error:
        raise PrivacyError(
            "nothing was done: {error}. If the key is lost, take {key_file} and {key} out of the environment and out "
            "of .env: without a key, forget deletes what their names lead to, and says before what it leaves undone",
            error=error,
            key_file=KEY_FILE_VARIABLE,
            key=KEY_VARIABLE,
        ) from error


def _header(path: Path) -> Header | None:
    """The header of a locked file; None where it is damaged, so that no key opens it."""
    with path.open("rb") as file:
        data = file.read(HEADER_BYTES)
    try:
        return read_header(data, path)
    except LockedError:
        return None


def _locked(root: Path) -> Iterator[Path]:
    for class_name in ("me", "not_me"):
        for parent, _, files in os.walk(root / "data" / class_name):
            paths = (Path(parent, name) for name in sorted(files) if is_locked_name(name))
            yield from (path for path in paths if path.is_file())  # a link may lead nowhere
