"""Groups compared where it is hard: a bias of real photos, people in several groups, many questions, a report."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from PIL import Image

from faces.recognition.recognizer import Recognizer
from stages.estimation.held_out import HeldOutScores, load_held_out
from stages.params import load_params
from stages.robustness import fairness
from stages.robustness.degradations import DEGRADATIONS
from tests.stages.support import ROOT, Workspace, new_workspace, put_photos

PARAMS = replace(load_params(ROOT / "params.yaml").evaluate, bootstrap=100)


Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def many_photos_of_people_who_differ(draw: np.random.Generator) -> Drawn:
    """Some people are accepted often, most never: photos are no independent trials."""
    people = np.repeat(np.arange(30), 10)
    wrong = draw.random(300) < draw.choice([0.02, 0.7], 30, p=[0.8, 0.2])[people]
    return wrong, draw.choice(["a", "b"], 30)[people], people


def photos_of_a_person_in_several_groups(draw: np.random.Generator) -> Drawn:
    people = np.repeat(np.arange(30), 6)
    wrong = draw.random(180) < draw.choice([0.02, 0.7], 30, p=[0.8, 0.2])[people]
    return wrong, draw.choice(["day", "night"], 180), people


@pytest.mark.parametrize(
    ("drawn", "least"),
    [(many_photos_of_people_who_differ, 0.02), (photos_of_a_person_in_several_groups, 0.0)],
)
def test_false_alarms_are_near_five_per_cent(drawn: Callable[[np.random.Generator], Drawn], least: float) -> None:
    """Over many draws of groups that mean nothing; where people have photos in several groups, fewer."""
    draws = 400
    alarms = sum(
        fairness.permutation_p_value(*drawn(np.random.default_rng(seed)), permutations=199) < 0.05
        for seed in range(draws)
    )
    assert least <= alarms / draws <= 0.08


def test_many_questions_leave_something_to_find() -> None:
    """With 2,000 permutations the least p value times 120 questions would not be below 0.05."""
    draw = np.random.default_rng(0)
    labels, people = [0] * 60 + [1] * 60, list(range(120))
    scores = [0.9 if place % 60 < 15 else 0.1 if place < 60 else 0.95 for place in range(120)]
    columns = {f"c{number}": draw.choice(["a", "b"], 120).tolist() for number in range(119)}
    columns["true"] = ["hit" if place % 60 < 15 else "spared" for place in range(120)]
    tested = HeldOutScores(np.arange(120), np.array(labels), np.array(scores), np.array(people))
    found = fairness.compare(tested, pd.DataFrame(columns), PARAMS)
    assert {column["column"]: column["differs"] for column in found.columns if column["differs"]} == {"true": ["far"]}


@pytest.fixture(scope="module")
def biased(
    tmp_path_factory: pytest.TempPathFactory, networks_dir: Path, lfw_dir: Path, recognizer: Recognizer
) -> Workspace:
    """A data set in which every third photo of me, and nobody else's, is blurred; trained on it."""
    workspace = new_workspace(tmp_path_factory.mktemp("biased") / "project", networks_dir)
    put_photos(workspace.root, lfw_dir, me=36, strangers=40)
    blur = next(degradation for degradation in DEGRADATIONS if degradation.name == "blur")
    lines = ["photo,focus,person"]
    for number, path in enumerate(sorted(workspace.path("data/me").iterdir())):
        if number % 3 == 0:
            face = recognizer.largest_face(path)
            assert face is not None
            with Image.open(io.BytesIO(path.read_bytes())) as image:
                path.write_bytes(blur.apply(image.convert("RGB"), face.box, 8.0, 0))
        lines.append(f"me/{path.name},{'sharp' if number % 3 else 'blurred'},me")
    workspace.path("data/not_me/attributes.csv").write_text("\n".join(lines) + "\nnot_me,sharp,\n", encoding="utf-8")
    for stage in ("crop", "embed", "quality", "train"):
        workspace.stage(stage)
    return workspace


@pytest.fixture
def judged(biased: Workspace, monkeypatch: pytest.MonkeyPatch) -> tuple[HeldOutScores, pd.DataFrame]:
    """What the models said of that data set, and its index; its folder is the current one."""
    monkeypatch.chdir(biased.root)
    return load_held_out()["test"], pd.read_csv("data/index.csv", dtype=str, keep_default_na=False)


def test_a_group_that_is_served_worse_is_flagged(
    judged: tuple[HeldOutScores, pd.DataFrame], caplog: pytest.LogCaptureFixture
) -> None:
    tested, index = judged
    found = fairness.compare(tested, fairness.match(fairness.read_attributes(), index), PARAMS)
    rates = {group["group"]: group["frr"] for group in found.groups if group["column"] == "focus"}
    assert rates["blurred"] > rates["sharp"] + 0.3
    assert {column["column"]: column["differs"] for column in found.columns} == {"focus": ["frr"], "person": []}
    (warning,) = [record for record in caplog.records if "beyond chance" in record.getMessage()]
    assert warning.levelno == logging.WARNING
    assert warning.getMessage().startswith("FRR differs between groups of focus beyond chance: blurred ")
    assert "permuted among people" in warning.getMessage()


def test_columns_that_mean_nothing_are_not(judged: tuple[HeldOutScores, pd.DataFrame]) -> None:
    """One random column at a time, by person, on the same real scores: false alarms near 5 %."""
    tested, index = judged
    people = index["photo"].where(index["label"] == "1", index["person"])
    alarms, draws = 0, 200
    for seed in range(draws):
        coin = np.random.default_rng(seed).choice(["heads", "tails"], len(people.unique()))
        column = people.map(dict(zip(people.unique(), coin, strict=True)))
        columns = fairness.compare(tested, pd.DataFrame({"coin": column}), PARAMS).columns
        alarms += bool(columns[0]["differs"])
    assert 1 <= alarms <= 0.09 * draws


@pytest.mark.slow
def test_attributes_are_compared_and_reported(workspace: Workspace) -> None:
    workspace.set_params(robustness__photos=2, robustness__strangers=2, language="en")
    people = sorted(set(workspace.index()["person"]) - {"me"})
    lines = ["photo;género", *(f"not_me/{name};{'x|y' if place % 2 else 'z'}" for place, name in enumerate(people))]
    workspace.path("data/not_me/attributes.csv").write_text("\n".join([*lines, "not_me/nobody;z"]), encoding="utf-8")
    before = workspace.path("data/not_me/attributes.csv").read_bytes()
    done = workspace.stage("robustness")
    assert "groups of people: compared by the column género of data/not_me/attributes.csv" in done.stdout
    assert "names 1 photo or folder of which data/ has no face: not_me/nobody" in done.stderr
    assert workspace.path("data/not_me/attributes.csv").read_bytes() == before
    found = json.loads(workspace.path("reports/fairness.json").read_text(encoding="utf-8"))
    assert [(group["group"], group["people"], group["frr"]) for group in found["groups"]] == [
        ("x|y", 10, None), ("z", 10, None),
    ]  # fmt: skip
    assert len(pd.read_csv(workspace.path("reports/fairness.csv"))) == 2
    workspace.stage("report")
    text = workspace.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    assert "| género | x\\|y | 10 | 0.0 % |" in text
    found["columns"][0] |= {"p_far": 0.0123, "differs": ["far"]}
    workspace.path("reports/fairness.json").write_text(json.dumps(found), encoding="utf-8")
    workspace.stage("report")
    text = workspace.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    assert "**FAR differs between groups of “género” beyond chance** (p = 0.0123" in text
