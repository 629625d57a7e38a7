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
