"""`python -m privacy`: what is done for the people on the photos. docs/privacy.md says how it works."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from faces.packages import missing_is_told

with missing_is_told("python -m privacy"):
    from faces.errors import UserError
    from privacy.forget import command as forget_command
    from privacy.held import command as held_command
    from privacy.language import choose
    from privacy.locking import command as locking_command
    from privacy.register import command as register_command
    from service.client.language import language_of_terminal, say

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Do what the command says."""
    choose(language_of_terminal())
    parser = argparse.ArgumentParser("python -m privacy", description=say("What is done for the people on the photos."))
    commands = parser.add_subparsers(title=say("commands"), metavar=say("COMMAND"), required=True)
    for module in (forget_command, register_command, held_command, locking_command):
        module.add_commands(commands)
    args = parser.parse_args()
    os.chdir(ROOT)  # paths are relative to the project, wherever this was started
    try:
        with missing_is_told("python -m privacy"):
            sys.exit(args.run(args))
    except UserError as error:
        sys.exit(say("Error: {error}", error=error))
    except OSError as error:
        reason = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
        sys.exit(say("Error: {error}", error=reason))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
