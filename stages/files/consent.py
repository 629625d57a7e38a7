"""data/consent.csv: who has agreed that their photos are used, since when, until when.

The user writes the table, by hand in a spreadsheet or with `python -m privacy consent`. `who` is a person ("me", or the
sub-folder of not_me), a folder or a photo, as paths within data/ ("not_me/ana", "not_me/ana/1.jpg"). The line of the
photo itself counts, else that of the nearest folder; but a consent that was withdrawn for a folder is withdrawn for all
that lies in it. Lines that begin with # are comments. The last day of a consent is the one in `until`.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from faces.message import Message
from stages.errors import StageError
from stages.files.paths import CONSENT
from stages.files.photos import CLASSES

COLUMNS = ("who", "given", "until", "withdrawn", "how", "contact_sha256")
"""Of the table; the order does not matter."""

NEEDED = ("who", "given", "until")
"""The columns that must be there: without `until`, a consent would never end because of a typo in the heading."""

COMMENT = "#"
MARK = "\ufeff"
_NAMED = 20  # mistakes that one message names
_LARGEST_BYTES = 16 * 2**20
_HASH = re.compile(r"[0-9a-fA-F]{64}")


def today() -> date:
    """The day that decides whether a consent holds: that of this machine's clock and time zone."""
    return date.today()


@dataclass(frozen=True)
class Consent:
    """A line of the table.

    Attributes:
        who: path within data/, as `as_path` makes it: "me", "not_me/ana", "not_me/ana/1.jpg".
        given: the first day on which it holds.
        until: the last one; None for no end.
        withdrawn: from this day on it does not hold any more; None if it was not withdrawn.
        how: in the user's words: signed form, e-mail …
        contact: keyed hash of how to reach the person, or "".
        line: number of its line in the file, from 1.
    """

    who: str
    given: date
    until: date | None = None
    withdrawn: date | None = None
    how: str = ""
    contact: str = ""
    line: int = 0

    def why_not(self, day: date) -> Message | None:
        """Why it does not hold on a day; None where it does."""
        if self.withdrawn is not None and self.withdrawn <= day:
            return Message("consent was withdrawn on {date}", date=self.withdrawn.isoformat())
        if self.until is not None and self.until < day:
            return Message("consent ended on {date}", date=self.until.isoformat())
        if self.given > day:
            return Message("consent begins only on {date}", date=self.given.isoformat())
        return None


@dataclass(frozen=True)
class Register:
    """All lines of the table, by `who`. Without the file, there are none."""

    consents: Mapping[str, Consent] = field(default_factory=dict)

    def find(self, photo: str) -> Consent | None:
        """The line that counts for a photo.

        Args:
            photo: path within data/, "me/…" or "not_me/…".
        """
        lines = [self.consents[part] for part in parts_of(photo) if part in self.consents]
        withdrawn = [line for line in lines if line.withdrawn is not None]
        return (
            min(withdrawn, key=lambda line: line.withdrawn or date.max) if withdrawn else lines[-1] if lines else None
        )

    def why_not(self, photo: str, day: date) -> Message | None:
        """Why a photo may not be used on a day; None where it may."""
        found = self.find(photo)
        if found is None:
            return Message("no consent: {register} has no line for it", register=CONSENT)
        return found.why_not(day)

    def of_nobody(self, photos: Iterable[str]) -> list[Consent]:
        """Lines about somebody who is not there: no photo, and no folder with one, has that name."""
        there = {part for photo in photos for part in parts_of(photo)}
        return [consent for who, consent in self.consents.items() if who not in there]


def parts_of(photo: str) -> list[str]:
    """The names under which a photo's consent may stand: the outermost folder first, the photo itself last.

    The folder not_me is none of them: nobody can consent for all others.
    """
    parts = unicodedata.normalize("NFC", photo).split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1) if parts[:end] != [CLASSES[0]]]


def as_path(who: str) -> str:
    """A person, a folder or a photo as a path within data/, with "/" and composed letters (é as one character).

    "me" and what begins with "me/" or "not_me/" stays; anything else is a sub-folder of not_me, or in one.
    """
    path = unicodedata.normalize("NFC", who.strip()).replace("\\", "/").removeprefix("./").removeprefix("data/")
    path = path.strip("/")
    if not path or path.partition("/")[0] in CLASSES:
        return path
    return f"{CLASSES[0]}/{path}"


