"""The picture of speed: drawn from what benches printed, and holding its own figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bench import picture

MACHINE = "2 cores"


def printed(path: Path, bench: str, **values: Any) -> Path:
    """A file with what a bench prints: a table, then a line of JSON."""
    path.write_text(f"a table\n{json.dumps({'bench': bench, 'machine': MACHINE, **values})}\ndone\n", encoding="utf-8")
    return path


def group(naive: float, other: float) -> dict[str, Any]:
    """A group of bench.verify."""
    return {"photos": 1, "dlib-resnet": {"ms": 1.0, "naive flow": naive, "face_recognition": other}}


def draw(monkeypatch: pytest.MonkeyPatch, output: Path, *files: Path) -> picture.Bars:
    """Draw it as the command does, and read the bars that it holds."""
    monkeypatch.setattr(sys, "argv", ["picture", *map(str, files), "--output", str(output)])
    picture.main()
    with Image.open(output) as drawn:
        drawn.load()
        bars: picture.Bars = json.loads(drawn.info[picture.FIGURES])
    return bars


def test_it_holds_the_bars_that_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [
        printed(tmp_path / "large.txt", "verify", groups={"12 megapixels": group(40, 60), "250 × 250": group(9, 9)}),
        printed(tmp_path / "small.txt", "verify", groups={"250 × 250": group(5, 6), "no face": group(2, 2)}),
        printed(tmp_path / "load.txt", "load", throughput={"times_as_many": 20.5}),
        printed(tmp_path / "pipeline.txt", "pipeline", beside={"small": {"times_as_fast": 7.25}}),
    ]
    assert draw(monkeypatch, tmp_path / "speed.png", *files) == {
        "/verify: 12 megapixels": {"naive flow": 40, "face_recognition": 60},
        "/verify: 250 × 250": {"naive flow": 5, "face_recognition": 6},
        picture.LOAD: {"naive flow": 20.5},
        "crop + embed: small": {"naive flow": 7.25},
    }


def test_a_file_that_no_bench_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("Terminated\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"empty\.txt holds no JSON line"):
        draw(monkeypatch, tmp_path / "speed.png", path)


def test_a_bench_that_is_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = printed(tmp_path / "start.txt", "start")
    with pytest.raises(SystemExit, match=r"none of the files is of bench\.verify"):
        draw(monkeypatch, tmp_path / "speed.png", path)
