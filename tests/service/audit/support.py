"""Logs to try things with, and their parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from service.audit import Audit, AuditSettings
from service.audit.findings import Finding
from service.audit.walk import Walk

SECRET = "a secret of the tests, of 32 characters or more"


def settings_in(folder: Path, **other: Any) -> AuditSettings:
    """A log with all its parts in a folder."""
    own = {"folder": folder / "audit", "head": folder / "private/head.jsonl", "salts": folder / "private/salts"}
    return AuditSettings(**{**own, "key": SECRET, "own_key_file": folder / "private/audit.key", **other})


def write(settings: AuditSettings, count: int, start: int = 0) -> None:
    """Records of `count` answers; image and request are called by their number."""
    audit = Audit.open(settings)
    for number in range(start, start + count):
        answer(audit, number)
    audit.close()


def answer(audit: Audit, number: int, **fields: Any) -> None:
    """Record an answer as the service does."""
    own = {"request_id": f"r{number}", "key_id": "k1", "status": 200, "is_me": True, "score": 0.9, "threshold": 0.75}
    audit.record("verify", image=audit.commit_to(image(number)), **{**own, **fields})


def image(number: int) -> bytes:
    return b"image %d" % number


def walk(settings: AuditSettings) -> Walk:
    return Walk(settings, settings.load_key()).run()


def findings(settings: AuditSettings) -> list[Finding]:
    return walk(settings).open_findings


def kinds(settings: AuditSettings) -> list[str]:
    return [finding.kind for finding in findings(settings)]


def segment(settings: AuditSettings, index: int = 1) -> Path:
    return settings.folder / f"audit-{index:06}.jsonl"


def lines(settings: AuditSettings, index: int = 1) -> list[bytes]:
    return segment(settings, index).read_bytes().splitlines(keepends=True)


def records(settings: AuditSettings) -> list[dict[str, Any]]:
    """All that are proven."""
    return [entry.record for entry in Walk(settings, settings.load_key()).entries()]
