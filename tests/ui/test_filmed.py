"""The page as `python -m docs.pictures` shows it: the program still finds its way through the page as it is."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from docs.pictures.browser import opened_browser
from docs.pictures.page import answer_picture, filmed
from docs.pictures.saving import WIDTH
from tests.service.support import Server
from tests.ui.support import ASK, ME, browser_path

pytestmark = pytest.mark.slow

YES, NO = (0x14, 0x71, 0x3F), (0xB1, 0x35, 0x2A)  # --yes and --no of base.css


def has_much_of(picture: object, colour: tuple[int, int, int]) -> bool:
    """Whether a hundred pixels or more are about of a colour."""
    found = picture.getcolors(2**24)  # type: ignore[attr-defined]
    near = [count for count, one in found if all(abs(a - b) < 12 for a, b in zip(one, colour, strict=True))]
    return sum(near) > 100


def test_three_photos_are_dropped_and_answered(server: Server) -> None:
    browser_path()
    with opened_browser(urlsplit(server.url).port) as browser:
        film = filmed(browser, ASK, "es")
        picture = answer_picture(browser, ME, "en")
    assert picture.width == WIDTH
    assert has_much_of(picture, YES)
    assert all(one.size == film[0][0].size for one, _ in film)
    assert all(before.tobytes() != after.tobytes() for (before, _), (after, _) in pairwise(film))
    answers = [one for one, stays in film if stays >= 2000]
    assert [(has_much_of(one, YES), has_much_of(one, NO)) for one in answers] == [
        (True, False),
        (False, True),
        (True, True),
    ]
    assert len(film) == 1 + 3 * (len(film) // 3), "each photo comes in, is looked at and gets its answer"
