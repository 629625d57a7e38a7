"""The audit log as the service uses it: several threads and processes may write at once, and any may be killed."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from service.audit import removal
from service.audit.chain import Key, days_ago
from service.audit.counts import Counts
from service.audit.errors import AuditError
from service.audit.files import make_private_folder, segments
from service.audit.lock import make_lock
from service.audit.salts import Commitment
from service.audit.settings import AuditSettings
from service.audit.walk import Walk
from service.audit.writer import Writer

LOCK_SECONDS = 5.0
"""How long a record waits for others. It takes as long only where a process is stopped while it writes."""

log = logging.getLogger("service.audit")


class Audit:
    """The audit log of a process. Made by `open`; safe for several threads.

    Args:
        settings: where it lies.
        key: of its records.
    """

    def __init__(self, settings: AuditSettings, key: Key) -> None:
        self._settings = settings
        self._mutex = threading.Lock()
        self._lock = make_lock(settings.lock, LOCK_SECONDS)
        self._writer = Writer(settings, key)
        self._counts = Counts(lambda fields: self.record("refusals", **fields))
        self._remover: threading.Thread | None = None

    @classmethod
    def open(cls, settings: AuditSettings, resume_after: Walk | None = None) -> Self:
        """Open the log, or begin it where there is none.

        Args:
            settings: where it lies.
            resume_after: a reading of the log, to go on after what it has found to be missing: its head, or the segment
                that was written to. Without it, that is an error.

        Raises:
            AuditError: it cannot be written to, its secret is missing or another, its head or a segment is missing, or
                it is not this log's.
        """
        try:
            make_private_folder(settings.folder)
            make_private_folder(settings.head.parent)
            make_private_folder(settings.salts)
            with make_lock(settings.lock, LOCK_SECONDS):
                key = settings.load_key(make=not settings.head.exists() and not segments(settings.folder))
            audit = cls(settings, key)
        except TimeoutError:
            raise _locked(settings.lock) from None
        except OSError as error:
            raise _unwritable(settings.folder, error) from None
        with audit._closed_on_error(), audit._exclusive():
            if resume_after:
                audit._writer.resume(resume_after.last)
            audit._writer.begin()
            audit._writer.catch_up()
            audit._writer.check_end()
            if audit._writer.must_rotate():
                audit._writer.rotate()
            audit._writer.removal_is_due |= removal.is_due(settings)  # what a killed process has left
        audit._remove_later()
        return audit

    @classmethod
    def check(cls, settings: AuditSettings) -> None:
        """Find out what can be known, without a write, of whether `open` would work. The lock is not asked for.

        Args:
            settings: where the log lies.

        Raises:
            AuditError: it cannot be written to, its secret is missing or another, its head is missing or damaged.
        """
        try:
            for folder in (settings.folder, settings.head.parent, settings.salts):
                _check_folder(folder)
            if not settings.head.exists() and not (settings.folder.is_dir() and segments(settings.folder)):
                return  # `open` would begin it
            writer = Writer(settings, settings.load_key())
            writer.begin()
            writer.check_head()
            writer.close()
        except OSError as error:
            raise _unwritable(settings.folder, error) from None

    def close(self) -> None:
        """Write the counts that are pending, and close the files. The log may be used again afterwards.

        No thread is left then, unless the disk is so slow that removing files takes longer than `LOCK_SECONDS`.

        Raises:
            AuditError: the counts cannot be written.
        """
        try:
            self._counts.flush()
        finally:
            with self._mutex:
                self._writer.close()
            if self._remover:
                self._remover.join(LOCK_SECONDS)

    def commit_to(self, image: bytes) -> Commitment:
        """A commitment to an image, for `record`. Nothing is written yet."""
        return Commitment.to(image)

    def record(self, act: str, *, image: Commitment | None = None, **fields: Any) -> None:
        """Append a record. When this returns, it is in the log.

        Args:
            act: what was done, such as "verify".
            image: which image it was done with.
            **fields: more of it, JSON values. Commands look for `request_id`, `key_id`, `status`, `is_me`, `score` and
                `threshold`.

        Raises:
            AuditError: it cannot be written, and nothing of it is in the log: what it would have recorded must not be
                done.
            TypeError: a field has no JSON, or a name that the log uses itself.
            ValueError: a number is not finite, or the record is longer than `chain.MOST_LINE_BYTES`.
        """
        with self._exclusive():
            self._writer.catch_up()
            if self._writer.must_rotate():
                self._writer.rotate()
            self._writer.append(act, image, fields)
        self._remove_later()

    def count(self, refusal: str, key_id: str | None = None) -> None:
        """Count something that was refused. It is written within a minute, with all others of that time.

        Args:
            refusal: why, such as "rate_limit".
            key_id: of the key that was given, if it is a known one.
        """
        self._counts.add(refusal, key_id)

    def prune(self, days: int, who: Mapping[str, Any] | None = None) -> list[int]:
        """Remove the oldest segments, as far as all of their records are older than so many days, and their salts.

        A record says so, and where what is left begins.

        Args:
            days: as said.
            who: fields of that record that say who does it.

        Returns:
            Numbers of the segments removed.

        Raises:
            AuditError: that cannot be recorded, and nothing was removed; or a file cannot be removed.
        """
        with self._exclusive():
            self._writer.catch_up()
            if self._writer.must_rotate() or self._writer.since < days_ago(days):
                self._writer.rotate(prune=False)  # else old records would stay as long as nobody asks
            removed = self._writer.prune(days, who)
        self._remove()
        return removed

    def forget(self, places: Mapping[int, Sequence[int]], by: str, who: Mapping[str, Any] | None = None) -> int:
        """Delete salts, so that nobody can tell any more which image those records are of.

        Args:
            places: of the records in each segment, from 0 on.
            by: how they were found, "image" or "request"; it is recorded, and how many there are, but not which.
            who: fields of that record that say who does it.

        Returns:
            How many there are. If it does not return, since the process was killed, they may be there still: to be
            done again.

        Raises:
            AuditError: that cannot be recorded, and nothing was deleted; or a salt cannot be overwritten.
        """
        total = sum(map(len, places.values()))
        with self._exclusive():
            self._writer.catch_up()
            if self._writer.must_rotate():
                self._writer.rotate()
            self._writer.append("forget", None, {"by": by, "salts": total, **(who or {})})
        # Not under the lock, as in `prune`: a slow disk must not keep others from recording.
        try:
            for segment, own in places.items():
                self._writer.salts.forget(segment, own)
        except OSError as error:
            raise _unwritable(self._settings.salts, error) from None
        self._remove()
        return total

    def _remove(self) -> None:
        """Remove what has been set aside.

        Raises:
            AuditError: a file cannot be removed. The next process that opens the log tries again.
        """
        try:
            removal.remove_all(self._settings)
        except OSError as error:
            where = error.filename or self._settings.salts
            raise AuditError(
                f"Old files of the audit log cannot be removed ({where}: {error.strerror or error}): let the user who "
                "runs the service write there; 'python -m service audit prune' tries again"
            ) from None

    def _remove_later(self) -> None:
        """Remove what has been set aside, if there is anything, in a thread: nobody waits for it."""
        if not self._writer.removal_is_due:
            return
        self._writer.removal_is_due = False
        remover = threading.Thread(target=self._remove_in_thread, name="audit removal", daemon=True)
        with contextlib.suppress(RuntimeError):  # no thread can be had under this load: the next process does it
            remover.start()
            self._remover = remover

    def _remove_in_thread(self) -> None:
        try:
            self._remove()
        except AuditError as error:
            log.error("%s", error)

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._writer.close()
            raise

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Nobody else writes meanwhile.

        Raises:
            AuditError: another process does not end writing, or the block ends with an error of the system.
        """
        with self._mutex:
            try:
                with self._lock:
                    yield
            except TimeoutError:
                raise _locked(self._settings.lock) from None
            except BaseException as error:
                self._writer.distrust()
                if isinstance(error, OSError):
                    raise _unwritable(self._settings.folder, error) from None
                raise


def _check_folder(folder: Path) -> None:
    """Whether a folder can be written to or, where it is not there, made.

    Raises:
        OSError: it cannot.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))


def _unwritable(folder: Path, error: OSError) -> AuditError:
    where = error.filename or folder
    return AuditError(
        f"The audit log in {folder} cannot be written ({where}: {error.strerror or error}): make room, or let the user "
        "who runs the service write there"
    )


def _locked(lock: Path) -> AuditError:
    return AuditError(
        f"The audit log could not be written within {LOCK_SECONDS:.0f} s, since another process holds {lock}: look for "
        "one that is stopped, and end it"
    )
