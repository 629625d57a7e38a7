"""Draws an answer: the photo with its face, what the network sees, the score on its scale, the nearest photos of me."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont, ImageOps

from asking.nearest import Neighbour
from faces.verification import ScoredFace
from service.client.language import number, say
from service.client.results import printable

WIDTH = 1600
_MARGIN, _GAP = 56, 40
_INNER = WIDTH - 2 * _MARGIN
_PANEL = (960, 800)
_MOST_ENLARGED = 4.0
_COLUMN = _INNER - _PANEL[0] - _GAP
_TILES, _TILE_GAP = 5, 24
_TILE = (_INNER - (_TILES - 1) * _TILE_GAP) // _TILES
_BAR = 34

_PAPER, _INK, _FAINT, _LIGHT = "#ffffff", "#1f2328", "#5f6770", "#f1f3f5"
ME, NOT_ME, UNKNOWN = "#1b6b3a", "#a02020", "#5f6770"
_ME_LIGHT, _NOT_ME_LIGHT = "#cfe8d7", "#f3d3d1"
_TITLE, _BODY, _SMALL = 46, 27, 23
_LINE = 1.35
_FINER = 4  # shapes with slanted edges are drawn so many times as large, and reduced


@dataclass(frozen=True)
class Explanation:
    """What is drawn.

    Attributes:
        name: of the photo.
        photo: RGB, as displayed, at any size.
        size: width and height of the photo at full size, in pixels, as displayed.
        faces: those found, the largest first; none where there is none.
        is_me: the answer; None where no face was found.
        threshold: from which score on a face counts as me.
        meaning: sentences.
        hints: sentences; None where nobody knows when a photo is too poor.
        nearest: photos of me; none where they are not known.
        of_nearest: a sentence about them, or why there are none.
        model: a line about the model.
    """

    name: str
    photo: Image.Image
    size: tuple[int, int]
    faces: Sequence[ScoredFace]
    is_me: bool | None
    threshold: float
    meaning: Sequence[str] = ()
    hints: Sequence[str] | None = None
    nearest: Sequence[Neighbour] = ()
    of_nearest: str = ""
    model: str = ""

    @property
    def colour(self) -> str:
        """That of the answer; words say the same."""
        return {True: ME, False: NOT_ME, None: UNKNOWN}[self.is_me]


def draw(explanation: Explanation) -> bytes:
    """Draw it.

    Returns:
        A PNG.
    """
    page = _Page()
    _draw_head(page, explanation)
    _draw_photo(page, explanation)
    if explanation.faces:
        _draw_scale(page, explanation)
    for sentence in explanation.meaning:
        page.write(sentence, _BODY)
    page.y += _GAP
    _draw_nearest(page, explanation)
    page.write(explanation.model, _SMALL, _FAINT)
    page.write(say("This picture shows faces: keep it as you keep the photos."), _SMALL, _FAINT)
    file = io.BytesIO()
    page.finished().save(file, "PNG")
    return file.getvalue()


@dataclass
class _Page:
    """A sheet that is filled from the top.

    Attributes:
        y: where the next thing goes.
    """

    y: int = _MARGIN
    sheet: Image.Image = field(default_factory=lambda: Image.new("RGB", (WIDTH, 6000), _PAPER))

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.sheet)

    def write(
        self, text: str, size: int, ink: str = _INK, bold: bool = False, x: int = _MARGIN, width: int = _INNER
    ) -> None:
        """A paragraph, in lines of at most that width in pixels; `y` moves below it."""
        for line in wrapped(text, size, width, bold):
            self.pen.text((x, self.y), line, ink, font(size, bold))
            self.y += round(size * _LINE)

    def finished(self) -> Image.Image:
        """As much of the sheet as is filled."""
        return self.sheet.crop((0, 0, WIDTH, self.y + _MARGIN // 2))


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and has the letters of most European languages."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def wrapped(text: str, size: int, width: int, bold: bool = False) -> list[str]:
    """A text in lines that are at most that wide, in pixels; a word that is wider is broken."""
    lines = [""]
    for word in printable(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if font(size, bold).getlength(longer) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and font(size, bold).getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line]


def shortened(text: str, size: int, width: int, bold: bool = False) -> str:
    """A text of one line, shortened in its middle if it is wider than so many pixels."""
    text = printable(text)
    short, keep = text, len(text)
    while font(size, bold).getlength(short) > width and keep > 2:
        keep -= 1
        short = text[: (keep + 1) // 2] + "…" + text[len(text) - keep // 2 :]
    return short


def _draw_head(page: _Page, explanation: Explanation) -> None:
    """The answer in a word, the comparison that it comes from, and the photo's name."""
    verdicts = {True: say("Me"), False: say("Not me"), None: say("No face found")}
    verdict = verdicts[explanation.is_me]
    page.pen.text((_MARGIN, page.y), verdict, explanation.colour, font(_TITLE, bold=True))
    x = _MARGIN + round(font(_TITLE, bold=True).getlength(verdict)) + _GAP
    if explanation.faces:
        score = _shown(explanation.faces[0].score, explanation.threshold)
        sign, threshold = "≥" if explanation.is_me else "<", number(explanation.threshold)
        text = say("score {score} {sign} {threshold}", score=score, sign=sign, threshold=threshold)
        page.pen.text((x, page.y + 12), text, _INK, font(_TITLE - 14))
        x += round(font(_TITLE - 14).getlength(text)) + _GAP
    name = shortened(explanation.name, _SMALL, WIDTH - _MARGIN - x)
    page.pen.text((WIDTH - _MARGIN, page.y + 40), name, _FAINT, font(_SMALL), anchor="rs")
    page.y += 84


