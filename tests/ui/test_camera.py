"""The camera: live, a few frames a second, on localhost and over HTTPS only."""

from __future__ import annotations

import itertools
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.service.support import Server
from tests.ui.conftest import OpenUi
from tests.ui.support import ME, OTHER_HOST, STRANGER, Ui

pytestmark = pytest.mark.slow


def test_it_answers_live_and_says_that_nothing_is_stored(ui: Ui) -> None:
    asked: list[float] = []
    ui.page.on("request", lambda request: asked.append(time.monotonic()) if request.url.endswith("/verify") else None)
    ui("#camera-start").click()
    verdict = ui.expect_state("yes")
    expect(ui("#camera .right > .note")).to_contain_text("Nothing is stored.")
    expect(ui("#camera .frame.yes")).to_have_count(1)
    expect(verdict.locator("details")).to_have_count(0)
    ui.page.wait_for_function(
        "(count) => performance.getEntriesByName(`${location.origin}/verify`).length > count", arg=5
    )
    ui.shoot("camera")
    # By the browser's clock: on a busy machine the test hears of several requests at once.
    began = ui.page.evaluate("performance.getEntriesByName(`${location.origin}/verify`).map((one) => one.startTime)")
    assert min(after - before for before, after in itertools.pairwise(began)) > 200, "a few frames a second"
    ui("text=Close the camera").click()
    expect(ui("#camera")).to_be_hidden()
    ui.page.wait_for_timeout(300)  # what was on its way
    count = len(asked)
    ui.page.wait_for_timeout(800)
    assert len(asked) == count
    assert ui.page.evaluate("document.querySelector('video').srcObject.getTracks()[0].readyState") == "ended"


def test_a_frame_is_taken_as_a_photo(ui: Ui) -> None:
    ui("#camera-start").click()
    ui.expect_state("yes")
    ui("text=Take this photo").click()
    expect(ui("figcaption .file")).to_have_text("camera.jpg")
    ui.expect_state("yes")
    expect(ui("figcaption")).to_contain_text("640 × 480")
    expect(ui("#camera")).to_be_hidden()


def test_without_https_it_says_where_the_camera_is_allowed(open_ui: OpenUi, server: Server) -> None:
    ui = open_ui(f"http://{OTHER_HOST}:{urlsplit(server.url).port}")
    ui("#camera-start").click()
    expect(ui("#problem")).to_contain_text("Browsers allow the camera only over HTTPS")
    expect(ui("#problem")).to_contain_text(OTHER_HOST)
    ui.shoot("camera-insecure")


def test_where_the_user_does_not_allow_it_the_page_says_what_to_do(open_ui: OpenUi) -> None:
    ui = open_ui()
    ui.page.evaluate(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }; 0"
    )
    ui("#camera-start").click()
    expect(ui("#problem")).to_contain_text("The browser does not allow this page to use the camera.")


def test_one_that_is_lost_shows_no_picture_that_stands_still(ui: Ui) -> None:
    ui("#camera-start").click()
    expect(ui("#camera .frame.yes")).to_have_count(1)
    ui.page.evaluate(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); }; 0"
    )
    ui("#camera-start").click()
    expect(ui("#problem")).to_contain_text("camera")
    expect(ui("#camera")).to_be_hidden()


def test_where_there_is_none_what_is_shown_stays(ui: Ui) -> None:
    ui.choose(ME, STRANGER)
    expect(ui("#several .several-head .note")).to_have_text("1 yes · 1 no")
    ui.page.evaluate(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); }; 0"
    )
    ui("#camera-start").click()
    expect(ui("#problem")).to_contain_text("camera")
    expect(ui("#several .several-head .note")).to_have_text("1 yes · 1 no")
    ui.page.evaluate("delete navigator.mediaDevices.getUserMedia")
    ui("#camera-start").click()
    expect(ui("#camera .frame.yes")).to_have_count(1)
    expect(ui("#several")).to_be_hidden()
    expect(ui("#problem")).to_be_hidden()
