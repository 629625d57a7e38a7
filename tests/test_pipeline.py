"""The whole pipeline as people run it: `dvc repro` and the commands around it, in a clone of the working tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from tests.clone import ALL_STAGES, Clone, stages_run
from tests.stages.support import (
    ME,
    ME_PHOTOS,
    STRANGERS,
    digest,
    photos_of_me,
    photos_of_strangers,
    posix_only,
    put,
)

pytestmark = pytest.mark.timeout(300)  # a test alone builds the clone first

# What git may hold of a run: hashes, and figures and curves that name nobody.
IN_GIT = {
    "data/.gitignore", "data/me.dvc", "data/not_me.dvc", "models/.gitignore", "models/records/.gitignore",
    "reports/.gitignore", "dvc.lock",
    "reports/data_quality.json", "reports/metrics.json", "reports/evaluation_results.json", "reports/roc_curve.csv",
    "reports/pr_curve.csv", "reports/threshold_analysis.csv", "reports/confusion_matrix.csv", "reports/det_curve.csv",
    "reports/calibration.csv", "reports/scores.csv", "reports/robustness.json", "reports/robustness.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def weaker(pristine: Clone, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, list[str]]:
    """A copy in which train.population_far was changed and the pipeline run, not committed; and the stages that ran."""
    clone = pristine.copy(tmp_path_factory.mktemp("weaker") / "clone")
    clone.set_params(train__population_far=0.05)
    return clone, clone.repro()


@pytest.fixture(scope="module")
def detected_otherwise(pristine: Clone, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, list[str]]:
    """A copy in which a parameter of the detector was changed and the pipeline run; and the stages that ran."""
    clone = pristine.copy(tmp_path_factory.mktemp("detected") / "clone")
    clone.set_params(detector__min_face=24)
    return clone, clone.repro()


@pytest.fixture(scope="module")
def experimented(pristine: Clone, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, str]:
    """A copy in which an experiment was run, not to be changed; and what `dvc exp run` printed."""
    clone = pristine.copy(tmp_path_factory.mktemp("experiment") / "clone")
    return clone, clone.dvc("exp", "run", "--name", "logistic", "-S", "train.verifier=logistic_regression")


def scores(clone: Clone) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The contract's score of every row, by joblib and scikit-learn alone."""
    model, scaler = (joblib.load(clone.path(f"models/{name}.joblib")) for name in ("model", "scaler"))
    values: np.ndarray[Any, np.dtype[np.float64]] = model.predict_proba(scaler.transform(clone.embeddings()))[:, 1]
    return values


