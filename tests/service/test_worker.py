"""The parts of gunicorn's worker that can be tried alone."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.config import PROJECT_ROOT

if sys.platform == "win32":
    pytest.skip("gunicorn does not run on Windows", allow_module_level=True)

import gevent
import gevent.socket
from gevent.event import Event
from gevent.pool import Pool

from service.worker import SPARE_FILES, LoopSignal, Worker, _Connection, _FairReader, _Turns

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
        turns, passed = _Turns(), []

        def come(own: float) -> None:
            turns.wait(own)
            passed.append(own)

        gevent.joinall([gevent.spawn(come, own) for own in had], timeout=10, raise_error=True)
        return passed

    def test_who_has_had_less_comes_first(self) -> None:
        assert self.order(5.0, 1.0, 3.0, 2.0) == [1.0, 2.0, 3.0, 5.0]

    def test_of_those_with_as_much_the_first_comes_first(self) -> None:
        turns, passed = _Turns(), []

        def come(name: str) -> None:
            turns.wait(1.0)
            passed.append(name)

        gevent.joinall([gevent.spawn(come, name) for name in "abcde"], timeout=10, raise_error=True)
        assert passed == list("abcde")

    def test_who_comes_later_with_less_goes_before_those_who_wait(self) -> None:
        """One that takes its turn again and again keeps nobody waiting for longer than one turn."""
        turns, passed = _Turns(), []

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
        turns, ticks = _Turns(), [0]
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
        turns, passed = _Turns(), []

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

    class Turns(_Turns):
        def wait(self, had: float) -> None:
            asked.append(had)

    reader = _FairReader()
    reader.turns = Turns()
    monkeypatch.setattr("service.worker.time.monotonic", lambda: now[0])
    reader.take_turn(1000)
    reader.take_turn(500)
    now[0] += 1
    reader.take_turn(100)
    now[0] += 60
    reader.take_turn(1)
    assert asked == [pytest.approx(1000), pytest.approx(1500), pytest.approx(850), pytest.approx(1, abs=1e-3)]


def test_a_connection_reads_in_small_steps() -> None:
    ours, theirs = gevent.socket.socketpair()
    with theirs, _Connection(ours.family, ours.type, ours.proto, fileno=ours.detach()) as connection:
        connection.turns = _Turns()
        sender = gevent.spawn(theirs.sendall, bytes(1_000_000))
        sizes, total = [], 0
        while total < 1_000_000:
            sizes.append(len(connection.recv(2**20)))
            total += sizes[-1]
        sender.get(timeout=10)
        assert max(sizes) <= 64 * 1024
        theirs.close()
        assert connection.recv(10) == b""


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

        class Telling(Worker):
            def __init__(self) -> None:
                self._connections, self._silent, self._uploading = {}, {}, {}
                self._pool, self._turns, self._tls = Pool(), _Turns(), None
                self.worker_connections = 10

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
                assert served == [first.getsockname(), second.getsockname()]
                assert first.recv(10) == b"", "the first is hung up on"
                assert len(worker._connections) == 1
        worker._pool.kill()


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
