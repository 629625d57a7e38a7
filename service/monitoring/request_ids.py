"""Each request has an id: a client's own, or one that is made here. It stands in the answer's header and in the log."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

from flask import Flask, Response, g, has_request_context, request

HEADER = "X-Request-ID"

_USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")

_outside: ContextVar[str | None] = ContextVar("request_id", default=None)


def request_id() -> str | None:
    """The id of the request that is being answered; None where none is.

    Within a request it is made at the first call, so that it does not matter who asks first.
    """
    if not has_request_context():
        return _outside.get()
    if "request_id" not in g:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _USABLE.fullmatch(given) else _new_id()
    own: str = g.request_id
    return own


def begin_outside() -> str:
    """Give an id to what is answered without Flask, in this greenlet or thread (gunicorn's own errors), and say it."""
    own = _new_id()
    _outside.set(own)
    return own


def register(app: Flask) -> None:
    """Have every answer of the application, errors among them, name its request's id."""
    app.after_request(_name)


def _name(response: Response) -> Response:
    response.headers[HEADER] = request_id() or ""
    return response


def _new_id() -> str:
    return uuid.uuid4().hex
