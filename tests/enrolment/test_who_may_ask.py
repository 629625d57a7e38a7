"""Nobody asks but the page that was opened with the token, from this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

import service
from enrolment.routes import create_app
from enrolment.secret import HEADER, Secret
from enrolment.session import Session
from service.config import Settings
from service.ui.routes import CONTENT_SECURITY_POLICY
from tests.conftest import ROOT
from tests.enrolment.conftest import ADDRESS
from tests.stages.test_dependencies import imports_of

pytestmark = pytest.mark.security

ASKED = [
    ("GET", "state"), ("POST", "photos"), ("PUT", "photos/abc"), ("DELETE", "photos/abc"), ("GET", "photos/abc/face"),
    ("POST", "run"), ("DELETE", "run"), ("POST", "prepare"), ("POST", "report"),
]  # fmt: skip


def test_every_route_is_asked_here(session: Session, secret: Secret) -> None:
    rules = [rule for rule in create_app(session, secret).url_map.iter_rules() if rule.rule.startswith("/enrol/api/")]
    own = {
        (method, rule.rule.removeprefix("/enrol/api/").replace("<key>", "abc"))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert own == {*ASKED, ("POST", "enter")}


@pytest.mark.parametrize("given", [None, "", "wrong", "tóken", "x" * 43])
def test_without_the_token_nothing_is_answered(client: Client, given: str | None) -> None:
    headers = {} if given is None else {HEADER: given.encode().decode("latin-1")}
    for method, path in ASKED:
        answer = client.open(f"/enrol/api/{path}", method=method, base_url=ADDRESS, headers=headers, data=b"photo")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "token"), path


@pytest.mark.parametrize("host", ["evil.test:5000", "127.0.0.1:5001", "127.0.0.1", "127.0.0.1.evil.test:5000", ""])
def test_another_name_of_this_machine_is_refused(client: Client, token: dict[str, str], host: str) -> None:
    for path in ("/enrol/", "/enrol/api/state", "/", "/ui", "/verify", "/enrol/ui/enrol.js"):
        answer = client.get(path, base_url=ADDRESS, headers={**token, "Host": host})
        assert answer.status_code == 403 and "html" not in answer.text, path


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_its_own_names_are_answered(client: Client, token: dict[str, str], name: str) -> None:
    headers = {**token, "Host": f"{name}:5000", "Origin": f"http://{name.lower()}:5000"}
    assert client.get("/enrol/api/state", base_url=ADDRESS, headers=headers).status_code == 200
    assert client.post("/enrol/api/enter", base_url=ADDRESS, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:8000"},
     {"Origin": "http://localhost:5000"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
def test_a_page_of_elsewhere_changes_nothing(client: Client, token: dict[str, str], headers: dict[str, str]) -> None:
    for path in ("/enrol/api/run", "/enrol/api/enter", "/verify"):
        for method in ("POST", "DELETE", "PUT"):
            answer = client.open(path, method=method, base_url=ADDRESS, headers={**token, **headers})
            assert answer.status_code == 403, path


def test_the_token_is_no_cookie_and_no_other_page_may_read_it(client: Client, secret: Secret) -> None:
    for path in ("/enrol/", "/enrol/ui/enrol.js", "/enrol/api/state"):
        answer = client.get(path, base_url=ADDRESS, headers={HEADER: secret.token})
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers and "Access-Control-Allow-Origin" not in answer.headers
        assert secret.token not in answer.text
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert client.get("/enrol/api/state", base_url=ADDRESS).headers["Cache-Control"] == "no-store"


def test_a_ticket_counts_once(client: Client, secret: Secret) -> None:
    ticket = secret.new_ticket()

    def enter(given: str) -> tuple[int, object]:
        answer = client.post("/enrol/api/enter", base_url=ADDRESS, headers={HEADER: given})
        return answer.status_code, json.loads(answer.text).get("token")

    assert enter("wrong") == (403, None)
    assert client.get("/enrol/api/state", base_url=ADDRESS, headers={HEADER: ticket}).status_code == 403
    assert enter(ticket) == (200, secret.token)
    assert enter(ticket) == (403, None)
    assert enter(secret.token) == enter(secret.token) == (200, secret.token)
    assert Secret().token != secret.token and len(secret.token) >= 43


def test_the_report_is_read_once_at_an_address_of_its_own(client: Client, token: dict[str, str], project: Path) -> None:
    def ask(address: str) -> TestResponse:
        return client.get(f"/enrol/{address}", base_url=ADDRESS)

    def new_address() -> str:
        return str(client.post("/enrol/api/report", base_url=ADDRESS, headers=token).get_json()["address"])

    assert ask(new_address()).status_code == 404, "nothing has run yet"
    (project / "reports").mkdir(exist_ok=True)
    (project / "reports/INFORME_H10.html").write_text("<p>0 %</p>", encoding="utf-8")
    assert ask("report/wrong").status_code == 403
    address = new_address()
    read = ask(address)
    assert (read.status_code, read.text) == (200, "<p>0 %</p>")
    policy = read.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "script" not in policy and "connect" not in policy
    assert (read.headers["Cache-Control"], read.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert ask(address).status_code == 403, "the browser's history is of no use to anybody"


def test_the_service_of_production_has_no_such_route(tmp_path: Path) -> None:
    settings = Settings(model_path=tmp_path / "model.joblib", keys_path=tmp_path / "no_keys.json")
    rules = [rule.rule for rule in service.create_app(settings).url_map.iter_rules()]
    assert "/ui" in rules and not [rule for rule in rules if "enrol" in rule]
    importing = [
        file.name
        for file in (ROOT / "service").rglob("*.py")
        if any(module.partition(".")[0] == "enrolment" for module in imports_of(file))
    ]
    assert importing == ["__main__.py"]
