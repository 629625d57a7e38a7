"""What is said is there in both languages, on the page and by the program."""

from __future__ import annotations

import json
import re

import pytest

from enrolment.language import SPANISH as EVERY
from enrolment.routes import PAGE, STATIC
from enrolment.spanish import SPANISH
from faces.photo_limits import HINTS
from service.language import SPANISH as OF_SERVICE
from service.ui.files import FOLDER
from stages.language.telling import SPANISH as OF_STAGES
from tests.clone import ALL_STAGES
from tests.conftest import ROOT
from tests.service.client.support import placeholders, texts_in

SCRIPTS = sorted(STATIC.glob("*.js"))
TEXTS = {language: json.loads((STATIC / f"{language}.json").read_text(encoding="utf-8")) for language in ("en", "es")}
NOTES = (*HINTS, "no_face", "unreadable", "several_faces", "same_file", "copy", "not_me")


def test_the_programs_two_languages_are_in_step() -> None:
    said = {text for text in texts_in(ROOT / "enrolment") if " " in text}  # others are codes
    assert len(said) > 25
    assert said - set(EVERY) == set()
    assert set(SPANISH) - said == set()
    assert not SPANISH.keys() & OF_STAGES.keys() and not SPANISH.keys() & OF_SERVICE.keys()


@pytest.mark.parametrize("english", sorted(SPANISH))
def test_the_spanish_has_the_same_values(english: str) -> None:
    assert placeholders(SPANISH[english]) == placeholders(english)


def test_the_pages_two_languages_are_in_step() -> None:
    assert list(TEXTS["en"]) == list(TEXTS["es"])
    for key, text in TEXTS["en"].items():
        assert placeholders(text) == placeholders(TEXTS["es"][key]), key
        assert text.strip() and TEXTS["es"][key].strip(), key


def test_every_text_that_is_used_is_there_and_every_one_that_is_there_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in [*SCRIPTS, STATIC / PAGE])
    keys = {re.sub(r"\.(one|other)$", "", key) if "{count}" in text else key for key, text in TEXTS["en"].items()}
    asked = set(re.findall(r"""(?:\bt\(|data-t=|data-t-label=)\s*['"]([a-z_.]+)['"]""", code))
    assert asked - keys == set()
    families = tuple(re.findall(r"`([a-z_.]+\.)\$\{", code))
    named = set(re.findall(r"""['"]([a-z_.]+)['"]""", code))
    assert {key for key in keys - named if not key.startswith(families)} == set()
    assert {f"stage.{stage}" for stage in ALL_STAGES} | {f"note.{code}" for code in NOTES} <= keys
    (poses,) = re.findall(r"POSES = (\d+);", code)
    assert {key for key in keys if key.startswith("camera.pose.")} == {f"camera.pose.{at}" for at in range(int(poses))}


def test_scripts_are_short_and_loaded_at_once() -> None:
    page = (STATIC / PAGE).read_text(encoding="utf-8")
    shared = {path.name for path in FOLDER.iterdir()}
    code = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    wanted = {path.name for path in SCRIPTS} | set(re.findall(r"from '\./(\w+\.js)'", code))
    assert wanted <= {path.name for path in SCRIPTS} | shared
    for name in wanted - {"enrol.js"}:
        assert f'<link rel="modulepreload" href="ui/{name}">' in page
    assert all(len(path.read_text(encoding="utf-8").splitlines()) < 250 for path in SCRIPTS)
    assert {path.name for path in STATIC.iterdir()} & shared == {"en.json", "es.json"}, "nothing else is hidden"


@pytest.mark.security
def test_no_file_names_another_host_or_writes_html() -> None:
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|//\w+\.\w+/|@import|innerHTML|outerHTML|insertAdjacentHTML", text), path.name
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text) or path.suffix != ".html"
