"""What all tests of the audit log share."""

from __future__ import annotations

import pytest

from service.audit import tail, walk


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is damaged stays damaged: do not wait whether it changes."""
    monkeypatch.setattr(walk, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(tail, "_PAUSE_SECONDS", 0)
