"""Pictures show what they were given: figures are looked into before they become pixels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from PIL import Image
from scipy.special import logit
from scipy.stats import norm

from stages.estimation import plots
from stages.estimation.drawing import ME, STRANGERS
from stages.language.telling import speak, tell

BACKBONE = "a-backbone"


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


def only(figures: list[Figure]) -> Axes:
    """The one panel of the one figure that was saved."""
    (figure,) = figures
    (axes,) = figure.axes
    return axes


def points(line: Line2D) -> list[tuple[float, float]]:
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def curve(axes: Axes) -> Line2D:
    """The line in the project's blue."""
    (line,) = [line for line in axes.lines if matplotlib.colors.to_hex(line.get_color()) == ME]
    return line


def said(axes: Axes) -> str:
    """All words of a panel."""
    legend = axes.get_legend()
    inside = [text.get_text() for text in [*axes.texts, *(legend.get_texts() if legend else [])]]
    return "\n".join([title_of(axes), axes.get_xlabel(), axes.get_ylabel(), *inside])


def title_of(axes: Axes) -> str:
    """What stands above a panel."""
    assert axes.figure is not None
    return f"{axes.figure.get_suptitle()}\n{axes.get_title('left')}"


def assert_picture(path: Path) -> None:
    """A file that opens and is not blank."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert min(image.size) >= 400
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 20


def test_roc_is_true_against_false_acceptance(drawn: list[Figure], tmp_path: Path) -> None:
    fpr, tpr = np.array([0.0, 0.1, 0.5, 1.0]), np.array([0.0, 0.7, 0.9, 1.0])
    plots.draw_roc(fpr, tpr, 0.8765, BACKBONE, tmp_path / "roc.png")
    axes = only(drawn)
    assert points(curve(axes)) == [(0, 0), (0.1, 0.7), (0.5, 0.9), (1, 1)]
    assert curve(axes).get_drawstyle() == "steps-post"
    assert [(0.0, 0.0), (1.0, 1.0)] in [points(line) for line in axes.lines]
    assert "FAR" in axes.get_xlabel() and "FRR" in axes.get_ylabel()
    assert "0.8765" in said(axes).replace(",", ".") and BACKBONE in title_of(axes)
    assert_picture(tmp_path / "roc.png")


def test_precision_stands_over_recall(drawn: list[Figure], tmp_path: Path) -> None:
    recall, precision = np.array([1.0, 0.5, 0.25, 0.0]), np.array([0.4, 0.6, 0.75, 1.0])
    plots.draw_precision_recall(recall, precision, 0.6543, BACKBONE, tmp_path / "pr.png")
    axes = only(drawn)
    assert points(curve(axes)) == [(1, 0.4), (0.5, 0.6), (0.25, 0.75), (0, 1)]
    assert axes.get_xlabel() != axes.get_ylabel()
    assert "precisi" in axes.get_ylabel().lower() and "precisi" not in axes.get_xlabel().lower()
    assert "0.6543" in said(axes).replace(",", ".") and BACKBONE in title_of(axes)
    assert_picture(tmp_path / "pr.png")


def test_det_is_frr_over_far_on_normal_deviates(drawn: list[Figure], tmp_path: Path) -> None:
    far, frr = np.array([0.0, 0.01, 0.2, 1.0]), np.array([1.0, 0.3, 0.05, 0.0])
    plots.draw_det(far, frr, BACKBONE, tmp_path / "det.png")
    axes = only(drawn)
    low, high = 0.00005, 0.6  # what is outside is drawn at the edge
    x, y = norm.ppf([low, 0.01, 0.2, high]), norm.ppf([high, 0.3, 0.05, low])
    assert points(curve(axes)) == [(pytest.approx(a), pytest.approx(b)) for a, b in zip(x, y, strict=True)]
    assert "FAR" in axes.get_xlabel() and "FRR" in axes.get_ylabel() and BACKBONE in title_of(axes)
    for axis in (axes.xaxis, axes.yaxis):
        names = [text.get_text().replace(",", ".") for text in axis.get_ticklabels()]
        shown = dict(zip(names, axis.get_ticklocs(), strict=True))
        assert shown["1 %"] == pytest.approx(norm.ppf(0.01))
        assert shown["50 %"] == pytest.approx(norm.ppf(0.5))
        assert shown["0.01 %"] == pytest.approx(norm.ppf(0.0001))
    assert len(axes.texts) == 0, "some face is mistaken at every threshold"
    assert_picture(tmp_path / "det.png")


def test_where_no_face_is_mistaken_the_det_curve_lies_on_the_edge_is_seen_and_said(
    drawn: list[Figure], tmp_path: Path
) -> None:
    plots.draw_det(np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]), BACKBONE, tmp_path / "det.png")
    assert len(only(drawn).texts) == 1
    with Image.open(tmp_path / "det.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    blue = abs(pixels - (0x1F, 0x5F, 0xA8)).max(axis=2) < 30
    assert blue.sum(axis=0).max() > 300 and blue.sum(axis=1).max() > 300


def test_calibration_is_the_share_of_me_over_the_score(drawn: list[Figure], tmp_path: Path) -> None:
    table = pd.DataFrame({"score": [0.05, 0.15, 0.25], "share_me": [0.1, 0.3, 1.0], "weight": [0.5, 0.125, 0.375],
                          "faces": [80, 10, 60]})  # fmt: skip
    plots.draw_calibration(table, BACKBONE, tmp_path / "calibration.png")
    axes, below = drawn[0].axes
    wanted = [(0.05, 0.1), (0.15, 0.3), (0.25, 1.0)]
    assert points(curve(axes)) == wanted
    assert not axes.texts, "no tenth is left out"
    (scatter,) = axes.collections
    assert np.asarray(scatter.get_offsets()).tolist() == [list(point) for point in wanted]
    areas = np.asarray(scatter.get_sizes())
    assert np.diff(areas)[[0, 1]] / 0.125 == pytest.approx(np.diff([0.5, 0.125, 0.375]) / 0.125 * 400)
    assert [(0.0, 0.0), (1.0, 1.0)] in [points(line) for line in axes.lines]
    assert axes.get_ylabel() and below.get_xlabel() and below.get_ylabel() and BACKBONE in title_of(axes)
    assert_picture(tmp_path / "calibration.png")


def test_calibration_draws_nothing_where_few_faces_are(drawn: list[Figure], tmp_path: Path) -> None:
    """Tenths 3 and 7 have too few faces: they are no points, and no line leads past them; the picture says so."""
    table = pd.DataFrame({
        "score": [0.05, 0.15, 0.35, 0.55, 0.65, 0.75, 0.99], "share_me": [0, 0.1, 1, 0.5, 0.6, 0, 1],
        "weight": [0.3, 0.1, 0.01, 0.1, 0.1, 0.02, 0.37], "faces": [50, 12, 3, 11, 15, 9, 40],
    })  # fmt: skip
    plots.draw_calibration(table, BACKBONE, tmp_path / "calibration.png")
    axes, below = drawn[0].axes
    (scatter,) = axes.collections
    shown = [(0.05, 0.0), (0.15, 0.1), (0.55, 0.5), (0.65, 0.6), (0.99, 1.0)]
    assert np.asarray(scatter.get_offsets()).tolist() == [list(point) for point in shown]
    lines = [points(line) for line in axes.lines]
    assert lines[1:] == [shown[:2], shown[2:4], shown[4:]]
    (said,) = axes.texts
    assert "fewer than 10 faces" in said.get_text()
    bars = {round(bar.get_x() + bar.get_width() / 2, 2): bar.get_height() for bar in below.patches}
    assert bars == {0.05: 50, 0.15: 12, 0.35: 3, 0.55: 11, 0.65: 15, 0.75: 9, 0.95: 40}, "below, all are counted"
    assert [text.get_text() for text in below.texts] == ["50", "12", "3", "11", "15", "9", "40"]


def test_scores_are_spread_by_class_with_the_thresholds_where_they_lie(drawn: list[Figure], tmp_path: Path) -> None:
    """Three strangers, two of them with the same low score; one photo of me. Each class's bars add up to 1."""
    labels, scores = np.array([0, 0, 0, 1]), np.array([1e-3, 1e-3, 0.3, 0.97])
    plots.draw_scores(labels, scores, {"one": 0.75, "other": 0.9}, BACKBONE, tmp_path / "scores.png")
    axes = only(drawn)
    for colour, name, expected in ((STRANGERS, "not_me", {1e-3: 2 / 3, 0.3: 1 / 3}), (ME, "me", {0.97: 1.0})):
        bars = [bar for bar in axes.patches if matplotlib.colors.to_hex(bar.get_facecolor()) == colour]
        heights = {bar.get_x() + bar.get_width() / 2: bar.get_height() for bar in bars if bar.get_height() > 0}
        assert sum(heights.values()) == pytest.approx(1)
        width = bars[0].get_width()
        for score, height in expected.items():
            near = [value for place, value in heights.items() if abs(place - logit(score)) <= width / 2]
            assert near == [pytest.approx(height)], (name, score)
    drawn_as, names = axes.get_legend_handles_labels()
    handles: dict[str, Any] = dict(zip(names, drawn_as, strict=True))
    assert {"me", "not_me: other people"} <= handles.keys()
    assert matplotlib.colors.to_hex(handles["me"].get_facecolor()) == ME
    lines = {text: line for text, line in handles.items() if isinstance(line, Line2D)}
    placed = {text: points(line)[0][0] for text, line in lines.items()}
    assert len(placed) == 2
    for text, place in placed.items():
        threshold = 0.75 if "one" in text else 0.9
        assert f"{threshold:g}" in text.replace(",", ".")
        assert place == pytest.approx(logit(threshold))
    assert_picture(tmp_path / "scores.png")


