"""A sheet of faces to look through, the most suspicious first."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from faces.message import Message
from stages.errors import StageError
from stages.files.locked_files import reveal
from stages.files.problem_kinds import PROBLEM_KINDS
from stages.language.telling import tell

# Colour-blind people can tell these colours apart (Okabe and Ito, 2008). Words below each face say the same.
WRONG_LABEL, BOTH, DUPLICATE, POOR, SEVERAL, FINE = "#d00000", "#a020c0", "#0072b2", "#b87700", "#00805c", "#c8c8c8"
LEGEND = {
    WRONG_LABEL: Message("suspected in the wrong class"),
    BOTH: Message("in both classes"),
    DUPLICATE: Message("near-duplicate"),
    POOR: Message("tiny, blurred, dark, overexposed, to the side or cut off"),
    SEVERAL: Message("several faces on the photo"),
    FINE: Message("no problem found"),
}
_CATEGORY_COLOURS = {
    "wrong_class": WRONG_LABEL,
    "both_classes": BOTH,
    "duplicate": DUPLICATE,
    "poor": POOR,
    "several_faces": SEVERAL,
}
COLOURS = {kind.name: _CATEGORY_COLOURS[kind.category] for kind in PROBLEM_KINDS if kind.category in _CATEGORY_COLOURS}
"""Colour of the frame for each kind of problem that a face can have."""

_COLUMNS = 8
_FACE, _FRAME, _GAP, _MARGIN = 136, 6, 14, 24
_LINE = 17
_NOTES = 2  # problems that are named below a face, at most
_SIDE = _FACE + 2 * _FRAME
_TILE = _SIDE + _GAP
_WIDTH = 2 * _MARGIN + _COLUMNS * _TILE - _GAP
_INK, _FAINT, _PAPER = "#202020", "#606060", "#ffffff"


@dataclass(frozen=True)
class Tile:
    """A face on the sheet.

    Attributes:
        crop: its file.
        name: the photo's name, to be shown; it is shortened if it is too long.
        problems: kinds of problem (`stages.quality.problems`), the gravest first. The first decides the colour of the
            frame.
        notes: a line for each problem, to be shown.
    """

    crop: Path
    name: str
    problems: Sequence[str] = ()
    notes: Sequence[str] = ()


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and has the letters of most European languages."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def draw_sheet(title: str, sections: Sequence[tuple[str, Sequence[Tile]]], footer: str) -> bytes:
    """Draw the sheet.

    Args:
        title: the first line.
        sections: a heading and faces for each; a section without faces is left out.
        footer: the last lines.

    Returns:
        A PNG.

    Raises:
        StageError: a crop cannot be read.
    """
    filled = [(heading, _rows(tiles)) for heading, tiles in sections if tiles]
    top, heading_height = 92, 34
    below = (footer.count("\n") + 1) * _LINE + _MARGIN
    height = top + sum(heading_height + sum(map(_height, rows)) for _, rows in filled) + below
    sheet = Image.new("RGB", (_WIDTH, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, 18), title, _INK, _font(20, bold=True))
    _draw_legend(draw, 56)
    y = top
    for heading, rows in filled:
        draw.text((_MARGIN, y + 6), heading, _INK, _font(15, bold=True))
        y += heading_height
        for row in rows:
            for number, tile in enumerate(row):
                _draw_tile(sheet, tile, _MARGIN + number * _TILE, y)
            y += _height(row)
    draw.multiline_text((_MARGIN, y), footer, _FAINT, _font(13), spacing=4)
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=3)
    return file.getvalue()


def _rows(tiles: Sequence[Tile]) -> list[Sequence[Tile]]:
    return [tiles[start : start + _COLUMNS] for start in range(0, len(tiles), _COLUMNS)]


def _lines(tile: Tile) -> list[str]:
    """The name of a photo in lines: the folder, if it lies in one, and the file."""
    folder, _, file = tile.name.rpartition("/")
    return [folder, file] if folder else [file]


def _height(row: Sequence[Tile]) -> int:
    """Height in pixels of a row of faces, with the text below them."""
    return _SIDE + max(len(_lines(tile)) + min(len(tile.notes), _NOTES) for tile in row) * _LINE + _GAP


def _draw_legend(draw: ImageDraw.ImageDraw, y: int) -> None:
    x: float = _MARGIN
    for colour, text in LEGEND.items():
        draw.rectangle((x, y + 1, x + 14, y + 15), outline=colour, width=4)
        told = tell(text)
        draw.text((x + 21, y), told, _INK, _font(13))
        x += 21 + draw.textlength(told, _font(13)) + 24


def _draw_tile(sheet: Image.Image, tile: Tile, x: int, y: int) -> None:
    draw = ImageDraw.Draw(sheet)
    colour = COLOURS[tile.problems[0]] if tile.problems else FINE
    draw.rectangle((x, y, x + _SIDE - 1, y + _SIDE - 1), outline=colour, width=_FRAME if tile.problems else 1)
    sheet.paste(_read(tile.crop), (x + _FRAME, y + _FRAME))
    lines = [(line, _INK, False) for line in _lines(tile)] + [(note, colour, True) for note in tile.notes[:_NOTES]]
    for number, (line, ink, bold) in enumerate(lines):
        draw.text((x, y + _SIDE + 2 + number * _LINE), _shortened(draw, line, _SIDE, bold), ink, _font(12, bold))


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(io.BytesIO(reveal(path.read_bytes(), path))) as image:
            return image.convert("RGB").resize((_FACE, _FACE), Image.Resampling.LANCZOS)
    except (OSError, SyntaxError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StageError(
            "the crop {path} cannot be read ({reason}): run 'dvc repro --force crop'", path=path, reason=reason
        ) from error


def _shortened(draw: ImageDraw.ImageDraw, text: str, width: int, bold: bool) -> str:
    """The text, shortened in its middle if it is wider than so many pixels; what cannot be printed becomes "·"."""
    text = "".join(letter if letter.isprintable() else "·" for letter in text)
    font, keep = _font(12, bold), len(text)
    short = text
    while draw.textlength(short, font) > width and keep > 2:
        keep -= 1
        short = text[: (keep + 1) // 2] + "…" + text[len(text) - keep // 2 :]
    return short
