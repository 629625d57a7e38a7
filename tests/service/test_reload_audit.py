"""A reload never lets a use go unrecorded: the log is not turned off, and one that is left says so itself."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from flask import Flask

from service import create_app, reload
from service.access.keys import create_key
from service.audit import Audit, AuditSettings
from service.audit.walk import Walk
from service.config import PROJECT_ROOT, VARIABLES, Settings
from service.language import tell
from service.reload import ProcessReloader, ReloadRefusedError, WorkerReloader, build, settings_in_force, take_over
from tests.ports import free_port
from tests.service.support import Server, kept_in, posix_only, post_photo, stop, wait_until_up

pytestmark = pytest.mark.security

OFF = "El registro de auditoría está activo y los ajustes nuevos lo apagarían: indica AUDIT_PATH"
NOT_MOVED = "No se puede seguir con el registro de auditoría nuevo; el registro del servicio dice por qué"

Write = Callable[..., None]


def placed(folder: Path) -> dict[str, str]:
    """Settings of a log in a folder."""
    return {
        "AUDIT_PATH": str(folder / "audit"),
        "AUDIT_HEAD_PATH": str(folder / "apart/head"),
        "AUDIT_SALTS_PATH": str(folder / "apart/salts"),
    }


def records(folder: Path) -> list[dict[str, Any]]:
    """All records of the log in a folder, oldest first, after the proof that it is whole."""
    places = placed(folder)
    settings = AuditSettings(
        folder=Path(places["AUDIT_PATH"]), head=Path(places["AUDIT_HEAD_PATH"]),
        salts=Path(places["AUDIT_SALTS_PATH"]), key="a" * 32,
    )  # fmt: skip
    assert Walk(settings, settings.load_key()).run().findings == []
    lines = [line for path in sorted(settings.folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [record for record in map(json.loads, lines) if record["act"] != "segment"]


def acts(folder: Path) -> list[str]:
    return [record["act"] for record in records(folder)]


@pytest.fixture
def write(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the `.env` of a process that has read no settings yet, with what is given changed; "" for no line."""
    path = tmp_path / ".env"
    monkeypatch.setattr(reload, "_serving", [])
    monkeypatch.setattr(reload, "_try_in_a_fork", lambda engine: engine.open(1))  # the processes of tests have threads
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    load = Settings.load
    monkeypatch.setattr(Settings, "load", lambda: load(dict(os.environ), path))

    def write_file(folder: str = "first", **changes: str) -> None:
        path.write_text(env_text(settings, tmp_path, folder, **changes), encoding="utf-8")

    return write_file


def env_text(settings: Settings, root: Path, folder: str, **changes: str) -> str:
    lines = {
        "MODEL_PATH": str(settings.model_path), "SCALER_PATH": str(settings.scaler_path),
        "NETWORKS_PATH": str(settings.networks_path), "PHOTO_LIMITS_PATH": str(settings.photo_limits_path),
        "KEYS_PATH": str(root / "keys.json"), "AUDIT_KEY": "a" * 32, "FLASK_HOST": "127.0.0.1",
        "PORT": str(free_port()), **placed(root / folder),
    }  # fmt: skip
    return "".join(f"{name}={value}\n" for name, value in (lines | changes).items() if value)


