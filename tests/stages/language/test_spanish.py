"""Every text of the stages and of the service's answers has its Spanish, with the same values in it."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pytest

import faces
import service
import stages
from faces import errors, spanish
from faces.message import PLURAL, Message, fill
from service.language import SPANISH as OF_SERVICE
from service.spanish import ANSWERS
from stages.files.crop_row import NO_FACE_FOUND
from stages.language.telling import SPANISH, is_told, language_of, number, some, speak, tell, tell_again

IN_ANSWERS = ("recognition/networks.py", "recognition/image_kinds.py", "verifier.py", "operating_point.py")
"""Files of faces/ whose errors and descriptions the service puts into its answers."""
FOLDERS = [Path(package.__file__).parent for package in (faces, stages, service) if package.__file__]
SAME = {"{names}", "{line}"}  # templates without a word
EVERY = {**SPANISH, **ANSWERS}


@pytest.fixture(name="spanish")
def in_spanish() -> Iterator[None]:
    speak("es")
    yield
    speak("en")


def error_names(trees: dict[Path, ast.Module]) -> set[str]:
    """Names of the errors that take a template: those that come from `faces.errors.MessageError`."""
    names = {"MessageError"}
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    before = 0
    while len(names) > before:
        before = len(names)
        names |= {
            node.name for node in classes if names & {base.id for base in node.bases if isinstance(base, ast.Name)}
        }
    return names


def texts_of(node: ast.expr, function: ast.AST) -> Iterator[str | None]:
    """The constant texts that an argument may be; None for what is no constant."""
    if isinstance(node, ast.Constant):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts_of(node.body, function)
        yield from texts_of(node.orelse, function)
    elif isinstance(node, ast.JoinedStr):
        yield None
    elif isinstance(node, ast.Name):
        for assigned in ast.walk(function):
            if isinstance(assigned, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == node.id for target in assigned.targets
            ):
                yield from texts_of(assigned.value, function)


def find_trees() -> dict[Path, ast.Module]:
    """The code of all that is told in two languages."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for path in sorted(folder.rglob("*.py"))
        if path.parent.name != "language" or path.name == "telling.py"
    }


def texts_in(trees: dict[Path, ast.Module], files: Collection[Path] = ()) -> tuple[set[str], list[str]]:
    """The templates in some files, of all that are given where none is named; and the places of f-strings."""
    takes_a_text = {"Message", "tell", *error_names(trees)}
    found: set[str] = set()
    joined = []
    for path, tree in trees.items():
        if files and path not in files:
            continue
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for function in [tree, *functions]:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in takes_a_text:
                    for text in texts_of(node.args[0], function) if node.args else []:
                        if text is None:
                            joined.append(f"{path}:{node.lineno}")
                        else:
                            found.add(text)
    return found - SAME, joined


def test_the_service_has_spanish_for_all_that_its_answers_take_from_faces() -> None:
    """It has no stages beside it where it runs alone."""
    folder = FOLDERS[0]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py")}
    found, _ = texts_in(trees, [folder / name for name in IN_ANSWERS])
    assert len(found) > 30
    assert sorted(found - set(spanish.SPANISH)) == [], "move these to faces/spanish.py"


def placeholders(template: str) -> set[tuple[str, str, str]]:
    """Name, format and conversion of each; of a count the words are no part of it, since each language has its own."""
    return {
        (name, "" if PLURAL in (spec or "") else spec or "", conversion or "")
        for _, name, spec, conversion in string.Formatter().parse(template)
        if name is not None
    }


def test_every_text_has_its_spanish_and_no_spanish_is_left_over() -> None:
    found, joined = texts_in(find_trees())
    assert len(found) > 200
    assert not joined, "an f-string cannot be translated: give the template and its values"
    assert sorted(found - set(EVERY)) == [], (
        "add these to stages/language/spanish_*.py, to service/spanish.py, or to faces/spanish.py where both say them"
    )
    assert sorted(set(EVERY) - found) == [], "nothing says these any more"


