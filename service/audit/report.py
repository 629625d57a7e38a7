"""What an audit log says about use: how often, by whom, with which answers, and what is out of the ordinary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

BURST_TIMES = 10
BURST_LEAST = 30
"""An hour is a burst if there were more than BURST_LEAST uses, and more than BURST_TIMES as many as in the median of
the other hours with use (of which there must be at least one)."""

REFUSED_LEAST = 100
"""Refusals in an hour from which on it is told."""

TRIES_LEAST = 20
"""So many "not me" in a row, then "me": somebody may have tried photos until one was taken."""

NO_KEY = "(no key)"


@dataclass
class Use:
    """The answers that a key had on a day."""

    me: int = 0
    not_me: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.me + self.not_me + self.failed


@dataclass(frozen=True)
class Oddity:
    """Something out of the ordinary.

    Attributes:
        rule: which of the rules it is by: "burst", "refusals" or "tries".
        when: the hour, as in 2026-01-31T08.
        key_id: whose.
        text: what and why, for people.
    """

    rule: str
    when: str
    key_id: str
    text: str


@dataclass
class Report:
    """See `summarise`.

    Attributes:
        uses: by day and key.
        refusals: how many, by day, reason and key.
        acts: how many of each act of administration.
        odd: what is out of the ordinary.
        clock: numbers of the records before which the clock was set back, with the two times.
        first: time of the first record.
        last: of the last one.
    """

    uses: dict[tuple[str, str], Use] = field(default_factory=lambda: defaultdict(Use))
    refusals: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    odd: list[Oddity] = field(default_factory=list)
    clock: list[tuple[int, str, str]] = field(default_factory=list)
    first: str = ""
    last: str = ""

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return {
            "from": self.first,
            "to": self.last,
            "uses": [
                {"day": day, "key_id": key, "answers": use.total, "me": use.me, "not_me": use.not_me,
                 "failed": use.failed}
                for (day, key), use in sorted(self.uses.items())
            ],
            "refusals": [
                {"day": day, "refusal": refusal, "key_id": key, "count": count}
                for (day, refusal, key), count in sorted(self.refusals.items())
            ],
            "acts": dict(sorted(self.acts.items())),
            "odd": [vars(one) for one in self.odd],
            "clock_set_back": [{"number": number, "from": old, "to": new} for number, old, new in self.clock],
        }  # fmt: skip


def summarise(records: Iterable[dict[str, Any]]) -> Report:
    """A report on records in their order. Days and hours are UTC's.

    What belongs to the log's own keeping (its headers) is left out.
    """
    report = Report()
    by_hour: dict[str, Counter[str]] = defaultdict(Counter)
    refused: Counter[str] = Counter()
    in_a_row: Counter[str] = Counter()
    for record in records:
        time, act, key = record["time"], record["act"], str(record.get("key_id") or NO_KEY)
        if report.last and time < report.last:
            report.clock.append((record["number"], report.last, time))
        report.first = report.first or time
        report.last = time
        day, hour = time[:10], time[:13]
        if act == "verify":
            use = report.uses[day, key]
            by_hour[key][hour] += 1
            decision = record.get("is_me")
            if decision is None:
                use.failed += 1
            elif decision:
                use.me += 1
                _tell_tries(report, in_a_row[key], hour, key)
                in_a_row[key] = 0
            else:
                use.not_me += 1
                in_a_row[key] += 1
        elif act == "refusals":
            for one in record["counts"]:
                report.refusals[day, one["refusal"], one["key_id"] or NO_KEY] += one["count"]
                refused[hour] += one["count"]
        elif act != "segment":
            report.acts[act] += 1
    for key, hours in by_hour.items():
        _tell_bursts(report, key, hours)
    for hour, count in refused.items():
        if count >= REFUSED_LEAST:
            text = f"{count} refusals in an hour; the rule tells {REFUSED_LEAST} or more"
            report.odd.append(Oddity("refusals", hour, NO_KEY, text))
    report.odd.sort(key=lambda one: one.when)
    return report


def _tell_tries(report: Report, tries: int, hour: str, key: str) -> None:
    if tries >= TRIES_LEAST:
        text = f'"me" after {tries} "not me" in a row; the rule tells {TRIES_LEAST} or more: were photos tried out?'
        report.odd.append(Oddity("tries", hour, key, text))


def _tell_bursts(report: Report, key: str, hours: Counter[str]) -> None:
    for hour, count in hours.items():
        others = sorted(hours.values())
        others.remove(count)
        usual = median(others) if others else 0
        if others and count > BURST_LEAST and count > BURST_TIMES * usual:
            text = (
                f"{count} uses in an hour, {usual:g} in the median of the others; the rule tells more than "
                f"{BURST_LEAST}, and more than {BURST_TIMES} times the median"
            )
            report.odd.append(Oddity("burst", hour, key, text))
