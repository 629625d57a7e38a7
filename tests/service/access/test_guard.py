"""Who may ask what: without keys everybody, from the first key on only those who have one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from service import create_app
from service.access.guard import OPEN_PATHS, ROLE_OF_PATH
from service.access.keys import KeyRing, create_key, read_keys, revoke_key
from service.config import Settings
from service.engine import Engine
from service.monitoring import metrics
from tests.service.monitoring.support import figures, more
from tests.service.support import kept_in, post_photo

pytestmark = pytest.mark.security

MISSING = "Hace falta una clave de acceso válida"
ROLE = "La clave no da permiso para esta operación"
Build = Callable[..., FlaskClient]
MakeKey = Callable[..., str]


def verify(client: FlaskClient, key: str | None, **headers: str) -> tuple[int, str]:
    given = headers | ({"X-API-Key": key} if key is not None else {})
    answer = client.post("/verify", data={"image": (io.BytesIO(b"no photo"), "a.jpg")}, headers=given)
    assert answer.json is not None
    return answer.status_code, answer.json["error"]


def test_without_keys_everybody_may_ask_and_the_log_says_so(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    client = build()
    assert verify(client, None)[0] == 503, "the models are missing: it came so far"
    assert client.get("/version").status_code == 200
    assert "python -m service keys create" in caplog.text and "everybody" in caplog.text


def test_from_the_first_key_on_a_key_is_needed_without_a_restart(build: Build, make_key: MakeKey) -> None:
    client = build(failed_key_limit=None)
    assert client.get("/version").status_code == 200
    key = make_key("verify")
    for path in ("/version", "/nowhere", "/metrics", "/openapi.json", "/admin/reload", "/healthz/", "/HEALTHZ"):
        answer = client.get(path)
        assert (answer.status_code, answer.json and answer.json["error"]) == (401, MISSING), path
        assert answer.headers["WWW-Authenticate"].startswith("ApiKey")
    assert verify(client, None) == (401, MISSING)
    assert verify(client, key[:-1]) == (401, MISSING)
    assert verify(client, key)[0] == 503
    for path in OPEN_PATHS:
        answer = client.get(path.replace("<name>", "app.js"))
        assert answer.status_code in (200, 308, 503), path
    for path in ("/ui/../version", "/ui//version", "/ui/%2e%2e/version", "//version", "/uiversion", "/UI/app.js"):
        assert client.get(path).status_code in (308, 401, 404), path


def test_a_setting_asks_for_keys_before_there_is_one(build: Build) -> None:
    client = build(require_keys=True)
    assert verify(client, None) == (401, MISSING)
    assert client.get("/livez").status_code == 200


def test_administration_needs_a_key_even_where_nothing_else_does(build: Build) -> None:
    answer = build().post("/admin/reload")
    assert answer.status_code == 401 and answer.json is not None and answer.json["error"] == MISSING


@pytest.mark.parametrize(
    ("roles", "path", "method", "status"),
    [
        (("metrics",), "/verify", "POST", 403),
        (("admin",), "/verify", "POST", 403),
        (("verify",), "/verify", "POST", 400),
        (("verify",), "/metrics", "GET", 403),
        (("verify", "metrics"), "/admin/reload", "POST", 403),
        (("metrics",), "/version", "GET", 200),
        (("verify",), "/nowhere", "GET", 404),
    ],
)
def test_a_key_may_do_what_its_roles_say(
    build: Build, make_key: MakeKey, roles: tuple[str, ...], path: str, method: str, status: int
) -> None:
    key = make_key(*roles)
    answer = build().open(path, method=method, headers={"X-API-Key": key})
    assert answer.status_code == status and answer.json is not None
    if status == 403:
        assert answer.json["error"] == ROLE and ROLE_OF_PATH[path] in answer.json["detail"]


def test_every_route_says_what_a_key_must_be_allowed_to_do(no_models: Settings) -> None:
    app: Flask = create_app(no_models)
    paths = {rule.rule for rule in app.url_map.iter_rules()}
    assert paths <= set(OPEN_PATHS) | set(ROLE_OF_PATH)
    assert not set(OPEN_PATHS) & set(ROLE_OF_PATH)


def test_an_expired_and_a_revoked_key_are_told_as_a_wrong_one_is(
    build: Build, make_key: MakeKey, keys_path: Path
) -> None:
    client, key = build(), make_key("verify")
    assert verify(client, key)[0] == 503
    revoke_key(keys_path, key, lambda _: None)
    assert verify(client, key) == (401, MISSING)


def test_damaged_keys_are_503_and_say_nothing_of_the_file(build: Build, make_key: MakeKey, keys_path: Path) -> None:
    client, key = build(), make_key("verify")
    keys_path.write_bytes(b"{")
    status, error = verify(client, key)
    assert (status, error) == (503, "No se pueden comprobar las claves de acceso")
    answer = client.post("/verify", headers={"X-API-Key": key})
    assert str(keys_path.parent) not in answer.text
    assert client.get("/livez").status_code == 200


def test_it_is_refused_before_the_body_is_read(no_models: Settings, keys_path: Path, make_key: MakeKey) -> None:
    make_key("verify")

    class Body(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def seek(self, *_: int) -> int:
            return 0

        def tell(self) -> int:
            return 0

        def readinto(self, _: object) -> int:
            raise AssertionError("the body was read")

    app = create_app(replace(no_models, **kept_in(keys_path.parent)))
    answer = app.test_client().post(
        "/verify", input_stream=io.BufferedReader(Body()), content_length=1000, content_type="multipart/form-data"
    )
    assert answer.status_code == 401


def test_a_key_that_is_revoked_meanwhile_gets_no_answer(
    settings: Settings, keys_path: Path, me_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, text = create_key(keys_path, "Ana", ["verify"], None, lambda _: None)
    client = create_app(replace(settings, **kept_in(keys_path.parent))).test_client()
    client.environ_base["HTTP_X_API_KEY"] = text
    assert post_photo(client, me_photo).status_code == 200
    verify_photo = Engine.verify

    def revoke_and_verify(engine: Engine, *given: object) -> object:
        revoke_key(keys_path, key.id, lambda _: None)
        return verify_photo(engine, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "verify", revoke_and_verify)
    answer = post_photo(client, me_photo)
    assert answer.status_code == 401 and answer.json is not None and "score" not in answer.json


@pytest.fixture
def revoking(settings: Settings, keys_path: Path) -> Iterator[FlaskClient]:
    """A service whose key is revoked when its request has been let in, and the key is sent with each."""
    key, text = create_key(keys_path, "Ana", ["verify", "metrics", "admin"], None, lambda _: None)
    app = create_app(replace(settings, **kept_in(keys_path.parent)))

    def revoke() -> None:
        if g.get("let_in") and KeyRing(keys_path, required=False).find(text) is not None:
            revoke_key(keys_path, key.id, lambda _: None)

    app.before_request(revoke)
    client = app.test_client()
    client.environ_base["HTTP_X_API_KEY"] = text
    yield client
    app.extensions["recorder"].close()


@pytest.mark.parametrize(
    ("path", "photo"),
    [
        ("/verify", None), ("/verify", b"no photo"), ("/verify", b"large" * 2**20), ("/verify", "faceless"),
        ("/verify", "me"), ("/admin/reload", None), ("/metrics", None), ("/version", None), ("/nowhere", None),
    ],
)  # fmt: skip
def test_a_key_that_is_revoked_meanwhile_gets_no_answer_of_any_kind(
    revoking: FlaskClient, keys_path: Path, me_photo: bytes, faceless_photo: bytes, path: str, photo: str | bytes | None
) -> None:
    sent = {"me": me_photo, "faceless": faceless_photo}.get(photo, photo)  # type: ignore[arg-type]
    before = revoking.get("/livez")
    if path in ("/verify", "/admin/reload"):
        answer = revoking.post(path, data={"image": (io.BytesIO(sent), "a.jpg")} if sent else {})  # type: ignore[arg-type]
    else:
        answer = revoking.get(path)
    assert before.status_code == 200
    assert answer.status_code == 401 and answer.json is not None and answer.json["error"] == MISSING
    assert "X-Request-ID" in answer.headers and answer.headers["WWW-Authenticate"].startswith("ApiKey")
    revoking.application.extensions["recorder"].close()
    records = [
        json.loads(line)
        for file in sorted((keys_path.parent / "audit").glob("*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]
    assert not [record for record in records if record["act"] == "verify"], "it is no decision"
    (key,) = read_keys(keys_path).by_id  # type: ignore[union-attr]
    assert records[-1]["counts"] == [{"refusal": "key", "key_id": key, "count": 1}]


def refusals_and_decisions() -> dict[str, float]:
    """What the metrics have of them."""
    shown = figures(metrics.exposition("")[0].decode())
    return {name: value for name, value in shown.items() if "refusals_total" in name or "decisions_total" in name}


def test_what_was_refused_at_the_door_is_refused_once(build: Build, make_key: MakeKey) -> None:
    client, key = build(workers=1, key_limit="1/minute"), make_key("metrics")
    before = refusals_and_decisions()
    assert verify(client, key)[0] == 403 and verify(client, key)[0] == 429 and verify(client, None)[0] == 401
    assert more(before, refusals_and_decisions()) == {
        'refusals_total{reason="role"}': 1, 'refusals_total{reason="limit"}': 1, 'refusals_total{reason="no_key"}': 1,
    }  # fmt: skip


def test_a_decision_that_nobody_gets_is_counted_as_none(revoking: FlaskClient, me_photo: bytes) -> None:
    before = refusals_and_decisions()
    assert post_photo(revoking, me_photo).status_code == 401
    assert more(before, refusals_and_decisions()) == {'refusals_total{reason="wrong_key"}': 1}


def test_keys_that_are_damaged_meanwhile_let_no_answer_out(
    no_models: Settings, keys_path: Path, make_key: MakeKey
) -> None:
    key = make_key("verify")
    app = create_app(replace(no_models, **kept_in(keys_path.parent)))
    app.before_request(lambda: None if g.for_all else keys_path.write_bytes(b"{") and None)
    client = app.test_client()
    answer = client.get("/version", headers={"X-API-Key": key})
    assert answer.status_code == 503 and answer.json is not None
    assert answer.json["error"] == "No se pueden comprobar las claves de acceso"
    assert client.get("/livez").status_code == 200


class TestOtherPages:
    """CORS: `*` while no key exists, closed from then on unless it is set."""

    def test_open_then_closed(self, build: Build, make_key: MakeKey) -> None:
        client = build()
        origin = {"Origin": "https://a.example"}
        assert client.get("/", headers=origin).headers["Access-Control-Allow-Origin"] == "*"
        key = make_key("verify")
        for answer in (
            client.get("/", headers=origin),
            client.get("/version", headers=origin | {"X-API-Key": key}),
            client.options("/verify", headers=origin | {"Access-Control-Request-Method": "POST"}),
        ):
            assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118

    def test_a_page_that_is_named_may_ask_with_a_key(self, build: Build, make_key: MakeKey) -> None:
        key = make_key("verify")
        client = build(cors_origins=("https://a.example",))
        asked = {
            "Origin": "https://a.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-api-key",
        }
        preflight = client.options("/verify", headers=asked)
        assert preflight.status_code == 200, "a browser sends no key with it"
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert preflight.headers["Access-Control-Allow-Headers"] == "x-api-key"
        answer = client.get("/version", headers={"Origin": "https://a.example", "X-API-Key": key})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
        other = client.get("/version", headers={"Origin": "https://b.example", "X-API-Key": key})
        assert "Access-Control-Allow-Origin" not in other.headers
