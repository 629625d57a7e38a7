"""What came of photos, as people and programs read it; and what a service of another version might say."""

from __future__ import annotations

import csv
import io
import json
import locale
from pathlib import Path
from typing import Any

import pytest

from faces.recognition.image_kinds import SUFFIXES as KNOWN_SUFFIXES
from service.client import results
from service.client.language import language_of_terminal, number, say, speak
from service.client.photos import SUFFIXES, find_photos
from service.client.results import Answered

ME = {"is_me": True, "score": 0.91, "threshold": 0.75, "hints": []}
NOT_ME = {**ME, "is_me": False, "score": 0.1, "hints": [{"code": "dark", "text": "Too dark"}, {"code": "small"}]}
REFUSED = {"error": "No se detectó un rostro en la imagen", "code": "no_face", "message": "no face was found"}


@pytest.fixture(autouse=True)
def in_english() -> None:
    speak("en")


def answered(*values: dict[str, Any]) -> list[Answered]:
    return [Answered(f"{place}.jpg", one) for place, one in enumerate(values)]


@pytest.mark.parametrize(
    ("answers", "status"),
    [([ME], 0), ([ME, ME], 0), ([NOT_ME], 1), ([ME, NOT_ME], 1), ([REFUSED], 2), ([ME, REFUSED], 2),
     ([NOT_ME, REFUSED, ME], 2), ([], 2), ([{**NOT_ME, "faces": [NOT_ME, ME]}], 0),
     ([{**ME, "faces": [NOT_ME, NOT_ME]}], 1)],
)  # fmt: skip
def test_exit_statuses(answers: list[dict[str, Any]], status: int) -> None:
    """Of several faces, one that is me suffices."""
    assert results.exit_status(answered(*answers)) == status


def test_a_table() -> None:
    several = {**NOT_ME, "faces_found": 7, "faces": [NOT_ME, ME]}
    shown = results.table(answered(ME, NOT_ME, REFUSED, several)).splitlines()
    assert [line.split("  ")[0] for line in shown[:6]] == ["photo", "0.jpg", "1.jpg", "2.jpg", "3.jpg", "3.jpg"]
    assert shown[2].endswith("not me      0.100000  0.75       Too dark; ") or "Too dark" in shown[2]
    assert "not judged" in shown[3] and shown[3].endswith("no face was found")
    assert "1 of 7" in shown[4] and "2 of 7" in shown[5]
    assert shown[-1] == "4 photos: 2 me, 1 not me, 1 not judged"
    assert all(line == line.rstrip() for line in shown)


def test_csv_can_be_read_again() -> None:
    values = {**ME, "strangers_like_this": 1.1e-07, "score": 0.999987}
    text = results.as_csv([Answered('a, "b"\n.jpg', values), *answered(NOT_ME, REFUSED)])
    first, second, third = csv.DictReader(io.StringIO(text))
    assert first["photo"] == 'a, "b"\n.jpg' and (first["is_me"], first["face"]) == ("true", "")
    assert (float(first["score"]), float(first["strangers_like_this"])) == (0.999987, 1.1e-07)
    assert (second["is_me"], second["hints"]) == ("false", "dark small")
    assert (third["is_me"], third["score"], third["code"], third["message"]) == ("", "", "no_face", "no face was found")


def test_names_that_are_no_text() -> None:
    odd = Answered("\x1b[31m\udcff\u202e.jpg", ME)
    assert "\x1b" not in results.table([odd]) and "\u202e" not in results.table([odd])
    assert json.loads(results.as_json(odd))["is_me"] is True


@pytest.mark.parametrize(
    "values",
    [{}, {"is_me": "yes"}, {"is_me": None, "hints": 5}, {"error": ["x"]}, {"faces": "x"}, {"message": None},
     {"is_me": 1, "score": "high", "threshold": {}, "faces": [1, {}], "hints": [3, {"code": None}]}],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_no_verdict(values: dict[str, Any]) -> None:
    answers = answered(values)
    assert answers[0].is_me is None and results.exit_status(answers) == 2
    results.table(answers), results.as_csv(answers), results.as_json(answers[0])


def test_faces_without_a_verdict_are_no_verdict() -> None:
    assert answered({**ME, "faces_found": 2, "faces": [{**ME}, {"score": 0.9}]})[0].is_me is None


@pytest.mark.parametrize(
    ("environment", "language"),
    [({}, "en"), ({"LANG": "es_ES.UTF-8"}, "es"), ({"LANG": "es"}, "es"), ({"LANG": "en_GB.UTF-8"}, "en"),
     ({"LANG": "es_ES.UTF-8", "LC_ALL": "C"}, "en"), ({"LANG": "C", "LC_MESSAGES": "es_MX"}, "es"),
     ({"LANG": "et_EE.UTF-8"}, "en"), ({"LC_ALL": "", "LANG": "es-419"}, "es"), ({"LANG": "eses"}, "en")],
)  # fmt: skip
def test_the_language_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], language: str
) -> None:
    monkeypatch.setattr(locale, "getlocale", lambda: (None, None))
    assert language_of_terminal(environment) == language


@pytest.mark.parametrize(("called", "language"), [("Spanish_Spain", "es"), ("Estonian_Estonia", "en"), (None, "en")])
def test_on_windows_the_system_says_it(monkeypatch: pytest.MonkeyPatch, called: str | None, language: str) -> None:
    monkeypatch.setattr(locale, "getlocale", lambda: (called, "1252"))
    assert language_of_terminal({}) == language


def test_numbers_as_each_language_writes_them() -> None:
    assert number(1234567.5, ",.1f") == "1,234,567.5"
    speak("es")
    assert number(1234567.5, ",.1f") == "1.234.567,5"
    assert number(0.75) == "0,75"
    assert say("{count:# photo|# photos}: {parts}", count=1, parts="x") == "1 foto: x"


def test_suffixes_are_those_that_the_project_reads() -> None:
    assert set(SUFFIXES) == set(KNOWN_SUFFIXES)


def test_which_photos_are_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "b/2.PNG",
        "b/1.jpg",
        "b/c/x.heic",
        "b/.hidden/y.jpg",
        "b/.z.jpg",
        "b/notes.txt",
        "e/n.txt",
        "b/l.jpg.locked",
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    named = [Path("gone.gif"), Path("b"), Path("b/1.jpg"), Path("e")]
    photos, empty = find_photos(named)
    assert [path.as_posix() for path in photos] == ["gone.gif", "b/1.jpg", "b/2.PNG", "b/c/x.heic"]
    assert empty == [Path("e")]
    locked, _ = find_photos([Path("b")], lambda name: name.removesuffix(".locked"))
    assert Path("b/l.jpg.locked") in locked
