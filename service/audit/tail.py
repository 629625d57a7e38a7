"""What lies past the end that the head names: records that are being written, or what somebody has put there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.audit.chain import MOST_LINE_BYTES, Head, Key, LineError, is_chained, open_header, parse, unseal
from service.audit.files import first_line, segment_path, segments

_ATTEMPTS = 5  # what is being written changes meanwhile
_PAUSE_SECONDS = 0.05


@dataclass
class Tail:
    """What was found past the end.

    Attributes:
        problem: file, number of the line past the end, a sentence, and the line, of what is no record of the log; None
            where there is nothing of the kind.
        unfinished: bytes of a record that is being written, or was when its writer was killed.
        prunes: records there of what retention has removed.
    """

    problem: tuple[str, int, str, bytes] | None = None
    unfinished: int = 0
    prunes: list[dict[str, Any]] = field(default_factory=list)


def read_tail(folder: Path, key: Key, head: Head) -> Tail:
    """Look at all that lies past a head.

    Args:
        folder: of the log.
        key: of the log.
        head: as it was read before; the log may have grown since.

    Raises:
        OSError: a file cannot be read.
    """
    tail = Tail()
    for attempt in range(_ATTEMPTS):
        tail = _read_once(folder, key, head)
        if tail.problem is None:
            break
        if attempt + 1 < _ATTEMPTS:
            time.sleep(_PAUSE_SECONDS)
    return tail


def _read_once(folder: Path, key: Key, head: Head) -> Tail:
    tail = Tail()
    mac, reached = bytes.fromhex(head.record_mac), head.segment
    for index in [one for one in segments(folder) if one >= head.segment]:
        path = segment_path(folder, index)
        if index > reached + 1:
            tail.problem = (path.name, 0, "does not follow the last file of the log", first_line(path))
            break
        try:
            file = path.open("rb")
        except FileNotFoundError:  # the beginning of a segment that its writer has taken back
            continue
        with file:
            file.seek(head.size if index == head.segment else 0)
            number = 0
            while line := file.readline(MOST_LINE_BYTES + 1):
                number += 1
                found = _check(key, mac, line, is_header=index > head.segment and number == 1)
                if found is None and not line.endswith(b"\n") and len(line) <= MOST_LINE_BYTES:
                    tail.unfinished += len(line)
                    break
                if found is None:
                    text = f"after the end of the log, line {number} is no record of it"
                    tail.problem = (path.name, number, text, line)
                    return tail
                record, mac = found
                reached = index
                if record["act"] == "prune":
                    tail.prunes.append(record)
    return tail


def _check(key: Key, previous: bytes, line: bytes, is_header: bool) -> tuple[dict[str, Any], bytes] | None:
    """The record of a line and its HMAC, if it comes after the one whose HMAC is `previous`.

    A segment's header may follow a segment that has lost its end: then it says itself what it follows.
    """
    if not line.endswith(b"\n"):
        return None
    try:
        body, mac = unseal(line[:-1])
        if is_header:
            header = open_header(key, line)
            return (header, mac) if header and ("break" in header or is_chained(key, previous, body, mac)) else None
        return (parse(body), mac) if is_chained(key, previous, body, mac) else None
    except LineError:
        return None
