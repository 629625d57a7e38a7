"""How quickstart.py installs: with uv, told what pip is told, and with pip where uv cannot.

uv and pip are stand-ins here; the slow tests of tests/test_quickstart.py run the real ones.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.tour.support import copy_script, write

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-ins are scripts")

# A first line that names the interpreter itself would end at a space in its path: for the shell, the second line runs
# it; for Python, that line is a text.
SHEBANG = f"""#!/bin/sh
'''exec' '{sys.executable}' "$0" "$@"
' '''"""

# Says which version it is, notes how it is called, and behaves as UV_STUB says.
UV = f"""{SHEBANG}
import json, os, sys, time
if sys.argv[1:] == ["--version"]:
    print("uv", os.environ.get("UV_STUB_VERSION", "0.13.9"), "(x86_64-unknown-linux-gnu)")
    sys.exit()
with open("calls", "a") as calls:
    told = {{name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_", "HTTP"))}}
    print(json.dumps(["uv", sys.argv[1:], told]), file=calls)
said = os.environ.get("UV_STUB", "")
if said == "hangs":
    time.sleep(60)
if said:
    sys.exit(f"error: {{said}}")
"""
# .venv's Python: only `-m pip install` is a stand-in.
PYTHON = f"""{SHEBANG}
import json, os, sys
if sys.argv[1:4] != ["-m", "pip", "install"]:
    os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])
with open("calls", "a") as calls:
    print(json.dumps(["pip", sys.argv[4:], {{}}]), file=calls)
