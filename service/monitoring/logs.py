"""The log: lines to read, or with `LOG_FORMAT=json` one JSON object a line, for programs.

Either way a line names the request that it belongs to, where there is one. The line for a request has its method,
path, status and milliseconds, and neither address nor query, nor anything of a photo or a score.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Flask, Response, g, request
from flask.logging import default_handler
from pythonjsonlogger.msgspec import MsgspecFormatter
from werkzeug.serving import WSGIRequestHandler

from faces.message import Message
from service.monitoring.request_ids import HEADER, request_id

LogFormat = Literal["text", "json"]

KEY_ID = "service.key_id"
"""Where the WSGI environment holds the id of the key that a request came with, for the access log."""

access_log = logging.getLogger("service.access")


def without_message(error: BaseException) -> BaseException:
    """An error to log in the place of one that a request with a photo led to: same kind, same traceback, no message.

    Libraries put what they could not read into their messages (`invalid literal for int(): b'…'`), and of a photo that
    is the photo. What the system says of a file or a socket stays, and so do the words of our own errors, without their
    values.
    """
    kind = type(error)
    if isinstance(error, OSError) and error.errno is not None:
        said = os.strerror(error.errno)
    elif error.args and isinstance(error.args[0], Message):
        said = error.args[0].template
    else:
        said = "(the message is not logged: it may hold a part of the photo)"
    shown: BaseException = type(kind.__qualname__, (Exception,), {"__module__": kind.__module__})(said)
    if error.__cause__ is not None:
        shown.__cause__ = without_message(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        shown.__context__ = without_message(error.__context__)
    return shown.with_traceback(error.__traceback__)


class TextFormatter(logging.Formatter):
    """By default in Flask's format; the id of the request stands at the end of the message."""

    def __init__(
        self, fmt: str = "[%(asctime)s] %(levelname)s in %(module)s: %(message)s", datefmt: str | None = None
    ) -> None:
        super().__init__(fmt, datefmt)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """As `logging.Formatter`; a traceback follows below it."""
        own = request_id()
        return super().formatMessage(record) + (f" (request {own})" if own else "")


class JsonFormatter(MsgspecFormatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, message, process; then what the record adds."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message", "process"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "traceback", "stack_info": "stack"},
        )

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """As python-json-logger; the time first, and the request's id."""
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        super().add_fields(log_data, record, message_dict)
        own = log_data.get("request_id") or request_id()
        if own:
            log_data["request_id"] = own

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Bytes of a file's name that are no UTF-8 stand in it as surrogates, which JSON cannot hold: escaped."""
        return {
            name: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
            for name, value in log_data.items()
        }


def configure(log_format: LogFormat) -> None:
    """Set how this process logs. To be called before the application is made; a second call changes nothing.

    Args:
        log_format: "text" leaves the handlers as they are; "json" makes one for all loggers, on standard error. Those
            of gunicorn have their own, of `service.monitoring.gunicorn_logger`.
    """
    default_handler.setFormatter(TextFormatter())
    root = logging.getLogger()
    if log_format == "text" or any(isinstance(handler.formatter, JsonFormatter) for handler in root.handlers):
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("service").removeHandler(default_handler)  # else an application made before would log twice
    logging.captureWarnings(True)


def register(app: Flask) -> None:
    """Have the application say, in the WSGI environment, with which key a request came."""
    app.after_request(_remember_key)


def _remember_key(response: Response) -> Response:
    request.environ[KEY_ID] = g.get("key_id")
    return response


def access_fields(
    environ: dict[str, Any], status: int, seconds: float, headers: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """What the log says of an answered request.

    Args:
        environ: its WSGI environment.
        status: of the answer.
        seconds: from the request's head to the answer's end.
        headers: of the answer; its request id is taken from there.

    Returns:
        method, path, status, milliseconds; request_id and key_id where there is one.
    """
    named = next((value for name, value in headers if name.lower() == HEADER.lower()), None)
    more = {"request_id": named or request_id(), "key_id": environ.get(KEY_ID)}
    return {
        "method": environ.get("REQUEST_METHOD"),
        # WSGI hands over its bytes as latin-1.
        "path": environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace"),
        "status": status,
        "milliseconds": round(1000 * seconds, 1),
        **{name: value for name, value in more.items() if value is not None},
    }


class QuietRequestHandler(WSGIRequestHandler):
    """Flask's own server without its lines for requests, which have the client's address and the query."""

    def log_request(self, *_: object) -> None:
        """Say nothing."""


def log_accesses(app: Flask) -> None:
    """Log every answered request, as gunicorn does: for servers that have no such log of their own."""
    inner = app.wsgi_app

    def logged(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        started = time.perf_counter()
        answered: tuple[str, list[tuple[str, str]]] = "500", []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            nonlocal answered
            answered = status, headers
            return start_response(status, headers, *more)

        try:
            return inner(environ, start)
        finally:
            status, headers = answered
            fields = access_fields(environ, int(status[:3]), time.perf_counter() - started, headers)
            access_log.info("answered", extra=fields)

    app.wsgi_app = logged  # type: ignore[method-assign]  # where Flask's documentation puts middleware
