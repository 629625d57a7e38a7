"""The parts of gunicorn's worker that can be tried alone."""

from __future__ import annotations

import hmac
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.config import PROJECT_ROOT
from tests.service.support import certify

if sys.platform == "win32":
    pytest.skip("gunicorn does not run on Windows", allow_module_level=True)

import gevent
import gevent.socket
import gevent.ssl
from gevent.event import Event
from gevent.pool import Pool
from gunicorn.workers.ggevent import GeventWorker

from service.connections import Connection, FairReader, TlsConnection, Turns
from service.worker import (
    PATIENCE_SECONDS,
    SPARE_FILES,
    UPLOADS_BYTES,
    LoopSignal,
    Worker,
    _discard_rest,
    _Upload,
)

_MOST = """
import resource, sys
from service.worker import most_connections
wanted, soft, hard = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(most_connections(wanted), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("wanted", "soft", "hard", "most", "soft_then"),
    [
        (100, 1024, 2048, 100, 1024),  # enough as it is
        (1000, 256, 2048, 1000, 1000 + SPARE_FILES),  # raised as far as is needed
        (2000, 256, 1024, 1024 - SPARE_FILES, 1024),  # raised as far as it can be
        (2000, 256, 256, 256 - SPARE_FILES, 256),  # cannot be raised
        (2000, 70, 70, 16, 70),  # a service of a few is better than none
    ],
)
def test_most_connections(wanted: int, soft: int, hard: int, most: int, soft_then: int) -> None:
    """In a process of its own: limits cannot be raised again."""
    command = [sys.executable, "-c", _MOST, str(wanted), str(soft), str(hard)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [str(most), str(soft_then), str(hard)]


class TestTurns:
    def order(self, *had: float) -> list[float]:
        """In which order greenlets pass that come at once, in this order, having had so much."""
        turns, passed = Turns(), []

        def come(own: float) -> None:
            turns.wait(own)
            passed.append(own)

        gevent.joinall([gevent.spawn(come, own) for own in had], timeout=10, raise_error=True)
        return passed

    def test_who_has_had_less_comes_first(self) -> None:
        assert self.order(5.0, 1.0, 3.0, 2.0) == [1.0, 2.0, 3.0, 5.0]

    def test_of_those_with_as_much_the_first_comes_first(self) -> None:
        turns, passed = Turns(), []

        def come(name: str) -> None:
            turns.wait(1.0)
            passed.append(name)

        gevent.joinall([gevent.spawn(come, name) for name in "abcde"], timeout=10, raise_error=True)
        assert passed == list("abcde")

    def test_who_comes_later_with_less_goes_before_those_who_wait(self) -> None:
        """One that takes its turn again and again keeps nobody waiting for longer than one turn."""
        turns, passed = Turns(), []

        def much() -> None:
            for number in range(1, 50):
                turns.wait(1000.0 * number)
                passed.append("much")

        def little() -> None:
            while len(passed) < 5:
                gevent.sleep(0)
            before = len(passed)
            turns.wait(1.0)
            passed.append("little")
            assert len(passed) - before <= 3

        gevent.joinall([gevent.spawn(much), gevent.spawn(much), gevent.spawn(little)], timeout=10, raise_error=True)
        assert passed.count("much") == 98 and passed.count("little") == 1

    def test_all_else_has_its_turn_in_between(self) -> None:
        turns, ticks = Turns(), [0]
        ended = Event()

        def tick() -> None:
            while not ended.is_set():
                ticks[0] += 1
                gevent.sleep(0)

        def busy() -> None:
            for number in range(100):
                turns.wait(float(number))

        ticker = gevent.spawn(tick)
        gevent.joinall([gevent.spawn(busy) for _ in range(3)], timeout=10, raise_error=True)
        ended.set()
        ticker.join(timeout=10)
        assert ticks[0] >= 50

    def test_who_gives_up_waiting_holds_nobody_up(self) -> None:
        turns, passed = Turns(), []

        def come(name: str) -> None:
            turns.wait(1.0)
            passed.append(name)

        greenlets = [gevent.spawn(come, name) for name in "abc"]
        gevent.sleep(0)
        greenlets[1].kill()
        gevent.joinall(greenlets, timeout=10)
        assert passed == ["a", "c"] or passed == ["a", "b", "c"]
        gevent.spawn(come, "later").get(timeout=10)
        assert passed[-1] == "later"


def test_what_was_had_is_forgotten_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second later it counts half; so a client that sent much once is not the last for ever."""
    now, asked = [100.0], []

    class Noted(Turns):
        def wait(self, had: float, _: Event | None = None) -> None:
            asked.append(had)

    reader = FairReader()
    reader.turns = Noted()
    monkeypatch.setattr("service.connections.time.monotonic", lambda: now[0])
    reader.take_turn(1000)
    reader.take_turn(500)
    now[0] += 1
    reader.take_turn(100)
    now[0] += 60
    reader.take_turn(1)
    assert asked == [pytest.approx(1000), pytest.approx(1500), pytest.approx(850), pytest.approx(1, abs=1e-3)]


