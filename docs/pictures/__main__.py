"""Make the pictures of the documents from the demo's drawn portraits, in both languages.

    python -m docs.pictures
    python -m docs.pictures page pipeline

It runs the pipeline and the service of the last commit in a temporary clone, with the network `dlib-resnet`, and writes
for each language, beside this file, those that are named, or all:

- page: the page at /ui with an answer, and an animation of it;
- answer: what the service answers, as JSON;
- alignment: faces before and after alignment;
- pipeline: the stages of this checkout's dvc.yaml as a diagram;
- report: the top of the report;
- contact_sheet: that of stage quality, with three photos that have a problem.

Chromium draws the pages; on Debian: `apt-get install chromium`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys

from PIL import Image, ImageFilter, ImageOps
from playwright.sync_api import Browser

from bench.support.servers import ROOT, ours
from bench.support.workspace import Workspace, temporary_workspace
from docs.pictures.alignment import alignment_picture
from docs.pictures.answers import ask, draw_answers
from docs.pictures.browser import find_browser, opened_browser, photograph
from docs.pictures.page import answer_picture, filmed
from docs.pictures.pipeline import draw
from docs.pictures.saving import WIDTH, save, save_animation, save_drawing
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer

LANGUAGES = ("en", "es")
NAMES = ("page", "answer", "alignment", "pipeline", "report", "contact_sheet")

_REPORT_HEIGHT = 1000  # pixels of the report: its summary and its data
_SHEET_FACES = 16  # faces of the contact sheet, half of each class


def set_param(workspace: Workspace, name: str, value: str) -> None:
    """Change the one parameter of that name in params.yaml, whatever its section."""
    path = workspace.path / "params.yaml"
    text, count = re.subn(rf"(?m)^( *{name}: )\S+", rf"\g<1>{value}", path.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit(f"{path} has {count} parameters {name}; expected one")
    path.write_text(text, encoding="utf-8")


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
    """The contact sheet of the last run, `WIDTH` pixels wide."""
    sheet = Image.open(workspace.path / "reports" / "contact_sheet.png").convert("RGB")
    return sheet.resize((WIDTH, round(sheet.height * WIDTH / sheet.width)), Image.Resampling.LANCZOS)


def make_of_service(workspace: Workspace, wanted: set[str]) -> None:
    """Those that show what the service says: page and answer."""
    photos = workspace.path / "demo" / "ask"
    with ours(workspace.path / "models", 1, workspace.path) as server, opened_browser(server.port) as browser:
        for language in LANGUAGES:
            if "answer" in wanted:
                answers = ask(server, [photos / "me_2.jpg", photos / "stranger_3.jpg"])
                save(draw_answers(browser, answers, language), f"answer-{language}.png")
            if "page" in wanted:
                save(answer_picture(browser, photos / "me_2.jpg", language), f"page-{language}.png")
                save_animation(filmed(browser, photos, language), f"page-{language}.webp")


def make_of_run(workspace: Workspace, browser: Browser, wanted: set[str]) -> None:
    """Those that show what the pipeline makes: report, alignment and contact_sheet."""
    for language in LANGUAGES:
        if "report" in wanted:
            set_param(workspace, "language", language)
            workspace.reproduce()
            report = workspace.path / "reports" / "INFORME_H10.html"
            save(photograph(browser, report, _REPORT_HEIGHT), f"report-{language}.png")
    if "alignment" in wanted:
        recognizer = Recognizer(Networks.load(workspace.path / "models" / "networks"))
        recognizer.open()
        for language in LANGUAGES:
            picture = alignment_picture(browser, recognizer, workspace.path / "demo", language)
            save(picture, f"alignment-{language}.png")
    if "contact_sheet" in wanted:
        put_problems(workspace)
        set_param(workspace, "sheet_faces", str(_SHEET_FACES))
        workspace.run("dvc", "add", "-q", "data/me", "data/not_me")
        for language in LANGUAGES:
            set_param(workspace, "language", language)
            workspace.run("dvc", "repro", "quality")
            save(contact_sheet(workspace), f"contact_sheet-{language}.png")


def make(wanted: set[str]) -> None:
    """Make the pictures of these names."""
    if "pipeline" in wanted:
        for language in LANGUAGES:
            save_drawing(draw(ROOT / "dvc.yaml", language), f"pipeline-{language}.svg")
    if wanted == {"pipeline"}:
        return
    find_browser()  # before the pipeline has run in vain
    with temporary_workspace() as workspace:
        for name in ("me", "not_me"):
            shutil.copytree(workspace.path / "demo" / name, workspace.path / "data" / name, dirs_exist_ok=True)
        set_param(workspace, "name", "dlib-resnet")
        workspace.reproduce()
        if wanted & {"page", "answer"}:
            make_of_service(workspace, wanted)
        with opened_browser() as browser:
            make_of_run(workspace, browser, wanted)


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser("python -m docs.pictures", description="Makes the pictures of the documents.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"those wanted, of {', '.join(NAMES)}; else all")
    names = parser.parse_args().names
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        parser.error(f"no such picture: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    make(set(names or NAMES))


if __name__ == "__main__":
    main()
