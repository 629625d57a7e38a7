"""The bench of hostile files: what it calls wrong, and that it runs."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.hard import Answer, given, problems
from bench.support.hostile import HostileFile
from tests.bench.support import run

PHOTO = HostileFile("a.jpg", b"x")
GOOD = Answer(PHOTO, 200, "", 0.1, 20.0, 0.9)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (GOOD, []),
        (replace(GOOD, score=0.1), []),  # it need not show the plain photo
        (replace(GOOD, status=0), ["status 0"]),
        (replace(GOOD, status=500), ["status 500"]),
        (replace(GOOD, seconds=2.1), ["more than 2 s"]),
        (replace(GOOD, megabytes=301.0), ["more than 300 MB"]),
        (replace(GOOD, file=replace(PHOTO, same=True), score=0.8), ["not the plain photo's score"]),
        (replace(GOOD, file=replace(PHOTO, same=True), status=400, score=None), ["not the plain photo's score"]),
        (replace(GOOD, file=replace(PHOTO, accepted=True), status=400, error="No se pudo leer la imagen"), ["refused"]),
        (replace(GOOD, file=replace(PHOTO, accepted=True), status=400, error="No se detectó un rostro"), []),
    ],
)
def test_what_is_wrong_is_said(answer: Answer, said: list[str]) -> None:
    assert problems(answer, plain=0.9) == said


def test_a_readme_says_which_files_show_the_plain_photo(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("| a.png, b.png | odd | the score of me_2 |\n| c.png | a bomb | refused |\n")
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(b"x")
    read = {file.name: file.same for file in given([tmp_path])}
    assert read == {"a.png": True, "b.png": True, "c.png": False}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_runs(networks_dir: Path) -> None:
    figures = run("hard", "--quick", networks=networks_dir)
    assert figures["wrong"] == {}
    assert figures["files"] > 30
    assert len(figures["slowest"]) == len(figures["most_memory"]) == 3
