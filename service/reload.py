"""A new model and new settings without a restart: all of it changes together, or nothing does.

A whole new application is built from the settings and files as they are now: model, scaler, networks, threshold,
limits, where the keys are. It is tried out as it would serve. Then it takes the place of the old one, so no request
sees a mixture. Where something is wrong with it, the old one serves on, and the log and `/readyz` say why.

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
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Flask

from service.access.keys import KeyRing
from service.address import check_address
from service.admission import Signal
from service.config import PROJECT_ROOT, Settings, SettingsError
from service.engine import Engine
from service.monitoring.logs import log_accesses
from service.worker_threads import WorkerThread

_TRIAL_SECONDS = 60.0
_WRONG_SETTINGS = "Los ajustes nuevos no se pueden usar; el registro del servicio dice por qué"
_OPENED = "Los ajustes nuevos abrirían a todos un servicio que pide claves: revisa KEYS_PATH, o pon REQUIRE_KEYS=true"
_REFUSED = "Reload refused: the former model and settings serve on:\n%s"
_NO_TRIAL = "El modelo nuevo no se ha podido probar; el registro del servicio dice por qué"

log = logging.getLogger("service.reload")


class ReloadRefusedError(Exception):
    """The new settings or files cannot serve.

    Attributes:
        reason: in Spanish, without a secret or a path: anybody may read it.
    """

    def __init__(self, reason: str, log_text: str | None = None) -> None:
        super().__init__(log_text or reason)
        self.reason = reason


@dataclass(frozen=True)
class Outcome:
    """What came of the last reload.

    Attributes:
        status: "done"; "refused", and the old model and settings serve on; or "begun": ask /readyz.
        time: UTC, in ISO 8601.
        reason: why it was refused, in Spanish.
    """

    status: Literal["done", "refused", "begun"]
    time: str
    reason: str | None = None

    @classmethod
    def now(cls, status: Literal["done", "refused", "begun"], reason: str | None = None) -> Outcome:
        """What has just come of one."""
        return cls(status, datetime.now(UTC).isoformat(timespec="seconds"), reason)

    def as_json(self) -> dict[str, str]:
        """As /readyz shows it."""
        return {"status": self.status, "time": self.time} | ({"reason": self.reason} if self.reason else {})


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
        raise ReloadRefusedError(_WRONG_SETTINGS, str(error)) from error
    if one_process:
        settings = replace(settings, workers=1, host=former.host, port=former.port, debug=former.debug)
    if (settings.host, settings.port) != (former.host, former.port):
        try:
            check_address(settings.host, settings.port)
        except SystemExit as error:
            raise ReloadRefusedError(_WRONG_SETTINGS, str(error)) from error
    asked_for_keys = KeyRing(former.keys_path, former.require_keys).needed
    if asked_for_keys and not KeyRing(settings.keys_path, settings.require_keys).needed:
        raise ReloadRefusedError(_OPENED)
    try:
        app = create_app(settings)
    except Exception as error:  # whatever it is, the master must not end for it
        log.exception("a new application could not be built")
        raise ReloadRefusedError(_NO_TRIAL, f"the new application could not be built ({error!r})") from error
    engine: Engine = app.extensions["engine"]
    if engine.problem is not None:
        raise ReloadRefusedError(engine.problem.detail)
    return settings, app


# In gunicorn's master ------------------------------------------------------------------------------------------------


@dataclass
class _Serving:
    """What the master serves with.

    Attributes:
        settings: in force.
        next_app: the application that a reload has made, until gunicorn takes it over.
        outcome: of the last reload.
    """

    settings: Settings
    next_app: Flask | None = None
    outcome: Outcome | None = None


_serving: list[_Serving] = []  # one at most: gunicorn reads its file anew, in the same process


def settings_in_force() -> Settings:
    """The settings, for gunicorn's file. At the first call they are read; each later call is a reload.

    Raises:
        SettingsError: at the first call, they cannot be used.
    """
    if not _serving:
        _serving.append(_Serving(Settings.load()))
        return _serving[0].settings
    serving = _serving[0]
    try:
        settings, app = build(serving.settings)
        _try_in_a_fork(app.extensions["engine"])
    except ReloadRefusedError as error:
        log.error(_REFUSED, error)
        serving.next_app, serving.outcome = None, Outcome.now("refused", error.reason)
    else:
        serving.settings, serving.next_app, serving.outcome = settings, app, Outcome.now("done")
    return serving.settings


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
        digests = app.extensions["engine"].digests
        app.extensions["recorder"].note("reloaded", outcome=serving.outcome.status, **digests)


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
            os.write(writer, ("ok" if engine.problem is None else engine.problem.detail).encode())
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
    if said != "ok":
        raise ReloadRefusedError(said or _NO_TRIAL, None if said else "the new model could not be tried out")


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
        if said != "ok":
            raise ReloadRefusedError(said)
        return Outcome.now("begun")

    def _try_out(self) -> str:
        where = json.dumps(
            [str(self._settings.keys_path), self._settings.require_keys, self._settings.host, self._settings.port]
        )
        try:
            done = subprocess.run(
                [sys.executable, "-m", "service.reload", where], cwd=PROJECT_ROOT,
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
                if engine.problem is not None:
                    raise ReloadRefusedError(engine.problem.detail)
            except ReloadRefusedError as error:
                log.error(_REFUSED, error)
                self._app.extensions["reload_outcome"] = Outcome.now("refused", error.reason)
                raise
            _log_accesses(app, settings)
            outcome = Outcome.now("done")
            app.extensions["reload_outcome"], app.extensions["reloader"] = outcome, self
            self._close()
            self._settings, self._app = settings, app
            self._served.wsgi_app = app.wsgi_app  # type: ignore[method-assign]  # one assignment: no request sees half
            log.info("Reload done: requests from now on see the model and the settings as they are now")
            return outcome

    def _close(self) -> None:
        """Record what the application has counted and not recorded yet."""
        self._app.extensions["recorder"].close()


def _log_accesses(app: Flask, settings: Settings) -> None:
    """Where one process serves, its server has no log of requests in JSON."""
    if settings.log_format == "json":
        log_accesses(app)


def main() -> None:
    """Try out the settings and files as they are now, for `WorkerReloader`; print "ok" or the reason."""
    keys_path, require_keys, host, port = json.loads(sys.argv[1])
    former = Settings(keys_path=PROJECT_ROOT / keys_path, require_keys=require_keys, host=host, port=port)
    try:
        _, app = build(former)
        engine: Engine = app.extensions["engine"]
        engine.open(1)
        print("ok" if engine.problem is None else engine.problem.detail)
    except ReloadRefusedError as error:
        log.error("Reload refused: %s", error)
        print(error.reason)


if __name__ == "__main__":
    main()