def _shown(score: float, threshold: float) -> str:
    """A score with three decimals, or as many more as it takes to tell it from 0, from 1 and from the threshold."""

    def is_told(digits: int) -> bool:
        rounded = round(score, digits)
        same_side = (rounded >= threshold) == (score >= threshold)
        return same_side and (rounded > 0) == (score > 0) and (rounded < 1) == (score < 1)

    return number(score, f".{next(filter(is_told, (3, 4, 5)), 6)}f")


def _draw_photo(page: _Page, explanation: Explanation) -> None:
    """The photo in its panel; beside it the crop, and what could be better."""
    top = page.y
    factor = min(_PANEL[0] / explanation.photo.width, _PANEL[1] / explanation.photo.height, _MOST_ENLARGED)
    shown = explanation.photo.resize(
        (max(1, round(explanation.photo.width * factor)), max(1, round(explanation.photo.height * factor))),
        Image.Resampling.LANCZOS,
    )
    panel = Image.new("RGB", (_PANEL[0], max(shown.height, 420)), _LIGHT)
    corner = (panel.width - shown.width) // 2, (panel.height - shown.height) // 2
    _mark_faces(shown, explanation, shown.width / explanation.size[0])
    panel.paste(shown, corner)
    page.sheet.paste(panel, (_MARGIN, top))
    page.y += panel.height + 14
    if explanation.faces:
        text = say("The frame: the face that was found. The dots: eyes, nose, corners of the mouth.")
        page.write(text, _SMALL, _FAINT, width=_PANEL[0])
        if len(explanation.faces) > 1:
            text = "The largest face is judged. Grey: {others:one other face, with its|# other faces, with their} score"
            page.write(say(text, others=len(explanation.faces) - 1), _SMALL, _FAINT, width=_PANEL[0])
    below = page.y
    page.y = top
    _draw_column(page, explanation, _MARGIN + _PANEL[0] + _GAP)
    page.y = max(below, page.y) + _GAP


def _draw_column(page: _Page, explanation: Explanation, x: int) -> None:
    crop = explanation.faces[0].face.crop if explanation.faces else None
    if crop is not None:
        image = Image.fromarray(crop)
        page.sheet.paste(image.resize((_COLUMN, _COLUMN), Image.Resampling.BICUBIC), (x, page.y))
        page.y += _COLUMN + 14
        text = "What the network sees: the face, aligned, {size} × {size} pixels"
        page.write(say(text, size=image.width), _SMALL, _FAINT, x=x, width=_COLUMN)
        page.y += _GAP // 2
    if explanation.hints:
        page.write(say("What could be better"), _BODY, bold=True, x=x, width=_COLUMN)
    elif explanation.hints is not None:
        page.write(say("Size, sharpness, light and pose of the face are good enough."), _BODY, x=x, width=_COLUMN)
    for hint in explanation.hints or ():
        page.y += 6
        page.pen.text((x, page.y), "•", _INK, font(_BODY))
        page.write(hint, _BODY - 2, x=x + 26, width=_COLUMN - 26)


def _mark_faces(shown: Image.Image, explanation: Explanation, scale: float) -> None:
    """Frames around the faces, and the landmarks of the largest one."""
    pen = ImageDraw.Draw(shown)
    for scored in reversed(explanation.faces):
        largest = scored is explanation.faces[0]
        box = [round(float(value) * scale) for value in scored.face.box]
        if largest:
            pen.rectangle((box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2), outline=_PAPER, width=9)
            pen.rectangle(tuple(box), outline=explanation.colour, width=5)
            radius = max(4, min(9, (box[2] - box[0]) // 22))
            for x, y in scored.face.landmarks * scale:
                _dot(shown, float(x), float(y), radius, explanation.colour)
        else:
            pen.rectangle(tuple(box), outline="#d5d9dd", width=3)
            _label(pen, box[0], box[3], shown.height, _shown(scored.score, explanation.threshold))


def _label(pen: ImageDraw.ImageDraw, x: int, y: int, height: int, text: str) -> None:
    """A small text on a dark ground: just below a frame, or at the bottom of an image of that height."""
    y = min(y, height - 32)
    left, top, right, bottom = pen.textbbox((x, y + 4), text, font(20))
    pen.rectangle((left - 5, top - 4, right + 5, bottom + 4), fill="#3a4046")
    pen.text((x, y + 4), text, _PAPER, font(20))


def _dot(image: Image.Image, x: float, y: float, radius: int, colour: str) -> None:
    """A disc with a light border; smooth."""
    side = 2 * radius + 6

    def discs(pen: ImageDraw.ImageDraw) -> None:
        for size, fill in ((radius + 2, _PAPER), (radius, colour)):
            pen.ellipse([_FINER * (side / 2 - size), _FINER * (side / 2 - size),
                         _FINER * (side / 2 + size), _FINER * (side / 2 + size)], fill=fill)  # fmt: skip

    _smooth(image, (round(x - side / 2), round(y - side / 2)), (side, side), discs)


def _smooth(
    image: Image.Image, corner: tuple[int, int], size: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw], None]
) -> None:
    """Paint on a transparent layer that is `_FINER` times as large, and put that on an image."""
    layer = Image.new("RGBA", (size[0] * _FINER, size[1] * _FINER), (0, 0, 0, 0))
    paint(ImageDraw.Draw(layer))
    reduced = layer.resize(size, Image.Resampling.BOX)
    image.paste(reduced, corner, reduced)


