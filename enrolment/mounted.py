"""The service with the page that asks the model, in this process: loaded when there is a model, anew after each run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from enrolment.errors import EnrolmentError
from service.access import guard
from service.config import Settings
from service.reload import ProcessReloader
from service.reload_checks import ReloadRefusedError


class Mounted:
    """The service's application, as soon as there is a model to ask.

    Args:
        settings: what it runs with.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: Flask | None = None
        self._one = threading.Lock()

    @property
    def there(self) -> bool:
        """Whether there is a model, loaded or not."""
        return self._app is not None or self._settings.model_path.is_file()

    def renew(self) -> None:
        """Serve the model that is there now.

        Raises:
            EnrolmentError: it cannot be served; the message says why.
        """
        with self._one:
            if self._app is None:
                return  # it is loaded when it is asked
            reloader: ProcessReloader = self._app.extensions["reloader"]
            try:
                with _without_advice_on_keys():
                    reloader()
            except ReloadRefusedError as error:
                raise EnrolmentError("The new model cannot be asked: {reason}", reason=error.reason) from error

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        with self._one:
            if self._app is None:
                with _without_advice_on_keys():
                    self._app = ProcessReloader.start(self._settings)
        return self._app(environ, start_response)


@contextmanager
def _without_advice_on_keys() -> Iterator[None]:
    """Leave out that there is no API key: only this machine reaches the service, and a key would end enrolment."""

    def is_other(record: logging.LogRecord) -> bool:
        return record.msg != guard.NO_KEYS

    guard.log.addFilter(is_other)
    try:
        yield
    finally:
        guard.log.removeFilter(is_other)
