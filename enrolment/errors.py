"""What is told to the person at the page or in the terminal."""

from __future__ import annotations

from faces.errors import UserError


class EnrolmentError(UserError):
    """Guided enrolment cannot begin, or cannot go on; the message says why and what to do."""


class RefusedError(EnrolmentError):
    """What the page asked for cannot be done now.

    Args:
        text: the template of a message.
        code: for programs.
        values: of the template.
    """

    def __init__(self, text: str, /, *, code: str, **values: object) -> None:
        super().__init__(text, **values)
        self.code = code
