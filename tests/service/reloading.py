"""What tests of a reload share: the `.env` of a process that has read no settings yet, and a key to reload with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service import reload
from service.access.keys import create_key
from service.config import VARIABLES, Settings
from tests.ports import free_port


def read_alone(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be one that has read no settings yet, and will read them in a file alone."""
    monkeypatch.setattr(reload, "_serving", [])
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    load = Settings.load
    monkeypatch.setattr(Settings, "load", lambda: load(dict(os.environ), env_file))


def placed(folder: Path) -> dict[str, str]:
    """Settings of an audit log in a folder."""
    return {
        "AUDIT_PATH": str(folder / "audit"),
        "AUDIT_HEAD_PATH": str(folder / "apart/head"),
        "AUDIT_SALTS_PATH": str(folder / "apart/salts"),
    }


def env_text(settings: Settings, root: Path, log: Path, **changes: str) -> str:
    """The lines of a `.env`.

    Args:
        settings: whose models are served.
        root: a folder for the keys.
        log: a folder for the audit log.
        changes: other values of variables; "" for no line.
    """
    lines = {
        "MODEL_PATH": str(settings.model_path), "SCALER_PATH": str(settings.scaler_path),
        "NETWORKS_PATH": str(settings.networks_path), "PHOTO_LIMITS_PATH": str(settings.photo_limits_path),
        "KEYS_PATH": str(root / "keys.json"), "AUDIT_KEY": "a" * 32, "FLASK_HOST": "127.0.0.1",
        "PORT": str(free_port()), **placed(log),
    }  # fmt: skip
    return "".join(f"{name}={value}\n" for name, value in (lines | changes).items() if value)


def key_of_administrator(root: Path) -> dict[str, str]:
    """The header of a request of somebody who may reload, with the keys in a folder."""
    return {"X-API-Key": create_key(root / "keys.json", "Eva", ["admin"], None, lambda _: None)[1]}
