"""What the commands that ask about photos have in common on the terminal: options, interruptions, the end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from service.client import results
from service.client.language import LANGUAGES, say
from service.client.results import Answered

STATUS = (
    "exit status: 0 every photo shows me; 1 at least one does not; 2 at least one could not be judged, or wrong use"
)
"""The end of the help of each."""


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add --language."""
    parser.add_argument("--language", choices=LANGUAGES, help="else the terminal's: LC_ALL, LC_MESSAGES, LANG")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides which faces are judged, and how that is said."""
    parser.add_argument(
        "--faces",
        choices=("largest", "all"),
        default="largest",
        help="all: judge every face; a photo then shows me where one of its faces does",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a line of JSON for each photo, as /verify answers")
    form.add_argument("--csv", type=Path, metavar="FILE", help="write CSV to FILE, which is replaced; - prints it")
    add_language(parser)


def guarded(main: Callable[[], int]) -> int:
    """Run a program. Where it fails as nobody foresaw, the status is not 1, which says that somebody is not me."""
    try:
        return main()
    except KeyboardInterrupt:
        return results.INTERRUPTED
    except Exception:
        traceback.print_exc()
        return results.NOT_ALL_JUDGED


def prepare() -> None:
    """Names that are not text can be printed, and SIGTERM ends as Ctrl-C does."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal, file or pipe has it
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def conclude(answers: Sequence[Answered], arguments: argparse.Namespace, asked: int, reason: str | None) -> int:
    """Say what came of the photos, and why no more did.

    Args:
        answers: all that there are, in the order of the photos.
        arguments: those of `add_options`.
        asked: how many photos there were.
        reason: why that ended before its end; None where it did not.

    Returns:
        The exit status.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was done is written, however impatient somebody is
    written = not answers or _write(answers, arguments)
    if reason is not None:
        print(reason, file=sys.stderr)
    complete = reason is None and written and len(answers) == asked
    return results.exit_status(answers) if complete else results.NOT_ALL_JUDGED


def stopped(done: int, photos: int) -> str:
    """What is said after Ctrl-C."""
    return say("stopped: {done} of {photos:# photo|# photos} done, the others were not asked about",
               done=done, photos=photos)  # fmt: skip


def _write(answers: Sequence[Answered], arguments: argparse.Namespace) -> bool:
    try:
        written = results.write(answers, arguments.csv, arguments.json)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return written
