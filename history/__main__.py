"""`python -m history`: save the project's state, go back to a saved one, apply an experiment."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from faces.errors import UserError
from history import versions

ROOT = Path(__file__).resolve().parent.parent


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m history", description="Saves the project and goes back to what was saved. No photo is ever lost."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    save = commands.add_parser("save", help="save photos (DVC), their hashes, parameters and results (git)")
    save.add_argument("message", nargs="?", default="Saved", help="what is new, for 'git log'")
    back = commands.add_parser(
        "back", help="save, then bring back the parameters, the results and the models of an earlier save"
    )
    back.add_argument(
        "revision", nargs="?", help="a commit of 'git log' (default: the last save that 'back' has not made itself)"
    )
    back.add_argument("--photos", action="store_true", help="bring back the photos of then, too; they replace today's")
    apply = commands.add_parser("apply", help="save, then take over an experiment; the photos stay as they are")
    apply.add_argument("experiment", help="its name, as 'dvc exp show' lists it")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Run a command in the project's root and say what it did."""
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
        sys.exit(f"history: {error}")
    except ModuleNotFoundError as error:
        sys.exit(
            f"history: the package {error.name} is not installed here: activate the environment "
            f"('source .venv/bin/activate'), or let 'python3 quickstart.py' make it"
        )
    except KeyboardInterrupt:
        sys.exit("history: stopped")


if __name__ == "__main__":
    main(sys.argv[1:])
