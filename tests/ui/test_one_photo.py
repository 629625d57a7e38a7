"""One photo: however it comes in, the face is framed, and the answer says yes, no, or no face."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
import requests
from PIL import Image
from playwright.sync_api import expect

from service.config import Settings
from tests.service.support import Server, encode
from tests.ui.conftest import OpenUi
from tests.ui.support import ASK, ME, STRANGER, Ui, as_file, group_photo, phone_photo, serving

PASTE = """(photo) => {
  const data = new DataTransfer();
  const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
  data.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
  document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
}"""


def place_of_frame(ui: Ui) -> list[float]:
    """Where the frame of the face lies, as parts of the picture: left, top, right, bottom."""
    picture, frame = ui(".picture img").bounding_box(), ui(".frame.selected").bounding_box()
    assert picture and frame
    return [
        (frame["x"] - picture["x"]) / picture["width"],
        (frame["y"] - picture["y"]) / picture["height"],
        (frame["x"] + frame["width"] - picture["x"]) / picture["width"],
        (frame["y"] + frame["height"] - picture["y"]) / picture["height"],
    ]


@pytest.mark.slow
def test_the_start(ui: Ui) -> None:
    expect(ui("h1")).to_have_text("Is this face mine?")
    expect(ui("#problem")).to_be_hidden()
    expect(ui("#key")).to_be_hidden()
    expect(ui("#card")).to_be_hidden()
    ui.shoot("start")


def test_yes_with_the_face_framed(ui: Ui, server: Server) -> None:
    ui.choose(ME)
    verdict = ui.expect_state("yes")
    answer = server.verify(ME.read_bytes()).json()
    expect(verdict.locator("h2")).to_have_text("Yes")
    expect(verdict.locator(".sentence")).to_have_text("This face is mine.")
    expect(verdict.locator(".scale")).to_have_attribute("aria-label", f"Score {answer['score']:.2f} on a scale from 0 "
                                                        "to 1. From 0.75 on the face counts as mine.")  # fmt: skip
    expect(verdict.locator(".means")).to_contain_text("From 0.75 on a face counts as mine.")
    verdict.locator("summary").click()
    expect(verdict.locator("dl")).to_contain_text(str(answer["score"]))
    expect(ui("#said")).to_contain_text("Yes. This face is mine. Score")
    with Image.open(ME) as photo:
        size = [*photo.size, *photo.size]
    box = [place / side for place, side in zip(answer["face"]["box"], size, strict=True)]
    ui.shoot("yes")
    assert place_of_frame(ui) == pytest.approx(box, abs=0.01)
    mark, track = (verdict.locator(f".scale-{part}").bounding_box() for part in ("mark", "track"))
    assert mark and track
    assert (mark["x"] + mark["width"] / 2 - track["x"]) / track["width"] == pytest.approx(0.75, abs=0.01)


@pytest.mark.slow
def test_no(ui: Ui) -> None:
    ui.choose(STRANGER)
    expect(ui.expect_state("no").locator(".sentence")).to_have_text("This face is not mine.")
    ui.shoot("no")


def test_no_face_and_what_would_help(ui: Ui) -> None:
    ramp = Image.linear_gradient("L").resize((640, 480))
    ui.choose(as_file(encode(Image.merge("RGB", [ramp, ramp.rotate(180), ramp]), "JPEG"), "sunset.jpg"))
    verdict = ui.expect_state("no_face")
    expect(verdict.locator("h2")).to_have_text("No face")
    expect(verdict.locator(".hints li")).to_contain_text("Take the photo from the front")
    expect(ui(".frame")).to_have_count(0)
    ui.shoot("no-face")


def test_a_photo_is_dropped(ui: Ui) -> None:
    ui.drag(ME, drop=False)
    expect(ui("body")).to_have_class("ready dragging")
    ui.shoot("dragging")
    ui.drag(ME)
    ui.expect_state("yes")
    expect(ui("body")).to_have_class("ready")


@pytest.mark.slow
def test_a_photo_is_pasted(ui: Ui) -> None:
    ui.page.evaluate(PASTE, base64.b64encode(STRANGER.read_bytes()).decode())
    ui.expect_state("no")


def test_every_face_of_a_group_has_its_own_score(ui: Ui) -> None:
    ui.choose(as_file(group_photo([ASK / "stranger_1.jpg", ME, STRANGER]), "group.jpg"))
    verdict = ui.expect_state("yes")
    expect(ui(".frame")).to_have_count(3)
    expect(ui(".frame.yes")).to_have_count(1)
    rows = verdict.locator(".faces li")
    expect(rows).to_have_count(3)
    mine = verdict.locator(".faces button[aria-pressed=true]")
    expect(mine).to_contain_text("Yes")
    ui.shoot("group")
    number = (mine.locator(".name").text_content() or "").removeprefix("Face ")
    expect(verdict.locator(".sentence")).to_have_text(f"Face {number} of 3 is mine.")
    other = verdict.locator(".faces button.no").first
    other.click()
    ui.expect_state("no")
    expect(ui(".frame.selected.no")).to_have_count(1)
    expect(verdict.locator(".sentence")).to_contain_text("is not mine")


@pytest.mark.slow
def test_a_phones_photo_is_made_smaller_and_stands_upright(ui: Ui, server: Server) -> None:
    photo = phone_photo(ME)
    assert len(photo) > 2 * 2**20
    with ui.page.expect_response(lambda response: response.url.endswith("/verify")) as asked:
        ui.choose(as_file(photo, "IMG_2041.jpg"))
    ui.expect_state("yes")
    assert asked.value.status == 200
    length = int(asked.value.request.all_headers()["content-length"])
    assert length < 2 * 2**20 + 1000
    expect(ui("figcaption .shrunk")).to_contain_text("made smaller, from")
    left, top, right, bottom = place_of_frame(ui)
    with Image.open(ME) as portrait:  # it covers 1200 of 2000 × 2600 pixels, from (700, 200) on
        width, height = portrait.size
    box = server.verify(ME.read_bytes()).json()["face"]["box"]
    expected = [
        (700 + 1200 * box[0] / width) / 2000, (200 + 1200 * box[1] / height) / 2600,
        (700 + 1200 * box[2] / width) / 2000, (200 + 1200 * box[3] / height) / 2600,
    ]  # fmt: skip
    assert [left, top, right, bottom] == pytest.approx(expected, abs=0.03)
    ui.shoot("phone")


@pytest.mark.slow
def test_a_photo_with_too_many_pixels_is_made_smaller(open_ui: OpenUi, demo_settings: Settings) -> None:
    with serving(replace(demo_settings, max_megapixels=0.1)) as address:
        assert "error" in requests.post(f"{address}/verify", files={"image": ME.read_bytes()}, timeout=30).json()
        ui = open_ui(address)
        ui.choose(ME)
        ui.expect_state("yes")
        expect(ui("figcaption")).to_contain_text("316 × 316")


@pytest.mark.slow
def test_what_fits_is_sent_byte_for_byte(ui: Ui) -> None:
    with ui.page.expect_response(lambda response: response.url.endswith("/verify")) as asked:
        ui.choose(ME)
    ui.expect_state("yes")
    expect(ui("figcaption .shrunk")).to_have_count(0)
    frame = int(asked.value.request.all_headers()["content-length"]) - ME.stat().st_size
    assert 0 < frame < 500  # what the form adds


@pytest.mark.slow
def test_what_is_too_large_and_no_photo_is_told_in_a_sentence(ui: Ui) -> None:
    ui.choose(as_file(bytes(3 * 2**20), "film.jpg"))
    expect(ui.expect_state("error").locator(".sentence")).to_have_text(
        "The photo has 3 MB, the service takes 2 MB, and this browser cannot make the photo smaller. Save it as a JPEG "
        "and try again."
    )
    ui.shoot("too-large")


@pytest.mark.slow
def test_what_the_service_says_of_an_error_is_shown(ui: Ui) -> None:
    with ui.page.expect_response(lambda response: response.url.endswith("/verify")) as asked:
        ui.choose(as_file(b"no photo at all", "letter.jpg"))
    verdict = ui.expect_state("error")
    said = json.loads(asked.value.text())
    assert said["message"] != said["error"], "the page's language is English, and the contract's Spanish"
    expect(verdict.locator(".sentence")).to_have_text(f"{said['message']}.")
    expect(verdict.locator(".detail")).to_have_text(said["detail"])
    expect(verdict.locator(".button")).to_have_count(0)  # to try again would change nothing
    ui.shoot("wrong-type")
    ui("[data-language=es]").click()
    expect(verdict.locator(".sentence")).to_have_text(f"{said['error']}.")
