"""Errors a user can mend, and how a stage ends with one: a sentence and exit status 1, no traceback."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from faces.backbones import WeightsDamagedError, WeightsUnavailableError
from faces.networks import NetworksError
from faces.verifier import VerifierError


class StageError(RuntimeError):
    """Something that the user can mend; the message says what was given, what is expected and what to do."""


def run_stage(name: str, main: Callable[[], None]) -> None:
    """Run a stage's main function as a program: logging to stderr, known errors as one message, exit status 1.

    Args:
        name: the stage's name, put before messages.
        main: does the work.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    logging.captureWarnings(True)
    try:
        main()
    except (StageError, NetworksError, VerifierError, WeightsDamagedError, WeightsUnavailableError) as error:
        sys.exit(f"{name}: error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{name}: stopped; what the last run made is as it was")
    except OSError as error:
        sys.exit(f"{name}: error: {error.strerror or error} ({error.filename or 'no file named'})")
