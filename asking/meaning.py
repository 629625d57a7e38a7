"""What an answer means, in sentences."""

from __future__ import annotations

import json
from pathlib import Path

from faces.shares import estimated
from service.client.language import number, say
from service.threshold import Threshold
from stages.files.paths import METRICS


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


def of_share(share: float | None, is_me: bool, metrics: Path = METRICS) -> str:
    """How many strangers score as high.

    Args:
        share: of strangers, 0 to 1; None where the model knows no population.
        is_me: whether the answer is yes.
        metrics: what stage train wrote, which says of whom the share is; it need not be there.
    """
    if share is None:
        return say("How many strangers reach such a score, this model cannot estimate.")
    return say(estimated(share, is_me, lambda figure: number(figure, ",g"), _of_look_alikes(metrics)))


def _of_look_alikes(metrics: Path) -> bool:
    """Whether the estimate is of strangers who resemble me, as `train.strangers: like_me` has it."""
    try:
        return bool(json.loads(metrics.read_text(encoding="utf-8"))["population"]["strangers"] == "like_me")
    except (OSError, ValueError, KeyError, TypeError):
        return False