def test_a_threshold_of_0_or_1_is_drawn_at_the_end_of_the_scale(drawn: list[Figure], tmp_path: Path) -> None:
    plots.draw_scores(np.array([0, 1]), np.array([0.0, 1.0]), {"a": 0.0, "b": 1.0}, BACKBONE, tmp_path / "s.png")
    assert sorted(points(line)[0][0] for line in only(drawn).lines) == pytest.approx([logit(1e-6), logit(1 - 1e-6)])


def test_far_in_three_ways_and_frr_lie_along_the_threshold(drawn: list[Figure], tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "threshold": [0.0, 0.5, 1.0], "far": [1.0, 0.1, 0.0], "far_high": [1.0, 0.3, 0.2],
            "far_estimated": [1.0, 0.002, 1e-9], "frr": [0.0, 0.05, 1.0], "frr_high": [0.1, 0.15, 1.0],
        }
    )  # fmt: skip
    plots.draw_errors_by_threshold(table, {"one": 0.75, "other": 0.6}, BACKBONE, tmp_path / "errors.png")
    axes = only(drawn)
    lines, names = axes.get_legend_handles_labels()
    found = {name: (points(line), matplotlib.colors.to_hex(line.get_color()), line.get_linestyle())
             for line, name in zip(lines, names, strict=True) if isinstance(line, Line2D)}  # fmt: skip
    assert found == {
        "FAR measured": ([(0, 100), (0.5, 10), (1, 0.005)], STRANGERS, "-"),
        "FAR promised: below this": ([(0, 100), (0.5, 30), (1, 20)], STRANGERS, ":"),
        "FAR estimated": ([(0, 100), (0.5, 0.2), (1, 0.005)], STRANGERS, "--"),
        "FRR measured": ([(0, 0.005), (0.5, 5), (1, 100)], ME, "-"),
        "FRR, with 95 % confidence: below this": ([(0, 10), (0.5, 15), (1, 100)], ME, ":"),
        "threshold 0.75 (one)": ([(0.75, 0), (0.75, 1)], "#000000", "-"),
        "threshold 0.6 (other)": ([(0.6, 0), (0.6, 1)], "#000000", "--"),
    }
    assert axes.get_yscale() == "log" and BACKBONE in title_of(axes)
    assert_picture(tmp_path / "errors.png")
    unknown = table.assign(far=np.nan, far_high=np.nan, far_estimated=None)
    plots.draw_errors_by_threshold(unknown, {"one": 0.75, "other": 0.6}, BACKBONE, tmp_path / "errors.png")
    assert not [name for name in drawn[1].axes[0].get_legend_handles_labels()[1] if "FAR" in name]


