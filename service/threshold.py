"""The threshold of the service: a number, or the operating point that was chosen for the model."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from faces.message import Message
from faces.operating_point import DEFAULT_THRESHOLD, OperatingPoint, OperatingPointError, strangers_are
from faces.spanish import in_spanish
from service.config import Settings

log = logging.getLogger("service.threshold")


@dataclass(frozen=True)
class Threshold:
    """A threshold, and where it comes from.

    Attributes:
        value: 0 to 1.
        source: "setting", "auto", or "default" if auto was wanted but is not possible.
        note: for "default", the reason in Spanish, as all answers are; else "".
    """

    value: float
    source: str
    note: str = ""

    @classmethod
    def resolve(cls, settings: Settings) -> Threshold:
        """The setting's number; with `VERIFY_THRESHOLD=auto`, what the model's operating point says."""
        if settings.threshold is not None:
            return cls(settings.threshold, "setting")
        try:
            point = OperatingPoint.read(settings.operating_point_path, settings.model_path)
        except OperatingPointError as error:
            return cls._default(error.args[0])
        if not point.supported:
            text = "{strangers} too few to promise that at most {far:.4g} of them get in; it takes {needed}"
            strangers = strangers_are(point.people, point.effective_people)
            return cls._default(Message(text, strangers=strangers, far=point.target_far, needed=point.people_needed))
        log.info("VERIFY_THRESHOLD=auto: %s, for a FAR of %s", point.threshold, point.target_far)
        return cls(point.threshold, "auto")

    @classmethod
    def _default(cls, reason: Message) -> Threshold:
        log.warning("VERIFY_THRESHOLD=auto: serving %s, since %s", DEFAULT_THRESHOLD, reason)
        return cls(DEFAULT_THRESHOLD, "default", in_spanish(reason))

    def as_json(self) -> dict[str, str]:
        """What an answer says of it beside `threshold`."""
        return {"threshold_source": self.source, **({"threshold_note": self.note} if self.note else {})}
