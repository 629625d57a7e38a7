"""An end to what a client does to the connection, however slowly it does it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_EVERY_SECONDS = 0.25  # how exactly a deadline is kept


@contextmanager
def deadline(environ: dict[str, Any], seconds: float, how: int) -> Iterator[None]:
    """Shut the request's socket down if the block takes longer.

    A timeout on the socket would not do: it begins anew with every byte, and gunicorn reads until it has what it was
    asked for. Only gunicorn gives its socket; the other servers read a request before the application sees it.

    Args:
        environ: the request's WSGI environment.
        seconds: from now.
        how: as `socket.shutdown` takes it. After SHUT_RD what is read ends here, and an answer can still be sent.
    """
    connection = environ.get("gunicorn.socket")
    if connection is None:
        yield
        return
    with _watch.over(connection, time.monotonic() + seconds, how):
        yield


class _Watch:
    """One thread for all deadlines of a process: a timer for each request would take a third of a millisecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[object, tuple[socket.socket, float, int]] = {}
        self._any = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, connection: socket.socket, until: float, how: int) -> Iterator[None]:
        key = object()
        try:
            with self._lock:
                self._due[key] = connection, until, how
                if self._thread is None or not self._thread.is_alive():
                    thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                    thread.start()
                    self._thread = thread  # once it runs: where none can be started, the next request tries again
            self._any.set()
            yield
        finally:
            with self._lock:  # from here on the connection is the next request's
                self._due.pop(key, None)

    def _run(self) -> None:
        while self._any.wait():
            time.sleep(_EVERY_SECONDS)
            with self._lock:
                for key, (connection, until, how) in list(self._due.items()):
                    if time.monotonic() >= until:
                        del self._due[key]
                        with contextlib.suppress(OSError):  # it is closed already
                            connection.shutdown(how)
                if not self._due:
                    self._any.clear()


_watch = _Watch()  # its thread begins with the first request, so after gunicorn has forked