def test_the_answers_have_spanish_of_their_own_for_all_that_the_service_says() -> None:
    trees = find_trees()
    found, _ = texts_in(trees, [path for path in trees if path.is_relative_to(FOLDERS[-1])])
    assert len(found) > 60
    assert sorted(found - set(OF_SERVICE)) == [], "add these to service/spanish.py"


@pytest.mark.parametrize("english", sorted(EVERY))
def test_the_spanish_has_the_same_values(english: str) -> None:
    assert placeholders(EVERY[english]) == placeholders(english)


MANY = r"\b1 (?!(?:is|es|process|más|menos)\b)\w+s\b|\b1 people\b|\b1(?: \w+)? (?:are(?! needed)|were|have|son|están)\b"
"""What reads wrong of one thing: a plural after "1", or the verb of several."""

COUNTS = {
    name
    for text in (*EVERY, *EVERY.values())
    for _, name, spec, _ in string.Formatter().parse(text)
    if name is not None and PLURAL in (spec or "")
}
"""The placeholders that bring words in some text: what they are called in one text counts things in all."""


@pytest.mark.parametrize("text", sorted({*EVERY, *EVERY.values()} - SAME))
def test_every_text_reads_right_of_one_thing(text: str) -> None:
    figures = {name for name, spec, _ in placeholders(text) if spec}
    said = fill(
        text, **{name: 2.5 if name in figures else 1 if name in COUNTS else "x" for name, _, _ in placeholders(text)}
    )
    assert not re.search(MANY, said), said


def test_counts_are_known_by_their_names() -> None:
    assert {"count", "faces", "photos", "rows", "me", "not_me"} <= COUNTS
    assert not COUNTS & {"path", "name", "names", "folder", "table"}


@pytest.mark.parametrize(
    ("template", "one", "several", "none"),
    [("{n:# photo is|# photos are} new", "1 photo is new", "2 photos are new", "0 photos are new"),
     ("{n} of {m:its only photo|# photos}", "1 of its only photo", "2 of 2 photos", "0 of 0 photos"),
     ("{{{n:# a|# b}}}", "{1 a}", "{2 b}", "{0 b}")],
)  # fmt: skip
def test_a_count_brings_the_words_that_go_with_it(template: str, one: str, several: str, none: str) -> None:
    assert [fill(template, n=count, m=count) for count in (1, 2, 0)] == [one, several, none]
    assert Message(template, n=1, m=1) == one


@pytest.mark.usefixtures("spanish")
def test_counts_in_a_text_from_a_file_are_told_again() -> None:
    assert tell_again("ONNX Runtime on the CPU, 1 thread") == "ONNX Runtime en el procesador, 1 hilo"
    assert tell_again("ONNX Runtime on the CPU, 12 threads") == "ONNX Runtime en el procesador, 12 hilos"
    assert tell_again("1 of 1 crop is new: a, b") == "1 de 1 recorte es nuevo: a, b"
    assert tell_again("1 of 30 crops is new: a, b") == "1 de 30 recortes es nuevo: a, b"
    assert tell_again("12 of 30 crops are new: a, b") == "12 de 30 recortes son nuevos: a, b"


def test_nothing_is_translated_twice() -> None:
    from stages.language import spanish_console, spanish_errors, spanish_pictures

    parts = (spanish.SPANISH, spanish_console.CONSOLE, spanish_errors.ERRORS, spanish_pictures.PICTURES)
    assert sum(map(len, parts)) == len(SPANISH)
    assert len(SPANISH) + len(ANSWERS) == len(EVERY)


@pytest.mark.usefixtures("spanish")
def test_a_message_is_an_english_text_until_it_is_told() -> None:
    message = Message("there is no folder {folder}", folder="data/me")
    assert message == "there is no folder data/me"
    assert tell(message) == "no existe la carpeta data/me"


