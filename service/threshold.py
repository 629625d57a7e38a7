"""The threshold of the service: a number, or the operating point that was chosen for the model."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from faces.message import Message
from faces.operating_point import DEFAULT_THRESHOLD, OperatingPoint, OperatingPointError, strangers_are
from faces.records import RecordError
from service.config import Settings
from service.language import Language, tell

log = logging.getLogger("service.threshold")


@dataclass(frozen=True)
class Threshold:
    """A threshold, and where it comes from.

    Attributes:
        value: 0 to 1.
        source: "setting", "auto", or "default" if auto was wanted but is not possible.
        basis: what stands behind it: "set" (whoever set it), "promised" (own strangers, with 95 % confidence),
            "estimated" (how strangers' faces are spread) or "default" (nothing: not set, or auto is not possible).
        note: where the source is "default", the reason; else None.
    """

    value: float
    source: Literal["setting", "auto", "default"]
    basis: Literal["set", "promised", "estimated", "default"]
    note: Message | None = None

    @classmethod
    def resolve(cls, settings: Settings, model: Path | str | None = None) -> Threshold:
        """The setting's number; with `VERIFY_THRESHOLD=auto`, what the model's operating point says.

        Args:
            settings: with the threshold, or "auto".
            model: to which the operating point has to belong, as `OperatingPoint.read` takes it; None is the
                settings' file.
        """
        if settings.threshold is not None:
            given = settings.threshold_given or settings.threshold != DEFAULT_THRESHOLD
            return cls(settings.threshold, "setting", "set" if given else "default")
        try:
            point = OperatingPoint.read(settings.operating_point_path, model or settings.model_path, settings.trust)
        except OperatingPointError as error:
            if isinstance(error.__cause__, RecordError):  # its paths are for the log, not for answers
                log.warning("VERIFY_THRESHOLD=auto: %s", error.__cause__)
            return cls._default(error.args[0])
        if point.supported:
            log.info("VERIFY_THRESHOLD=auto: %s, promised for a FAR of %s", point.threshold, point.target_far)
            return cls(point.threshold, "auto", "promised")
        if point.accept_estimate and point.estimated_threshold is not None:
            log.info(
                "VERIFY_THRESHOLD=auto: %s, estimated for a FAR of %s (evaluate.accept_estimate), since %s",
                point.estimated_threshold, point.target_far, _too_few(point),
            )  # fmt: skip
            return cls(point.estimated_threshold, "auto", "estimated")
        return cls._default(_with_way_out(_too_few(point), point.estimated_threshold))

    @classmethod
    def _default(cls, reason: Message) -> Threshold:
        log.warning("VERIFY_THRESHOLD=auto: serving %s, since %s", DEFAULT_THRESHOLD, reason)
        return cls(DEFAULT_THRESHOLD, "default", "default", reason)

    def as_json(self, language: Language) -> dict[str, str]:
        """What an answer says of it beside `threshold`."""
        about = {"threshold_source": self.source, "threshold_basis": self.basis}
        return about | ({"threshold_note": tell(self.note, language)} if self.note else {})


def _too_few(point: OperatingPoint) -> Message:
    """Why nothing can be promised."""
    if not point.people:
        text = "not_me is empty: to promise that at most {far:.4g} of strangers get in, it takes {needed} of them"
        return Message(text, far=point.target_far, needed=point.people_needed)
    text = "{strangers} too few to promise that at most {far:.4g} of them get in; it takes {needed}"
    strangers = strangers_are(point.people, point.effective_people)
    return Message(text, strangers=strangers, far=point.target_far, needed=point.people_needed)


def _with_way_out(reason: Message, estimated: float | None) -> Message:
    """The reason and, where there is an estimate, how to have it served."""
    if estimated is None:
        return reason
    text = (
        "{reason}. It is estimated that at most that share gets in with the threshold {threshold}: to serve that, set "
        "evaluate.accept_estimate to true in params.yaml and run 'dvc repro'"
    )
    return Message(text, reason=reason, threshold=estimated)
