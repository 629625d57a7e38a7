"""Who administers is what the system says, not what a variable says."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from service.audit.administrator import administrator
from service.config import PROJECT_ROOT

pytestmark = [pytest.mark.security, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such numbers")]

SHOW = """
import json, os, sys
from service.audit.administrator import administrator
os.setuid(int(sys.argv[1]))
print(json.dumps(administrator()))
"""

needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root becomes another")


def shown(uid: int, **environment: str) -> dict[str, int]:
    """What a process of a user with these variables tells of itself."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW, str(uid)],
        cwd=PROJECT_ROOT, env={**os.environ, **environment}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def test_a_variable_gives_nobody_another_name() -> None:
    assert shown(os.getuid(), LOGNAME="somebody", USER="somebody", USERNAME="somebody") == administrator()
    assert administrator()["uid"] == os.getuid()


@needs_root
def test_who_has_become_root_by_sudo_is_told() -> None:
    assert shown(0, SUDO_UID="1234") == {"uid": 0, "sudo_uid": 1234}
    for wrong in ("", "x", "-1", "1.5", "²", "9" * 11):
        assert shown(0, SUDO_UID=wrong) == {"uid": 0}


@needs_root
def test_a_user_without_a_name_is_a_number_and_may_not_name_another() -> None:
    """54321 stands in no list of users."""
    assert shown(54321, SUDO_UID="1234", LOGNAME="") == {"uid": 54321}
