"""How a share of strangers is said: one way for `faces explain`, quickstart.py and, in words.js, for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from faces.message import Message

CHECKED = 1e-4 / 3
"""Share of strangers below which the estimate goes on in a straight line that no face has checked: nothing smaller is
claimed."""

USUAL = 0.01
"""From this share of strangers on, a score is a usual one for a stranger."""

_PERCENT_FROM, _ALL_ABOVE = 0.095, 0.995

Kind = Literal["fewer", "one", "percent", "all"]


class Said(NamedTuple):
    """A share of strangers as people read it.

    Attributes:
        kind: fewer than 1 in `figure`, about 1 in `figure`, `figure` percent, or nearly all.
        figure: with two digits that count.
    """

    kind: Kind
    figure: float


_WITH_YES = {
    "fewer": Message("Fewer than 1 stranger in {number} scores this high"),
    "one": Message("About 1 stranger in {number} scores this high"),
    "percent": Message("About {number} of strangers score this high"),
    "all": Message("Nearly every stranger scores this high"),
}
_USUAL_WITH_NO = {
    "one": Message("A usual score for strangers: about 1 in {number} scores this high"),
    "percent": Message("A usual score for strangers: about {number} of them score this high"),
    "all": Message("A usual score for strangers: nearly all of them score this high"),
}
_RARE_WITH_NO = {
    "fewer": Message("A rare score for strangers, but below the threshold: fewer than 1 in {number} scores this high"),
    "one": Message("A rare score for strangers, but below the threshold: about 1 in {number} scores this high"),
}


def say_share(share: float) -> Said:
    """A share of strangers as people read it.

    Args:
        share: 0 to 1.
    """
    if share < CHECKED:
        return Said("fewer", _two_digits(1 / CHECKED))
    if share < _PERCENT_FROM:
        return Said("one", _two_digits(1 / share))
    return Said("all" if share > _ALL_ABOVE else "percent", _two_digits(100 * share))


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def strangers_text(share: float, is_me: bool, number: Callable[[float], str]) -> Message:
    """How many strangers score as high, as a sentence without its full stop.

    Beside a no, the bare figure reads like good news, so there the sentence says first whether the score is usual.

    Args:
        share: of strangers, 0 to 1.
        is_me: whether the answer is yes.
        number: writes a number as the reader's language does, thousands apart.
    """
    kind, figure = say_share(share)
    sentences = _WITH_YES if is_me else _USUAL_WITH_NO if share >= USUAL else _RARE_WITH_NO
    return Message(sentences[kind].template, number=f"{number(figure)} %" if kind == "percent" else number(figure))


def estimated(share: float, is_me: bool, number: Callable[[float], str], alike: bool) -> Message:
    """The same with a word for how certain that is, and of whom, with its full stop.

    Args:
        share, is_me, number: as `strangers_text` takes them.
        alike: whether the share is of strangers who resemble the person (`train.strangers: like_me`).
    """
    text = strangers_text(share, is_me, number)
    if alike:
        return Message("{text} (estimated for strangers who resemble the person of «me»).", text=text)
    return Message("{text} (estimated).", text=text)
