"""What of the service's answers goes into the audit log, and that none is given that is not there."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service import create_app
from service.access.keys import create_key
from service.config import Settings
from tests.service.support import kept_in, post_photo

pytestmark = pytest.mark.security

NOT_RECORDED = "No se puede registrar el uso, así que no se da respuesta"


@pytest.fixture
def audited(settings: Settings, tmp_path: Path) -> Iterator[FlaskClient]:
    """A service whose audit log is on, though it has no keys."""
    app = create_app(replace(settings, **kept_in(tmp_path)))
    yield app.test_client()
    app.extensions["recorder"].close()


@pytest.fixture
def records(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Reads all records, oldest first."""

    def read() -> list[dict[str, Any]]:
        lines = [
            line
            for path in sorted((tmp_path / "audit").glob("*.jsonl"))
            for line in path.read_text("utf-8").splitlines()
        ]
        return [record for record in map(json.loads, lines) if record["act"] != "segment"]

    return read


Records = Callable[[], list[dict[str, Any]]]


def test_each_answer_is_recorded_with_what_was_decided(
    audited: FlaskClient, records: Records, me_photo: bytes, stranger_photo: bytes, faceless_photo: bytes
) -> None:
    answers = [post_photo(audited, photo) for photo in (me_photo, stranger_photo, faceless_photo, b"no photo")]
    answers.append(audited.post("/verify"))
    found = [record for record in records() if record["act"] == "verify"]
    assert [record["status"] for record in found] == [200, 200, 400, 400, 400]
    for answer, record in zip(answers, found, strict=True):
        assert record["request_id"] == answer.headers["X-Request-ID"]
        assert record["key_id"] is None
        assert all(len(record[name]) == 64 for name in ("model_sha256", "verifier_sha256", "networks_sha256"))
        assert answer.json is not None
        if answer.status_code == 200:
            for name in ("is_me", "score", "threshold", "backbone", "model_version"):
                assert record[name] == answer.json[name], name
        else:
            assert "score" not in record
    assert [("image" in record) for record in found] == [True, True, True, True, False]
    assert found[0]["image"] != found[1]["image"]
    again = post_photo(audited, me_photo)
    assert again.status_code == 200
    assert records()[-1]["image"] != found[0]["image"], "each record has a salt of its own"


def test_with_all_faces_each_decision_is_recorded(audited: FlaskClient, records: Records, me_photo: bytes) -> None:
    data = {"image": (io.BytesIO(me_photo), "a.jpg"), "faces": "all"}
    answer = audited.post("/verify", data=data).json
    assert answer is not None
    shown = [{name: face[name] for name in ("is_me", "score")} for face in answer["faces"]]
    assert records()[-1]["faces"] == shown


def test_the_photo_is_nowhere(audited: FlaskClient, me_photo: bytes, tmp_path: Path) -> None:
    assert post_photo(audited, me_photo, name="secret-name.jpg").status_code == 200
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert me_photo[1000:1040] not in written and b"secret-name" not in written and b"127.0.0.1" not in written


def test_whose_key_it_was_is_recorded_and_refusals_are_counted(
    settings: Settings, tmp_path: Path, records: Records, me_photo: bytes
) -> None:
    kept = kept_in(tmp_path)
    key, text = create_key(kept["keys_path"], "Ana", ["verify"], None, lambda _: None)
    app = create_app(replace(settings, **kept, failed_key_limit="7/minute", workers=1))
    client = app.test_client()
    data = {"image": (io.BytesIO(me_photo), "a.jpg")}
    assert client.post("/verify", data=data, headers={"X-API-Key": text}).status_code == 200
    statuses = [post_photo(client, me_photo).status_code for _ in range(9)]
    assert statuses == [401] * 7 + [429] * 2
    assert client.get("/metrics", headers={"X-API-Key": text}).status_code == 403
    assert [record["key_id"] for record in records()] == [key.id], "a flood of refusals writes nothing"
    app.extensions["recorder"].close()
    counted = {(part["refusal"], part["key_id"]): part["count"] for part in records()[-1]["counts"]}
    assert counted == {("key", None): 7, ("limit", None): 2, ("role", key.id): 1}


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="a folder is put in the log's place")
def test_what_cannot_be_recorded_is_not_answered(
    audited: FlaskClient, records: Records, me_photo: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert post_photo(audited, me_photo).status_code == 200
    before = len(records())
    apart, away = tmp_path / "kept apart", tmp_path / "away"
    apart.rename(away)
    for _ in range(3):
        answer = post_photo(audited, me_photo)
        assert answer.status_code == 503 and answer.json is not None
        assert answer.json["error"] == NOT_RECORDED and "score" not in answer.json
        assert answer.headers["Retry-After"] == "5" and answer.headers["Cache-Control"] == "no-store"
    said = [record for record in caplog.records if "cannot be recorded" in record.getMessage()]
    assert len(said) == 1, "it is said once"
    assert audited.get("/livez").status_code == 200
    if apart.exists():
        import shutil

        shutil.rmtree(apart)
    away.rename(apart)
    assert post_photo(audited, me_photo).status_code == 200
    assert len(records()) == before + 1
    assert "can be recorded again" in caplog.text


def test_without_keys_and_without_a_path_nothing_is_recorded(client: FlaskClient, me_photo: bytes) -> None:
    assert post_photo(client, me_photo).status_code == 200
    assert not client.application.extensions["recorder"].on
