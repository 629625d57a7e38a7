"""Files that are stored encrypted: what they look like, and which key opens them.

A locked file is a header and what AES-SIV (RFC 5297, 256 bits) makes of its content. The same content under the same
key gives the same bytes, whatever the file is called, so DVC's hashes stay as they are until a photo changes. The
header says how the key is made of a passphrase (scrypt's cost and salt, which are no secret) and which key it is, so
a file needs nothing beside it but the passphrase or the key itself. The header is authenticated too: a changed byte
anywhere makes an error, never another photo.

`python -m privacy lock` locks photos. Stages decrypt in memory (stages/files/locked_files.py); the key comes from the
environment or from .env.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stages.errors import StageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

KEY_VARIABLE, KEY_FILE_VARIABLE = "PRIVACY_KEY", "PRIVACY_KEY_FILE"
KEY_BYTES = 64
SCRYPT_COST = 17
"""The logarithm of scrypt's N for new keys: 128 MB and some tenths of a second for each guess."""

SALT_BYTES = 16
_MAGIC, _VERSION = b"FACELOCK", 1
_HEADER = struct.Struct(f">8sBB{SALT_BYTES}s8s")
HEADER_BYTES = _HEADER.size
_COSTS = range(14, 21)  # a header with another one is damaged; it must not cost gigabytes to find that out
_SCRYPT_BLOCK = 8


class LockedError(StageError):
    """A locked file cannot be opened: there is no key, another one, or the file was changed."""


@dataclass(frozen=True)
class Derivation:
    """How a key is made.

    Attributes:
        cost: logarithm of scrypt's N; 0 where the key was not made of a passphrase.
        salt: 16 bytes; zeros where it was not.
    """

    cost: int
    salt: bytes


RAW = Derivation(0, bytes(SALT_BYTES))
"""Of a key that is no passphrase's."""


@dataclass(frozen=True)
class Header:
    """The beginning of a locked file.

    Attributes:
        derivation: how its key is made.
        key_id: which key it is, 8 bytes.
    """

    derivation: Derivation
    key_id: bytes


@dataclass(frozen=True)
class Key:
    """A key, and what it does.

    Attributes:
        secret: 64 bytes.
        derivation: how they were made.
    """

    secret: bytes = field(repr=False)
    derivation: Derivation

    def __reduce__(self) -> tuple[type[Key], tuple[bytes, Derivation]]:
        return Key, (self.secret, self.derivation)  # what is worked out from them cannot be pickled

    @cached_property
    def key_id(self) -> bytes:
        """8 bytes that tell this key from others; who has not the key cannot find it from them."""
        return hmac.digest(self.secret, b"face photos: which key this is", "sha512")[:8]

    @cached_property
    def header(self) -> bytes:
        """What files that this key locks begin with."""
        return _HEADER.pack(_MAGIC, _VERSION, self.derivation.cost, self.derivation.salt, self.key_id)

    @cached_property
    def _cipher(self) -> AESSIV:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # takes a while, and most projects lock nothing

        return AESSIV(hmac.digest(self.secret, b"face photos: AES-SIV", "sha512"))

    def seal(self, data: bytes) -> bytes:
        """The locked form of a file's content; the same for the same content.

        Raises:
            OverflowError: it has 2 GB or more.
        """
        return self.header + self._cipher.encrypt(data, [self.header])

    def open(self, sealed: bytes, path: Path) -> bytes:
        """The content of a locked file.

        Args:
            sealed: the file's bytes.
            path: of the file, for the error.

        Raises:
            LockedError: another key locked it, or a byte was changed.
        """
        header = read_header(sealed, path)
        if header.key_id != self.key_id or header.derivation != self.derivation:
            raise LockedError(
                "{path} is locked with another key than the one given. Give the key that it was locked with; if a "
                "change of the key was interrupted, run 'python -m privacy rekey' again",
                path=path,
            )
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(memoryview(sealed)[HEADER_BYTES:], [self.header])
        except InvalidTag:
            raise damaged(path) from None


def damaged(path: Path) -> LockedError:
    """The error for a locked file that was changed, or is none."""
    return LockedError(
        "{path} is locked and was changed or damaged since: not one byte of it is used. Get it back from a copy "
        "('dvc checkout --force {folder}', or a backup), or delete it",
        path=path,
        folder=path.parent,
    )


def is_sealed(data: bytes) -> bool:
    """Whether these are the bytes of a locked file, or its first ones."""
    return data.startswith(_MAGIC)


