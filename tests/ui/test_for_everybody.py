"""Both languages, narrow and wide, dark and light, by keyboard alone, for screen readers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from faces.shares import strangers_text
from service.config import Settings
from tests.conftest import ROOT
from tests.ui.conftest import OpenUi
from tests.ui.support import ASK, ME, PHONE, STRANGER, Ui, as_file, group_photo, serving

pytestmark = pytest.mark.slow

STATIC = ROOT / "service" / "ui" / "static"


def group() -> dict[str, object]:
    return as_file(group_photo([ASK / "stranger_1.jpg", ME, STRANGER]), "group.jpg")


def test_spanish_by_the_browsers_language(open_ui: OpenUi) -> None:
    ui = open_ui(locale="es-MX")
    expect(ui("html")).to_have_attribute("lang", "es")
    expect(ui("h1")).to_have_text("¿Es mía esta cara?")
    ui.shoot("start-es")
    with ui.page.expect_request(lambda request: request.url.endswith("/verify")) as asked:
        ui.choose(ME)
    verdict = ui.expect_state("yes")
    assert asked.value.headers["accept-language"] == "es"
    expect(verdict.locator("h2")).to_have_text("Sí")
    expect(verdict.locator(".scale")).to_have_attribute(
        "aria-label", "Puntuación 0,99 en una escala de 0 a 1. A partir de 0,75 la cara cuenta como mía."
    )
    ui.shoot("yes-es")


def test_another_language_gets_english_and_may_choose(open_ui: OpenUi) -> None:
    ui = open_ui(locale="fr-FR")
    ui.choose(STRANGER)
    expect(ui.expect_state("no").locator(".sentence")).to_have_text("This face is not mine.")
    ui("[data-language=es]").click()
    expect(ui.verdict.locator(".sentence")).to_have_text("Esta cara no es la mía.")
    expect(ui("[data-language=es]")).to_have_attribute("aria-pressed", "true")
    ui.page.reload()
    expect(ui("h1")).to_have_text("¿Es mía esta cara?")


def test_how_many_strangers_score_as_high(open_ui: OpenUi, alone_settings: Settings) -> None:
    with serving(replace(alone_settings, threshold_given=True)) as address:
        ui = open_ui(address)
        ui.choose(STRANGER)
        means = ui.expect_state("no").locator(".means")
        expect(means.locator("li").first).to_have_text(
            "A usual score for strangers: about 10 % of them score this high. estimated"
        )
        expect(means.locator("li").last).to_contain_text("Whoever runs the service has set that threshold. set by hand")
        ui.choose(ME)
        expect(ui.expect_state("yes").locator(".means li").first.locator("p")).to_have_text(
            [
                "Fewer than 1 stranger in 30,000 scores this high. estimated",
                "Relatives of mine are not counted here: they may well score as high.",
            ]
        )
        ui.shoot("strangers")


def test_narrow_and_dark(open_ui: OpenUi) -> None:
    """Nothing is wider than a phone of 360 pixels; what begins with a photo says so in words for fingers."""
    ui = open_ui(**PHONE, color_scheme="dark", locale="es-ES")

    def check(name: str) -> None:
        ui.shoot(f"{name}-360-dark")
        assert ui.page.evaluate("document.scrollingElement.scrollWidth") <= 360, name
        assert ui.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 18, 22)"

    expect(ui(".by-touch").first).to_be_visible()
    expect(ui(".with-mouse").first).to_be_hidden()
    check("start")
    ui.choose(group())  # type: ignore[arg-type]  # as `as_file` makes it
    ui.expect_state("yes")
    check("group")
    named = as_file(ME.read_bytes(), "a_very_long_name_without_any_place_to_break_it_in_two.jpg")
    ui.choose(named, as_file(STRANGER.read_bytes(), "b.jpg"), as_file(b"no photo", "letter.jpg"))
    expect(ui("#several progress")).to_be_hidden()
    check("several")
    ui("#camera-start").click()
    ui.expect_state("yes")
    check("camera")


@pytest.mark.parametrize("language", ["en-GB", "es-ES"])
def test_the_buttons_stay_in_their_box_on_a_phone(open_ui: OpenUi, language: str) -> None:
    for width, scheme in ((360, "light"), (320, "dark"), (390, "dark")):
        screen = {"viewport": {"width": width, "height": 780}}
        ui = open_ui(**{**PHONE, **screen}, color_scheme=scheme, locale=language)
        ui.choose(ME)
        ui.expect_state("yes")
        ui.shoot(f"after-{width}-{scheme}-{language[:2]}")
        box, last = ui("#in").bounding_box(), ui("#camera-start").bounding_box()
        assert box and last
        assert last["x"] + last["width"] <= box["x"] + box["width"] - 8


@pytest.mark.parametrize("language", ["en-GB", "es-ES"])
def test_what_is_promised_at_the_start_is_in_line(open_ui: OpenUi, language: str) -> None:
    ui = open_ui(locale=language)
    ui.shoot(f"start-1280-{language[:2]}")
    tops = [place["y"] for text in ui(".promises p").all() if (place := text.bounding_box())]
    assert len(tops) == 3 and max(tops) - min(tops) < 1


def test_a_wide_photo_leaves_no_column_empty(open_ui: OpenUi) -> None:
    """The photo has the whole width; the list of faces stands beside what is said of one."""
    for scheme, locale in (("light", "es-ES"), ("dark", "en-GB")):
        ui = open_ui(color_scheme=scheme, locale=locale)
        ui.choose(group())  # type: ignore[arg-type]  # as `as_file` makes it
        ui.expect_state("yes")
        ui.shoot(f"wide-1280-{scheme}-{locale[:2]}")
        column, picture, verdict, faces, scale = (
            ui(name).bounding_box() for name in ("#one", ".picture", "#one .verdict", ".faces", ".scale")
        )
        assert column and picture and verdict and faces and scale
        assert picture["width"] > 0.9 * column["width"] and verdict["y"] > picture["y"] + picture["height"]
        assert faces["x"] > scale["x"] + scale["width"]
        ui.choose(ME)
        expect(ui("figcaption .file")).to_have_text(ME.name)
        ui.expect_state("yes")
        beside, left = ui("#one .verdict").bounding_box(), ui("#one .left").bounding_box()
        assert beside and left and beside["x"] > left["x"] + left["width"]
        ui.shoot(f"narrow-photo-1280-{scheme}-{locale[:2]}")
        ui.choose(as_file(b"no photo", "letter.jpg"))  # type: ignore[arg-type]  # its sides are unknown
        ui.expect_state("error")
        beside, left = ui("#one .verdict").bounding_box(), ui("#one .left").bounding_box()
        assert beside and left and beside["x"] > left["x"] + left["width"]


def test_by_keyboard_alone(ui: Ui) -> None:
    press = ui.page.keyboard.press
    # Chromium hands its file dialogs over some time after the first listener: too late for a key pressed at once.
    ui.page.on("filechooser", lambda _: None)

    def reach(selector: str) -> None:
        """Press Tab until something has the focus, and see that it shows."""
        for _ in range(30):
            press("Tab")
            if ui.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
        pytest.fail(f"Tab never reaches {selector}")

    reach("[data-language=es]")
    press("Enter")
    expect(ui("h1")).to_have_text("¿Es mía esta cara?")
    reach("#choose")
    assert ui("label.button").evaluate("(label) => getComputedStyle(label).outlineStyle") == "solid"
    with ui.page.expect_file_chooser() as chooser:
        press("Space")
    chooser.value.set_files([group()])  # type: ignore[list-item]  # as `as_file` makes it
    ui.expect_state("yes")
    reach(".faces button.no")
    press("Enter")
    ui.expect_state("no")
    expect(ui(".faces button[aria-pressed=true]")).to_be_focused()
    ui.shoot("keyboard")
    ui.choose(ME, STRANGER)
    expect(ui("#several progress")).to_be_hidden()
    reach("thead th.score button")
    press("Enter")
    expect(ui("thead th.score")).to_have_attribute("aria-sort", "descending")
    reach("tbody button")
    press("Enter")
    ui.expect_state("yes")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_ui: OpenUi, scheme: str) -> None:
    ui = open_ui(color_scheme=scheme, reduced_motion="reduce")
    assert ui.complaints() == []
    ui.choose(group())  # type: ignore[arg-type]  # as `as_file` makes it
    ui.expect_state("yes")
    ui("details.more summary").click()
    assert ui.complaints() == []
    ui.choose(as_file(b"no photo", "letter.jpg"))
    ui.expect_state("error")
    assert ui.complaints() == []
    ui.choose(ME, STRANGER, ASK / "me_1.jpg")
    expect(ui("#several progress")).to_be_hidden()
    ui("thead th.score button").click()
    assert ui.complaints() == []
    ui.shoot(f"several-{scheme}")


def test_figures_in_words(ui: Ui) -> None:
    """The functions that write figures, where a page would be a long way to them."""
    call = "async ([name, given]) => (await import('./ui/words.js'))[name](...given)"

    def write(name: str, *given: object) -> object:
        return ui.page.evaluate(call, [name, list(given)])

    for score, threshold, text in (
        (0.9234, 0.75, "0.92"), (0.7499, 0.75, "0.7499"), (0.75, 0.75, "0.75"), (0.999, 0.75, ">\xa00.99"),
        (1, 0.75, ">\xa00.99"), (0.0001, 0.75, "<\xa00.01"), (0, 0.75, "<\xa00.01"), (0.998, 0.9981, "0.998"),
    ):  # fmt: skip
        assert write("scoreText", score, threshold, "en") == text
    assert write("scoreText", 0.9234, 0.75, "es") == "0,92"
    texts = json.loads((STATIC / "en.json").read_text("utf-8"))
    for share in (1, 0.996, 0.99, 0.39, 0.097, 0.0945, 0.0625, 0.01, 0.0099, 0.001, 0.00034, 3.4e-5, 3.3e-5, 1e-8, 0):
        for is_me in (True, False):
            said = write("strangersText", share, "en", is_me)
            assert isinstance(said, dict)
            sentence = texts[said["key"]].format(**said["values"]).replace("\xa0", " ")
            assert sentence == f"{strangers_text(share, is_me, '{:,g}'.format)}.", "as terminals say it"
            assert said["short"] in texts
    assert write("strangersText", None, "en") is None
    assert [write("stopped", text) for text in ("So it is", "So?", "")] == ["So it is.", "So?", ""]
    assert write("size", 2 * 2**20, "en") == "2\xa0MB" and write("size", 15_000, "es") == "15\xa0kB"
