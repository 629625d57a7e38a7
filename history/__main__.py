"""`python -m history`: save the project's state, go back to a saved one, apply an experiment.

It speaks the language of the terminal; the messages of its commits, which it reads again, stay English.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from faces.errors import UserError
from history import versions
from history.spanish import SPANISH
from service.client.arguments import speak_arguments
from service.client.language import Language, language_of_terminal, say, speak
from stages.language import telling

ROOT = Path(__file__).resolve().parent.parent


def choose(language: Language) -> None:
    """Say everything in a language from now on."""
    telling.speak(language)
    speak(language, {**telling.SPANISH, **SPANISH})
    speak_arguments()


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m history",
        description=say("Saves the project and goes back to what was saved. No photo is ever lost."),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    save = commands.add_parser("save", help=say("save photos (DVC), their hashes, parameters and results (git)"))
    save.add_argument(
        "message", nargs="?", default="Saved", metavar=say("message"), help=say("what is new, for 'git log'")
    )
    text = say("save, then bring back the parameters, the results and the models of an earlier save")
    back = commands.add_parser("back", help=text)
    text = say("a commit of 'git log' (default: the last save that 'back' has not made itself)")
    back.add_argument("revision", nargs="?", metavar=say("revision"), help=text)
    text = say("bring back the photos of then, too; they replace today's")
    back.add_argument("--photos", action="store_true", help=text)
    text = say("save, then take over an experiment; the photos stay as they are")
    apply = commands.add_parser("apply", help=text)
    text = say("its name, as 'dvc exp show' lists it")
    apply.add_argument("experiment", metavar=say("experiment"), help=text)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Run a command in the project's root and say what it did."""
    choose(language_of_terminal())
    given = parse(arguments)
    os.chdir(ROOT)
    try:
        if given.command == "save":
            print(versions.save(given.message).describe())
        elif given.command == "back":
            print(versions.back(given.revision, given.photos))
        else:
            print(versions.apply(given.experiment))
    except UserError as error:
        sys.exit(say("history: {error}", error=error))
    except ModuleNotFoundError as error:
        text = (
            "history: the package {name} is not installed here: activate the environment ('source "
            ".venv/bin/activate'), or let 'python3 quickstart.py' make it"
        )
        sys.exit(say(text, name=error.name))
    except KeyboardInterrupt:
        sys.exit(say("history: stopped"))


if __name__ == "__main__":
    main(sys.argv[1:])
