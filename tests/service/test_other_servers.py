"""The development server, and waitress for Windows."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from service import waitress_server
from service.admission import THREADS
from service.config import PROJECT_ROOT, Settings
from tests.ports import free_port
from tests.service.support import running, server_environment

DEVELOPMENT = [sys.executable, "-m", "service"]

# What Python on Windows has no module of, and gunicorn, which does not run there. None makes an import fail.
_AS_ON_WINDOWS = """
import sys
for name in ("fcntl", "grp", "gunicorn", "pwd", "resource", "termios"):
    sys.modules[name] = None
import service.__main__, service.waitress_server
assert service.create_app().test_client().get("/healthz").status_code == 200
"""


def run(settings: Settings, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = server_environment(settings, 5000, folder) | environment
    return subprocess.run(
        DEVELOPMENT, cwd=PROJECT_ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False
    )


def test_development_server(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    with running(DEVELOPMENT, settings, tmp_path) as server:
        assert server.verify(me_photo).json()["is_me"] is True
        too_large = server.verify(bytes(20_000_000))
        assert too_large.status_code == 413 and too_large.json()["error"].endswith("2 MB")
        taken = run(settings, tmp_path, PORT=str(server.port))
    assert taken.returncode == 1
    assert taken.stderr.splitlines() == [
        f"Port {server.port} is taken by another program: stop that program, or set PORT to a free port."
    ]


def test_debug_mode_shows_no_debugger(no_models: Settings, tmp_path: Path) -> None:
    with running(DEVELOPMENT, replace(no_models, debug=True), tmp_path) as server:
        console = requests.get(f"{server.url}/console", timeout=5)
        assert (console.status_code, console.json()) == (404, {"error": "Ruta no encontrada"})


def test_an_address_that_cannot_be_listened_on(no_models: Settings, tmp_path: Path) -> None:
    done = run(no_models, tmp_path, FLASK_HOST="nowhere.invalid")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "nowhere.invalid" in done.stderr and "FLASK_HOST" in done.stderr


def test_wrong_settings(no_models: Settings, tmp_path: Path) -> None:
    done = run(no_models, tmp_path, FLASK_DEBUG="maybe")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Wrong settings:"
    assert done.stderr.splitlines()[1].startswith("FLASK_DEBUG is 'maybe'; expected one of true")


def test_waitress_keeps_photos_in_memory(no_models: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, Any] = {}
    monkeypatch.setitem(sys.modules, "waitress", SimpleNamespace(serve=lambda _, **given: started.update(given)))
    monkeypatch.setattr(sys, "argv", ["waitress_server.py"])
    port = free_port()
    monkeypatch.setattr(Settings, "load", classmethod(lambda _: replace(no_models, port=port, workers=3)))
    waitress_server.main()
    assert (started["host"], started["port"], started["threads"]) == ("0.0.0.0", port, THREADS)
    assert started["inbuf_overflow"] >= started["max_request_body_size"] > no_models.max_body_bytes


def test_waitress_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "waitress", None)
    monkeypatch.setattr(sys, "argv", ["waitress_server.py"])
    with pytest.raises(SystemExit, match=r"use service/run_gunicorn\.sh instead"):
        waitress_server.main()


@pytest.mark.parametrize("module", ["service", "service.waitress_server"])
@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--port=5001", 2)])
def test_arguments_are_not_passed_over(module: str, argument: str, code: int) -> None:
    command = [sys.executable, "-m", module, argument]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert f"usage: python -m {module} [-h]" in done.stdout + done.stderr
    assert "variables of the environment" in done.stdout + done.stderr
    assert ("unrecognized arguments: --port=5001" in done.stderr) == (code == 2)


def test_what_windows_lacks_is_not_needed(settings: Settings, tmp_path: Path) -> None:
    """Neither to start the servers that run there nor to load the models."""
    done = subprocess.run(
        [sys.executable, "-c", _AS_ON_WINDOWS], cwd=PROJECT_ROOT, env=server_environment(settings, 5000, tmp_path),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_slim_requirements_are_pinned_as_the_whole_project() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = (line.partition("#")[0].partition(";")[0].strip() for line in path.read_text().splitlines())
        pairs = (line.partition("==") for line in lines if "==" in line)
        return {name.lower(): version for name, _, version in pairs}

    slim, whole = pins(PROJECT_ROOT / "service/requirements.txt"), pins(PROJECT_ROOT / "requirements.txt")
    assert len(slim) == 14 and slim.items() <= whole.items()
