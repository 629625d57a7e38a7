"""What stops a command of the history."""

from __future__ import annotations

from faces.errors import UserError


class HistoryError(UserError):
    """The history cannot do what was asked for; nothing was lost."""
