"""The stage robustness: which photos it degrades, who judges them, what it says of them and whom it does not name."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from PIL import Image

from faces.population import Population
from faces.recognition.image import LARGEST_MAX_PIXELS
from stages.files.dataset import Dataset
from stages.files.tables import read_table
from stages.params import Params, TrainParams
from stages.robustness import robustness
from stages.robustness.chart import draw_robustness
from stages.robustness.degradations import DEGRADATIONS
from stages.robustness.fairness import Comparison
from tests.stages.support import ME, STRANGERS, Workspace, put_faceless

FILES = ("robustness.csv", "robustness.png", "robustness.json", "strangers.csv", "fairness.csv", "fairness.json")
PHOTOS, OTHERS = 5, 3  # of the built workspace
BOX = np.array([0.0, 0.0, 10.0, 10.0])


def faces_of(groups: list[int], me: int, faces: dict[int, int] | None = None) -> tuple[pd.DataFrame, Dataset]:
    """index.csv's label and face, and embeddings which hold their own row's number; the last `me` rows are of me."""
    labels = np.array([0] * (len(groups) - me) + [1] * me)
    numbers = [str((faces or {}).get(row, 0)) for row in range(len(groups))]
    embeddings = np.random.default_rng(0).normal(size=(len(groups), 8)).astype(np.float32)
    embeddings[:, 0] = np.arange(len(groups))
    return pd.DataFrame({"label": labels.astype(str), "face": numbers}), Dataset(embeddings, labels, np.array(groups))


def test_a_photo_of_each_person_comes_before_anybody_s_second() -> None:
    """Person 0 has ten photos, five others one each; of me there are four, two of them near-duplicates."""
    index, data = faces_of([0] * 10 + [1, 2, 3, 4, 5] + [6, 6, 7, 8], me=4)
    for seed in range(5):
        rows = robustness.choose_rows(index, data, (6, 3), seed)
        assert rows == sorted(set(rows))
        assert sorted(data.groups[rows]) == list(range(9))
        more = robustness.choose_rows(index, data, (8, 4), seed)
        assert Counter(data.groups[more].tolist()) == {0: 3, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 2, 7: 1, 8: 1}
        fewer = robustness.choose_rows(index, data, (2, 1), seed)
        assert Counter(data.labels[fewer].tolist()) == {0: 2, 1: 1}


def test_there_may_be_fewer_photos_than_asked_for() -> None:
    index, data = faces_of([0, 1, 2, 3, 3], me=2)
    assert robustness.choose_rows(index, data, (100, 100), 0) == [0, 1, 2, 3, 4]


def test_the_choice_is_the_seed_s() -> None:
    index, data = faces_of([*range(60)], me=30)
    chosen = [robustness.choose_rows(index, data, (5, 5), seed) for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_only_a_photo_s_largest_face_is_degraded() -> None:
    index, data = faces_of([0, 0, 1, 1, 2, 3], me=2, faces={1: 1, 3: 2})
    assert robustness.choose_rows(index, data, (9, 9), 0) == [0, 2, 4, 5]


@pytest.mark.parametrize("protocol", ["cross_validation", "holdout"])
def test_models_that_judge_a_photo_saw_nothing_of_its_group(
    dlib_params: Params, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    """Stands for a model: the groups that it was trained on. Every face gets one, under holdout too."""
    fitted: list[set[int]] = []

    def groups_seen(data: Dataset, _: TrainParams, population: Population | None) -> Any:
        assert population is None
        assert set(data.labels) == {0, 1}
        fitted.append(set(data.groups.tolist()))
        return fitted[-1]

    monkeypatch.setattr(robustness, "fit", groups_seen)
    _, data = faces_of([row // 3 for row in range(90)], me=30)
    params = replace(dlib_params.train, protocol=protocol)
    rows = list(range(0, 90, 4))
    verifiers = robustness.fit_verifiers(rows, data, params, None)
    assert sorted(verifiers) == rows
    assert len(fitted) <= params.folds
    trained: dict[int, Any] = dict(verifiers)
    for row, seen in trained.items():
        assert int(data.groups[row]) not in seen
        assert len(seen) >= 20


class _Judge:
    """Stands for a recognizer and a verifier: accepts by the JPEG's mean light, sees no face below 5 grey levels."""

    def __init__(self, accepts_below: float) -> None:
        self.accepts_below = accepts_below

    def score_of(self, photo: bytes) -> float:
        light = float(np.asarray(Image.open(io.BytesIO(photo)).convert("L")).mean())
        return float("nan") if light < 5 else 0.9 if light < self.accepts_below else 0.1


