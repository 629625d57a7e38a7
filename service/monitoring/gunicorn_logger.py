"""gunicorn's logs in the two formats of `service.monitoring.logs`."""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from service.monitoring.logs import JsonFormatter, TextFormatter, access_fields, without_message
from service.monitoring.request_ids import HEADER, request_id


def hide_what_was_sent(record: logging.LogRecord) -> bool:
    """A filter that lets everything pass, and cuts out of gunicorn's own lines what is nobody's business.

    Of what is no HTTP, gunicorn writes the sender's address and the line that is wrong: it may be a header with a key
    in which the colon is missing. Of a request that failed, it writes the query, and an error that may hold what was
    sent.
    """
    text = str(record.msg)
    if text.startswith("Invalid request from "):
        kind = sys.exc_info()[0]  # gunicorn says it where it handles the error
        record.msg, record.args = f"Invalid request: {kind.__name__ if kind else 'no HTTP'}", None
    elif text.startswith("Error handling request ") and isinstance(record.args, tuple):
        record.args = tuple(str(part).partition("?")[0] for part in record.args)
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            shown = without_message(record.exc_info[1])
            record.exc_info = type(shown), shown, shown.__traceback__
    return True


class _Logger(Logger):
    def setup(self, cfg: Any) -> None:
        """As gunicorn's."""
        super().setup(cfg)
        self.error_log.addFilter(hide_what_was_sent)


class TextLogger(_Logger):
    """As gunicorn's own, with request ids, also for what gunicorn answers itself."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn's."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(TextFormatter(self.error_fmt, self.datefmt))

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        """What `access_log_format` can name."""
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        atoms.setdefault(f"{{{HEADER.lower()}}}o", request_id() or "-")
        return atoms


class JsonLogger(_Logger):
    """Each line a JSON object."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn's; all its handlers write JSON."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(JsonFormatter())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:  # noqa: ARG002
        """One request. `access_log_format` does not count here."""
        if self.access_log_enabled:
            status = int(str(resp.status).split()[0])
            fields = access_fields(environ, status, request_time.total_seconds(), resp.headers)
            self.access_log.info("answered", extra=fields)
