"""The chart of degraded photos: each field has the figures of its step, and can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image

from stages.estimation.drawing import DPI, SMALL, WIDTH
from stages.language.telling import speaking
from stages.robustness.chart import draw_robustness
from stages.robustness.degradations import DEGRADATIONS

BACKBONE = "a-backbone"
TELEPHONE = 390
"""Pixels of CSS that a telephone's screen is wide."""


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were saved."""
    saved: list[Figure] = []
    original = Figure.savefig

    def save(figure: Figure, *arguments: Any, **options: Any) -> None:
        saved.append(figure)
        original(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", save)
    return saved


@pytest.fixture
def degraded() -> pd.DataFrame:
    """Two degradations whose figures are all different, after the photos as they are."""
    rows = [
        ("none", 0.0, 0.08, 0.01),
        ("blur", 1.0, 0.1, 0.02), ("blur", 2.5, 0.9, 0.0),
        ("size", 60.0, 0.07, 0.0), ("size", 40.0, 0.2, 0.0), ("size", 25.0, 0.95, 0.125),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["degradation", "level", "frr", "far"])
    return table.assign(photos_me=12, photos_not_me=34)


def fields_of(figure: Figure) -> list[tuple[list[str], bool]]:
    """The words in each field, from above, and whether it has a frame; row by row."""
    (axes,) = figure.axes
    found = []
    for field in [patch for patch in axes.patches if isinstance(patch, Rectangle)]:
        (left, top), width, height = field.get_xy(), field.get_width(), field.get_height()
        inside = [
            (text.get_position()[1], text.get_text())
            for text in axes.texts
            if left < text.get_position()[0] < left + width and top < text.get_position()[1] < top + height
        ]
        found.append(([text for _, text in sorted(inside)], field.get_linewidth() > 1))
    return found


def test_each_field_has_its_step(drawn: list[Figure], degraded: pd.DataFrame, tmp_path: Path) -> None:
    draw_robustness(degraded, {"blur": None, "size": 40.0}, BACKBONE, tmp_path / "chart.png")
    as_it_is = (["as it is", "8 %", "FAR 1 %"], False)
    assert fields_of(drawn[0]) == [
        as_it_is, (["1", "10 %", "FAR 2 %"], False), (["2.5", "90 %"], False),
        as_it_is, (["60", "7 %"], False), (["40", "20 %"], True), (["25", "95 %", "FAR 12 %"], False),
    ]  # fmt: skip
    (axes,) = drawn[0].axes
    said = [text.get_text() for text in axes.texts]
    assert said.index("blur") < said.index("deviation, % of the face's width") < said.index("a smaller photo")
    about = axes.get_title("left")
    assert about == f"12 photos of me, 34 of others · {BACKBONE}"
    assert "frame: the first step with FRR doubled" in drawn[0].get_supxlabel()


def test_the_darker_the_more_are_rejected(drawn: list[Figure], degraded: pd.DataFrame, tmp_path: Path) -> None:
    draw_robustness(degraded, {"blur": None, "size": None}, BACKBONE, tmp_path / "chart.png")
    (axes,) = drawn[0].axes
    fields = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    light = [sum(matplotlib.colors.to_rgb(field.get_facecolor())) for field in fields]
    rejected = [0.08, 0.1, 0.9, 0.08, 0.07, 0.2, 0.95]
    assert (
        np.argsort(np.round(light, 6), kind="stable").tolist()
        == np.argsort(-np.array(rejected), kind="stable").tolist()
    )


def test_letters_stand_out_from_what_they_lie_on(drawn: list[Figure], tmp_path: Path) -> None:
    """By the ratio of contrast that WCAG asks for of large letters, 3, and of the small ones nearly that of small."""
    rates = np.linspace(0, 1, 41)
    table = pd.DataFrame({"degradation": ["none", *["blur"] * 40], "level": np.arange(41.0), "frr": rates, "far": 0.0})
    draw_robustness(table.assign(photos_me=1, photos_not_me=1), {"blur": None}, BACKBONE, tmp_path / "chart.png")
    (axes,) = drawn[0].axes
    for field in [patch for patch in axes.patches if isinstance(patch, Rectangle)]:
        left = field.get_x()
        inside = [text for text in axes.texts if left < text.get_position()[0] < left + field.get_width()]
        for text in [text for text in inside if text.get_ha() == "center"]:
            assert contrast(text.get_color(), field.get_facecolor()) > 3.7, (text.get_text(), field.get_facecolor())


def contrast(first: Any, second: Any) -> float:
    """WCAG's ratio of two colours."""

    def light(colour: Any) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                 for part in matplotlib.colors.to_rgb(colour)]  # fmt: skip
        return float(np.dot([0.2126, 0.7152, 0.0722], parts))

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_twice_nothing_is_nothing(drawn: list[Figure], degraded: pd.DataFrame, tmp_path: Path) -> None:
    degraded.loc[0, "frr"] = 0.0
    draw_robustness(degraded, {"blur": 2.5, "size": None}, BACKBONE, tmp_path / "chart.png")
    assert "two photos of me or more rejected" in drawn[0].get_supxlabel()


def test_what_is_not_known_is_a_dash(drawn: list[Figure], degraded: pd.DataFrame, tmp_path: Path) -> None:
    draw_robustness(degraded.assign(frr=np.nan, far=np.nan), {"blur": None, "size": None}, BACKBONE, tmp_path / "c.png")
    assert {tuple(words[1:]) for words, _ in fields_of(drawn[0])} == {("–",)}


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_can_be_read_on_a_telephone(drawn: list[Figure], tmp_path: Path, language: Any) -> None:
    """With all degradations and in both languages: no word is cut off or overlaps another, none is too small."""
    rows = [("none", 0.0), *((way.name, level) for way in DEGRADATIONS for level in way.levels)]
    table = pd.DataFrame(rows, columns=["degradation", "level"]).assign(frr=1.0, far=0.083)
    doubled = {way.name: way.levels[0] for way in DEGRADATIONS}
    with speaking(language):
        draw_robustness(table.assign(photos_me=12, photos_not_me=34), doubled, BACKBONE, tmp_path / "chart.png")
    (figure,) = drawn
    FigureCanvasAgg(figure).draw()  # places are those of the last drawing, which was for the file
    (axes,) = figure.axes
    hidden = {*axes.get_xticklabels(which="both"), *axes.get_yticklabels(which="both")}  # the axis is off
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text() and text not in hidden]
    boxes = [text.get_window_extent() for text in texts]
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in zip(texts, boxes, strict=True):
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height, text.get_text()
        assert text.get_fontsize() / 72 * TELEPHONE / WIDTH >= 10, "pixels high"
    for number, (text, box) in enumerate(zip(texts, boxes, strict=True)):
        for other, its in zip(texts[:number], boxes[:number], strict=True):
            across = min(box.x1, its.x1) - max(box.x0, its.x0)
            down = min(box.y1, its.y1) - max(box.y0, its.y0)
            assert not (across > 1 and down > 3), (text.get_text(), other.get_text())
    with Image.open(tmp_path / "chart.png") as image:
        assert image.width == WIDTH * DPI == 2 * TELEPHONE
    assert min(text.get_fontsize() for text in texts) == SMALL
