"""`python -m faces verify` and `python -m faces explain`.

This file only hands over: the package `asking` has the commands, since they need the service and the stages, and
nothing else in this package imports either. No stage imports this file, so none depends on it.
"""

from __future__ import annotations

import sys

from faces.packages import missing_is_told

PROGRAM = "python -m faces"


def main() -> int:
    """Run the command; returns the exit status."""
    try:
        with missing_is_told(PROGRAM, status=2):
            from asking.command import run

            return run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("asking", "stages"):
            raise
        print(
            f"{PROGRAM}: this copy holds the service alone, and these commands need the whole project: use "
            "'python -m service.client URL PHOTO' here, or run them where the project is",
            file=sys.stderr,
        )
        return 2


if __name__ == "__main__":
    sys.exit(main())