@pytest.mark.usefixtures("spanish")
def test_messages_and_errors_within_a_message_are_told_too() -> None:
    inner = errors.UserError("{path} cannot be read ({reason})", path="a", reason=Message("it is not JSON"))
    outer = errors.UserError("{stage}: error: {error}", stage="crop", error=inner)
    assert str(outer) == "crop: error: a cannot be read (it is not JSON)"
    assert tell(outer.args[0]) == "crop: error: no se puede leer a (no es JSON)"


def test_an_error_with_braces_of_the_users_stays_as_it_is() -> None:
    assert str(errors.UserError("given: {}")) == "given: {}"
    assert str(errors.UserError("given: {given}", given="{x}")) == "given: {x}"


@pytest.mark.usefixtures("spanish")
def test_a_text_from_a_file_is_told_again() -> None:
    assert (
        tell_again("the content is a WebP; expected one of JPEG, PNG")
        == "el contenido es un WebP; debe ser uno de JPEG, PNG"
    )
    assert (
        tell_again("5000 × 4000 = 20.0 megapixels; the limit is 16")
        == "5000 × 4000 = 20,0 megapíxeles; el límite es 16"
    )
    assert tell_again("cannot be read: Permission denied") == "no se puede leer: Permission denied"
    assert tell_again("anything else") == "anything else"
    assert tell_again("Red and blue") == "Red and blue", "hardly a text: {first} and {second}"


@pytest.mark.usefixtures("spanish")
def test_some() -> None:
    assert some(["a", "b"], 2) == "a, b"
    assert tell(some(["a", "b", "c"], 2)) == "a, b y 1 más"


@pytest.mark.usefixtures("spanish")
def test_numbers_have_a_decimal_comma_in_spanish() -> None:
    """Also those in a template, a message within a message among them; what stands there as it was set is copied."""
    assert number(0.75) == "0,75"
    rounded = "  for a FAR of {target:g} %: threshold {threshold:.4f} (measured), FRR {frr:.2f} %"
    level = "{name} at {level:g}"
    values = {"target": 0.5, "threshold": np.float64(0.87654), "frr": 12.345}
    assert tell(rounded, **values) == "  para un FAR del 0,5 %: umbral 0,8765 (medido), FRR 12,35 %"
    found = Message(level, name="a", level=2.5)
    assert tell("none") == "ninguno" and tell("{names}", names=found) == "a (2,5)"
    setting = "embed.batch_size {batch_size}"
    assert tell(setting, batch_size=0.25) == "embed.batch_size 0.25"
    speak("en")
    assert number(0.98765, ".3f") == "0.988"
    assert tell(rounded, **values) == "  for a FAR of 0.5 %: threshold 0.8765 (measured), FRR 12.35 %"


def test_no_spanish_text_has_a_decimal_point_of_its_own() -> None:
    """But for versions of packages. A rate is said with a space before its sign, in both languages."""
    for english, said in EVERY.items():
        assert not re.search(r"(?<![\d.=])\d+\.\d+(?![\d.])", said), said
        assert not re.search(r"\{\w+:[^}]*%\}", english), english


def test_a_text_from_a_file_is_known_in_both_languages() -> None:
    for text in (NO_FACE_FOUND, SPANISH[NO_FACE_FOUND]):
        assert is_told(text, NO_FACE_FOUND)
    assert not is_told("a damaged JPEG", NO_FACE_FOUND)


@pytest.mark.parametrize(
    ("text", "language"),
    [("language: es\n", "es"), ("a: {\nlanguage: 'en'  # x\n", "en"), ("language: fr\n", "en"), ("x: 1\n", "en"),
     ("report:\n  language: es\n", "en")],
)  # fmt: skip
def test_the_language_is_read_from_params_even_if_something_else_is_wrong_there(
    tmp_path: Path, text: str, language: str
) -> None:
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert language_of(tmp_path / "params.yaml") == language
    assert language_of(tmp_path / "missing.yaml") == "en"
