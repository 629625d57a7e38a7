"""Says a text in the language that was chosen. Nothing is translated before `speak`, so a test sees English."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from faces.message import NUMBER, PLURAL, Message, fill, translated
from faces.spanish import SPANISH as SHARED
from stages.language.spanish_console import CONSOLE
from stages.language.spanish_errors import ERRORS
from stages.language.spanish_pictures import PICTURES

Language = Literal["es", "en"]

SPANISH: Mapping[str, str] = {**SHARED, **ERRORS, **CONSOLE, **PICTURES}
"""Spanish for each English template; placeholders have the same names."""

_FEWEST_LETTERS = 12
_COUNTED = "_counted_"  # in the name of a group, after that of the placeholder: the words are a count's
_spoken: Language = "en"


def speak(language: Language) -> None:
    """Choose the language of all that follows in this process."""
    global _spoken
    _spoken = language


def spoken() -> Language:
    """The language chosen."""
    return _spoken


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak a language for a while."""
    before = spoken()
    speak(language)
    try:
        yield
    finally:
        speak(before)


def language_of(params: Path) -> Language:
    """The language that params.yaml names; English where it names none.

    Only the one line is read: a mistake elsewhere in the file is to be told in the right language.
    """
    try:
        text = params.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "en"
    found = re.search(r"""^language\s*:\s*["']?(\w+)""", text, re.MULTILINE)
    return next((language for language in get_args(Language) if found and found[1] == language), "en")


def tell(text: str, /, **values: Any) -> str:
    """A text in the language chosen.

    Args:
        text: an English template, or a `Message`, which may bring its values. What `SPANISH` lacks stays English.
        values: of the template. Those that are messages, or errors with one, are told in the same language.
    """
    if isinstance(text, Message):
        values, text = {**text.values, **values}, text.template
    message = Message(text, **values)
    return str(translated(message, SPANISH, decimal_comma=True)) if _spoken == "es" else str(message)


def is_told(text: str, template: str) -> bool:
    """Whether a text, read from a file, is a template without values, in whatever language it was written."""
    return text in (template, SPANISH.get(template))


def tell_again(text: str) -> str:
    """An English text that was read from a file, in the language chosen, if it was made of a template of `SPANISH`."""
    if _spoken == "en":
        return text
    for pattern, spanish, rounded in _patterns():
        found = pattern.fullmatch(text)
        if found:
            values = {
                name: value.replace(".", ",") if name in rounded else tell_again(value)
                for name, value in _values(found.groupdict()).items()
            }
            return fill(spanish, **values)
    return text


def _values(groups: dict[str, str]) -> dict[str, str]:
    """The values of a template's placeholders, of the text that stands in the place of each; a count is its digits."""
    values = {}
    for name, text in groups.items():
        counted, mark, _ = name.partition(_COUNTED)
        digits = re.search(r"\d+", text) if mark else None
        if digits or not mark:
            values[counted] = digits[0] if digits else text
    return values


@cache
def _patterns() -> list[tuple[re.Pattern[str], str, frozenset[str]]]:
    """An expression that matches the texts made of a template, its Spanish, which takes the values as texts, and the
    names of the values that are rounded numbers.

    Templates with most letters of their own come first. One that has values and hardly a letter would match anything.
    """
    found = []
    for template in SPANISH:
        expression, letters = "", 0
        names: set[str] = set()
        rounded: set[str] = set()
        for literal, name, spec, _ in string.Formatter().parse(template):
            expression += re.escape(literal)
            letters += len(literal)
            if name is None:
                continue
            if spec and PLURAL in spec:
                singular, plural = (re.escape(words).replace(re.escape(NUMBER), r"\d+") for words in spec.split(PLURAL))
                expression += f"(?P<{name}{_COUNTED}{len(names)}>{singular}|{plural})"
                letters += len(spec) // 2
            else:
                expression += f"(?P={name})" if name in names else f"(?P<{name}>.+)"
                rounded |= {name} if spec else set()
            names.add(name)
        if letters >= _FEWEST_LETTERS or not names:
            spanish = re.sub(r"\{(\w+)[!:][^}|]*\}", r"{\1}", SPANISH[template])
            found.append((letters, re.compile(expression, re.DOTALL), spanish, frozenset(rounded)))
    return [(pattern, spanish, rounded) for _, pattern, spanish, rounded in sorted(found, key=lambda item: -item[0])]


def number(value: float, form: str = "g") -> str:
    """A number for a chart: with a decimal comma where the language has one.

    Args:
        value: the number.
        form: as `format` takes it.
    """
    text = format(value, form)
    return text.replace(".", ",") if _spoken == "es" else text


def some(names: Sequence[str], count: int) -> Message:
    """The first of some names, and how many more there are."""
    if len(names) <= count:
        return Message("{names}", names=", ".join(names))
    return Message("{names} and {more} more", names=", ".join(names[:count]), more=len(names) - count)
