"""Who connects while the service ends is answered, or does not connect."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from service.config import Settings
from service.listening import let_nobody_connect, stop_without_loss
from tests.service.support import shipped_gunicorn

if sys.platform != "linux":
    pytest.skip("the filter is Linux's", allow_module_level=True)


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as listener:
        try:
            listener.bind((request.param, 0))
        except OSError as error:
            pytest.skip(f"this machine has no {request.param}: {error}")
        listener.listen()
        listener.settimeout(10)
        yield listener


def connects(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a connection comes about at once."""
    try:
        with socket.create_connection((host, port), timeout=0.3):
            return True
    except TimeoutError:
        return False


def test_what_waits_is_accepted_and_nobody_else_connects(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    with socket.create_connection((host, port), timeout=10) as client:
        assert connects(port, host)
        let_nobody_connect(listener)
        assert not connects(port, host)
        accepted, _ = listener.accept()
        with accepted:
            client.sendall(b"a question")
            assert accepted.recv(100) == b"a question"
            accepted.sendall(b"an answer")
            assert client.recv(100) == b"an answer"


def test_a_connection_that_is_half_made_comes_about(listener: socket.socket) -> None:
    """As on a slow line: what completes it arrives later. Here, the system waits for the first data."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)
    with socket.create_connection(listener.getsockname()[:2], timeout=10) as client:
        let_nobody_connect(listener)
        client.sendall(b"a question")
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(100) == b"a question"


def test_a_socket_in_a_folder_is_left_as_it_is(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        let_nobody_connect(listener)
        client.connect(str(tmp_path / "s"))


def test_gunicorn_lets_nobody_connect_before_its_workers_end(settings: Settings, tmp_path: Path) -> None:
    """They are stopped here, so they cannot accept what the system would connect."""
    with shipped_gunicorn(settings, tmp_path) as server:
        workers = psutil.Process(server.process.pid).children()
        for worker in workers:
            worker.suspend()
        try:
            assert connects(server.port)
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 10
            while (connected := connects(server.port)) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not connected
        finally:
            for worker in workers:
                os.kill(worker.pid, signal.SIGCONT)
        assert server.process.wait(10) == 0


@pytest.mark.parametrize(
    ("graceful", "changes", "filtered"),
    [
        (True, {}, True),
        (False, {}, False),  # at once: whoever has connected is cut off, too
        (True, {"reexec_pid": 7}, False),  # a new master listens there
        (True, {"master_pid": 7}, False),  # the former one does
        (True, {"systemd": True}, False),  # systemd gives it to the next service
        (True, {"cfg": SimpleNamespace(address=[3])}, False),  # as whoever gave it as `-b fd://3`
    ],
)
def test_sockets_of_others_are_left_as_they_are(graceful: bool, changes: dict[str, Any], filtered: bool) -> None:
    stopped: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        arbiter = SimpleNamespace(
            stop=stopped.append, reexec_pid=0, master_pid=0, systemd=False, LISTENERS=[SimpleNamespace(sock=listener)],
            cfg=SimpleNamespace(address=[("127.0.0.1", 0)]),
        )  # fmt: skip
        vars(arbiter).update(changes)
        stop_without_loss(arbiter)
        arbiter.stop(graceful)
        assert stopped == [graceful]
        assert connects(listener.getsockname()[1]) is not filtered
