"""`python -m faces verify`: judges photos and folders of photos, on all cores."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from asking.language import choose
from asking.local_service import LocalService, failed
from faces.errors import UserError
from faces.message import Message
from service.client import results, terminal
from service.client.language import Language, say, spoken
from service.client.photos import find_photos
from service.client.progress import progress
from service.client.results import Answered
from service.config import Settings
from stages.crop.processes import map_in_processes
from stages.files.encryption import LockedError, plain_name, read_file


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `verify`."""
    text = "say of photos, and of all photos in folders, whether they show me"
    parser = commands.add_parser("verify", help=text, description=text, epilog=terminal.STATUS, allow_abbrev=False)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO|FOLDER", help="folders with their sub-folders")
    terminal.add_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    photos, empty = find_photos(arguments.photos, plain_name)
    for folder in empty:
        print(say("{folder} holds no photo", folder=folder), file=sys.stderr)
    wrong = results.check_target(arguments.csv) if arguments.csv else None
    answers: list[Answered] = []
    if wrong is not None or not photos:
        return terminal.conclude(answers, arguments, len(photos), wrong)
    service = LocalService(Settings.load())
    given = (service, arguments.faces == "all", spoken())
    try:
        with closing(map_in_processes(open_judge, given, photos, _lost)) as judged:
            for answer in progress(judged, len(photos)):
                answers.append(Answered(str(photos[len(answers)]), answer))
    except UserError as error:  # where nothing was judged, there is nothing to say but that
        if not answers:
            raise
        return terminal.conclude(answers, arguments, len(photos), say("Error: {error}", error=error))
    except KeyboardInterrupt:
        terminal.conclude(answers, arguments, len(photos), terminal.stopped(len(answers), len(photos)))
        return results.INTERRUPTED
    return terminal.conclude(answers, arguments, len(photos) + len(empty), None)


def open_judge(
    service: LocalService, all_faces: bool, language: Language, _threads: int
) -> Callable[[Path], dict[str, Any]]:
    """What judges photos, made in the process that calls this.

    Raises:
        NoModelError: the networks do not work.
    """
    choose(language)
    service.open()

    def judge(photo: Path) -> dict[str, Any]:
        try:
            data = read_file(photo)
        except LockedError as error:
            return failed("locked", error.args[0])
        except OSError as error:
            return failed("cannot_read", Message("cannot be read ({reason})", reason=error.strerror or str(error)))
        return service.answer(data, all_faces)

    return judge


def _lost(_photo: Path, reason: Message) -> dict[str, Any]:
    """The answer to a photo that ends the process which reads it."""
    return failed("unreadable", reason)
