"""The two notebooks: the same lesson in two languages, written from one source, and a lesson that runs."""

from __future__ import annotations

import base64
import io
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from notebooks import __main__ as writing
from tests.conftest import ROOT
from tests.docs.pages import CODE, LINK, PAGES, Section
from tests.docs.test_languages import figures

FOLDER = ROOT / "notebooks"
ENGLISH_WORDS = re.compile(r"\b(the|and|of|is|are|with|from|this|that|your|which|not|by|it)\b", re.IGNORECASE)
SCREENSHOTS = ROOT / "screenshots" / "notebooks"
"""The pictures that the lesson draws, to be looked at by people; git ignores them."""

EXERCISES = 5

both = pytest.mark.parametrize("language", writing.NAMES)


def read(language: str) -> Any:
    return nbformat.read(FOLDER / writing.NAMES[language], as_version=4)


def texts(language: str) -> list[Section]:
    """The cells with text."""
    return [Section(0, "", cell.source + "\n") for cell in read(language).cells if cell.cell_type == "markdown"]


def words(language: str) -> dict[Any, str]:
    """The words of the plots."""
    (cell,) = (cell for cell in read(language).cells if cell.source.startswith("TEXT ="))
    names: dict[str, Any] = {}
    exec(cell.source, names)
    found: dict[Any, str] = names["TEXT"]
    return found


@both
def test_the_file_is_what_the_source_makes(language: str) -> None:
    source = writing.SOURCE.read_text(encoding="utf-8")
    committed = (FOLDER / writing.NAMES[language]).read_text(encoding="utf-8")
    assert committed == writing.notebook(source, language), "run python -m notebooks"


@both
def test_it_is_committed_without_outputs(language: str) -> None:
    for cell in read(language).cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def test_the_cells_are_the_same_and_code_differs_in_one() -> None:
    english, spanish = read("en").cells, read("es").cells
    assert [(cell.id, cell.cell_type) for cell in english] == [(cell.id, cell.cell_type) for cell in spanish]
    differing = [
        one.source
        for one, other in zip(english, spanish, strict=True)
        if one.cell_type == "code" and one.source != other.source
    ]
    assert [source.partition(" ")[0] for source in differing] == ["TEXT"]
    assert not any("#" in re.sub(r'"[^"]*"', "", cell.source) for cell in english if cell.cell_type == "code"), (
        "comments would be in one language"
    )


def test_the_texts_say_the_same() -> None:
    for one, other in zip(texts("en"), texts("es"), strict=True):
        assert set(one.code) == set(other.code), one.text
        assert re.findall(r'^#+|<a id="\w+"', one.text, re.MULTILINE) == re.findall(
            r'^#+|<a id="\w+"', other.text, re.MULTILINE
        )
        spanish = other.text.replace("{,}", ",")
        assert figures(one, spanish=False) == figures(Section(0, "", spanish), spanish=True), one.text


def test_no_english_is_left_in_spanish() -> None:
    for section in texts("es")[1:]:
        assert not ENGLISH_WORDS.search(CODE.sub("", LINK.sub("]", section.text))), section.text
    english, spanish = words("en"), words("es")
    assert english.keys() == spanish.keys()
    for name, text in spanish.items():
        placeholders = [sorted(re.findall(r"\{\w+\}", of)) for of in (text, english[name])]
        assert placeholders[0] == placeholders[1], name
        assert text != english[name] or name == "values", name
        assert not ENGLISH_WORDS.search(text), text


@both
def test_every_word_is_used(language: str) -> None:
    code = "".join(cell.source for cell in read(language).cells if not cell.source.startswith("TEXT ="))
    for name in words(language):
        assert f'"{name}"' in code or isinstance(name, bool), name


@both
def test_links_lead_somewhere_and_stay_in_the_language(language: str) -> None:
    whole = "\n".join(section.text for section in texts(language))
    anchors = set(re.findall(r'<a id="(\w+)"', whole))
    found = LINK.findall(whole)
    assert len(found) > 12
    for target in found:
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (FOLDER / target).exists(), target
            page = (FOLDER / target).resolve().relative_to(ROOT).as_posix()
            assert page not in PAGES or page.startswith("docs/es/") == (language == "es"), target


