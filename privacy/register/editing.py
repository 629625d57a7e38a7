"""Changes data/consent.csv line by line: whatever else stands in it, comments and line ends too, stays as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from filelock import FileLock, Timeout

from faces.files import write_bytes
from privacy.errors import PrivacyError
from privacy.folder import STATE
from stages.files.consent import (
    COLUMNS,
    MARK,
    Consent,
    Register,
    as_path,
    is_idle,
    parse_register,
    read_rows,
    separator_of,
)
from stages.files.paths import CONSENT

LOCK = STATE / "consent.lock"
_LOCK_SECONDS = 10
_SPREADSHEET_LOCKS = (".~lock.consent.csv#", "~$consent.csv")  # of LibreOffice and Excel, while they have it open


@dataclass
class Table:
    """The file while it is edited.

    Attributes:
        lines: of the text, with their ends.
        separator: between values.
        end: of lines.
        heading: names of the columns, in lower case.
        heading_lines: which lines the heading takes, from 0, the end not included.
        register: what it says.
    """

    lines: list[str]
    separator: str
    end: str
    heading: list[str]
    heading_lines: tuple[int, int]
    register: Register

    @classmethod
    def parse(cls, text: str) -> Table:
        """The table from its text, "" for a new one.

        Raises:
            StageError: it has a mistake; the message names each line.
        """
        text = text or ",".join(COLUMNS) + "\n"
        register = parse_register(text, CONSENT)
        lines = list(io.StringIO(text, newline=""))
        rows = read_rows(text)
        place = next(number for number, (_, row) in enumerate(rows) if not is_idle(row))
        first, row = rows[place]
        last = rows[place + 1][0] if place + 1 < len(rows) else len(lines) + 1
        end = "\r\n" if lines[first - 1].endswith("\r\n") else "\n"
        heading = [name.strip().lower() for name in row]
        return cls(lines, separator_of(text), end, heading, (first - 1, last - 1), register)

    @property
    def text(self) -> str:
        """The file's text."""
        return "".join(self.lines)

    def put(self, values: Mapping[str, str]) -> Table:
        """The table with a line that has these values: in the place of the one of the same `who`, else at the end."""
        table = self._with_columns([name for name, value in values.items() if value])
        line = table._written([values.get(name, "") for name in table.heading])
        there = table.register.consents.get(as_path(values["who"]))
        if there is not None:
            first, last = table._lines_of(there)
            table.lines[first:last] = [line]
        else:
            if table.lines and not table.lines[-1].endswith(("\n", "\r")):
                table.lines[-1] += table.end
            table.lines.append(line)
        return Table.parse(table.text)

    def values_of(self, consent: Consent) -> dict[str, str]:
        """The values of a line as they stand there."""
        (row,) = (row for number, row in read_rows(self.text) if number == consent.line)
        return dict(zip(self.heading, (cell.strip() for cell in row), strict=False))

    def _lines_of(self, consent: Consent) -> tuple[int, int]:
        """Which lines it takes, from 0, the end not included: a text in quotes may have several."""
        starts = [number for number, _ in read_rows(self.text)] + [len(self.lines) + 1]
        return consent.line - 1, starts[starts.index(consent.line) + 1] - 1

    def _with_columns(self, names: list[str]) -> Table:
        """The table with these columns, those that lack after the others."""
        missing = [name for name in names if name not in self.heading]
        if not missing:
            return self
        while self.heading and not self.heading[-1]:
            self.heading.pop()
        mark = MARK if self.text.startswith(MARK) else ""
        first, last = self.heading_lines
        self.lines[first:last] = [(mark if first == 0 else "") + self._written([*self.heading, *missing])]
        return Table.parse(self.text)

    def _written(self, values: list[str]) -> str:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=self.separator, lineterminator=self.end).writerow(values)
        return buffer.getvalue()


def read_table() -> Table:
    """The table as it is; an empty one where there is no file.

    Raises:
        StageError: it has a mistake.
        PrivacyError: it is not UTF-8.
    """
    return Table.parse(_decoded(_bytes()))


def edit(change: Callable[[Table], Table]) -> None:
    """Change the table, one process at a time. The file is replaced in one step, and stays where anything fails.

    Args:
        change: takes the table as it is, and returns the new one.

    Raises:
        StageError: the table has a mistake.
        PrivacyError: it is open in a spreadsheet, is being changed by somebody else, or cannot be written.
    """
    with _locked():
        before = _bytes()
        after = change(Table.parse(_decoded(before))).text.encode("utf-8")
        if after == before:
            return
        opened = next((name for name in _SPREADSHEET_LOCKS if (CONSENT.parent / name).exists()), None)
        if opened is not None:
            raise PrivacyError(
                "{path} is open in a spreadsheet, which would overwrite the change: close it there (or delete {lock}, "
                "if it is not), and run this again",
                path=CONSENT,
                lock=CONSENT.parent / opened,
            )
        if _bytes() != before:
            raise PrivacyError("{path} was changed by another program just now: run this again", path=CONSENT)
        try:
            write_bytes(CONSENT, after, 0o600)
        except PermissionError as error:
            raise PrivacyError(
                "{path} cannot be written ({reason}): close the program that has it open, or give yourself the right "
                "to",
                path=CONSENT,
                reason=error.strerror,
            ) from None


def withdraw(table: Table, who: str, day: date) -> tuple[Table, list[str]]:
    """The table in which all consents of a person, a folder or a photo, and of what lies in it, are withdrawn.

    Returns:
        The table, and whose lines were changed; those withdrawn before keep their day.
    """
    path = as_path(who)
    own = [
        name
        for name, consent in table.register.consents.items()
        if (name == path or name.startswith(f"{path}/")) and (consent.withdrawn is None or consent.withdrawn > day)
    ]
    for name in own:
        values = table.values_of(table.register.consents[name])
        table = table.put({**values, "withdrawn": day.isoformat()})
    return table, own


@contextmanager
def _locked() -> Iterator[None]:
    LOCK.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(LOCK, timeout=_LOCK_SECONDS):
            yield
    except Timeout:
        raise PrivacyError(
            "another program is changing {path}: wait until it has ended, and run this again", path=CONSENT
        ) from None


def _bytes() -> bytes:
    try:
        return CONSENT.read_bytes()
    except FileNotFoundError:
        return b""


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise PrivacyError("{path} is not saved as UTF-8: save it as 'CSV UTF-8'", path=CONSENT) from None
