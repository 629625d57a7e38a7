"""Who administers: what the audit log keeps of whoever has typed a command."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any


def administrator() -> dict[str, Any]:
    """Fields of a record that say who does what it is of.

    The system's own word, not a variable of the environment, which anybody sets to another's name: `uid`, the number of
    the user whose process this is; of a process of root, also `sudo_uid`, the number of the user who has become root by
    sudo. Windows has no such numbers: `user`, the name that the system knows.
    """
    if sys.platform == "win32":
        return {"user": _windows_user()}
    uid = os.getuid()
    sudo_uid = os.environ.get("SUDO_UID", "") if uid == 0 else ""  # whoever is not root may have written it
    given = {"sudo_uid": int(sudo_uid)} if sudo_uid.isascii() and sudo_uid.isdigit() and len(sudo_uid) <= 10 else {}
    return {"uid": uid, **given}


def _windows_user() -> str:
    try:
        return os.getlogin()
    except OSError:  # there is no session, as for a service
        try:
            return getpass.getuser()
        except Exception:  # which one depends on the version of Python
            return "unknown"
