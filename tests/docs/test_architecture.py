"""The page on architecture names files and functions that exist, so that a reader who follows it arrives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.docs.pages import PAGES, Section, both_languages, code_in, section_of

PAGE = "docs/architecture.md"
# What a reader is told to find: heading, and what stands in the row or below the heading.
WAYS = {
    "the detection threshold": ("params.yaml", "detector.thresholds", "DetectorSettings"),
    "the decision threshold": ("VERIFY_THRESHOLD", "DEFAULT_THRESHOLD"),
    "the wording of an error of the service": ("service/error_kinds.py", "NO_FACE", "service/spanish.py"),
}
STEPS = {
    "Add a stage": ("dvc.yaml", "stages/params.py", "main()"),
    "Add a backbone": ("faces/backbones/__init__.py", "get_backbone", "BACKBONE_NAMES", "BackboneName"),
    "Add a verifier": ("stages/estimation/fit.py", "TrainParams"),
    "Add an endpoint": ("service/routes.py", "create_blueprint"),
}

pytestmark = pytest.mark.parametrize("name", both_languages(PAGE))


@cache
def names_in(path: str) -> frozenset[str]:
    """What a Python file defines: functions, classes, constants, and attributes and methods as `Class.name`."""
    found = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        found |= set(_defined(node))
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for inner in node.body for name in _defined(inner)}
        elif isinstance(node, ast.FunctionDef):
            found |= {name for inner in node.body for name in _defined(inner)}
    return frozenset(found)


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def parts(section: Section) -> list[str]:
    """Rows of tables, items of lists and paragraphs: what is said together of a file and of names in it."""
    rows = [" ".join(row) for row in section.rows]
    prose = re.sub(r"^\|.*\|$", "", section.prose, flags=re.MULTILINE)
    return rows + [part for part in re.split(r"\n(?=\d+\. |- )|\n\n", prose) if part.strip()]


def is_path(piece: str) -> bool:
    whole = re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", piece)
    return bool(whole) and ("/" in piece or Path(piece).suffix in (".py", ".yaml", ".md", ".example", ".lock"))


@cache
def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def known_elsewhere(piece: str) -> bool:
    """Whether a piece of code is no name of a function: a command, a parameter, a setting, a key of dvc.yaml."""
    parameters = load("params.yaml")
    section, _, key = piece.partition(".")
    settings = (ROOT / ".env.example").read_text(encoding="utf-8")
    return (
        " " in piece
        or "<" in piece
        or (section in parameters and (not key or key in parameters[section]))
        or f"# {piece}=" in settings
        or piece in load("dvc.yaml")["stages"]
        or piece in {"cmd", "deps", "params", "outs", "me", "faces/", "stages/", "cosine"}
    )


def test_every_path_exists(name: str) -> None:
    for section in PAGES[name].sections:
        for piece in section.code:
            if is_path(piece) and not known_elsewhere(piece) and not _is_made(piece) and piece not in _OF_EVERY_STAGE:
                assert (ROOT / piece).exists(), piece


_OF_EVERY_STAGE = ("__init__.py", "__main__.py")


def _is_made(piece: str) -> bool:
    """Whether a run writes it."""
    return piece.startswith(("data/", "models/", "reports/"))


def test_every_name_is_defined_in_a_file_named_beside_it(name: str) -> None:
    wrong = []
    for section in PAGES[name].sections:
        for part in parts(section):
            pieces = code_in(part)
            files = [piece for piece in pieces if piece.endswith(".py") and (ROOT / piece).is_file()]
            for piece in pieces:
                if (is_path(piece) and (ROOT / piece).exists()) or piece in _OF_EVERY_STAGE or known_elsewhere(piece):
                    continue
                bare = piece.removesuffix("()")
                if re.fullmatch(r"\w+(\.\w+)?", bare) and not any(bare in names_in(file) for file in files):
                    wrong.append((piece, files))
    # Names that the item above introduced, or that every file of the kind has.
    usual = {"main()", "OUTPUTS", "fit", "predict_proba", "find_faces", "UserError"}
    assert [one for one in wrong if one[0] not in usual] == []


@pytest.mark.parametrize("what", WAYS)
def test_a_reader_finds_where_to_change_it(name: str, what: str) -> None:
    english = section_of(PAGE, "Where to change what").rows
    number = next(at for at, row in enumerate(english) if row[0].startswith(what))
    row = section_of(name, "Where to change what").rows[number]
    assert set(WAYS[what]) <= set(code_in(row[1]))


@pytest.mark.parametrize("what", STEPS)
def test_a_reader_finds_how_to_add_it(name: str, what: str) -> None:
    assert set(STEPS[what]) <= set(section_of(name, what).code)


def test_every_stage_has_its_way(name: str) -> None:
    rows = section_of(name, "The way of a photo through dvc repro").rows
    assert [code_in(row[0])[0] for row in rows if row[0]] == list(load("dvc.yaml")["stages"])


def test_the_tree_is_the_project(name: str) -> None:
    """Every path of the tree exists, and every folder of code at the top is in it."""
    (tree,) = (body for _, body in section_of(name, "The house").blocks)
    parents: list[str] = []
    paths = set()
    for line in tree.splitlines():
        depth, path = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        parents = [*parents[:depth], path]
        paths.add("".join(parents))
    for path in paths:
        assert (ROOT / path).exists(), path
    folders = {f"{path.parent.name}/" for path in ROOT.glob("*/__init__.py")} | {"tests/"}
    assert folders <= paths
    stages = {f"stages/{path.parent.name}/" for path in (ROOT / "stages").glob("*/__init__.py")}
    assert stages <= paths
