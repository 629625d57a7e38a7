"""One gunicorn with a model of the demo portraits, and one browser, for all tests of the page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from faces.recognition.recognizer import Recognizer
from service.config import Settings
from stages.params import Params
from tests.conftest import ROOT
from tests.recording import write_trained
from tests.service.support import Server, settings_of, shipped_gunicorn
from tests.shared import SharedFolders
from tests.ui.support import ME, Ui, browser_path, write_video

OpenUi = Callable[..., Ui]

OTHER_HOST = "plain.test"
"""A name of this machine to which browsers give no more trust than to any other."""


def _train(folder: Path, recognizer: Recognizer, params: Params, others: bool) -> None:
    """What train writes into models/, learnt from the demo's portraits."""
    me, not_me = sorted((ROOT / "demo/me").iterdir()), sorted((ROOT / "demo/not_me").glob("*/*"))
    write_trained(folder, recognizer, params, me, not_me if others else [])


@pytest.fixture(scope="session")
def demo_settings(shared: SharedFolders, networks_dir: Path, recognizer: Recognizer, dlib_params: Params) -> Settings:
    """Settings with a model of the demo's portraits."""
    browser_path()  # before anything is trained in vain
    models = shared.made_once("demo-models", lambda folder: _train(folder, recognizer, dlib_params, others=True))
    return settings_of(models, networks_dir)


@pytest.fixture(scope="session")
def alone_settings(shared: SharedFolders, networks_dir: Path, recognizer: Recognizer, dlib_params: Params) -> Settings:
    """Settings with a model of the portraits of me alone: it estimates how many strangers score as high."""
    browser_path()
    models = shared.made_once("alone-models", lambda folder: _train(folder, recognizer, dlib_params, others=False))
    return settings_of(models, networks_dir)


@pytest.fixture(scope="session")
def server(demo_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with shipped_gunicorn(demo_settings, tmp_path_factory.mktemp("gunicorn")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose camera sees a demo portrait."""
    path = browser_path()
    video = tmp_path_factory.mktemp("camera") / "me.y4m"
    write_video(ME, video)
    options = [
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video}", f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # root has no sandbox, and the page is our own
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=options)
        yield running
        running.close()


@pytest.fixture
def open_ui(browser: Browser, server: Server) -> Iterator[OpenUi]:
    """Opens the page in a new window; at the end, nothing must have gone wrong in any of them.

    Arguments are those of Playwright's `new_context`, and `address`, that of the service.
    """
    opened: list[tuple[Ui, str]] = []
    contexts = []

    def open_(address: str = server.url, **options: Any) -> Ui:
        context = browser.new_context(**({"locale": "en-GB", "viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        ui = Ui.open(context, address)
        opened.append((ui, address))
        return ui

    yield open_
    for context in contexts:
        context.close()
    for ui, address in opened:
        assert ui.errors == []
        assert ui.hosts == {address.removeprefix("http://")}, "everything comes from the service itself"


@pytest.fixture
def ui(open_ui: OpenUi) -> Ui:
    """The page in English on a wide screen."""
    return open_ui()
