"""The page in a real browser, over the real program in a clone of the project: from photos to the model's answer."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Page, expect

from tests.clone import Clone, new_clone
from tests.conftest import ROOT
from tests.ports import free_port
from tests.service.support import encode
from tests.stages.support import posix_only
from tests.ui.support import ME, Ui, as_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), posix_only]

DEMO = sorted((ROOT / "demo/me").iterdir())
PHONE = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}
MINUTES = 180_000  # milliseconds that a run may take where other tests run beside it


@dataclass
class Program:
    """`python -m service --enrol`, running.

    Attributes:
        address: that it printed, with the token.
        process: it.
        clone: where it runs.
        log: what it prints.
    """

    address: str
    process: subprocess.Popen[bytes]
    clone: Clone
    log: Path


@contextmanager
def enrolling(clone: Clone) -> Iterator[Program]:
    """Start the program in a clone, and end it."""
    log = clone.root.parent / "enrol.log"
    environment = clone.environment() | {"PORT": str(free_port()), "DISPLAY": "", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "service", "--enrol"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=clone.root, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        for _ in range(600):
            found = re.search(r"http://\S+", log.read_text(encoding="utf-8"))
            if found or process.poll() is not None:
                break
            time.sleep(0.1)
        assert found, log.read_text(encoding="utf-8")
        yield Program(found[0], process, clone, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(40)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program in a clone without photos and without a model."""
    clone = new_clone(tmp_path_factory.mktemp("enrol") / "clone")
    text = clone.path("params.yaml").read_text(encoding="utf-8")
    named = text.replace("name: dlib-resnet", "name: facenet-vggface2")  # as shipped: the program changes it
    assert named != text
    clone.path("params.yaml").write_text(named, encoding="utf-8")
    with enrolling(clone) as running:
        yield running


Open = Callable[..., Ui]


