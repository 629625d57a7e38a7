"""README.md and README.es.md say the same: headings, commands, tables and links of one are in the other."""

from __future__ import annotations

import re
from itertools import zip_longest

import pytest

from tests.conftest import ROOT

LANGUAGES = ("README.md", "README.es.md")
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in LANGUAGES}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Headings that belong together, in order: a new one has to be written in both languages, and here.
HEADINGS = {
    "Is this face mine?": "¿Es mía esta cara?",
    "Two commands": "Dos comandos",
    "Installation": "Instalación",
    "Your photos": "Tus fotos",
    "Structure": "Estructura",
    "The pipeline": "El pipeline",
    "Parameters": "Parámetros",
    "Which verifier, and how its errors are estimated": "Qué verificador, y cómo se estiman sus errores",
    "Which network embeds the faces": "Qué red calcula los embeddings",
    "Comparing runs": "Comparar ejecuciones",
    "The service": "El servicio",
    "The service alone": "El servicio solo",
    "In a container": "En un contenedor",
    "The API": "La API",
    "Settings": "Ajustes",
    "Evaluation": "Evaluación",
    "How well it works": "Cuánto acierta",
    "How fast it is": "Qué rápido es",
    "When something goes wrong": "Cuando algo va mal",
    "A newer version": "Una versión más nueva",
    "Ethics and privacy": "Ética y privacidad",
    "Deployment": "Despliegue",
    "Licences": "Licencias",
    "References": "Referencias",
}


def headings(text: str) -> list[tuple[int, str]]:
    """Level and title of each heading; code blocks hold none."""
    found = re.findall(r"^(#+) (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return [(len(marks), title) for marks, title in found]


def commands(text: str) -> list[list[str]]:
    """Lines of every code block that is run or printed by a machine, without comments."""
    blocks = [body for kind, body in BLOCK.findall(text) if kind or "data/me/" not in body]
    shown = [[re.sub(r"\s+#.*", "", line).rstrip() for line in body.splitlines()] for body in blocks]
    return [lines for lines in shown if not lines[0].startswith("quickstart.py")]  # the tree of folders is prose


def tables(text: str) -> list[list[str]]:
    """The code in each row of a table, in order; prose is another in each language."""
    rows = re.findall(r"^\|.*\|$", BLOCK.sub("", text), re.MULTILINE)
    return [re.findall(r"`([^`]+)`", row) for row in rows if not row.startswith("| ---")]


def links(text: str) -> set[str]:
    """Where links lead: files of the project and addresses, not headings of the page or the other language."""
    found = set(re.findall(r"\]\(([^)]+)\)", text))
    return {link for link in found if not link.startswith("#")} - set(LANGUAGES)


def anchor(title: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_headings_are_the_same_in_the_same_order() -> None:
    english, spanish = (headings(TEXTS[name]) for name in LANGUAGES)
    assert [level for level, _ in english] == [level for level, _ in spanish]
    assert dict(zip((title for _, title in english), (title for _, title in spanish), strict=True)) == HEADINGS
    assert [title for _, title in english] == list(HEADINGS)


@pytest.mark.parametrize("part", [commands, links])
def test_commands_and_links_are_the_same(part: object) -> None:
    assert callable(part)
    english, spanish = (part(TEXTS[name]) for name in LANGUAGES)
    assert english == spanish
    assert english


def test_tables_hold_the_same_code() -> None:
    english, spanish = (tables(TEXTS[name]) for name in LANGUAGES)
    for one, other in zip_longest(english, spanish):
        # "images/<person>" is written in the reader's language, "nobody" has a word for it
        assert [code.replace("<person>", "<persona>") for code in one] == other


@pytest.mark.parametrize("name", LANGUAGES)
def test_links_lead_somewhere(name: str) -> None:
    titles = {anchor(title) for _, title in headings(TEXTS[name])}
    for link in re.findall(r"\]\(([^)]+)\)", TEXTS[name]):
        if link.startswith("#"):
            assert link[1:] in titles
        elif not link.startswith("https://"):
            assert (ROOT / link).exists(), link


@pytest.mark.parametrize("name", LANGUAGES)
def test_tables_have_as_many_cells_in_every_row(name: str) -> None:
    for block in re.findall(r"(?:^\|.*\|\n)+", BLOCK.sub("", TEXTS[name]), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}) == 1, block
