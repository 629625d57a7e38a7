"""`python -m privacy status|expire|export`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from faces.message import Message
from privacy.errors import PrivacyError
from privacy.held import expire, export
from privacy.held.state import TOO_OLD, Holding, State, expired, read_state
from privacy.people import find_person
from privacy.tables import as_table
from service.client.language import say
from stages.files.consent import Register, read_register, today
from stages.files.locked_files import is_locked_name
from stages.files.paths import CONSENT, DATA
from stages.files.photos import photos_in
from stages.language.telling import some
from stages.params import load_params

GOOD, DUE = 0, 1
"""Exit status: nothing is to be done, or something is."""

_NAMED = 20


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `status`, `expire` and `export`."""
    status = commands.add_parser(
        "status", help=say("who is in, since when, what ends next, what is due; exit status 1 if something is")
    )
    status.add_argument("--json", action="store_true", help=say("print JSON for programs"))
    status.set_defaults(run=_status)
    text = say("forget photos whose consent is past or taken back, or that are too old")
    over = commands.add_parser("expire", help=text)
    over.add_argument("--dry-run", action="store_true", help=say("list them, and change nothing"))
    over.add_argument("--yes", action="store_true", help=say("do not ask"))
    over.set_defaults(run=_expire)
    held = commands.add_parser("export", help=say("what is held of a person, as a zip: the right of access"))
    text = say("me, a sub-folder of data/not_me, or a photo such as not_me/ana/1.jpg")
    held.add_argument("person", metavar=say("person"), help=text)
    # Absolute, since the program goes to the project's folder before it writes.
    zip_file, text = say("FILE.zip"), say("where to write it")
    held.add_argument("--out", type=lambda path: Path(path).absolute(), metavar=zip_file, help=text)
    held.set_defaults(run=_export)


def _status(args: argparse.Namespace) -> int:
    params = load_params().privacy
    state = read_state(params, today())
    if args.json:
        print(json.dumps(state.as_json(), ensure_ascii=False))
    else:
        print("\n".join(_lines(state)))
    return DUE if state.is_due else GOOD


def _lines(state: State) -> Iterator[str]:
    if not state.holdings:
        yield say("There are no photos in data/me and data/not_me.")
    else:
        yield as_table([_row(holding, state.consent_counts) for holding in state.holdings])
    yield ""
    if state.next_end is not None:
        yield say("Next: {who}, on {day}.", who=state.next_end[1], day=state.next_end[0].isoformat())
    if not state.consent_counts:
        yield say("Consent is not looked at: there is no data/consent.csv, and privacy.consent is off.")
    if state.idle:
        names = [say("{who} (line {line})", who=consent.who, line=consent.line) for consent in state.idle]
        text = "{path} has lines about nobody who is here: {names}."
        yield say(text, path=CONSENT.as_posix(), names=_some(names))
    yield say("Due:") if state.is_due else say("Nothing is due.")
    due: dict[str, list[Holding]] = {}
    for holding in state.holdings:
        for reason in dict.fromkeys(holding.without.values()) if state.consent_counts else ():
            due.setdefault(reason, []).append(holding)
        if holding.old:
            due.setdefault(TOO_OLD, []).append(holding)
    for reason, holdings in due.items():
        yield say("  {reason}: {names}", reason=reason, names=_some([holding.who for holding in holdings]))
    for sentence in state.owed:
        yield f"  {say(sentence)}"
    if state.unfinished:
        yield say("  a forget was stopped before its end: 'python -m privacy forget --resume' finishes it")


def _row(holding: Holding, consent_counts: bool) -> dict[str, object]:
    if not consent_counts:
        consent = "–"
    elif not holding.without:
        consent = say("yes")
    elif len(holding.without) == holding.photos:
        consent = say("no")
    else:
        consent = say("no for {count}", count=len(holding.without))
    return {
        say("who"): holding.who,
        say("photos"): holding.photos,
        say("here since"): holding.since.isoformat(),
        say("consent"): consent,
        say("given"): holding.given.isoformat() if holding.given else "–",
        say("until"): holding.until.isoformat() if holding.until else "–",
    }


def _some(names: list[str]) -> Message:
    return some(names, _NAMED)


def _expire(args: argparse.Namespace) -> int:
    day = today()
    state = read_state(load_params().privacy, day)
    register = read_register() if CONSENT.exists() else Register()
    found = expired(state, photos_in(DATA), register, day)
    if not found:
        print(say("No photo's time is over."))
        return GOOD
    print(say("The time of {count:# photo|# photos} is over:", count=len(found)), expire.describe(found), sep="\n")
    if args.dry_run:
        return GOOD
    if not args.yes and not expire.confirmed(len(found)):
        print(say("Nothing was done."))
        return DUE
    return expire.forget(list(found))


def _export(args: argparse.Namespace) -> int:
    photos = photos_in(DATA)
    person = find_person(args.person, photos)
    if args.out is not None and args.out.is_dir():
        raise PrivacyError("{path} is a folder: give the name of a file, such as {path}/export.zip", path=args.out)
    path = args.out or Path(export.default_name(person))
    found = export.export(person, path, today())
    text = "Written to {path}, readable to you alone: {photos:# photo|# photos}, {counts}."
    print(say(text, path=path, photos=len(person.photos), counts=found.describe()))
    if any(is_locked_name(photo.path.name) for photo in person.photos):
        print(say("The photos in data/ are locked. In it they are not encrypted."))
    text = "It holds faces. Hand it over in a safe way, then delete it: 'python -m privacy forget' would not find it."
    if args.out is None:
        text = (
            "It holds faces. Hand it over in a safe way, then delete it: 'python -m privacy forget' deletes it only "
            "with the person."
        )
    print(say(text))
    return GOOD
