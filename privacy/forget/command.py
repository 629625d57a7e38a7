"""`python -m privacy forget` and `python -m privacy certificate`."""

from __future__ import annotations

import argparse
import io
import sqlite3
import sys
from pathlib import Path

from privacy.errors import PrivacyError
from privacy.forget import certificate
from privacy.forget.forget import forget, pay_debts
from privacy.forget.project import Project
from privacy.language import is_yes
from service.client.language import say

_NONE = ("none", "ninguna", "ninguno")


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `forget` and `certificate`.

    Args:
        commands: of `python -m privacy`. Each parser sets `run`, which takes the parsed arguments and returns the exit
            status.
    """
    text = say("forget a person or a photo: in the photos, in what was made of them, in every version that DVC keeps")
    parser = commands.add_parser("forget", help=text, description=text)
    who = say("a sub-folder of not_me, 'me', or the path of a photo")
    parser.add_argument("who", nargs="*", metavar=say("WHO"), help=who)
    parser.add_argument("--dry-run", action="store_true", help=say("list everything, and change nothing"))
    parser.add_argument("--yes", action="store_true", help=say("ask nothing"))
    also = say("a photo of somebody else that shows them, too")
    parser.add_argument("--also", action="append", default=[], metavar=say("PHOTO"), help=also)
    parser.add_argument("--resume", action="store_true", help=say("finish what an earlier run has begun"))
    parser.add_argument("--owed", action="store_true", help=say("delete what remotes are owed that were away"))
    outside = say("DVC's cache lies outside the project, and is this project's alone")
    parser.add_argument("--cache-outside", action="store_true", help=outside)
    parser.set_defaults(run=_forget)
    text = say("check the certificates that forget writes")
    own = commands.add_parser("certificate", help=text, description=text).add_subparsers(
        metavar=say("command"), required=True
    )
    text = say("check a seal, and that what was deleted is still gone; exit status 1 if not")
    verify = own.add_parser("verify", help=text)
    verify.add_argument("file", type=Path, metavar=say("FILE"))
    verify.set_defaults(run=_verify)


def _forget(arguments: argparse.Namespace) -> int:
    for stream in (sys.stdout, sys.stderr):  # a file's name may be no UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _do(arguments, Path.cwd())
    except (OSError, sqlite3.Error) as error:  # DVC's notes are databases: where the disk is full, they fail first
        raise PrivacyError(
            "stopped: {error}. What is deleted stays deleted; free space or give yourself the right, then run this "
            "again, and it goes on",
            error=error,
        ) from error


def _do(arguments: argparse.Namespace, root: Path) -> int:
    if arguments.owed:
        return pay_debts(root, arguments.cache_outside)
    return forget(
        root, arguments.who, also=arguments.also, yes=arguments.yes, dry_run=arguments.dry_run,
        resume=arguments.resume, cache_outside=arguments.cache_outside, ask=_ask, choose=_choose,
    )  # fmt: skip


def _ask(question: str) -> bool:
    """Put a question; whether the answer is yes."""
    return is_yes(_answer(say("{question} [y/N] ", question=question)))


def _choose(question: str) -> bool | None:
    """Put one of several questions; None: no, and to the others as well."""
    answer = _answer(say("{question} [y/N; none: neither this nor any of the rest] ", question=question))
    return None if answer in _NONE else is_yes(answer)


def _answer(question: str) -> str:
    """What is answered, in small letters.

    Raises:
        PrivacyError: nobody is there to answer.
    """
    if not sys.stdin.isatty():
        raise PrivacyError("nobody can be asked here, so nothing was done: look at --dry-run, then give --yes")
    return input(question).strip().lower()


def _verify(arguments: argparse.Namespace) -> int:
    project = Project.open(Path.cwd(), cache_outside=True)
    wrong = certificate.verify(project, arguments.file)
    for sentence in wrong:
        print(say(sentence))
    if not wrong:
        print(say("The seal is right, and everything that the certificate speaks of is still gone."))
    return 1 if wrong else 0
