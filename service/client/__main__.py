"""`python -m service.client URL PHOTO|FOLDER…`; `--help` says what it can do."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path
from urllib.parse import urlsplit

PROGRAM = "python -m service.client"

try:
    from PIL import Image

    from service.client import results, terminal
    from service.client.client import Address, Client, ServiceError, ask_all, normal_url
    from service.client.language import language_of_terminal, say, speak, spoken
    from service.client.limits import BYTES_PER_MB, Limits
    from service.client.photos import find_photos
    from service.client.progress import progress
    from service.client.results import Answered
except ModuleNotFoundError as missing:
    print(
        f"{PROGRAM}: the package {missing.name} is not installed here: activate the environment ('source "
        ".venv/bin/activate'), or run 'pip install requests pillow tqdm'",
        file=sys.stderr,
    )
    sys.exit(2)

KEY_VARIABLE = "FACE_API_KEY"
MOST_CLIENTS = 64
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main() -> int:
    """Ask about the photos; returns the exit status."""
    arguments = _parser().parse_args()
    speak(arguments.language or language_of_terminal())
    terminal.prepare()
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # of a large photo that is to be made smaller
    photos, empty = find_photos(arguments.photos)
    for folder in empty:
        print(say("{folder} holds no photo", folder=folder), file=sys.stderr)
    wrong = results.check_target(arguments.csv) if arguments.csv else None
    if wrong is not None or not photos:
        return terminal.conclude([], arguments, len(photos), wrong)
    answers: dict[int, Answered] = {}
    reason, interrupted = None, False
    try:
        client = _client(arguments)
        client.look_at_service()
        for _ in progress(ask_all(client, photos, arguments.clients, answers), len(photos)):
            pass
    except ServiceError as error:
        reason = str(error)
    except KeyboardInterrupt:
        reason, interrupted = terminal.stopped(len(answers), len(photos)), True
    in_order = [answers[place] for place in sorted(answers)]
    status = terminal.conclude(in_order, arguments, len(photos) + len(empty), reason)
    return results.INTERRUPTED if interrupted else status


def _client(arguments: argparse.Namespace) -> Client:
    """What asks.

    Raises:
        ServiceError: the address is none.
    """
    url = normal_url(arguments.url)
    key = arguments.key or os.environ.get(KEY_VARIABLE) or None
    parts = urlsplit(url)
    if key and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        print(say("the key and the photos travel unencrypted to {url}", url=url), file=sys.stderr)
    limits = Limits(int(arguments.max_mb * BYTES_PER_MB)) if arguments.max_mb else None
    return Client(Address(url, key, arguments.ca_certificate, arguments.faces == "all", spoken()), limits)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        PROGRAM, description="Asks a service that runs about photos.", epilog=terminal.STATUS, allow_abbrev=False
    )
    parser.add_argument("url", metavar="URL", help="of the service, such as http://127.0.0.1:5000")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO|FOLDER", help="folders with their sub-folders")
    parser.add_argument("--clients", type=_clients, default=4, metavar="N", help="photos asked about at once (4)")
    parser.add_argument(
        "--key", metavar="KEY", help=f"API key; better in {KEY_VARIABLE}, since others see a command line"
    )
    parser.add_argument(
        "--max-mb", type=_megabytes, metavar="MB", help="make photos smaller that have more, whatever the service takes"
    )
    parser.add_argument(
        "--ca-certificate", type=Path, metavar="FILE", help="PEM file of who signed the service's certificate"
    )
    terminal.add_options(parser)
    return parser


def _clients(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_CLIENTS):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number from 1 to {MOST_CLIENTS}")
    return int(text)


def _megabytes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number of megabytes (2^20 bytes) from 0.01 to 1000")
    return value


if __name__ == "__main__":
    sys.exit(terminal.guarded(main))
