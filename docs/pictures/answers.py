"""What the service answers about two portraits, as JSON and in words."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser

from bench.support.servers import Server, multipart
from docs.pictures.browser import as_image, photograph

_PORTRAIT = 260  # pixels of a portrait's longer side
_STYLE = """
body { font: 16px/1.45 "DejaVu Sans", sans-serif; color: #202020; margin: 0; padding: 20px; width: 860px }
.row { display: flex; gap: 20px; align-items: flex-start; padding: 8px 0 }
.row + .row { border-top: 1px solid #d0d0d0; padding-top: 24px }
img { border-radius: 6px; display: block }
p { margin: 0 0 10px } .yes { color: #1b6b3a } .no { color: #a02020 } b { font-size: 20px }
pre { font: 13px/1.5 "DejaVu Sans Mono", monospace; background: #f3f4f6; padding: 12px; margin: 0; border-radius: 6px;
      white-space: pre-wrap }
"""
_SENTENCES = {
    "en": {True: "This is me", False: "This is not me"},
    "es": {True: "Soy yo", False: "No soy yo"},
}


@dataclass(frozen=True)
class Answer:
    """What the service said of a photo."""

    photo: Path
    values: dict[str, Any]


def ask(server: Server, photos: list[Path]) -> list[Answer]:
    """What the service says of photos."""
    answers = []
    for photo in photos:
        _, _, said = server.ask(*multipart(photo.read_bytes()))
        answers.append(Answer(photo, json.loads(said)))
    return answers


def portrait(answer: Answer) -> str:
    """An <img> of the photo with the face's box drawn on it."""
    photo = Image.open(answer.photo).convert("RGB")
    ratio = _PORTRAIT / max(photo.size)
    small = photo.resize((round(photo.width * ratio), round(photo.height * ratio)), Image.Resampling.LANCZOS)
    colour = "#1b6b3a" if answer.values["is_me"] else "#a02020"
    box = [value * ratio for value in answer.values["face"]["box"]]
    ImageDraw.Draw(small).rectangle(box, outline=colour, width=3)
    return as_image(small)


def draw_answers(browser: Browser, answers: list[Answer], language: str) -> Image.Image:
    """The portraits, each beside the answer and what it means."""
    rows = []
    for answer in answers:
        said = answer.values
        compare = "≥" if said["is_me"] else "<"
        numbers = f"{said['score']:.3f} {compare} {said['threshold']:g}"
        if language == "es":
            numbers = numbers.replace(".", ",")
        words = f'<b class="{"yes" if said["is_me"] else "no"}">{_SENTENCES[language][said["is_me"]]}</b>'
        shown = ",\n ".join(f'"{key}": {json.dumps(value)}' for key, value in said.items())
        rows.append(
            f'<div class="row">{portrait(answer)}<div><p>{words} &nbsp; score: {numbers}</p>'
            f"<pre>{html.escape('{' + shown + '}')}</pre></div></div>"
        )
    return photograph(browser, f"<style>{_STYLE}</style>{''.join(rows)}")