def test_rates_count_each_class_and_a_photo_without_a_face_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grey photos: below 110 they are accepted, below 5 no face is seen. Me 20, 100, 200; others 60, 200."""
    monkeypatch.setattr(robustness, "score_of", lambda photo, sample, _: sample.verifier.score_of(photo))
    judge: Any = _Judge(110)
    samples = [
        robustness.Sample(Image.new("RGB", (20, 20), (light,) * 3), BOX, label, judge, 0)
        for light, label in ((60, 0), (200, 0), (20, 1), (100, 1), (200, 1))
    ]
    recognizer: Any = None
    table = robustness.measure(samples, recognizer, 0.9)  # a score at the threshold is accepted, as by the service
    assert list(table.columns) == [
        "degradation", "level", "unit", "photos_me", "photos_not_me", "frr", "far", "no_face",
    ]  # fmt: skip
    assert [*zip(table["degradation"], table["level"], strict=True)] == [
        ("none", 0.0),
        *((degradation.name, level) for degradation in DEGRADATIONS for level in degradation.levels),
    ]
    assert (table["photos_me"] == 3).all()
    assert (table["photos_not_me"] == 2).all()
    rates = table[["frr", "far", "no_face"]].to_numpy().tolist()
    steps = dict(zip(zip(table["degradation"], table["level"], strict=True), rates, strict=True))
    assert steps["none", 0.0] == pytest.approx([1 / 3, 1 / 2, 0])
    assert steps["darker", 0.5] == pytest.approx([0, 1, 0])  # 10, 50, 100; 30, 100
    assert steps["darker", 0.1] == pytest.approx([1 / 3, 1, 1 / 5])  # 2: no face; 10, 20; 6, 20
    assert steps["brighter", 3.0] == pytest.approx([2 / 3, 0, 0])  # 60, 255, 255; 180, 255


def test_without_a_photo_of_me_frr_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On all of them stage embed took another face than the largest."""
    monkeypatch.setattr(robustness, "score_of", lambda photo, sample, _: sample.verifier.score_of(photo))
    nobody: Any = None
    judge: Any = _Judge(110)
    samples = [robustness.Sample(Image.new("RGB", (20, 20), (light,) * 3), BOX, 0, judge, 0) for light in (60, 200)]
    table = robustness.measure(samples, nobody, 0.9)
    results = robustness.summarise(table)
    assert results["photos"] == {"me": 0, "not_me": 2}
    assert results["undegraded"] == {"frr": None, "far": 0.5}
    assert set(results["frr_doubles_at"].values()) == {None}
    draw_robustness(table, results["frr_doubles_at"], "dlib-resnet", tmp_path / "chart.png")
    assert "0 photos of me and 2 of others" in robustness.describe(results, Comparison([], []))


def summarised(frr: list[float], photos: int = 12) -> Any:
    """frr_doubles_at of one degradation with levels 1, 2, 3 …, the first value being of the undegraded photos."""
    table = pd.DataFrame({"degradation": ["none", *["blur"] * (len(frr) - 1)], "level": np.arange(float(len(frr))),
                          "photos_me": photos, "photos_not_me": 7, "frr": frr, "far": 0.25})  # fmt: skip
    results = robustness.summarise(table)
    assert results["photos"] == {"me": photos, "not_me": 7}
    assert results["undegraded"] == {"frr": frr[0], "far": 0.25}
    assert list(results["frr_doubles_at"]) == ["blur"]
    return results["frr_doubles_at"]["blur"]


