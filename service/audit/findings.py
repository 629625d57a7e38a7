"""What can be wrong with an audit log."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["changed", "missing", "order", "damaged", "foreign", "misnamed", "cut off", "lost", "inserted", "head"]
Place = tuple[str, str, int, int | None, int | None]
Identity = tuple[Place, str | None]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a log.

    Attributes:
        kind: what it is.
        file: name of the file where it shows.
        line: of that file, from 1 on; 0 for the file as a whole.
        first: number of the first record concerned, if that is known.
        last: of the last one.
        text: a sentence for people.
        evidence: 64 hexadecimal digits, of what was found there: it differs where something else is wrong at the same
            place.
    """

    kind: Kind
    file: str
    line: int
    first: int | None
    last: int | None
    text: str
    evidence: str

    @property
    def place(self) -> Place:
        """What is wrong where, whatever stands there."""
        return self.kind, self.file, self.line, self.first, self.last

    @property
    def identity(self) -> Identity:
        """What two findings share that are the same."""
        return self.place, self.evidence

    def as_json(self) -> dict[str, Any]:
        """What identifies it, by name."""
        return {**dict(zip(_PLACE, self.place, strict=True)), "evidence": self.evidence}

    @staticmethod
    def identity_of(given: dict[str, Any]) -> Identity:
        """The identity of a finding that `as_json` has written.

        Earlier versions wrote no evidence. That is the identity of no finding: else a change of what was accepted once
        would be accepted, too.
        """
        return (given["kind"], given["file"], given["line"], given["first"], given["last"]), given.get("evidence")


_PLACE = ("kind", "file", "line", "first", "last")


def evidence_of(*parts: bytes) -> str:
    """What `Finding.evidence` is, of all that was found."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def are(first: int, last: int) -> str:
    """Records by their numbers, with the verb."""
    return f"record {first} is" if first == last else f"records {first} to {last} are"
