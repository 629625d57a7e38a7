"""What argparse itself says ("usage", "options", what is wrong with an argument) in the language chosen.

argparse takes these words from gettext, which reads compiled files alone, and none in Spanish comes with Python. So the
two functions that it asks are replaced by ones that look here first.
"""

from __future__ import annotations

import argparse
import gettext

from service.client.language import spoken

SPANISH = {
    # The help
    "usage: ": "uso: ",
    "positional arguments": "argumentos",
    "options": "opciones",
    "subcommands": "subcomandos",
    "show this help message and exit": "muestra esta ayuda y termina",
    # What is wrong
    "%(prog)s: error: %(message)s\n": "%(prog)s: error: %(message)s\n",
    "argument %(argument_name)s: %(message)s": "argumento %(argument_name)s: %(message)s",
    "the following arguments are required: %s": "faltan estos argumentos: %s",
    "one of the arguments %s is required": "falta uno de estos argumentos: %s",
    "unrecognized arguments: %s": "argumentos desconocidos: %s",
    "not allowed with argument %s": "no se puede usar junto con %s",
    "expected one argument": "hace falta un valor",
    "expected at most one argument": "como mucho puede haber un valor",
    "expected at least one argument": "hace falta al menos un valor",
    "expected %s argument": "hace falta %s valor",
    "expected %s arguments": "hacen falta %s valores",
    "ignored explicit argument %r": "no admite ningún valor, y se ha dado %r",
    "ambiguous option: %(option)s could match %(matches)s": (
        "opción ambigua: %(option)s puede ser cualquiera de estas: %(matches)s"
    ),
    "invalid %(type)s value: %(value)r": "valor no válido: %(value)r",
    "invalid choice: %(value)r (choose from %(choices)s)": (
        "opción no válida: %(value)r (las que hay son %(choices)s)"
    ),
}
"""Spanish by argparse's English; "%" and what follows it are as in the English."""


def speak_arguments() -> None:
    """Let parsers of this process say what they say in the language chosen, whatever that is when they say it."""
    argparse._ = _one  # type: ignore[attr-defined]  # no name of its interface: there is no other way in
    argparse.ngettext = _one_or_more  # type: ignore[attr-defined]


def _one(text: str) -> str:
    return SPANISH.get(text, text) if spoken() == "es" else gettext.gettext(text)


def _one_or_more(one: str, more: str, count: int) -> str:
    return _one(one if count == 1 else more) if spoken() == "es" else gettext.ngettext(one, more, count)
