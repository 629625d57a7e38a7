"""gunicorn's worker: one thread for all connections, threads of their own for the processor's work.

gunicorn's gevent worker serves each connection in a greenlet: a client that is silent costs some kilobytes and no
thread. This one adds what a hostile client makes necessary:

- Nothing is monkey-patched. Photos are verified in native threads, and the loop goes on meanwhile (`LoopSignal`).
- A body has to arrive within `UPLOAD_SECONDS`. (gunicorn's `keepalive` is the limit for a request's head.)
- Where connections become too many, the one that has waited longest for its client makes room: for a request, for a
  body, or until an answer is read. Right clients send and read at once, so those that are given up are others.
- OpenSSL gets what has arrived in small pieces (`service.connections`).
- Where uploads hold too much memory, the one that holds most for longest is given up.
- Clients that send much, or in many small pieces, take turns: those who have had less come first.
- What a client still sends after it has been answered is read and discarded, within limits. Otherwise the system would
  reset the connection, and the client would lose its answer.
- A worker whose processor's threads are busy lets the others accept first.
- A worker that is told to end answers what has been connected, and does not wait for clients that say nothing.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import gevent.socket
from gevent.event import Event
from gevent.pool import Pool
from gunicorn.http.body import Body
from gunicorn.sock import ssl_context
from gunicorn.workers.ggevent import GeventWorker

from service.connections import STEP_BYTES, Connection, TlsConnection, Turns
from service.monitoring.request_ids import begin_outside
from service.monitoring.routes import refresh

UPLOAD_SECONDS = 60.0
"""From the first byte of a body to its last."""

REQUEST_SECONDS = 90.0
"""From a request's head to the last byte of its answer: a client that does not read its answer is given up."""

UPLOADS_BYTES = 128 * 2**20
"""What a worker may hold of bodies that are arriving."""

DISCARDED_BYTES = 32 * 2**20
DISCARD_SECONDS = 10.0
"""How much of a body is discarded after the answer, and for how long."""

SPARE_FILES = 64
"""File descriptors of a worker that are left to other things than connections."""

HESITATION_SECONDS = 0.005
"""For so long a busy worker lets the others accept a connection."""

PATIENCE_SECONDS = 3.0
"""Before that, no connection is given up for waiting for its client while others keep the worker busy."""

LEAST_SECONDS = 1.0
"""So long a connection may keep the worker busy, however many others wait to be accepted."""

LAST_HEAD_SECONDS = 1.0
LAST_BODY_SECONDS = 10.0
"""When a worker is to end: how long it waits for requests that were on their way."""

_AT_ONCE = 100  # connections accepted before a worker looks again whether it is busy
_FEW = 8  # accepted one after another where a worker has much to do
_CLOSING = SPARE_FILES // 4  # connections that may be given up and not closed yet, before others have to wait for it
_TICK_SECONDS = 0.2  # how soon a worker notices that it is to end


class LoopSignal:
    """A `service.admission.Signal`: a greenlet waits for a thread, and the loop goes on. To be made in the loop."""

    def __init__(self) -> None:
        self._loop = gevent.get_hub().loop
        self._event = Event()

    def set(self) -> None:
        """As `threading.Event.set`, from any thread."""
        self._loop.run_callback_threadsafe(self._event.set)

    def wait(self, timeout: float | None = None) -> bool:
        """As `threading.Event.wait`, in the loop."""
        return bool(self._event.wait(timeout))


class _Address:
    """What gunicorn asks a connection's listening socket. That may be closed before the connection has its turn."""

    def __init__(self, listener: gevent.socket.socket) -> None:
        self._name = listener.getsockname()

    def getsockname(self) -> Any:
        """As the socket's."""
        return self._name


