"""After SIGHUP the settings and the model of the start stay, and the log says what is different."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service import reload
from service.config import VARIABLES, Settings, SettingsError
from service.origin import Origin
from service.reload import say_if_model_changed, settings_of_start


@pytest.fixture
def env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The `.env` of a process that has read no settings yet; no variable of the environment counts."""
    path = tmp_path / ".env"
    monkeypatch.setattr(reload, "_of_start", [])
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    load = Settings.load
    monkeypatch.setattr(Settings, "load", lambda: load(dict(os.environ), path))
    return path


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "service.reload"]
    caplog.clear()
    return lines


def test_what_is_the_same_is_not_told(env_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    env_file.write_text("PORT=5001\n", encoding="utf-8")
    first = settings_of_start()
    env_file.write_text("# another comment\n\nPORT = '5001'\nMAX_CONTENT_MB=2\n", encoding="utf-8")
    assert settings_of_start() is first and first.port == 5001
    assert said(caplog) == []


def test_what_has_changed_is_named_as_it_is_set(env_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = settings_of_start()
    env_file.write_text("VERIFY_THRESHOLD=0.9\nWEB_CONCURRENCY=7\nHEADER_SECONDS=3\n", encoding="utf-8")
    assert settings_of_start() is first
    names = "VERIFY_THRESHOLD, WEB_CONCURRENCY, HEADER_SECONDS"
    assert said(caplog) == [
        ("WARNING", f"Reload: the settings of the start stay; to change {names}, restart the service")
    ]
    env_file.unlink()
    assert settings_of_start() is first
    assert said(caplog) == []


def test_what_cannot_be_used_is_told_with_its_reason(env_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = settings_of_start()
    env_file.write_text("PORT=0\nFLASK_DEBUG=maybe\n", encoding="utf-8")
    assert settings_of_start() is first
    ((level, message),) = said(caplog)
    assert level == "ERROR"
    start, *reasons = message.splitlines()
    assert start == "Reload: the settings of the start stay, since the new ones cannot be used:"
    assert [reason.split(";")[0] for reason in reasons] == ["PORT is '0'", "FLASK_DEBUG is 'maybe'"]
    env_file.write_bytes(b"PORT=\xff\n")
    assert settings_of_start() is first
    assert "not UTF-8" in said(caplog)[0][1]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no file here that nobody can read")
def test_a_file_that_cannot_be_read_does_not_end_the_master(env_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = settings_of_start()
    env_file.symlink_to("/proc/self/mem")  # it can be opened, even by root, and not be read from its beginning
    assert settings_of_start() is first
    ((level, message),) = said(caplog)
    assert level == "ERROR" and f"{env_file} cannot be read (" in message


def test_a_path_with_a_zero_byte_does_not_end_the_master(env_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = settings_of_start()
    env_file.write_bytes(b"TLS_CERT_PATH=a\0b\nTLS_KEY_PATH=c\n")
    assert settings_of_start() is first
    assert "both PEM files" in said(caplog)[0][1]


def test_a_threshold_that_is_set_to_the_default_is_the_same(env_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = settings_of_start()
    env_file.write_text("VERIFY_THRESHOLD=0.75\n", encoding="utf-8")
    assert settings_of_start() is first
    assert said(caplog) == []


def test_at_the_start_wrong_settings_are_an_error(env_file: Path) -> None:
    env_file.write_text("PORT=0\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="PORT is '0'"):
        settings_of_start()
    env_file.write_text("PORT=5002\n", encoding="utf-8")
    assert settings_of_start().port == 5002, "nothing has been kept of those that could not be used"


def test_another_model_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = tmp_path / "model.joblib"
    model.write_bytes(b"a model")
    origin = Origin.read(model)
    say_if_model_changed(origin, model)
    assert said(caplog) == []
    expected = [("WARNING", "Reload: the model of the start stays; to serve the new one, restart the service")]
    model.write_bytes(b"another one")
    say_if_model_changed(origin, model)
    assert said(caplog) == expected
    model.unlink()
    say_if_model_changed(origin, model)
    assert said(caplog) == expected
    say_if_model_changed(Origin.read(model), model)
    assert said(caplog) == [], "there was none at the start either"
