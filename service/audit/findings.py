"""What can be wrong with an audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["changed", "missing", "order", "damaged", "foreign", "misnamed", "cut off", "lost", "inserted", "head"]
Identity = tuple[str, str, int, int | None, int | None]


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
    """

    kind: Kind
    file: str
    line: int
    first: int | None
    last: int | None
    text: str

    @property
    def identity(self) -> Identity:
        """What two findings share that are the same."""
        return self.kind, self.file, self.line, self.first, self.last

    def as_json(self) -> dict[str, Any]:
        """What identifies it, by name."""
        return dict(zip(("kind", "file", "line", "first", "last"), self.identity, strict=True))

    @staticmethod
    def identity_of(given: dict[str, Any]) -> Identity:
        """The identity of a finding that `as_json` has written."""
        return given["kind"], given["file"], given["line"], given["first"], given["last"]


def are(first: int, last: int) -> str:
    """Records by their numbers, with the verb."""
    return f"record {first} is" if first == last else f"records {first} to {last} are"