@pytest.mark.security
def test_small_pieces_count_for_more_than_their_bytes() -> None:
    """To handle one byte takes a tenth of what 64 KiB take, so who sends single bytes does not come first for ever."""
    ours, theirs = gevent.socket.socketpair()
    with theirs, connected(ours) as connection:
        for _ in range(20):
            theirs.sendall(b"x")
            assert connection.recv(1000) == b"x"
        assert connection.had > 64 * 1024


def connected(ours: gevent.socket.socket) -> Connection:
    """The same socket, as a connection of a worker."""
    connection = Connection(ours.family, ours.type, ours.proto, fileno=ours.detach())
    connection.turns, connection.unread = Turns(), {}
    return connection


def test_a_connection_reads_in_small_steps() -> None:
    ours, theirs = gevent.socket.socketpair()
    with theirs, connected(ours) as connection:
        sender = gevent.spawn(theirs.sendall, bytes(1_000_000))
        sizes, total = [], 0
        while total < 1_000_000:
            sizes.append(len(connection.recv(2**20)))
            total += sizes[-1]
        sender.get(timeout=10)
        assert max(sizes) <= 64 * 1024
        theirs.close()
        assert connection.recv(10) == b""


class Bare(Worker):
    """A worker without gunicorn."""

    def __init__(self) -> None:
        self._connections, self._silent, self._unread, self._uploading = {}, {}, {}, {}
        self._pool, self._turns, self._tls = Pool(), Turns(), None
        self.worker_connections = 10
        self.wsgi = SimpleNamespace(config={"MAX_CONTENT_LENGTH": 2 * 2**20})


def key_updates(secret: bytes, count: int) -> bytes:
    """Records of TLS 1.3, with AES-256, that change a client's keys again and again; its library tells the first."""

    def expand(label: bytes, length: int) -> bytes:
        info = struct.pack(">HB", length, 6 + len(label)) + b"tls13 " + label + b"\0\1"
        return hmac.digest(secret, info, "sha384")[:length]

    records = []
    for _ in range(count):
        content = b"\x18\0\0\1\0" + b"\x16"  # a KeyUpdate that asks for none back; handshake
        head = b"\x17\3\3" + struct.pack(">H", len(content) + 16)
        records.append(head + AESGCM(expand(b"key", 32)).encrypt(expand(b"iv", 12), content, head))
        secret = expand(b"traffic upd", 48)
    return b"".join(records)


