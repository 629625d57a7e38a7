"""What a reload must not do to a service that runs, whatever the new settings say: it is refused then.

A setting that is gone is most often a typing error, or a file that is being written. So nothing that protects the
service ends with a reload: its keys, its audit log and its HTTPS. To end one of them on purpose, restart the service.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from faces.message import Message
from service.access.keys import KeyRing
from service.audit import AuditError
from service.config import Settings
from service.recording import check_hand_over, is_recorded

COMPARED = (
    "keys_path", "require_keys", "audit_path", "audit_head_path", "audit_salts_path", "tls_cert_path", "from_file",
    "host", "port", "log_format",
)  # fmt: skip
"""What a trial in another process is told of the settings that serve. No secret: all users can see its arguments."""

_OPENED = Message(
    "The new settings would open to everybody a service that asks for keys: check KEYS_PATH, or set REQUIRE_KEYS=true"
)
_NOT_RECORDED = Message(
    "The audit log is on, and the new settings would turn it off: set AUDIT_PATH and reload again, or restart the "
    "service"
)
_NO_TLS = Message(
    "The service answers by HTTPS, and with the new settings it would by plain HTTP: set TLS_CERT_PATH and "
    "TLS_KEY_PATH and reload again, or restart the service"
)
_NO_FILE = Message(
    "The file .env had settings at the start, and now it does not exist or has none: write it and reload again, or "
    "restart the service to go on without it"
)
_NOT_MOVED = Message("It is not possible to go on with the new audit log; the log of the service says why")

log = logging.getLogger("service.reload")


class ReloadRefusedError(Exception):
    """The new settings or files cannot serve.

    Attributes:
        reason: without a secret or a path: anybody may read it.
    """

    def __init__(self, reason: Message, log_text: str | None = None) -> None:
        super().__init__(log_text or reason)
        self.reason = reason


def check_protections(former: Settings, settings: Settings) -> None:
    """Whether the service stays as protected as it is. Nothing is written.

    Args:
        former: the settings that serve; the fields of `COMPARED` are enough.
        settings: those that are to serve.

    Raises:
        ReloadRefusedError: it would not, or it is known already that uses could not be recorded.
    """
    if former.from_file and not settings.from_file:
        raise ReloadRefusedError(
            _NO_FILE,
            ".env had settings, and now it is missing or has none: somebody may be writing it. Write it and reload "
            "again, or restart the service to go on without it",
        )
    asked_for_keys = KeyRing(former.keys_path, former.require_keys).needed
    if asked_for_keys and not KeyRing(settings.keys_path, settings.require_keys).needed:
        raise ReloadRefusedError(
            _OPENED,
            "the service asks for keys, and the new settings would open it to everybody: check KEYS_PATH, or set "
            "REQUIRE_KEYS=true",
        )
    if is_recorded(former) and not is_recorded(settings):
        raise ReloadRefusedError(
            _NOT_RECORDED,
            "the audit log is on, and the new settings would turn it off: set AUDIT_PATH and reload again, or restart "
            "the service",
        )
    if former.tls_cert_path is not None and settings.tls_cert_path is None:
        raise ReloadRefusedError(
            _NO_TLS,
            "HTTPS is served, and the new settings would serve plain HTTP: set TLS_CERT_PATH and TLS_KEY_PATH and "
            "reload again, or restart the service",
        )
    with audit_refusals():
        check_hand_over(former, settings)


@contextlib.contextmanager
def audit_refusals() -> Iterator[None]:
    """Within it, what is wrong with an audit log refuses the reload.

    Raises:
        ReloadRefusedError: one of the two logs cannot be written, or a log that is moved cannot say so.
    """
    try:
        yield
    except AuditError as error:
        text = f"{error}. To go on with another log without a word in this one, stop the service and start it again"
        raise ReloadRefusedError(_NOT_MOVED, text) from error
    except Exception as error:  # such as a path with a zero byte; see `reload.build`
        log.exception("the audit log could not be opened")
        raise ReloadRefusedError(_NOT_MOVED, f"the audit log could not be opened ({error!r})") from error
