"""Which segments of an audit log are old enough to be removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from service.audit.chain import Key, LineError, days_ago, is_chained, open_header, parse, unseal
from service.audit.files import first_line, last_lines, segment_path, segments


def outdated(folder: Path, key: Key, current: int, days: int) -> tuple[list[int], dict[str, Any]]:
    """The oldest segments, as far as all of their records are older than so many days.

    When a segment was written is taken from records that this log's key has sealed: else somebody could date them back
    to have them removed. Of its header and its last record the later counts, since a clock may have been wrong.

    Args:
        folder: of the log.
        key: of the log.
        current: number of the segment that is written to, which stays.
        days: as said.

    Returns:
        Their numbers, and the header of the segment that follows them; empty where there are none.

    Raises:
        OSError: a file cannot be read.
    """
    limit = days_ago(days)
    found: list[int] = []
    following: dict[str, Any] = {}
    for index in segments(folder):
        if index >= current or not segment_path(folder, index + 1).exists():
            break
        own, after = (open_header(key, first_line(segment_path(folder, at))) for at in (index, index + 1))
        if own is None or after is None:
            break
        ended = _end_of(segment_path(folder, index), key, after["previous"]) or after["time"]
        if max(own["time"], ended) >= limit:
            break
        found.append(index)
        following = after
    return found, following


def _end_of(path: Path, key: Key, mac: str) -> str | None:
    """The time of a segment's last record, whose HMAC is `mac`; None where that cannot be proven."""
    try:
        before, last = last_lines(path)
        body, own = unseal(last)
        if own.hex() == mac and is_chained(key, unseal(before)[1], body, own):
            return str(parse(body)["time"])
    except (LineError, ValueError):
        pass
    return None
