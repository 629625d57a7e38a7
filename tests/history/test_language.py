"""`python -m history` speaks the language of the terminal; what git keeps of it stays English."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from history import __main__ as program
from history.spanish import SPANISH
from history.versions import Saved
from service.client.spanish import SPANISH as OF_CLIENT
from stages.language.telling import SPANISH as OF_STAGES
from tests.conftest import ROOT
from tests.privacy.test_language import english_in
from tests.service.client.support import placeholders, texts_in


@pytest.fixture(autouse=True)
def spanish(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal that speaks Spanish."""
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")
    program.choose("es")
    yield
    program.choose("en")


def test_the_two_languages_are_in_step() -> None:
    said = texts_in(ROOT / "history")
    assert len(said) > 30
    assert sorted(said - set(SPANISH) - set(OF_STAGES)) == []
    assert sorted(set(SPANISH) - said) == []
    assert not SPANISH.keys() & (OF_STAGES.keys() | OF_CLIENT.keys())


@pytest.mark.parametrize("english", sorted(SPANISH))
def test_the_spanish_has_the_same_values(english: str) -> None:
    assert placeholders(SPANISH[english]) == placeholders(english)
    assert english.endswith(".") == SPANISH[english].endswith(".")


@pytest.mark.parametrize("command", [(), ("save",), ("back",), ("apply",)], ids=" ".join)
def test_the_help(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["history"])
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit, match="0"):
        program.main([*command, "--help"])
    said = capsys.readouterr().out
    assert said.startswith("uso: python -m history")
    assert english_in(said) == [], said


def test_what_is_said_of_photos() -> None:
    saved = Saved("1a2b3c4", True, ["me/1.jpg"], [], [f"me/{number}.jpg" for number in range(7)])
    assert saved.describe() == (
        "Guardado como 1a2b3c4. 1 foto añadida (me/1.jpg); 7 fotos borradas (me/0.jpg, me/1.jpg, me/2.jpg, me/3.jpg, "
        "me/4.jpg y 2 más)."
    )
    assert Saved("1a2b3c4", False, [], [], []).describe() == (
        "No hay nada nuevo desde lo que se guardó en 1a2b3c4. No se ha añadido, cambiado ni borrado ninguna foto."
    )


def test_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="esta carpeta no es un repositorio de git, así que no se puede"):
        program.main(["save"])
