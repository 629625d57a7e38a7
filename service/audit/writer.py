"""The end of the audit log: reads where it is, puts right what a killed process has left there, and writes on.

A record is written in three steps: the salt, the line, the head. It counts when the head says so. What a killed process
left behind is put right by the next one that writes:

- A whole line past the head is a valid record, and is taken in.
- Part of a line was never acknowledged. It is cut off, and a record says so.
- A segment that is shorter than the head says, or ends otherwise, has lost records: by a power cut, or by somebody's
  hand. Nothing more is written there. The next segment's header says what is missing, and `verify` tells.
- A head or a segment that is gone, or belongs to another log, is most likely a wrong setting or a disk that is not
  mounted. That is an error until somebody puts it back, or accepts the loss.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from service.audit.chain import (
    FORMAT,
    MOST_LINE_BYTES,
    OWN_FIELDS,
    Head,
    Key,
    LineError,
    is_chained,
    now,
    parse,
    seal,
    unseal,
)
from service.audit.errors import AuditError
from service.audit.files import KeptFile, chain_named, segment_path, segments, sync_folder
from service.audit.head_file import HeadFile
from service.audit.removal import set_aside
from service.audit.retention import outdated
from service.audit.salts import Commitment, Salts
from service.audit.settings import AuditSettings

_TAIL_BYTES = 4 * 2**20  # that a killed process may have left past the head: no more than a few lines

log = logging.getLogger("service.audit")


class Writer:
    """Writes at the end of the log. Whoever calls it holds the log's lock, from `catch_up` to the last call.

    Args:
        settings: where the log lies.
        key: of its records.

    Attributes:
        salts: of its records.
        removal_is_due: whether files have been set aside: they are to be removed once the lock is free.
    """

    def __init__(self, settings: AuditSettings, key: Key) -> None:
        self.removal_is_due = False
        self._settings = settings
        self._key = key
        self.salts = Salts(settings.salts)
        self._head_file = HeadFile(settings, key)
        self._segment: KeptFile | None = None

    def distrust(self) -> None:
        """Read the head again before the next record: what is known of it may be wrong."""
        self._head_file.distrust()

    def close(self) -> None:
        """Close the files; the next record opens them again."""
        self.salts.close()
        self._close_segment()
        self._head_file.close()

    # The head

    @property
    def _head(self) -> Head:
        return self._head_file.head

    def begin(self) -> None:
        """Make the head of a new log, where there is none at all.

        Raises:
            AuditError: there is a log and no head.
            OSError: it cannot be written.
        """
        self._head_file.begin()

    def check_head(self) -> None:
        """Read the head, without the lock: nothing is written.

        Raises:
            AuditError: it is damaged, or another secret has sealed it.
            OSError: it cannot be opened to be written to.
        """
        self._read_head()

    def _read_head(self) -> None:
        """Read the head again if another process has moved it.

        Raises:
            AuditError: it is damaged, or not this log's.
        """
        before = self._head.segment
        self._head_file.read()
        if self._head.segment != before:
            self._close_segment()

    def _move_head(self, head: Head, undo: Callable[[], None] | None = None) -> None:
        """Say that the log ends here; as `HeadFile.move`."""
        before = self._head.segment
        self._head_file.move(head, undo)
        if head.segment != before:
            self._close_segment()

    def resume(self, last: Head | None) -> None:
        """Go on after a loss that an administrator has accepted: of the head, or of the segment that it names.

        Args:
            last: where the log ends as it was read.

        Raises:
            AuditError: there is no record to go on after.
            OSError: it cannot be written.
        """
        there = segments(self._settings.folder)
        try:
            self._read_head()
        except (FileNotFoundError, AuditError):
            if last is None:
                raise AuditError(
                    f"No record in {self._settings.folder} can be proven with this secret: move the log and its head "
                    "away to begin another"
                ) from None
            size = segment_path(self._settings.folder, there[-1]).stat().st_size
            self._head_file.replace(replace(last, segment=there[-1], size=size))
            self.close()
            self._read_head()
            self._break_off("its head was missing or damaged")
            return
        if self._head.segment and self._head.segment not in there:
            self._break_off("the file was gone")

    # Segments

    def _segment_file(self) -> KeptFile:
        if self._segment is None:
            self._segment = KeptFile(segment_path(self._settings.folder, self._head.segment))
        return self._segment

    def _close_segment(self) -> None:
        if self._segment:
            self._segment.close()
            self._segment = None

    def append(self, act: str, image: Commitment | None, fields: Mapping[str, Any]) -> None:
        """Write a record at the end of the segment, and move the head.

        Raises:
            OSError: it cannot be written, and is not in the log.
            TypeError: a field has no JSON, or a name that the log uses itself.
            ValueError: a number is not finite, or the record is too long.
        """
        clash = [name for name in fields if name in OWN_FIELDS]
        if clash:
            raise TypeError(f"the log itself writes the field {clash[0]!r}: call yours something else")
        head = self._head
        own = {"image": image.value.hex()} if image else {}
        record = {"number": head.number + 1, "time": now(), "act": act, **own, **fields}
        line, mac = seal(self._key, bytes.fromhex(head.record_mac), record)
        if image:
            self.salts.write(head.segment, record["number"] - head.first, image.salt, self._settings.sync)
        file = self._segment_file()
        try:
            file.write(head.size, line)
            if self._settings.sync:
                file.sync()
        except BaseException:  # also a signal's: what is not acknowledged must not stay
            with contextlib.suppress(OSError):  # the next writer cuts it off else
                file.truncate(head.size)
            raise
        self._move_head(head.advanced(line, mac), lambda: file.truncate(head.size))

    def must_rotate(self) -> bool:
        """Whether the next record is to begin a segment: this one is large enough, or of another day."""
        if self._head.size >= self._settings.max_bytes or self._head.segment == 0:
            return True
        return self._settings.keep_days > 0 and self._head.since[:10] < now()[:10]

    def rotate(self, break_: Mapping[str, Any] | None = None, prune: bool = True) -> None:
        """Begin the next segment.

        Args:
            break_: what is missing before it, if the segment before has lost its end.
            prune: remove what is older than the settings want to keep.

        Raises:
            AuditError: another file is in its place.
            OSError: it cannot be written.
        """
        head = self._head
        record = {
            "number": head.number + 1, "time": now(), "act": "segment", "format": FORMAT, "chain": head.chain,
            "key": self._key.fingerprint, "segment": head.segment + 1, "previous": head.record_mac,
            **({"break": break_} if break_ else {}),
        }  # fmt: skip
        line, mac = seal(self._key, bytes.fromhex(head.record_mac), record)
        path = segment_path(self._settings.folder, head.segment + 1)
        if path.exists():
            raise AuditError(f"{path} is in the place of the audit log's next file and is not its own: move it away")
        try:
            with KeptFile(path, create=True) as file:
                file.write(0, line)
                if self._settings.sync:
                    file.sync()
            if self._settings.sync:
                sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        self._move_head(self._headed(record, len(line), mac), path.unlink)
        if prune and self._settings.keep_days:
            try:
                self.prune(self._settings.keep_days)
            except (AuditError, OSError) as error:  # the record that is to follow can be written nevertheless
                log.error("Old segments of the audit log cannot be removed: %s", error)

    def _headed(self, header: Mapping[str, Any], size: int, mac: bytes) -> Head:
        """The head after a segment's header."""
        return replace(
            self._head, segment=header["segment"], size=size, first=header["number"], since=header["time"],
            number=header["number"], record_mac=mac.hex(),
        )  # fmt: skip

    # Putting right what was left behind

    def catch_up(self) -> None:
        """Know the end of the log as it is now, and put right what a killed process has left past it.

        Raises:
            AuditError: the head or the segment is missing, or is another log's.
        """
        try:
            self._read_head()
        except FileNotFoundError:
            raise AuditError(
                f"The head of the audit log, {self._settings.head}, is gone: put it back, or run "
                "'python -m service audit accept' to go on with what is there"
            ) from None
        cut = 0
        while True:
            if self._head.segment:
                cut += self._settle_segment()
            following = segment_path(self._settings.folder, self._head.segment + 1)
            if not following.exists():
                break
            taken, lost = self._settle_following(following)
            cut += lost
            if not taken:
                break
        if cut:
            log.warning("The audit log had an unfinished record of %d bytes at its end, which has been cut off", cut)
            if self._head.segment:
                self.append("recovered", None, {"bytes_cut": cut})

    def _settle_segment(self) -> int:
        """Make the segment end where the head says, or the head say where the segment ends; how many bytes were cut."""
        try:
            size = self._segment_file().size()
        except FileNotFoundError:
            raise AuditError(
                f"{segment_path(self._settings.folder, self._head.segment)}, to which the audit log is written, is "
                "gone: put it back, check AUDIT_PATH, or run 'python -m service audit accept' to go on without it"
            ) from None
        head = self._head
        if size == head.size:
            return 0
        if size < head.size:
            self._break_off(f"the file has {size} bytes of {head.size}")
            return 0
        tail = self._segment_file().read(head.size, _TAIL_BYTES)
        while tail:
            line, newline, rest = tail.partition(b"\n")
            if not newline:
                if len(line) > MOST_LINE_BYTES:
                    break
                self._segment_file().truncate(head.size)
                self._take_in(head)
                return len(line)
            try:
                body, mac = unseal(line)
                if not is_chained(self._key, bytes.fromhex(head.record_mac), body, mac):
                    break
            except LineError:
                break
            head, tail = head.advanced(line + newline, mac), rest
        self._take_in(head)
        if tail:
            self._break_off(f"after its end there are {size - head.size} bytes that are no record of this log")
        return 0

    def _take_in(self, head: Head) -> None:
        if head != self._head:
            self._move_head(head)

    def _settle_following(self, path: Path) -> tuple[bool, int]:
        """Take in a next segment that a killed process has begun, or remove the beginning of one.

        Returns:
            Whether it is taken in, and how many bytes were removed.
        """
        with KeptFile(path) as file:
            size = file.size()
            line, newline, _ = file.read(0, MOST_LINE_BYTES).partition(b"\n")
        if not newline and size < MOST_LINE_BYTES:
            path.unlink()
            return False, size
        with contextlib.suppress(LineError, KeyError):
            body, mac = unseal(line)
            if newline and is_chained(self._key, bytes.fromhex(self._head.record_mac), body, mac):
                self._move_head(self._headed(parse(body), len(line) + 1, mac))
                return True, 0
        raise AuditError(f"{path} is in the place of the audit log's next file and is not its own: move it away")

    def check_end(self) -> None:
        """Go on in a new segment if the last record on the disk is not the one that the head names.

        Raises:
            OSError: the segment cannot be read, or the new one cannot be written.
        """
        head = self._head
        if not head.segment:
            return
        start = max(0, head.size - MOST_LINE_BYTES)
        lines = self._segment_file().read(start, head.size - start).splitlines(keepends=True)
        with contextlib.suppress(LineError, IndexError):
            if lines[-1].endswith(b"\n") and unseal(lines[-1][:-1])[1].hex() == head.record_mac:
                return
        self._break_off("its last record is not the one that the head names")

    def _break_off(self, reason: str) -> None:
        """Leave a segment that has lost its end, and say so in the header of the next."""
        path = segment_path(self._settings.folder, self._head.segment)
        if chain_named(path) not in (None, self._head.chain):
            raise AuditError(
                f"{path} belongs to another audit log than the head {self._settings.head}: check AUDIT_PATH and "
                "AUDIT_HEAD_PATH"
            )
        log.error(
            "The audit log has lost records: %s: %s. It goes on in the next file; 'python -m service audit verify' "
            "says which are missing",
            path,
            reason,
        )
        self.rotate({"segment": self._head.segment, "last": self._head.number, "reason": reason}, prune=False)

    # Retention

    @property
    def since(self) -> str:
        """When the segment that is written to was begun."""
        return self._head.since

    def prune(self, days: int, who: Mapping[str, Any] | None = None) -> list[int]:
        """Set the oldest segments aside, as far as all of their records are older than so many days, and their salts.

        Args:
            days: as said.
            who: fields of the record that say who has asked for it; None where the settings do.

        Returns:
            Numbers of these segments.

        Raises:
            OSError: a file cannot be read, written or renamed.
        """
        removable, following = outdated(self._settings.folder, self._key, self._head.segment, days)
        if not removable:
            return []
        self.append(
            "prune",
            None,
            {
                "days": days,
                "segments": [removable[0], removable[-1]],
                "through": following["number"] - 1,
                "through_mac": following["previous"],
                **(who or {}),
            },
        )
        self.removal_is_due = True
        self.salts.set_aside_before(removable[-1] + 1)
        for index in removable:
            set_aside(segment_path(self._settings.folder, index))
        return removable
