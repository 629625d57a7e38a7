"""Spanish for what `python -m privacy` says, by the English text; a test holds the two in step.

Certificates, JSON, the audit log and what is kept in private/privacy/ are for programs, and stay English.
"""

from __future__ import annotations

from privacy.spanish.common import COMMON
from privacy.spanish.dvc import DVC
from privacy.spanish.forget import FORGET
from privacy.spanish.forget_errors import FORGET_ERRORS
from privacy.spanish.held import HELD
from privacy.spanish.locking import LOCKING
from privacy.spanish.register import REGISTER

SPANISH: dict[str, str] = {**COMMON, **DVC, **REGISTER, **HELD, **LOCKING, **FORGET, **FORGET_ERRORS}
