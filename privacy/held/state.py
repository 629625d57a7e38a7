"""What is held of whom, what ends next, and what is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from faces.message import Message
from privacy.dvc.owed import read_debts
from privacy.errors import PrivacyError
from privacy.folder import STATE
from privacy.held.since import since
from privacy.people import Person, people
from stages.files.consent import Consent, Register, read_register
from stages.files.paths import CONSENT, DATA
from stages.files.photos import SourcePhoto, photos_in
from stages.params import PrivacyParams

UNFINISHED = STATE / "forget.json"
TOO_OLD = Message("older than privacy.max_age_days")


@dataclass(frozen=True)
class Holding:
    """What is held of a person.

    Attributes:
        who: "me", "not_me/ana", or a photo's path where no folder says who is on it.
        photos: how many.
        since: the first day of them (`privacy.held.since`).
        given: the earliest consent of them; None without one.
        until: the day on which the first of their consents that hold ends; None for no end.
        without: photos without a consent, and why, by path within data/.
        old: photos that are older than `privacy.max_age_days`.
        old_from: the day on which the first of the others will be; None without that parameter.
    """

    who: str
    photos: int
    since: date
    given: date | None
    until: date | None
    without: dict[str, str]
    old: list[str]
    old_from: date | None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        days = {name: getattr(self, name) for name in ("since", "given", "until", "old_from")}
        return {
            "who": self.who,
            "photos": self.photos,
            **{name: None if day is None else day.isoformat() for name, day in days.items()},
            "without_consent": self.without,
            "too_old": self.old,
        }


@dataclass(frozen=True)
class State:
    """What is held, and what is due.

    Attributes:
        holdings: everybody.
        consent_counts: whether photos without consent are due: the table is there, or crop asks for it.
        idle: lines of the table about nobody who is there.
        owed: remotes that still have what `forget` or `lock` was to delete there: a sentence for each.
        unfinished: a forget was begun and not finished.
    """

    holdings: list[Holding]
    consent_counts: bool
    idle: list[Consent] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)
    unfinished: bool = False

    @property
    def is_due(self) -> bool:
        """Whether something is to be done."""
        without = self.consent_counts and any(holding.without for holding in self.holdings)
        return bool(without or any(holding.old for holding in self.holdings) or self.owed or self.unfinished)

    @property
    def next_end(self) -> tuple[date, str] | None:
        """When something ends next, a consent or the time that photos are kept, and whose; None if nothing does."""
        ends = [
            (day, holding.who)
            for holding in self.holdings
            for day in (holding.until, holding.old_from)
            if day is not None
        ]
        return min(ends, default=None)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        end = self.next_end
        return {
            "due": self.is_due,
            "people": [holding.as_json() for holding in self.holdings],
            "next": None if end is None else {"day": end[0].isoformat(), "who": end[1]},
            "lines_of_nobody": [consent.who for consent in self.idle],
            "owed": self.owed,
            "unfinished_forget": self.unfinished,
        }


def read_state(params: PrivacyParams, day: date) -> State:
    """What is held in the project of the current folder, on a day.

    Raises:
        StageError: the table of consents has a mistake.
    """
    photos = photos_in(DATA)
    register = read_register() if CONSENT.exists() else Register()
    days = since(photos, register)
    return State(
        [_holding(person, register, days, params.max_age_days, day) for person in people(photos)],
        params.consent != "off" or CONSENT.exists(),
        register.of_nobody(photo.path_in_data for photo in photos),
        list(_owed()),
        UNFINISHED.exists(),
    )


def _holding(person: Person, register: Register, days: dict[str, date], most: int | None, day: date) -> Holding:
    names = [photo.path_in_data for photo in person.photos]
    consents = {name: register.find(name) for name in names}
    reasons = {name: register.why_not(name, day) for name in names}
    hold = [consent for name, consent in consents.items() if consent is not None and reasons[name] is None]
    given = [consent.given for consent in consents.values() if consent is not None]
    ends = [end for consent in hold for end in _ends(consent)]
    limit = None if most is None else timedelta(days=most)
    old = [] if limit is None else [name for name in names if days[name] + limit < day]
    young = [days[name] for name in names if name not in set(old)]
    return Holding(
        who=person.who,
        photos=len(names),
        since=min(days[name] for name in names),
        given=min(given, default=None),
        until=min(ends, default=None),
        without={name: reason for name, reason in reasons.items() if reason is not None},
        old=old,
        old_from=min(young) + limit + timedelta(days=1) if limit is not None and young else None,
    )


def _ends(consent: Consent) -> Iterator[date]:
    """The last days of a consent that holds."""
    if consent.until is not None:
        yield consent.until
    if consent.withdrawn is not None:  # in the future
        yield consent.withdrawn - timedelta(days=1)


def expired(state: State, photos: Sequence[SourcePhoto], register: Register, day: date) -> dict[str, str]:
    """Photos that are kept too long, and why: their consent is past or withdrawn, or they are too old.

    A photo that never had a consent is none of them: it is not known that it may not be kept, and `crop` can refuse it.
    """
    found: dict[str, str] = {}
    for photo in photos:
        name = photo.path_in_data
        consent = register.find(name)
        if consent is not None and consent.given <= day and (reason := consent.why_not(day)) is not None:
            found[name] = reason
    for holding in state.holdings:
        for name in holding.old:
            found.setdefault(name, TOO_OLD)
    return dict(sorted(found.items(), key=lambda item: (not item[0].startswith("me/"), item[0])))


def _owed() -> Iterator[str]:
    """What remotes are owed, a sentence for each. A record that cannot be read is one, too: something was owed."""
    try:
        debts = read_debts(Path())
    except PrivacyError as error:
        yield error.args[0]
        return
    since: dict[str, str] = {}
    for debt in debts:
        since[debt.name] = min(debt.since, since.get(debt.name, debt.since))
    for name, day in since.items():
        text = (
            "{name} still has what was to be deleted there, since {day}: let 'python -m privacy forget --owed' reach it"
        )
        yield Message(text, name=name, day=day)
