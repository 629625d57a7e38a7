"""The WSGI application: who may ask, the page of enrolment at /enrol/, and the service beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.datastructures import EnvironHeaders
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from enrolment.mounted import Mounted
from enrolment.routes import create_app
from enrolment.secret import Secret, from_this_machine
from enrolment.session import Session

PREFIX = "/enrol"
_READS = ("GET", "HEAD", "OPTIONS")


class Application:
    """What the server is given.

    Args:
        session: of the page.
        secret: who may change something.
        mounted: the service.
        port: where all of it listens.
    """

    def __init__(self, session: Session, secret: Secret, mounted: Mounted, port: int) -> None:
        self._page = create_app(session, secret)
        self._mounted = mounted
        self._port = port

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        changes = environ["REQUEST_METHOD"] not in _READS
        if not from_this_machine(EnvironHeaders(environ), self._port, changes):
            refused = Response("This page is for the machine that it runs on.\n", 403, content_type="text/plain")
            return refused(environ, start_response)
        path = environ.get("PATH_INFO", "")
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            return self._page(environ, start_response)
        if not self._mounted.there:
            answer = redirect(f"{PREFIX}/", 303) if path in ("", "/", "/ui") else Response("Not found.\n", 404)
            return answer(environ, start_response)
        return self._mounted(environ, start_response)
