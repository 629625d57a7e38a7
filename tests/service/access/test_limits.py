"""How often a key, an address, and somebody with a wrong key may ask."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from redis.connection import Connection

from service.access.limits import WorkerStorage, client_of_request
from service.access.redis_connection import CONNECT_SECONDS, TimedConnection
from tests.ports import free_port

pytestmark = pytest.mark.security

TOO_MANY = "Demasiadas peticiones. Inténtalo de nuevo más tarde"
Build = Callable[..., FlaskClient]
MakeKey = Callable[..., str]


def ask(
    client: FlaskClient, times: int, key: str | None = None, address: str = "10.0.0.1", path: str = "/version"
) -> Counter[int]:
    """How often each status was answered."""
    headers = {"X-API-Key": key} if key else {}
    answers = [client.get(path, headers=headers, environ_base={"REMOTE_ADDR": address}) for _ in range(times)]
    for answer in answers:
        if answer.status_code == 429:
            assert answer.json is not None and answer.json["error"] == TOO_MANY
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            assert answer.headers["Retry-After"] in answer.json["detail"]
    return Counter(answer.status_code for answer in answers)


def test_a_key_and_an_address_have_limits_of_their_own(build: Build, make_key: MakeKey) -> None:
    ana, ben = make_key("verify"), make_key("verify")
    client = build(workers=1, key_limit="5/minute", address_limit="8/minute")
    assert ask(client, 7, ana) == {200: 5, 429: 2}
    assert ask(client, 7, ben, "10.0.0.2") == {200: 5, 429: 2}
    assert ask(client, 9, ana, "10.0.0.3") == {429: 9}, "another address does not help"


def test_an_address_has_one_limit_for_all_its_keys(build: Build, make_key: MakeKey) -> None:
    ana, ben = make_key("verify"), make_key("verify")
    client = build(workers=1, address_limit="6/minute")
    assert ask(client, 4, ana) + ask(client, 4, ben) == {200: 6, 429: 2}
    assert ask(client, 1, ana, "10.0.0.2") == {200: 1}


def test_who_waits_is_a_key_or_an_address(build: Build, make_key: MakeKey) -> None:
    """Where photos wait, these take turns: the holders of two keys behind one address, too."""
    app = build().application

    def asks(**headers: str) -> str:
        with app.test_request_context("/verify", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.1"}):
            app.preprocess_request()
            return client_of_request()

    assert asks() == "10.0.0.1"
    clients = {asks(**{"X-API-Key": make_key("verify")}) for _ in range(2)}
    assert len(clients) == 2
    assert all(client.startswith("key ") for client in clients)


def test_a_network_of_ipv6_is_one_client(build: Build, make_key: MakeKey) -> None:
    ana = make_key("verify")
    client = build(workers=1, address_limit="2/minute")
    assert ask(client, 2, ana, "2001:db8::1") == {200: 2}
    assert ask(client, 1, ana, "2001:db8::ffff:1") == {429: 1}
    assert ask(client, 1, ana, "2001:db8:0:1::1") == {200: 1}
    assert ask(client, 2, ana, "::ffff:10.0.0.9") == {200: 2}
    assert ask(client, 1, ana, "10.0.0.9") == {429: 1}


@pytest.mark.parametrize("path", ["/version", "/nowhere", "/verify"])
def test_wrong_keys_are_limited_and_right_ones_beside_them_are_not(build: Build, make_key: MakeKey, path: str) -> None:
    ana = make_key("verify")
    client = build(workers=1, failed_key_limit="3/minute")
    assert ask(client, 5, "wrong", path=path) == {401: 3, 429: 2}
    assert ask(client, 2, None, path=path) == {429: 2}
    assert ask(client, 2, ana) == {200: 2}, "somebody else at that address has a right key"
    assert ask(client, 1, "wrong", "10.0.0.2", path) == {401: 1}


def test_what_needs_no_key_is_not_limited(build: Build, make_key: MakeKey) -> None:
    make_key("verify")
    client = build(workers=1, key_limit="1/minute", address_limit="1/minute", failed_key_limit="1/minute")
    assert ask(client, 20, path="/livez") == {200: 20}


def test_a_worker_counts_against_its_share(build: Build, make_key: MakeKey) -> None:
    ana = make_key("verify")
    assert ask(build(workers=4, key_limit="9/minute"), 4, ana) == {200: 2, 429: 2}
    assert ask(build(workers=4, key_limit="2/minute"), 2, ana) == {200: 1, 429: 1}


def test_without_keys_an_address_is_limited_where_the_setting_says_so(build: Build) -> None:
    assert ask(build(workers=1, address_limit="2/minute", audit_path=None), 5) == {200: 5}
    assert ask(build(workers=1, address_limit="2/minute"), 5) == {200: 2, 429: 3}, "a flood must not fill the audit log"
    assert ask(build(workers=1, address_limit="2/minute", address_limit_given=True), 5) == {200: 2, 429: 3}


def test_a_limit_can_be_off(build: Build, make_key: MakeKey) -> None:
    ana = make_key("verify")
    client = build(workers=1, key_limit=None, address_limit=None, failed_key_limit=None)
    assert ask(client, 30, ana) == {200: 30} and ask(client, 40, "wrong") == {401: 40}


class TestWorkerStorage:
    """What a worker counts in its own memory."""

    def test_it_counts_until_the_time_is_over(self) -> None:
        storage = WorkerStorage()
        assert [storage.incr("a", 0.05), storage.incr("a", 0.05), storage.incr("b", 60)] == [1, 2, 1]
        assert storage.get("a") == 2 and 0 < storage.get_expiry("a") - time.time() <= 0.05
        time.sleep(0.06)
        assert storage.get("a") == 0 and storage.incr("a", 60) == 1

    def test_a_clock_that_steps_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        storage = WorkerStorage()
        storage.incr("a", 60)
        now = time.time()
        for shift in (-100_000, 100_000):
            monkeypatch.setattr(time, "time", lambda shift=shift: now + shift)
            assert storage.get("a") == 1

    def test_many_addresses_do_not_fill_the_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("service.access.limits._MOST_COUNTERS", 100)
        storage = WorkerStorage()
        storage.incr("kept", 10_000)
        for number in range(1000):
            storage.incr(f"address {number}", 60)
        assert storage.reset() is not None and storage.reset() == 0
        for number in range(1000):
            storage.incr(f"address {number}", 60)
            assert len(storage._counters) <= 100
        storage.clear("address 999")
        assert storage.get("address 999") == 0 and storage.get("address 998") == 1

    @pytest.mark.security
    def test_room_is_made_seldom(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where one counter ends while another one comes, each request would look at all of them."""
        now, cleaned = [0.0], [0]

        class Watched(WorkerStorage):
            def _clean(self, now: float) -> None:
                cleaned[0] += 1
                super()._clean(now)

        monkeypatch.setattr("service.access.limits._MOST_COUNTERS", 100)
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        storage = Watched()
        for number in range(300):
            now[0] += 1.0
            storage.incr(f"address {number}", 100.5)
        assert 0 < cleaned[0] <= 300 // 9