@pytest.fixture
def open_page(browser: Browser, program: Program) -> Iterator[Open]:
    """Opens the page in a window of its own; nothing must have gone wrong in any of them."""
    opened: list[Ui] = []
    contexts = []

    def open_(address: str = program.address, **options: Any) -> Ui:
        context = browser.new_context(**({"locale": "en-GB", "viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        ui = Ui(context.new_page())
        ui.page.on("console", ui._hear)
        ui.page.on("pageerror", lambda error: ui.errors.append(str(error)))
        ui.page.goto(address)
        expect(ui("body.ready")).to_be_visible()
        opened.append(ui)
        return ui

    yield open_
    for context in contexts:
        context.close()
    for ui in opened:
        assert [
            error for error in ui.errors if "ERR_CONNECTION_REFUSED" not in error
        ] == []  # one test ends the program


def wait_until_ready(ui: Ui) -> None:
    expect(ui("#in")).to_be_visible(timeout=MINUTES)


def remove_all(ui: Ui) -> None:
    while ui(".tile .remove").count():
        count = ui(".tile").count()
        ui(".tile .remove").first.click()
        expect(ui(".tile")).to_have_count(count - 1)


def tile(ui: Ui, name: str) -> Any:
    return ui(".tile[data-state]").filter(has=ui.page.locator(".name", has_text=name))


def poor_photos() -> list[dict[str, Any]]:
    with Image.open(DEMO[14]) as image:
        blurred = encode(image.convert("RGB").filter(ImageFilter.GaussianBlur(5)), "JPEG")
        turned = encode(image.convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG")
    return [
        as_file(blurred, "blurred.jpg"), as_file(turned, "mirrored.jpg"), as_file(b"Dear all", "letter.jpg"),
        as_file(DEMO[0].read_bytes(), "same.jpg"), as_file(encode(Image.new("RGB", (400, 300)), "JPEG"), "night.jpg"),
    ]  # fmt: skip


def test_without_the_token_the_page_says_which_address_to_open(open_page: Open, program: Program) -> None:
    for address in (program.address.partition("#")[0], f"{program.address}x"):
        ui = open_page(address)
        expect(ui("#problem")).to_contain_text("open the one that the terminal shows")
        expect(ui("#in")).to_be_hidden()


def test_photos_are_judged_as_they_come(open_page: Open, program: Program) -> None:
    ui = open_page()
    assert ui.page.url == program.address.partition("#")[0], "the token is not left in the address"
    wait_until_ready(ui)
    assert ui.complaints() == []
    expect(ui("#note")).to_contain_text("There is nothing for you to do.")
    expect(ui("#note").get_by_text("backbone.name")).to_be_hidden()
    ui("#note summary").click()
    expect(ui("#note").get_by_text("backbone.name is now dlib-resnet")).to_be_visible()
    ui.shoot("enrol-start")
    small = open_page(**PHONE, locale="es-ES")
    expect(small("#note")).to_contain_text("No tienes que hacer nada.")
    small.shoot("enrol-start-360")
    ui.choose(*DEMO[:11], DEMO[14])
    expect(ui(".tile[data-state=taken]")).to_have_count(12)
    ui.page.set_input_files("#choose", poor_photos())  # type: ignore[arg-type]
    expect(ui(".tile[data-state]")).to_have_count(17)
    assert ui(".tile .name").all_inner_texts() == sorted(ui(".tile .name").all_inner_texts())
    expect(ui("#note")).not_to_contain_text("network")
    for name, state, text in (
        ("blurred.jpg", "left", "The face is blurred. Take a sharper photo."),
        ("mirrored.jpg", "left", f"It is nearly the same photo as {DEMO[14].name}."),
        ("letter.jpg", "useless", "The content is a text file"),
        ("same.jpg", "useless", f"It is the same file as {DEMO[0].name}."),
        ("night.jpg", "useless", "No face can be seen."),
    ):
        expect(tile(ui, name)).to_have_attribute("data-state", state)
        expect(tile(ui, name)).to_contain_text(text)
    expect(ui("#accept .count")).to_contain_text("12 photos taken · 5 left out That is enough.")
    tile(ui, "mirrored.jpg").get_by_role("button", name="Take mirrored.jpg anyway").click()
    expect(ui("#accept .count")).to_contain_text("13 photos taken · 4 left out")
    expect(ui(".tile img").first).to_have_attribute("src", re.compile("^blob:"))
    assert ui.complaints() == []
    ui.shoot("enrol-photos")
    other = open_page(**PHONE, locale="es-ES", color_scheme="dark")
    expect(other(".tile[data-state]")).to_have_count(17)
    expect(tile(other, "blurred.jpg")).to_contain_text("La cara sale borrosa.")
    assert other.page.evaluate("document.scrollingElement.scrollWidth") <= 360
    assert other.complaints() == []
    other.shoot("enrol-photos-360-dark")
    remove_all(other)
    expect(ui(".tile")).to_have_count(0)
    expect(ui("#accept")).to_be_hidden()


def test_a_photo_that_is_too_large_is_made_smaller(open_page: Open) -> None:
    ui = open_page()
    wait_until_ready(ui)
    grain = np.random.default_rng(0).integers(0, 256, (2500, 2500, 3), dtype=np.uint8)
    scene = Image.fromarray(grain)
    with Image.open(DEMO[0]) as portrait:
        scene.paste(portrait.convert("RGB").resize((1800, 1800)), (350, 350))
    scene.paste(Image.fromarray(grain[:, :350]), (0, 0))
    large = encode(scene, "PNG")
    large += bytes(max(0, 17 * 2**20 - len(large)))  # after its end, which no browser minds
    ui.choose(as_file(large, "phone.png", "image/png"), as_file(bytes(17 * 2**20), "film.jpg"))
    expect(tile(ui, "phone.png")).to_have_attribute("data-state", "taken")
    expect(tile(ui, "phone.png")).to_contain_text("Made smaller here, from 17")
    expect(ui("#problem")).to_contain_text(
        "film.jpg: The photo has 17\u00a0MB, this page takes 16\u00a0MB, and this browser cannot make the photo"
    )
    ui.shoot("enrol-large")
    ui.page.set_viewport_size({"width": 360, "height": 780})
    assert ui.page.evaluate("document.scrollingElement.scrollWidth") <= 360
    ui.shoot("enrol-large-360")
    remove_all(ui)


def test_the_camera(open_page: Open) -> None:
    ui = open_page()
    wait_until_ready(ui)
    ui("#camera-start").click()
    expect(ui("#camera .pose")).to_have_text("Look at the camera.")
    ui.page.wait_for_function("() => document.querySelector('video').videoWidth")
    ui("text=Take a photo").click()
    expect(tile(ui, "camera 1.jpg")).to_have_attribute("data-state", "taken")
    expect(ui("#camera .pose")).to_have_text("Smile.")
    assert ui.complaints() == []
    ui.shoot("enrol-camera")
    ui("text=Take a photo").click()
    expect(tile(ui, "camera 2.jpg")).to_contain_text("camera 1.jpg")
    ui("text=Close the camera").click()
    expect(ui("#camera")).to_be_hidden()
    remove_all(ui)


def test_by_keyboard_alone(open_page: Open) -> None:
    ui = open_page()
    wait_until_ready(ui)
    ui.choose(*DEMO[:2])
    expect(ui(".tile[data-state=taken]")).to_have_count(2)

    def reach(page: Page, selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
        pytest.fail(f"Tab never reaches {selector}")

    reach(ui.page, ".tile [data-does=choose]")
    ui.page.keyboard.press("Enter")
    expect(ui(".tile[data-state=left]")).to_have_count(1)
    assert ui.page.evaluate("document.activeElement.dataset.does") == "choose", "the focus stays"
    expect(ui("#accept button")).to_be_disabled()
    remove_all(ui)


def test_from_photos_to_the_answer(open_page: Open, program: Program) -> None:
    """One after another, since each begins where the one before it has ended."""
    ui = open_page()
    wait_until_ready(ui)
    stop_a_run(ui, open_page, program)
    meet_another_program(ui, program)
    learn_and_ask(ui, program)
    end_the_program(open_page(), program)


def stop_a_run(ui: Ui, open_page: Open, program: Program) -> None:
    """Another tab stops it, and photos that were accepted stay."""
    ui.choose(*DEMO[:3])
    expect(ui(".tile[data-state=taken]")).to_have_count(3)
    other = open_page(locale="es-ES")
    ui("text=Accept and learn").click()
    expect(ui("#run")).to_have_attribute("data-status", "running")
    expect(other("#run h2")).to_have_text("Está aprendiendo tu cara")
    other("text=Parar").click()
    expect(ui("#run h2")).to_have_text("Stopped", timeout=MINUTES)
    ui.shoot("enrol-stopped")
    assert len(list(program.clone.path("data/me").iterdir())) == 3
    assert not program.clone.path("models/model.joblib").exists()


def meet_another_program(ui: Ui, program: Program) -> None:
    """Where another program holds DVC's lock, the page says so."""
    program.clone.path(".dvc/tmp").mkdir(exist_ok=True)
    script = "import sys, zc.lockfile as z; held = z.LockFile('.dvc/tmp/lock'); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=program.clone.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"\n"
        ui("text=Try again").click()
        expect(ui("#run .error")).to_contain_text("Another program works on this project", timeout=MINUTES)
        holder.communicate()


def learn_and_ask(ui: Ui, program: Program) -> None:
    """All stages, then the page of the service answers with the new model."""
    ui("text=Add photos").click()
    ui.choose(*DEMO[3:12])
    expect(ui(".tile[data-state=taken]")).to_have_count(9)
    expect(ui("#accept .count")).to_contain_text("3 there already")
    ui("text=Accept and learn").click()
    expect(ui("#run .stages [data-state=now]")).to_be_visible(timeout=MINUTES)
    ui.shoot("enrol-run")
    assert ui.complaints() == []
    expect(ui("#run")).to_have_attribute("data-status", "done", timeout=MINUTES)
    expect(ui("#run")).to_contain_text("The new model has learnt from 12 photos of you")
    assert ui.complaints() == []
    ui.shoot("enrol-done")
    ui.page.set_viewport_size({"width": 360, "height": 780})
    ui.shoot("enrol-done-360")
    ui.page.set_viewport_size({"width": 1280, "height": 900})
    ui("#run .note .link").click()
    ui.page.wait_for_url("**/enrol/report/*")
    expect(ui("h1")).to_be_visible()
    assert ui.page.evaluate("getComputedStyle(document.body).maxWidth") != "none", "its style is applied"
    ui.shoot("enrol-report")
    ui.page.go_back()
    expect(ui("#run")).to_have_attribute("data-status", "done")
    ui("text=Ask the new model").click()
    expect(ui("body.ready #in")).to_be_visible()
    ui.choose(ME)
    ui.expect_state("yes")
    assert program.clone.path("reports/INFORME_H10.md").is_file()
    assert program.clone.would_run() == [], "nothing is left for `dvc repro` in a terminal"


def end_the_program(ui: Ui, program: Program) -> None:
    """Ended while it learns, it ends all that it has started; the page says that nobody answers."""
    ui("text=Add photos").click()
    ui.choose(*DEMO[12:15])
    expect(ui(".tile[data-state=taken]")).to_have_count(3)
    ui("text=Accept and learn").click()
    expect(ui("#run .stages [data-state=now]")).to_be_visible(timeout=MINUTES)
    program.process.terminate()
    assert program.process.wait(40) == 143
    assert [process for process in psutil.process_iter() if _works_in(process, program.clone.root)] == []
    expect(ui("#problem")).to_contain_text("The program does not answer.")
    said = program.log.read_text(encoding="utf-8")
    assert "Traceback" not in said and "no API key" not in said


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return bool(process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
