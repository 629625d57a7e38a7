"""Salts of the records' commitments, kept apart from the records, so that they can be deleted.

A record names its image by HMAC-SHA256(salt, SHA-256(image)). Without the salt nobody can tell which image it was, not
even with the image in hand. Each segment of the log has a file with a place of 32 bytes for each of its records. A salt
is deleted in place: no copy of it stays in a journal or in a free page, as in a database.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from service.audit.files import KeptFile
from service.audit.removal import set_aside

SALT_BYTES = 32
NO_SALT = bytes(SALT_BYTES)
"""Stands where a salt has been deleted, or where there never was one."""

_FILE = re.compile(r"salts-(\d{6,9})\.bin")


@dataclass(frozen=True)
class Commitment:
    """Names an image without showing anything of it, to those who have not its salt.

    Attributes:
        salt: 32 random bytes.
        value: HMAC-SHA256(salt, SHA-256(image)), 32 bytes.
    """

    salt: bytes
    value: bytes

    @classmethod
    def to(cls, image: bytes) -> Commitment:
        """A new commitment to an image's bytes."""
        salt = secrets.token_bytes(SALT_BYTES)
        return cls(salt, commitment_value(salt, hashlib.sha256(image).digest()))


def commitment_value(salt: bytes, image_sha256: bytes) -> bytes:
    """The value of a commitment, 32 bytes; `image_sha256` is the digest, not its hexadecimal form."""
    return hmac.digest(salt, image_sha256, "sha256")


class Salts:
    """The files with the salts of a log's segments.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = 0
        self._file: KeptFile | None = None

    def path(self, segment: int) -> Path:
        """The file with the salts of a segment."""
        return self._folder / f"salts-{segment:06}.bin"

    def write(self, segment: int, place: int, salt: bytes, sync: bool = False) -> None:
        """Keep the salt of a record.

        Args:
            segment: number of its segment.
            place: how many records come before it there.
            salt: 32 bytes.
            sync: flush it to disk.

        Raises:
            OSError: it cannot be written.
        """
        file = self._open(segment)
        file.write(place * SALT_BYTES, salt)
        if sync:
            file.sync()

    def read(self, segment: int) -> bytes:
        """The salts of all records of a segment, 32 bytes each; shorter where the last ones have none."""
        try:
            return self.path(segment).read_bytes()
        except FileNotFoundError:
            return b""

    def forget(self, segment: int, places: Iterable[int]) -> None:
        """Overwrite salts on the disk. Others may write the salts of other records at the same time.

        Raises:
            OSError: they cannot be overwritten.
        """
        # A file that is not there was set aside by retention: all its salts are removed.
        with contextlib.suppress(FileNotFoundError), KeptFile(self.path(segment)) as file:
            for place in places:
                if place * SALT_BYTES < file.size():
                    file.write(place * SALT_BYTES, NO_SALT)
            file.sync()

    def set_aside_before(self, segment: int) -> None:
        """Set the files of all segments before this one aside, to be removed.

        Raises:
            OSError: one cannot be renamed.
        """
        for path in sorted(self._folder.iterdir()):
            found = _FILE.fullmatch(path.name)
            if found and int(found[1]) < segment:
                set_aside(path)

    def close(self) -> None:
        """Close what is open."""
        if self._file:
            self._file.close()
            self._file = None

    def _open(self, segment: int) -> KeptFile:
        if self._file and self._index == segment:
            # A file that was removed is made again: the salts that were in it are gone, those to come need a place.
            with contextlib.suppress(FileNotFoundError):
                self._file.size()  # opens it again where somebody has put another in its place
                return self._file
        self.close()
        self._file, self._index = KeptFile(self.path(segment), create=True), segment
        return self._file
