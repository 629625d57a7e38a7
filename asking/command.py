"""Reads the arguments of `python -m faces`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asking import explain, verify
from asking.language import choose
from faces.errors import UserError
from service.client import results, terminal
from service.client.language import language_of_terminal, say
from service.config import SettingsError, take_from


def run() -> int:
    """Do what the command says; returns the exit status."""
    return terminal.guarded(_run)


def _run() -> int:
    parser = argparse.ArgumentParser(
        "python -m faces",
        description="Asks the trained model on this machine, without a server. Settings are those of the service: the "
        "environment and .env, such as VERIFY_THRESHOLD.",
    )
    parser.add_argument(
        "--env-file", type=Path, action="append", default=[], metavar="FILE", help="as for python -m service"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify.add_command(commands)
    explain.add_command(commands)
    arguments = parser.parse_args()
    choose(arguments.language or language_of_terminal())
    terminal.prepare()
    try:
        for path in arguments.env_file:
            take_from(path)
        status: int = arguments.run(arguments)
        return status
    except SettingsError as error:
        print(say("Wrong settings:\n{error}", error=error), file=sys.stderr)
    except UserError as error:
        print(say("Error: {error}", error=error), file=sys.stderr)
    return results.NOT_ALL_JUDGED
