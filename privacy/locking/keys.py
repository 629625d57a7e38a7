"""Where a key comes from: a key file, the environment, or a passphrase that is asked for."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path

from faces.files import write_text
from privacy.errors import PrivacyError
from privacy.folder import STATE
from service.client.language import say
from stages.files.encryption import (
    HEADER_BYTES,
    KEY_BYTES,
    KEY_FILE_VARIABLE,
    KEY_VARIABLE,
    RAW,
    SALT_BYTES,
    SCRYPT_COST,
    Derivation,
    Header,
    Key,
    LockedError,
    Secret,
    read_header,
    read_key_file,
    secret_of_environment,
)

LEAST_PASSPHRASE = 12
"""Characters of a new passphrase: whoever has a locked file can try as many as they like."""

NEW_KEY_VARIABLE, NEW_KEY_FILE_VARIABLE = "PRIVACY_NEW_KEY", "PRIVACY_NEW_KEY_FILE"
REMEMBERED = STATE / "encryption.json"
"""Cost and salt of the last key made of a passphrase, so that photos unlocked and locked again are the same bytes."""


def write_key_file(path: Path) -> None:
    """Make a key.

    Args:
        path: a new file, readable by its owner alone.

    Raises:
        PrivacyError: there is such a file, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise PrivacyError(
            "{path} is there already: a key is never overwritten; give another name", path=path
        ) from None
    except OSError as error:
        raise PrivacyError("{path} cannot be written ({reason})", path=path, reason=error.strerror) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())


def find_secret(key_file: Path | None, confirm: bool) -> Secret:
    """The secret that was given, or is asked for.

    Args:
        key_file: of the command line.
        confirm: whether nothing is locked yet, so that a slip of the finger would lock it for ever.

    Raises:
        LockedError: a key file cannot be used.
        PrivacyError: there is none and nobody to ask, or a new passphrase is too short.
    """
    secret = read_key_file(key_file) if key_file else secret_of_environment()
    if secret is None:
        _need_terminal(KEY_FILE_VARIABLE, KEY_VARIABLE, "--key-file")
        secret = _ask(say("Passphrase of the photos: "), confirm)
    if confirm:
        _check_strength(secret)
    return secret


def find_new_secret(key_file: Path | None) -> Secret:
    """The secret that takes the other one's place, given or asked for; raises as `find_secret`."""
    if key_file is None and (named := os.environ.get(NEW_KEY_FILE_VARIABLE)):
        key_file = Path(named).expanduser()
    if key_file:
        return read_key_file(key_file)
    if text := os.environ.get(NEW_KEY_VARIABLE):
        secret = Secret.of_text(text)
    else:
        _need_terminal(NEW_KEY_FILE_VARIABLE, NEW_KEY_VARIABLE, "--new-key-file")
        secret = _ask(say("New passphrase of the photos: "), True)
    _check_strength(secret)
    return secret


def _need_terminal(file_variable: str, variable: str, option: str) -> None:
    if not sys.stdin.isatty():
        raise PrivacyError(
            "there is no key, and nobody to ask: give {option} FILE ('python -m privacy new-key FILE' makes one), or "
            "set {file_variable} or {variable} in the environment",
            option=option,
            file_variable=file_variable,
            variable=variable,
        )


def _ask(question: str, confirm: bool) -> Secret:
    try:
        text = getpass.getpass(question)
        if confirm and getpass.getpass(say("Once more: ")) != text:
            raise PrivacyError("the two passphrases differ: run it again. Nothing was changed")
    except EOFError:
        raise PrivacyError("no passphrase was given. Nothing was changed") from None
    return Secret.of_text(text)


def _check_strength(secret: Secret) -> None:
    if isinstance(secret.value, str) and len(secret.value) < LEAST_PASSPHRASE:
        raise PrivacyError(
            "the passphrase has {given:# character|# characters}; expected {least} or more, such as four words that "
            "have nothing to do with each other",
            given=len(secret.value),
            least=LEAST_PASSPHRASE,
        )


def headers_of(locked: Iterable[Path]) -> dict[Header, Path]:
    """The different headers of some locked files, each with one of the files.

    Raises:
        LockedError: a file is no locked one.
        OSError: one cannot be read.
    """
    found: dict[Header, Path] = {}
    for path in locked:
        with path.open("rb") as file:
            found.setdefault(read_header(file.read(HEADER_BYTES), path), path)
    return found


def header_of(path: Path) -> Header:
    """The header of a locked file; raises as `headers_of`."""
    return next(iter(headers_of([path])))


def key_for_writing(secret: Secret, headers: dict[Header, Path]) -> Key:
    """The key that a secret locks further files with: that of the files it has locked, so that all have one.

    Args:
        secret: what the user has.
        headers: of the locked files that there are; those of other secrets are passed over.
    """
    for header in headers:
        key = secret.key(header.derivation)
        if key is not None and key.key_id == header.key_id:
            _remember(key.derivation)
            return key
    derivation = RAW if isinstance(secret.value, bytes) else _remembered() or new_derivation()
    key = secret.key(derivation)
    assert key is not None
    _remember(derivation)
    return key


def key_for_new_secret(secret: Secret, headers: dict[Header, Path]) -> Key:
    """The key that takes another one's place: that of an interrupted change, else one with a salt of its own."""
    for header in headers:
        key = secret.key(header.derivation)
        if key is not None and key.key_id == header.key_id:
            return key
    key = secret.key(RAW if isinstance(secret.value, bytes) else new_derivation())
    assert key is not None
    return key


def check_all(secret: Secret, headers: dict[Header, Path]) -> None:
    """See to it that a secret opens all locked files.

    Raises:
        LockedError: it does not.
    """
    for header, path in headers.items():
        secret.key_of(header, path)


def opens(secret: Secret, header: Header, path: Path) -> bool:
    """Whether a secret opens files with this header."""
    try:
        secret.key_of(header, path)
    except LockedError:
        return False
    return True


def key_as_before(secret: Secret) -> Key | None:
    """The key that a secret made last; None where it is a passphrase, and its salt is not remembered here."""
    derivation = RAW if isinstance(secret.value, bytes) else _remembered()
    return None if derivation is None else secret.key(derivation)


def new_derivation() -> Derivation:
    """How the next key is made of a passphrase: a salt that no other has."""
    return Derivation(SCRYPT_COST, os.urandom(SALT_BYTES))


def _remember(derivation: Derivation) -> None:
    if derivation != RAW and derivation != _remembered():
        values = {"scrypt_cost": derivation.cost, "salt": derivation.salt.hex()}
        write_text(REMEMBERED, json.dumps(values) + "\n")


def _remembered() -> Derivation | None:
    try:
        values = json.loads(REMEMBERED.read_text(encoding="utf-8"))
        derivation = Derivation(int(values["scrypt_cost"]), bytes.fromhex(values["salt"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return derivation if len(derivation.salt) == SALT_BYTES and 14 <= derivation.cost <= 20 else None