def read_header(data: bytes, path: Path) -> Header:
    """The header of a locked file.

    Args:
        data: its bytes, or the first `HEADER_BYTES`.
        path: for the error.

    Raises:
        LockedError: it is none, or of a later version of this project.
    """
    if len(data) < HEADER_BYTES or not is_sealed(data):
        raise damaged(path)
    _, version, cost, salt, key_id = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise LockedError(
            "{path} is locked in version {version} of the format; this project knows version {known}: use the one that "
            "locked it",
            path=path,
            version=version,
            known=_VERSION,
        )
    if not (cost in _COSTS or (cost == 0 and salt == RAW.salt)):
        raise damaged(path)
    return Header(Derivation(cost, salt), key_id)


def is_as(data: bytes, key: Key | None) -> bool:
    """Whether a file's bytes, or its first `HEADER_BYTES`, have the form in which they would be written with `key`."""
    return data.startswith(key.header) if key is not None else not is_sealed(data)


# Secrets: a passphrase, or the key itself


@dataclass(frozen=True)
class Secret:
    """What a user has: a passphrase, or a key of 64 bytes.

    Attributes:
        value: text of the passphrase, or bytes of the key.
    """

    value: str | bytes = field(repr=False)

    @classmethod
    def of_text(cls, text: str) -> Secret:
        """A key where the text is 128 hexadecimal digits, else a passphrase."""
        return cls(bytes.fromhex(text) if re.fullmatch(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", text) else text)

    def key(self, derivation: Derivation) -> Key | None:
        """The key that this secret makes so; None where it is of another kind (a passphrase where a key is needed)."""
        if isinstance(self.value, bytes):
            return _raw(self.value) if derivation == RAW else None
        return _of_passphrase(self.value, derivation) if derivation != RAW else None

    def key_of(self, header: Header, path: Path) -> Key:
        """The key that locked a file.

        Args:
            header: of the file.
            path: for the error.

        Raises:
            LockedError: it is another secret's.
        """
        key = self.key(header.derivation)
        if key is None or key.key_id != header.key_id:
            raise LockedError(
                "{path} is locked with another key than the one given. Give the key that it was locked with; if a "
                "change of the key was interrupted, run 'python -m privacy rekey' again",
                path=path,
            )
        return key


@cache  # making its cipher takes a millisecond or two, as long as decrypting a large photo
def _raw(secret: bytes) -> Key:
    return Key(secret, RAW)


@cache
def _of_passphrase(passphrase: str, derivation: Derivation) -> Key:
    count = 2**derivation.cost
    secret = hashlib.scrypt(
        passphrase.encode("utf-8", "surrogatepass"), salt=derivation.salt, n=count, r=_SCRYPT_BLOCK, p=1,
        maxmem=256 * count * _SCRYPT_BLOCK, dklen=KEY_BYTES,
    )  # fmt: skip
    return Key(secret, derivation)


def read_key_file(path: Path) -> Secret:
    """The key in a file.

    Raises:
        LockedError: it cannot be read, or holds other things than a key.
    """
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise LockedError(
            "the key file {path} cannot be read ({reason}): give the path of the file that holds the key",
            path=path,
            reason=error.strerror,
        ) from None
    secret = Secret.of_text(text)
    if isinstance(secret.value, str):
        raise LockedError(
            "{path} is no key file: expected {digits} hexadecimal digits, as 'python -m privacy new-key' writes them",
            path=path,
            digits=2 * KEY_BYTES,
        )
    return secret


def secret_of_environment(root: Path = Path()) -> Secret | None:
    """The secret that the environment names, or else the file .env; None where neither does.

    Args:
        root: folder of the file .env.

    Raises:
        LockedError: the key file cannot be used, or both variables are set.
    """
    secret = _named_in(os.environ)
    if secret is None and (root / ".env").is_file():
        from dotenv import dotenv_values

        secret = _named_in({name: value or "" for name, value in dotenv_values(root / ".env").items()})
    return secret


def _named_in(variables: Mapping[str, str]) -> Secret | None:
    text, file = variables.get(KEY_VARIABLE), variables.get(KEY_FILE_VARIABLE)
    if text and file:
        raise LockedError(
            "{key} and {key_file} are both set: leave one of them", key=KEY_VARIABLE, key_file=KEY_FILE_VARIABLE
        )
    if file:
        return read_key_file(Path(file).expanduser())
    return Secret.of_text(text) if text else None
