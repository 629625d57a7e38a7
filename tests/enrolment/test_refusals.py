"""Where guided enrolment does not start, and with what it starts the service beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from enrolment.errors import EnrolmentError
from enrolment.refusals import check_settings, put_into_environment
from service.access.keys import create_key
from service.config import Settings
from tests.conftest import ROOT
from tests.ports import free_port

pytestmark = pytest.mark.security


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(keys_path=tmp_path / "keys.json")


@pytest.mark.parametrize("name", ["FLASK_HOST", "BIND_HOST"])
@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.7", "example.org", "localhost.evil.test", "127.0.0.1.nip.io"]
)
def test_another_interface(settings: Settings, name: str, host: str) -> None:
    with pytest.raises(EnrolmentError, match=f"{name} is '{host}': .* {name}=127.0.0.1 python -m service --enrol"):
        check_settings(settings, {name: host})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1", "[::1]", ""])
def test_this_machine(settings: Settings, host: str) -> None:
    check_settings(settings, {"FLASK_HOST": host})


def test_keys(settings: Settings) -> None:
    with pytest.raises(EnrolmentError, match="REQUIRE_KEYS"):
        check_settings(replace(settings, require_keys=True), {})
    create_key(settings.keys_path, "Ana", ["verify"], None, lambda _: None)
    with pytest.raises(EnrolmentError, match="there are API keys"):
        check_settings(settings, {})
    settings.keys_path.unlink()
    with pytest.raises(EnrolmentError, match="there are API keys"):
        check_settings(settings, {})


def test_signs_of_a_service_that_others_use(settings: Settings, tmp_path: Path) -> None:
    for change, name in (
        ({"trusted_proxies": 1}, "TRUSTED_PROXIES"),
        ({"tls_cert_path": tmp_path, "tls_key_path": tmp_path}, "TLS_CERT_PATH"),
        ({"cors_origins": ("https://example.org",)}, "CORS_ORIGINS"),
    ):
        with pytest.raises(EnrolmentError, match=f"{name} is set"):
            check_settings(replace(settings, **change), {})  # type: ignore[arg-type]  # each of its own type
    with pytest.raises(EnrolmentError, match="MODEL_PATH is '/elsewhere': the page would ask another model"):
        check_settings(settings, {"MODEL_PATH": "/elsewhere"})


def test_the_service_beside_it_is_for_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("FLASK_HOST", "PORT", "FLASK_DEBUG", "CORS_ORIGINS", "MAX_CONTENT_MB", "ACCEPTED_TYPES")
    for name in names:
        monkeypatch.setenv(name, "")  # so that what is set here is gone afterwards
        monkeypatch.delenv(name)
    made = put_into_environment(5123, {"MAX_CONTENT_MB": "3"})
    assert (made.host, made.port, made.debug, made.cors_origins) == (
        "127.0.0.1",
        5123,
        False,
        ("http://127.0.0.1:5123",),
    )
    assert made.max_content_mb == 2 and "image/heic" in made.accepted_types, "a limit of the user's own is theirs"
    assert os.environ["FLASK_HOST"] == "127.0.0.1", "a reload reads the environment again"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PORT": str(free_port()), "DISPLAY": "", **environment},
    )  # fmt: skip


@pytest.mark.slow
def test_the_command_refuses_with_a_sentence_in_the_language_of_the_terminal() -> None:
    english = run("--enrol", FLASK_HOST="0.0.0.0")
    assert english.returncode == 1 and "Traceback" not in english.stderr
    assert english.stderr.startswith("FLASK_HOST is '0.0.0.0': guided enrolment serves this machine alone")
    spanish = run("--enrol", FLASK_HOST="0.0.0.0", LC_ALL="es_ES.UTF-8")
    assert spanish.stderr.startswith("FLASK_HOST es '0.0.0.0': el alta guiada sirve solo a esta máquina")


def test_it_goes_without_a_command() -> None:
    done = run("--enrol", "keys", "list")
    assert done.returncode == 2 and "--enrol goes without a command" in done.stderr
