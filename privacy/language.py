"""The language of `python -m privacy`: that of the terminal, for its own texts and for those of faces and stages.

What programs read stays English whatever the terminal speaks: certificates, JSON, the audit log, and what is kept in
private/privacy/. A text that comes from there is said again with `say_again`.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable
from functools import cache

from faces.message import Message
from privacy.spanish import SPANISH
from service.client.arguments import speak_arguments
from service.client.language import Language, say, speak
from stages.language import telling

_YES = ("y", "yes", "s", "sí", "si")
_FEWEST_LETTERS = 10  # a template with fewer of its own would match texts that were not made of it


def choose(language: Language) -> None:
    """Say everything in a language from now on.

    Args:
        language: it.
    """
    telling.speak(language)  # what the stages tell, such as how far they are
    speak(language, {**telling.SPANISH, **SPANISH})
    speak_arguments()


def is_yes(answer: str) -> bool:
    """Whether an answer means yes, in either language, whatever the terminal speaks."""
    return unicodedata.normalize("NFC", answer).strip().lower() in _YES


def joined(separator: str, texts: Iterable[str]) -> Message:
    """Texts one after the other; those that are messages are translated with the whole.

    Args:
        separator: between them; itself no text, such as a line's end.
        texts: any number.
    """
    named = {f"text{number}": text for number, text in enumerate(texts)}
    return Message(separator.join(f"{{{name}}}" for name in named), **named)


def either(names: list[str]) -> Message:
    """Names of which one is meant: "a", "a or b", "a or b or c"."""
    *others, last = names
    return Message("{some} or {last}", some=either(others), last=last) if others else joined("", [last])


def both(names: list[str]) -> Message:
    """Names that are all meant: "a", "a and b", "a and b and c"."""
    *others, last = names
    return Message("{some} and {last}", some=both(others), last=last) if others else joined("", [last])


def say_again(text: str) -> str:
    """An English text that was written down, in the language chosen; one that is not from here stays as it is."""
    for pattern, template in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return say(template, **{name: say_again(value) for name, value in found.groupdict().items()})
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """An expression that matches the texts made of a template, and the template; those with values that are formatted,
    such as counts, are never written down."""
    found = []
    for template in SPANISH:
        parts = list(string.Formatter().parse(template))
        names = [name for _, name, _, _ in parts if name is not None]
        letters = sum(len(literal) for literal, _, _, _ in parts)
        if (
            any(spec for _, _, spec, _ in parts)
            or (names and letters < _FEWEST_LETTERS)
            or len(names) != len(set(names))
        ):
            continue
        expression = "".join(re.escape(literal) + (f"(?P<{name}>.+)" if name else "") for literal, name, _, _ in parts)
        found.append((letters, re.compile(expression, re.DOTALL), template))
    return [(pattern, template) for _, pattern, template in sorted(found, key=lambda one: -one[0])]
