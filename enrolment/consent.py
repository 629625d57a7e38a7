"""The consent of the person on the photos, where the parameter `privacy.consent` asks for it."""

from __future__ import annotations

from pathlib import Path

from enrolment.errors import RefusedError
from privacy.register.editing import Table, edit, read_table
from stages.files.consent import today
from stages.files.paths import CONSENT
from stages.params import Params

ME = "me"


def is_needed(params: Params) -> bool:
    """Whether the person has to say that they agree: the pipeline looks at the table, and it has no consent that holds.

    Raises:
        UserError: the table has a mistake.
    """
    if params.privacy.consent == "off":
        return False
    if not CONSENT.exists():
        return True
    consent = read_table().register.consents.get(ME)
    return consent is None or consent.why_not(today()) is not None


def check_register(params: Params) -> None:
    """Refuse where the pipeline would not see the line that is written.

    Raises:
        RefusedError: params.yaml names another table.
    """
    if params.privacy.consent != "off" and Path(params.privacy.register) != CONSENT:
        raise RefusedError(
            "privacy.consent in params.yaml asks for consent, and privacy.register is {given}: set it to {expected}",
            code="consent_elsewhere",
            given=params.privacy.register,
            expected=CONSENT.as_posix(),
        )


def write(how: str) -> None:
    """Write down that the person on the photos agrees, from today on and without an end.

    A consent that has ended or was taken back is given anew: its line makes way.

    Args:
        how: how it was given, in the words of the table.

    Raises:
        UserError: the table cannot be changed; the message says why.
    """
    values = {"who": ME, "given": today().isoformat(), "until": "", "withdrawn": "", "how": how}

    def change(table: Table) -> Table:
        return table.put(values)

    edit(change)
