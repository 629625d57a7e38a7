"""A reload: everything changes together, or nothing does; and what cannot serve is refused."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from service import create_app, reload
from service.access.keys import create_key
from service.config import VARIABLES, Settings, SettingsError
from service.language import tell
from service.reload import ProcessReloader, ReloadRefusedError, WorkerReloader, build, settings_in_force, take_over
from tests.ports import free_port
from tests.service.support import certify, kept_in, post_photo

pytestmark = pytest.mark.security

Write = Callable[..., None]


@pytest.fixture
def env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The `.env` of a process that has read no settings yet; no variable of the environment counts."""
    path = tmp_path / ".env"
    monkeypatch.setattr(reload, "_serving", [])
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    load = Settings.load
    monkeypatch.setattr(Settings, "load", lambda: load(dict(os.environ), path))
    return path


@pytest.fixture
def write(env_file: Path, settings: Settings, tmp_path: Path) -> Write:
    """Writes the `.env` of the settings of the tests, with what is given changed."""

    def write_file(**changes: str) -> None:
        lines = {
            "MODEL_PATH": settings.model_path, "SCALER_PATH": settings.scaler_path,
            "NETWORKS_PATH": settings.networks_path, "PHOTO_LIMITS_PATH": settings.photo_limits_path,
            "KEYS_PATH": tmp_path / "keys.json", "AUDIT_PATH": tmp_path / "audit",
            "AUDIT_HEAD_PATH": tmp_path / "apart/head", "AUDIT_SALTS_PATH": tmp_path / "apart/salts",
            "AUDIT_KEY": "a" * 32, "FLASK_HOST": "127.0.0.1", "PORT": free_port(),
        }  # fmt: skip
        text = "\n".join(f"{name}={value}" for name, value in (lines | changes).items())
        env_file.write_text(text, encoding="utf-8")

    return write_file