@pytest.mark.parametrize(
    ("rejected", "level"),
    [
        ([0, 0, 1, 2, 5], 3.0),
        ([0, 0, 0, 1, 1], None),
        ([0, 2, 0, 0, 0], 1.0),
        ([1, 2, 2, 3, 9], 3.0),
        ([1, 2, 2, 2, 2], None),
        ([3, 4, 5, 6, 7], 3.0),
        ([3, 4, 5, 5, 5], None),
        ([7, 8, 9, 12, 12], None),
        ([5, 1, 9, 10, 12], 3.0),
    ],
)
def test_frr_has_doubled_with_twice_the_rejections_and_two_more(rejected: list[int], level: float | None) -> None:
    assert summarised([count / 12 for count in rejected]) == level


def test_each_degradation_has_its_own_first_step() -> None:
    names, levels = ["none", "noise", "noise", "blur", "blur"], [0.0, 5.0, 9.0, 40.0, 20.0]
    table = pd.DataFrame({"degradation": names, "level": levels, "photos_me": 4, "photos_not_me": 4,
                          "frr": [0, 0, 0.25, 0.5, 1.0], "far": 0.0})  # fmt: skip
    doubled = robustness.summarise(table)["frr_doubles_at"]
    assert list(doubled.items()) == [("noise", None), ("blur", 40.0)]


class _Opened:
    """Stands for the recognizer's class: what it was made with."""

    def __init__(self, _: Any, flip: bool, max_pixels: int) -> None:
        self.given = (flip, max_pixels)

    def open(self, threads: int) -> None:
        self.threads = threads


@pytest.mark.parametrize("flip", [True, False])
def test_photos_are_asked_about_as_they_are_embedded(
    dlib_params: Params, monkeypatch: pytest.MonkeyPatch, flip: bool
) -> None:
    """With or without the mirrored face, and whatever size crop.max_megapixels has let in."""
    monkeypatch.setattr(robustness, "Recognizer", _Opened)
    params = replace(dlib_params, embed=replace(dlib_params.embed, flip=flip))
    networks: Any = None
    opened: Any = robustness.open_recognizer(networks, params)
    assert opened.given == (flip, LARGEST_MAX_PIXELS)
    assert opened.threads == 1, "photos run side by side instead"


