"""The error of `python -m privacy`."""

from __future__ import annotations

from faces.errors import UserError


class PrivacyError(UserError):
    """What was asked for cannot be done; the message says why and what to do. Nothing is lost."""
