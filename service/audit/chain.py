"""How records are chained: each line of the log carries an HMAC over itself and over the HMAC before it.

A line is a JSON object in ASCII that ends in `,"mac":"<64 hexadecimal digits>"}` and a newline. Its body is the same
object without `mac`, byte for byte. So nothing has to be brought into a canonical form before it is checked:

    mac = HMAC-SHA256(key of records, mac of the record before + body)

Whoever has no key can neither change a line nor put another in its place. The last lines can still be cut off, so the
head, a file kept elsewhere, says which record is the last. Records and head have keys of their own, both derived from
the secret: one can never be taken for the other.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

FORMAT = 1
"""Of segments and of the head. Another number means that another version of the project wrote them."""

MAC_BYTES = 32
START = bytes(MAC_BYTES)
"""Stands for the HMAC before the first record."""

MOST_LINE_BYTES = 64 * 1024
"""The longest line, so that a damaged file cannot fill the memory."""

OWN_FIELDS = ("number", "time", "act", "image", "mac")
"""Fields of a record that the log writes by itself."""

_MAC_FIELD = b',"mac":"'
_TAIL_BYTES = len(_MAC_FIELD) + 2 * MAC_BYTES + len(b'"}')
_TAIL = re.compile(re.escape(_MAC_FIELD) + rb'([0-9a-f]{64})"\}')

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode  # made once: that takes as long as its work

HEAD_SLOT_BYTES = 512
HEAD_BYTES = 2 * HEAD_SLOT_BYTES


class LineError(ValueError):
    """A line is none of this format."""


@dataclass(frozen=True)
class Key:
    """What is derived from the secret.

    Attributes:
        records: key of the records' HMACs, 32 bytes.
        head: key of the head's, 32 bytes.
        fingerprint: 16 hexadecimal digits by which a wrong key is told from a changed record.
    """

    records: bytes
    head: bytes
    fingerprint: str

    @classmethod
    def derive(cls, secret: bytes) -> Key:
        """The keys of a secret, of any length."""

        def derived(use: bytes) -> bytes:
            return hmac.digest(secret, b"face verification audit log, " + use, "sha256")

        return cls(derived(b"records"), derived(b"head"), derived(b"fingerprint")[:8].hex())


def now() -> str:
    """The time as records give it: UTC, to the millisecond, such as 2026-01-31T08:15:00.123Z."""
    return _shown(datetime.now(UTC))


def _shown(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def days_ago(days: int) -> str:
    """The time so many days before now, as `now` gives it."""
    return _shown(datetime.now(UTC) - timedelta(days=days))


def seal(key: Key, previous: bytes, record: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """A record as a line of the log.

    Args:
        key: of the log.
        previous: HMAC of the record before, 32 bytes.
        record: JSON values by name; must not be empty.

    Returns:
        The line with its newline, and the record's HMAC.

    Raises:
        TypeError: a value has no JSON.
        ValueError: a number is not finite, or the line is longer than `MOST_LINE_BYTES`.
    """
    body = _encode(record).encode("ascii")
    mac = hmac.digest(key.records, previous + body, "sha256")
    line = body[:-1] + _MAC_FIELD + mac.hex().encode("ascii") + b'"}\n'
    if len(line) > MOST_LINE_BYTES:
        raise ValueError(f"the record takes {len(line)} bytes; expected at most {MOST_LINE_BYTES}")
    return line, mac


def unseal(line: bytes) -> tuple[bytes, bytes]:
    """The body of a line, without its newline, and the HMAC that it carries; nothing is checked.

    Raises:
        LineError: it has not the form of a line.
    """
    found = _TAIL.fullmatch(line, max(0, len(line) - _TAIL_BYTES))
    if not found or len(line) <= _TAIL_BYTES:
        raise LineError
    return line[:-_TAIL_BYTES] + b"}", bytes.fromhex(found[1].decode("ascii"))


def is_chained(key: Key, previous: bytes, body: bytes, mac: bytes) -> bool:
    """Whether `mac` is that of a body which comes after the record whose HMAC is `previous`."""
    return hmac.compare_digest(hmac.digest(key.records, previous + body, "sha256"), mac)


def parse(body: bytes) -> dict[str, Any]:
    """The record of a body.

    Raises:
        LineError: it is no JSON object with a whole number, a time and an act.
    """
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        raise LineError from None
    if not (
        isinstance(record, dict)
        and type(record.get("number")) is int
        and isinstance(record.get("time"), str)
        and isinstance(record.get("act"), str)
    ):
        raise LineError
    return record


def open_header(key: Key, line: bytes) -> dict[str, Any] | None:
    """The header of a segment, or None where the line is not one that this key has sealed.

    Args:
        key: of the log.
        line: the first of a segment, with or without its newline.
    """
    try:
        body, mac = unseal(line.rstrip(b"\n"))
        record = parse(body)
        previous = bytes.fromhex(record["previous"])
    except (LineError, KeyError, TypeError, ValueError):
        return None
    return record if record["act"] == "segment" and is_chained(key, previous, body, mac) else None


@dataclass(frozen=True)
class Head:
    """The end of the log.

    Attributes:
        chain: name of the chain, 32 hexadecimal digits drawn when the log was begun.
        key: fingerprint of its key.
        segment: number of the segment that is written to; 0 before the first.
        size: of that segment in bytes, up to the end of the last record.
        first: number of the first record of that segment, its header.
        since: the header's time.
        number: of the last record; 0 before the first.
        record_mac: that record's HMAC in hexadecimal.
    """

    chain: str
    key: str
    segment: int = 0
    size: int = 0
    first: int = 0
    since: str = ""
    number: int = 0
    record_mac: str = START.hex()

    def advanced(self, line: bytes, mac: bytes) -> Head:
        """The head after one more record."""
        return replace(self, size=self.size + len(line), number=self.number + 1, record_mac=mac.hex())

    def encode(self, key: Key) -> bytes:
        """The head as one of the two lines of its file, `HEAD_SLOT_BYTES` bytes."""
        body = _encode({"format": FORMAT, **vars(self)}).encode("ascii")
        mac = hmac.digest(key.head, body, "sha256")
        return (body[:-1] + _MAC_FIELD + mac.hex().encode("ascii") + b'"}').ljust(HEAD_SLOT_BYTES - 1) + b"\n"

    @classmethod
    def decode(cls, key: Key, line: bytes) -> Head | None:
        """The head of a line, or None where it is not one that this key has sealed."""
        try:
            body, mac = unseal(line.rstrip())
        except LineError:
            return None
        if not hmac.compare_digest(hmac.digest(key.head, body, "sha256"), mac):
            return None
        values = json.loads(body)
        if values.pop("format") != FORMAT:
            return None
        head = cls(**values)
        return head if head.encode(key) == line else None  # also what fills the place up is as it was


def read_head(key: Key, data: bytes) -> tuple[Head, int] | None:
    """The head in the content of its file, and in which of the two places it stands (0 or 1).

    There are two, written in turn, so that a crash while one is written leaves the other. None where neither is one
    that this key has sealed.
    """
    slots = [data[:HEAD_SLOT_BYTES], data[HEAD_SLOT_BYTES:HEAD_BYTES]]
    found = [(head, place) for place, slot in enumerate(slots) if (head := Head.decode(key, slot))]
    return max(found, key=lambda one: one[0].number, default=None)


def is_whole(key: Key, data: bytes) -> bool:
    """Whether both places of a head are as they are left when nothing goes wrong: one record apart, or more."""
    heads = [Head.decode(key, data[start : start + HEAD_SLOT_BYTES]) for start in (0, HEAD_SLOT_BYTES)]
    numbers = {head.number for head in heads if head}
    return len(numbers) == 2 or numbers == {0}


def head_fingerprint(data: bytes) -> str | None:
    """The fingerprint of the key that the content of a head's file names; unchecked."""
    found = re.search(rb'"key":"([0-9a-f]{16})"', data[:HEAD_BYTES])
    return found[1].decode("ascii") if found else None
