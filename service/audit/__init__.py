"""The audit log: a record of every use, that nobody can change, remove or cut off without being found out.

    audit = Audit.open(AuditSettings.of(settings))
    commitment = audit.commit_to(image)
    audit.record("verify", image=commitment, request_id=…, key_id=…, status=200, is_me=True, score=0.9, threshold=0.75)

`audit` is what the service calls, `writer` what it does under its `lock`; `chain` seals lines and the head; `salts`
keeps the salts; `counts` the refusals; `removal` takes away what is old. `walk` reads a log and says what is wrong with
it (`findings`, `tail`). `command` has what an `administrator` does, with `report` and `images`. docs/audit.md explains
what the log proves and what it does not.
"""

from __future__ import annotations

from service.audit.audit import Audit
from service.audit.errors import AuditError
from service.audit.salts import Commitment
from service.audit.settings import AuditSettings

__all__ = ["Audit", "AuditError", "AuditSettings", "Commitment"]
