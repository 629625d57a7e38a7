"""Connections to Redis that are made in time or given up, the look-up of its name included.

Redis's client has a time limit for each address that it tries, and none for finding out the addresses: a resolver that
does not answer would stop a worker for as long as the system tries, half a minute or so. Nothing can interrupt that
look-up, so it is done in a thread that is left alone if it takes too long.
"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future

from redis.connection import Connection, SSLConnection

CONNECT_SECONDS = 0.4
"""From the look-up of the name to the last address tried."""

_MOST_THREADS = 4  # that wait for a resolver, in a process
_places = threading.BoundedSemaphore(_MOST_THREADS)


class _InTime:
    """What a connection does differently from the client's own."""

    def _connect(self) -> socket.socket:
        """A new socket that is connected.

        Raises:
            TimeoutError: it takes too long, or others wait for the resolver already.
            OSError: it cannot be connected.
        """
        if not _places.acquire(timeout=CONNECT_SECONDS):
            raise TimeoutError("the resolver does not answer")
        connected: Future[socket.socket] = Future()

        def connect() -> None:
            try:
                connected.set_result(super(_InTime, self)._connect())  # type: ignore[misc]  # of the class beside this
            except BaseException as error:
                connected.set_exception(error)
            finally:
                _places.release()

        try:
            threading.Thread(target=connect, name="redis connect", daemon=True).start()
        except RuntimeError:  # no thread can be had under this load
            _places.release()
            raise
        try:
            return connected.result(CONNECT_SECONDS)
        except TimeoutError:
            connected.add_done_callback(_close)  # nobody wants it any more
            raise


def _close(connected: Future[socket.socket]) -> None:
    if connected.exception() is None:
        connected.result().close()


class TimedConnection(_InTime, Connection):
    """For `redis://`."""


class TimedTlsConnection(_InTime, SSLConnection):
    """For `rediss://`."""