def size_of(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as image:
        image.load()
        return image.size


def test_the_first_run_runs_every_stage_once_in_order(pristine: Clone) -> None:
    output = (pristine.root.parent / "first-output.txt").read_text(encoding="utf-8")
    assert stages_run(output) == ALL_STAGES
    assert pristine.path("models/networks/networks.json").is_file()


def test_every_file_of_the_contract_is_there(pristine: Clone) -> None:
    index = pd.read_csv(pristine.path("data/index.csv"))
    embeddings, labels = pristine.embeddings(), np.load(pristine.path("data/labels.npy"))
    assert (embeddings.dtype, embeddings.shape) == (np.float32, (len(index), 128))
    assert labels.shape == (len(index),)
    assert set(labels) == {0, 1}
    assert int(labels.sum()) == ME_PHOTOS
    assert len(index) >= ME_PHOTOS + STRANGERS
    for class_name, label in (("me", 1), ("not_me", 0)):
        crops = list(pristine.path(f"data/cropped/{class_name}").rglob("*.png"))
        several = set(pristine.path(f"data/cropped/{class_name}_several").rglob("*-0.png"))
        assert len(crops) + len(several) == int((labels == label).sum())
        assert {size_of(crop) for crop in crops} == {(160, 160)}
    metrics = json.loads(pristine.path("reports/metrics.json").read_text(encoding="utf-8"))
    keys = {"accuracy", "auc_roc", "precision", "recall", "f1_score", "classification_report"}
    assert keys <= metrics.keys()
    assert all(0.8 <= metrics[key] <= 1 for key in keys - {"classification_report"})
    assert {"me", "not_me"} <= metrics["classification_report"].keys()
    results = json.loads(pristine.path("reports/evaluation_results.json").read_text(encoding="utf-8"))
    assert 0 <= results["threshold_analysis"]["optimal_threshold_f1"] <= 1
    for name in ("confusion_matrix", "roc_curve", "pr_curve"):
        assert min(size_of(pristine.path(f"reports/{name}.png"))) >= 400
    assert "# Informe técnico" in pristine.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    assert scores(pristine)[labels == 1].min() > scores(pristine)[labels == 0].max()


def test_a_second_run_runs_nothing(clone: Clone) -> None:
    output = clone.dvc("repro")
    assert stages_run(output) == []
    assert "Data and pipelines are up to date." in output
    assert "Data and pipelines are up to date." in clone.dvc("status")
    assert clone.git("status", "--porcelain") == ""


@pytest.mark.long
def test_all_but_the_report_is_the_same_in_another_run(pristine: Clone, tmp_path: Path) -> None:
    """Latency is measured anew, so the report that holds it is left out."""
    again = pristine.copy(tmp_path / "clone")
    for name in ("data/embeddings.npy", "models/model.joblib", "reports/strangers.csv"):
        again.path(name).unlink()
    shutil.rmtree(again.path("data/remembered"))
    again.dvc("repro", "--force", "--single-item", "crop", "embed", "train", "evaluate", "robustness")
    assert again.git("status", "--porcelain") == ""


def test_git_holds_no_photo_crop_embedding_model_or_name(pristine: Clone, lfw_dir: Path) -> None:
    committed = pristine.git("ls-files", "-z").split("\0")[:-1]
    made = {name for name in committed if name.startswith(("data/", "models/", "reports/")) or name == "dvc.lock"}
    assert made == IN_GIT
    people = {photo.parent.name for photo in photos_of_strangers(lfw_dir, STRANGERS)} | {ME}
    for name in IN_GIT:
        text = pristine.path(name).read_text(encoding="utf-8")
        assert not [person for person in people if person in text or person.replace("_", " ") in text]
    tracked = {
        path.relative_to(pristine.root).as_posix() for path in pristine.path("data").rglob("*") if path.is_file()
    }
    ignored = pristine.git("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "data").split("\0")[:-1]
    assert tracked - IN_GIT == set(ignored)


@pytest.mark.slow
def test_one_parameter_runs_what_depends_on_it(weaker: tuple[Clone, list[str]], pristine: Clone) -> None:
    clone, ran = weaker
    assert ran == ["train", "evaluate", "robustness", "report"]
    assert clone.repro() == []
    assert joblib.load(clone.path("models/model.joblib")).far == 0.05
    assert np.abs(scores(clone) - scores(pristine)).max() > 0.1


@pytest.mark.slow
def test_metrics_are_shown_and_compared(weaker: tuple[Clone, list[str]], pristine: Clone) -> None:
    clone, _ = weaker
    shown = json.loads(clone.dvc("metrics", "show", "--json"))[""]["data"]
    names = ("data_quality", "metrics", "evaluation_results", "robustness")
    assert set(shown) == {f"reports/{name}.json" for name in names}
    compared = json.loads(clone.dvc("metrics", "diff", "--json"))["reports/evaluation_results.json"]
    eer = compared["threshold_analysis.equal_error_rate.threshold"]
    old, new = (
        json.loads(each.path("reports/evaluation_results.json").read_text(encoding="utf-8"))["threshold_analysis"]
        for each in (pristine, clone)
    )
    assert (eer["old"], eer["new"]) == (old["equal_error_rate"]["threshold"], new["equal_error_rate"]["threshold"])
    assert eer["old"] != eer["new"]


@pytest.mark.slow
def test_parameters_are_compared(weaker: tuple[Clone, list[str]]) -> None:
    assert json.loads(weaker[0].dvc("params", "diff", "--json"))["params.yaml"] == {
        "train.population_far": {"old": 0.0005, "new": 0.05, "diff": pytest.approx(0.0495)}
    }


@pytest.mark.slow
@pytest.mark.parametrize("command", ["show", "diff"])
def test_curves_are_shown_and_compared_as_a_page(weaker: tuple[Clone, list[str]], tmp_path: Path, command: str) -> None:
    weaker[0].dvc("plots", command, "--out", str(tmp_path / "page"))
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    for title in ("ROC", "Precision and recall", "F1 by threshold", "Confusion matrix", "FAR (strangers accepted)"):
        assert title in page
    pictures = list((tmp_path / "page").rglob("*.png"))
    assert len(pictures) == (8 if command == "show" else 16)


@pytest.mark.slow
def test_one_photo_added_and_one_deleted_cost_one_photo(clone: Clone, lfw_dir: Path) -> None:
    before = {path.name for path in clone.path("data/cropped").rglob("*.png")}
    gone = photos_of_me(lfw_dir)[2].name
    trace = clone.index().query("label == 1 and photo.str.contains(@gone)").iloc[0]
    clone.path(f"data/me/{gone}").unlink()
    put(photos_of_me(lfw_dir)[20], clone.path("data/me/added.jpg"))
    clone.dvc("add", "data/me")
    done = clone.call(sys.executable, "-m", "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == ALL_STAGES[1:]
    assert re.search(r"1 de \d+ recortes es nuevo:", done.stdout + done.stderr)
    after = {path.name for path in clone.path("data/cropped").rglob("*.png")}
    assert before - after == {name for name in before if name.startswith(gone)} >= {f"{gone}-0.png"}
    assert after - before == {name for name in after if name.startswith("added.jpg")} >= {"added.jpg-0.png"}
    assert not list(clone.path("data/remembered").rglob(f"{trace['sha256']}*"))
    for name, text in clone.texts():
        assert gone not in name
        assert not [value for value in (gone, trace["sha256"], trace["crop_sha256"]) if value in text], name
    assert np.load(clone.path("data/labels.npy")).sum() == ME_PHOTOS


@pytest.mark.slow
def test_a_failing_train_leaves_the_last_good_model_where_dvc_would_delete_it(clone: Clone) -> None:
    """DVC deletes a stage's outputs before it runs it, unless they are persist: true."""
    files = ["models/model.joblib", "models/scaler.joblib", "reports/metrics.json", "data/predictions.csv",
             "reports/evaluation_results.json", "reports/report.json", "reports/INFORME_H10.md"]  # fmt: skip
    before = {name: digest(clone.path(name)) for name in files}
    kept = clone.path("data/me/Hans_Blix_0002.jpg")  # one face is on it
    for photo in set(clone.path("data/me").iterdir()) - {kept}:
        photo.unlink()
    for copy in ("copy_1.jpg", "copy_2.jpg"):  # three photos are enough to begin with, and they count once
        shutil.copy(kept, clone.path(f"data/me/{copy}"))
    clone.dvc("add", "data/me")
    output = clone.failing_dvc("repro")
    assert stages_run(output) == ["crop", "embed", "quality", "train"]
    assert "train: error: «me» tiene 3 caras que se pueden usar, de solo 1 toma; " in output
    assert "models/model.joblib sigue siendo el modelo de la última ejecución" in output
    assert "Traceback" not in output
    assert {name: digest(clone.path(name)) for name in files} == before


# Parameters; the stages that DVC says they change; those of them that are then run alone; and the stages that DVC says
# have to follow, for which it compares what these wrote with what they wrote before. What follows from the following is
# in dvc.yaml, and the tests above run it. Parameters stand together where no stage could change unnoticed because
# another of them changes it anyway.
CONSEQUENCES: list[tuple[dict[str, Any], list[str], list[str], list[str]]] = [
    # dlib-resnet's crops have no margin: the networks stay as they are
    ({"backbone__offline": None, "crop__margin": 8}, ["export"], ["export"], []),
    ({"detector__min_face": 24}, ["export"], ["export"], ["crop", "embed", "robustness", "report"]),
    ({"detector__min_probability": 0.92}, ["export"], ["export"], ["crop", "embed", "robustness", "report"]),
    ({"crop__image_size": 150}, ["export"], ["export"], ["crop", "embed", "robustness", "report"]),
    ({"crop__max_megapixels": 32}, ["crop"], ["crop"], []),  # the same faces
    ({"crop__me_faces": "all"}, ["crop"], ["crop", "embed"], ["quality", "train", "evaluate", "robustness", "report"]),
    ({"embed__flip": False}, ["embed", "robustness", "report"], ["embed"],
     ["quality", "train", "evaluate", "robustness", "report"]),
    ({"embed__batch_size": 8}, ["embed"], ["embed"], []),
    # blurred photos of me are not enrolled, and train writes the limit beside the model
    ({"quality__min_sharpness": 0.02}, ["quality", "train"], ["quality", "train"],
     ["evaluate", "robustness", "report"]),
    # cross-validation has no test set: the same model and figures; but its record names the parameter
    ({"train__test_size": 0.3}, ["train", "robustness", "report"], ["train"], ["evaluate", "robustness", "report"]),
    ({"train__random_state": 1}, ["train", "robustness", "report"], ["train"], ["evaluate", "robustness", "report"]),
    ({"train__verifier": "logistic_regression"}, ["train", "robustness", "report"], ["train"],
     ["evaluate", "robustness", "report"]),
    ({"train__protocol": "holdout"}, ["train", "robustness", "report"], ["train"],
     ["evaluate", "robustness", "report"]),
    ({"evaluate__threshold": 0.6}, ["evaluate", "robustness"], ["evaluate"], ["robustness", "report"]),
    ({"evaluate__target_far": 0.2}, ["evaluate"], ["evaluate"], ["report"]),
    ({"robustness__photos": 3}, ["robustness"], ["robustness"], ["report"]),
    ({"language": "en", "report__latency_photos": 3}, ["crop", "quality", "evaluate", "robustness", "report"],
     ["crop", "quality", "evaluate", "robustness", "report"], []),
]  # fmt: skip


IN_SLOW_TIER = {"embed__flip", "quality__min_sharpness", "train__verifier", "evaluate__threshold"}
"""The first parameters of those rows that are run in the slow tier; test_dependencies.py holds all to dvc.yaml."""


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("changed", "stages", "run", "following"),
    [
        pytest.param(
            *row, id="-".join(row[0]), marks=pytest.mark.slow if IN_SLOW_TIER & row[0].keys() else pytest.mark.long
        )
        for row in CONSEQUENCES
    ],
)
def test_each_parameter_runs_exactly_what_depends_on_it(
    clone: Clone, changed: dict[str, Any], stages: list[str], run: list[str], following: list[str]
) -> None:
    clone.set_params(**changed)
    assert clone.would_run() == stages
    clone.repro_alone(*run)
    assert clone.would_run() == following


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_parameter_of_the_detector_runs_everything_and_once(detected_otherwise: tuple[Clone, list[str]]) -> None:
    clone, ran = detected_otherwise
    assert ran == ALL_STAGES
    assert clone.repro() == []


@pytest.mark.long
@pytest.mark.timeout(400)
def test_an_experiment_runs_and_is_listed(experimented: tuple[Clone, str], tmp_path: Path) -> None:
    clone, output = experimented[0].copy(tmp_path / "clone"), experimented[1]
    assert stages_run(output) == ["train", "evaluate", "robustness", "report"]
    table = json.loads(clone.dvc("exp", "show", "--json"))
    assert '"verifier": "logistic_regression"' in json.dumps(table)
    assert "logistic" in clone.dvc("exp", "show", "--no-pager", "--csv")
    changed = json.loads(clone.dvc("exp", "diff", "HEAD", "logistic", "--json"))["params"]["params.yaml"]
    assert changed["train.verifier"] == {"old": "cosine", "new": "logistic_regression"}
    clone.git("checkout", "--", ".")
    clone.dvc("checkout")
    assert joblib.load(clone.path("models/model.joblib")).far == 0.0005
    clone.dvc("exp", "apply", "logistic")
    assert isinstance(joblib.load(clone.path("models/model.joblib")), LogisticRegression)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_older_commit_is_restored_without_running_anything(
    weaker: tuple[Clone, list[str]], pristine: Clone, tmp_path: Path
) -> None:
    clone = weaker[0].copy(tmp_path / "clone")
    clone.commit("Weaker")
    clone.git("checkout", "--quiet", "HEAD~1")
    clone.dvc("checkout")
    assert clone.pinned() == pristine.pinned()
    assert clone.repro() == []


@pytest.mark.timeout(400)
@posix_only
@pytest.mark.parametrize(
    "last", [pytest.param("embed", marks=pytest.mark.slow), pytest.param("report", marks=pytest.mark.long)]
)
def test_killed_half_way_dvc_goes_on_with_the_next_run(clone: Clone, tmp_path: Path, last: str) -> None:
    """The whole group of processes gets SIGKILL while crop works; a model is there, and the next run is right."""
    undisturbed = clone.copy(tmp_path / "undisturbed")
    for each in (undisturbed, clone):
        each.set_params(detector__min_face=24)
    undisturbed.dvc("repro", last)
    model = digest(clone.path("models/model.joblib"))
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", last], cwd=clone.root, env=clone.environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not any(clone.path("data").glob(".cropped.new.*.tmp/*/**/*.png")):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
    assert digest(clone.path("models/model.joblib")) == model
    assert joblib.load(clone.path("models/model.joblib")).predict_proba is not None
    assert stages_run(clone.dvc("repro", last))[-1] == last
    assert not list(clone.path("data").glob(".*.tmp"))
    assert clone.pinned() == undisturbed.pinned()
    assert stages_run(clone.dvc("repro", last)) == []


@pytest.mark.long
@pytest.mark.timeout(400)
@posix_only
def test_awkward_names_go_through_dvc(clone: Clone, lfw_dir: Path) -> None:
    names = ["with space.jpg", "José 😀.JPG", "new\nline.jpeg", "carriage\rreturn.jpg", "ñ" * 123 + ".jpg", 'a,b".jpg']
    for name, photo in zip(names, photos_of_me(lfw_dir)[20:], strict=False):
        put(photo, clone.path(f"data/me/{name}"))
    clone.dvc("add", "data/me")
    assert clone.repro() == ALL_STAGES[1:]
    assert {f"me/{name}" for name in names} <= set(clone.index()["photo"])
    assert clone.repro() == []


@pytest.mark.long
@pytest.mark.timeout(400)
def test_attributes_are_seen_to_appear_change_and_go(clone: Clone) -> None:
    """They are the user's and optional, and lie with the photos: crop finds the same faces, robustness compares."""
    attributes, table = clone.path("data/not_me/attributes.csv"), clone.path("reports/fairness.csv")
    people = sorted(path.name for path in clone.path("data/not_me").iterdir())
    mine = "photo,light\n" + "".join(f"not_me/{name},{'dim' if name < people[9] else 'day'}\n" for name in people)
    attributes.write_text(mine, encoding="utf-8")
    assert clone.repro() == ["crop", "robustness", "report"]
    assert set(pd.read_csv(table)["group"]) == {"dim", "day"}
    assert clone.git("check-ignore", "data/not_me/attributes.csv")
    attributes.write_text(mine.replace("dim", "dark"), encoding="utf-8")
    assert clone.repro() == ["crop", "robustness", "report"]
    assert set(pd.read_csv(table)["group"]) == {"dark", "day"}
    attributes.unlink()
    assert clone.repro() == []  # as before the first of them: DVC's run cache knows it
    assert pd.read_csv(table).empty


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "attributes", [pytest.param(False, marks=pytest.mark.slow), pytest.param(True, marks=pytest.mark.long)]
)
def test_a_second_clone_that_pulls_is_clean(clone: Clone, tmp_path: Path, attributes: bool) -> None:
    if attributes:
        clone.path("data/not_me/attributes.csv").write_text("photo,light\nnot_me,day\n", encoding="utf-8")
        clone.repro()
    clone.dvc("remote", "add", "--default", "store", str(tmp_path / "store"))
    clone.dvc("push")
    clone.commit("Remote")
    clone.git("clone", "--quiet", str(clone.root), str(tmp_path / "other"))
    other = Clone(tmp_path / "other")
    other.dvc("pull")
    assert "Data and pipelines are up to date." in other.dvc("status")
    assert other.repro() == []
    assert other.git("status", "--porcelain") == ""
    assert other.outputs() == clone.outputs()


def report_is_of_the_model(clone: Clone) -> bool:
    text = clone.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    page = clone.path("reports/INFORME_H10.html").read_text(encoding="utf-8")
    model = digest(clone.path("models/model.joblib"))
    return model in text and model in page


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_report_is_that_of_the_model_whatever_was_checked_out(
    pristine: Clone, experimented: tuple[Clone, str], tmp_path: Path
) -> None:
    assert report_is_of_the_model(pristine)
    clone = experimented[0].copy(tmp_path / "clone")
    assert report_is_of_the_model(clone)
    assert "LogisticRegression" in clone.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    clone.git("checkout", "--", ".")
    clone.dvc("checkout")
    assert report_is_of_the_model(clone)
    assert "LogisticRegression" not in clone.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    clone.history("apply", "logistic")
    assert report_is_of_the_model(clone)
    assert "LogisticRegression" in clone.path("reports/INFORME_H10.md").read_text(encoding="utf-8")
    clone.history("back")
    assert report_is_of_the_model(clone)


def change_code(clone: Clone, name: str, old: str, new: str) -> None:
    path = clone.path(name)
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_crop_outlives_the_code_that_made_it(clone: Clone) -> None:
    """The cut is scaled: every crop and every embedding is made anew, and what is served agrees with them."""
    before, embeddings = clone.crop_report().query("kept").set_index("photo")["crop_sha256"], clone.embeddings()
    change_code(clone, "faces/recognition/align.py", "[0.0, 0.0, 1.0]]))[:2]", "[0.0, 0.0, 1.0]]))[:2] * 0.6")
    clone.repro_alone("crop", "embed")
    assert {"quality", "train", "evaluate", "robustness", "report"} <= set(clone.would_run())
    after = clone.crop_report().query("kept").set_index("photo")["crop_sha256"]
    assert (before.index == after.index).all()
    assert not (before == after).any()
    assert np.abs(clone.embeddings() - embeddings).max(axis=1).min() > 1e-3


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_embedding_outlives_the_code_that_made_it(clone: Clone) -> None:
    before, crops = clone.embeddings(), clone.crop_report()
    change_code(clone, "faces/recognition/embedder.py", "+ both[len(crops) :]) / np.float32(2)",
                "+ both[len(crops) :]) / np.float32(3)")  # fmt: skip
    clone.repro_alone("crop", "embed")
    assert "train" in clone.would_run()
    assert np.abs(clone.embeddings() - before).max(axis=1).min() > 1e-3
    assert clone.crop_report().equals(crops)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_comment_costs_nothing_but_the_stages_start(clone: Clone) -> None:
    """Code that computes the same: crops and embeddings are taken over, and nothing that follows is run."""
    before = clone.pinned()
    for name in ("faces/recognition/align.py", "faces/recognition/embedder.py"):
        append(clone, name, "\n# A comment.\n")
    done = clone.call(sys.executable, "-m", "dvc", "repro", "crop", "embed")
    assert stages_run(done.stdout) == ["export", "crop", "embed"]
    assert not re.search("recortes? (es|son) nuevo", done.stdout + done.stderr)
    assert clone.pinned() == before


@pytest.mark.long
@pytest.mark.timeout(400)
def test_setting_a_parameter_back_computes_nothing(clone: Clone) -> None:
    before = clone.pinned()
    clone.set_params(crop__not_me_faces="largest")
    assert clone.repro()[:2] == ["crop", "embed"]
    clone.set_params(crop__not_me_faces="all")
    assert set(clone.repro()) <= {"train"}  # its model outlives failed runs, so DVC's run cache does not know it
    assert clone.pinned() == before


def append(clone: Clone, name: str, text: str) -> None:
    with clone.path(name).open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_photo_that_cannot_be_identified_is_told_of_in_the_same_words_each_time(clone: Clone) -> None:
    for name, content in (("text.jpg", b"text"), ("cut.jpg", b"\xff\xd8\xff\xe0"), ("cut.png", b"\x89PNG\r\n\x1a\n\0")):
        clone.path(f"data/me/{name}").write_bytes(content)
    reports = []
    for _ in range(2):
        shutil.rmtree(clone.path("data/remembered"))
        clone.dvc("repro", "--force", "--single-item", "crop")
        reports.append(clone.path("reports/crop_report.csv").read_bytes())
    assert reports[0] == reports[1]
    assert b"object at" not in reports[0] and b"BytesIO" not in reports[0]
