"""`python -m privacy status|expire|export`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from privacy.errors import PrivacyError
from privacy.held import expire, export
from privacy.held.state import TOO_OLD, Holding, State, expired, read_state
from privacy.people import find_person
from privacy.tables import as_table
from stages.files.consent import Register, read_register, today
from stages.files.locked_files import is_locked_name
from stages.files.paths import CONSENT, DATA
from stages.files.photos import photos_in
from stages.params import load_params

GOOD, DUE = 0, 1
"""Exit status: nothing is to be done, or something is."""

_NAMED = 20


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `status`, `expire` and `export`."""
    status = commands.add_parser(
        "status", help="who is in, since when, what ends next, what is due; exit status 1 if something is"
    )
    status.add_argument("--json", action="store_true", help="print JSON for programs")
    status.set_defaults(run=_status)
    over = commands.add_parser("expire", help="forget photos whose consent is past or taken back, or that are too old")
    over.add_argument("--dry-run", action="store_true", help="list them, and change nothing")
    over.add_argument("--yes", action="store_true", help="do not ask")
    over.set_defaults(run=_expire)
    held = commands.add_parser("export", help="what is held of a person, as a zip: the right of access")
    held.add_argument("person", help="me, a sub-folder of data/not_me, or a photo such as not_me/ana/1.jpg")
    # Absolute, since the program goes to the project's folder before it writes.
    held.add_argument("--out", type=lambda text: Path(text).absolute(), metavar="FILE.zip", help="where to write it")
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
        yield "There are no photos in data/me and data/not_me."
    else:
        yield as_table([_row(holding, state.consent_counts) for holding in state.holdings])
    yield ""
    if state.next_end is not None:
        yield f"Next: {state.next_end[1]}, on {state.next_end[0].isoformat()}."
    if not state.consent_counts:
        yield "Consent is not looked at: there is no data/consent.csv, and privacy.consent is off."
    if state.idle:
        names = [f"{consent.who} (line {consent.line})" for consent in state.idle]
        yield f"{CONSENT.as_posix()} has lines about nobody who is here: {_some(names)}."
    yield "Due:" if state.is_due else "Nothing is due."
    due: dict[str, list[Holding]] = {}
    for holding in state.holdings:
        for reason in dict.fromkeys(holding.without.values()) if state.consent_counts else ():
            due.setdefault(reason, []).append(holding)
        if holding.old:
            due.setdefault(TOO_OLD, []).append(holding)
    for reason, holdings in due.items():
        yield f"  {reason}: {_some([holding.who for holding in holdings])}"
    for sentence in state.owed:
        yield f"  {sentence}"
    if state.unfinished:
        yield "  a forget was stopped before its end: 'python -m privacy forget --resume' finishes it"


def _row(holding: Holding, consent_counts: bool) -> dict[str, object]:
    if not consent_counts:
        consent = "–"
    elif not holding.without:
        consent = "yes"
    else:
        consent = "no" if len(holding.without) == holding.photos else f"no for {len(holding.without)}"
    return {
        "who": holding.who,
        "photos": holding.photos,
        "here since": holding.since.isoformat(),
        "consent": consent,
        "given": holding.given.isoformat() if holding.given else "–",
        "until": holding.until.isoformat() if holding.until else "–",
    }


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count} photos"


def _expire(args: argparse.Namespace) -> int:
    day = today()
    state = read_state(load_params().privacy, day)
    register = read_register() if CONSENT.exists() else Register()
    found = expired(state, photos_in(DATA), register, day)
    if not found:
        print("No photo's time is over.")
        return GOOD
    print(f"The time of {_photos(len(found))} is over:\n{expire.describe(found)}")
    if args.dry_run:
        return GOOD
    if not args.yes and not expire.confirmed(len(found)):
        print("Nothing was done.")
        return DUE
    return expire.forget(list(found))


def _export(args: argparse.Namespace) -> int:
    photos = photos_in(DATA)
    person = find_person(args.person, photos)
    if args.out is not None and args.out.is_dir():
        raise PrivacyError("{path} is a folder: give the name of a file, such as {path}/export.zip", path=args.out)
    path = args.out or Path(export.default_name(person))
    found = export.export(person, path, today())
    print(f"Written to {path}, readable to you alone: {_photos(len(person.photos))}, {found.describe()}.")
    if any(is_locked_name(photo.path.name) for photo in person.photos):
        print("The photos in data/ are locked. In it they are not encrypted.")
    found_again = "deletes it only with the person" if args.out is None else "would not find it"
    print(f"It holds faces. Hand it over in a safe way, then delete it: 'python -m privacy forget' {found_again}.")
    return GOOD
