"""What goes into the audit log: each answer of /verify and each act of administration, before anybody learns of it.

An answer that cannot be recorded is not given: it becomes 503, until the log can be written again. Requests that are
refused before anything is decided are counted, and the counts are recorded once a minute.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request

from service.access.keys import KeyRing
from service.admission import Signal
from service.audit import Audit, AuditError, AuditSettings
from service.config import Settings
from service.monitoring.metrics import count_decision, count_refusal
from service.monitoring.request_ids import request_id
from service.worker_threads import WorkerThread

RECORD_SECONDS = 5.0
"""An answer waits so long for its record."""

_REFUSALS = {401: "key", 403: "role", 408: "too slow", 413: "too large", 429: "limit", 503: "unavailable"}
"""Statuses that are counted, and what they are counted as."""

log = logging.getLogger("service.recording")


class NotRecordedError(Exception):
    """What was to be done could not be recorded, so it is not done."""


def is_recorded(settings: Settings, keys: KeyRing | None = None) -> bool:
    """Whether the audit log is on: where AUDIT_PATH is set, and where API keys are asked for.

    Args:
        settings: of the service.
        keys: those that are asked for; None reads them.
    """
    return settings.audit_path is not None or (keys or KeyRing(settings.keys_path, settings.require_keys)).needed


def check_hand_over(former: Settings, settings: Settings) -> None:
    """What can be known of `hand_over` before: nothing is written.

    Args:
        former: the settings that serve; where its log lies is enough.
        settings: those that are to serve.

    Raises:
        AuditError: a log and its head would be parted, or uses could not be recorded.
    """
    before, after = AuditSettings.of(former), AuditSettings.of(settings)
    moved = _moved(before, after)
    if is_recorded(former) and ("folder" in moved) != ("head" in moved):
        raise AuditError(
            "Of AUDIT_PATH and AUDIT_HEAD_PATH one is to change, and a log and its head belong together: change both "
            "to begin another log, or stop the service, move the files, and start it again"
        )
    if is_recorded(settings):
        Audit.check(after)


def _moved(before: AuditSettings, after: AuditSettings) -> list[str]:
    """Which parts of the log lie elsewhere afterwards."""
    return [name for name in ("folder", "head", "salts") if getattr(before, name) != getattr(after, name)]


def hand_over(former: Settings, settings: Settings) -> None:
    """Before other settings serve: let a log that they leave say so, and make sure that theirs can be written.

    For a process that may fork, as `Recorder.note`. What is recorded of the new place is a hash: whoever knows a folder
    can prove that it is the one, and a path may name a person, which could never be taken out again.

    Args:
        former: the settings that serve.
        settings: those that are to serve, after `check_hand_over`.

    Raises:
        AuditError: one of the two logs cannot be written.
    """
    before, after = AuditSettings.of(former), AuditSettings.of(settings)
    moved = _moved(before, after)
    if moved and is_recorded(former):
        digest = hashlib.sha256(str(after.folder).encode("utf-8", "surrogateescape")).hexdigest()
        _record_once(before, "moved", what=moved, folder_sha256=digest)
        log.warning("The audit log is moved (%s): it goes on in %s", ", ".join(moved), after.folder)
    if is_recorded(settings):
        _open_once(after)


def _open_once(settings: AuditSettings) -> None:
    """Open the log, which begins it where there is none; nothing is kept open.

    Raises:
        AuditError: it cannot be written.
    """
    Audit.open(settings).close()
    log.info("Each use is recorded in %s", settings.folder)


def _record_once(settings: AuditSettings, act: str, **fields: Any) -> None:
    """Append a record; nothing is kept open.

    Raises:
        AuditError: it cannot be written.
    """
    audit = Audit.open(settings)
    try:
        audit.record(act, **fields)
    finally:
        audit.close()


class Recorder:
    """Writes to the audit log, where it is on (`is_recorded`).

    Args:
        settings: where the log lies.
        keys: those that are asked for.
    """

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys
        self._making = threading.Lock()
        self._make_signal: Callable[[], Signal] = threading.Event
        self._process = 0
        self._audit: Audit | None = None
        self._thread: WorkerThread | None = None
        self._unwritten = False

    @property
    def on(self) -> bool:
        """Whether anything is recorded."""
        return is_recorded(self._settings, self._keys)

    def check(self) -> None:
        """At the start: say whether the log can be written. Nothing is kept open, since a process may fork."""
        if not self.on:
            return
        try:
            _open_once(AuditSettings.of(self._settings))
        except AuditError as error:
            log.error("Uses cannot be recorded, so /verify will answer 503: %s", error)

    def wait_with(self, make_signal: Callable[[], Signal]) -> None:
        """How requests of this process wait for their record."""
        self._make_signal = make_signal
        self._thread_here()

    def record(self, act: str, image: bytes | None = None, **fields: Any) -> None:
        """Record something; returns when it is in the log, or at once where the log is off.

        Args:
            act: what was done, or is done next.
            image: which photo it was done with; a commitment to it is recorded.
            **fields: JSON values.

        Raises:
            NotRecordedError: it cannot be recorded.
        """
        if not self.on:
            return

        def write() -> None:
            audit = self._in_this_process()
            audit.record(act, image=None if image is None else audit.commit_to(image), **fields)

        try:
            self._thread_here().run(write, RECORD_SECONDS)
        except (AuditError, TimeoutError) as error:
            if not self._unwritten:  # once, and again when it could be written meanwhile
                reason = (
                    error if isinstance(error, AuditError) else "the disk, or whoever holds the log's lock, is too slow"
                )
                log.error("Uses cannot be recorded, so they are answered 503: %s", reason)
            self._unwritten = True
            raise NotRecordedError from error
        if self._unwritten:
            log.warning("Uses can be recorded again")
        self._unwritten = False

    def note(self, act: str, **fields: Any) -> None:
        """Record what has been done already, in a process that is going to fork: no thread is made, no file stays open.

        Where that fails, the log says so.
        """
        if not self.on:
            return
        try:
            _record_once(AuditSettings.of(self._settings), act, **fields)
        except AuditError as error:
            log.error("%r was not recorded: %s", act, error)

    def count(self, refusal: str, key_id: str | None) -> None:
        """Count a refusal, without any wait; it is recorded within a minute."""
        if not self.on:
            return
        if self._audit is not None and self._process == os.getpid():
            self._audit.count(refusal, key_id)
            return

        def open_and_count() -> None:
            try:
                self._in_this_process().count(refusal, key_id)
            except AuditError:  # that the log cannot be opened has been said at the start, and is with each record
                log.debug("a refusal was not counted", exc_info=True)

        with contextlib.suppress(TimeoutError):  # so many wait that one more refusal tells nothing new
            self._thread_here().begin(open_and_count)

    def close(self) -> None:
        """Record the counts that are pending, at the end of a process."""
        if self._thread is not None and self._thread.process == os.getpid():
            self._thread.finish(RECORD_SECONDS)
        if self._audit is None or self._process != os.getpid():
            return
        try:
            self._audit.close()
        except AuditError as error:
            log.error("The last refusals are not recorded: %s", error)

    def _in_this_process(self) -> Audit:
        """The log. In the thread alone: opening it can wait for a disk, or for whoever holds its lock."""
        if self._audit is None or self._process != os.getpid():
            self._audit = Audit.open(AuditSettings.of(self._settings))
            self._process = os.getpid()
        return self._audit

    def _thread_here(self) -> WorkerThread:
        with self._making:
            if self._thread is None or self._thread.process != os.getpid():
                self._thread = WorkerThread(self._make_signal, "audit")
            return self._thread


def register(app: Flask, settings: Settings, recorder: Recorder, answer: Callable[[], Response]) -> None:
    """Record each answer of an application before it leaves. To be registered late: it then sees an answer early.

    Args:
        app: the application.
        settings: what answers call the model is recorded.
        recorder: writes.
        answer: makes the answer that takes the place of one that cannot be recorded.
    """
    engine = app.extensions["engine"]

    def record(response: Response) -> Response:
        if response.status_code in _REFUSALS:
            recorder.count(_REFUSALS[response.status_code], g.get("key_id"))
        elif request.path == "/verify" and request.method == "POST":
            try:
                recorder.record(
                    "verify",
                    g.get("image"),
                    request_id=request_id(),
                    key_id=g.get("key_id"),
                    status=response.status_code,
                    **g.get("decision", {}),
                    model_version=settings.model_version,
                    **engine.digests,
                    backbone=engine.backbone,
                )
            except NotRecordedError:
                count_refusal("no_audit")
                return answer()
            if "decision" in g:
                count_decision(g.decision["is_me"], g.decision["score"])
        return response

    app.after_request(record)