@pytest.mark.security
class TestTls:
    @pytest.fixture
    def context(self, tmp_path: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certify(tmp_path))
        return context

    def test_who_changes_its_keys_without_end_has_to_take_turns(self, context: ssl.SSLContext, tmp_path: Path) -> None:
        """OpenSSL reads on for as long as nothing but that comes; 5,000 times take 50 ms, and 200 kB."""
        ours, theirs = gevent.socket.socketpair()
        connection = TlsConnection(connected(ours), context)
        turns, taken = connection.turns.wait, [0]

        def wait(had: float, turn: Event | None = None) -> None:
            taken[0] += 1
            turns(had, turn)

        connection.turns.wait = wait
        client_context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
        client_context.keylog_filename = str(tmp_path / "keys")
        shaking = gevent.spawn(connection.do_handshake)
        with client_context.wrap_socket(theirs) as client:
            shaking.get(timeout=10)
            lines = (tmp_path / "keys").read_text().splitlines()
            secret = next(line.split()[2] for line in lines if line.startswith("CLIENT_TRAFFIC_SECRET_0"))
            assert client.cipher()[0] == "TLS_AES_256_GCM_SHA384"
            reader = gevent.spawn(connection.recv, 100)
            before = taken[0]
            sent = key_updates(bytes.fromhex(secret), 5000)
            with gevent.socket.socket(fileno=os.dup(client.fileno())) as raw:
                gevent.spawn(raw.sendall, sent).get(timeout=10)
            gevent.sleep(0.5)
            assert taken[0] - before >= len(sent) // (16 * 1024)
            reader.kill()
        connection.close()

    def test_what_is_sent_and_read(self, context: ssl.SSLContext) -> None:
        ours, theirs = gevent.socket.socketpair()
        connection = TlsConnection(connected(ours), context)
        client_context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
        shaking = gevent.spawn(connection.do_handshake)
        with client_context.wrap_socket(theirs) as client:
            shaking.get(timeout=10)
            sender = gevent.spawn(client.sendall, bytes(1_000_000))
            received = 0
            while received < 1_000_000:
                received += len(connection.recv(2**20))
            sender.get(timeout=10)
            sender = gevent.spawn(connection.sendall, bytes(1_000_000))
            while received:
                received -= len(client.recv(2**16))
            sender.get(timeout=10)
        assert connection.recv(10) == b""
        connection.close()