@both
def test_each_exercise_has_its_solution(language: str) -> None:
    cells = read(language).cells
    open_ = [cell.source.partition(" ")[0] for cell in cells if cell.source.endswith(" = ...")]
    solved = [
        cell.source for cell in cells if "\ncompare(" in cell.source and not cell.source.startswith("def compare")
    ]
    assert len(open_) == len(solved) == EXERCISES
    for name, solution in zip(open_, solved, strict=True):
        assert f"compare({name}, " in solution
        assert "\nassert " in solution


def test_a_notebook_is_made_of_its_cells() -> None:
    source = (
        "# about\n\n# %% [markdown] en\n# One\n#\n# two\n\n# %% [markdown] es\n# Uno\n\n# %% es\nA = 1\n\n# %%\nb = 2\n"
    )
    english, spanish = (writing.cells(source, language) for language in ("en", "es"))
    assert [(cell.cell_type, cell.source) for cell in english] == [("markdown", "One\n\ntwo"), ("code", "b = 2")]
    assert [cell.source for cell in spanish] == ["Uno", "A = 1", "b = 2"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the lesson reads, without networks."""
    for name in ("demo", "faces", "stages"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(FOLDER, tmp_path / "notebooks", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def execute(project: Path, notebook: Any) -> None:
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(project / "notebooks")}}).execute()


def said(notebook: Any) -> str:
    """What its cells printed."""
    return "".join(one.text for cell in notebook.cells for one in cell.get("outputs", []) if "text" in one)


def pictures(notebook: Any) -> list[bytes]:
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", []) if "data" in one]
    return [base64.b64decode(one.data["image/png"]) for one in outputs if "image/png" in one.data]


def fill_in(notebook: Any) -> None:
    """Answer the exercises: the first two rightly, the third wrongly, and leave the others open."""
    answers = {
        "most_like_me = ...": "most_like_me = people[(unit @ unit[is_me].mean(axis=0) - 2 * is_me).argmax()]",
        "lowest_threshold = ...": "lowest_threshold = thresholds[far <= 0.05].min()",
        "strangers_needed = ...": "strangers_needed = 60",
    }
    for cell in notebook.cells:
        cell.source = answers.pop(cell.source, cell.source)
    assert not answers


@pytest.mark.slow
@both
def test_the_lesson_runs_and_its_solutions_hold(language: str, project: Path, networks_dir: Path) -> None:
    (project / "models").mkdir()
    (project / "models" / "networks").symlink_to(networks_dir)
    notebook = read(language)
    fill_in(notebook)
    execute(project, notebook)
    compared = [line for line in said(notebook).splitlines() if line.startswith(("Your answer", "Tu respuesta"))]
    begun = {name: words(language)[name].partition(":")[0] for name in ("right", "open")}
    begun["wrong"] = words(language)["wrong"].format(yours=60, right=2995)
    expected = [begun[name] for name in ("right", "right", "wrong", "open", "open")]
    assert [line[: len(one)] for line, one in zip(compared, expected, strict=True)] == expected
    drawn = pictures(notebook)
    assert len(drawn) == 11
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for at, picture in enumerate(drawn):
        assert min(Image.open(io.BytesIO(picture)).size) > 200
        (SCREENSHOTS / f"{language}-{at:02}.png").write_bytes(picture)
    assert not (project / "data").exists()


@pytest.mark.slow
@both
def test_without_networks_it_says_how_to_get_them(language: str, project: Path) -> None:
    with pytest.raises(CellExecutionError) as caught:
        execute(project, read(language))
    assert caught.value.ename == "SystemExit"
    assert caught.value.evalue == words(language)["no_networks"]
    assert "'dvc repro export'" in caught.value.evalue


@pytest.mark.slow
def test_outside_of_the_project_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    with pytest.raises(CellExecutionError) as caught:
        execute(tmp_path, read("en"))
    assert caught.value.evalue == words("en")["no_project"]
