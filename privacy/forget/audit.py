"""The audit log of the service: nobody can tell any more which of its records are of the person's photos."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing

from privacy.errors import PrivacyError


def forget_in_audit(sha256s: Collection[str]) -> int:
    """Delete the salts of records of these images; returns how many there were. Nothing where there is no log.

    Args:
        sha256s: of the images' bytes.

    Raises:
        PrivacyError: the log, or its secret, cannot be read.
    """
    from service.audit import Audit
    from service.audit.errors import AuditError
    from service.audit.images import find_digests
    from service.audit.settings import AuditSettings
    from service.audit.walk import Walk
    from service.config import Settings, SettingsError

    try:
        settings = AuditSettings.of(Settings.load())
        if not settings.head.exists() and not settings.folder.is_dir():
            return 0
        found = find_digests(settings, Walk(settings, settings.load_key()), [bytes.fromhex(one) for one in sha256s])
        if not found.records:
            return 0
        with closing(Audit.open(settings)) as audit:
            return int(audit.forget(found.places, "image"))
    except (AuditError, SettingsError) as error:
        raise PrivacyError("the audit log could not be asked: {error}", error=error) from error