def _draw_scale(page: _Page, explanation: Explanation) -> None:
    """The score on the scale from 0 to 1, with the threshold between the two answers."""
    score = explanation.faces[0].score
    left, right = _MARGIN + 10, WIDTH - _MARGIN - 10

    def at(value: float) -> int:
        return round(left + value * (right - left))

    top = page.y + 66
    border = at(explanation.threshold)
    page.pen.rectangle((left, top, right, top + _BAR), fill=_NOT_ME_LIGHT)
    page.pen.rectangle((border, top, right, top + _BAR), fill=_ME_LIGHT)
    page.pen.rectangle((border - 2, top - 8, border + 1, top + _BAR + 8), fill=_INK)
    _zone(page, left, border, top, say("not me"), NOT_ME)
    _zone(page, border, right, top, say("me"), ME)
    place = at(score)
    _smooth(page.sheet, (place - 16, top - 26), (32, 24), lambda pen: pen.polygon(
        [(0, 0), (32 * _FINER, 0), (16 * _FINER, 24 * _FINER)], fill=explanation.colour))  # fmt: skip
    page.pen.rectangle((place - 2, top - 4, place + 1, top + _BAR), fill=explanation.colour)
    text = say("score {score}", score=_shown(score, explanation.threshold))
    _centred(page, place, top - 62, text, explanation.colour, bold=True)
    below = top + _BAR + 12
    text = say("threshold {threshold}", threshold=number(explanation.threshold))
    span = _centred(page, border, below, text, _INK)
    for value in (0, 1):
        if not span[0] - 40 < at(value) < span[1] + 40:
            _centred(page, at(value), below, str(value), _FAINT)
    page.y = below + 62


def _zone(page: _Page, left: int, right: int, top: int, text: str, ink: str) -> None:
    """A word in the middle of a part of the bar, where there is room for it."""
    if right - left > font(_SMALL).getlength(text) + 30:
        page.pen.text(((left + right) / 2, top + _BAR / 2), text, ink, font(_SMALL), anchor="mm")


def _centred(page: _Page, x: int, y: int, text: str, ink: str, bold: bool = False) -> tuple[float, float]:
    """A text around a place, moved where it would leave the sheet; returns where it begins and ends."""
    length = font(_SMALL + 1, bold).getlength(text)
    start = min(max(x - length / 2, _MARGIN), WIDTH - _MARGIN - length)
    page.pen.text((start, y), text, ink, font(_SMALL + 1, bold))
    return start, start + length


def _draw_nearest(page: _Page, explanation: Explanation) -> None:
    """A row of crops with their similarities, or why there is none."""
    if explanation.nearest:
        page.write(say("The photos of me that it is most like"), _BODY, bold=True)
        page.y += 10
        for start in range(0, len(explanation.nearest), _TILES):
            row = explanation.nearest[start : start + _TILES]
            for place, neighbour in enumerate(row):
                _draw_neighbour(page, neighbour, _MARGIN + place * (_TILE + _TILE_GAP))
            page.y += _TILE + 92
    if explanation.of_nearest:
        page.write(explanation.of_nearest, _SMALL, _FAINT)
        page.y += _GAP // 2


def _draw_neighbour(page: _Page, neighbour: Neighbour, x: int) -> None:
    if neighbour.crop is None:
        page.pen.rectangle((x, page.y, x + _TILE, page.y + _TILE), fill=_LIGHT)
        page.pen.text((x + _TILE / 2, page.y + _TILE / 2), say("no crop"), _FAINT, font(_SMALL), anchor="mm")
    else:
        page.sheet.paste(ImageOps.fit(neighbour.crop, (_TILE, _TILE), Image.Resampling.BICUBIC), (x, page.y))
    similarity = number(neighbour.similarity, ".3f")
    page.pen.text((x, page.y + _TILE + 8), similarity, _INK, font(_BODY, bold=True))
    beside = x + round(font(_BODY, bold=True).getlength(similarity)) + 14
    if neighbour.same:
        page.pen.text((beside, page.y + _TILE + 12), say("this very photo"), _INK, font(_SMALL - 1))
    name = shortened(neighbour.photo.removeprefix("me/"), _SMALL - 3, _TILE)
    page.pen.text((x, page.y + _TILE + 46), name, _FAINT, font(_SMALL - 3))
