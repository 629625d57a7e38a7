"""The language of an answer: Spanish or English, as `Accept-Language` asks; Spanish where it asks for neither.

The code has English texts (`faces.message.Message`); their Spanish stands in service/spanish.py and faces/spanish.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, cast, get_args

from flask import Flask, Response, g, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from faces.errors import MessageError
from faces.message import Message, translated
from faces.spanish import SPANISH as SHARED
from service.spanish import ANSWERS

Language = Literal["es", "en"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The first is that of whoever asks for none, as in the API's contract."""

SPANISH: Mapping[str, str] = {**SHARED, **ANSWERS}
"""Spanish for each English template; placeholders have the same names."""


def best_of(header: str) -> Language:
    """The language that suits best.

    Args:
        header: the value of `Accept-Language`, "" for none.
    """
    # By the first part alone, or a client that would like es-MX best, and any English else, would get English.
    accepted = [(tag.partition("-")[0], quality) for tag, quality in parse_accept_header(header, LanguageAccept)]
    return cast(Language, LanguageAccept(accepted).best_match(LANGUAGES, LANGUAGES[0]))


def asked() -> Language:
    """The language of the answer to this request. Once this has been asked, the answer's headers name it."""
    if "language" not in g:
        g.language = best_of(request.headers.get("Accept-Language", ""))
    language: Language = g.language
    return language


def tell(text: Message | MessageError, language: Language) -> str:
    """A text, and the texts within it, in a language."""
    if language == "en":
        return str(text)
    return text.spanish if isinstance(text, _Told) else str(translated(text, SPANISH))


def register(app: Flask) -> None:
    """Have every answer whose texts depend on the language say so. To be registered early: it sees an answer late."""

    def name_language(response: Response) -> Response:
        if "language" in g:
            response.headers["Content-Language"] = g.language
            response.vary.add("Accept-Language")
        return response

    app.after_request(name_language)


class _Told(Message):
    """A message of another process, which has told it already."""

    spanish: str


def to_json(message: Message) -> str:
    """A message for another process, which can then tell it in either language."""
    return json.dumps({language: tell(message, language) for language in LANGUAGES})


def from_json(text: str) -> Message:
    """The message.

    Raises:
        ValueError: the text is not of `to_json`.
    """
    told = json.loads(text)
    if not isinstance(told, dict) or told.keys() != set(LANGUAGES):
        raise ValueError(f"not a message: {text!r}")
    message = _Told(str(told["en"]))
    message.spanish = str(told["es"])
    return message
