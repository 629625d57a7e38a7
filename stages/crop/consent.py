"""Which photos may be used as data/consent.csv says, where the parameter `privacy.consent` asks for that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from faces.message import Message
from stages.crop.refused import in_last_run
from stages.files.consent import Register, read_register
from stages.files.crop_row import CropRow
from stages.files.paths import CONSENT, DATA, EMBEDDINGS
from stages.files.photos import CLASSES, SourcePhoto
from stages.language.telling import some, tell
from stages.params import PrivacyParams

_NAMED = 20  # photos or lines that a warning names
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Allowed:
    """Photos, as consent divides them.

    Attributes:
        photos: those that may be used, in their order.
        refused: rows of the crop report for the others.
    """

    photos: list[SourcePhoto]
    refused: list[CropRow]

    def explain(self, reason: Message | None, label: int) -> Message | None:
        """Why the photos of a class cannot do; with what was refused for lack of consent, and what is left of that.

        Args:
            reason: why those that are left cannot do; None where they can.
            label: of the class.
        """
        if reason is None:
            return None
        count = sum(row.photo.startswith(f"{CLASSES[label]}/") for row in self.refused)
        if count:
            text = (
                "{reason}. Besides, {count:# photo was|# photos were} refused in {folder} for lack of consent "
                "(privacy.consent: require): 'python -m privacy status' says whose, and {register} is where consent "
                "stands"
            )
            reason = Message(text, reason=reason, count=count, folder=DATA / CLASSES[label], register=CONSENT)
        held = {row["photo"] for row in in_last_run({row.photo for row in self.refused})}
        if held:
            text = (
                "{reason}. What the last run made of {count:# photo that is refused now|# photos that are refused now} "
                "is still in {embeddings}, in tables and in the model: the next 'dvc repro' that ends well makes all "
                "of it anew, and 'python -m privacy forget' deletes it now"
            )
            reason = Message(text, reason=reason, count=len(held), embeddings=EMBEDDINGS)
        return reason


def ask_consent(photos: Sequence[SourcePhoto], params: PrivacyParams, day: date) -> Allowed:
    """Divide photos by consent, and name on the terminal those without: "warn" uses them all the same.

    Args:
        photos: all that there are.
        params: what to do.
        day: the day on which consent has to hold.

    Raises:
        StageError: the table of consents has a mistake, or is missing and consent is required.
    """
    if params.consent == "off":
        return Allowed(list(photos), [])
    if Path(params.register) != CONSENT:
        text = (
            "privacy.register is {given}, so DVC does not see changes of {register}: set privacy.register: {register} "
            "in params.yaml, or 'dvc repro' goes on with the consents of the last run"
        )
        logger.warning(tell(text, given=params.register, register=CONSENT.as_posix()))
    if params.consent == "warn" and not CONSENT.exists():
        logger.warning(tell("there is no {register}: nobody has consented", register=CONSENT))
        register = Register()
    else:
        register = read_register()
    _name_lines_of_nobody(register, photos)
    reasons = {photo.path_in_data: register.why_not(photo.path_in_data, day) for photo in photos}
    without = [f"{name} ({tell(reason)})" for name, reason in reasons.items() if reason is not None]
    refusing = params.consent == "require"
    if without:
        used = "{count:# photo has|# photos have} no consent and {count:is|are} used all the same: {names}"
        refused = "{count:# photo is|# photos are} refused for lack of consent: {names}"
        logger.warning(tell(refused if refusing else used, count=len(without), names=some(without, _NAMED)))
    if not refusing:
        return Allowed(list(photos), [])
    # Without a hash: what earlier runs remember of these photos is deleted as if they were gone.
    rows = [CropRow(name, "", 0, -1, reason=str(reason)) for name, reason in reasons.items() if reason is not None]
    return Allowed([photo for photo in photos if reasons[photo.path_in_data] is None], rows)


def _name_lines_of_nobody(register: Register, photos: Sequence[SourcePhoto]) -> None:
    """A warning on lines about somebody who is not there: a typo would look like a consent that was forgotten."""
    idle = register.of_nobody(photo.path_in_data for photo in photos)
    if idle:
        names = [f"{consent.who} ({consent.line})" for consent in idle]
        text = "{register} has lines about nobody who is there, named with their numbers: {names}"
        logger.warning(tell(text, register=CONSENT, names=some(names, _NAMED)))
