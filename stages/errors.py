"""Errors a user can mend, and how a stage ends with one: a sentence and exit status 1, no traceback."""

from __future__ import annotations

import errno
import logging
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from faces import arguments
from faces.errors import MendableError


class StageError(MendableError):
    """A stage cannot do its work with what it was given."""


def run_stage(name: str, main: Callable[[], None], outputs: Iterable[Path]) -> None:
    """Run a stage's main function as a program: logging to stderr, known errors as one message, exit status 1.

    It takes no arguments.

    Args:
        name: the stage's name, put before messages.
        main: does the work.
        outputs: what it writes; temporary copies that a killed run left beside them are deleted first.
    """
    about = (sys.modules[main.__module__].__doc__ or "").partition("\n")[0]
    arguments.take_none(f"python -m stages.{name}", about, "Its parameters stand in params.yaml.")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    logging.captureWarnings(True)
    try:
        for output in outputs:
            _remove_leftovers(output)
        main()
    except MendableError as error:
        sys.exit(f"{name}: error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{name}: stopped; what the last run made is as it was")
    except OSError as error:
        sys.exit(f"{name}: error: {_explain(error)}")


def _remove_leftovers(output: Path) -> None:
    for leftover in output.parent.glob(f".{output.name}.*.tmp"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _explain(error: OSError) -> str:
    what = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{what}. Make room and run it again; the file that was there before is as it was"
    return what
