"""Pages in a real Chromium, and photos for them."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import ExifTags, Image
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect
from werkzeug.serving import make_server

from service import create_app
from service.config import Settings
from tests.conftest import ROOT
from tests.ports import free_port
from tests.service.support import encode, settings_of

ASK = ROOT / "demo" / "ask"
ME, STRANGER = ASK / "me_2.jpg", ASK / "stranger_3.jpg"
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}
SCREENSHOTS = ROOT / "screenshots"
"""Pictures of each state, to be looked at by people; git ignores them."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 30_000
"""How long an answer is waited for, in milliseconds: other tests run beside this one."""

FAILURES = 400
"""From this status on, an answer is no success."""

expect.set_options(timeout=SECONDS)


def browser_path() -> str:
    """The Chromium of this machine; without one the test is skipped."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the PATH; on Debian: apt-get install chromium")
    return found


@dataclass
class Ui:
    """The page, opened in a window of its own, and what the browser had to say of it.

    Attributes:
        page: it.
        errors: what the console was told, and exceptions that nobody caught.
        failed: paths whose answer was no success; the browser notes each in the console.
        hosts: where requests went.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, context: BrowserContext, address: str) -> Ui:
        """Ask for `/`, as whoever types the address does, and wait until the page is ready."""
        ui = cls(context.new_page())
        ui.page.on("console", ui._hear)
        ui.page.on("pageerror", lambda error: ui.errors.append(str(error)))
        ui.page.on("request", ui._see)
        ui.page.on("response", ui._note_failure)
        ui.page.goto(f"{address}/")
        assert ui.page.url == f"{address}/ui"
        expect(ui.page.locator("body.ready")).to_be_visible()
        return ui

    def _hear(self, message: ConsoleMessage) -> None:
        # The browser notes each answer that is no success. The page expects these, and says what they mean.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource: the server"):
            self.errors.append(message.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith(("blob:", "data:")):
            self.hosts.add(urlsplit(request.url).netloc)

    def _note_failure(self, answer: Response) -> None:
        if answer.status >= FAILURES:
            self.failed.append(urlsplit(answer.url).path)

    def __call__(self, selector: str) -> Locator:
        """What a selector of CSS leads to."""
        return self.page.locator(selector)

    @property
    def verdict(self) -> Locator:
        """The card with the answer."""
        return self("main > section:not([hidden]) .verdict")

    def choose(self, *photos: Path | dict[str, Any]) -> None:
        """Choose photos as the button does; a dict has name, mimeType and buffer."""
        self.page.set_input_files("#choose", list(photos))  # type: ignore[arg-type]  # of one kind each time

    def drag(self, *paths: Path, drop: bool = True) -> None:
        """Drag files or folders onto the page, as from a window beside the browser, and drop them there."""
        devtools = self.page.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", *(["drop"] if drop else [])):
            devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})

    def expect_state(self, state: str) -> Locator:
        """Wait for an answer: yes, no, no_face or error. The card with it is returned."""
        expect(self.verdict).to_have_attribute("data-state", state)
        return self.verdict

    def shoot(self, name: str) -> None:
        """Keep a picture of the page as it is now."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.wait_for_timeout(450)  # what moves has come to rest
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def complaints(self) -> list[str]:
        """What axe finds that keeps somebody from using the page."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]


def without_models(folder: Path) -> Settings:
    """Settings of a project in which nothing has been built."""
    return replace(settings_of(folder, folder / "networks"), keys_path=folder / "no_keys.json")


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The service with settings of its own, in a thread; gives its address."""
    with make_server("127.0.0.1", free_port(), create_app(settings), threaded=True) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)


def as_file(content: bytes, name: str, kind: str = "image/jpeg") -> dict[str, Any]:
    """A file that lies nowhere, for `Ui.choose`."""
    return {"name": name, "mimeType": kind, "buffer": content}


def group_photo(portraits: Sequence[Path], side: int = 420) -> bytes:
    """Portraits side by side, as a JPEG."""
    group = Image.new("RGB", (side * len(portraits), side), "#8a8f98")
    for at, path in enumerate(portraits):
        with Image.open(path) as portrait:
            group.paste(portrait.convert("RGB").resize((side, side)), (at * side, 0))
    return encode(group, "JPEG", quality=92)


def phone_photo(portrait: Path) -> bytes:
    """A photo as a phone makes it: several megabytes, lying on its side with a note on how to turn it."""
    with Image.open(portrait) as small:
        upright = small.convert("RGB").resize((1200, 1200))
    scene = Image.new("RGB", (2000, 2600), "#8a8f98")
    scene.paste(upright, (700, 200))  # not in the middle: a frame in the wrong place would be seen
    grain = np.random.default_rng(0).integers(-20, 21, (2600, 2000, 1))
    noisy = Image.fromarray(np.clip(np.asarray(scene).astype(int) + grain, 0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return encode(noisy.rotate(90, expand=True), "JPEG", quality=93, exif=exif)


def write_video(portrait: Path, path: Path, width: int = 640, height: int = 480) -> None:
    """A portrait that stands still, as a video for Chromium's fake camera (YUV4MPEG2, 4:2:0)."""
    with Image.open(portrait) as photo:
        still = Image.new("RGB", (width, height), "#8a8f98")
        still.paste(photo.convert("RGB").resize((height, height)), ((width - height) // 2, 0))
    luma, blue, red = (np.asarray(plane) for plane in still.convert("YCbCr").split())
    frame = b"FRAME\n" + luma.tobytes() + blue[::2, ::2].tobytes() + red[::2, ::2].tobytes()
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + 5 * frame)
