"""The development server, and waitress for Windows."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import requests

from service import waitress_server
from service.admission import MAX_WAITING
from service.config import PROJECT_ROOT, Settings
from service.waitress_server import SlowClients
from tests.ports import free_port
from tests.service.support import certify, head, running, server_environment

TOO_LARGE = "Archivo demasiado grande. Límite: 2 MB"
DEVELOPMENT = [sys.executable, "-m", "service"]

# What Python on Windows has no module of, and gunicorn, which does not run there. None makes an import fail.
_AS_ON_WINDOWS = """
import sys
for name in ("fcntl", "gevent", "grp", "gunicorn", "pwd", "resource", "termios"):
    sys.modules[name] = None
import service.__main__, service.waitress_server
assert service.create_app().test_client().get("/healthz").status_code == 200
"""


def run(
    settings: Settings, folder: Path, command: list[str] = DEVELOPMENT, **environment: str
) -> subprocess.CompletedProcess[str]:
    variables = server_environment(settings, 5000, folder) | environment
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False
    )


def test_development_server(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    with running(DEVELOPMENT, settings, tmp_path) as server:
        assert server.verify(me_photo).json()["is_me"] is True
        too_large = server.verify(bytes(20_000_000))
        assert too_large.status_code == 413 and too_large.json()["error"].endswith("2 MB")
        taken = run(settings, tmp_path, PORT=str(server.port))
    assert taken.returncode == 1
    assert taken.stderr.splitlines() == [
        f"Port {server.port} is taken by another program: stop that program, or set PORT to a free port."
    ]


def test_debug_mode_shows_no_debugger(no_models: Settings, tmp_path: Path) -> None:
    with running(DEVELOPMENT, replace(no_models, debug=True), tmp_path) as server:
        console = requests.get(f"{server.url}/console", timeout=5)
        assert (console.status_code, console.json()["code"]) == (404, "not_found")


def test_an_address_that_cannot_be_listened_on(no_models: Settings, tmp_path: Path) -> None:
    done = run(no_models, tmp_path, FLASK_HOST="nowhere.invalid")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "nowhere.invalid" in done.stderr and "FLASK_HOST" in done.stderr


def test_wrong_settings(no_models: Settings, tmp_path: Path) -> None:
    done = run(no_models, tmp_path, FLASK_DEBUG="maybe")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Wrong settings:"
    assert done.stderr.splitlines()[1].startswith("FLASK_DEBUG is 'maybe'; expected one of true")


@pytest.mark.parametrize("addresses", [1, 2])
def test_how_waitress_is_started(no_models: Settings, monkeypatch: pytest.MonkeyPatch, addresses: int) -> None:
    """For a name with several addresses it makes a server for each, and one of another kind around them."""
    started: dict[str, Any] = {}
    silent = [channel() for _ in range(addresses)]
    served = [SimpleNamespace(channel_class=None, active_channels={1: own}, run=lambda: None) for own in silent]
    around = SimpleNamespace(map=dict(enumerate([*served, SimpleNamespace()])), run=lambda: None)

    def create_server(_: Any, **given: Any) -> Any:
        started.update(given)
        return served[0] if addresses == 1 else around

    monkeypatch.setattr("waitress.create_server", create_server)
    monkeypatch.setattr(sys, "argv", ["waitress_server.py"])
    port = free_port()
    monkeypatch.setattr(Settings, "load", classmethod(lambda _: replace(no_models, port=port, workers=3)))
    waitress_server.main()
    assert (started["host"], started["port"]) == ("0.0.0.0", port)
    assert started["threads"] > 2 * MAX_WAITING
    assert all(one.channel_class is not None for one in served), "no body is kept that nobody reads"
    served[0].maintenance(1e9)  # type: ignore[attr-defined]
    assert all(own.will_close for own in silent)


WAITRESS = [sys.executable, "-m", "service.waitress_server"]


def test_waitress_for_real(settings: Settings, tmp_path: Path, me_photo: bytes, stranger_photo: bytes) -> None:
    """It runs everywhere: with slow clients, who are hung up on, and a right one, who does not notice them."""
    with running(WAITRESS, replace(settings, header_seconds=2), tmp_path) as server, ExitStack() as stack:
        slow = []
        for sent in (b"GET / HT", head("/verify", 100_000), b""):
            slow += [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10)) for _ in range(50)]
            for connection in slow[-50:]:
                connection.sendall(sent)
        until = time.monotonic() + 4.5
        with requests.Session() as session:  # a connection that stays open and is used
            while time.monotonic() < until:
                assert session.get(f"{server.url}/healthz", timeout=5).json() == {"status": "ok"}
                time.sleep(0.3)
        assert server.verify(me_photo).json()["is_me"] is True
        assert server.verify(stranger_photo).json()["is_me"] is False
        too_large = server.verify(bytes(20_000_000))
        assert (too_large.status_code, too_large.json()["error"]) == (413, TOO_LARGE)
        assert too_large.json()["detail"].startswith("La foto ocupa 19,08 MB y MAX_CONTENT_MB es 2.")
        closed = [is_closed(connection) for connection in slow]
        assert closed == [True] * 50 + [False] * 50 + [True] * 50  # the head of those has arrived
        assert "Server" not in requests.get(server.url, timeout=5).headers


@pytest.mark.slow
@pytest.mark.security
def test_who_reads_no_answer_is_hung_up_on_by_waitress(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    """More such clients than there are threads, each with some hundred requests."""
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 600
    with running(WAITRESS, replace(settings, header_seconds=2), tmp_path) as server, ExitStack() as stack:
        unread = []
        for _ in range(waitress_server.THREADS + 10):
            unread.append(stack.enter_context(socket.socket()))
            unread[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            unread[-1].settimeout(10)
            unread[-1].connect(("127.0.0.1", server.port))
            unread[-1].sendall(asked)
        time.sleep(8)  # until they are accepted, at least most of them
        until = time.monotonic() + 60
        while time.monotonic() < until and len(psutil.Process(server.process.pid).net_connections("tcp")) > 20:
            assert requests.get(f"{server.url}/livez", timeout=30).status_code == 200
            time.sleep(1)
        assert time.monotonic() < until, "they are still connected"
        assert server.verify(me_photo).json()["is_me"] is True


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def channel(requests: int = 0, arriving: Any = None, last_activity: float = 0.0) -> Any:
    """A connection of waitress; `closed` says how often it was closed."""
    own = SimpleNamespace(requests=[None] * requests, request=arriving, last_activity=last_activity, will_close=False)
    own.closed = 0
    own.server = SimpleNamespace(trigger=SimpleNamespace(pull_trigger=lambda work: work()))

    def handle_close() -> None:
        own.closed += 1

    own.handle_close = handle_close
    return own


class Arriving:
    def __init__(self, headers_finished: bool) -> None:
        self.headers_finished = headers_finished


def test_who_lets_waitress_wait_is_closed_in_time() -> None:
    silent, head_only, body, answered = channel(), channel(arriving=Arriving(False)), channel(), channel(requests=1)
    body.request = Arriving(True)
    channels = [silent, head_only, body, answered]
    slow = SlowClients(header_seconds=10)

    def closed(now: float) -> list[bool]:
        for own in channels:
            own.last_activity = now if own is not silent else 0.0  # a byte now and then changes nothing
        slow.close_them(channels, now)
        return [own.will_close for own in channels]

    assert closed(1.0) == [False] * 4
    assert closed(10.5) == [True, False, False, False]
    assert closed(11.5) == [True, True, False, False]
    assert closed(60.5) == [True, True, False, False]
    assert closed(61.5) == [True, True, True, False]


def test_where_there_are_too_many_the_longest_waiting_go_and_no_request_in_work() -> None:
    working = [channel(requests=1) for _ in range(5)]
    waiting = [channel(last_activity=float(number)) for number in (3, 1, 2, 4, 5)]
    SlowClients(header_seconds=100, connections=10).close_them([*working, *waiting], 6.0)
    assert [own.last_activity for own in waiting if own.will_close] == [1.0]
    assert not any(own.will_close for own in working)


@pytest.mark.security
def test_who_is_to_be_closed_is_closed_though_nothing_can_be_sent_to_it() -> None:
    """waitress by itself does it when something can be sent: where a client does not read, that is never."""
    silent, working, hung_up = channel(), channel(requests=1), channel(requests=1)
    hung_up.will_close = True  # it left too much unread
    SlowClients(header_seconds=10).close_them([silent, working, hung_up], 10.5)
    assert [own.closed for own in (silent, working, hung_up)] == [1, 0, 1]


def test_waitress_has_no_tls(settings: Settings, tmp_path: Path) -> None:
    certificate, key = certify(tmp_path)
    done = run(settings, tmp_path, WAITRESS, TLS_CERT_PATH=str(certificate), TLS_KEY_PATH=str(key))
    assert done.returncode == 1 and done.stderr.startswith("TLS_CERT_PATH: waitress has no TLS")


def test_waitress_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "waitress", None)
    monkeypatch.setattr(sys, "argv", ["waitress_server.py"])
    with pytest.raises(SystemExit, match=r"pip install waitress, or use service/run_gunicorn\.sh instead"):
        waitress_server.main()


@pytest.mark.parametrize("module", ["service", "service.waitress_server"])
@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--port=5001", 2)])
def test_arguments_are_not_passed_over(module: str, argument: str, code: int) -> None:
    command = [sys.executable, "-m", module, argument]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert f"usage: python -m {module} [-h]" in done.stdout + done.stderr
    assert "variables of the environment" in done.stdout + done.stderr
    assert ("unrecognized arguments: --port=5001" in done.stderr) == (code == 2)


def test_what_windows_lacks_is_not_needed(settings: Settings, tmp_path: Path) -> None:
    """Neither to start the servers that run there nor to load the models."""
    done = subprocess.run(
        [sys.executable, "-c", _AS_ON_WINDOWS], cwd=PROJECT_ROOT, env=server_environment(settings, 5000, tmp_path),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_slim_requirements_are_pinned_as_the_whole_project() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = (line.partition("#")[0].partition(";")[0].strip() for line in path.read_text().splitlines())
        pairs = (line.partition("==") for line in lines if "==" in line)
        return {name.lower(): version for name, _, version in pairs}

    slim, whole = pins(PROJECT_ROOT / "service/requirements.txt"), pins(PROJECT_ROOT / "requirements.txt")
    assert len(slim) == 23 and slim.items() <= whole.items()
