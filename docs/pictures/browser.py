"""The Chromium of this machine, and pictures of what it shows."""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from docs.pictures.saving import WIDTH

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ADDRESS = "http://127.0.0.1:5000"
"""The service's usual address."""

_HEIGHT = 600  # of the window, where a page says itself how high it is


def find_browser() -> str:
    """The path of Chromium.

    Raises:
        SystemExit: there is none.
    """
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    sys.exit(f"none of {', '.join(BROWSERS)} is on the PATH; on Debian: apt-get install chromium")


@contextmanager
def opened_browser(port: int | None = None) -> Iterator[Browser]:
    """A browser, until the end of the context; raises as `find_browser` does.

    Args:
        port: where the service answers on this machine. The browser finds it at `ADDRESS`, so that a picture on which
            the page names its address is the same each time.
    """
    path = find_browser()
    options = [] if port is None else [f"--host-resolver-rules=MAP {ADDRESS.removeprefix('http://')} 127.0.0.1:{port}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # root has no sandbox, and the pages are our own
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            browser.close()


def screenshot(page: Page, whole: bool = False) -> Image.Image:
    """What the window shows, RGB, or the whole page."""
    return Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")


def photograph(browser: Browser, source: str | Path, height: int | None = None) -> Image.Image:
    """A picture of a page, RGB, `WIDTH` pixels wide.

    Args:
        browser: an opened one.
        source: HTML of its body, or a file.
        height: of its top, in pixels; None: all of it.
    """
    page = browser.new_page(viewport={"width": WIDTH, "height": height or _HEIGHT})
    try:
        if isinstance(source, Path):
            page.goto(source.resolve().as_uri())
        else:
            # Without a height of its own the body would be as high as the window.
            page.set_content(f"<!doctype html><meta charset='utf-8'><body>{source}</body>")
        picture = screenshot(page, whole=height is None)
        if height is None:
            end = page.evaluate("Math.ceil(document.body.getBoundingClientRect().bottom)")
            picture = picture.crop((0, 0, WIDTH, min(end, picture.height)))
        return picture
    finally:
        page.close()


def as_image(picture: Image.Image, kind: str = "") -> str:
    """An <img> with the picture in it, of a class."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f'<img class="{kind}" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'