def test_the_stage_samples_and_judges_as_its_parameters_say(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No two parameters are alike."""
    workspace.set_params(robustness__photos=3, robustness__strangers=7, robustness__random_state=5,
                         evaluate__threshold=0.35)  # fmt: skip
    monkeypatch.chdir(workspace.root)
    asked: dict[str, Any] = {}

    def choose(_: pd.DataFrame, data: Dataset, counts: tuple[int, int], seed: int) -> list[int]:
        asked["rows"] = (dict(zip(("not_me", "me"), counts, strict=True)), seed)
        return [0, len(data.labels) - 1]

    def measured(samples: list[Any], _: Any, threshold: float) -> pd.DataFrame:
        asked["threshold"] = threshold
        asked["labels"] = [sample.label for sample in samples]
        rows = [{"degradation": "none", "level": 0.0, "unit": ""}]
        rows += [{"degradation": way.name, "level": way.levels[0], "unit": way.unit} for way in DEGRADATIONS]
        return pd.DataFrame(rows).assign(photos_me=1, photos_not_me=1, frr=0.25, far=0.5, no_face=0.0)

    monkeypatch.setattr(robustness, "choose_rows", choose)
    monkeypatch.setattr(robustness, "measure", measured)
    robustness.main()
    assert asked == {"rows": ({"not_me": 7, "me": 3}, 5), "threshold": 0.35, "labels": [0, 1]}
    strangers = pd.read_csv(workspace.path("reports/strangers.csv"))
    assert (strangers["accepted"] == (strangers["highest_score"] >= 0.35)).all()
    assert content(workspace, "robustness")["undegraded"] == {"frr": 0.25, "far": 0.5}


def test_the_largest_face_is_never_mine(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(workspace.root)
    table = read_table(Path("data/index.csv"), "embed", [])
    table.loc[table["label"] == "1", "face"] = "1"
    table.to_csv("data/index.csv", index=False)
    robustness.main()
    assert "on each photo of me, the largest face is somebody else's" in caplog.text
    results = content(workspace, "robustness")
    assert results["photos"]["me"] == 0
    assert results["undegraded"]["frr"] is None


def test_the_terminal_says_what_doubles_and_who_is_compared() -> None:
    results = {"photos": {"me": 12, "not_me": 34}, "undegraded": {"frr": 0.25, "far": 0.0},
               "frr_doubles_at": {"blur": 2.0, "noise": None, "size": 40.0}, "worst_far": None}  # fmt: skip
    columns = [{"column": name, "groups": groups} for name, groups in (("light", 2), ("camera", 1), ("age", 4))]
    said = robustness.describe(results, Comparison([], columns))
    assert "FRR doubles with blur at 2, a smaller photo at 40;" in said and "noise" not in said
    assert said.index("12") < said.index("34") < said.index("blur") < said.index("the columns light, age of")
    assert "camera" not in said, "one group is compared with none"
    assert "nothing to compare in" in robustness.describe(results, Comparison([], columns[1:2]))
    none = robustness.describe({**results, "frr_doubles_at": {"noise": None}}, Comparison([], []))
    assert "noise" not in none and "attributes.csv" in none
    zero = robustness.describe({**results, "undegraded": {"frr": 0.0, "far": 0.0}}, Comparison([], []))
    assert "doubles" not in zero and "photos of me are turned away with blur at 2" in zero, "twice nothing is nothing"


def test_the_terminal_says_how_many_strangers_get_in_with_worse_photos() -> None:
    """With the degradation that lets in most; not FRR alone."""
    table = pd.DataFrame({
        "degradation": ["none", "blur", "blur", "noise", "noise"], "level": [0.0, 2.0, 6.0, 15.0, 30.0],
        "photos_me": 8, "photos_not_me": 8, "frr": 0.5, "far": [0.5, 0.0, 0.375, 0.375, 0.25],
    })  # fmt: skip
    results = robustness.summarise(table)
    assert results["worst_far"] == {"degradation": "blur", "level": 6.0, "far": 0.375, "accepted": 3, "photos": 8}
    said = robustness.describe(results, Comparison([], [])).splitlines()[-1]
    assert "blur at 6, 3 of 8 photos of others get in (FAR 37.5 %)" in said
    results = robustness.summarise(table.assign(far=0.0))
    assert results["worst_far"] == {"degradation": None, "level": None, "far": 0.0, "accepted": 0, "photos": 8}
    assert "none of 8 photos of others gets in" in robustness.describe(results, Comparison([], []))
    results = robustness.summarise(table.assign(photos_not_me=0, far=np.nan))
    assert (results["worst_far"], results["undegraded"]) == (None, {"frr": 0.5, "far": None})
    assert "it is not measured" in robustness.describe(results, Comparison([], [])).splitlines()[-1]


def content(workspace: Workspace, name: str) -> Any:
    return json.loads(workspace.path(f"reports/{name}.json").read_text(encoding="utf-8"))


def test_the_stage_writes_every_file_with_its_columns(built: Workspace) -> None:
    table = pd.read_csv(built.path("reports/robustness.csv"), keep_default_na=False)
    assert list(table.columns)[:3] == ["degradation", "level", "unit"]
    assert len(table) == 1 + sum(len(degradation.levels) for degradation in DEGRADATIONS)
    results = content(built, "robustness")
    assert results["photos"] == {"me": PHOTOS, "not_me": OTHERS}
    assert results["undegraded"] == {"frr": table["frr"][0], "far": table["far"][0]}
    assert list(results["frr_doubles_at"]) == [degradation.name for degradation in DEGRADATIONS]
    with Image.open(built.path("reports/robustness.png")) as picture:
        assert picture.width > 600
    strangers = pd.read_csv(built.path("reports/strangers.csv"))
    assert list(strangers.columns) == [
        "person", "photos", "highest_score", "score_known", "resembles_me", "accepted",
    ]  # fmt: skip
    assert strangers["score_known"].between(0, 1).all()
    assert strangers["resembles_me"].dtype == bool, "a population is shipped for this network"
    assert set(strangers["person"]) == {folder.name for folder in built.path("data/not_me").iterdir()}
    assert len(strangers) == STRANGERS
    assert strangers["highest_score"].is_monotonic_decreasing
    assert (strangers["accepted"] == (strangers["highest_score"] >= 0.75)).all()
    assert content(built, "fairness") == {"groups": [], "columns": []}


def test_the_worst_steps_turn_more_photos_of_me_away(built: Workspace) -> None:
    table = pd.read_csv(built.path("reports/robustness.csv"))
    undegraded, worst = table.iloc[0], table.groupby("degradation").last()
    assert undegraded["degradation"] == "none"
    assert undegraded["frr"] <= 1 / PHOTOS
    for name in ("darker", "blur", "noise", "jpeg", "covered"):
        assert worst["frr"][name] > undegraded["frr"], name
    assert worst["frr"]["size"] >= undegraded["frr"]  # of five photos, all may pass
    assert worst["frr"]["rotation"] <= undegraded["frr"] + 1 / PHOTOS  # a photo without a face is turned
    assert worst["no_face"].max() > 0


def test_nobody_and_no_photo_is_named_but_in_the_list_of_strangers(built: Workspace) -> None:
    for name in ("robustness.csv", "robustness.json", "fairness.csv", "fairness.json"):
        text = built.path(f"reports/{name}").read_text(encoding="utf-8")
        for photo in [*built.path("data/me").rglob("*.jpg"), *built.path("data/not_me").rglob("*.jpg")]:
            assert photo.stem not in text
            assert photo.parent.name in ("me", "not_me") or photo.parent.name not in text
        assert ME not in text
        assert str(built.root) not in text


def test_it_writes_the_same_bytes_again_and_compares_what_attributes_say(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: workspace.path(f"reports/{name}").read_bytes() for name in FILES}
    people = sorted(folder.name for folder in workspace.path("data/not_me").iterdir())
    lines = [f"not_me/{name},{'odd' if number % 2 else 'even'}" for number, name in enumerate(people)]
    workspace.path("data/not_me/attributes.csv").write_text("\n".join(["photo,kind", *lines]) + "\n", encoding="utf-8")
    monkeypatch.chdir(workspace.root)
    robustness.main()
    after = {name: workspace.path(f"reports/{name}").read_bytes() for name in FILES}
    assert {name for name in FILES if before[name] != after[name]} == {"fairness.csv", "fairness.json"}
    groups = content(workspace, "fairness")["groups"]
    assert [(group["group"], group["people"], group["frr"]) for group in groups] == [
        ("even", 10, None),
        ("odd", 10, None),
    ]
    assert list(pd.read_csv(workspace.path("reports/fairness.csv"))["group"]) == ["even", "odd"]


def sampled_photo(workspace: Workspace) -> Path:
    """A photo that is degraded: all of one class are, when as many are asked for."""
    workspace.set_params(robustness__photos=1000)
    return sorted(workspace.path("data/me").rglob("*.jpg"))[3]


def test_a_photo_gone_since_it_was_cropped_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = sampled_photo(workspace)
    photo.unlink()
    message = workspace.refused("robustness", monkeypatch).replace("\\", "/")
    assert message.startswith(f"data/me/{photo.name} cannot be read (")
    assert "run 'dvc repro'" in message


def test_a_photo_that_shows_no_face_any_more_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = sampled_photo(workspace)
    put_faceless(photo)
    message = workspace.refused("robustness", monkeypatch).replace("\\", "/")
    assert message.startswith(f"no face is found on data/me/{photo.name} any more: run 'dvc repro'")


def test_a_mistake_in_attributes_is_told_before_the_long_part(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "faces.recognition.recognizer.Recognizer.embed",
        "faces.recognition.recognizer.Recognizer.largest_face",
    ):
        monkeypatch.setattr(name, None)
    workspace.path("data/not_me/attributes.csv").write_text("photo,kind\nnobody,odd\n")
    assert "none speaks of a photo" in workspace.refused("robustness", monkeypatch)
