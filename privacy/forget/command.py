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

_YES = ("y", "yes", "s", "sí", "si")
_NONE = ("none", "ninguna", "ninguno")


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `forget` and `certificate`.

    Args:
        commands: of `python -m privacy`. Each parser sets `run`, which takes the parsed arguments and returns the exit
            status.
    """
    text = "forget a person or a photo: in the photos, in what was made of them, in every version that DVC keeps"
    parser = commands.add_parser("forget", help=text, description=text)
    parser.add_argument("who", nargs="*", metavar="WHO", help="a sub-folder of not_me, 'me', or the path of a photo")
    parser.add_argument("--dry-run", action="store_true", help="list everything, and change nothing")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument(
        "--also", action="append", default=[], metavar="PHOTO", help="a photo of somebody else that shows them, too"
    )
    parser.add_argument("--resume", action="store_true", help="finish what an earlier run has begun")
    parser.add_argument("--owed", action="store_true", help="delete what remotes are owed that were away")
    parser.add_argument(
        "--cache-outside", action="store_true", help="DVC's cache lies outside the project, and is this project's alone"
    )
    parser.set_defaults(run=_forget)
    text = "check the certificates that forget writes"
    own = commands.add_parser("certificate", help=text, description=text).add_subparsers(
        metavar="command", required=True
    )
    verify = own.add_parser(
        "verify", help="check a seal, and that what was deleted is still gone; exit status 1 if not"
    )
    verify.add_argument("file", type=Path, metavar="FILE")
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
    return _answer(f"{question} [y/N] ") in _YES


def _choose(question: str) -> bool | None:
    """Put one of several questions; None: no, and to the others as well."""
    answer = _answer(f"{question} [y/N; none: neither this nor any of the rest] ")
    return None if answer in _NONE else answer in _YES


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
        print(sentence)
    if not wrong:
        print("The seal is right, and everything that the certificate speaks of is still gone.")
    return 1 if wrong else 0
