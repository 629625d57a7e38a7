"""A text for the user that can be said in another language later, and that reads right whatever it counts."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

PLURAL = "|"
"""What stands between the singular and the plural of a placeholder."""

NUMBER = "#"
"""Where the number stands in them."""


class _Filler(string.Formatter):
    """`str.format` with one thing more: {count:# photo|# photos}."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """A value as text; a count with the words that go with it."""
        singular, mark, plural = format_spec.partition(PLURAL)
        if not mark:
            return str(super().format_field(value, format_spec))
        return (singular if str(value) == "1" else plural).replace(NUMBER, str(value))


_FILLER = _Filler()


def fill(template: str, /, **values: Any) -> str:
    """The text of a template and its values.

    Args:
        template: as `str.format` takes it. A count may bring the words that depend on it, singular and plural, as in
            "{photos:# photo is|# photos are} new"; "#" is the number, and may be left out.
        values: by the names of the placeholders.
    """
    return _FILLER.vformat(template, (), values)


class Message(str):
    """An English text that remembers how it was made, so that whoever shows it can translate it.

    It is an ordinary text, so it may be compared, logged or written to a file. `stages.language` translates the
    template and the values that are messages themselves, and puts them together again.

    Args:
        template: English, as `fill` takes it. Without values, the text as it is.
        values: by the names of the placeholders.

    Attributes:
        template: as given.
        values: as given.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Message:
        message = super().__new__(cls, fill(template, **values) if values else template)
        message.template = template
        message.values = values
        return message


def translated(text: Any, catalogue: Mapping[str, str], decimal_comma: bool = False) -> Any:
    """A message in another language, and the messages and errors within it.

    Args:
        text: a `Message`, or an error with one. Anything else stays as it is.
        catalogue: the other language's template for each English one; what it lacks stays English.
        decimal_comma: write numbers with one where a template rounds them. Others are settings, which are copied.
    """
    if isinstance(text, BaseException):
        text = text.args[0] if text.args and isinstance(text.args[0], Message) else str(text)
    if isinstance(text, float) and decimal_comma:
        return _WithComma(text)
    if not isinstance(text, Message):
        return text
    template = catalogue.get(text.template, text.template)
    values = {name: translated(value, catalogue, decimal_comma) for name, value in text.values.items()}
    return Message(template, **values)


class _WithComma(float):
    def __format__(self, form: str) -> str:
        text = super().__format__(form)
        return text.replace(".", ",") if form else text