def test_the_confusion_matrix_has_what_was_said_along_and_what_is_down(drawn: list[Figure], tmp_path: Path) -> None:
    """Four strangers, one accepted; seven photos of me, two turned away: a row for what they are."""
    labels, predicted = np.array([0] * 4 + [1] * 7), np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0])
    plots.draw_confusion(labels, predicted, 0.625, BACKBONE, tmp_path / "confusion.png")
    axes = only(drawn)
    counts = {(round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in axes.texts}
    assert counts == {(0, 0): "3", (0, 1): "1", (1, 0): "2", (1, 1): "5"}
    for axis in (axes.xaxis, axes.yaxis):
        assert [text.get_text() for text in axis.get_ticklabels()] == ["not_me", "me"]
    assert axes.get_xlabel().lower().startswith("pred") and not axes.get_ylabel().lower().startswith("pred")
    assert "0.625" in title_of(axes).replace(",", ".") and BACKBONE in title_of(axes)
    assert_picture(tmp_path / "confusion.png")


def test_the_same_picture_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        plots.draw_roc(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.5, BACKBONE, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def words_of(figure: Figure) -> str:
    """All words of a figure, those of its legends and axes included."""
    figure.canvas.draw()
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


def test_every_word_is_in_the_language_chosen(drawn: list[Figure], tmp_path: Path) -> None:
    rates, labels = np.array([0.0, 0.25, 1.0]), np.array([0, 1, 1])
    calibration = pd.DataFrame({"score": [0.2, 0.75], "share_me": [0.1, 0.9], "weight": [0.5, 0.5], "faces": [50, 3]})
    table = pd.DataFrame(
        {"threshold": rates, **dict.fromkeys(("far", "far_high", "far_estimated", "frr", "frr_high"), 0.1)}
    )

    def draw_all() -> str:
        drawn.clear()
        plots.draw_roc(rates, rates, 0.75, BACKBONE, tmp_path / "1.png")
        plots.draw_precision_recall(rates, rates, 0.75, BACKBONE, tmp_path / "2.png")
        plots.draw_det(rates, np.zeros(3), BACKBONE, tmp_path / "3.png")
        plots.draw_calibration(calibration, BACKBONE, tmp_path / "4.png")
        names = {tell("the service's"): 0.75, tell("for the FAR asked for"): 0.9}
        plots.draw_scores(labels, rates, names, BACKBONE, tmp_path / "5.png")
        plots.draw_errors_by_threshold(table, names, BACKBONE, tmp_path / "6.png")
        plots.draw_confusion(labels, labels, 0.75, BACKBONE, tmp_path / "7.png")
        return "\n".join(map(words_of, drawn))

    english_words = r"\b(the|of|and|faces|threshold|score|share|precision|accepted|rejected|per|none|times|predicted)\b"
    english = draw_all()
    assert len(drawn) == 7
    assert len(re.findall(english_words, english, re.IGNORECASE)) > 40
    assert "0.75" in english and "0,75" not in english
    speak("es")
    try:
        spanish = draw_all()
    finally:
        speak("en")
    assert re.findall(english_words, spanish.replace(BACKBONE, ""), re.IGNORECASE) == []
    assert "0,75" in spanish and not re.search(r"\d\.\d", spanish)
