"""The language of these commands: that of the terminal, for their own texts and for those of faces and stages."""

from __future__ import annotations

from asking.spanish import SPANISH
from service.client.language import Language, speak
from stages.language import telling


def choose(language: Language) -> None:
    """Say everything in a language from now on.

    Args:
        language: it.
    """
    telling.speak(language)  # some texts are put together by what the stages have
    speak(language, {**telling.SPANISH, **SPANISH})
