"""Data that say little: each ends in a report that says so or in an error, never in a confident figure."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from stages.evaluate import evaluate
from stages.train import train
from tests.stages.support import (
    STAGES,
    Workspace,
    photos_of_me,
    put,
    put_embeddings,
    put_groups,
    put_photos,
)


def results_of(workspace: Workspace) -> dict[str, Any]:
    text = workspace.path("reports/evaluation_results.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


@pytest.mark.slow
def test_five_photos_and_three_strangers_give_a_report_that_promises_nothing(empty: Workspace, lfw_dir: Path) -> None:
    put_photos(empty.root, lfw_dir, me=5, strangers=3)
    empty.set_params(language="es", robustness__photos=3, report__latency_photos=2)
    done = [empty.stage(stage) for stage in STAGES]
    warned, said = ("".join(getattr(one, stream) for one in done) for stream in ("stderr", "stdout"))
    assert "«me» tiene 5 caras; el mínimo recomendado es de 20 a 30" in warned
    assert "«not_me» tiene 3 caras; el mínimo recomendado es de 20 a 30" in warned
    assert "evaluate: con 0,75: FRR " in said
    assert "medido" in said and "garantizado" in said and "estimado" in said
    assert not re.search(r"\d\.\d", said), "numbers as Spaniards write them"
    assert "para garantizarlo hay que probar con 3000 desconocidos, y aquí se ha probado con 3\n" in said
    spoken = (warned + said).replace("Labeled Faces in the Wild", "")
    assert not re.search(r"\b(the|of|and|with|faces|photos)\b", spoken)
    results = results_of(empty)
    assert results["test_faces"] == {"not_me": 3, "me": 5}
    at = results["threshold_analysis"]["at_default"]
    assert at["far_interval"]["high"] >= 0.9
    assert at["frr_interval"]["high"] >= 0.5
    assert not results["operating_point"]["supported"]
    text = empty.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    assert "**Los datos no bastan para garantizarlo**: hacen falta al menos 3000 desconocidos y hay 3" in text
    assert "Añade fotos a `data/me`: hay 5 caras" in text
    assert "Añade fotos a `data/not_me`: hay 3 caras" in text


def test_one_to_five_hundred(
    empty: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put_embeddings(empty, me=4, not_me=2000, apart=1.0)
    monkeypatch.chdir(empty.root)
    with caplog.at_level(logging.WARNING):
        train.main()
    assert "0 % of the faces are me: an imbalance" in caplog.text
    evaluate.main()
    at = results_of(empty)["threshold_analysis"]["at_default"]
    assert at["frr_interval"]["high"] >= 0.7, "four photos say little of FRR"
    assert at["far_interval"]["high"] < 0.05
    assert at["frr"] < 0.5, "the four are found all the same"


def test_near_duplicates_of_one_photo_are_no_estimate(empty: Workspace, lfw_dir: Path) -> None:
    put_photos(empty.root, lfw_dir, me=0, strangers=12)
    with Image.open(photos_of_me(lfw_dir)[0]) as photo:
        for number in range(8):
            target = empty.path(f"data/me/{number}.jpg")
            target.parent.mkdir(parents=True, exist_ok=True)
            photo.save(target, quality=95 - 3 * number)
    empty.set_params(crop__me_faces="largest")  # a second face is on every photo
    for stage in ("crop", "embed", "quality"):
        empty.stage(stage)
    message = empty.failing("train")
    assert message.startswith("me has 8 usable faces, of only 1 shot; at least 3 are needed")


def test_two_people_in_me_are_pointed_out_by_name(empty: Workspace, lfw_dir: Path) -> None:
    """Of two people as many photos: the second by name, who is Hans Blix after Andre Agassi, and nobody else."""
    put_photos(empty.root, lfw_dir, me=8, strangers=20)
    other = sorted((lfw_dir / "images" / "Andre_Agassi").glob("*.jpg"))[:8]
    for photo in other:
        put(photo, empty.path(f"data/me/{photo.name}"))
    for stage in ("crop", "embed", "quality"):
        done = empty.stage(stage)
    table = pd.read_csv(empty.path("reports/data_quality.csv"), keep_default_na=False)
    doubted = set(table.loc[table["problem"].isin(["two_people", "suspected_not_me"]), "photo"])
    second = {f"me/{photo.name}" for photo in photos_of_me(lfw_dir)[:8]}
    assert doubted <= second and len(doubted) >= 6
    assert all(photo in done.stderr for photo in doubted)
    counts = json.loads(empty.path("reports/data_quality.json").read_text(encoding="utf-8"))["problems"]
    assert counts["two_people"] + counts["suspected_not_me"] == len(doubted)


def test_one_stranger_with_nearly_all_photos_promises_as_little_as_one_person(
    empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_embeddings(empty, me=20, not_me=400, apart=1.0)
    put_groups(empty, [0 if 10 < row < 400 else row + 1 for row in range(420)])
    monkeypatch.chdir(empty.root)
    train.main()
    evaluate.main()
    results = results_of(empty)
    assert results["test_groups"]["not_me"] == 12
    assert results["threshold_analysis"]["at_default"]["far_interval"]["high"] > 0.9