class TestBuild:
    """What is refused."""

    def test_settings_that_cannot_be_used(self, write: Write) -> None:
        write()
        former = Settings.load()
        write(VERIFY_THRESHOLD="two", WEB_CONCURRENCY="0")
        with pytest.raises(
            ReloadRefusedError, match=r"VERIFY_THRESHOLD is 'two'(.|\n)*WEB_CONCURRENCY is '0'"
        ) as caught:
            build(former)
        assert "two" not in caught.value.reason, "anybody may read the reason"

    def test_models_that_are_not_there(self, write: Write, tmp_path: Path) -> None:
        write()
        former = Settings.load()
        write(MODEL_PATH=str(tmp_path / "nothing.joblib"))
        with pytest.raises(ReloadRefusedError):
            build(former)

    def test_a_model_that_is_gone_on_purpose(self, write: Write, tmp_path: Path) -> None:
        write()
        former = Settings.load()
        write(MODEL_PATH=str(tmp_path / "model.joblib"))
        (tmp_path / "forgotten").touch()
        app = build(former)[1]
        assert app.test_client().get("/healthz").status_code == 503

    def test_a_port_that_is_taken(self, write: Write) -> None:
        import socket

        write()
        former = Settings.load()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen(1)
            write(PORT=str(taken.getsockname()[1]))
            with pytest.raises(ReloadRefusedError, match="is taken by another program"):
                build(former)
            assert build(former, one_process=True)[0].port == former.port, "one process keeps its address"

    @pytest.mark.parametrize("url", ["redis://127.0.0.1:notaport", "redis://[::1"])
    def test_what_nobody_foresaw(self, write: Write, url: str) -> None:
        write()
        former = Settings.load()
        write(LIMITS_STORAGE=url)
        with pytest.raises(ReloadRefusedError, match="could not be built"):
            build(former)

    def test_a_service_that_asks_for_keys_is_not_opened(self, write: Write, tmp_path: Path) -> None:
        write()
        create_key(tmp_path / "keys.json", "Ana", ["verify"], None, lambda _: None)
        former = Settings.load()
        write(KEYS_PATH=str(tmp_path / "kees.json"))
        with pytest.raises(ReloadRefusedError, match="would open it to everybody") as caught:
            build(former)
        assert "abrirían a todos" in tell(caught.value.reason, "es")
        write(KEYS_PATH=str(tmp_path / "kees.json"), REQUIRE_KEYS="true")
        assert build(former)[0].require_keys

    def test_https_does_not_become_plain_http(self, write: Write, tmp_path: Path) -> None:
        certificate, key = certify(tmp_path)
        write(TLS_CERT_PATH=str(certificate), TLS_KEY_PATH=str(key))
        former = Settings.load()
        write()
        with pytest.raises(ReloadRefusedError, match="would serve plain HTTP") as caught:
            build(former)
        assert "HTTP sin cifrar" in tell(caught.value.reason, "es")
        write(TLS_CERT_PATH=str(certificate), TLS_KEY_PATH=str(key))
        build(former)

    @pytest.mark.parametrize("left", [None, "", "# PORT=5000\n", "PROT=5000\n"])
    def test_a_file_that_is_being_written(self, write: Write, env_file: Path, left: str | None) -> None:
        write()
        former = Settings.load()
        env_file.unlink() if left is None else env_file.write_text(left, encoding="utf-8")
        with pytest.raises(ReloadRefusedError, match="missing or has none") as caught:
            build(former)
        assert ".env" in caught.value.reason and str(env_file) not in caught.value.reason

    def test_a_service_that_never_had_the_file_needs_none(
        self, write: Write, env_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write()
        for line in env_file.read_text("utf-8").splitlines():
            monkeypatch.setenv(*line.split("=", 1))
        env_file.unlink()
        build(Settings.load())

    def test_what_can_serve(self, write: Write, me_photo: bytes) -> None:
        write()
        former = Settings.load()
        write(VERIFY_THRESHOLD="0.25")
        settings, app = build(former)
        answer = post_photo(app.test_client(), me_photo).json
        assert settings.threshold == 0.25 and answer is not None and answer["threshold"] == 0.25


class TestInTheMaster:
    """gunicorn reads its file anew, and takes over what that has built."""

    @pytest.fixture(autouse=True)
    def no_fork(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The processes of tests have threads, so they cannot fork; a real gunicorn does in test_faults.py."""
        monkeypatch.setattr(reload, "_try_in_a_fork", lambda engine: engine.open(1))

    def test_a_good_one_is_taken_over_whole(self, write: Write) -> None:
        write()
        first = settings_in_force()
        gunicorn_app = SimpleNamespace(callable=create_app(first))
        write(VERIFY_THRESHOLD="0.25", MODEL_VERSION="two")
        second = settings_in_force()
        assert second != first and second.threshold == 0.25
        take_over(gunicorn_app)
        app: Flask = gunicorn_app.callable
        assert app.extensions["settings"] is second
        assert app.test_client().get("/version").json["model_version"] == "two"  # type: ignore[index]
        ready = app.test_client().get("/readyz").json
        assert ready is not None and ready["reload"]["status"] == "done"

    @pytest.mark.parametrize("damage", ["settings", "model", "file"])
    def test_a_bad_one_changes_nothing_and_is_told(
        self, write: Write, env_file: Path, damage: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        write()
        first = settings_in_force()
        app = create_app(first)
        gunicorn_app = SimpleNamespace(callable=app)
        if damage == "settings":
            write(VERIFY_THRESHOLD="2")
        elif damage == "model":
            write(MODEL_PATH=str(env_file), VERIFY_THRESHOLD="0.1")
        else:
            env_file.write_bytes(b"PORT=\xff\n")
        assert settings_in_force() is first
        take_over(gunicorn_app)
        assert gunicorn_app.callable is app
        assert "Reload refused: the former model and settings serve on" in caplog.text
        ready = app.test_client().get("/readyz")
        assert ready.status_code == 200 and ready.json is not None
        assert ready.json["reload"]["status"] == "refused" and ready.json["reload"]["reason"]
        write(VERIFY_THRESHOLD="0.3")
        settings_in_force()
        take_over(gunicorn_app)
        assert gunicorn_app.callable.test_client().get("/readyz").json["reload"]["status"] == "done"

    def test_at_the_start_wrong_settings_are_an_error(self, env_file: Path) -> None:
        env_file.write_text("PORT=0\n", encoding="utf-8")
        with pytest.raises(SettingsError, match="PORT is '0'"):
            settings_in_force()
        env_file.write_text("PORT=5002\n", encoding="utf-8")
        assert settings_in_force().port == 5002, "nothing has been kept of those that could not be used"

    @pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no file here that nobody can read")
    def test_a_file_that_cannot_be_read_does_not_end_the_master(
        self, env_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = settings_in_force()
        env_file.symlink_to("/proc/self/mem")  # it can be opened, even by root, and not be read from its beginning
        assert settings_in_force() is first
        assert f"{env_file} cannot be read (" in caplog.text

    def test_a_path_with_a_zero_byte_does_not_end_the_master(
        self, env_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = settings_in_force()
        env_file.write_bytes(b"TLS_CERT_PATH=a\0b\nTLS_KEY_PATH=c\n")
        assert settings_in_force() is first
        assert "both PEM files" in caplog.text

    def test_an_empty_file_changes_nothing(
        self, write: Write, env_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(MODEL_VERSION="two")
        first = settings_in_force()
        env_file.write_bytes(b"")
        assert settings_in_force() is first
        assert "restart the service to go on without it" in caplog.text


class TestInOneProcess:
    """`POST /admin/reload` where one process serves."""

    @pytest.fixture
    def served(self, write: Write) -> Flask:
        write()
        return ProcessReloader.start(Settings.load())

    @pytest.fixture
    def admin(self, tmp_path: Path) -> dict[str, str]:
        return {"X-API-Key": create_key(tmp_path / "keys.json", "Eva", ["admin"], None, lambda _: None)[1]}

    def test_it_needs_an_administrator_even_where_there_are_no_keys(self, served: Flask) -> None:
        assert served.test_client().post("/admin/reload").status_code == 401

    def test_a_good_one(self, served: Flask, admin: dict[str, str], write: Write) -> None:
        client = served.test_client()
        for name in ("two", "three"):
            write(MODEL_VERSION=name)
            answer = client.post("/admin/reload", headers=admin)
            assert answer.status_code == 200 and answer.json is not None and answer.json["status"] == "done"
            assert client.get("/version", headers=admin).json["model_version"] == name  # type: ignore[index]

    def test_a_bad_one(self, served: Flask, admin: dict[str, str], write: Write) -> None:
        client = served.test_client()
        write(MODEL_VERSION="two", NETWORKS_PATH="/nowhere")
        answer = client.post("/admin/reload", headers=admin)
        assert answer.status_code == 409 and answer.json is not None
        assert answer.json["error"] == "La recarga se ha rechazado y todo sigue como estaba" and answer.json["detail"]
        assert client.get("/version", headers=admin).json["model_version"] == "me-verifier-v1"  # type: ignore[index]
        assert client.get("/readyz").json["reload"]["status"] == "refused"  # type: ignore[index]

    def test_an_empty_file(self, served: Flask, admin: dict[str, str], env_file: Path) -> None:
        env_file.write_bytes(b"")
        answer = served.test_client().post("/admin/reload", headers=admin)
        assert answer.status_code == 409 and ".env" in answer.json["detail"]  # type: ignore[index]

    def test_a_server_that_cannot_says_so(self, settings: Settings, tmp_path: Path, admin: dict[str, str]) -> None:
        client = create_app(replace(settings, **kept_in(tmp_path))).test_client()
        assert client.post("/admin/reload", headers=admin).status_code == 501


def test_a_worker_tries_it_out_elsewhere_and_tells_the_master(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The other process reads the environment, so that is changed here."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda process, number: told.append((process, number)))
    values: dict[str, Any] = {
        "MODEL_PATH": settings.model_path, "SCALER_PATH": settings.scaler_path,
        "NETWORKS_PATH": settings.networks_path, "KEYS_PATH": tmp_path / "keys.json",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    reloader = WorkerReloader(Settings.load(), 4711, threading.Event)
    assert reloader().status == "begun" and told == [(4711, signal.SIGHUP)]
    monkeypatch.setenv("SCALER_PATH", str(tmp_path / "nothing"))
    with pytest.raises(ReloadRefusedError):
        reloader()
    assert len(told) == 2, "the master refuses, so that all workers know"


def test_a_worker_says_that_https_would_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: None)
    certificate, key = certify(tmp_path)
    served = replace(settings, tls_cert_path=certificate, tls_key_path=key)
    with pytest.raises(ReloadRefusedError, match="by plain HTTP"):
        WorkerReloader(served, 4711, threading.Event)()


def test_a_worker_says_that_the_file_is_empty(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: None)
    with pytest.raises(ReloadRefusedError, match=r"\.env"):
        WorkerReloader(replace(settings, from_file=True), 4711, threading.Event)()


def test_what_the_other_process_logs_is_json_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: None)
    monkeypatch.setenv("VERIFY_THRESHOLD", "two")
    monkeypatch.setenv("WEB_CONCURRENCY", "0")
    with pytest.raises(ReloadRefusedError):
        WorkerReloader(replace(settings, log_format="json"), 4711, threading.Event)()
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["message"].count("\n") == 1, "the two settings, in one line of the log"


def test_the_other_process_warns_of_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: None)
    for name in ("model_path", "scaler_path", "networks_path", "photo_limits_path"):
        monkeypatch.setenv(name.upper(), str(getattr(settings, name)))
    monkeypatch.setenv("KEYS_PATH", str(tmp_path / "keys.json"))
    assert WorkerReloader(replace(settings, log_format="json"), 4711, threading.Event)().status == "begun"
    lines = capfd.readouterr().err.splitlines()
    assert "sys.modules" not in str(lines) and all("message" in json.loads(line) for line in lines)
