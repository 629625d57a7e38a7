"""The page at /ui, as people see it: a picture with an answer, and an animation of three photos.

The animation shows real screenshots. What is drawn on them is the photo under the pointer, on its way to the page: a
browser shows that outside of what it lets anybody photograph.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page, Route

from docs.pictures.browser import ADDRESS, screenshot
from docs.pictures.saving import WIDTH

_VIEW = {"width": 1020, "height": 790}  # of the browser's window
_SCALE = WIDTH / _VIEW["width"]
_LOCALES = {"en": "en-GB", "es": "es-ES"}
_STEP = 90  # milliseconds of a frame in which something moves: 11 frames a second
_STEPS = 7  # frames in which a photo comes in
_SHOWN = "main > section:not([hidden]) .verdict"
_THUMBNAIL = 130  # pixels of the photo under the pointer
_POINTER = ((0, 0), (0, 23), (5, 18), (9, 27), (13, 25), (9, 17), (16, 17))


Frame = tuple[Image.Image, int]
"""A picture of an animation, RGB, and how many milliseconds it stays."""


@contextmanager
def opened_page(browser: Browser, language: str) -> Iterator[Page]:
    """The page in a window of its own, in a language, with nothing that moves by itself."""
    context = browser.new_context(
        locale=_LOCALES[language],
        viewport=_VIEW,  # type: ignore[arg-type]  # a dict of its own type
        device_scale_factor=_SCALE,
        reduced_motion="reduce",
    )
    try:
        page = context.new_page()
        page.goto(f"{ADDRESS}/ui")
        page.wait_for_selector("body.ready")
        yield page
    finally:
        context.close()


def _answered(page: Page) -> None:
    """Wait until the answer is there."""
    page.wait_for_selector(f"{_SHOWN}[data-state=yes], {_SHOWN}[data-state=no]")
    page.mouse.move(0, 0)  # nothing is hovered over
    page.wait_for_timeout(200)  # the picture is drawn


def answer_picture(browser: Browser, photo: Path, language: str) -> Image.Image:
    """The page with the answer about a photo."""
    with opened_page(browser, language) as page:
        page.set_input_files("#choose", photo)
        _answered(page)
        return screenshot(page)


def group_photo(portraits: list[Path], side: int = 480) -> Image.Image:
    """Portraits side by side, RGB."""
    group = Image.new("RGB", (side * len(portraits), side))
    for at, path in enumerate(portraits):
        with Image.open(path) as portrait:
            square = portrait.convert("RGB")
            size = min(square.size)
            left, top = (square.width - size) // 2, (square.height - size) // 2
            square = square.crop((left, top, left + size, top + size))
            group.paste(square.resize((side, side), Image.Resampling.LANCZOS), (at * side, 0))
    return group


def animation(browser: Browser, photos: list[tuple[Path, int]], language: str) -> list[Frame]:
    """Photos are dropped onto the page one after the other.

    Args:
        browser: which finds the service at `ADDRESS`.
        photos: each with the milliseconds for which its answer stays.
        language: of the page.
    """
    with opened_page(browser, language) as page:
        waiting: list[Route] = []
        page.route("**/verify*", lambda route: waiting.append(route))
        frames: list[Frame] = [(screenshot(page), 1300)]
        for photo, stays in photos:
            frames += _dragged(page, photo)
            page.wait_for_selector(f"{_SHOWN}[data-state=asking]")
            while not waiting:
                page.wait_for_timeout(20)
            frames.append((screenshot(page), 450))
            waiting.pop().continue_()
            _answered(page)
            frames.append((screenshot(page), stays))
    return frames


def _dragged(page: Page, photo: Path) -> list[Frame]:
    """A photo comes in from the lower right corner, until the page says that it may be dropped."""
    before = screenshot(page)
    target = page.locator("#in").bounding_box()
    assert target is not None  # the page always shows where photos are dropped
    end = ((target["x"] + target["width"] * 0.42) * _SCALE, (target["y"] + target["height"] * 0.55) * _SCALE)
    start = (before.width * 0.97, before.height * 0.93)
    thumbnail = _thumbnail(photo)
    _drag(page, photo, "dragEnter", "dragOver")
    over = screenshot(page)
    frames: list[Frame] = []
    for step in range(1, _STEPS + 1):
        share = 1 - (1 - step / _STEPS) ** 2  # it slows down
        x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        last = step == _STEPS
        picture = _with_pointer(over if last else before, thumbnail, round(x), round(y))
        frames.append((picture, 600 if last else _STEP))
    _drag(page, photo, "drop")
    return frames


def _drag(page: Page, photo: Path, *kinds: str) -> None:
    """Tell the page what happens to a file under the pointer."""
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(photo)], "dragOperationsMask": 1}
    for kind in kinds:
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def _thumbnail(photo: Path) -> Image.Image:
    """A small picture with round corners and a shadow, RGBA."""
    with Image.open(photo) as opened:
        small = opened.convert("RGB")
    small.thumbnail((_THUMBNAIL * 2, _THUMBNAIL), Image.Resampling.LANCZOS)
    margin = 14
    shown = Image.new("RGBA", (small.width + 2 * margin, small.height + 2 * margin), (20, 22, 30, 0))
    mask = Image.new("L", (small.width * 4, small.height * 4))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), 40, fill=255)
    mask = mask.resize(small.size, Image.Resampling.LANCZOS)
    shade = Image.new("L", shown.size)
    shade.paste(mask.point(lambda value: value // 3), (margin, margin + 4))
    shown.putalpha(shade.filter(ImageFilter.GaussianBlur(5)))
    shown.paste(small, (margin, margin), mask)
    return shown


def _with_pointer(page: Image.Image, thumbnail: Image.Image, x: int, y: int) -> Image.Image:
    """The page with a photo below the pointer, whose tip is at x, y."""
    picture = page.copy()
    picture.paste(thumbnail, (x - thumbnail.width // 2, y - thumbnail.height // 2), thumbnail)
    pointer = Image.new("RGBA", (20 * 4, 30 * 4))
    points = [((px + 1) * 4, (py + 1) * 4) for px, py in _POINTER]
    ImageDraw.Draw(pointer).polygon(points, fill="#16181d", outline="white", width=6)
    pointer = pointer.resize((20, 30), Image.Resampling.LANCZOS)
    picture.paste(pointer, (x, y), pointer)
    return picture


def filmed(browser: Browser, ask: Path, language: str) -> list[Frame]:
    """The animation of the documents: me, a stranger, a group. `ask` is the folder with the photos (`demo/ask`)."""
    with tempfile.TemporaryDirectory() as folder:
        group = Path(folder) / {"en": "friends.jpg", "es": "amigos.jpg"}[language]
        group_photo([ask / name for name in ("stranger_1.jpg", "me_1.jpg", "stranger_2.png")]).save(group, quality=92)
        return animation(browser, [(ask / "me_2.jpg", 2400), (ask / "stranger_3.jpg", 2400), (group, 3600)], language)