def test_the_log_is_not_turned_off(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.audit.settings.DEFAULT_FOLDER", tmp_path / "audit")
    write()
    former = Settings.load()
    write(AUDIT_PATH="")
    with pytest.raises(ReloadRefusedError, match="would turn it off") as caught:
        build(former)
    assert tell(caught.value.reason, "es").startswith(OFF)
    create_key(tmp_path / "keys.json", "Ana", ["verify"], None, lambda _: None)
    write(AUDIT_PATH="", AUDIT_HEAD_PATH=str(tmp_path / "head"))
    build(former)  # with keys it is on anyway
    write()
    assert build(former)[0].audit_path == former.audit_path


def test_one_that_was_off_may_stay_off_and_be_turned_on(write: Write, tmp_path: Path) -> None:
    write(AUDIT_PATH="")
    former = settings_in_force()
    assert build(former)[0].audit_path is None
    gunicorn_app = SimpleNamespace(callable=create_app(former))
    write()
    settings_in_force()
    take_over(gunicorn_app)
    assert acts(tmp_path / "first") == ["reloaded"]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("the head stays", "a log and its head belong together"),
        ("a file in its place", "Not a directory"),
        ("another secret", "The secret is not the one"),
        ("no head", "and no head"),
    ],
)
def test_what_can_be_known_is_known_before_anything_is_written(
    write: Write, tmp_path: Path, what: str, said: str
) -> None:
    """So that /admin/reload answers 409 at once, and the log that is left does not say so in vain."""
    write()
    former = Settings.load()
    changes = {}
    if what == "the head stays":
        changes = {"AUDIT_HEAD_PATH": placed(tmp_path / "first")["AUDIT_HEAD_PATH"]}
    elif what == "a file in its place":
        (tmp_path / "second").write_text("", encoding="utf-8")
    else:
        write("second", AUDIT_KEY="b" * 32)
        Audit.open(AuditSettings.of(Settings.load())).record("verify")
        if what == "no head":
            changes = {"AUDIT_KEY": "b" * 32}
            (tmp_path / "second/apart/head").unlink()
    write("second", **changes)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ReloadRefusedError, match=said) as caught:
        build(former)
    assert tell(caught.value.reason, "es") == NOT_MOVED
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_tried_out_begins_no_log(write: Write, tmp_path: Path) -> None:
    write()
    former = Settings.load()
    write("second")
    build(former)
    assert not (tmp_path / "first").exists() and not (tmp_path / "second").exists()