sys.exit(os.environ.get("PIP_STUB_FAILS"))
"""


def script(path: Path, text: str) -> Path:
    write(path, text.encode()).chmod(0o755)
    return path


@pytest.fixture
def qs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A copy of the script as a module, with a .venv of stand-ins, and a uv on the PATH."""
    root = tmp_path / "mi carpeta ñandú"
    root.mkdir()
    copy_script(root)
    spec = importlib.util.spec_from_file_location("quickstart_copy", root / "quickstart.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.LOG.write_bytes(b"")
    write(root / "requirements.txt", b"numpy\n")
    script(module.VENV_PYTHON, PYTHON)
    monkeypatch.setattr(module, "venv_version", lambda: "3.11")
    monkeypatch.setattr(module, "check_disk", lambda *_: None)
    script(tmp_path / "path" / "uv", UV)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # nothing that this machine's pip is told, but in the environment
    for name in [name for name in os.environ if name.startswith("PIP_") and name != "PIP_CONFIG_FILE"]:
        monkeypatch.delenv(name)
    return module


def calls(qs: ModuleType) -> list[tuple[str, list[str], dict[str, str]]]:
    """Who was called to install, with which arguments, and what uv was told."""
    path = qs.ROOT / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def installers(qs: ModuleType) -> list[str]:
    return [who for who, *_ in calls(qs)]


def test_uv_installs_compiled_and_only_once(qs: ModuleType) -> None:
    qs.install("requirements.txt")
    qs.install("requirements.txt")
    ((who, arguments, told),) = calls(qs)
    assert who == "uv"
    assert arguments == [
        "pip", "install", "--python", str(qs.VENV_PYTHON), "--compile-bytecode", "--requirement", "requirements.txt"
    ]  # fmt: skip
    assert told["UV_SYSTEM_CERTS"] == "true"
    assert not qs.CUT_OFF.exists()


def test_pip_is_taken_at_once_where_it_is_asked_for(qs: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    qs.install("requirements.txt", pip_only=True)
    assert calls(qs) == [["pip", ["--no-input", "--requirement", "requirements.txt"], {}]]
    assert "Installing requirements.txt with pip" in capsys.readouterr().out
    assert json.loads(qs.STAMP.read_text())["python"] == "3.11"


@pytest.mark.parametrize("version", ["0.4.30", "unknown"])
def test_a_uv_that_is_too_old_is_left_alone(qs: ModuleType, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("UV_STUB_VERSION", version)
    monkeypatch.setattr(qs, "VENV_BIN", qs.ROOT / "nowhere")
    qs.install("requirements.txt")
    # One of its own is wanted; the stand-in of pip brings none.
    assert [(who, arguments[-1]) for who, arguments, _ in calls(qs)] == [("pip", qs.UV), ("pip", "requirements.txt")]


def test_where_uv_cannot_be_had_pip_says_so_and_installs(
    qs: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "path" / "uv").unlink()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    qs.install("requirements.txt")
    assert [(who, arguments[-1]) for who, arguments, _ in calls(qs)] == [("pip", qs.UV), ("pip", "requirements.txt")]
    assert f"{qs.UV} cannot be had here: pip installs, which takes longer." in capsys.readouterr().out
    assert qs.STAMP.exists()


def test_where_uv_fails_pip_says_so_and_installs(
    qs: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UV_STUB", "invalid peer certificate: UnknownIssuer")
    monkeypatch.setattr(qs, "make_venv", lambda: pytest.fail("nothing was written, so .venv is as good as before"))
    qs.install("requirements.txt")
    assert installers(qs) == ["uv", "pip"]
    assert "uv could not install requirements.txt (its messages are in quickstart.log)" in capsys.readouterr().out
    assert "UnknownIssuer" in qs.LOG.read_text()
    assert qs.STAMP.exists() and not qs.CUT_OFF.exists()


def test_pip_gets_a_new_venv_where_uv_has_left_half_a_package(qs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(qs, "make_venv", lambda: made.append(installers(qs)) or "3.11")
    monkeypatch.setenv("UV_STUB", "Failed to install: numpy-2.4.6-cp311-cp311-manylinux.whl (numpy==2.4.6)")
    qs.install("requirements.txt")
    assert made == [["uv"]]
    assert installers(qs) == ["uv", "pip"]


def test_pip_is_not_tried_on_a_full_disk(qs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "UV_STUB", "Failed to install: numpy (numpy==2.4.6)\n  cause: No space left on device (os error 28)"
    )
    with pytest.raises(qs.Problem, match=r"uv could not install requirements\.txt\. The disk is full"):
        qs.install("requirements.txt")
    assert installers(qs) == ["uv"]
    assert qs.CUT_OFF.exists() and not qs.STAMP.exists()


def test_where_both_fail_pip_is_explained(qs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_STUB", "no")
    monkeypatch.setenv("PIP_STUB_FAILS", "Failed building wheel for dlib")
    with pytest.raises(qs.Problem, match=r"pip could not install .* A package has no ready-made build"):
        qs.install("requirements.txt")
    assert not qs.STAMP.exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_after_an_installation_that_was_cut_off_venv_is_made_anew(
    qs: ModuleType, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    """uv writes the files of a package in any order, and later takes what lies there for whole."""
    program = (
        "import quickstart as qs\nqs.venv_version, qs.check_disk = lambda: '3.11', lambda *_: None\n"
        "raise SystemExit(qs.guarded(lambda: qs.install('requirements.txt')))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=qs.ROOT, env={**os.environ, "UV_STUB": "hangs"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not calls(qs):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(how)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[how]
    assert "Traceback" not in errors
    assert not qs.STAMP.exists()

    made = []

    def make_venv() -> str:
        made.append(installers(qs))
        qs.CUT_OFF.unlink()
        return "3.11"

    monkeypatch.setattr(qs, "make_venv", make_venv)
    qs.install("requirements.txt")
    assert made == [["uv"]]
    assert installers(qs) == ["uv", "uv"]
    assert qs.STAMP.exists() and not qs.CUT_OFF.exists()


# what pip is told


def told(
    qs: ModuleType, monkeypatch: pytest.MonkeyPatch, lines: str = "", **env: str
) -> tuple[dict[str, str], list[str]]:
    """What uv is told, and what it cannot be told, where pip has this configuration and environment."""
    monkeypatch.setenv("PIP_CONFIG_FILE", str(write(qs.ROOT / "pip.conf", lines.encode())))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return qs.uv_settings()


def test_uv_is_told_where_pip_finds_packages(qs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = """
[global]
index-url = https://packages.example/simple
find-links = /wheels
    https://packages.example/wheels.html
trusted-host = packages.example
timeout = 60
cert = /etc/ssl/example.pem
proxy = http://proxy.example:3128
disable-pip-version-check = 1
[install]
extra-index-url =
    https://one.example/simple
    https://two.example/simple
[freeze]
local = true
"""
    variables, unknown = told(qs, monkeypatch, lines)
    expected = {
        "UV_DEFAULT_INDEX": "https://packages.example/simple",
        "UV_EXTRA_INDEX_URL": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/wheels,https://packages.example/wheels.html",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INSECURE_HOST": "packages.example",
        "UV_HTTP_TIMEOUT": "60",
        "SSL_CERT_FILE": "/etc/ssl/example.pem",
        "HTTP_PROXY": "http://proxy.example:3128",
        "HTTPS_PROXY": "http://proxy.example:3128",
    }
    assert expected.items() <= variables.items()
    assert unknown == []


def test_the_environment_is_above_the_command_and_that_above_the_rest(
    qs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "[install]\nindex-url = https://install.example\n[global]\nindex-url = https://global.example\n"
    assert told(qs, monkeypatch, lines)[0]["UV_DEFAULT_INDEX"] == "https://install.example"
    variables, _ = told(qs, monkeypatch, lines, PIP_INDEX_URL="https://environment.example")
    assert variables["UV_DEFAULT_INDEX"] == "https://environment.example"


def test_what_uv_itself_is_told_holds(qs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "[global]\nindex-url = https://pips.example\ncert = /etc/ssl/example.pem\n"
    own = {"UV_DEFAULT_INDEX": "https://uvs.example", "UV_INDEX_STRATEGY": "first-index", "SSL_CERT_FILE": "/other.pem"}
    variables, _ = told(qs, monkeypatch, lines, **own)
    assert not {"UV_DEFAULT_INDEX", "UV_INDEX_STRATEGY"} & variables.keys()
    assert variables["SSL_CERT_FILE"] == "/etc/ssl/example.pem"  # everybody's, where pip's is meant for packages


def test_where_uv_cannot_be_told_pip_installs_at_once(
    qs: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_KEYRING_PROVIDER", "import")
    qs.install("requirements.txt")
    assert installers(qs) == ["pip"]
    assert (
        "pip has settings that uv does not know (keyring-provider, no-index): pip installs" in capsys.readouterr().out
    )


def test_a_configuration_that_pip_cannot_read_is_pips_to_explain(
    qs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables, unknown = told(qs, monkeypatch, "no section\n")
    assert (variables, unknown) == ({}, ["they cannot be read"])
