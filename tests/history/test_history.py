"""`python -m history`: no photo is lost, whatever is saved, brought back or applied."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from history import versions
from tests.clone import Clone, new_clone
from tests.docs.pages import commands as documented_commands
from tests.stages.support import digest, put_faceless

pytestmark = pytest.mark.timeout(600)  # each command of DVC takes a second or more

# A pipeline of one stage that DVC runs in a second: what the history does is the same with it.
PIPELINE = """
stages:
  train:
    cmd: python train_stub.py
    deps:
    - data/me
    - data/not_me
    params:
    - train
    outs:
    - models/model.joblib
    metrics:
    - reports/metrics.json:
        cache: false
"""
STAGE = """
import json, shutil, yaml
shutil.copyfile("params.yaml", "models/model.joblib")
with open("params.yaml", encoding="utf-8") as params, open("reports/metrics.json", "w") as metrics:
    json.dump({"folds": yaml.safe_load(params)["train"]["folds"]}, metrics)
"""


@pytest.fixture(scope="module")
def saved_clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with two photos in each class, its pipeline run, saved once. Not to be changed."""
    clone = new_clone(tmp_path_factory.mktemp("history") / "project")
    clone.path("dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    clone.path("train_stub.py").write_text(STAGE, encoding="utf-8")
    for number, name in enumerate(("me/a.jpg", "me/b.jpg", "not_me/c.jpg", "not_me/d/e.jpg")):
        put_faceless(clone.path(f"data/{name}"), number)
    clone.commit("Project")
    clone.dvc("add", "data/me", "data/not_me")
    assert clone.repro() == ["train"]
    assert "4 photos added" in clone.history("save", "First")
    return clone


@pytest.fixture
def clone(saved_clone: Clone, tmp_path: Path) -> Clone:
    return saved_clone.copy(tmp_path / "project")


def photos(clone: Clone) -> dict[str, str]:
    found = (path for name in ("me", "not_me") for path in clone.path(f"data/{name}").rglob("*") if path.is_file())
    return {path.relative_to(clone.path("data")).as_posix(): digest(path) for path in found}


def in_cache(clone: Clone) -> set[str]:
    return {digest(path) for path in clone.path(".dvc/cache").rglob("*") if path.is_file()}


def model(clone: Clone) -> dict[str, int]:
    values: dict[str, int] = yaml.safe_load(clone.path("models/model.joblib").read_text(encoding="utf-8"))["train"]
    return values


# Documented commands that are not run in a project with photos: they install, serve, unpack elsewhere, or need an
# address. Those of quickstart.py are run with photos of the user's own by tests/test_update.py and tests/tour.
ELSEWHERE = (
    "quickstart.py", "docker", "pip install", "venv", "gunicorn", "python -m service", "ADDRESS", "../", "tar ",
    "curl ", "import torch", "cp -R demo", "stages.crop", "no_scm",
    "python -m privacy lock",  # photos get another name and are locked: tests/privacy/locking
    "~/",  # it would write into the home of whoever runs the tests
)  # fmt: skip


def test_a_save_after_the_lists_of_the_last_one_were_deleted(clone: Clone) -> None:
    """As `python -m privacy forget` and `lock` delete them."""
    for path in clone.path(".dvc/cache").rglob("*.dir"):
        path.unlink()
    clone.path("data/me/b.jpg").unlink()
    said = clone.history("save", "Without one photo")
    assert said.startswith("Saved as ") and "cannot be told" in said
    assert "No photo was added" in clone.history("save", "Nothing")


LIKELIEST = {"python -m history back", "dvc gc --workspace --force"}
"""Commands whose work it is to delete, or to put other files in the place of those that lie there."""


@pytest.mark.parametrize(
    "every",
    [
        pytest.param(False, marks=pytest.mark.slow, id="likeliest"),
        pytest.param(True, marks=pytest.mark.long, id="every"),
    ],
)
def test_no_documented_command_loses_a_photo(clone: Clone, every: bool) -> None:
    """A photo that was not added yet lies there before each command, and after it, however the command ends."""
    own = [command for command in documented_commands() if not any(part in command for part in ELSEWHERE)]
    assert {"dvc push", "dvc status"} | LIKELIEST <= set(own)
    own = [command for command in own if every or command in LIKELIEST]
    assert not [command for command in own if "--photos" in command]
    kept: dict[str, str] = {}
    for number, command in enumerate(own):
        for name in (f"me/new{number}.jpg", f"not_me/{number}/other.jpg"):
            put_faceless(clone.path(f"data/{name}"), 100 + number)
        kept |= photos(clone)
        clone.call("bash", "-c", command)
        assert photos(clone) == kept, command


def new_photo(clone: Clone, name: str = "me/new.jpg") -> None:
    put_faceless(clone.path(f"data/{name}"), 99)


@pytest.mark.slow
def test_saving_says_what_is_new_and_keeps_it(clone: Clone) -> None:
    new_photo(clone)
    put_faceless(clone.path("data/me/a.jpg"), 55)
    clone.path("data/not_me/c.jpg").unlink()
    told = clone.history("save", "More photos")
    assert re.fullmatch(
        r"Saved as \w+\. 1 photo added \(data/me/new\.jpg\); 1 photo changed \(data/me/a\.jpg\); "
        r"1 photo deleted \(data/not_me/c\.jpg\)\.\n",
        told,
    )
    assert clone.git("log", "-1", "--format=%s") == "More photos\n"
    assert set(photos(clone).values()) <= in_cache(clone)
    assert clone.git("status", "--porcelain") == ""
    assert sorted(clone.git("ls-files", "data").split()) == ["data/.gitignore", "data/me.dvc", "data/not_me.dvc"]
    told = clone.history("save")
    assert re.fullmatch(r"Nothing is new since the save \w+\. No photo was added, changed or deleted\.\n", told)


@pytest.mark.slow
def test_going_back_brings_parameters_and_model_and_leaves_the_photos(clone: Clone) -> None:
    before = model(clone)
    clone.set_params(train__folds=before["folds"] + 2)
    assert clone.repro() == ["train"]
    new_photo(clone)
    here = photos(clone)
    assert "1 photo added (data/me/new.jpg)" in clone.history("back", "HEAD")
    assert photos(clone) == here
    assert model(clone) == before == yaml.safe_load(clone.path("params.yaml").read_text(encoding="utf-8"))["train"]


@pytest.mark.slow
def test_going_back_twice_does_not_bring_back_what_was_thrown_away(clone: Clone) -> None:
    saved = clone.git("rev-parse", "--short", "HEAD").strip()
    folds = model(clone)["folds"]
    for step in (2, 3):
        clone.set_params(train__folds=folds + step)
        assert clone.repro() == ["train"]
        told = clone.history("back")
        assert f"are those of {saved} (" in told
        assert model(clone)["folds"] == folds
    undo = told.partition("'python -m history back ")[2].partition("'")[0]
    clone.history("back", undo)
    assert model(clone)["folds"] == folds + 3


@pytest.mark.slow
def test_after_going_back_dvc_compares_with_what_was_brought_back(clone: Clone) -> None:
    """And not with the experiment that was thrown away, which another revision still names."""
    folds = model(clone)["folds"]
    clone.set_params(train__folds=folds + 2)
    assert clone.repro() == ["train"]
    told = clone.history("back")
    assert changes(clone) == []
    assert clone.git("status", "--porcelain") == ""
    named = re.search(r"'dvc metrics diff (\w+)'", told)
    assert named is not None and f"'python -m history back {named[1]}'" in told
    assert changes(clone, named[1]) == [(folds + 2, folds)]
    clone.set_params(train__folds=folds + 3)
    assert clone.repro() == ["train"]
    assert changes(clone) == [(folds, folds + 3)]


def changes(clone: Clone, *revisions: str) -> list[tuple[int, int]]:
    """The metric before and after, as `dvc metrics diff` says it; nothing where it is the same."""
    found = json.loads(clone.dvc("metrics", "diff", *revisions, "--json"))
    return [(change["old"], change["new"]) for metrics in found.values() for change in metrics.values()]


@pytest.mark.slow
def test_going_back_with_photos_saves_those_of_today_first(clone: Clone) -> None:
    then = photos(clone)
    new_photo(clone)
    clone.path("data/me/a.jpg").unlink()
    today = photos(clone)
    told = clone.history("back", "HEAD", "--photos")
    assert photos(clone) == then
    undo = told.partition("'python -m history back ")[2].partition(" --photos'")[0]
    clone.history("back", undo, "--photos")
    assert photos(clone) == today


@pytest.mark.slow
def test_an_experiment_is_applied_and_the_photos_stay(clone: Clone) -> None:
    folds = model(clone)["folds"]
    clone.dvc("exp", "run", "--name", "seven", "-S", "train.folds=7")
    clone.history("back")
    assert model(clone)["folds"] == folds
    new_photo(clone)
    here = photos(clone)
    assert "1 photo added (data/me/new.jpg)" in clone.history("apply", "seven")
    assert photos(clone) == here
    assert model(clone)["folds"] == 7
    head = clone.git("rev-parse", "HEAD")
    assert "there is no experiment no-such" in clone.failing_history("apply", "no-such")
    assert (photos(clone), clone.git("rev-parse", "HEAD")) == (here, head)


@pytest.mark.slow
def test_dvc_alone_runs_experiments_without_touching_photos(clone: Clone) -> None:
    """Held by the patterns in .gitignore: one that hides data/ from DVC makes `dvc exp run` delete the photos."""
    new_photo(clone)
    here = photos(clone)
    clone.dvc("exp", "run", "-S", "train.folds=6")
    assert photos(clone) == here
    clone.dvc("checkout")
    assert photos(clone) == here


@pytest.mark.slow
def test_what_stops_it_is_said_and_nothing_is_changed(clone: Clone) -> None:
    here, head = photos(clone), clone.git("rev-parse", "HEAD")
    assert "nowhere is no saved state" in clone.failing_history("back", "nowhere")
    link = clone.path("data/me/link.jpg")
    link.symlink_to("/no/such/photo.jpg")
    assert "data/me/link.jpg is a link to a file that is not there" in clone.failing_history("save")
    link.unlink()
    clone.path("data/not_me").rename(clone.path("data/aside"))
    assert "there is no folder data/not_me: 'dvc checkout data/not_me.dvc'" in clone.failing_history("save")
    clone.path("data/aside").rename(clone.path("data/not_me"))
    assert (photos(clone), clone.git("rev-parse", "HEAD")) == (here, head)


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(versions.HistoryError, match="no git repository"):
        versions.save("x")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"a": "1"}, (["a"], [], [])),
        ({"a": "1", "b": "1"}, {"a": "2", "c": "1"}, (["c"], ["a"], ["b"])),
        ({"a": "1"}, {"a": "1"}, ([], [], [])),
    ],
)
def test_differences(before: dict[str, str], after: dict[str, str], expected: tuple[list[str], ...]) -> None:
    assert versions._differences(before, after) == expected
