"""An end to what a client does to the connection, however slowly it does it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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
    timer = threading.Timer(seconds, _shut_down, (connection, how))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(connection: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        connection.shutdown(how)
