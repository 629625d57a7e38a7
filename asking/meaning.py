"""What an answer means, in sentences."""

from __future__ import annotations

import json
import math
from pathlib import Path

from service.client.language import number, say
from service.threshold import Threshold
from stages.files.paths import METRICS

FURTHEST = 1e-4 / 3
"""Share of strangers below which the estimate is not checked by faces, but goes on in a straight line."""


def of_threshold(threshold: Threshold) -> str:
    """Where the threshold comes from."""
    value = number(threshold.value)
    if threshold.source == "default":
        text = "The threshold {value} is the default, since VERIFY_THRESHOLD=auto has too little to go by: {note}."
        return say(text, value=value, note=threshold.note)
    text = {
        "set": "The threshold {value} is the one that VERIFY_THRESHOLD sets.",
        "default": "The threshold {value} is the default; VERIFY_THRESHOLD sets another.",
        "promised": (
            "The threshold {value} comes from your own photos of strangers, with 95 % confidence "
            "(VERIFY_THRESHOLD=auto)."
        ),
        "estimated": (
            "The threshold {value} is estimated from how strangers' faces are spread (VERIFY_THRESHOLD=auto)."
        ),
    }[threshold.basis]
    return say(text, value=value)


def of_share(share: float | None, metrics: Path = METRICS) -> str:
    """How many strangers score as high.

    Args:
        share: of strangers, 0 to 1; None where the model knows no population.
        metrics: what stage train wrote, which says of whom the share is; it need not be there.
    """
    if share is None:
        return say("How many strangers reach such a score, this model cannot estimate.")
    if share <= 0:
        text, count = "It is estimated that hardly any of {strangers} scores as high or higher.", ""
    elif share < FURTHEST:
        text = "It is estimated that fewer than one in {count} of {strangers} scores as high or higher."
        count = number(_one_digit_below(1 / share), ",.0f")
    elif share < 0.1:
        text = "It is estimated that about one in {count} of {strangers} scores as high or higher."
        count = number(float(f"{1 / share:.2g}"), ",.0f")
    else:
        text, count = (
            "It is estimated that {count} % of {strangers} score as high or higher.",
            number(100 * share, ".0f"),
        )
    strangers = say("the strangers who resemble me") if _of_look_alikes(metrics) else say("the strangers")
    return say(text, count=count, strangers=strangers)


def _one_digit_below(count: float) -> float:
    """A large count by its first digit: what is extrapolated is not known any better, and it is not to be exceeded."""
    unit = 10.0 ** math.floor(math.log10(count))
    return math.floor(count / unit) * unit


def _of_look_alikes(metrics: Path) -> bool:
    """Whether the estimate is of strangers who resemble me, as `train.strangers: like_me` has it."""
    try:
        return bool(json.loads(metrics.read_text(encoding="utf-8"))["population"]["strangers"] == "like_me")
    except (OSError, ValueError, KeyError, TypeError):
        return False
