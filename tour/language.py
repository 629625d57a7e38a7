"""The language of quickstart.py and of the tour: that of the terminal, Spanish or English.

quickstart.py imports this before any package is installed: it needs the standard library alone, and Python 3.7 will do.
The language of the pipeline's reports is another matter: `language` in params.yaml.
"""

from __future__ import annotations

import locale
import os
import re
import string
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tour.spanish import SPANISH

if TYPE_CHECKING:
    from typing import Literal  # Python 3.7 has none

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first of them that is set counts, as for every program
SWAPPED = str.maketrans(".,", ",.")
"""Makes a number as English writes it one as Spanish does."""


class _SpanishNumbers(string.Formatter):
    """`str.format` with a decimal comma, and points between thousands, where a template rounds a number."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """A value as text."""
        text = str(super().format_field(value, format_spec))
        return text.translate(SWAPPED) if format_spec and isinstance(value, (int, float)) else text


def tell(template: str, **values: Any) -> str:
    """A sentence in the language of the terminal.

    Args:
        template: English, as `str.format` takes it; its Spanish is in tour/spanish.py.
        values: by the names of its placeholders.
    """
    if spoken() == "es":
        return _SpanishNumbers().format(SPANISH[template], **values)
    return template.format(**values)


def spoken() -> Literal["es", "en"]:
    """The language of the terminal, "es" or "en"."""
    return language_of(os.environ, _of_windows())


def language_of(environment: Mapping[str, str], windows: str = "") -> Literal["es", "en"]:
    """The language that an environment names, "es" or "en".

    Args:
        environment: its variables.
        windows: how Windows calls the language that it speaks, such as "es_ES": it sets no such variable.
    """
    named = next((environment[name] for name in _VARIABLES if environment.get(name)), windows)
    return "es" if re.match("es(?![a-z])", named.lower()) else "en"


def _of_windows() -> str:
    if sys.platform == "win32":
        import ctypes

        return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")
    return ""
