"""The service on this machine takes over the new model, or none; of any other, what has to be done is said."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from faces.message import Message

_PATIENCE = 90.0  # seconds: a reload tries the new model out first
_MODEL = "models/model.joblib"


@dataclass
class Served:
    """What became of the services.

    Attributes:
        reloaded: how many serve what is there now, as they say themselves.
        to_do: how many of this machine do not, as far as is known.
        lines: for the terminal, what was done and what is to be done by hand.
    """

    reloaded: int = 0
    to_do: int = 0
    lines: list[str] = field(default_factory=list)


def reload_service(root: Path) -> Served:
    """Tell the gunicorn masters that serve this project to take over what lies in models/ now.

    Args:
        root: of the project.
    """
    served = Served()
    masters, others = _servers(root)
    for master in masters:
        wrong = _reload(master)
        if wrong:
            served.to_do += 1
            served.lines.append(Message("The service (process {pid}) {wrong}.", pid=master.pid, wrong=wrong))
        else:
            served.reloaded += 1
            served.lines.append(Message("The service (process {pid}) serves what is there now.", pid=master.pid))
    for other in others:
        served.to_do += 1
        text = "The service (process {pid}) still has the old model: restart it."
        served.lines.append(Message(text, pid=other.pid))
    served.lines += _settings_to_mend(root, served)
    return served


def _reload(master: psutil.Process) -> str:
    """Tell a master; returns what is wrong, "" where it serves the new model, or none."""
    begun = datetime.now(UTC).replace(microsecond=0)
    try:
        addresses = _addresses(master)
        before = {child.pid for child in master.children()}
        os.kill(master.pid, signal.SIGHUP)
        if not _renewed(master, before):
            return Message("was told, but has no new workers yet: look at /readyz")
    except (psutil.Error, OSError) as error:
        return Message("could not be told ({error}): restart it", error=str(error))
    outcome = _outcome(addresses, begun)
    if outcome is None:
        return Message("was told, but does not say what came of it: look at its log, or restart it")
    if outcome["status"] == "refused":
        text = "still has the old model, since it refused the new one ({reason}): restart it"
        return Message(text, reason=outcome.get("reason"))
    return ""


def _servers(root: Path) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Processes that serve this project: gunicorn's masters, and others."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if "service:create_app" not in words and "-m service" not in words:
                continue
            if Path(process.cwd()) == root and " audit " not in words and " keys " not in words:
                found[process.pid] = process
        except (psutil.Error, OSError):
            continue
    top = [process for process in found.values() if process.ppid() not in found]
    masters = [process for process in top if any("gunicorn" in word for word in process.cmdline())]
    return masters, [process for process in top if process not in masters]


def _renewed(master: psutil.Process, before: set[int]) -> bool:
    """Whether the workers were replaced within a while."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        now = {child.pid for child in master.children()}
        if now and not now & before:
            return True
        time.sleep(0.2)
    return False


def _addresses(master: psutil.Process) -> list[str]:
    """Where it can be asked, without http:// or https://."""
    found = []
    for connection in getattr(master, "net_connections", master.connections)(kind="inet"):
        if connection.status == psutil.CONN_LISTEN:
            host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(connection.laddr.ip, connection.laddr.ip)
            found.append(f"{f'[{host}]' if ':' in host else host}:{connection.laddr.port}")
    return found


def _outcome(addresses: list[str], since: datetime) -> dict[str, Any] | None:
    """What /readyz says of the reload that was begun at a time; None where it says nothing of it."""
    end = time.monotonic() + _PATIENCE / 3
    while addresses and time.monotonic() < end:
        for address in addresses:
            reload = _ready(address).get("reload")
            if isinstance(reload, dict) and datetime.fromisoformat(str(reload["time"])) >= since:
                return reload
        time.sleep(0.3)
    return None


def _ready(address: str) -> dict[str, Any]:
    """What /readyz answers, also with status 503; nothing where it cannot be asked."""
    trusting = ssl._create_unverified_context()  # it is this machine, and nothing is sent
    for scheme in ("http", "https"):
        with contextlib.suppress(OSError, ValueError):
            try:
                with urllib.request.urlopen(f"{scheme}://{address}/readyz", timeout=5, context=trusting) as answer:
                    said = answer.read()
            except urllib.error.HTTPError as error:
                said = error.read()
            content = json.loads(said)
            if isinstance(content, dict):
                return content
    return {}


# What cannot be done from here ----------------------------------------------------------------------------------------


def _settings_to_mend(root: Path, served: Served) -> list[str]:
    """What the settings of the service tell of models and services that are out of reach."""
    from service.config import Settings, SettingsError

    try:
        settings = Settings.load()
    except SettingsError as error:
        text = "The service's settings cannot be read, so look yourself where else it runs: {error}"
        return [Message(text, error=str(error))]
    lines: list[str] = []
    if not Path(os.path.realpath(settings.model_path)).is_relative_to(root / "models") and settings.model_path.exists():
        served.to_do += 1
        text = "MODEL_PATH is {path}: that model was not made anew. Put a copy of {model} there, or delete it."
        lines.append(Message(text, path=settings.model_path, model=_MODEL))
    if not served.reloaded:
        lines.append(_elsewhere(settings))
    return lines


def _elsewhere(settings: Any) -> str:
    """What to do about a service that does not run on this machine."""
    from service.access.keys import KeysError, read_keys

    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"{'https' if settings.tls_cert_path else 'http'}://{host}:{settings.port}/admin/reload"
    try:
        keys = read_keys(settings.keys_path)
    except KeysError:
        keys = None
    now = datetime.now(UTC)
    if keys is None or not any("admin" in key.roles and not key.problem(now) for key in keys.by_id.values()):
        return Message(
            "If the service runs elsewhere, copy models/ there and restart it: until then it has the old model."
        )
    text = (
        "If the service runs elsewhere, copy models/ there, put a key with the role admin into KEY and run this there, "
        'or it keeps the old model: curl -sS -X POST -H "X-API-Key: $KEY" {url}'
    )
    return Message(text, url=url)