@contextmanager
def redis_server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_redis(url: str) -> None:
    import redis

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            redis.from_url(url).ping()
        except redis.ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("Redis did not answer")


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="Redis is not installed")
def test_with_redis_the_workers_count_together_and_without_it_each_for_itself(
    build: Build, make_key: MakeKey, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    url = f"redis://127.0.0.1:{port}"
    ana = make_key("verify")
    with redis_server(tmp_path, port):
        wait_for_redis(url)
        first, second = (build(workers=2, key_limit="6/minute", limits_storage=url) for _ in range(2))
        assert ask(first, 4, ana) + ask(second, 4, ana) == {200: 6, 429: 2}
    caplog.clear()
    begun = time.monotonic()
    assert ask(first, 5, ana) == {200: 3, 429: 2}, "Redis is gone: its share of 6, for 2 workers"
    assert ask(second, 5, ana) == {200: 3, 429: 2}
    assert time.monotonic() - begun < 5, "nobody waits long for a Redis that is gone"
    gone = [record for record in caplog.records if "storage unreachable" in record.getMessage()]
    assert len(gone) == 2, "each worker says it once"
    with redis_server(tmp_path, port):
        wait_for_redis(url)
        time.sleep(1.1)  # the library looks after 1, 2, 4, … seconds
        assert ask(first, 1, ana)[200] + ask(first, 5, ana)[200] >= 5
        assert "recovered" in caplog.text


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_resolver_that_hangs_keeps_nobody_waiting(
    build: Build, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    ana = make_key("verify")
    client = build(workers=1, key_limit="3/minute", limits_storage=f"{scheme}://redis.example:6379")
    go_on, asked = threading.Event(), []

    def hang(*name: object, **_: object) -> list[object]:
        asked.append(name)
        go_on.wait(10)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)
    try:
        begun = time.monotonic()
        assert ask(client, 5, ana) == {200: 3, 429: 2}, "each worker counts for itself"
        assert time.monotonic() - begun < 5 * CONNECT_SECONDS
        assert "storage unreachable" in caplog.text
        assert asked and asked[0][0] == "redis.example"
        for _ in range(6):
            assert not client.application.extensions["rate_limits"]._storage.check()
        assert len(asked) <= 4, "threads that wait for the resolver do not pile up"
    finally:
        go_on.set()


def test_a_connection_that_comes_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.access.redis_connection.CONNECT_SECONDS", 0.05)
    connect, go_on = Connection._connect, threading.Event()
    made = []  # else Python closes what nobody has any more

    def slow(connection: Connection) -> socket.socket:
        go_on.wait(30)
        made.append(connect(connection))
        return made[0]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(Connection, "_connect", slow)
        with pytest.raises(TimeoutError):
            TimedConnection(port=listener.getsockname()[1], host="127.0.0.1")._connect()
        go_on.set()
        listener.settimeout(10)
        accepted, _ = listener.accept()
        with accepted:
            accepted.settimeout(10)
            assert accepted.recv(1) == b"", "the other end has hung up"


def test_a_redis_that_was_never_there_does_not_stop_the_service(build: Build, make_key: MakeKey) -> None:
    ana = make_key("verify")
    client = build(workers=1, key_limit="3/minute", limits_storage=f"redis://127.0.0.1:{free_port()}")
    assert ask(client, 5, ana) == {200: 3, 429: 2}
