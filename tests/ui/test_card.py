"""The model's card on the page: what stage report wrote, as the service gives it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from service.access.keys import create_key
from service.config import Settings
from stages.report.card import PLOTS
from tests.service.support import kept_in, settings_of
from tests.shared import SharedFolders
from tests.stages.support import ME_PHOTOS, STRANGERS, Workspace, built_once
from tests.ui.conftest import OpenUi
from tests.ui.support import PHONE, Ui, serving, without_models

pytestmark = pytest.mark.slow

LABELS = {
    "far": "Strangers let in (FAR)", "frr": "Photos of me turned away (FRR)",
    "eer": "Where both are equal (EER)", "auc": "Area under the ROC curve",
}  # fmt: skip


@pytest.fixture(scope="session")
def built(shared: SharedFolders, networks_dir: Path, lfw_dir: Path) -> Workspace:
    """A project in which every stage has run once."""
    return built_once(shared, networks_dir, lfw_dir)


@pytest.fixture(scope="session")
def carded(built: Workspace) -> Settings:
    """Settings with the model of that project."""
    return settings_of(built.path("models"), built.path("models/networks"))


@pytest.fixture(scope="session")
def address(carded: Settings) -> Iterator[str]:
    with serving(carded) as given:
        yield given


@pytest.fixture(scope="session")
def written(built: Workspace) -> Any:
    """The card as it lies on the disk."""
    return json.loads(built.path("models/card/card.json").read_text(encoding="utf-8"))


def unfold(ui: Ui) -> None:
    """Open the card, and wait until every chart is drawn."""
    ui("#card summary").click()
    drawn = "[...document.querySelectorAll('#card img')].filter((image) => image.naturalWidth)"
    ui.page.wait_for_function(f"(count) => {drawn}.length === count", arg=len(PLOTS))


def percent(share: float) -> str:
    """With two digits that count."""
    return f"{float(f'{100 * share:.2g}'):g}\xa0%"


def area(value: float) -> str:
    """With three decimals, four where there is a fourth."""
    written = f"{value:.4f}"
    return written[:-1] if written.endswith("0") else written


def as_row(figure: dict[str, Any]) -> list[str]:
    """What is to be seen of a figure: its name, value, interval, threshold, and how it is known."""
    name, basis, people = figure["name"], figure["basis"], figure["people"]
    value = area(figure["value"]) if name == "auc" else percent(figure["value"])
    return [
        LABELS[name],
        f"below {value}" if basis == "promised" else value,
        " – ".join(map(percent, figure["interval"])) if figure["interval"] else "–",
        "all" if figure["threshold"] is None else f"{figure['threshold']:g}",
        f"{basis} on {people} people" if people else basis,
    ]


def rows(ui: Ui) -> list[list[str]]:
    """What is to be seen in the table of figures."""
    return [[cell.strip() for cell in row.split("\t")] for row in ui("#card tbody tr").all_inner_texts()]


@pytest.mark.parametrize("models", [True, False], ids=["no card", "no model"])
def test_where_the_service_has_none_it_is_not_asked_for(
    open_ui: OpenUi, demo_settings: Settings, tmp_path: Path, models: bool
) -> None:
    with serving(demo_settings if models else without_models(tmp_path)) as address:
        ui = open_ui(address)
        ui.page.wait_for_load_state("networkidle")
        expect(ui("#card")).to_be_hidden()
        assert ui.failed == ([] if models else ["/healthz"])


def test_what_the_model_is_and_how_often_it_is_wrong(open_ui: OpenUi, address: str, written: Any) -> None:
    ui = open_ui(address, timezone_id="UTC")
    expect(ui("#card summary")).to_have_text("About the modeldlib-resnet")
    unfold(ui)
    trained = datetime.fromisoformat(written["trained"])
    assert ui("#card dd").all_inner_texts() == [
        f"{trained:%B} {trained.day}, {trained.year} at {trained:%I:%M %p}".replace(" at 0", " at "),
        f"{ME_PHOTOS} photos of me, {STRANGERS} photos of {STRANGERS} others",
        "dlib-resnet", "similarity of faces (cosine)",
    ]  # fmt: skip
    assert {figure["basis"] for figure in written["figures"]} == {"measured", "promised", "estimated"}
    assert rows(ui) == [as_row(figure) for figure in written["figures"]]
    assert ui("#card .notes li").all_inner_texts() == [note["text"]["en"] for note in written["notes"]]
    assert ui.complaints() == [] and ui.failed == []
    ui.shoot("card")


def test_the_figures_are_those_of_the_services_threshold(open_ui: OpenUi, carded: Settings, written: Any) -> None:
    with serving(replace(carded, threshold=0.9, threshold_given=True)) as address:
        ui = open_ui(address)
        unfold(ui)
        shown = rows(ui)
        own = [as_row(figure) for figure in written["figures"]]
        assert shown[-len(own) :] == own and {row[3] for row in shown[: -len(own)]} == {"0.9"}


def test_charts_and_sentences_in_both_languages(open_ui: OpenUi, address: str, written: Any) -> None:
    ui = open_ui(address, color_scheme="dark")
    unfold(ui)
    charts = ui("#card img")
    for language in ("en", "es"):
        ui(f"[data-language={language}]").click()
        expect(charts.first).to_have_attribute("alt", written["plots"][0]["alt"][language])
        assert [chart.get_attribute("alt") for chart in charts.all()] == [
            plot["alt"][language] for plot in written["plots"]
        ]
        assert ui("#card figcaption").all_inner_texts() == [plot["title"][language] for plot in written["plots"]]
        assert ui("#card .notes li").all_inner_texts() == [note["text"][language] for note in written["notes"]]
    expect(ui("#card dl")).to_contain_text(f"{ME_PHOTOS} fotos mías y {STRANGERS} de otras {STRANGERS} personas")
    ui.page.wait_for_function("[...document.querySelectorAll('#card img')].every((image) => image.naturalWidth)")
    frame = "(chart) => [getComputedStyle(chart).borderTopWidth, getComputedStyle(chart).borderTopColor]"
    assert charts.first.evaluate(frame) == ["12px", "rgb(34, 38, 46)"], "no white box in a dark page"
    ui.shoot("card-es-dark")


@pytest.mark.parametrize(("language", "light"), [("es-ES", "light"), ("en-GB", "dark")])
def test_nothing_is_left_out_on_a_phone(open_ui: OpenUi, address: str, written: Any, language: str, light: str) -> None:
    ui = open_ui(address, **PHONE, color_scheme=light, locale=language)
    unfold(ui)
    assert ui.page.evaluate("document.scrollingElement.scrollWidth") <= 360
    ui.shoot(f"card-360-{light}-{language[:2]}")
    if language == "en-GB":
        for row, figure in zip(ui("#card tbody tr").all_inner_texts(), written["figures"], strict=True):
            _, value, interval, threshold, known = as_row(figure)
            assert value in row and interval.strip("–") in row and known in " ".join(row.split())
            assert (f"threshold {threshold}" in row) == (threshold != "all")
    assert ui.complaints() == []


def test_with_the_key_that_the_service_asks_for(open_ui: OpenUi, carded: Settings, tmp_path: Path) -> None:
    settings = replace(carded, **kept_in(tmp_path))
    _, key = create_key(settings.keys_path, "Front door", ["verify"], None, lambda _: None)
    with serving(settings) as address:
        ui = open_ui(address)
        ui.page.wait_for_load_state("networkidle")
        expect(ui("#card")).to_be_hidden()
        ui("#key-input").fill("fv_00000000_wrong")
        ui.page.keyboard.press("Enter")
        expect(ui("#key-wrong")).to_have_text("This key is not valid.")  # before any photo is asked about
        assert ui.failed == ["/model/card"]
        ui("#key-input").fill(key)
        ui.page.keyboard.press("Enter")
        unfold(ui)
        assert ui.failed == ["/model/card"]


def test_a_figure_of_a_later_version_is_shown_by_its_name(open_ui: OpenUi, address: str, written: Any) -> None:
    later = {"name": "d_prime", "value": 0.5, "interval": None, "basis": None}

    def answer(route: Route) -> None:
        route.fulfill(json={**written, "figures": [later], "verifier": "another"})

    ui = open_ui(address)
    ui.page.route("**/model/card", answer)
    ui.page.reload()
    ui("#card summary").click()
    assert rows(ui) == [["d_prime", "50\xa0%", "–", "all", "–"]]
    expect(ui("#card dd").last).to_have_text("another")
