"""Whatever others do with their connections, a right client is answered, and soon."""

from __future__ import annotations

import os
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests
from flask import request

from bench.support.attacks import ATTACKS, Attack, posting
from bench.support.hostile import png
from bench.support.servers import Server as BenchServer
from bench.support.servers import multipart
from service import create_app
from service.config import PROJECT_ROOT, Settings
from tests.service.support import (
    Server,
    certify,
    head,
    posix_only,
    running,
    shipped_gunicorn,
)

pytestmark = posix_only

SOCKETS = 300
SECONDS = 5.0
"""What a right client waits at most; without an attack it is some hundredths, and other tests run beside this one."""


def workers(server: Server) -> set[int]:
    return {child.pid for child in psutil.Process(server.process.pid).children()}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_right_client_is_answered(gunicorn: Server, me_photo: bytes, attack: Attack) -> None:
    score = gunicorn.verify(me_photo).json()["score"]
    before = workers(gunicorn)
    with attack.hold(BenchServer("127.0.0.1", gunicorn.port, gunicorn.process), SOCKETS):
        for _ in range(5):
            started = time.monotonic()
            assert requests.get(f"{gunicorn.url}/healthz", timeout=60).json() == {"status": "ok"}
            assert time.monotonic() - started < SECONDS
            started = time.monotonic()
            assert gunicorn.verify(me_photo).json()["score"] == pytest.approx(score, abs=1e-4)
            assert time.monotonic() - started < SECONDS
    assert workers(gunicorn) == before
    assert "Traceback" not in gunicorn.log


@pytest.mark.slow
@pytest.mark.security
@pytest.mark.timeout(180)
def test_costly_photos_of_others_keep_nobody_waiting(gunicorn: Server, me_photo: bytes) -> None:
    """Thirty clients post, each as soon as it has its answer, what takes half a second to decode."""
    score = gunicorn.verify(me_photo).json()["score"]
    before = workers(gunicorn)
    large = png((8000, 6000), 8, 6)
    with posting(large)(BenchServer("127.0.0.1", gunicorn.port, gunicorn.process), 30):
        answer = gunicorn.verify(large)
        assert answer.status_code in (400, 503)  # it has no face
        for _ in range(10):
            started = time.monotonic()
            assert gunicorn.verify(me_photo).json()["score"] == pytest.approx(score, abs=1e-4)
            assert time.monotonic() - started < SECONDS
            assert requests.get(f"{gunicorn.url}/readyz", timeout=5).json() == {"status": "ok"}
    assert workers(gunicorn) == before
    assert gunicorn.verify(large).status_code == 400
    assert "Traceback" not in gunicorn.log


def closes_after(connection: socket.socket) -> float:
    started = time.monotonic()
    while connection.recv(1000):
        pass
    return time.monotonic() - started


def test_a_head_that_does_not_come_is_waited_for_as_long_as_is_set(settings: Settings, tmp_path: Path) -> None:
    """Its bytes may trickle. And the same is true of the next request on a connection that stays open."""
    with shipped_gunicorn(replace(settings, header_seconds=2), tmp_path) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        silent, trickling, kept = (stack.enter_context(socket.create_connection(address, 20)) for _ in range(3))
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        silent.sendall(b"GET /healthz HT")
        started = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - started < 15:
                trickling.sendall(b"x")
                time.sleep(0.2)
        assert 1.5 < time.monotonic() - started < 10
        assert closes_after(silent) < 5 and closes_after(kept) < 5


UNREAD = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 60
"""Requests whose answers fill whatever the system keeps for a client that does not read."""


@pytest.mark.parametrize(
    "sent", [b"GET /healthz HT", head("/verify", 1000) + b"--limite", UNREAD], ids=["head", "body", "answer"]
)
def test_who_has_waited_longest_for_its_client_makes_room(
    settings: Settings, tmp_path: Path, me_photo: bytes, sent: bytes
) -> None:
    """With 256 file descriptors a worker cannot hold 300 connections: it neither ends nor lets a right client wait."""
    script = str(PROJECT_ROOT / "service/run_gunicorn.sh")
    command = ["/bin/sh", "-c", f"ulimit -n 256; exec {script} -w 1"]
    with running(command, settings, tmp_path, tmp_path, 1) as server, ExitStack() as stack:
        before = workers(server)
        for _ in range(2):
            for _ in range(300):
                connection = stack.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
                connection.settimeout(10)
                connection.connect(("127.0.0.1", server.port))
                connection.sendall(sent)
            assert requests.get(f"{server.url}/healthz", timeout=SECONDS).status_code == 200
            assert server.verify(me_photo).json()["is_me"] is True
        assert workers(server) == before
        assert "Traceback" not in server.log


PIDS = Path("/sys/fs/cgroup/pids")


