"""A new model and new settings without a restart: all of it changes together, or nothing does.

A whole new application is built from the settings and files as they are now: model, scaler, networks, threshold,
limits, where the keys are, and the certificate of HTTPS. It is tried out as it would serve. Then it takes the place of
the old one, so no request sees a mixture. Where something is wrong with it, the old one serves on, and the log and
`/readyz` say why. Uses are recorded before and after: a log that is moved says so itself (`recording.hand_over`).

- gunicorn: SIGHUP, or an administrator's `POST /admin/reload`. The master builds the application and forks new
  workers from it; the old ones finish what they have. A worker that is started later is a copy of the same.
- In one process (`python -m service`, waitress): `POST /admin/reload`. Requests that have begun keep the old
  application.

The code stays as it was at the start.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import select
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Flask
from msgspec import convert

from faces.message import Message
from service.address import check_address
from service.admission import Signal
from service.config import PROJECT_ROOT, CertificateSettingsError, Settings, SettingsError
from service.engine import Engine
from service.language import Language, from_json, tell, to_json
from service.memory import after_a_reload
from service.monitoring import logs
from service.recording import hand_over
from service.reload_checks import COMPARED, ReloadRefusedError, audit_refusals, check_protections
from service.worker_threads import WorkerThread

_TRIAL_SECONDS = 60.0
_TRIAL = "from service.reload import main; main()"  # -m would import this module twice, and warn of it
_OK = "ok"
"""What a process that tries something out says where all is well; else it says a message (`language.to_json`)."""
_WRONG_SETTINGS = Message("The new settings cannot be used; the log of the service says why")
_WRONG_CERTIFICATE = Message(
    "The TLS certificate or its key cannot be used; the log of the service says which, and what to do"
)
_NO_TRIAL = Message("The new model could not be tried out; the log of the service says why")
_REFUSED = "Reload refused: the former model and settings serve on:\n%s"

log = logging.getLogger("service.reload")


@dataclass(frozen=True)
class Outcome:
    """What came of the last reload.

    Attributes:
        status: "done"; "refused", and the old model and settings serve on; or "begun": ask /readyz.
        time: UTC, in ISO 8601.
        reason: why it was refused.
    """

    status: Literal["done", "refused", "begun"]
    time: str
    reason: Message | None = None

    @classmethod
    def now(cls, status: Literal["done", "refused", "begun"], reason: Message | None = None) -> Outcome:
        """What has just come of one."""
        return cls(status, datetime.now(UTC).isoformat(timespec="seconds"), reason)

    def as_json(self, language: Language) -> dict[str, str]:
        """As /readyz shows it."""
        reason = {"reason": tell(self.reason, language)} if self.reason else {}
        return {"status": self.status, "time": self.time} | reason


def build(former: Settings, one_process: bool = False) -> tuple[Settings, Flask]:
    """The application as the settings and files are now. No session is open yet in a process that forks.

    Args:
        former: the settings that serve.
        one_process: whether this process alone serves: it may use all cores, and keeps its address.

    Raises:
        ReloadRefusedError: the settings cannot be used, or there are no models to serve.
    """
    from service import create_app  # here, since it imports this module

    try:
        settings = Settings.load()
    except SettingsError as error:
        raise _refusal(error) from error
    if one_process:
        settings = replace(settings, workers=1, host=former.host, port=former.port, debug=former.debug)
    check_protections(former, settings)
    if (settings.host, settings.port) != (former.host, former.port):
        try:
            check_address(settings.host, settings.port)
        except SystemExit as error:
            raise ReloadRefusedError(_WRONG_SETTINGS, str(error)) from error
    try:
        app = create_app(settings, trial=True)
    except Exception as error:  # whatever it is, the master must not end for it
        log.exception("a new application could not be built")
        raise ReloadRefusedError(_NO_TRIAL, f"the new application could not be built ({error!r})") from error
    engine: Engine = app.extensions["engine"]
    if engine.refusal is not None:
        raise ReloadRefusedError(engine.refusal)
    return settings, app


def _refusal(error: SettingsError) -> ReloadRefusedError:
    reason = _WRONG_CERTIFICATE if isinstance(error, CertificateSettingsError) else _WRONG_SETTINGS
    return ReloadRefusedError(reason, str(error))


def _record_in(former: Settings, settings: Settings) -> None:
    """The last step before new settings serve: from now on uses are recorded as these say.

    Raises:
        ReloadRefusedError: they would not be, or a log that is moved cannot say so.
    """
    with audit_refusals():
        hand_over(former, settings)


# In gunicorn's master ------------------------------------------------------------------------------------------------


@dataclass
class _Serving:
    """What the master serves with.

    Attributes:
        settings: in force.
        tls: what HTTPS is served with, by kind of context; empty where it is not.
        next_app: the application that a reload has made, until gunicorn takes it over.
        outcome: of the last reload.
    """

    settings: Settings
    tls: dict[type[ssl.SSLContext], ssl.SSLContext]
    next_app: Flask | None = None
    outcome: Outcome | None = None


_serving: list[_Serving] = []  # one at most: gunicorn reads its file anew, in the same process


def settings_in_force(tls_kinds: Iterable[type[ssl.SSLContext]] = (ssl.SSLContext,)) -> Settings:
    """The settings, for gunicorn's file. At the first call they are read; each later call is a reload.

    Args:
        tls_kinds: what `tls_in_force` will be asked for.

    Raises:
        SettingsError: at the first call, they cannot be used.
    """
    if not _serving:
        settings = Settings.load()
        _serving.append(_Serving(settings, settings.load_certificate(tls_kinds)))
        return settings
    serving = _serving[0]
    try:
        settings, app = build(serving.settings)
        try:
            contexts = settings.load_certificate(tls_kinds)  # checked already, and it may be half written since then
        except SettingsError as error:
            raise _refusal(error) from error
        _try_in_a_fork(app.extensions["engine"])
        _record_in(serving.settings, settings)
    except ReloadRefusedError as error:
        log.error(_REFUSED, error)
        serving.next_app, serving.outcome = None, Outcome.now("refused", error.reason)
    else:
        serving.settings, serving.tls, serving.next_app = settings, contexts, app
        serving.outcome = Outcome.now("done")
    return serving.settings


def tls_in_force(kind: type[ssl.SSLContext]) -> ssl.SSLContext:
    """What HTTPS is served with: what the master loaded before this process was forked, whatever the files hold now."""
    return _serving[0].tls[kind]


def take_over(gunicorn_app: Any) -> None:
    """In gunicorn's hook for a reload, before new workers are forked: serve what `settings_in_force` has built.

    Args:
        gunicorn_app: gunicorn's own application, which keeps ours.
    """
    serving = _serving[0]
    if serving.next_app is not None:
        gunicorn_app.callable, serving.next_app = serving.next_app, None
        log.info("Reload done: new workers serve the model and the settings as they are now")
    app: Flask = gunicorn_app.callable
    app.extensions["reload_outcome"] = serving.outcome
    if serving.outcome is not None:
        _note(app, serving.outcome)


def _note(app: Flask, outcome: Outcome) -> None:
    """Record what came of a reload, in the log of the application that serves from now on."""
    digests = app.extensions["engine"].digests
    app.extensions["recorder"].note("reloaded", outcome=outcome.status, **digests)


def _try_in_a_fork(engine: Engine) -> None:
    """Open the networks and score once, in a process like a worker, since the master can open none itself.

    Raises:
        ReloadRefusedError: that does not work.
    """
    try:
        reader, writer = os.pipe()
        child = os.fork()
    except OSError as error:
        raise ReloadRefusedError(
            _NO_TRIAL, f"the new model could not be tried out: no process can be made ({error})"
        ) from error
    if child == 0:
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            engine.open(1)
            os.write(writer, _verdict(engine).encode())
        finally:
            os._exit(0)
    os.close(writer)
    try:
        there, _, _ = select.select([reader], [], [], _TRIAL_SECONDS)
        said = os.read(reader, 65536).decode() if there else ""
        if not there:
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(reader)
        with contextlib.suppress(ChildProcessError):  # gunicorn has done that
            os.waitpid(child, 0)
    _refuse_unless_ok(said)


def _verdict(engine: Engine) -> str:
    """What a trial says of an engine."""
    return _OK if engine.refusal is None else to_json(engine.refusal)


def _refuse_unless_ok(said: str) -> None:
    """Act on what a trial said.

    Raises:
        ReloadRefusedError: it was not `_OK`.
    """
    if said == _OK:
        return
    try:
        reason = from_json(said)
    except ValueError as error:
        raise ReloadRefusedError(_NO_TRIAL, f"the new model could not be tried out: {said!r}") from error
    raise ReloadRefusedError(reason)


# For POST /admin/reload ----------------------------------------------------------------------------------------------


class WorkerReloader:
    """In a worker of gunicorn: tries the new settings and files out in another process, then tells the master.

    Args:
        settings: in force.
        master: the process that forks the workers.
        make_signal: how a request waits, as `Admission` takes it.
    """

    def __init__(self, settings: Settings, master: int, make_signal: Callable[[], Signal]) -> None:
        self._settings = settings
        self._master = master
        self._thread = WorkerThread(make_signal, "reload")

    def __call__(self) -> Outcome:
        """Begin a reload. The master is told even where it will refuse, so that all workers know of it.

        Raises:
            ReloadRefusedError: it will be refused.
        """
        said = self._thread.run(self._try_out, 2 * _TRIAL_SECONDS)
        if not said:  # it did not get so far as to say what is wrong
            raise ReloadRefusedError(_NO_TRIAL)
        os.kill(self._master, signal.SIGHUP)
        _refuse_unless_ok(said)
        return Outcome.now("begun")

    def _try_out(self) -> str:
        former = {name: getattr(self._settings, name) for name in COMPARED}
        try:
            done = subprocess.run(
                [sys.executable, "-c", _TRIAL, json.dumps(former, default=str)], cwd=PROJECT_ROOT,
                stdout=subprocess.PIPE, text=True, encoding="utf-8", timeout=_TRIAL_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            log.error("A reload could not be tried out: %s", error)
            return ""
        return done.stdout.strip()


class ProcessReloader:
    """Where one process serves: puts a new application in the place of the old one. Made by `start`.

    Args:
        served: the application that the server was given; its `wsgi_app` is what answers.
        settings: in force.
    """

    def __init__(self, served: Flask, settings: Settings) -> None:
        self._served = self._app = served
        self._settings = settings
        self._one = threading.Lock()
        served.extensions["reloader"] = self
        atexit.register(self._close)

    @property
    def app(self) -> Flask:
        """The application that answers now."""
        return self._app

    @classmethod
    def start(cls, settings: Settings) -> Flask:
        """The application for a server of one process, which can use all cores; it can be reloaded."""
        from service import create_app  # here, since it imports this module

        settings = replace(settings, workers=1)
        app = create_app(settings)
        _log_accesses(app, settings)
        cls(app, settings)
        return app

    def __call__(self) -> Outcome:
        """Reload.

        Raises:
            ReloadRefusedError: the new settings or files cannot serve.
        """
        with self._one:
            try:
                settings, app = build(self._settings, one_process=True)
                engine: Engine = app.extensions["engine"]
                engine.open(1)
                if engine.refusal is not None:
                    raise ReloadRefusedError(engine.refusal)
                _record_in(self._settings, settings)
            except ReloadRefusedError as error:
                log.error(_REFUSED, error)
                outcome = Outcome.now("refused", error.reason)
                self._app.extensions["reload_outcome"] = outcome
                _note(self._app, outcome)
                raise
            _log_accesses(app, settings)
            outcome = Outcome.now("done")
            app.extensions["reload_outcome"], app.extensions["reloader"] = outcome, self
            self._close()
            self._settings, self._app = settings, app
            self._served.wsgi_app = app.wsgi_app  # type: ignore[method-assign]  # one assignment: no request sees half
            _note(app, outcome)
            after_a_reload()
            log.info("Reload done: requests from now on see the model and the settings as they are now")
            return outcome

    def _close(self) -> None:
        """Record what the application has counted and not recorded yet."""
        self._app.extensions["recorder"].close()


def _log_accesses(app: Flask, settings: Settings) -> None:
    """Where one process serves, its server has no log of requests in JSON."""
    if settings.log_format == "json":
        logs.log_accesses(app)


def main() -> None:
    """Try out the settings and files as they are now, for `WorkerReloader`; print "ok" or the reason."""
    former = convert(json.loads(sys.argv[1]), Settings, dec_hook=lambda kind, value: kind(value))  # paths are texts
    logs.configure(former.log_format)  # its lines go into the same log
    try:
        _, app = build(former)
        engine: Engine = app.extensions["engine"]
        engine.open(1)
        print(_verdict(engine))
    except ReloadRefusedError as error:
        log.error("Reload refused: %s", error)
        print(to_json(error.reason))
