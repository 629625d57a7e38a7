"""Files that may be locked (stages/files/encryption.py): their names, and how they are read and written.

Nothing plain is written: a stage decrypts in memory, with the key that the environment or .env names.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from faces.files import sha256_of
from faces.message import Message
from stages.files.encryption import (
    HEADER_BYTES,
    KEY_FILE_VARIABLE,
    KEY_VARIABLE,
    Key,
    LockedError,
    Secret,
    damaged,
    is_sealed,
    read_header,
    secret_of_environment,
)

LOCKED_SUFFIX = ".locked"
"""What the name of a locked photo ends with, after its own suffix."""


def reveal(data: bytes, path: Path) -> bytes:
    """The content of a file: decrypted where it is locked, else as it is.

    Args:
        data: the file's bytes.
        path: of the file.

    Raises:
        LockedError: it is locked, and there is no key, another one, or it was changed.
    """
    return _key_for(data, path).open(data, path) if is_sealed(data) else data


def key_like(path: Path) -> Key | None:
    """The key with which a file is locked, so that what is made of it can be; None where it is plain.

    Raises:
        LockedError: there is no key, or another one.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(HEADER_BYTES)
    return _key_for(data, path) if is_sealed(data) else None


def sealed(data: bytes, key: Key | None) -> bytes:
    """The content of a file as it is to be written: locked if there is a key."""
    return data if key is None else key.seal(data)


def sha256_of_content(path: Path) -> str:
    """SHA-256 of what a file holds, whether it is locked or not, in hexadecimal; raises as `read_file`."""
    with path.open("rb") as file:
        if not is_sealed(file.read(HEADER_BYTES)):
            return sha256_of(path)
    return hashlib.sha256(read_file(path)).hexdigest()


def _key_for(data: bytes, path: Path) -> Key:
    secret = _known_secret()
    if secret is None:
        raise LockedError(
            "{path} is locked, and there is no key: set {key_file} (path of the key file) or {key} (the passphrase) in "
            "the environment or in .env, or unlock the photos with 'python -m privacy unlock'",
            path=path,
            key_file=KEY_FILE_VARIABLE,
            key=KEY_VARIABLE,
        )
    return secret.key_of(read_header(data, path), path)


@cache
def _secret_of(key: str | None, key_file: str | None, folder: str) -> Secret | None:
    del key, key_file  # what is remembered depends on them
    return secret_of_environment(Path(folder))


def _known_secret() -> Secret | None:
    """The environment's secret; .env and key files are read once for the same variables and folder."""
    return _secret_of(os.environ.get(KEY_VARIABLE), os.environ.get(KEY_FILE_VARIABLE), str(Path.cwd()))


def locked_name(name: str) -> str:
    """Name of the locked form of a file."""
    return f"{name}{LOCKED_SUFFIX}"


def plain_name(name: str) -> str:
    """Name of a file before it was locked; the same where it is not."""
    return name[: -len(LOCKED_SUFFIX)] if is_locked_name(name) else name


def is_locked_name(name: str) -> bool:
    """Whether a file's name says that it is locked."""
    return name.endswith(LOCKED_SUFFIX)


def read_file(path: Path) -> bytes:
    """The content of a photo or a table that may be locked.

    Args:
        path: its plain name; the locked form beside it is read where the plain one is not there. Or its locked name.

    Raises:
        LockedError: it is locked and cannot be opened.
        OSError: it cannot be read; FileNotFoundError where neither form is there.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        locked = path.with_name(locked_name(path.name))
        if is_locked_name(path.name) or not locked.exists():
            raise
        path, data = locked, locked.read_bytes()
    if is_locked_name(path.name) and not is_sealed(data):
        raise damaged(path)
    return reveal(data, path)


def exists(path: Path) -> bool:
    """Whether a file is there, plain or locked; `path` is its plain name."""
    return path.exists() or path.with_name(locked_name(path.name)).exists()


NO_LOCKED_PHOTO = Message(
    "privacy.encrypt_derived is true, but no photo is locked: run 'python -m privacy lock', or set it to false in "
    "params.yaml"
)
"""Why crops cannot be encrypted."""