@pytest.mark.security
class TestMakingRoom:
    """Whoever has waited longest for its client makes room, whatever it waits for."""

    @pytest.fixture
    def worker(self) -> Iterator[Bare]:
        worker = Bare()
        yield worker
        worker._pool.kill()
        for connection in worker._connections.values():
            connection.close()

    def one(self, worker: Bare) -> tuple[gevent.Greenlet, gevent.socket.socket]:
        """A connection's greenlet, and the client's side."""
        ours, theirs = gevent.socket.socketpair()
        greenlet = worker._pool.spawn(gevent.sleep, 60)
        worker._connections[greenlet] = connected(ours)
        return greenlet, theirs

    def upload(self, worker: Bare, body: bytes, announced: int, since: float) -> _Upload:
        """A body of which a part has been read, and then nothing more came."""
        pieces = [body, b""]
        reader = SimpleNamespace(read=lambda _: pieces.pop(0) if pieces else b"")
        req = SimpleNamespace(body=SimpleNamespace(reader=reader), headers=[("CONTENT-LENGTH", str(announced))])
        upload = _Upload(req, 2 * 2**20, worker._take_in)
        greenlet, theirs = self.one(worker)
        with theirs, pytest.MonkeyPatch.context() as patch:
            patch.setattr(gevent, "getcurrent", lambda: greenlet)
            patch.setattr("service.worker.time.monotonic", lambda: since)
            upload.read(len(body))
        return upload

    @pytest.mark.parametrize("oldest", ["_silent", "_unread", "_uploading"])
    def test_the_oldest_is_given_up(self, worker: Bare, oldest: str) -> None:
        kinds = {name: self.one(worker) for name in ("_silent", "_unread", "_uploading")}
        for name, (greenlet, _) in kinds.items():
            since = 1.0 if name == oldest else 2.0
            getattr(worker, name)[greenlet] = SimpleNamespace(since=since) if name == "_uploading" else since
        worker._make_room()
        for name, (greenlet, theirs) in kinds.items():
            assert (greenlet in getattr(worker, name)) == (name != oldest)
            assert worker._connections[greenlet].given_up == (name == oldest)
            theirs.close()

    def test_who_does_not_read_is_hung_up_on(self, worker: Bare) -> None:
        greenlet, theirs = self.one(worker)
        connection = worker._connections[greenlet]
        connection.unread = worker._unread
        sender = gevent.spawn(connection.sendall, bytes(50_000_000))
        gevent.sleep(0.1)
        assert list(worker._unread) == [sender]
        worker._connections[sender] = connection
        worker._make_room()
        with pytest.raises(OSError):
            sender.get(timeout=10)
        assert not worker._unread
        theirs.close()

    def test_who_is_given_up_is_not_read_from(self, worker: Bare) -> None:
        """Else a client that goes on sending would stay."""
        greenlet, theirs = self.one(worker)
        theirs.sendall(b"more")
        worker._silent[greenlet] = 1.0
        worker._make_room()
        assert worker._connections[greenlet].recv(100) == b""
        theirs.close()

    def test_where_all_are_busy_who_was_accepted_first_is_given_up(self, worker: Bare) -> None:
        """Its turn might come last, so it does not wait for it: its place is free at once."""
        clients, waiting = [], []
        for had in (1000, 3000, 2000):
            greenlet, theirs = self.one(worker)
            connection = worker._connections[greenlet]
            connection.turns._calling = True  # nobody's turn comes
            worker._silent[greenlet] = float(had)
            waiting.append(gevent.spawn(connection.take_turn, had))
            clients.append(theirs)
        gevent.sleep(0.01)
        worker._connections[next(iter(worker._silent))].accepted = time.monotonic()
        worker._make_room()
        gevent.sleep(0.01)
        assert not waiting[0].ready(), "it is given a second"
        worker._connections[next(iter(worker._silent))].accepted = 0.0
        worker._make_room()
        waiting[0].get(timeout=1)
        gevent.sleep(0.01)
        assert [own.ready() for own in waiting] == [True, False, False]
        gevent.killall(waiting)
        for theirs in clients:
            theirs.close()

    @pytest.mark.parametrize("seconds", [1.0, 10.0])
    def test_who_has_just_begun_to_wait_stays_while_others_keep_the_worker_busy(
        self, worker: Bare, seconds: float
    ) -> None:
        """Else a right client whose photo is on its way would be the first to go."""
        (right, first), (busy, second) = self.one(worker), self.one(worker)
        worker._connections[busy].turns._calling = True
        worker._silent.update({right: time.monotonic() - seconds, busy: time.monotonic()})
        waiting = gevent.spawn(worker._connections[busy].take_turn, 1000)
        gevent.sleep(0.01)
        worker._make_room()
        assert list(worker._silent) == ([right] if seconds < PATIENCE_SECONDS else [busy])
        waiting.kill()
        first.close()
        second.close()

    def test_who_waits_for_its_turn_does_not_wait_for_its_client(self, worker: Bare) -> None:
        (right, first), (silent, second) = self.one(worker), self.one(worker)
        worker._connections[right].turns._calling = True
        worker._silent.update({right: 1.0, silent: 2.0})
        waiting = gevent.spawn(worker._connections[right].take_turn, 1000)
        gevent.sleep(0.01)
        worker._make_room()
        assert list(worker._silent) == [right]
        waiting.kill()
        first.close()
        second.close()

    def test_what_is_announced_and_not_sent_takes_no_memory(self, worker: Bare) -> None:
        """So who sends heads alone does not stop those whose photos take some seconds to arrive."""
        uploads = [self.upload(worker, b"x" * 10, 2 * 2**20, float(number)) for number in range(1, 1000)]
        assert list(worker._uploading.values()) == uploads

    def test_of_what_has_been_sent_the_most_for_longest_is_given_up(self, worker: Bare) -> None:
        slow = self.upload(worker, b"x" * 60_000, 200_000, 1.0)
        large = [
            self.upload(worker, bytes(2**21), 2**21, 4.0 + number / 100) for number in range(UPLOADS_BYTES // 2**21)
        ]
        assert list(worker._uploading.values()) == [slow, *large[1:]]

    def test_what_is_discarded_is_noted_no_longer_than_it_lasts(
        self, worker: Bare, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A body that nobody has asked for: a trace of each would fill the memory, and make each upload slower."""
        monkeypatch.setattr(GeventWorker, "handle_request", lambda *_: True)
        worker.cfg = SimpleNamespace(keepalive=10)
        reader = SimpleNamespace(read=lambda _: b"")
        ours, theirs = gevent.socket.socketpair()
        with theirs, connected(ours) as connection:
            req = SimpleNamespace(body=SimpleNamespace(reader=reader), headers=[])
            worker.handle_request(None, req, connection, None)
        assert worker._uploading == {} and _discard_rest(req.body)


class TestAccepting:
    """What is accepted is answered, whatever ends meanwhile."""

    @pytest.fixture
    def listener(self) -> Iterator[gevent.socket.socket]:
        with gevent.socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            listener.settimeout(0)
            yield listener

    @pytest.fixture
    def worker(self) -> Worker:
        """A worker that says to each client at which address it has come, and hangs up."""

        class Telling(Bare):
            def handle(self, listener: Any, client: Any, addr: Any) -> None:
                client.sendall(f"{listener.getsockname()} {addr}".encode())

        return Telling()

    def test_though_the_greenlet_that_accepts_is_killed(
        self, listener: gevent.socket.socket, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That happens where it waits."""

        def killed(_: float) -> None:
            raise gevent.GreenletExit

        with socket.create_connection(listener.getsockname(), timeout=10) as client:
            monkeypatch.setattr(gevent, "sleep", killed)
            gevent.spawn(worker._accept, listener, 10).join(timeout=10)
            monkeypatch.undo()
            worker._pool.join(timeout=10)
            assert client.recv(1000) == f"{listener.getsockname()} {client.getsockname()}".encode()

    def test_though_the_listening_socket_is_closed(self, listener: gevent.socket.socket, worker: Worker) -> None:
        own = listener.getsockname()
        with socket.create_connection(own, timeout=10) as client:
            spawn = worker._pool.spawn

            def spawn_and_close(*given: Any) -> Any:
                spawned = spawn(*given)
                listener.close()  # before the connection's greenlet has begun
                return spawned

            worker._pool.spawn = spawn_and_close
            gevent.spawn(worker._accept, listener, 1).join(timeout=10)
            worker._pool.join(timeout=10)
            assert client.recv(1000) == f"{own} {client.getsockname()}".encode()

    def test_too_many_connections_make_room(self, listener: gevent.socket.socket, worker: Worker) -> None:
        """One that is silent is given up; the new one is served at once."""
        worker.worker_connections = 1
        served: list[Any] = []

        def wait_for_a_request(_: Any, client: Any, addr: Any) -> None:
            worker._silent[gevent.getcurrent()] = None
            served.append(addr)
            assert client.recv(10) == b""

        worker.handle = wait_for_a_request
        acceptor = gevent.spawn(worker._accept, listener, 10)
        with socket.create_connection(listener.getsockname(), timeout=10) as first:
            acceptor.join(timeout=10)
            with socket.create_connection(listener.getsockname(), timeout=10) as second:
                gevent.spawn(worker._accept, listener, 10).join(timeout=10)
                gevent.sleep(0.05)
                assert served == [first.getsockname(), second.getsockname()]
                assert first.recv(10) == b"", "the first is hung up on"
                assert len(worker._connections) == 1
        worker._pool.kill()

    @pytest.mark.security
    def test_for_one_too_many_one_is_given_up_though_it_takes_its_time(
        self, listener: gevent.socket.socket, worker: Worker
    ) -> None:
        worker.worker_connections = 2
        served: list[Any] = []

        def be_slow_to_end(_: Any, client: Any, __: Any) -> None:
            worker._silent[gevent.getcurrent()] = float(len(served))
            served.append(client)
            gevent.sleep(60)

        worker.handle = be_slow_to_end
        clients = [socket.create_connection(listener.getsockname(), timeout=10) for _ in range(4)]
        gevent.spawn(worker._accept, listener, 10).join(timeout=10)
        gevent.sleep(0.05)
        assert [own.given_up for own in served] == [True, True, False, False]
        worker._pool.kill()
        for client in clients:
            client.close()


class TestLoopSignal:
    def test_the_loop_goes_on_while_a_greenlet_waits_for_a_thread(self) -> None:
        signal, ticks = LoopSignal(), [0]

        def tick() -> None:
            for _ in range(20):
                ticks[0] += 1
                gevent.sleep(0.005)

        ticker = gevent.spawn(tick)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: (time.sleep(0.2), signal.set()))
            started = time.monotonic()
            assert signal.wait(10)
            assert 0.15 < time.monotonic() - started < 5
        ticker.join(timeout=10)
        assert ticks[0] == 20

    def test_it_gives_up_in_time(self) -> None:
        signal = LoopSignal()
        started = time.monotonic()
        assert signal.wait(0.1) is False
        assert 0.08 < time.monotonic() - started < 5

    def test_what_was_set_before_is_not_waited_for(self) -> None:
        signal = LoopSignal()
        thread = threading.Thread(target=signal.set)
        thread.start()
        thread.join()
        assert signal.wait(10) and signal.wait(10)
