"""Reads an audit log from its first record to its last, and finds what is wrong with it. Writes nothing.

The head is read first, and the log up to where it ends: all of that must be there, also while the service writes on.
What lies past it is looked at afterwards (`tail`).

Each record is checked with the HMAC of the one before. Where that fails, the record's own HMAC is taken for the next
one, so that one changed record is one finding. The last record that was right is remembered, too: what comes between
it and one that continues it has been put in.

An administrator can accept a finding. That holds for what was found then, and for nothing else: each finding has the
hash of all lines that are not proven around it, or of what else shows it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from service.audit.chain import (
    HEAD_BYTES,
    MOST_LINE_BYTES,
    START,
    Head,
    Key,
    LineError,
    head_fingerprint,
    is_chained,
    is_whole,
    open_header,
    parse,
    read_head,
    unseal,
)
from service.audit.errors import AuditError
from service.audit.files import segment_path, segments
from service.audit.findings import Finding, Identity, Kind, are, evidence_of
from service.audit.settings import AuditSettings
from service.audit.tail import Tail, read_tail

MOST_FINDINGS = 10_000
"""Beyond these nothing more is listed: a file of empty lines must not fill the memory."""

_ATTEMPTS = 5  # at a head that is being written
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Entry:
    """A record that has been proven to be of the log.

    Attributes:
        segment: number of its segment.
        place: how many records come before it there, by their numbers.
        record: its fields.
    """

    segment: int
    place: int
    record: dict[str, Any]


@dataclass(frozen=True)
class _Position:
    """Between two records: the number that comes next, and the HMAC of the one before; b"" where that is unknown."""

    number: int
    mac: bytes


class Walk:
    """One reading of a log. Iterate over `entries`; afterwards the attributes say what was found.

    Args:
        settings: where the log lies.
        key: of its records.
        copies: heads that were kept elsewhere, as HMACs in hexadecimal by the number of the record: the log must have
            those records.
        progress: told how many bytes more have been read.

    Attributes:
        findings: what is wrong, the first `MOST_FINDINGS`.
        accepted: what an administrator has accepted, with the time and the note of the record that says so.
        count: how many records are proven.
        head: where the log ends, as its head says; None where that is missing or damaged.
        last: where it ends as it was read, up to the last record that is proven; None where there is none.
        pruned_through: number of the last record that retention has removed; 0 where it has removed none.
        unfinished: bytes past the end of a record that is being written, or was when its writer was killed.
    """

    def __init__(
        self,
        settings: AuditSettings,
        key: Key,
        copies: Mapping[int, str] | None = None,
        progress: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.findings: list[Finding] = []
        self.accepted: dict[Identity, str] = {}
        self.count = 0
        self.head: Head | None = None
        self.last: Head | None = None
        self.pruned_through = 0
        self.unfinished = 0
        self._settings = settings
        self._key = key
        self._copies = copies or {}
        self._progress = progress
        self._chain = ""
        self._seen: dict[int, str] = {}  # of the records that copies of the head name
        self._prunes: list[dict[str, Any]] = []
        self._beginning: dict[str, Any] | None = None  # the first header
        self._header: dict[str, Any] = {}  # of the segment that is being read
        # What comes next if the last line is taken for what it says, and if all since the last proven record is not.
        self._guess = self._sure = _Position(1, START)
        self._at = 0
        self._unproven = hashlib.sha256()  # of the lines since the last one that is proven
        self._undecided = 0  # findings before this one have all their evidence

    @property
    def open_findings(self) -> list[Finding]:
        """Those that nobody has accepted."""
        return [finding for finding in self.findings if finding.identity not in self.accepted]

    def entries(self) -> Iterator[Entry]:
        """The records that are proven, in their order.

        Raises:
            AuditError: there is no log, its secret is another, or a file cannot be read.
        """
        try:
            yield from self._walk()
        except OSError as error:
            raise AuditError(
                f"The audit log in {self._settings.folder} cannot be read ({error.filename}: {error.strerror}): let "
                "the user who asks read it"
            ) from None

    def run(self) -> Walk:
        """Read everything, for what was found."""
        for _ in self.entries():
            pass
        return self

    def _walk(self) -> Iterator[Entry]:
        folder = self._settings.folder
        self.head = self._read_head()
        there = segments(folder) if folder.is_dir() else []
        if not there and self.head is None:
            raise self._settings.not_begun()
        before = done = 0
        while True:
            for index in there:
                if self.head and index > self.head.segment:
                    break
                if index <= done:
                    continue
                size = self.head.size if self.head and index == self.head.segment else None
                found = self.count, len(self.findings)
                yield from self._read_segment(index, size, before)
                done = index
                if found != (self.count, len(self.findings)):  # else retention has removed it meanwhile
                    before = index
            tail = read_tail(folder, self._key, self.head) if self.head else Tail()
            if not self._is_overtaken():
                break
            there = segments(folder)
        self._add_evidence()
        self._check_end(tail)
        self._check_beginning()
        self._check_copies()

    # Beginning and end

    def _read_head(self) -> Head | None:
        path = self._settings.head
        data, found = b"", None
        for attempt in range(_ATTEMPTS):
            try:
                data = path.read_bytes()[:HEAD_BYTES]
            except FileNotFoundError:
                text = "is missing: whether records were cut off at the end cannot be known"
                self._find("head", path, 0, text, b"")
                return None
            if (found := read_head(self._key, data)) and is_whole(self._key, data):
                break
            if attempt + 1 < _ATTEMPTS:
                time.sleep(_PAUSE_SECONDS)
        if found:
            if not is_whole(self._key, data):
                text = "one of its two places is damaged: the last record may have been cut off, and its place with it"
                self._find("head", path, 0, text, data)
            self._chain = found[0].chain
            return found[0]
        named = head_fingerprint(data)
        if named and named != self._key.fingerprint:
            raise AuditError(
                f"The secret is not the one that the audit log in {self._settings.folder} was begun with: set "
                "AUDIT_KEY or AUDIT_KEY_FILE to that one"
            )
        self._find("head", path, 0, "is damaged: whether records were cut off at the end cannot be known", data)
        return None

    def _is_overtaken(self) -> bool:
        """Whether retention has removed the segment of the head meanwhile; the log is to be read up to its new end."""
        head = self.head
        if head is None or not head.segment or segment_path(self._settings.folder, head.segment).exists():
            return False
        found = read_head(self._key, self._settings.head.read_bytes()[:HEAD_BYTES])
        if found is None or found[0].chain != head.chain or found[0].segment <= head.segment:
            return False
        self.head = found[0]
        return True

    def _check_end(self, tail: Tail) -> None:
        head = self.head
        if head is None:
            return
        expected = self._guess.number
        if expected <= head.number:
            path = segment_path(self._settings.folder, head.segment)
            text = f"{are(expected, head.number)} missing at its end"
            self._find("cut off", path, 0, text, self._guess.mac, (expected, head.number))
        self._prunes += tail.prunes
        self.unfinished = tail.unfinished
        if tail.problem:
            name, line, text, found = tail.problem
            self._find("inserted", self._settings.folder / name, line, text, found)

    def _check_beginning(self) -> None:
        """What is missing up to where retention has removed records was removed by it."""
        self.pruned_through = max((record["through"] for record in self._prunes), default=0)
        first = self._beginning
        if first is not None and first["number"] > 1:
            before = first["number"] - 1
            own = [record for record in self._prunes if record["through"] == before]
            if self.pruned_through < before or any(record["through_mac"] != first["previous"] for record in own):
                path = segment_path(self._settings.folder, first["segment"])
                text = f"{are(1, before)} missing before it"
                self._find("missing", path, 1, text, first["previous"].encode(), (1, before))
                return
        self.findings = [
            finding
            for finding in self.findings
            if not (finding.kind == "missing" and finding.last is not None and finding.last <= self.pruned_through)
        ]

    def _check_copies(self) -> None:
        for number, mac in self._copies.items():
            if number > self.pruned_through and self._seen.get(number, START.hex() if number == 0 else "") != mac:
                text = f"record {number} is gone, or not the one that a copy of the head names: the log was replaced"
                self._find("head", self._settings.head, 0, text, mac.encode(), (number, number))

    # Segments

    def _read_segment(self, index: int, size: int | None, before: int) -> Iterator[Entry]:
        """The records of a segment.

        Args:
            index: of the segment.
            size: how many bytes to read of it; None for all.
            before: the segment that was read before; 0 for none.
        """
        path = segment_path(self._settings.folder, index)
        for number, line in self._lines(path, size):
            if number == 1:
                header = self._take_header(path, index, line, before)
                if header is None:
                    return
                yield from header
            else:
                yield from self._take(path, number, index, line)

    def _lines(self, path: Path, size: int | None) -> Iterator[tuple[int, bytes]]:
        """The lines of a file with their numbers, without newlines; one that has none is given a byte that no record
        ends with."""
        try:
            file = path.open("rb")
        except FileNotFoundError:  # retention has removed it meanwhile, or somebody has: the numbers will show
            return
        with file:
            self._at, number = 0, 0
            while size is None or self._at < size:
                line = file.readline(MOST_LINE_BYTES + 1 if size is None else min(MOST_LINE_BYTES + 1, size - self._at))
                if not line:
                    return
                self._at += len(line)
                self._progress(len(line))
                number += 1
                yield number, line[:-1] if line.endswith(b"\n") else line + b"\0"

    def _take_header(self, path: Path, index: int, line: bytes, before: int) -> list[Entry] | None:
        """The first line of a segment as entries, none where it is not proven; None where the file is another log's."""
        header = open_header(self._key, line)
        if header is None:
            return self._refuse_header(path, line)
        if self._chain not in ("", header["chain"]):
            self._find("foreign", path, 0, "belongs to another audit log with the same secret", line)
            return None
        self._chain, self._header = header["chain"], header
        if header["segment"] != index:
            named = segment_path(path.parent, header["segment"]).name
            self._find("misnamed", path, 0, f"is {named} of this log under another name", line)
        number, expected = header["number"], self._guess.number
        gone = (
            f" (between it and {segment_path(path.parent, before).name} files are gone)" if index > before + 1 else ""
        )
        if not before:
            self._beginning = header
        elif "break" in header:
            lost = f"{are(expected, number - 1)} missing before it" if number > expected else "records may be missing"
            text = f"{lost}: the log had lost its end when this file was begun ({header['break']['reason']})"
            self._find("lost", path, 1, text, line + self._guess.mac, (min(expected, number - 1), number - 1))
        elif number > expected:
            text = f"{are(expected, number - 1)} missing before it{gone}"
            self._find("missing", path, 1, text, line + self._guess.mac, (expected, number - 1))
        elif number < expected:
            self._find("order", path, 1, f"begins with record {number}, after {expected - 1}", line, (number, number))
        elif bytes.fromhex(header["previous"]) != self._guess.mac and self._guess == self._sure:
            text = f"record {number - 1}, before it, is not the one that it continues"
            self._find("changed", path, 1, text, line + self._guess.mac, (number - 1, number - 1))
        body, mac = unseal(line)
        return [self._prove(index, parse(body), mac)]

    def _refuse_header(self, path: Path, line: bytes) -> list[Entry] | None:
        """A first line that this log's key has not sealed."""
        number = self._guess.number
        self._unproven.update(line + b"\n")
        try:
            body, mac = unseal(line)
            header = parse(body)
        except LineError:
            self._find("damaged", path, 1, "does not begin with a record", line, (number, number))
            self._header, self._guess = {"number": number}, _Position(number + 1, b"")
            return []
        if header.get("key") != self._key.fingerprint or header.get("chain") != (self._chain or header.get("chain")):
            self._find("foreign", path, 0, "belongs to another audit log, or its first record was changed", line)
            return None
        number = header["number"]
        self._find("changed", path, 1, f"its first record, {number}, was changed", line, (number, number))
        self._header, self._guess = header, _Position(number + 1, mac)
        return []

    def _take(self, path: Path, line_number: int, index: int, line: bytes) -> Iterator[Entry]:
        """A line that is no header."""
        expected = self._guess.number
        try:
            body, mac = unseal(line)
        except LineError:
            text = f"line {line_number} is not a record, so the next one cannot be proven either"
            self._unproven.update(line + b"\n")
            self._find("damaged", path, line_number, text, line, (expected, expected))
            self._guess = _Position(expected + 1, b"")
            return
        try:
            record = parse(body)
        except LineError:  # it was changed, for no record is written so
            record = {"number": expected}
        number = record["number"]
        for position in (self._guess, self._sure):
            if number == position.number and is_chained(self._key, position.mac, body, mac):
                yield self._prove(index, record, mac)
                return
        self._unproven.update(line + b"\n")
        if number < expected and self._guess.mac:
            text = f"line {line_number} has record {number} after {expected - 1}"
            self._find("order", path, line_number, text, line, (number, number))
            return
        if number > expected:
            text = f"{are(expected, number - 1)} missing before line {line_number}, so record {number} is not proven"
            self._find("missing", path, line_number, text, line, (expected, number - 1))
        elif self._guess.mac:
            text = f"line {line_number}, record {number}, was changed or put in"
            self._find("changed", path, line_number, text, line, (number, number))
        self._guess = _Position(number + 1, mac)

    def _prove(self, index: int, record: dict[str, Any], mac: bytes) -> Entry:
        """Take note of a record that is of this log."""
        number = record["number"]
        self._add_evidence()
        self._guess = self._sure = _Position(number + 1, mac)
        self.count += 1
        if number in self._copies:
            self._seen[number] = mac.hex()
        if record["act"] == "prune":
            self._prunes.append(record)
        elif record["act"] == "accept":
            for given in record["findings"]:
                self.accepted[Finding.identity_of(given)] = f"{record['time']}: {record['note']}"
        first, since = self._header["number"], self._header.get("time", "")
        self.last = Head(self._chain, self._key.fingerprint, index, self._at, first, since, number, mac.hex())
        return Entry(index, number - first, record)

    def _find(
        self, kind: Kind, path: Path, line: int, text: str, found: bytes, numbers: tuple[int, int] | None = None
    ) -> None:
        """Take note of something that is wrong.

        Args:
            kind: what it is.
            path: where it shows.
            line: of that file; 0 for the file as a whole.
            text: for people.
            found: what shows it.
            numbers: of the first and the last record concerned.
        """
        if len(self.findings) < MOST_FINDINGS:
            first, last = numbers or (None, None)
            self.findings.append(
                Finding(kind, path.name, line, first, last, f"{path.name}: {text}", evidence_of(found))
            )

    def _add_evidence(self) -> None:
        """All lines since the last record that is proven are evidence of all that was found there.

        Else somebody could change what stands beside an accepted finding, since nothing proves that either.
        """
        unproven = self._unproven.digest()
        for at in range(self._undecided, len(self.findings)):
            own = self.findings[at]
            self.findings[at] = replace(own, evidence=evidence_of(own.evidence.encode(), unproven))
        self._unproven, self._undecided = hashlib.sha256(), len(self.findings)
