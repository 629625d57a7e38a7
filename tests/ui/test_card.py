"""What the page does with the model's card. That the service has one is a matter of tests/service."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.service.support import encode
from tests.ui.support import Ui

pytestmark = pytest.mark.slow

CARD: dict[str, Any] = {
    "format": 1, "model_sha256": "0" * 64, "backbone": "dlib-resnet", "verifier": "cosine", "language": "en",
    "trained": "2026-11-27T22:00:00+00:00", "photos": {"me": 30, "not_me": 60, "people": 40}, "threshold": 0.75,
    "figures": [
        {"name": "far", "value": 0.05, "interval": None, "basis": "promised", "threshold": 0.75, "people": 60},
        {"name": "frr", "value": 0.033, "interval": [0.006, 0.17], "basis": "measured", "threshold": 0.75,
         "people": None},
        {"name": "new", "value": 0.5, "interval": None, "basis": None},
    ],
    "notes": [{"kind": "limit", "text": {"es": "Nada más.", "en": "Nothing else."}}],
    "plots": [{"name": "scores", "title": {"es": "Puntuaciones", "en": "Scores"},
               "alt": {"es": "Un histograma", "en": "A histogram"}}],
}  # fmt: skip


def with_card(page: Page) -> None:
    """Answer as a service does that has a card."""

    def answer(route: Route) -> None:
        if route.request.url.endswith("/model/card"):
            route.fulfill(json=CARD)
        else:
            picture = encode(Image.linear_gradient("L").resize((800, 600)), "PNG")
            route.fulfill(body=picture, content_type="image/png")

    page.route("**/model/**", answer)


def test_there_is_nothing_of_it_where_the_service_has_none(ui: Ui) -> None:
    expect(ui("#card")).to_be_hidden()


def test_figures_notes_and_charts(ui: Ui) -> None:
    with_card(ui.page)
    ui.page.reload()
    ui("#card summary").click()
    expect(ui("#card dl")).to_contain_text("30 photos of me, 60 photos of 40 others")
    rows = ui("#card tbody tr")
    expect(rows.nth(0)).to_have_text("Strangers let in (FAR)below 5\xa0%–0.75promised on 60 people")
    expect(rows.nth(1)).to_have_text("Photos of me turned away (FRR)3.3\xa0%0.6\xa0% – 17\xa0%0.75measured")
    expect(rows.nth(2)).to_have_text("new50\xa0%–all–")
    expect(ui("#card .notes")).to_have_text("Nothing else.")
    chart = ui("#card img")
    expect(chart).to_have_attribute("alt", "A histogram")
    ui.page.wait_for_function("() => document.querySelector('#card img').naturalWidth === 800")
    assert ui.complaints() == []
    ui.shoot("card")
    ui("[data-language=es]").click()
    expect(chart).to_have_attribute("alt", "Un histograma")
    expect(ui("#card .notes")).to_have_text("Nada más.")
