"""What the tests of logs, ids and metrics share."""

from __future__ import annotations

import json
from typing import Any

MADE = r"[0-9a-f]{32}"
"""An id that the service makes."""


def objects(log: str) -> list[dict[str, Any]]:
    """The lines of a log in JSON; each has to be an object."""
    found = [json.loads(line) for line in log.splitlines()]
    assert all(isinstance(line, dict) for line in found)
    return found


def figures(text: str) -> dict[str, float]:
    """What /metrics shows, by name and labels as it writes them, such as `x_total{reason="no_face"}`."""
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    }


def more(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """What has grown, and by how much, without buckets, sums and what counts the asking itself."""
    return {
        name.removeprefix("face_verification_"): value - before.get(name, 0.0)
        for name, value in after.items()
        if value != before.get(name, 0.0) and not any(part in name for part in ("_bucket", "_sum", '"/metrics"'))
    }
