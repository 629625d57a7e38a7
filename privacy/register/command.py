"""`python -m privacy consent add|withdraw|list`: the table of consents."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from faces.message import Message
from privacy.errors import PrivacyError
from privacy.language import joined
from privacy.people import find_person
from privacy.register.contact import contact_hash
from privacy.register.editing import Table, edit, read_table, withdraw
from privacy.tables import as_table
from service.client.language import say
from stages.files.consent import Consent, as_path, today
from stages.files.paths import CONSENT, DATA
from stages.files.photos import photos_in
from stages.params import load_params


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `consent` and what it can do."""
    consent = commands.add_parser("consent", help=say("who has agreed to what, until when: data/consent.csv"))
    own = consent.add_subparsers(metavar=say("command"), required=True)
    add = own.add_parser("add", help=say("write down a consent"))
    day = say("DAY")
    who = say("me, a sub-folder of data/not_me, or a photo such as not_me/ana/1.jpg")
    add.add_argument("who", metavar=say("who"), help=who)
    add.add_argument("--given", type=_day, metavar=day, help=say("the day of the consent, such as 2026-11-27; today"))
    add.add_argument("--until", type=_day, metavar=day, help=say("the last day on which it holds; no end if left out"))
    add.add_argument("--how", default="", metavar=say("HOW"), help=say("how it was given: signed form, e-mail …"))
    add.add_argument(
        "--contact",
        nargs="?",
        const="",
        metavar=say("ADDRESS"),
        help=say(
            "how to reach the person; only a keyed hash is kept. Without ADDRESS it asks, so that no shell keeps it"
        ),
    )
    replace = say("put it in the place of the line that there is already")
    add.add_argument("--replace", action="store_true", help=replace)
    add.set_defaults(run=_add)
    taken_back = own.add_parser("withdraw", help=say("write down that a consent was taken back"))
    who = say("as for add; what lies in a folder is withdrawn with it")
    taken_back.add_argument("who", metavar=say("who"), help=who)
    taken_back.add_argument("--on", type=_day, metavar=day, help=say("from this day on; today if left out"))
    taken_back.set_defaults(run=_withdraw)
    listing = own.add_parser("list", help=say("show the table, and whether each consent holds today"))
    listing.add_argument("--contact", metavar=say("ADDRESS"), help=say("those of this address alone"))
    listing.add_argument("--json", action="store_true", help=say("print JSON for programs"))
    listing.set_defaults(run=_list)


def _day(text: str) -> date:
    try:
        if len(text) != len("2026-11-27"):  # Python reads 20261127 too, and the table does not
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        reason = say("{text!r} is no day; expected year-month-day such as 2026-11-27", text=text)
        raise argparse.ArgumentTypeError(reason) from None


def _add(args: argparse.Namespace) -> int:
    contact = args.contact
    if contact == "":
        contact = getpass.getpass(say("Contact (it is not shown): "))
    values = {
        "who": as_path(args.who).removeprefix("not_me/") if as_path(args.who) != "not_me/me" else "not_me/me",
        "given": (args.given or today()).isoformat(),
        "until": args.until.isoformat() if args.until else "",
        "withdrawn": "",
        "how": args.how,
        "contact_sha256": "" if contact is None else contact_hash(contact, make_key=True),
    }

    def change(table: Table) -> Table:
        there = table.register.consents.get(as_path(args.who))
        if there is not None and not args.replace:
            raise PrivacyError(
                "{who} has a consent already, in line {line} of {path}: {consent}. With --replace, the new one takes "
                "its place",
                who=there.who,
                line=there.line,
                path=CONSENT,
                consent=_in_words(there),
            )
        return table.put(values)

    edit(change)
    consent = read_table().register.consents[as_path(args.who)]
    text = "{who}: {consent}. It stands in line {line} of {path}."
    print(say(text, who=consent.who, consent=_in_words(consent), line=consent.line, path=CONSENT.as_posix()))
    try:
        count = len(find_person(args.who, photos_in(DATA)).photos)
        print(say("It is about {count:# photo|# photos}.", count=count))
    except PrivacyError as error:
        print(say("Note: {error}", error=error), file=sys.stderr)
    _note_parameters()
    return 0


def _withdraw(args: argparse.Namespace) -> int:
    day = args.on or today()
    changed: list[str] = []

    def change(table: Table) -> Table:
        path = as_path(args.who)
        if not any(who == path or who.startswith(f"{path}/") for who in table.register.consents):
            raise PrivacyError(
                "{path} has no line for {who}, so there is nothing to take back. With privacy.consent: require, photos "
                "without a line are not used; 'python -m privacy forget' deletes them",
                path=CONSENT,
                who=path,
            )
        table, own = withdraw(table, args.who, day)
        changed.extend(own)
        return table

    edit(change)
    if not changed:
        print(say("It was withdrawn before; nothing is changed."))
        return 0
    print(say("Withdrawn from {day} on: {names}.", day=day.isoformat(), names=", ".join(changed)))
    print(
        say(
            "The photos are still here, and in the model. 'python -m privacy expire' forgets them, everywhere and for "
            "good."
        )
    )
    _note_parameters()
    return 0


def _list(args: argparse.Namespace) -> int:
    consents = list(read_table().register.consents.values())
    if args.contact is not None:
        wanted = contact_hash(args.contact)
        consents = [consent for consent in consents if consent.contact == wanted]
    rows = [
        {
            "who": consent.who,
            "given": consent.given.isoformat(),
            "until": consent.until.isoformat() if consent.until else "",
            "withdrawn": consent.withdrawn.isoformat() if consent.withdrawn else "",
            "holds": "yes" if consent.why_not(today()) is None else "no",
            "contact": "hash" if consent.contact else "",
            "how": consent.how,
        }
        for consent in consents
    ]
    if args.json:
        print(json.dumps([{**row, "holds": row["holds"] == "yes"} for row in rows], ensure_ascii=False))
    elif rows:
        print(as_table([_said(row) for row in rows]))
    elif args.contact is not None:
        print(say("There is no consent of that contact."))
    else:
        print(say("There is no consent: {path} has no line.", path=CONSENT))
    return 0


def _said(row: Mapping[str, str]) -> dict[str, object]:
    """A row of the table for people."""
    return {
        say("who"): row["who"],
        say("given"): row["given"],
        say("until"): row["until"],
        say("withdrawn"): row["withdrawn"],
        say("holds"): say("yes") if row["holds"] == "yes" else say("no"),
        say("contact"): row["contact"],
        say("how"): row["how"],
    }


def _in_words(consent: Consent) -> Message:
    """For a sentence: since when, until when."""
    until = Message(" until {day}", day=consent.until.isoformat()) if consent.until else ""
    withdrawn = Message(", withdrawn on {day}", day=consent.withdrawn.isoformat()) if consent.withdrawn else ""
    return joined("", [Message("given on {day}", day=consent.given.isoformat()), until, withdrawn])


def _note_parameters() -> None:
    """Say so where the pipeline does not look at the table."""
    params = load_params().privacy
    changes = [
        *([say("privacy.consent: require (or warn)")] if params.consent == "off" else []),
        *([f"privacy.register: {CONSENT.as_posix()}"] if Path(params.register) != CONSENT else []),
    ]
    if changes:
        text = "For 'dvc repro' to look at the table, set in params.yaml: {changes}."
        print(say(text, changes=", ".join(changes)), file=sys.stderr)
