"""Make the pictures of the documents from the demo's drawn portraits, in both languages.

    python -m docs.pictures

It runs the pipeline and the service of the last commit in a temporary clone, with the network `dlib-resnet`, and writes
three pictures for each language beside this file: what the service answers (answer), the contact sheet of stage quality
with three photos that have a problem (contact_sheet), and the top of the report (report). Chromium draws the pages; on
Debian: `apt-get install chromium`.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from bench.support.servers import multipart, ours
from bench.support.workspace import Workspace, temporary_workspace

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en", "es")
LARGEST_BYTES = 300_000
"""A picture that is larger would make every page slow to load."""

_WIDTH = 900  # pixels of every picture
_REPORT_HEIGHT = 1000  # pixels of the report: its summary and its data
_SHEET_FACES = 16  # faces of the contact sheet, half of each class
_PORTRAIT = 260  # pixels of a portrait's longer side
_COLOURS = 256  # of a picture's palette: text stays sharp, and the file is a third of the size
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
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


def browser() -> str:
    """The Chromium of this machine.

    Raises:
        SystemExit: there is none.
    """
    for name in _BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    sys.exit(f"none of {', '.join(_BROWSERS)} is on the PATH; on Debian: apt-get install chromium")


def photograph(page: Path, height: int) -> Image.Image:
    """A picture of the top of a web page, RGB, `_WIDTH` × `height` pixels.

    Raises:
        SystemExit: Chromium failed; the message holds what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "page.png"
        command = [
            browser(), "--headless", "--hide-scrollbars", f"--window-size={_WIDTH},{height}",
            f"--user-data-dir={folder}/profile", f"--screenshot={target}", page.as_uri(),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # root has no sandbox, and the page is our own
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode or not target.is_file():
            sys.exit(f"{command[0]} made no picture:\n{done.stderr[-2000:]}")
        return Image.open(target).convert("RGB")


def save(picture: Image.Image, name: str) -> None:
    """Write a picture with a palette beside this file.

    Raises:
        SystemExit: it has more than LARGEST_BYTES.
    """
    path = HERE / name
    with_palette(picture).save(path, "PNG", optimize=True)
    if path.stat().st_size > LARGEST_BYTES:
        sys.exit(f"{path} has {path.stat().st_size} bytes; at most {LARGEST_BYTES} are wanted: use fewer colours")
    print(path)


def with_palette(picture: Image.Image) -> Image.Image:
    """The picture with 256 colours of its own, white among them."""
    # Without `kmeans` a colour that few pixels have, such as that of a frame in the legend, becomes another one.
    palette = picture.quantize(_COLOURS - 1, Image.Quantize.MEDIANCUT, kmeans=3)
    colours = (palette.getpalette() or [])[: 3 * (_COLOURS - 1)]
    reduced = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    reduced.putpalette([*colours, 255, 255, 255])
    # Paper, which is else only nearly white.
    reduced.paste(len(colours) // 3, mask=picture.convert("L").point(lambda value: 255 if value == 255 else 0))
    return reduced


def set_param(workspace: Workspace, name: str, value: str) -> None:
    """Change the one parameter of that name in params.yaml, whatever its section."""
    path = workspace.path / "params.yaml"
    text, count = re.subn(rf"(?m)^( *{name}: )\S+", rf"\g<1>{value}", path.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit(f"{path} has {count} parameters {name}; expected one")
    path.write_text(text, encoding="utf-8")


def ask(workspace: Workspace, names: tuple[str, ...]) -> list[Answer]:
    """What the service says of photos of `demo/ask`, which no model has seen."""
    answers = []
    with ours(workspace.path / "models", 1, workspace.path) as server:
        for name in names:
            photo = workspace.path / "demo" / "ask" / name
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portrait.png"
        small.save(path)
        return f'<img src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}">'


def draw_answers(answers: list[Answer], language: str) -> Image.Image:
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
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "answer.html"
        page.write_text(f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style>{"".join(rows)}', "utf-8")
        picture = photograph(page, 900)
    return picture.crop((0, 0, _WIDTH, _last_row(picture) + 20))


def _last_row(picture: Image.Image) -> int:
    """The last row of pixels that is not white throughout."""
    box = picture.convert("L").point(lambda value: 255 if value < 250 else 0).getbbox()
    return box[3] if box else picture.height


def put_problems(workspace: Workspace) -> None:
    """Put a photo of me among the others, and add a near-duplicate and a blurred photo."""
    data, demo = workspace.path / "data", workspace.path / "demo"
    (data / "not_me" / "person_41").mkdir()
    # One that is no longer in `me`: drawn portraits of one person are so alike that the two would pass for copies.
    shutil.move(data / "me" / "24.jpg", data / "not_me" / "person_41" / "1.jpg")
    again = ImageOps.exif_transpose(Image.open(demo / "me" / "05.jpg"))
    again.convert("RGB").save(data / "me" / "05_again.jpg", quality=60)
    blurred = Image.open(demo / "ask" / "me_1.jpg").convert("RGB").filter(ImageFilter.GaussianBlur(7))
    blurred.save(data / "me" / "31.jpg", quality=90)


def contact_sheet(workspace: Workspace) -> Image.Image:
    """The contact sheet of the last run, `_WIDTH` pixels wide."""
    sheet = Image.open(workspace.path / "reports" / "contact_sheet.png").convert("RGB")
    return sheet.resize((_WIDTH, round(sheet.height * _WIDTH / sheet.width)), Image.Resampling.LANCZOS)


def main() -> None:
    """Make every picture."""
    browser()
    with temporary_workspace() as workspace:
        for name in ("me", "not_me"):
            shutil.copytree(workspace.path / "demo" / name, workspace.path / "data" / name, dirs_exist_ok=True)
        set_param(workspace, "name", "dlib-resnet")
        for language in LANGUAGES:
            set_param(workspace, "language", language)
            workspace.reproduce()
            report = workspace.path / "reports" / "INFORME_H10.html"
            save(photograph(report, _REPORT_HEIGHT), f"report-{language}.png")
        answers = ask(workspace, ("me_2.jpg", "stranger_3.jpg"))
        for language in LANGUAGES:
            save(draw_answers(answers, language), f"answer-{language}.png")
        put_problems(workspace)
        set_param(workspace, "sheet_faces", str(_SHEET_FACES))
        workspace.run("dvc", "add", "-q", "data/me", "data/not_me")
        for language in LANGUAGES:
            set_param(workspace, "language", language)
            workspace.run("dvc", "repro", "quality")
            save(contact_sheet(workspace), f"contact_sheet-{language}.png")


if __name__ == "__main__":
    main()
