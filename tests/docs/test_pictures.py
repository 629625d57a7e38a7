"""The pictures of the pages: there, small, shown, and made by a program that says what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from docs.pictures import __main__ as pictures
from tests.conftest import ROOT
from tests.docs.pages import PAGES, both_languages

NAMES = ("answer", "contact_sheet", "report")


@pytest.mark.parametrize("language", pictures.LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_small_and_shown_in_the_readme(name: str, language: str) -> None:
    path = ROOT / "docs" / "pictures" / f"{name}-{language}.png"
    assert path.stat().st_size <= pictures.LARGEST_BYTES
    with Image.open(path) as picture:
        picture.load()
        assert picture.width == 900
        assert not picture.info.keys() & {"exif", "Software", "Comment"}
    readme = PAGES[both_languages("README.md")[pictures.LANGUAGES.index(language)]]
    assert f"](docs/pictures/{path.name})" in readme.text


def test_no_picture_is_left_over() -> None:
    there = {path.name for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert there == {f"{name}-{language}.png" for name in NAMES for language in pictures.LANGUAGES}


def test_every_picture_has_a_text_for_those_who_do_not_see_it() -> None:
    for page in PAGES.values():
        assert "![](" not in page.text, page.name


def test_an_answer_is_drawn(tmp_path: Path) -> None:
    if not any(map(shutil.which, pictures._BROWSERS)):
        pytest.skip("no Chromium on this machine")
    values = {"is_me": True, "score": 0.9, "threshold": 0.75, "face": {"box": [40, 40, 120, 130], "probability": 0.99}}
    photo = tmp_path / "photo.png"
    Image.new("RGB", (200, 200), "#3355aa").save(photo)
    drawn = pictures.draw_answers([pictures.Answer(photo, values)], "en")
    assert drawn.width == 900
    colours = {colour for _, colour in drawn.getcolors(900 * 900) or []}
    assert {(0x33, 0x55, 0xAA), (0x1B, 0x6B, 0x3A)} <= colours  # the photo, and the green of a "yes"


def test_few_pixels_keep_their_colour_and_paper_its_white() -> None:
    picture = Image.effect_noise((300, 300), 90).convert("RGB")
    picture.paste("white", (0, 0, 300, 100))
    picture.paste("#a020c0", (10, 10, 20, 20))
    reduced = pictures.with_palette(picture)
    assert reduced.mode == "P"
    shown = reduced.convert("RGB")
    assert shown.getpixel((200, 50)) == (255, 255, 255)
    red, green, blue = shown.getpixel((15, 15))  # type: ignore[misc]
    assert max(abs(red - 0xA0), abs(green - 0x20), abs(blue - 0xC0)) < 24


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "HERE", tmp_path)
    noise = Image.effect_noise((900, 900), 120).convert("RGB")
    with pytest.raises(SystemExit, match="bytes; at most 300000"):
        pictures.save(noise, "noise.png")


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        pictures.browser()