class Worker(GeventWorker):
    """See the module. gunicorn makes it: `worker_class = "service.worker.Worker"`."""

    make_signal = LoopSignal
    """How a request waits for its photo to be verified."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Of gunicorn's, which ships no types:
        self.alive: bool
        self.sockets: list[Any]
        self.worker_connections: int
        self._connections: dict[gevent.Greenlet, gevent.socket.socket] = {}
        # Those that wait for their client: the oldest is first in each, since a dictionary keeps the order.
        self._silent: dict[gevent.Greenlet, float] = {}  # for a request's head, and since when
        self._unread: dict[gevent.Greenlet, float] = {}  # until an answer is read
        self._uploading: dict[gevent.Greenlet, _Upload] = {}  # for a body
        self._pool = Pool()
        self._turns = Turns()
        self._tls: ssl.SSLContext | None = None

    def patch(self) -> None:
        """gunicorn's hook for monkey-patching. Only the listening sockets become gevent's."""
        self.sockets = [
            gevent.socket.socket(own.FAMILY, socket.SOCK_STREAM, fileno=own.sock.detach()) for own in self.sockets
        ]

    def notify(self) -> None:
        """Tell the master that this worker lives; without a master, end as if it had said so."""
        self.tmp.notify()
        if self.alive and self.ppid != os.getppid():
            self.log.warning("The master has ended: worker %s ends, too", self.pid)
            self.alive = False

    def run(self) -> None:
        """Serve until told to end, then answer what has come in by then."""
        self.worker_connections = most_connections(self.worker_connections)
        if self.cfg.is_ssl:
            self._tls = ssl_context(self.cfg)  # of the master: the files may be half written now
        for listener in self.sockets:
            listener.settimeout(0)
        acceptors = [gevent.spawn(self._accept_always, listener) for listener in self.sockets]
        while self.alive:
            self.notify()
            refresh(self.wsgi)
            gevent.sleep(_TICK_SECONDS)
        gevent.killall(acceptors)
        for listener in self.sockets:
            # Other workers may listen on it still; the connections that wait here are answered here.
            with contextlib.suppress(OSError):
                self._accept(listener, 10 * _AT_ONCE)
            listener.close()
        self._finish()

    def _finish(self) -> None:
        """Wait for the connections there are, and for silent ones not for long."""
        began = time.monotonic()
        while self._connections and (passed := time.monotonic() - began) < self.cfg.graceful_timeout:
            self.notify()
            if passed > LAST_HEAD_SECONDS:
                for greenlet in list(self._silent):
                    self._give_up(greenlet)
            if passed > LAST_BODY_SECONDS:
                for greenlet in list(self._uploading):
                    self._give_up(greenlet)
            gevent.sleep(_TICK_SECONDS / 4)
        if self._connections:
            self.log.warning("Worker %s ends with %s connections unanswered", self.pid, len(self._connections))

    def _accept_always(self, listener: gevent.socket.socket) -> None:
        while True:
            try:
                gevent.socket.wait_read(listener.fileno())
                if self.wsgi.extensions["engine"].busy:
                    gevent.sleep(HESITATION_SECONDS)
                self._accept(listener, _AT_ONCE)
            except (OSError, MemoryError) as error:  # no descriptor or no memory is left, or the client has gone again
                self.log.warning("No connection accepted: %s", error)
                self._make_room()
                gevent.sleep(10 * HESITATION_SECONDS)

    def _accept(self, listener: gevent.socket.socket, most: int) -> None:
        """Accept the connections that wait there, up to a number."""
        own = _Address(listener)
        slow = False  # whether much is to be done: who waits to be accepted would wait once for each that came before
        for number in range(most):
            try:
                client, address = listener.accept()
            except BlockingIOError:
                return
            # Nothing may wait between accepting and here: this greenlet is killed where it waits when the worker is to
            # end, and the client would lose its answer.
            connection = Connection(client.family, client.type, client.proto, fileno=client.detach())
            connection.turns, connection.unread = self._turns, self._unread
            connection.accepted = time.monotonic()
            self._connections[self._pool.spawn(self._serve, own, connection, address)] = connection
            if not slow or number % _FEW == 0:
                began = time.monotonic()
                gevent.sleep(0)  # what is ready has its turn
                slow = time.monotonic() - began > HESITATION_SECONDS
            while (excess := len(self._connections) - self.worker_connections) > 0:
                if excess > sum(each.given_up for each in self._connections.values()):
                    self._make_room()
                if excess <= _CLOSING:
                    break
                gevent.sleep(HESITATION_SECONDS)

    def _serve(self, own: _Address, client: gevent.socket.socket, address: Any) -> None:
        """One connection, from its beginning to its end."""
        try:
            if self._tls is not None:
                client, agreed = TlsConnection(client, self._tls), False
                with self.timeout_ctx():
                    client.do_handshake()
                    agreed = True
                if not agreed:
                    return
            self.handle(own, client, address)
        except OSError:  # the handshake failed
            pass
        finally:
            del self._connections[gevent.getcurrent()]
            client.close()

    def _make_room(self) -> None:
        """Give up the connection that has waited longest for its client, whatever it waits for.

        Where none has waited for long and many are busy, that is the busy one that was accepted first, as soon as it
        has had the time that a right client needs.
        """
        uploads = ((greenlet, upload.since) for greenlet, upload in self._uploading.items())
        waiting: tuple[Iterable[tuple[gevent.Greenlet, float]], ...] = (
            self._silent.items(), self._unread.items(), uploads,
        )  # fmt: skip
        in_turn = {own: None for own, each in self._connections.items() if each.awaits_turn and not each.given_up}
        oldest = [next(((since, own) for own, since in each if own not in in_turn), None) for each in waiting]
        since, longest = min(filter(None, oldest), key=lambda each: each[0], default=(math.inf, None))
        if in_turn and time.monotonic() - since < PATIENCE_SECONDS:
            first = next(iter(in_turn))
            longest = first if time.monotonic() - self._connections[first].accepted > LEAST_SECONDS else None
        if longest is not None:
            self._give_up(longest)

    def _give_up(self, greenlet: gevent.Greenlet) -> None:
        """Let a connection's greenlet find that nothing more comes; an answer can still be sent to an upload."""
        how = socket.SHUT_RDWR if self._unread.pop(greenlet, None) else socket.SHUT_RD
        self._silent.pop(greenlet, None)
        self._uploading.pop(greenlet, None)
        if (connection := self._connections.get(greenlet)) is not None:
            connection.give_up()
            # Through another descriptor: gevent's own would raise an error where its greenlet waits.
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as same:
                same.shutdown(how)

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """What gunicorn reads a request's head in."""
        current = gevent.getcurrent()
        self._silent[current] = time.monotonic()
        try:
            with gevent.Timeout(self.cfg.keepalive, False):
                yield
        finally:
            self._silent.pop(current, None)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request.

        Raises:
            StopIteration: the connection is to be closed.
        """
        req.body = _Upload(req, self.wsgi.config["MAX_CONTENT_LENGTH"], self._take_in)
        go_on = False
        try:
            with contextlib.suppress(StopIteration), gevent.Timeout(REQUEST_SECONDS, StopIteration):
                super().handle_request(listener_name, req, sock, addr)
                go_on = True
            go_on = _discard_rest(req.body) and go_on
        finally:
            self._uploading.pop(gevent.getcurrent(), None)
        if not go_on:
            raise StopIteration
        with self.timeout_ctx():
            sock.take_turn(STEP_BYTES)  # a client that has sent many requests ahead keeps nobody waiting
        if sock.given_up:
            raise StopIteration

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is no HTTP, or failed: with a request id."""
        begin_outside()
        super().handle_error(req, client, addr, exc)

    def _take_in(self, upload: _Upload) -> None:
        """Note that a body arrives; where too much is held in memory, those that hold most for longest are given up."""
        self._uploading[gevent.getcurrent()] = upload
        most: int = self.wsgi.config["MAX_CONTENT_LENGTH"]
        now = time.monotonic()
        while sum(each.held for each in self._uploading.values()) > max(UPLOADS_BYTES, 4 * most):
            self._give_up(max(self._uploading, key=lambda own: self._uploading[own].cost(now)))


