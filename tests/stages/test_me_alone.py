"""Photos of me and none of anybody else, through every stage: what would need others is null, and the rest is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from msgspec.structs import replace

from faces.operating_point import OperatingPoint
from stages.files.least_photos import why_others_are_needed
from stages.params import load_params
from stages.report.card import OF_OTHERS
from tests.shared import SharedFolders
from tests.stages.support import STAGES, Workspace, new_workspace, put_photos

LEAST = 3
"""Photos of me that training takes."""


@pytest.fixture(scope="module")
def alone(shared: SharedFolders, networks_dir: Path, lfw_dir: Path) -> Workspace:
    """A workspace with the fewest photos, in which every stage has run. printed.txt beside it holds what they said."""

    def build(folder: Path) -> None:
        workspace = new_workspace(folder / "project", networks_dir)
        put_photos(workspace.root, lfw_dir, me=LEAST, strangers=0)
        workspace.path("data/not_me").mkdir()
        said = [done.stdout + done.stderr for done in map(workspace.stage, STAGES)]
        (folder / "printed.txt").write_text("\n".join(said), encoding="utf-8")

    return Workspace(shared.made_once("me_alone", build) / "project")


def read(workspace: Workspace, name: str) -> Any:
    return json.loads(workspace.path(f"reports/{name}.json").read_text(encoding="utf-8"))


def test_no_python_is_shown(alone: Workspace) -> None:
    printed = (alone.root.parent / "printed.txt").read_text(encoding="utf-8")
    assert not [word for word in ("Traceback", "RuntimeWarning", "UserWarning", "nan", "None") if word in printed]


def test_what_is_allowed_is_no_warning(alone: Workspace) -> None:
    """That not_me is empty is said, but not as if something were wrong. Three photos of me are few."""
    printed = (alone.root.parent / "printed.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in printed if line.startswith("INFO: ") and "not_me is empty" in line]
    warned = [line for line in printed if line.startswith("WARNING: ")]
    assert not [line for line in warned if "not_me" in line or "checked" in line], warned


def test_what_needs_others_is_null(alone: Workspace) -> None:
    metrics, evaluation = read(alone, "metrics"), read(alone, "evaluation_results")
    missing = {name for name in ("accuracy", "auc_roc", "precision", "recall", "f1_score") if metrics[name] is None}
    assert missing == {"accuracy", "auc_roc", "precision", "f1_score"}
    assert metrics["population"]["used"] is True
    at = evaluation["threshold_analysis"]["at_default"]
    assert at["far"] is None and at["frr"] is not None
    assert at["far_estimated"] == pytest.approx(5e-4, rel=0.01)
    assert evaluation["operating_point"]["basis"] == "estimated"
    robustness = read(alone, "robustness")
    assert robustness["photos"] == {"me": LEAST, "not_me": 0}
    assert robustness["undegraded"]["far"] is None and robustness["undegraded"]["frr"] is not None
    assert len(pd.read_csv(alone.path("reports/strangers.csv"))) == 0


def test_the_threshold_that_is_estimated_goes_with_the_model(alone: Workspace) -> None:
    point = OperatingPoint.read(alone.path("models/operating_point.json"), alone.path("models/model.joblib"))
    assert (point.basis, point.people, point.supported) == ("estimated", 0, False)
    assert point.threshold == point.estimated_threshold


def test_every_file_is_there(alone: Workspace, built: Workspace) -> None:
    """Those that a project with others has, but for crops and photos, and for charts of others in the model's card."""
    named = [{name for name in each.outputs() if not name.startswith("data/")} for each in (alone, built)]
    assert named[0] == named[1] - {f"models/card/{name}.png" for name in OF_OTHERS}


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_report_says_that_nothing_was_measured(alone: Workspace, language: str, tmp_path: Path) -> None:
    workspace = alone.copy(tmp_path / "project")
    workspace.set_params(language=language)
    workspace.stage("report")
    report = workspace.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    assert {"en": "no photos of others", "es": "no hay fotos de otras personas"}[language] in report
    assert "None" not in report and "nan" not in report
    names = [advice["name"] for advice in read(workspace, "report")["recommendations"]]
    assert names.count("no_strangers") == 1 and "people_like_me" not in names
    (few,) = [advice for advice in read(workspace, "report")["recommendations"] if advice["name"] == "add_photos"]
    assert few["class"] == "me", "photos of me alone will do"
    assert not re.search(r"100[.,]0? ?%|100[.,]00 %", report), "three photos say nothing of FRR"
    assert not {"no_stranger_got_in", "strangers_get_in", "imbalance"} & set(names)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train__population": "none"}, "train.population: auto"),
        ({"train__verifier": "logistic_regression"}, "train.verifier: cosine"),
        ({"train__verifier": "logistic_regression", "train__population": "none"},
         "train.verifier: cosine, train.population: auto"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stage", ["crop", "train"])
def test_without_a_population_what_is_to_be_changed_is_said_in_a_line(
    alone: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], said: str, stage: str
) -> None:
    """By the first stage that may run, and by train, where photos are as they were."""
    workspace = alone.copy(tmp_path / "project")
    workspace.set_params(**changes)
    message = workspace.refused(stage, monkeypatch).partition(". Nothing new was trained")[0]
    start = "data/not_me has no photo with a face. Add photos of other people, or set in params.yaml: "
    assert message == start + said


def test_where_the_network_is_to_be_changed_too_that_is_said(alone: Workspace) -> None:
    params = load_params(alone.path("params.yaml")).train
    message = why_others_are_needed("facenet-vggface2", replace(params, population="none"))
    assert str(message).endswith("set in params.yaml: train.population: auto, backbone.name: dlib-resnet")
    assert why_others_are_needed("facenet-vggface2", params) is None, "there may be a population of one's own"


def test_a_backbone_without_a_population_is_told_of(
    alone: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = alone.copy(tmp_path / "project")
    path = workspace.path("data/embedding_recipe.json")
    making = json.loads(path.read_text(encoding="utf-8"))
    making["recipe"]["backbone"] = "facenet-vggface2"
    path.write_text(json.dumps(making), encoding="utf-8")
    message = workspace.refused("train", monkeypatch)
    assert "for the backbone facenet-vggface2 it is not known how strangers' faces are spread" in message
    assert "set backbone.name to dlib-resnet" in message and "faces.fit_population FOLDER" in message


@pytest.mark.parametrize(
    "strangers", [pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.long)]
)
def test_one_or_two_others_are_no_obstacle(empty: Workspace, lfw_dir: Path, strangers: int) -> None:
    put_photos(empty.root, lfw_dir, me=LEAST, strangers=strangers)
    for stage in STAGES:
        done = empty.stage(stage)
        assert "UserWarning" not in done.stderr
    at = read(empty, "evaluation_results")["threshold_analysis"]["at_default"]
    assert at["far"] == 0 and at["far_estimated"] == pytest.approx(5e-4, rel=0.01)
