"""A figure that stands in several places is the same in all of them: READMEs, benchmarks, the picture of speed.

That English and Spanish pages have the same figures is test_languages.py's.
"""

from __future__ import annotations

import json
import re

import pytest
from PIL import Image

from bench.picture import FIGURES, LOAD, Bars
from tests.conftest import ROOT
from tests.docs.pages import PAGES, Section, both_languages, code_in, section_of

PEERS = {"naive flow": 3, "face_recognition": 4}
"""In which column of the table of speed a peer stands."""

NUMBER = r"\d+(?:[.,]\d+)?"

both_readmes = pytest.mark.parametrize("name", both_languages("README.md"))
both_benchmarks = pytest.mark.parametrize("name", both_languages("docs/benchmarks.md"))


def value(text: str) -> float:
    """A number as either language writes it, without a separator of thousands."""
    return float(text.replace(",", "."))


def benchmarks_of(readme: str) -> str:
    """The page of benchmarks in a README's language."""
    return both_languages("docs/benchmarks.md")[both_languages("README.md").index(readme)]


def answer(name: str, command: str) -> str:
    """The last cell of the first row whose command is that, of a page of benchmarks."""
    found = (row[-1] for section in PAGES[name].sections for row in section.rows if command in code_in(row[1]))
    return next(found)


def headline(readme: str) -> str:
    """The paragraph of a README that says how well and how fast it is."""
    (paragraph,) = (
        text for text in section_of(readme, "Evaluation").prose.split("\n\n") if "Labeled Faces in the Wild" in text
    )
    return paragraph.replace("\n", " ")


def outside_brackets(text: str) -> str:
    return re.sub(r"\([^)]*\)", "", text)


def rates_and_ratio(name: str) -> tuple[float, float, float]:
    """What the row of many clients says: photos a second, those of the naive flow, and how many times as many."""
    text = answer(name, "python -m bench.load PHOTOS")
    ours, naive = re.findall(NUMBER, outside_brackets(text))[:2]
    (ratio,) = re.findall(rf"({NUMBER}) (?:times as many|veces más)", outside_brackets(text))
    return value(ours), value(naive), value(ratio)


@both_readmes
def test_accuracy_on_pairs(name: str) -> None:
    """With the product's own choice of a face first, as `bench.lfw_pairs` prints it."""
    measured = answer(benchmarks_of(name), "python -m bench.lfw_pairs LFW")
    shown = re.findall(rf"({NUMBER}) %", headline(name))
    assert len(shown) == 2
    assert shown == re.findall(rf"({NUMBER}) %", outside_brackets(measured))


@both_readmes
def test_how_many_times_as_fast(name: str) -> None:
    (shown,) = re.findall(r"(\d+) (?:times as many|veces más)", headline(name))
    _, _, ratio = rates_and_ratio(benchmarks_of(name))
    assert int(shown) == round(ratio)


@both_readmes
def test_the_headline_has_no_other_figure(name: str) -> None:
    """One that no test compares: the 8 are the clients of the row of many clients."""
    figures = re.findall(NUMBER, headline(name))
    assert len(figures) == 4
    clients = next(
        row[0]
        for section in PAGES[benchmarks_of(name)].sections
        for row in section.rows
        if "python -m bench.load PHOTOS" in code_in(row[1])
    )
    assert re.search(rf"\b{figures[2]} client", clients)


@both_benchmarks
def test_the_ratio_is_that_of_its_rates(name: str) -> None:
    ours, naive, ratio = rates_and_ratio(name)
    assert ours / naive == pytest.approx(ratio, rel=0.01)


def bars_drawn() -> Bars:
    """What the picture of speed shows, as it holds it."""
    with Image.open(ROOT / "bench" / "speed.png") as picture:
        found: Bars = json.loads(picture.info[FIGURES])
    return found


def speeds(section: Section) -> list[dict[str, float]]:
    """The table of speed: for each row, how many times as fast as each peer."""
    rows = [row for row in section.rows if len(row) > max(PEERS.values())]
    return [{peer: value(row[column].removesuffix(" ×")) for peer, column in PEERS.items()} for row in rows]


@both_benchmarks
def test_the_picture_of_speed_shows_the_table(name: str) -> None:
    drawn = bars_drawn()
    one_by_one = [bars for title, bars in drawn.items() if title.startswith("/verify") and title != LOAD]
    assert speeds(section_of(name, "How fast it is")) == [
        {peer: round(times, 1) for peer, times in bars.items()} for bars in one_by_one
    ]
    _, _, ratio = rates_and_ratio(name)
    assert round(drawn[LOAD]["naive flow"], 1) == ratio


@both_benchmarks
def test_the_picture_of_speed_shows_the_pipeline(name: str) -> None:
    text = outside_brackets(answer(name, "python -m bench.pipeline PHOTOS"))
    shown = [value(times) for times in re.findall(rf"({NUMBER}) (?:times|veces)", text)]
    drawn = [bars["naive flow"] for title, bars in bars_drawn().items() if title.startswith("crop")]
    assert shown == [round(times, 1) for times in drawn]


@pytest.mark.parametrize("number", range(2))
def test_requirements_are_the_same_in_readme_and_installation(number: int) -> None:
    """One of the two may say more."""
    readme, page = (both_languages(name)[number] for name in ("README.md", "docs/installation.md"))
    rows = zip(section_of(readme, "Requirements").rows, section_of(page, "Requirements").rows, strict=True)
    for (what, short), (also_what, long) in rows:
        assert what == also_what
        first, second = (re.split(r"[;:.] ", text)[0] for text in (short, long))
        assert first == second
