"""What is served at /ui, and who is sent there; tests/ui looks at the page in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service import create_app
from service.access.keys import create_key
from service.config import Settings
from service.ui.files import FOLDER, PAGE
from service.ui.routes import CONTENT_SECURITY_POLICY

SCRIPTS = sorted(FOLDER.glob("*.js"))
TEXTS = {language: json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8")) for language in ("en", "es")}
LONGEST_SCRIPT = 250

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.fixture
def client(no_models: Settings) -> FlaskClient:
    return create_app(no_models).test_client()


def test_a_browser_is_sent_to_the_page(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": CHROMIUM})
    assert (answer.status_code, answer.headers["Location"], answer.headers["Vary"]) == (303, "ui", "Accept")


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html;q=0.5", "text/plain"])
def test_a_program_gets_the_contracts_json(client: FlaskClient, accept: str | None) -> None:
    answer = client.get("/", headers={} if accept is None else {"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.headers["Vary"] == "Accept"


def test_every_file_is_served_as_what_it_is(client: FlaskClient) -> None:
    types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json",
             ".svg": "image/svg+xml"}  # fmt: skip
    for path in FOLDER.iterdir():
        answer = client.get(f"/ui/{path.name}")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, types[path.suffix], path.read_bytes())
    page = client.get("/ui")
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert page.data == (FOLDER / PAGE).read_bytes()
    assert client.get("/ui/").headers["Location"] == "../ui"


def test_a_browser_that_has_a_file_gets_it_again_only_if_it_is_another_one(client: FlaskClient) -> None:
    first = client.get("/ui/app.js")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/ui/app.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/ui/app.js", headers={"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.security
@pytest.mark.parametrize("name", ["nowhere.js", "..%2ffiles.py", "%2e%2e/files.py", "../files.py", "__init__.py"])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/ui/{name}")
    assert answer.status_code == 404 and answer.json is not None and "error" in answer.json


@pytest.mark.security
def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_of_its_own(client: FlaskClient) -> None:
    for path in ("/ui", "/ui/app.js", "/ui/settings.json"):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Permissions-Policy"].startswith("camera=(self)")
        assert headers["X-Content-Type-Options"] == "nosniff"
    rules = dict(rule.partition(" ")[::2] for rule in CONTENT_SECURITY_POLICY.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["style-src"] == "'self'"
    page = (FOLDER / PAGE).read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page)


@pytest.mark.security
def test_no_file_names_another_host() -> None:
    for path in FOLDER.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")  # a name, not an address
        assert not re.search(r"https?://|//\w+\.\w+/|@import|innerHTML|outerHTML|insertAdjacentHTML", text), path.name


def test_settings(photo_settings: Callable[..., FlaskClient]) -> None:
    answer = photo_settings().get("/ui/settings.json").get_json()
    assert answer == {
        "max_bytes": 2 * 2**20, "max_megapixels": 64.0, "accepted_types": ["image/jpeg", "image/png"],
        "key_needed": False, "threshold": 0.75, "threshold_basis": "default", "has_card": False,
    }  # fmt: skip
    changed = photo_settings(
        max_content_mb=0.5, max_megapixels=3.0, accepted_types=("image/webp",), require_keys=True, threshold=0.9
    )
    answer = changed.get("/ui/settings.json").get_json()
    assert answer == {
        "max_bytes": 2**19, "max_megapixels": 3, "accepted_types": ["image/webp"], "key_needed": True,
        "threshold": 0.9, "threshold_basis": "set", "has_card": False,
    }  # fmt: skip


@pytest.fixture
def photo_settings(no_models: Settings) -> Callable[..., FlaskClient]:
    """Builds a client whose settings differ in what is given."""
    return lambda **changes: create_app(replace(no_models, **changes)).test_client()


def test_a_key_that_is_made_later_is_asked_for_at_once(no_models: Settings, tmp_path: Path) -> None:
    settings = replace(no_models, keys_path=tmp_path / "keys.json", audit_path=tmp_path / "audit",
                       audit_head_path=tmp_path / "head", audit_salts_path=tmp_path / "salts")  # fmt: skip
    client = create_app(settings).test_client()
    assert client.get("/ui/settings.json").get_json()["key_needed"] is False
    create_key(settings.keys_path, "Somebody", ["verify"], None, lambda _: None)
    assert client.get("/ui/settings.json").get_json()["key_needed"] is True


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))


def test_the_texts_of_both_languages_are_in_step() -> None:
    assert list(TEXTS["en"]) == list(TEXTS["es"])
    for key, text in TEXTS["en"].items():
        assert placeholders(text) == placeholders(TEXTS["es"][key]), key
        assert text.strip() and TEXTS["es"][key].strip(), key


def test_every_text_that_is_used_is_there_and_every_one_that_is_there_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in [*SCRIPTS, FOLDER / PAGE])
    keys = {re.sub(r"\.(one|other)$", "", key) if "{count}" in text else key for key, text in TEXTS["en"].items()}
    asked = set(re.findall(r"""(?:\bt\(|data-t=|data-t-label=)\s*['"]([a-z_.]+)['"]""", code))
    assert asked - keys == set()
    families = tuple(re.findall(r"`([a-z_.]+\.)\$\{", code))  # such as `answer.${state}`
    named = set(re.findall(r"""['"]([a-z_.]+)['"]""", code))
    endings = re.compile(r"\.(short|title)$")  # such as `${text.key}.short`
    unused = {key for key in keys if not key.startswith(families) and endings.sub("", key) not in named | keys - {key}}
    assert unused - named == set()


def test_scripts_are_short_and_loaded_at_once() -> None:
    page = (FOLDER / PAGE).read_text(encoding="utf-8")
    assert len(SCRIPTS) > 10
    for path in SCRIPTS:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_SCRIPT, path.name
        kind = 'type="module" src' if path.name == "app.js" else 'rel="modulepreload" href'
        assert f'{kind}="ui/{path.name}"' in page, path.name
    for path in FOLDER.glob("*.css"):
        assert f'<link rel="stylesheet" href="ui/{path.name}">' in page, path.name
