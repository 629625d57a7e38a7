"""The head of an audit log that is written to: a file that says where the log ends.

It has two places, written by turns: so one of them is whole at any moment, whatever stops the other one's writing.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable

from faces.files import replacing
from service.audit.chain import HEAD_BYTES, HEAD_SLOT_BYTES, Head, Key, head_fingerprint, read_head
from service.audit.errors import AuditError
from service.audit.files import KeptFile, segments, write_new
from service.audit.settings import AuditSettings


class HeadFile:
    """The head of a log. Whoever moves it holds the log's lock.

    Args:
        settings: where the log and its head lie.
        key: of the log.

    Attributes:
        head: the end of the log, as this process has last read or written it.
    """

    def __init__(self, settings: AuditSettings, key: Key) -> None:
        self.head = Head("", key.fingerprint)
        self._settings = settings
        self._key = key
        self._file: KeptFile | None = None
        self._raw = b""
        self._slot = 0

    def distrust(self) -> None:
        """Read it again the next time: what is known of it may be wrong."""
        self._raw = b""

    def close(self) -> None:
        """Close the file; `read` opens it again."""
        if self._file:
            self._file.close()
            self._file = None
        self._raw = b""

    def begin(self) -> None:
        """Make the head of a new log, where there is none at all.

        Raises:
            AuditError: there is a log and no head.
            OSError: it cannot be written.
        """
        path = self._settings.head
        if path.exists():
            return
        if not segments(self._settings.folder):
            self._write_anew(Head(secrets.token_hex(16), self._key.fingerprint))
            return
        raise AuditError(
            f"There is an audit log in {self._settings.folder}, and no head {path} that says where it ends: put the "
            "head back, check AUDIT_PATH and AUDIT_HEAD_PATH, or run 'python -m service audit accept' to go on with "
            "what is there"
        )

    def replace(self, head: Head) -> None:
        """Put another head into the place of one that is missing or damaged; that one is kept under another name.

        Raises:
            OSError: it cannot be written.
        """
        path = self._settings.head
        if path.exists():
            path.rename(path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}"))
        self._write_anew(head)
        self.close()

    def _write_anew(self, head: Head) -> None:
        """A new file, flushed to disk."""
        with replacing(self._settings.head) as temporary:
            write_new(temporary, head.encode(self._key).ljust(HEAD_BYTES - 1) + b"\n")

    def read(self) -> None:
        """Read it again if another process has moved it.

        Raises:
            AuditError: it is damaged, or not this log's.
            OSError: it cannot be opened to be written to.
        """
        if self._file is None:
            self._file = KeptFile(self._settings.head)
        self._file.size()
        raw = self._file.read(0, HEAD_BYTES)
        if raw == self._raw:
            return
        path = self._settings.head
        found = read_head(self._key, raw)
        if found is None:
            named = head_fingerprint(raw)
            if named and named != self._key.fingerprint:
                raise AuditError(
                    f"The secret is not the one that the audit log in {self._settings.folder} was begun with: set "
                    "AUDIT_KEY or AUDIT_KEY_FILE to that one, or move the log and its head away to begin another"
                )
            raise AuditError(
                f"The head of the audit log, {path}, is damaged: put a copy back, or run 'python -m service audit "
                "accept' to go on with what is there"
            )
        head, self._slot = found
        if self.head.chain and head.chain != self.head.chain:
            raise AuditError(
                f"{path} has become the head of another audit log: put this log's head back, and start the service "
                "again"
            )
        self.head, self._raw = head, raw

    def move(self, head: Head, undo: Callable[[], None] | None = None) -> None:
        """Say that the log ends here: from now on the last record counts. `read` comes before.

        Args:
            head: the end.
            undo: takes back what was written before, where the head cannot be moved.

        Raises:
            OSError: the head stays where it was.
        """
        assert self._file is not None
        slot = 1 - self._slot
        data = head.encode(self._key)
        start, end = slot * HEAD_SLOT_BYTES, (slot + 1) * HEAD_SLOT_BYTES
        try:
            self._file.write(start, data)
            if self._settings.sync:
                self._file.sync()
        except OSError:
            # Only a head that surely does not name the record allows to remove it. A record that stays is one without
            # an answer, which does no harm.
            with contextlib.suppress(OSError):
                self._file.write(start, self._raw[start:end])
            with contextlib.suppress(OSError):
                found = read_head(self._key, self._file.read(0, HEAD_BYTES))
                if undo and found and found[0] == self.head:
                    undo()
            raise
        self._raw, self._slot, self.head = self._raw[:start] + data + self._raw[end:], slot, head