def read_register(path: Path = CONSENT) -> Register:
    """Read the table.

    Raises:
        StageError: it is missing, is not UTF-8, or a line or the heading has a mistake; the message names each line.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise StageError(
                "{path} has more than {most} MB: expected a table with a line for each person",
                path=path,
                most=_LARGEST_BYTES // 2**20,
            )
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise StageError(
            "there is no {path}, the table of consents: make it with 'python -m privacy consent add', or copy "
            "privacy/consent.example.csv there and fill it in",
            path=path,
        ) from error
    except UnicodeDecodeError as error:
        raise StageError("{path} is not saved as UTF-8: save it as 'CSV UTF-8'", path=path) from error
    return parse_register(text, path)


def parse_register(text: str, path: Path) -> Register:
    """The table from its text.

    Args:
        text: of the file.
        path: what messages call it.

    Raises:
        StageError: a line or the heading has a mistake; the message names each line.
    """
    try:
        rows = [(number, row) for number, row in read_rows(text) if not is_idle(row)]
    except csv.Error as error:
        raise StageError(
            "{path} is no table with commas or semicolons: a quotation mark is open, perhaps", path=path
        ) from error
    if not rows:
        raise StageError("{path} is empty: expected a heading with {columns}", path=path, columns=", ".join(COLUMNS))
    heading = [name.strip().lower() for name in rows[0][1]]
    while heading and not heading[-1]:
        heading.pop()  # a spreadsheet writes columns that were in use once
    _check_heading(heading, path)
    problems: list[Message] = []
    consents: dict[str, Consent] = {}
    for line, row in rows[1:]:
        try:
            consent = _parse_line(dict(zip(heading, map(str.strip, row), strict=False)), row[len(heading) :], line)
            if consent.who in consents:
                text_twice = "{who} stands in line {first} already: leave one line for each"
                raise ValueError(Message(text_twice, who=consent.who, first=consents[consent.who].line))
        except ValueError as error:
            problems.append(Message("{path}, line {line}: {problem}", path=path, line=line, problem=error.args[0]))
        else:
            consents[consent.who] = consent
    if problems:
        raise StageError(_together(problems))
    return Register(consents)


def read_rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows of a table as they stand there, each with the number of its first line, empty ones and comments too.

    Raises:
        csv.Error: a quotation mark is not closed.
    """
    reader = csv.reader(io.StringIO(text.removeprefix(MARK), newline=""), delimiter=separator_of(text), strict=True)
    rows, before = [], 0
    for row in reader:
        rows.append((before + 1, row))
        before = reader.line_num
    return rows


def separator_of(text: str) -> str:
    """Comma or semicolon: a Spanish spreadsheet writes semicolons."""
    heading = next((line for line in text.removeprefix(MARK).splitlines() if not _is_remark(line)), "")
    return ";" if heading.count(";") > heading.count(",") else ","


def _is_remark(line: str) -> bool:
    return not line.strip(' \t",;') or line.lstrip(' \t"').startswith(COMMENT)


def is_idle(row: Sequence[str]) -> bool:
    """Whether a row says nothing: it is empty, or a comment."""
    return not any(cell.strip() for cell in row) or row[0].lstrip().startswith(COMMENT)


def _check_heading(heading: Sequence[str], path: Path) -> None:
    """Raises a StageError that says what is wrong with the names of the columns."""
    missing = [name for name in NEEDED if name not in heading]
    strange = [name for name in heading if name not in COLUMNS]
    if missing or strange or len(set(heading)) < len(heading):
        raise StageError(
            "{path} has the columns {given}; expected {columns}, each once, of which {needed} are needed",
            path=path,
            given=", ".join(heading),
            columns=", ".join(COLUMNS),
            needed=", ".join(NEEDED),
        )


def _parse_line(values: Mapping[str, str], more: Sequence[str], line: int) -> Consent:
    """A line from its values by column, and those beyond the last column.

    Raises:
        ValueError: what is wrong, a `Message`.
    """
    if any(cell.strip() for cell in more):
        raise ValueError(Message("it has more values than there are columns: put text with a separator into quotes"))
    who = as_path(values.get("who", ""))
    if who in ("", CLASSES[0]) or {".", "..", ""} & set(who.split("/")):
        text = "who is {given!r}; expected me, a sub-folder of not_me, or a photo such as not_me/ana/1.jpg"
        raise ValueError(Message(text, given=values.get("who", "")))
    given = _day(values, "given")
    until, withdrawn = _day(values, "until"), _day(values, "withdrawn")
    if given is None:
        raise ValueError(Message("given is empty; expected the day of the consent, such as 2026-11-27"))
    if until is not None and until < given:
        text = "until, {until}, is before given, {given}"
        raise ValueError(Message(text, until=until.isoformat(), given=given.isoformat()))
    contact = values.get("contact_sha256", "")
    if contact and not _HASH.fullmatch(contact):  # not shown: it may be an address, which no log should have
        text = "contact_sha256 is no hash: 'python -m privacy consent add' makes it, so that no address is kept here"
        raise ValueError(Message(text))
    return Consent(who, given, until, withdrawn, values.get("how", ""), contact.lower(), line)


def _day(values: Mapping[str, str], column: str) -> date | None:
    """The date in a column; None where it is empty.

    Raises:
        ValueError: it is no ISO date. Others are not guessed at: 03/04/2026 is April here and March there.
    """
    text = values.get(column, "")
    if not text:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        problem = (
            "{column} is {given!r}; expected year-month-day such as 2026-11-27. A spreadsheet may have changed it: "
            "make the column one of text"
        )
        raise ValueError(Message(problem, column=column, given=text)) from None


def _together(problems: Collection[Message]) -> Message:
    """Mistakes below each other, the first of them, as one message."""
    shown = {f"line{number}": problem for number, problem in enumerate(list(problems)[:_NAMED])}
    text = "\n".join(f"{{{name}}}" for name in shown)
    if len(problems) > _NAMED:
        return Message("{lines}\n… and {more} more", lines=Message(text, **shown), more=len(problems) - _NAMED)
    return Message(text, **shown)
