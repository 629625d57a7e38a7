"""quickstart.py and the tour speak the terminal's language, and every sentence of theirs has its Spanish."""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.language.telling import speak
from tests.conftest import ROOT
from tests.ports import free_port
from tests.stages.language.test_spanish import placeholders, texts_of
from tests.tour.support import SERVICE, write
from tour.language import language_of, spoken, tell
from tour.photos import ensure_photos
from tour.pipeline import check_data
from tour.questions import advice_on_wrong, meaning
from tour.spanish import SPANISH
from tour.tour import serve

posix_only = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and process groups")

TREES = {
    path.name: ast.parse(path.read_text(encoding="utf-8"))
    for path in [ROOT / "quickstart.py", *sorted((ROOT / "tour").glob("*.py"))]
    if path.name != "spanish.py"
}
NO_SENTENCES = {
    # Of pip's, uv's and DVC's messages
    "No space left", "Failed to establish", "timed out", "name resolution", "Failed building wheel", "Failed to build",
    "Microsoft Visual C++", "Failed to install", "error: command", "'data/not_me' is empty.",
    "\nTo track the changes with git, run:", "\nTo enable auto staging, run:", "Use `dvc push` to send your updates",
    # Commands and programs
    "pip install", "python -m tour", "import pip, sys\nassert sys.prefix != sys.base_prefix and sys.version_info >= "
    "(3, 11)\nprint('%d.%d' % sys.version_info[:2])", "dvc pull", "dvc repro", "dvc repro --force export",
    "curl -sS -F ", 'curl.exe -sS -F "image=@',
}  # fmt: skip


@pytest.fixture
def spanish(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal in Spanish."""
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    speak("es")
    yield
    speak("en")


@pytest.mark.parametrize(
    ("variables", "windows", "language"),
    [
        ({}, "", "en"), ({}, "es_ES", "es"), ({}, "en_GB", "en"), ({"LANG": "es_ES.UTF-8"}, "", "es"),
        ({"LANG": "ES"}, "", "es"), ({"LANG": "es"}, "", "es"), ({"LANG": "es-419"}, "", "es"),
        ({"LANG": "C.UTF-8"}, "es_ES", "en"), ({"LANG": "POSIX"}, "", "en"), ({"LANG": "et_EE"}, "", "en"),
        ({"LANG": "est"}, "", "en"), ({"LANG": "ca_ES.UTF-8"}, "", "en"),
        ({"LANG": "es_ES", "LC_MESSAGES": "en_US"}, "", "en"), ({"LANG": "en_US", "LC_MESSAGES": "es_AR"}, "", "es"),
        ({"LC_MESSAGES": "es_ES", "LC_ALL": "C"}, "", "en"), ({"LC_MESSAGES": "en_US", "LC_ALL": "es_ES"}, "", "es"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "es_ES"}, "", "es"), ({"LC_ALL": ""}, "es_ES", "es"),
        ({"LC_CTYPE": "es_ES", "LANGUAGE": "es"}, "", "en"),
    ],
)  # fmt: skip
def test_the_language_of_a_terminal(variables: dict[str, str], windows: str, language: str) -> None:
    assert language_of(variables, windows) == language


def told_in(tree: ast.Module) -> set[str | None]:
    """The templates that are told; None for one that is no constant."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {
        text
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tell"
        for text in texts_of(node.args[0], function)
    }


def test_every_sentence_that_is_told_has_its_spanish_and_no_spanish_is_left_over() -> None:
    found = set().union(*map(told_in, TREES.values()))
    assert None not in found, "an f-string cannot be translated: give the template and its values"
    assert len(found) > 90
    assert sorted(found - set(SPANISH), key=str) == [], "add these to tour/spanish.py"
    assert sorted(set(SPANISH) - found) == [], "nobody says these any more"


@pytest.mark.parametrize("english", sorted(SPANISH))
def test_the_spanish_has_the_same_values(english: str) -> None:
    assert placeholders(SPANISH[english]) == placeholders(english)
    assert english.startswith("\n") == SPANISH[english].startswith("\n")
    assert english.endswith(".") == SPANISH[english].endswith(".")


@pytest.mark.parametrize("name", TREES)
def test_nothing_is_said_past_tell(name: str) -> None:
    """Two words in a text make a sentence, but for what is said to programs, or by them."""
    tree = TREES[name]
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings
    } | {
        "".join(part.value if isinstance(part, ast.Constant) else "0" for part in node.values)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
    }
    sentences = {text for text in said if re.search(r"[A-Za-z]{2,}[ ,:;]+(0 )?[a-z]{2,}|^[A-Z][a-z]+:? +0", text)}
    assert sorted(sentences - told_in(tree) - NO_SENTENCES) == []  # type: ignore[type-var]  # all are texts


@pytest.mark.usefixtures("spanish")
def test_numbers_are_written_as_in_spain() -> None:
    assert spoken() == "es"
    text = (
        "{folder} has {free:.1f} GB of free disk space, and the packages need about {needed} GB. Free some space, or "
    )
    text += "move the project to a larger disk."
    assert "quedan 3,5 GB libres en el disco, y los paquetes necesitan unos 10 GB" in tell(
        text, folder="/x", free=3.46, needed=10
    )
    answer = {"is_me": True, "score": 0.91, "threshold": 0.75, "strangers_like_this": 8.1e-4}
    assert meaning("me", 200, answer) == (
        "Es la persona de data/me (puntuación 0,91, umbral 0,75), dice el servicio: correcto. Más o menos 1 "
        "desconocido de cada 1.200 saca una puntuación tan alta (estimado)."
    )
    among = meaning("not_me", 200, {**answer, "strangers_like_this": 3.1e-7}, resembling=True)
    assert "INCORRECTO. Menos de 1 desconocido de cada 30.000 saca una puntuación tan alta (estimado para" in among
    assert meaning("not_me", 200, {**answer, "is_me": False, "strangers_like_this": 0.097}).endswith(
        "Puntuación normal en desconocidos: más o menos el 9,7 % saca una tan alta (estimado)."
    )


@posix_only
@pytest.mark.usefixtures("spanish")
def test_questions_and_answers_in_spanish(root: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root / "service" / "__main__.py", SERVICE.encode())
    shutil.copytree(photos, root / "data")
    write(root / "data" / "not_me" / "a.jpg", b"no face")
    assert serve(free_port(), once=True) == 0
    told = capsys.readouterr().out
    assert "POST /verify con data/me/uno.JPG: 200" in told and told.count("dice el servicio: correcto.") == 2
    assert "El servicio ha cumplido y se detiene (--once)." in told and "Red: stub-net" in told
    assert not re.search(r"\b(the|is|of|with|photos?)\b", told.replace(str(root), "")), told


@pytest.mark.usefixtures("spanish")
def test_the_tour_in_spanish(root: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what the stages know to say: in the language of the terminal here, whatever params.yaml has."""
    write(photos / "me" / "film.mp4")
    ensure_photos(photos)
    write(root / "data" / "loose.jpg")
    check_data()
    told = capsys.readouterr().out
    assert "Copiando 2 fotos a data/me" in told and "Copiando 1 foto a data/not_me" in told
    assert "1 archivo no se usa: .mp4." in told
    assert "Aviso: no se leen, porque lo que está en la propia carpeta" in told
    assert "Un umbral más bajo deja entrar más fotos" in advice_on_wrong("me", [])
    assert not re.search(r"\b(the|photos?|of)\b", told.replace(str(root), "")), told
