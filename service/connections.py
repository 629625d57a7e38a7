"""A worker's connections: clients that send much take turns, and OpenSSL gets what has arrived in small pieces."""

from __future__ import annotations

import heapq
import itertools
import ssl
import time
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
import gevent.socket
from gevent.event import Event

STEP_BYTES = 64 * 1024
"""Read from a connection at once; handling it takes about a millisecond."""

_PIECE_COST = 8 * 1024  # what a piece counts beside its bytes: to handle one byte takes some hundred microseconds
_RECORD_BYTES = 16 * 1024  # of TLS, handed to OpenSSL at once: 600 changes of keys, which take six milliseconds

T = TypeVar("T")


class Turns:
    """Greenlets that have received something pass here one by one, and all else that is ready has its turn in between.

    The connection that has had least lately comes first. So whoever sends much, on however many connections, does not
    keep those waiting who ask for little.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Event]] = []
        self._numbers = itertools.count()  # who comes first of those that have had as much
        self._calling = False

    def wait(self, had: float, turn: Event | None = None) -> None:
        """Wait until all who have had less have had their turn, and those before with as much; or `turn` is set."""
        turn = turn or Event()
        heapq.heappush(self._waiting, (had, next(self._numbers), turn))
        if not self._calling:
            self._calling = True
            gevent.get_hub().loop.run_callback(self._call)
        turn.wait()

    def _call(self) -> None:
        heapq.heappop(self._waiting)[2].set()  # whoever has given up waiting misses nothing
        self._calling = bool(self._waiting)
        if self._calling:
            gevent.get_hub().loop.run_callback(self._call)


class FairReader:
    """What a connection does differently from gevent's: it reads in small steps, and waits for its turn after each."""

    turns: Turns
    unread: dict[gevent.Greenlet, float]  # those that wait until their client reads an answer, and since when
    accepted = 0.0  # when; as `time.monotonic`
    given_up = False  # read no more, whatever has arrived
    had = 0.0  # bytes and more, less with time
    _had_at = 0.0
    _turn: Event | None = None

    def recv(self, size: int = 1024, flags: int = 0) -> bytes:
        """As gevent's, and not more than 64 KiB."""
        data: bytes = super().recv(min(size, STEP_BYTES), flags)  # type: ignore[misc]  # of the class beside this one
        self.take_turn(_PIECE_COST + len(data))
        return b"" if self.given_up else data

    def sendall(self, data: bytes, flags: int = 0) -> None:
        """As gevent's."""
        current = gevent.getcurrent()
        self.unread[current] = time.monotonic()
        try:
            super().sendall(data, flags)  # type: ignore[misc]  # as above
        finally:
            self.unread.pop(current, None)

    def take_turn(self, cost: int) -> None:
        """Let others go first who have had less; what was had a second ago counts half."""
        now = time.monotonic()
        self.had = self.had * 0.5 ** (now - self._had_at) + cost
        self._had_at = now
        self._turn = Event()
        try:
            self.turns.wait(self.had, self._turn)
        finally:
            self._turn = None

    @property
    def awaits_turn(self) -> bool:
        """Whether it waits for the others, and not for its client."""
        return self._turn is not None

    def give_up(self) -> None:
        """Read no more, and wait for no turn."""
        self.given_up = True
        if self._turn is not None:
            self._turn.set()


class Connection(FairReader, gevent.socket.socket):
    pass


class TlsConnection:
    """TLS over a connection. What has arrived is handed to OpenSSL in small pieces.

    By itself, OpenSSL reads from a socket for as long as records come that hold no data, such as changes of keys. A
    client that sends nothing else would have the loop for itself.

    Args:
        connection: it. All that is not here is its own.
        context: what HTTPS is served with.
    """

    def __init__(self, connection: Connection, context: ssl.SSLContext) -> None:
        self._connection = connection
        self._arrived, self._pending = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._pending, server_side=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def do_handshake(self) -> None:
        """As `ssl.SSLSocket.do_handshake`."""
        try:
            self._step(self._tls.do_handshake)
        finally:
            self._send_pending()  # an alert, if it failed

    def recv(self, size: int = 1024, _: int = 0) -> bytes:
        """As `socket.recv`."""
        try:
            return self._step(lambda: self._tls.read(min(size, STEP_BYTES)))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def sendall(self, data: bytes, _: int = 0) -> None:
        """As `socket.sendall`."""
        self._step(lambda: self._tls.write(data))
        self._send_pending()

    def send(self, data: bytes, _: int = 0) -> int:
        """As `socket.send`, of all data."""
        self.sendall(data)
        return len(data)

    def _step(self, work: Callable[[], T]) -> T:
        """Do something for which more may have to arrive."""
        while True:
            try:
                return work()
            except ssl.SSLWantReadError:
                self._send_pending()
                if data := self._connection.recv(_RECORD_BYTES):
                    self._arrived.write(data)
                else:
                    self._arrived.write_eof()

    def _send_pending(self) -> None:
        while data := self._pending.read():
            self._connection.sendall(data)
