"""Which records are of an image, for somebody who asks what is kept, or wants it forgotten."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.audit.errors import AuditError
from service.audit.salts import NO_SALT, SALT_BYTES, Salts, commitment_value
from service.audit.settings import AuditSettings
from service.audit.walk import Entry, Walk


@dataclass
class Found:
    """Records that were looked for.

    Attributes:
        records: their fields.
        places: of their salts, by segment.
        forgotten: how many there are whose salt has been deleted before.
    """

    records: list[dict[str, Any]]
    places: dict[int, list[int]]
    forgotten: int


def find_image(settings: AuditSettings, walk: Walk, path: Path) -> Found:
    """The records of an image, byte for byte the one that was sent.

    Raises:
        AuditError: the image or the log cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise AuditError(f"{path} cannot be read ({error.strerror}): give the file of a photo") from None
    return find_digests(settings, walk, [digest])


def find_digests(settings: AuditSettings, walk: Walk, digests: Collection[bytes]) -> Found:
    """The records of images, given by the SHA-256 of their bytes. Each salt that is still there is tried.

    Raises:
        AuditError: the log cannot be read.
    """
    found = Found([], defaultdict(list), 0)
    for entry, salt in _with_salts(settings, walk):
        if salt != NO_SALT and any(
            hmac.compare_digest(commitment_value(salt, digest).hex(), str(entry.record["image"])) for digest in digests
        ):
            found.records.append(entry.record)
            found.places[entry.segment].append(entry.place)
    return found


def find_request(
    settings: AuditSettings,
    walk: Walk,
    request_id: str,
    key_id: str | None = None,
    numbers: Collection[int] | None = None,
) -> Found:
    """The records of requests that were sent with an image. There may be several with one id: clients give it.

    Args:
        settings: where the salts are.
        walk: a reading of the log.
        request_id: their id.
        key_id: of the key that they were sent with; None for any or none.
        numbers: of their records; None for any.

    Raises:
        AuditError: the log cannot be read.
    """
    found = Found([], defaultdict(list), 0)
    for entry, salt in _with_salts(settings, walk):
        record = entry.record
        if (
            record.get("request_id") != request_id
            or (key_id is not None and record.get("key_id") != key_id)
            or (numbers is not None and record["number"] not in numbers)
        ):
            continue
        if salt == NO_SALT:
            found.forgotten += 1
        else:
            found.records.append(entry.record)
            found.places[entry.segment].append(entry.place)
    return found


def _with_salts(settings: AuditSettings, walk: Walk) -> Iterator[tuple[Entry, bytes]]:
    """The records that have an image, with their salts; `NO_SALT` where that was deleted."""
    folder = Salts(settings.salts)
    segment, salts = 0, b""
    for entry in walk.entries():
        if entry.segment != segment:
            segment, salts = entry.segment, folder.read(entry.segment)
        if "image" in entry.record:
            start = entry.place * SALT_BYTES
            if start + SALT_BYTES > len(salts):  # it may have been written since
                salts = folder.read(segment)
            yield entry, salts[start : start + SALT_BYTES].ljust(SALT_BYTES, b"\0")
