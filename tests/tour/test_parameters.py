"""The backbone that the tour takes where there are photos of me alone: one word of params.yaml, and it is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quickstart import Problem
from stages.params import load_params
from tests.conftest import ROOT
from tour.parameters import take_backbone_with_population

SHIPPED = (ROOT / "params.yaml").read_text(encoding="utf-8")


def with_backbone(name: str) -> str:
    """params.yaml as shipped but for the backbone."""
    text, count = re.subn(r"(?m)^  name: [\w-]+", f"  name: {name}", SHIPPED)
    assert count == 1
    return text


@pytest.mark.parametrize(
    "before",
    ["", "# Before the section.\n\n", "  # A comment within it.\n\n"],
)
def test_one_word_is_changed_and_told(root: Path, capsys: pytest.CaptureFixture[str], before: str) -> None:
    path = root / "params.yaml"
    inside = before.startswith(" ")
    text = with_backbone("facenet-vggface2")
    text = text.replace("backbone:\n", f"backbone:\n{before}") if inside else before + text
    path.write_text(text, encoding="utf-8")
    take_backbone_with_population()
    changed = path.read_text(encoding="utf-8")
    assert load_params(path).backbone.name == "dlib-resnet"
    differing = [pair for pair in zip(text.splitlines(), changed.splitlines(), strict=True) if pair[0] != pair[1]]
    assert len(differing) == 1
    was, now = differing[0]
    assert now.replace("dlib-resnet     ", "facenet-vggface2") == was, "the comment beside it stays where it is"
    told = capsys.readouterr().out
    assert "params.yaml now has backbone.name: dlib-resnet" in told and "facenet-vggface2" in told


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("population: auto", "population: none"),
        ("population: auto", "population: mine.npz"),
        ("verifier: cosine", "verifier: logistic_regression"),
    ],
)
def test_what_will_do_or_is_the_users_own_choice_stays(
    root: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    text = with_backbone("facenet-vggface2" if old else "dlib-resnet")
    assert old in text
    text = text.replace(old, new) if old else text
    (root / "mine.npz").touch()
    (root / "params.yaml").write_text(text, encoding="utf-8")
    take_backbone_with_population()
    assert (root / "params.yaml").read_text(encoding="utf-8") == text
    assert capsys.readouterr().out == ""


def test_a_name_that_is_not_found_is_left_to_the_user(root: Path) -> None:
    text = re.sub(r"(?ms)^backbone:.*?(?=^detector:)", "backbone: {name: facenet-vggface2, offline: null}\n", SHIPPED)
    (root / "params.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Problem, match=r"Set backbone\.name to dlib-resnet in .*params\.yaml, then start again"):
        take_backbone_with_population()
    assert (root / "params.yaml").read_text(encoding="utf-8") == text


def test_parameters_that_cannot_be_read_are_a_problem(root: Path) -> None:
    (root / "params.yaml").write_text("language: [", encoding="utf-8")
    with pytest.raises(Problem, match="is not YAML"):
        take_backbone_with_population()
