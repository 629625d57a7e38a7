"""Refusals are counted, and written once a minute: a flood of them must not fill the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from service.audit.chain import now
from service.audit.errors import AuditError

THREAD = "audit counts"
"""The name of the thread that writes them."""

COUNT_SECONDS = 60.0
"""For so long refusals are counted before they are written."""

MOST_COUNTED = 1000
"""So many pairs of refusal and key are counted apart; beyond them, a refusal counts without its key."""

log = logging.getLogger("service.audit")


class Counts:
    """What a process has refused and not written yet. Safe for several threads.

    Args:
        write: writes a record of the counts, given as fields; raises AuditError where it cannot.
    """

    def __init__(self, write: Callable[[dict[str, Any]], None]) -> None:
        self._write = write
        self._mutex = threading.Lock()
        self._counts: Counter[tuple[str, str | None]] = Counter()
        self._since = ""
        self._started = 0.0  # monotonic: how long was counted does not depend on a clock that is set
        self._timer: threading.Timer | None = None

    def add(self, refusal: str, key_id: str | None) -> None:
        """Count one refusal, without any wait for the disk."""
        with self._mutex:
            if not self._counts:
                self._since, self._started = now(), time.monotonic()
            pair = (refusal, key_id)
            if pair not in self._counts and len(self._counts) >= MOST_COUNTED:
                pair = (refusal, None)
            self._counts[pair] += 1
            self._start_timer()

    def flush(self) -> None:
        """Write what has been counted.

        Raises:
            AuditError: it cannot be written, and goes on being counted.
        """
        with self._mutex:
            counts, since, started = self._counts, self._since, self._started
            self._counts = Counter()
            if self._timer:
                self._timer.cancel()
                self._timer = None
        if not counts:
            return
        shown = [
            {"refusal": refusal, "key_id": key_id, "count": count} for (refusal, key_id), count in counts.most_common()
        ]
        try:
            self._write({"since": since, "seconds": round(time.monotonic() - started, 1), "counts": shown})
        except AuditError:
            with self._mutex:
                self._counts.update(counts)
                self._since, self._started = since, started
                self._start_timer()
            raise

    def _start_timer(self) -> None:
        if self._timer is None:
            timer = threading.Timer(COUNT_SECONDS, self._flush_by_timer)
            timer.name, timer.daemon = THREAD, True
            try:
                timer.start()
            except RuntimeError:  # no thread can be had under this load: the next refusal tries again
                return
            self._timer = timer

    def _flush_by_timer(self) -> None:
        try:
            self.flush()
        except AuditError as error:
            log.error("Refusals cannot be recorded, and are tried again in a minute: %s", error)
