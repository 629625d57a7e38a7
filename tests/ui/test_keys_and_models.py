"""What the service lacks or asks for: a key, a model, patience."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from service.access.keys import create_key
from service.config import Settings
from tests.service.support import kept_in
from tests.ui.conftest import OpenUi
from tests.ui.support import ME, STRANGER, as_file, serving, without_models

pytestmark = pytest.mark.slow


@pytest.fixture
def guarded(demo_settings: Settings, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a service that asks for a key, and a key."""
    settings = replace(demo_settings, **kept_in(tmp_path))
    _, key = create_key(settings.keys_path, "Front door", ["verify"], None, lambda _: None)
    with serving(settings) as address:
        yield address, key


@pytest.mark.security
def test_a_key_is_asked_for_and_kept_for_the_tab_alone(open_ui: OpenUi, guarded: tuple[str, str]) -> None:
    address, key = guarded
    ui = open_ui(address)
    expect(ui("#key h2")).to_have_text("This service asks for a key")
    ui.choose(ME)
    expect(ui("#key-input")).to_be_focused()
    expect(ui.verdict.locator(".sentence")).to_have_text("The service asks for a key first.")
    ui.shoot("key")
    ui("#key-input").fill("fv_00000000_wrong")
    ui("#key button").click()
    expect(ui("#key-wrong")).to_have_text("This key is not valid.")
    ui.shoot("key-wrong")
    ui("#key-input").fill(key)
    ui.page.keyboard.press("Enter")
    ui.expect_state("yes")
    expect(ui("#key")).to_be_hidden()
    assert key not in ui.page.content()
    assert ui.page.evaluate("JSON.stringify([localStorage, document.cookie, location.href])").find(key) < 0
    ui.page.reload()
    expect(ui("body.ready")).to_be_visible()
    ui.choose(STRANGER)
    ui.expect_state("no")
    expect(ui("#key")).to_be_hidden()
    other = ui.page.context.new_page()
    other.goto(f"{address}/ui")
    expect(other.locator("#key")).to_be_visible()
    other.close()
    ui("#key-forget").click()
    assert ui.page.evaluate("sessionStorage.length") == 0
    expect(ui("#key")).to_be_visible()


def test_several_photos_wait_for_the_key(open_ui: OpenUi, guarded: tuple[str, str]) -> None:
    address, key = guarded
    ui = open_ui(address)
    ui.choose(ME, STRANGER)
    expect(ui("#several tbody tr")).to_have_count(2)
    ui("#key-input").fill(key)
    ui.page.keyboard.press("Enter")
    expect(ui("#several .several-head .note")).to_have_text("1 yes · 1 no")


def test_a_missing_model_is_told_at_once_and_with_each_photo(open_ui: OpenUi, tmp_path: Path) -> None:
    with serving(without_models(tmp_path)) as address:
        ui = open_ui(address)
        expect(ui("#problem")).to_contain_text("The service has no model, so it cannot answer yet.")
        ui.shoot("no-model")
        ui.choose(ME)
        verdict = ui.expect_state("error")
        expect(verdict.locator(".detail")).to_contain_text("model.joblib")
        expect(verdict.locator(".button")).to_have_text("Try again")


def test_a_service_that_ended_is_told_in_a_sentence(open_ui: OpenUi, demo_settings: Settings) -> None:
    with serving(demo_settings) as address:
        ui = open_ui(address)
        last = "() => performance.getEntriesByType('resource').some((entry) => entry.name.endsWith('/healthz'))"
        ui.page.wait_for_function(last)
    ui.choose(as_file(ME.read_bytes(), "me.jpg"))
    expect(ui.expect_state("error").locator(".sentence")).to_have_text(
        "The service does not answer. Is it still running?"
    )
    ui.errors = [error for error in ui.errors if "ERR_CONNECTION_REFUSED" not in error]
