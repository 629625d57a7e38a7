"""Says a text in the language of the terminal, English or Spanish; the code has the English one."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from faces.message import Message, translated
from service.client.spanish import SPANISH

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides, as for other programs

_spoken: Language = "en"
_catalogue: Mapping[str, str] = SPANISH


def language_of_terminal(environment: Mapping[str, str] = os.environ) -> Language:
    """Spanish where the environment or, on Windows, the system says so; else English.

    Args:
        environment: variables by name.
    """
    named = next((environment[name] for name in _VARIABLES if environment.get(name)), None)
    if named is None:  # Windows sets none of them, and calls the language "Spanish_Spain"
        named = locale.getlocale()[0] or ""
    return "es" if re.match(r"es\b|es_|spanish", named.lower()) else "en"


def speak(language: Language, more: Mapping[str, str] | None = None) -> None:
    """Choose the language of all that follows in this process.

    Args:
        language: it.
        more: Spanish for texts of other packages, by the English one.
    """
    global _spoken, _catalogue
    _spoken = language
    _catalogue = {**(more or {}), **SPANISH}


def spoken() -> Language:
    """The language chosen."""
    return _spoken


def say(text: str, /, **values: Any) -> str:
    """A text in the language chosen.

    Args:
        text: an English template, as `faces.message.fill` takes it, or a `Message`, which may bring its values.
        values: of the template. Those that are messages, or errors with one, are said in the same language.
    """
    if isinstance(text, Message):
        values, text = {**text.values, **values}, text.template
    message = Message(text, **values)
    return str(translated(message, _catalogue, decimal_comma=True)) if _spoken == "es" else str(message)


def number(value: float, form: str = "g") -> str:
    """A number for people: with a decimal comma where the language has one.

    Args:
        value: the number.
        form: as `format` takes it.
    """
    text = format(value, form)
    return text.replace(",", " ").replace(".", ",").replace(" ", ".") if _spoken == "es" else text
