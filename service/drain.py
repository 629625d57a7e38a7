"""Read and discard what a client still sends after it has been answered, so that it gets to read the answer.

A server that closes a connection while request data is unread makes the kernel send a reset, and the reset
destroys the answer on its way: a client that sends a photo above the limit would see "connection reset" in
place of the 413. gunicorn itself discards 64 KiB, but a phone's photo has 5 MB. Flask's development server
and waitress read everything by themselves.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from flask import Response, request

from service.deadline import deadline

MAX_BYTES = 64 * 2**20
MAX_SECONDS = 10.0
MAX_SILENCE_SECONDS = 2.0
_STEP_BYTES = 64 * 1024


def drain_after_response(response: Response) -> Response:
    """Flask `after_request` hook: drain once the answer is sent. Costs nothing where the body was read."""
    environ = request.environ
    if "gunicorn.socket" in environ:
        response.call_on_close(lambda: _drain(environ))
    return response


def _drain(environ: dict[str, Any]) -> None:
    """Discard the rest of a request's body, within the limits above.

    It is read through `wsgi.input`, which knows where the body ends, with a timeout on the socket below it.
    """
    connection, body = environ["gunicorn.socket"], environ["wsgi.input"]
    left = MAX_BYTES
    timeout = connection.gettimeout()
    # Whatever goes wrong now (the client hangs up, falls silent, breaks the format), it has its answer.
    with contextlib.suppress(Exception), deadline(environ, MAX_SECONDS, socket.SHUT_RDWR):
        try:
            connection.settimeout(MAX_SILENCE_SECONDS)
            while left > 0 and (data := body.read(min(left, _STEP_BYTES))):
                left -= len(data)
        finally:
            connection.settimeout(timeout)