class TestInTheMaster:
    """After SIGHUP."""

    @pytest.fixture
    def gunicorn_app(self, write: Write) -> Any:
        write()
        return SimpleNamespace(callable=create_app(settings_in_force()))

    def test_a_log_that_is_moved_says_so(
        self, gunicorn_app: Any, write: Write, tmp_path: Path, me_photo: bytes
    ) -> None:
        assert post_photo(gunicorn_app.callable.test_client(), me_photo).status_code == 200
        write("second")
        settings_in_force()
        take_over(gunicorn_app)
        assert post_photo(gunicorn_app.callable.test_client(), me_photo).status_code == 200
        assert acts(tmp_path / "first") == ["verify", "moved"]
        moved = records(tmp_path / "first")[-1]
        place = str(tmp_path / "second/audit")
        assert moved["what"] == ["folder", "head", "salts"]
        assert moved["folder_sha256"] == hashlib.sha256(place.encode()).hexdigest()
        assert str(tmp_path) not in json.dumps(moved)
        assert acts(tmp_path / "second") == ["reloaded", "verify"]

    def test_salts_alone(self, gunicorn_app: Any, write: Write, tmp_path: Path) -> None:
        write(AUDIT_SALTS_PATH=str(tmp_path / "other"))
        settings_in_force()
        take_over(gunicorn_app)
        assert [(record["act"], record.get("what")) for record in records(tmp_path / "first")] == [
            ("moved", ["salts"]), ("reloaded", None),
        ]  # fmt: skip

    @pytest.mark.parametrize("kept", ["AUDIT_PATH", "AUDIT_HEAD_PATH"])
    def test_a_log_and_its_head_are_not_parted(
        self, gunicorn_app: Any, write: Write, tmp_path: Path, kept: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        write("second", **{kept: placed(tmp_path / "first")[kept]})
        settings_in_force()
        take_over(gunicorn_app)
        assert "a log and its head belong together" in caplog.text
        assert [(record["act"], record.get("outcome")) for record in records(tmp_path / "first")] == [
            ("reloaded", "refused")
        ]

    def test_where_the_former_log_cannot_say_so_it_is_not_left(
        self, gunicorn_app: Any, write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        former = gunicorn_app.callable
        head = tmp_path / "first/apart/head"
        head.rename(tmp_path / "away")
        write("second", MODEL_VERSION="two")
        settings_in_force()
        take_over(gunicorn_app)
        assert gunicorn_app.callable is former
        assert former.extensions["reload_outcome"].as_json("es")["reason"] == NOT_MOVED
        assert "Reload refused" in caplog.text and "and no head" in caplog.text
        assert "stop the service and start it again" in caplog.text
        assert not (tmp_path / "second").exists()
        (tmp_path / "away").rename(head)
        settings_in_force()
        take_over(gunicorn_app)
        assert acts(tmp_path / "first")[-1] == "moved" and acts(tmp_path / "second") == ["reloaded"]

    def test_a_secret_that_is_not_that_of_the_log_is_refused(
        self, gunicorn_app: Any, write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(AUDIT_KEY="b" * 32)
        settings_in_force()
        take_over(gunicorn_app)
        assert "The secret is not the one" in caplog.text
        assert [record["outcome"] for record in records(tmp_path / "first")] == ["refused"]

    @pytest.mark.parametrize("name", ["second", "zero\0byte"])
    def test_where_the_new_log_cannot_be_begun_the_old_one_is_gone_on_with(
        self, gunicorn_app: Any, write: Write, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "second/apart/head.lock").mkdir(parents=True)  # which is to be a file
        write(name)
        settings_in_force()
        take_over(gunicorn_app)
        assert [(record["act"], record.get("outcome")) for record in records(tmp_path / "first")] == [
            ("moved", None), ("reloaded", "refused"),
        ]  # fmt: skip


class TestInOneProcess:
    """`POST /admin/reload` with waitress, or in development: what came of it is recorded, too."""

    @pytest.fixture
    def served(self, write: Write) -> Flask:
        write()
        return ProcessReloader.start(Settings.load())

    @pytest.fixture
    def admin(self, tmp_path: Path) -> dict[str, str]:
        return {"X-API-Key": create_key(tmp_path / "keys.json", "Eva", ["admin"], None, lambda _: None)[1]}

    def test_done_and_refused(self, served: Flask, admin: dict[str, str], write: Write, tmp_path: Path) -> None:
        client = served.test_client()
        write(MODEL_VERSION="two")
        assert client.post("/admin/reload", headers=admin).status_code == 200
        write(VERIFY_THRESHOLD="two")
        assert client.post("/admin/reload", headers=admin).status_code == 409
        found = records(tmp_path / "first")
        assert [(record["act"], record.get("outcome")) for record in found] == [
            ("reload", None), ("reloaded", "done"), ("reload", None), ("reloaded", "refused"),
        ]  # fmt: skip
        model = client.get("/version", headers=admin).json["model_sha256"]  # type: ignore[index]
        assert {record.get("model_sha256") for record in found} == {None, model}

    def test_a_log_that_is_moved_says_so(
        self, served: Flask, admin: dict[str, str], write: Write, tmp_path: Path
    ) -> None:
        client = served.test_client()
        write("second")
        assert client.post("/admin/reload", headers=admin).status_code == 200
        assert acts(tmp_path / "first") == ["reload", "moved"] and acts(tmp_path / "second") == ["reloaded"]
        (tmp_path / "second/apart/head").unlink()
        write("third")
        answer = client.post("/admin/reload", headers=admin)
        assert answer.status_code == 503, "that it is asked for cannot be recorded either"
        assert not (tmp_path / "third").exists()

    def test_it_is_not_turned_off(self, served: Flask, write: Write) -> None:
        write(AUDIT_PATH="")
        with pytest.raises(ReloadRefusedError, match="would turn it off"):
            served.extensions["reloader"]()

    def test_counts_of_the_last_minute_are_recorded_at_the_end(self, settings: Settings, tmp_path: Path) -> None:
        """Python has ended its threads by then."""
        kept = replace(settings, **kept_in(tmp_path))
        code = (
            "import sys\nfrom pathlib import Path\nfrom dataclasses import replace\n"
            "from service.config import Settings\nfrom service.reload import ProcessReloader\n"
            "from tests.service.support import kept_in, settings_of\n"
            "settings = replace(settings_of(Path(sys.argv[1]), Path(sys.argv[2])), **kept_in(Path(sys.argv[3])))\n"
            "client = ProcessReloader.start(settings).test_client()\n"
            "assert client.post('/admin/reload').status_code == 401\n"
        )
        paths = [str(kept.model_path.parent), str(kept.networks_path), str(tmp_path)]
        done = subprocess.run(
            [sys.executable, "-c", code, *paths], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        lines = [line for path in (tmp_path / "audit").glob("*.jsonl") for line in path.read_text().splitlines()]
        assert [json.loads(line)["act"] for line in lines] == ["segment", "refusals"]


def test_a_worker_finds_out_elsewhere_and_no_log_is_touched(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The other process reads the environment, so that is changed here."""
    monkeypatch.setattr(os, "kill", lambda *_: None)
    values = dict(line.split("=", 1) for line in env_text(settings, tmp_path, "first").splitlines())
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    reloader = WorkerReloader(Settings.load(), 4711, threading.Event)
    for name, value in placed(tmp_path / "second").items():
        monkeypatch.setenv(name, value)
    assert reloader().status == "begun"
    monkeypatch.setenv("AUDIT_HEAD_PATH", placed(tmp_path / "first")["AUDIT_HEAD_PATH"])
    with pytest.raises(ReloadRefusedError) as caught:
        reloader()
    assert tell(caught.value.reason, "es") == NOT_MOVED
    monkeypatch.setenv("AUDIT_HEAD_PATH", placed(tmp_path / "second")["AUDIT_HEAD_PATH"])
    monkeypatch.setenv("AUDIT_PATH", "")
    with pytest.raises(ReloadRefusedError) as caught:
        reloader()
    assert tell(caught.value.reason, "es").startswith(OFF)
    assert not (tmp_path / "first").exists() and not (tmp_path / "second").exists()


@posix_only
def test_a_real_gunicorn_moves_its_log(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    """Its `.env` lies in a copy of the code."""
    root = tmp_path / "project"
    for name in ("service", "faces"):
        shutil.copytree(PROJECT_ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    port = str(free_port())
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}

    def say(folder: str, **changes: str) -> None:
        text = env_text(settings, tmp_path, folder, PORT=port, WEB_CONCURRENCY="2", **changes)
        (root / ".env").write_text(text, encoding="utf-8")

    def hang_up() -> str:
        exited = server.log.count("Worker exiting")
        server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 60
        while server.log.count("Worker exiting") < exited + 2:
            assert time.monotonic() < until, server.log
            time.sleep(0.1)
        return str(requests.get(f"{server.url}/readyz", timeout=20).json()["reload"]["status"])

    say("first")
    log_path = tmp_path / "log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [str(root / "service/run_gunicorn.sh")], env=environment, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}", int(port), process, log_path)
    try:
        wait_until_up(server, 2)
        assert server.verify(me_photo).status_code == 200
        say("second")
        assert hang_up() == "done"
        assert server.verify(me_photo).status_code == 200
        say("third", AUDIT_PATH="")
        assert hang_up() == "refused"
        assert server.verify(me_photo).status_code == 200
    finally:
        stop(server)
    assert acts(tmp_path / "first") == ["verify", "moved"]
    assert acts(tmp_path / "second") == ["reloaded", "verify", "reloaded", "verify"]
    assert not (tmp_path / "third").exists() and "Traceback" not in server.log
