"""deploy/face-verification.service, as systemd's own tool reads it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from service.access.keys import KeyRing
from service.audit import AuditSettings
from service.audit.walk import Walk
from service.config import VARIABLES, Settings
from tests.conftest import ROOT
from tests.ports import free_port
from tests.service.support import posix_only, running, server_environment

if sys.platform != "win32":
    from service import worker

UNIT = ROOT / "deploy/face-verification.service"
INSTALLED = "/opt/face-verification"
ANALYZE = shutil.which("systemd-analyze")

pytestmark = posix_only
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def settings_of(text: str) -> dict[str, list[str]]:
    """The lines NAME=value of a unit: names may come several times."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([A-Za-z]+)=(.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as if the project were installed where this one lies: verify looks for the programs."""
    text = UNIT.read_text(encoding="utf-8")
    assert text.count(INSTALLED) == 6
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace(INSTALLED, str(ROOT)), encoding="utf-8")
    return copy


@needs_systemd
def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    done = analyze("verify", "--man=no", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("wrong", ["ProtectSistem=strict", "TimeoutStopSec=soon", "ExecStart=/nowhere/run"])
def test_systemd_finds_what_is_wrong(unit: Path, wrong: str) -> None:
    unit.write_text(unit.read_text(encoding="utf-8").replace("[Service]\n", f"[Service]\n{wrong}\n"), encoding="utf-8")
    done = analyze("verify", "--man=no", str(unit))
    assert done.returncode or done.stderr


@needs_systemd
def test_it_is_hardened(unit: Path) -> None:
    """systemd's own measure, 0 to 10: below 2 is "OK", what Debian's nginx has is 9.6. It has 1.4."""
    done = analyze("security", "--offline=true", "--threshold=15", "--no-pager", str(unit))
    assert done.returncode == 0, done.stdout


def test_what_the_service_cannot_do() -> None:
    found = settings_of(UNIT.read_text(encoding="utf-8"))
    expected = {
        "ProtectSystem": "strict", "ReadOnlyPaths": INSTALLED, "InaccessiblePaths": f"-{INSTALLED}/data",
        "ProtectHome": "yes", "PrivateTmp": "yes", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "",
        "AmbientCapabilities": "", "MemoryDenyWriteExecute": "yes",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == {name: [value] for name, value in expected.items()}
    assert found["User"][0] not in ("root", "0", "nobody") and "ReadWritePaths" not in found


# What these two settings of the unit do: NoNewPrivileges, MemoryDenyWriteExecute. It ends with 77 where the system does
# not have them (Linux has the second since 6.3; before that, systemd has its own way).
CONFINE = """
import ctypes, os, sys
prctl = ctypes.CDLL(None).prctl
if prctl(38, 1, 0, 0, 0) or prctl(65, 1, 0, 0, 0):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_the_service_runs_confined(service_settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    """None of its packages needs memory that it can both write and run."""
    confined = [sys.executable, "-c", CONFINE]
    if subprocess.run([*confined, "/bin/true"], check=False).returncode == 77:
        pytest.skip("Linux 6.3 or later is needed")
    command = [*confined, str(ROOT / "service/run_gunicorn.sh"), "-w", "1"]
    with running(command, service_settings, tmp_path, tmp_path, 1) as server:
        assert server.verify(me_photo).json()["is_me"] is True
        status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
        assert "NoNewPrivs:\t1" in status


def test_it_fits_the_service() -> None:
    """Its times, limits and settings against those of the code."""
    found = settings_of(UNIT.read_text(encoding="utf-8"))
    conf = (ROOT / "service/gunicorn.conf.py").read_text(encoding="utf-8")
    number = {name: int(value) for name, value in re.findall(r"^(\w+) = (\d+)$", conf, re.MULTILINE)}
    assert int(found["TimeoutStopSec"][0]) > number["graceful_timeout"]
    assert int(found["LimitNOFILE"][0]) >= number["worker_connections"] + worker.SPARE_FILES
    assert found["KillMode"] == ["mixed"]  # SIGTERM to the workers, too, and they would end before gunicorn says so
    environment = dict(pair.split("=") for pair in found["Environment"][0].split())
    assert environment.pop("PYTHONDONTWRITEBYTECODE") == "1"
    assert environment.keys() <= VARIABLES.keys()
    assert Settings.load(environment, ROOT / "no-such-file").trusted_proxies == 1
    start = found["ExecStart"][0].removeprefix(INSTALLED + "/")
    assert os.access(ROOT / start, os.X_OK)


SYSTEMCTL = """#!/bin/sh
[ "$*" = "show -p Environment --value face-verification" ] || exit 1
echo '{values}'
"""


@pytest.mark.security
@pytest.mark.parametrize("language", ["docs", "docs/es"])
def test_the_documented_command_makes_the_key_where_the_service_looks(tmp_path: Path, language: str) -> None:
    """As printed, but for sudo, and with a systemctl that answers as systemd's does: it does not run here.

    The file of settings wins over the unit, as in systemd: else keys would be made where the service does not look.
    """
    text = (ROOT / language / "deployment.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^sudo -u face-verification env (.*\\\n.* keys create .*)$", text, re.MULTILINE)
    state, given = tmp_path / "lib", tmp_path / "given.env"
    values = " ".join(settings_of(UNIT.read_text(encoding="utf-8"))["Environment"])
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    moved = values.replace("/var/lib/face-verification", str(state))
    systemctl.write_text(SYSTEMCTL.format(values=moved), encoding="utf-8")
    systemctl.chmod(0o755)
    secret = "a$HOME ${PATH} secret of the tests, 32 characters"
    given.write_text(f"KEYS_PATH={tmp_path / 'elsewhere.json'}\nAUDIT_KEY={secret}\n", encoding="utf-8")
    command = printed.replace("/etc/face-verification.env", str(given)).replace(".venv/bin/python", sys.executable)
    assert command.count(str(given)) == 1 and "keys create" in command
    environment = {"PATH": f"{systemctl.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}  # sudo passes no more on
    done = subprocess.run(
        ["bash", "-c", f"env {command}"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert KeyRing(tmp_path / "elsewhere.json", required=False).find(done.stdout.strip()) is not None
    assert not (state / "api_keys.json").exists()
    recorded = AuditSettings(state / "audit", state / "kept-apart/audit_head.jsonl", state / "kept-apart/salts", secret)
    acts = [entry.record["act"] for entry in Walk(recorded, recorded.load_key()).entries()]
    assert acts == ["segment", "key created"], "the unit's places, and the secret of the file"


def test_it_says_when_it_is_ready(tmp_path: Path) -> None:
    """Type=notify."""
    none = tmp_path / "none"
    no_models = Settings(model_path=none, scaler_path=none, networks_path=none, photo_limits_path=none)
    environment = server_environment(no_models, free_port(), tmp_path)
    notify = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(notify))
        receiver.settimeout(60)
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(ROOT / "service/run_gunicorn.sh")],
                env=environment | {"NOTIFY_SOCKET": str(notify)}, stdout=log, stderr=subprocess.STDOUT, cwd="/",
            )  # fmt: skip
        try:
            assert receiver.recv(1000).startswith(b"READY=1")
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, (tmp_path / "log").read_text(encoding="utf-8")
