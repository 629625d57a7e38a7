"""The pictures of the pages: there, small, shown, and made by a program that says what is wrong."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from PIL import Image
from playwright.sync_api import Browser

from docs.pictures import __main__ as pictures
from docs.pictures import alignment, answers, browser, pipeline, saving
from faces.recognition.recognizer import Recognizer
from tests.conftest import ROOT
from tests.docs.pages import PAGES, both_languages

FOLDER = ROOT / "docs" / "pictures"
SHOWN_ON = {
    "page.webp": "README.md",
    "page.png": "docs/page.md",
    "answer.png": "docs/api.md",
    "alignment.png": "docs/pipeline.md",
    "pipeline.svg": "docs/pipeline.md",
    "report.png": "README.md",
    "contact_sheet.png": "README.md",
}
MOST_FRAMES = 12  # a second

in_both = pytest.mark.parametrize("language", pictures.LANGUAGES)
each = pytest.mark.parametrize("name", SHOWN_ON)


def path_of(name: str, language: str) -> Path:
    return FOLDER / name.replace(".", f"-{language}.")


@in_both
@each
def test_a_picture_is_shown_on_its_page(name: str, language: str) -> None:
    path = path_of(name, language)
    shown_on = PAGES[both_languages(SHOWN_ON[name])[pictures.LANGUAGES.index(language)]]
    assert (f"docs/pictures/{path.name}", "") in shown_on.links


@in_both
@pytest.mark.parametrize("name", [name for name in SHOWN_ON if name.endswith(".png")])
def test_a_picture_is_small_and_says_nothing_of_who_made_it(name: str, language: str) -> None:
    path = path_of(name, language)
    assert path.stat().st_size <= saving.LARGEST_BYTES
    with Image.open(path) as picture:
        picture.load()
        assert picture.width == saving.WIDTH
        assert not picture.info.keys() & {"exif", "Software", "Comment"}


@in_both
def test_the_animation_is_small_slow_enough_to_be_read_and_ends(language: str) -> None:
    path = path_of("page.webp", language)
    assert path.stat().st_size <= saving.LARGEST_ANIMATION
    with Image.open(path) as film:
        assert film.width == saving.WIDTH
        assert film.info["loop"] > 0, "what moves for ever keeps people from reading"
        stays = []
        for frame in range(film.n_frames):
            film.seek(frame)
            film.load()
            stays.append(film.info["duration"])
    assert min(stays) >= 1000 / MOST_FRAMES
    assert 10_000 < sum(stays) < 20_000
    assert sum(one >= 2000 for one in stays) == 3, "each of the three answers stays"


def test_no_picture_is_left_over() -> None:
    there = {path for path in FOLDER.iterdir() if path.suffix not in (".py", "") and path.name != "__pycache__"}
    assert there == {path_of(name, language) for name in SHOWN_ON for language in pictures.LANGUAGES}
    assert {name.partition(".")[0] for name in SHOWN_ON} == set(pictures.NAMES)


def test_every_picture_has_a_text_for_those_who_do_not_see_it() -> None:
    for page in PAGES.values():
        assert "![](" not in page.text, page.name


# The diagram of the pipeline.


@in_both
def test_the_diagram_is_that_of_the_stages_as_they_are(language: str) -> None:
    committed = path_of("pipeline.svg", language).read_text(encoding="utf-8")
    assert committed == pipeline.draw(ROOT / "dvc.yaml", language), "run python -m docs.pictures pipeline"


@in_both
def test_the_diagram_names_every_stage_and_stays_on_its_paper(language: str) -> None:
    root = ET.fromstring(pipeline.draw(ROOT / "dvc.yaml", language))
    space = {"svg": "http://www.w3.org/2000/svg"}
    texts = ["".join(text.itertext()) for text in root.findall(".//svg:text", space)]
    assert set(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]) <= set(texts)
    width = float(root.get("width", "0"))
    for text in root.findall(".//svg:text[@class='files']", space):  # 12.5 px, of which a letter takes 0.6
        assert float(text.get("x", "0")) + 7.6 * len("".join(text.itertext())) < width
    style = root.findtext("svg:style", namespaces=space) or ""
    assert "prefers-color-scheme: dark" in style


def test_only_arrows_without_a_longer_way_are_drawn() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c"), ("a", "d"), ("c", "e"), ("a", "e"), ("d", "e")]
    assert pipeline.direct(edges) == [("a", "b"), ("b", "c"), ("a", "d"), ("c", "e"), ("d", "e")]


def test_a_new_stage_is_drawn_where_it_belongs(tmp_path: Path) -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    stages["stages"]["align"] = {"cmd": "", "deps": ["data/cropped"], "outs": [{"data/aligned": {"persist": True}}]}
    stages["stages"]["embed"]["deps"].append("data/aligned")
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(stages), encoding="utf-8")
    nodes = pipeline.read_nodes(tmp_path / "dvc.yaml")
    between = pipeline.files_between(nodes)
    arrows = pipeline.direct(between)
    assert {("crop", "align"), ("align", "embed")} <= set(arrows)
    assert ("crop", "embed") not in arrows
    assert pipeline.rows_of(nodes, arrows)[1:4] == [["crop"], ["align"], ["embed"]]


def test_every_stage_has_its_words_in_both_languages() -> None:
    names = {node.name for node in pipeline.read_nodes(ROOT / "dvc.yaml")} | {"title"}
    for language in pictures.LANGUAGES:
        assert set(pipeline.WORDS[language]) == names


# Those that a browser draws.


@pytest.fixture
def opened() -> Iterator[Browser]:
    if not any(map(shutil.which, browser.BROWSERS)):
        pytest.skip("no Chromium on this machine")
    with browser.opened_browser() as one:
        yield one


def test_an_answer_is_drawn(tmp_path: Path, opened: Browser) -> None:
    values = {"is_me": True, "score": 0.9, "threshold": 0.75, "face": {"box": [40, 40, 120, 130], "probability": 0.99}}
    photo = tmp_path / "photo.png"
    Image.new("RGB", (200, 200), "#3355aa").save(photo)
    drawn = answers.draw_answers(opened, [answers.Answer(photo, values)], "en")
    assert drawn.width == 900
    assert 280 < drawn.height < 400, "as high as what is on it"
    colours = {colour for _, colour in drawn.getcolors(900 * 900) or []}
    assert {(0x33, 0x55, 0xAA), (0x1B, 0x6B, 0x3A)} <= colours  # the photo, and the green of a "yes"


def test_the_top_of_a_file_is_photographed(tmp_path: Path, opened: Browser) -> None:
    file = tmp_path / "report.html"
    file.write_text("<body style='margin:0;background:#123456'><div style='height:3000px'>", encoding="utf-8")
    picture = browser.photograph(opened, file, 300)
    assert picture.size == (900, 300)
    assert picture.getpixel((450, 150)) == (0x12, 0x34, 0x56)


@pytest.mark.slow
def test_a_face_is_shown_before_and_after_alignment(recognizer: Recognizer, opened: Browser) -> None:
    lying = alignment.example(recognizer, ROOT / "demo/me/17.jpg", 90)
    again = recognizer.largest_face(ROOT / "demo/me/17.jpg")
    assert again is not None and again.crop is not None
    difference = abs(lying.aligned.astype(int) - again.crop.astype(int)).mean()
    assert difference < 12, "lying or not, the network gets the same face"
    assert abs(lying.boxed.astype(int) - again.crop.astype(int)).mean() > 2 * difference
    assert alignment.alignment_picture(opened, recognizer, ROOT / "demo", "es").width == saving.WIDTH


# How they are saved.


def test_few_pixels_keep_their_colour_and_paper_its_white() -> None:
    picture = Image.effect_noise((300, 300), 90).convert("RGB")
    picture.paste("white", (0, 0, 300, 100))
    picture.paste("#a020c0", (10, 10, 20, 20))
    reduced = saving.with_palette(picture)
    assert reduced.mode == "P"
    shown = reduced.convert("RGB")
    assert shown.getpixel((200, 50)) == (255, 255, 255)
    red, green, blue = shown.getpixel((15, 15))  # type: ignore[misc]
    assert max(abs(red - 0xA0), abs(green - 0x20), abs(blue - 0xC0)) < 24


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "HERE", tmp_path)
    noise = Image.effect_noise((900, 900), 120).convert("RGB")
    with pytest.raises(SystemExit, match="bytes; at most 300000"):
        saving.save(noise, "noise.png")
    monkeypatch.setattr(saving, "LARGEST_ANIMATION", 100_000)
    with pytest.raises(SystemExit, match="bytes; at most 100000"):
        saving.save_animation([(noise, 100), (noise.rotate(90), 100)], "noise.webp")


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        browser.find_browser()


def test_an_unknown_picture_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["pictures", "pipelines"])
    with pytest.raises(SystemExit):
        pictures.main()
    assert re.search("no such picture: pipelines; there are page, .*contact_sheet", capsys.readouterr().err)