@pytest.mark.skipif(not os.access(PIDS / "cgroup.procs", os.W_OK), reason="no control group can be made here")
def test_eighty_clients_where_no_thread_can_be_made(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    group = PIDS / f"face-verification-{os.getpid()}"
    group.mkdir()
    try:
        (group / "pids.max").write_text("60")
        script = str(PROJECT_ROOT / "service/run_gunicorn.sh")
        command = ["/bin/sh", "-c", f"echo $$ > {group / 'cgroup.procs'}; exec {script} -w 2"]
        with running(command, settings, tmp_path, tmp_path, 2) as server, ThreadPoolExecutor(80) as clients:
            before = workers(server)
            answers = list(clients.map(lambda _: server.verify(me_photo), range(160)))
            assert {answer.status_code for answer in answers} <= {200, 503}
            assert any(answer.status_code == 200 for answer in answers)
            assert workers(server) == before
            assert "Traceback" not in server.log
    finally:
        group.rmdir()


def test_uploads_take_no_place_in_the_queue_until_they_are_there(gunicorn: Server, me_photo: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", gunicorn.port), 10))
            connection.sendall(head("/verify", 100_000) + b"--limite\r\n")
        for _ in range(5):
            assert gunicorn.verify(me_photo).status_code == 200
            assert requests.get(f"{gunicorn.url}/readyz", timeout=5).json() == {"status": "ok"}


def test_who_announces_much_and_sends_nothing_stops_no_slow_client(
    settings: Settings, tmp_path: Path, me_photo: bytes
) -> None:
    """Of 200 bodies of 2 MB, heads alone come, while a photo arrives piece by piece."""
    with shipped_gunicorn(settings, tmp_path, workers=1) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        body, kind = multipart(me_photo)
        slow = stack.enter_context(socket.create_connection(address, 10))
        slow.sendall(head("/verify", len(body), kind))
        size = len(body) // 19
        for start in range(0, len(body), size):
            slow.sendall(body[start : start + size])
            for _ in range(10):
                stack.enter_context(socket.create_connection(address, 10)).sendall(head("/verify", 2_100_000))
            time.sleep(0.05)
        assert slow.recv(1000).startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
def test_who_sends_too_much_at_once_gives_up_what_has_taken_most(settings: Settings, tmp_path: Path) -> None:
    """Bodies that are on their way may hold 128 MiB together: of 70 times 2 MB, the first is given up."""
    with shipped_gunicorn(settings, tmp_path, workers=1) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        small = stack.enter_context(socket.create_connection(address, 10))
        small.sendall(head("/verify", 100_000) + b"--limite\r\n")
        connections = []
        for _ in range(70):
            connections.append(stack.enter_context(socket.create_connection(address, 10)))
            connections[-1].sendall(head("/verify", 2_100_000) + b"--limite\r\n" + bytes(2_000_000))
            if len(connections) == 1:
                time.sleep(1)  # it is read now; of several at once, each may be read last, and be no more than begun
        assert connections[0].recv(1000).startswith(b"HTTP/1.1 400 ")
        for connection in (small, connections[-1]):
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.recv(1000)


def test_no_client_says_at_which_path_it_asks(gunicorn: Server, me_photo: bytes) -> None:
    headers = {"SCRIPT_NAME": "/healthz", "Script-Name": "/healthz"}
    answer = requests.post(
        f"{gunicorn.url}/healthz/verify", files={"image": ("a.jpg", me_photo)}, headers=headers, timeout=10
    )
    assert answer.status_code == 404


def test_answers_are_kept_by_nobody_and_name_no_server(gunicorn: Server) -> None:
    for path in ("/healthz", "/nada"):
        headers = requests.get(gunicorn.url + path, timeout=5).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in headers


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_proxy_is_trusted_if_it_is_set(settings: Settings, proxies: int) -> None:
    app = create_app(replace(settings, trusted_proxies=proxies))
    seen: list[tuple[str, str | None, str]] = []
    app.before_request(lambda: seen.append((request.scheme, request.remote_addr, request.host)))
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Forwarded-Host": "x.example"}
    app.test_client().get("/healthz", headers=headers)
    assert seen == [("https", "203.0.113.7", "x.example") if proxies else ("http", "127.0.0.1", "localhost")]


def test_tls_without_a_proxy(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    """With clients that do not finish the handshake, and one that sends a too large photo."""
    certificate, key = certify(tmp_path)
    secured = replace(settings, tls_cert_path=certificate, tls_key_path=key, header_seconds=2)
    with shipped_gunicorn(secured, tmp_path) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        silent = [stack.enter_context(socket.create_connection(address, 20)) for _ in range(200)]
        silent[1].sendall(b"\x16\x03\x01")
        health = requests.get(f"{server.url}/healthz", verify=server.certificate, timeout=SECONDS)
        assert health.json() == {"status": "ok"}
        assert server.verify(me_photo, timeout=SECONDS).json()["is_me"] is True
        assert server.verify(bytes(20_000_000)).status_code == 413
        assert closes_after(silent[0]) < 10 and closes_after(silent[1]) < 10
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError), socket.create_connection(address, 10) as plain:
            old.wrap_socket(plain)
        assert "Traceback" not in server.log
