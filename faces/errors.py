"""What the errors have in common that are meant for the user."""

from __future__ import annotations


class UserError(RuntimeError):
    """Something that the user can mend; the message says what was given, what is expected and what to do."""
