"""What the errors have in common that are meant for the user."""

from __future__ import annotations

from typing import Any

from faces.message import Message


class MessageError(Exception):
    """An error whose only argument is a `Message`, so it can be told in another language.

    Args:
        text: a message, or the template of one.
        values: of the template.
    """

    def __init__(self, text: str, /, **values: Any) -> None:
        super().__init__(text if isinstance(text, Message) else Message(text, **values))


class UserError(MessageError, RuntimeError):
    """Something that the user can mend; the message says what was given, what is expected and what to do."""
