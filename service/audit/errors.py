"""What goes wrong with the audit log."""

from __future__ import annotations


class AuditError(Exception):
    """The audit log cannot be opened, written or read; the message says what was found and what to do.

    The message is for the operator, in English, as the service's log is. It names no photo and no person.
    """
