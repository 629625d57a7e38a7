"""The contact sheet, looked at as people do: which face stands where, in which frame, under which words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageDraw

from stages.errors import StageError
from stages.files.problem_kinds import PROBLEM_KINDS
from stages.quality.contact_sheet import (
    BOTH,
    COLOURS,
    DUPLICATE,
    FINE,
    LEGEND,
    POOR,
    SEVERAL,
    WRONG_LABEL,
    Tile,
    draw_sheet,
)

Pixels = np.ndarray


@pytest.fixture
def crops(tmp_path: Path) -> list[Path]:
    """Twenty crops, each of one colour that nothing else on a sheet has."""
    paths = []
    for number in range(20):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (160, 160), colour_of(number)).save(path)
        paths.append(path)
    return paths


def colour_of(number: int) -> tuple[int, int, int]:
    return (40 + 7 * number, 250 - 5 * number, 90)


def drawn(sections: list[tuple[str, list[Tile]]], footer: str = "end") -> Pixels:
    with Image.open(io.BytesIO(draw_sheet("title", sections, footer))) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def place(sheet: Pixels, number: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a crop on the sheet, which shows it whole and as a square."""
    rows, columns = np.nonzero((sheet == colour_of(number)).all(axis=2))
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert (right - left, bottom - top) == (136, 136)
    assert len(rows) == 136 * 136, "nothing is drawn over it"
    return int(left), int(top), int(right), int(bottom)


def frame(sheet: Pixels, number: int) -> tuple[int, ...]:
    """Colour of the frame, at the outermost pixel of it: six pixels from the crop."""
    left, top, right, bottom = place(sheet, number)
    corners = {tuple(sheet[y, x].tolist()) for y, x in ((top - 6, left - 6), (bottom + 5, right + 5))}
    assert len(corners) == 1
    return corners.pop()


def test_faces_stand_in_rows_in_their_order(crops: list[Path]) -> None:
    """Eight in a row; the second section begins a row of its own."""
    first, second = [Tile(path, "a.jpg") for path in crops[:11]], [Tile(path, "b.jpg") for path in crops[11:14]]
    sheet = drawn([("me", first), ("not_me", second)])
    places = [place(sheet, number) for number in range(14)]
    lefts, tops = [left for left, *_ in places], [top for _, top, *_ in places]
    assert lefts[:8] == sorted(set(lefts[:8])), "from left to right"
    assert lefts[8:11] == lefts[:3] and lefts[11:] == lefts[:3]
    assert len(set(tops[:8])) == len(set(tops[8:11])) == len(set(tops[11:])) == 1
    frame_and_name = 136 + 2 * 6 + 17
    assert tops[0] + frame_and_name <= tops[8] and tops[8] + frame_and_name < tops[11], "names are not painted over"


@pytest.mark.parametrize(
    ("problems", "colour"),
    [
        (["suspected_me"], WRONG_LABEL), (["suspected_not_me", "blurred"], WRONG_LABEL), (["two_people"], WRONG_LABEL),
        (["in_both_classes", "near_duplicate"], BOTH), (["near_duplicate"], DUPLICATE), (["blurred"], POOR),
        (["tiny_face", "several_faces"], POOR), (["several_faces"], SEVERAL), ([], FINE),
    ],
)  # fmt: skip
def test_the_gravest_problem_gives_the_frame_its_colour(crops: list[Path], problems: list[str], colour: str) -> None:
    tiles = [Tile(crops[0], "a.jpg", problems, ["note"] * len(problems)), Tile(crops[1], "b.jpg")]
    sheet = drawn([("me", tiles)])
    assert frame(sheet, 0) == ImageColor.getrgb(colour)
    assert frame(sheet, 1) == ImageColor.getrgb(FINE)


def test_each_colour_has_its_own_words_in_the_legend() -> None:
    assert len({WRONG_LABEL, BOTH, DUPLICATE, POOR, SEVERAL, FINE}) == 6
    assert set(LEGEND) == {WRONG_LABEL, BOTH, DUPLICATE, POOR, SEVERAL, FINE}
    for colour, word in ((WRONG_LABEL, "wrong"), (BOTH, "both"), (DUPLICATE, "duplicate"), (POOR, "blurred"),
                         (SEVERAL, "several"), (FINE, "no problem")):  # fmt: skip
        assert [shown for shown, words in LEGEND.items() if word in words] == [colour]
    for kind in PROBLEM_KINDS:
        assert (kind.name in COLOURS) == (kind.category != "other")


def test_the_legend_shows_every_colour(crops: list[Path]) -> None:
    sheet = drawn([("me", [Tile(crops[0], "a.jpg")])])
    top = place(sheet, 0)[1] - 6
    for colour in LEGEND:
        assert (sheet[: top - 20] == ImageColor.getrgb(colour)).all(axis=2).sum() > 20


def test_below_a_face_stand_its_name_and_what_is_said_of_it(crops: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The words and where they begin, as the drawing is told; two notes at most, and folders on a line of their own."""
    written: list[tuple[float, float, str]] = []
    original = ImageDraw.ImageDraw.text

    def text(draw: ImageDraw.ImageDraw, xy: tuple[float, float], words: str, *given: object, **more: object) -> None:
        written.append((*xy, words))
        original(draw, xy, words, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    one = Tile(crops[0], "folder/a.jpg", ["blurred", "dark_face", "several_faces"], ["first", "second", "third"])
    sheet = drawn([("me: 2 faces", [one, Tile(crops[1], "b\r.jpg")]), ("empty", [])])
    words = [said for _, _, said in written]
    assert "title" in words and "me: 2 faces" in words and "empty" not in words
    left, _, right, bottom = place(sheet, 0)
    below = sorted((y, said) for x, y, said in written if left - 6 <= x < right and y >= bottom and said != "end")
    own = [said for _, said in below]
    assert own == ["folder", "a.jpg", "first", "second"]
    other = place(sheet, 1)
    assert [said for x, y, said in written if other[0] - 6 <= x < other[2] and y >= other[3]] == ["b·.jpg"]


def test_a_long_name_keeps_its_beginning_and_end_and_stays_below_its_face(crops: list[Path]) -> None:
    tiles = [Tile(crops[0], "x" * 200 + ".jpg"), Tile(crops[1], "y.jpg")]
    sheet = drawn([("me", tiles)])
    left, _, right, bottom = place(sheet, 0)
    gap = sheet[bottom + 8 : bottom + 24, right + 7 : place(sheet, 1)[0] - 7]
    assert (gap == 255).all(), "nothing reaches under the next face"
    assert (sheet[bottom + 8 : bottom + 24, left:right] < 128).any()


def test_a_crop_that_cannot_be_read_is_named(crops: list[Path]) -> None:
    crops[0].write_bytes(b"damaged")
    with pytest.raises(StageError, match=r"0\.png cannot be read .*: run 'dvc repro --force crop'"):
        drawn([("me", [Tile(crops[0], "a.jpg")])])
