"""Clients that want to stop a service: each attack holds its sockets until it is told to end.

An attack runs in threads of the calling process and only against a server of this machine.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from bench.support.servers import Server, multipart

TRICKLE_SECONDS = 1.0
"""A slow client sends a byte as often."""

_HALF_HEAD = b"GET /healthz HT"  # 15 bytes
_GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
_GET_LAST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Attack:
    """A kind of hostile client.

    Attributes:
        name: in few words.
        hold: starts so many clients and, as a context, keeps them at it.
    """

    name: str
    hold: Callable[[Server, int], contextlib.AbstractContextManager[None]]


def upload_head(path: str, length: int | None) -> bytes:
    """The head of a POST whose body has so many bytes; None announces chunks."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    kind = "Content-Type: multipart/form-data; boundary=x"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{kind}\r\n{framing}\r\n\r\n".encode()


def connect(server: Server) -> socket.socket:
    """A new connection, with a short timeout.

    Raises:
        OSError: it is refused.
    """
    connection = socket.create_connection((server.host, server.port), timeout=5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is sent is not gathered
    return connection


@contextmanager
def _sockets(server: Server, count: int, first: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have sent something; those that are refused are left out."""
    connections: list[socket.socket] = []
    try:
        for _ in range(count):
            with contextlib.suppress(OSError):
                connections.append(connect(server))
                connections[-1].sendall(first)
        yield connections  # an attack may put another one in the place of one that was hung up on
    finally:
        for connection in connections:
            connection.close()


def _silent(first: bytes) -> Callable[[Server, int], contextlib.AbstractContextManager[None]]:
    """Clients that send this and then nothing; they neither read nor hang up."""

    @contextmanager
    def hold(server: Server, count: int) -> Iterator[None]:
        with _sockets(server, count, first):
            yield

    return hold


def _trickling(
    first: bytes, drop: bytes, pause: float = TRICKLE_SECONDS
) -> Callable[[Server, int], contextlib.AbstractContextManager[None]]:
    """Clients that send this, and then a byte each so many seconds; those that are hung up on come again."""

    @contextmanager
    def hold(server: Server, count: int) -> Iterator[None]:
        with (
            _sockets(server, count, first) as connections,
            _repeated(pause, lambda: drip(server, connections)),
        ):
            yield

    def drip(server: Server, connections: list[socket.socket]) -> None:
        for place, connection in enumerate(connections):
            try:
                connection.sendall(drop)
            except OSError:
                connection.close()
                with contextlib.suppress(OSError):
                    connections[place] = connect(server)
                    connections[place].sendall(first)

    return hold


def _flooding(first: bytes, more: bytes) -> Callable[[Server, int], contextlib.AbstractContextManager[None]]:
    """Clients that send this, and then as much of the other as the connection takes; they read nothing."""

    @contextmanager
    def hold(server: Server, count: int) -> Iterator[None]:
        with _sockets(server, count, first) as connections, selectors.DefaultSelector() as selector:
            for connection in connections:
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_WRITE)
            with _repeated(0.0, lambda: flood(server, selector)):
                yield
            connections += [key.fileobj for key in selector.get_map().values()]  # type: ignore[misc]  # see flood

    def flood(server: Server, selector: selectors.BaseSelector) -> None:
        for key, _ in selector.select(0.05):
            connection: socket.socket = key.fileobj  # type: ignore[assignment]  # sockets alone are registered
            try:
                connection.send(more)
            except BlockingIOError:
                pass
            except OSError:  # hung up on: come again
                selector.unregister(connection)
                connection.close()
                with contextlib.suppress(OSError):
                    again = connect(server)
                    again.sendall(first)
                    again.setblocking(False)
                    selector.register(again, selectors.EVENT_WRITE)

    return hold


@contextmanager
def _coming_and_going(server: Server, count: int) -> Iterator[None]:
    """As many connections as can be, each closed at once, some with a reset."""

    def once() -> None:
        with contextlib.suppress(OSError), connect(server) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(_HALF_HEAD)

    with _repeated(0.001, *[once] * max(1, count // 100)):
        yield


def posting(*photos: bytes, asked_from: str = "") -> Callable[[Server, int], contextlib.AbstractContextManager[None]]:
    """Clients that each post one of the photos again and again, whatever is answered.

    Args:
        photos: files.
        asked_from: the address of this machine that all of them have; "" is that of the service.
    """
    bodies = [multipart(photo) for photo in photos]

    @contextmanager
    def hold(server: Server, count: int) -> Iterator[None]:
        asked = replace(server, asked_from=asked_from)

        def once(body: bytes, kind: str) -> None:
            with contextlib.suppress(OSError):
                asked.ask(body, kind, timeout=60)

        with _repeated(0.0, *(partial(once, *bodies[client % len(bodies)]) for client in range(count))):
            time.sleep(1)
            yield

    return hold


@contextmanager
def _repeated(pause: float, *works: Callable[[], None]) -> Iterator[None]:
    """Do some things again and again, each in a thread of its own."""
    end = threading.Event()

    def run(work: Callable[[], None]) -> None:
        while not end.wait(pause):
            work()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


ATTACKS = (
    Attack("15 bytes of a head, and no more", _silent(_HALF_HEAD)),
    Attack("a head that trickles", _trickling(_HALF_HEAD, b"x")),
    Attack(
        "heads of many long fields, never ended",
        _silent(b"GET / HTTP/1.1\r\n" + b"a: " + b"x" * 3000 + b"\r\n" + b"b" * 3000),
    ),
    Attack("answered, asked to close, not hung up", _silent(_GET_LAST)),
    Attack("answered and kept alive", _silent(_GET)),
    Attack("a body that trickles", _trickling(upload_head("/verify", 100_000), b"x")),
    Attack(
        "a body in single bytes, as fast as can be",
        _trickling(upload_head("/verify", 1_900_000) + b"--x\r\n", b"x", 0.0),
    ),
    Attack(
        "bodies of almost 2 MB, the last byte missing", _silent(upload_head("/verify", 1_900_000) + bytes(1_899_999))
    ),
    Attack(
        "a body announced with 10 GB, sent as fast as can be", _flooding(upload_head("/nada", 10**10), bytes(65536))
    ),
    Attack(
        "chunks without end to /verify", _flooding(upload_head("/verify", None), b"10000\r\n" + bytes(65536) + b"\r\n")
    ),
    Attack("requests without end, no answer read", _flooding(_GET, 100 * _GET)),
    Attack("connections that come and go", _coming_and_going),
)
"""Those that cost the attacker no more than sockets."""