class _Upload(Body):
    """A request's body that must have arrived in time.

    Args:
        req: gunicorn's request.
        most: bytes of a body that are read at most.
        arrives: is told of this body before the first read, and when more of it has arrived.

    Attributes:
        since: when it was begun to be read; as `time.monotonic`.
        discarded: whether what arrives is not kept.
    """

    def __init__(self, req: Any, most: int, arrives: Callable[[_Upload], None]) -> None:
        super().__init__(req.body.reader)
        lengths = [int(value) for name, value in req.headers if name == "CONTENT-LENGTH"]
        self.since = 0.0
        self.discarded = False
        self._most = min([most, *lengths])
        self._arrives = arrives
        self._arrived = 0

    @property
    def held(self) -> int:
        """Bytes of memory that it may take: what has arrived, and what is being read."""
        return 0 if self.discarded else min(self._most, self._arrived + STEP_BYTES)

    def cost(self, now: float) -> float:
        """What it takes from others: its memory, for as long as it has had it."""
        return self.held * (now - self.since)

    def read(self, size: int | None = None) -> bytes:
        """As gunicorn's.

        Raises:
            TimeoutError: it did not come in time.
        """
        if not self.since:
            self.since = time.monotonic()
            self._arrives(self)
        with gevent.Timeout(max(0.001, self.since + UPLOAD_SECONDS - time.monotonic()), TimeoutError):
            data: bytes = super().read(size)
        self._arrived += len(data)
        if data:
            self._arrives(self)
        return data


def _discard_rest(body: _Upload) -> bool:
    """Read what is left of a body; whether that was all of it, so that another request can follow."""
    body.discarded = True
    left = DISCARDED_BYTES
    # Whatever goes wrong now (the client hangs up, falls silent, breaks the format), it has its answer.
    with contextlib.suppress(Exception), gevent.Timeout(DISCARD_SECONDS, TimeoutError):
        while not body.failed and left > 0:
            data = body.read(STEP_BYTES)
            if not data:
                return True
            left -= len(data)
    return False


def most_connections(wanted: int) -> int:
    """How many connections a process can hold: as many as wanted, or as its file descriptors allow, at least 16.

    The limit of descriptors is raised as far as the system lets it be.
    """
    import resource  # there is none on Windows, where gunicorn does not run either

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < enough:
        soft = enough if hard == resource.RLIM_INFINITY else min(enough, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(16, min(wanted, soft - SPARE_FILES))
