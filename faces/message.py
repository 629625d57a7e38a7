"""A text for the user that can be said in another language later."""

from __future__ import annotations

from typing import Any


class Message(str):
    """An English text that remembers how it was made, so that whoever shows it can translate it.

    It is an ordinary text, so it may be compared, logged or written to a file. `stages.language` translates the
    template and the values that are messages themselves, and puts them together again.

    Args:
        template: English, with a placeholder in braces for each value, as `str.format` takes it. Without values, the
            text as it is.
        values: by the names of the placeholders.

    Attributes:
        template: as given.
        values: as given.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Message:
        message = super().__new__(cls, template.format(**values) if values else template)
        message.template = template
        message.values = values
        return message
