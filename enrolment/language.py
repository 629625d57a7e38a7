"""The language of what is told: that of the browser on the page, that of the terminal elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from enrolment.spanish import SPANISH as OWN
from faces.errors import MessageError
from faces.message import Message, translated
from service.language import SPANISH as OF_SERVICE
from service.language import Language
from stages.language.telling import SPANISH as OF_STAGES

SPANISH: Mapping[str, str] = {**OF_STAGES, **OF_SERVICE, **OWN}
"""Spanish for each English template; placeholders have the same names."""


def tell(text: Message | MessageError, language: Language) -> str:
    """A text, and the texts within it, in a language."""
    if language == "en":
        return str(text)
    return str(translated(text, SPANISH, decimal_comma=True))
