"""The stage quality: each problem is found where it was put, few where none was; groups hold what belongs together.

Photos of LFW. The stages run in this process: a program's start takes longer than their work here.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from bench.copies import COPIES, save_copy
from stages.crop import crop
from stages.embed import embed
from stages.files.problem_kinds import PROBLEM_NAMES
from stages.params import load_params
from stages.quality import quality
from stages.train import train
from tests.stages.support import (
    ME,
    Workspace,
    new_workspace,
    photos_of_me,
    photos_of_strangers,
    put,
    put_faceless,
    put_photos,
)

ME_CLEAN, STRANGERS = 15, 60
OUTPUTS = ("data/groups.csv", "reports/data_quality.csv", "reports/contact_sheet.png", "reports/data_quality.json")
SECOND = "Tony_Blair"


def run(workspace: Workspace, *stages: str) -> None:
    """Run stages in this process, all three unless some are named."""
    modules = {"crop": crop, "embed": embed, "quality": quality}
    before = Path.cwd()
    os.chdir(workspace.root)
    try:
        for name in stages or modules:
            modules[name].main()
    finally:
        os.chdir(before)


def problems(workspace: Workspace) -> pd.DataFrame:
    return pd.read_csv(workspace.path("reports/data_quality.csv"), keep_default_na=False, encoding="utf-8")


def photos_with(workspace: Workspace, problem: str) -> set[str]:
    table = problems(workspace)
    return set(table.loc[table["problem"] == problem, "photo"])


def counts(workspace: Workspace) -> dict[str, int]:
    values: dict[str, int] = json.loads(workspace.path("reports/data_quality.json").read_text())["problems"]
    return values


def groups(workspace: Workspace) -> dict[str, set[int]]:
    """The groups of each photo's faces."""
    table = pd.read_csv(workspace.path("data/groups.csv"))
    assert list(table.columns) == ["row", "group", "shot", "blurred"]
    assert list(table["row"]) == list(range(len(workspace.embeddings())))
    found: dict[str, set[int]] = {}
    for photo, group in zip(workspace.index()["photo"], table["group"], strict=True):
        found.setdefault(photo, set()).add(int(group))
    return found


def changed(photo: Path, target: Path, change: Callable[[Image.Image], Image.Image], **saving: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(photo) as image:
        change(image.convert("RGB")).save(target, **saving)


def scaled(factor: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.resize((round(image.width * factor),) * 2, Image.Resampling.LANCZOS)


def moved(pixels: int) -> Callable[[Image.Image], Image.Image]:
    """What the next picture of a burst shows: the camera has moved a little."""
    return lambda image: image.crop((5 + pixels, 5 - pixels, image.width - 5 + pixels, image.height - 5 - pixels))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, networks_dir: Path, lfw_dir: Path) -> Workspace:
    """One person's photos and sixty strangers, as LFW has them. Not to be changed."""
    workspace = new_workspace(tmp_path_factory.mktemp("clean") / "project", networks_dir)
    put_photos(workspace.root, lfw_dir, ME_CLEAN, STRANGERS)
    run(workspace)
    return workspace


@pytest.fixture
def copy(clean: Workspace, tmp_path: Path) -> Workspace:
    """A copy of it."""
    return clean.copy(tmp_path / "project")


# What is put into the copy `spoilt`: photo, how it is made of one of LFW's, the problem it must be found with.
def spoil(workspace: Workspace, lfw: Path, photos: Path) -> None:
    me, data = photos_of_me(lfw), workspace.path("data")
    changed(me[20], data / "me/blurred.jpg", lambda image: image.filter(ImageFilter.GaussianBlur(3)))
    changed(me[21], data / "me/dark.jpg", lambda image: ImageEnhance.Brightness(image).enhance(0.2))
    changed(me[26], data / "me/bright.jpg", lambda image: image.point(lambda value: 195 + value * 60 // 255))
    changed(me[22], data / "me/tiny.jpg", scaled(0.28))
    changed(me[0], data / "me/resaved.png", lambda image: image)
    changed(me[1], data / "me/resized.jpg", scaled(0.5))
    changed(me[2], data / "me/recompressed.jpg", lambda image: image, quality=30)
    for number in range(3):
        changed(me[23], data / f"me/burst{number}.jpg", moved(number))
    changed(me[3], data / "not_me/both.jpg", lambda image: image, quality=80)
    put(me[24], data / "not_me/mine.jpg")
    put(photos_of_strangers(lfw, STRANGERS + 1)[-1], data / "me/strange.jpg")
    put(photos / "multiface.jpg", data / "not_me/several.jpg")
    put_faceless(data / "not_me/faceless.jpg")
    (data / "me/broken.jpg").write_bytes(me[25].read_bytes()[:3000])


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the stage warned of in `spoilt`."""
    return []


@pytest.fixture(scope="module")
def spoilt(
    clean: Workspace, tmp_path_factory: pytest.TempPathFactory, lfw_dir: Path, photos_dir: Path, said: list[str]
) -> Workspace:
    """The clean set with each problem put into it. Not to be changed."""
    workspace = clean.copy(tmp_path_factory.mktemp("spoilt") / "project")
    spoil(workspace, lfw_dir, photos_dir)
    run(workspace, "crop", "embed")
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    quality.logger.addHandler(handler)
    try:
        run(workspace, "quality")
    finally:
        quality.logger.removeHandler(handler)
    return workspace


def test_a_clean_set_has_few_problems(clean: Workspace) -> None:
    """LFW has bystanders, who are reported as what they are; of the named faces at most 2 % may be pointed out."""
    found = counts(clean)
    bystanders = {"several_faces", "tiny_face", "dark_face", "blurred"}
    assert sum(count for name, count in found.items() if name not in bystanders) <= 0.02 * (ME_CLEAN + STRANGERS)
    table, index = problems(clean), clean.index()
    alone = set(index["photo"]) - photos_with(clean, "several_faces")
    assert len(table[table["photo"].isin(alone)]) <= 0.02 * len(alone)
    assert len({group for photo in groups(clean).values() for group in photo}) >= 0.97 * (ME_CLEAN + STRANGERS)


@pytest.mark.parametrize(
    ("problem", "names"),
    [
        ("blurred", ["me/blurred.jpg"]),
        ("dark_face", ["me/dark.jpg"]),
        ("bright_face", ["me/bright.jpg"]),
        ("tiny_face", ["me/tiny.jpg"]),
        (
            "near_duplicate",
            ["me/resaved.png", "me/resized.jpg", "me/recompressed.jpg", "me/burst1.jpg", "me/burst2.jpg"],
        ),
        ("suspected_not_me", ["me/strange.jpg"]),
        ("suspected_me", ["not_me/mine.jpg", "not_me/both.jpg"]),
        ("several_faces", ["not_me/several.jpg"]),
        ("no_face", ["not_me/faceless.jpg"]),
        ("unusable", ["me/broken.jpg"]),
    ],
)
def test_each_problem_is_found_where_it_was_put(
    spoilt: Workspace, clean: Workspace, problem: str, names: list[str]
) -> None:
    found = photos_with(spoilt, problem)
    assert found >= set(names)
    # What LFW has already, bystanders above all, and copies of the photos that have bystanders.
    assert problem == "several_faces" or found - set(names) <= photos_with(clean, problem)


def test_the_same_photo_in_both_classes_is_said_once_with_its_other(spoilt: Workspace, lfw_dir: Path) -> None:
    rows = problems(spoilt).query("problem == 'in_both_classes'")
    assert [set(row) for row in rows[["photo", "other"]].to_numpy()] == [
        {"not_me/both.jpg", f"me/{photos_of_me(lfw_dir)[3].name}"}
    ]
    assert rows["value"].astype(float).iloc[0] <= rows["limit"].astype(float).iloc[0]


def test_every_row_says_what_was_measured_and_its_own_limit(spoilt: Workspace) -> None:
    """Each kind is there, with the parameter that it is compared with and the figure that crop wrote of the face."""
    table = problems(spoilt).replace({"value": "", "limit": ""}, np.nan).astype({"value": float, "limit": float})
    assert list(table.columns) == ["photo", "problem", "other", "value", "limit", "message"]
    assert list(table["problem"]) == sorted(table["problem"], key=PROBLEM_NAMES.index)
    params = load_params(spoilt.path("params.yaml")).quality
    limits = {
        "suspected_not_me": 1 - params.label_score, "suspected_me": params.label_score,
        "in_both_classes": params.hash_distance, "near_duplicate": params.hash_distance, "tiny_face": params.min_face,
        "blurred": params.min_sharpness, "dark_face": params.min_brightness, "bright_face": params.max_brightness,
        "several_faces": 1, "no_face": 1,
    }  # fmt: skip
    for kind, limit in limits.items():
        own = table[table["problem"] == kind]
        assert len(own) > 0, kind
        assert own["limit"].to_numpy() == pytest.approx(limit), kind
        above = kind in ("bright_face", "suspected_me", "several_faces")
        assert (own["value"] >= limit).all() if above else (own["value"] <= limit).all(), kind
    report = spoilt.crop_report().query("kept and faces_found == 1").set_index("photo")
    alone = table[table["photo"].isin(report.index)]
    for kind, measure in (("blurred", "sharpness"), ("dark_face", "brightness"), ("bright_face", "brightness")):
        own = alone[alone["problem"] == kind]
        assert own["value"].to_numpy() == pytest.approx(report.loc[own["photo"], measure].to_numpy()), kind
    assert table["message"].str.len().min() > 20
    assert set(table.loc[table["other"] != "", "other"]) <= set(spoilt.index()["photo"])


def test_counts_agree_with_the_table_and_name_nobody(spoilt: Workspace) -> None:
    table = problems(spoilt)
    assert counts(spoilt) == {name: int((table["problem"] == name).sum()) for name in PROBLEM_NAMES}
    text = spoilt.path("reports/data_quality.json").read_text(encoding="utf-8")
    names = {part for photo in spoilt.crop_report()["photo"] for part in photo.split("/")[1:]}
    assert not [name for name in names if name in text or name.replace("_", " ") in text]
    figures = json.loads(text)
    assert figures["groups"]["me"] == len(
        {group for name, own in groups(spoilt).items() if "not" not in name for group in own}
    )
    assert figures["labels_checked"]["me"] == int((spoilt.index()["label"] == 1).sum())


def test_suspects_are_warned_of_by_name(spoilt: Workspace, said: list[str]) -> None:
    assert spoilt
    text = "\n".join(said)
    for name in ("me/strange.jpg", "not_me/mine.jpg", "me/blurred.jpg", "me/dark.jpg", "me/tiny.jpg", "me/resaved.png"):
        assert name in text


def test_nothing_is_left_out(spoilt: Workspace) -> None:
    assert {"me/strange.jpg", "me/blurred.jpg", "not_me/both.jpg"} <= set(spoilt.index()["photo"])


def test_groups_hold_near_duplicates_faces_of_one_photo_and_photos_of_one_person(
    spoilt: Workspace, lfw_dir: Path
) -> None:
    own = groups(spoilt)
    assert all(len(found) == 1 for found in own.values())
    me = [f"me/{photo.name}" for photo in photos_of_me(lfw_dir)]
    together = [
        {me[0], "me/resaved.png"}, {me[1], "me/resized.jpg"}, {me[2], "me/recompressed.jpg"},
        {me[3], "not_me/both.jpg"},
        {"me/burst0.jpg", "me/burst1.jpg", "me/burst2.jpg"},
    ]  # fmt: skip
    numbers = [set().union(*(own[name] for name in names)) for names in together]
    assert [len(found) for found in numbers] == [1] * len(together)
    assert len(set().union(*numbers)) == len(together)
    others = [own[name] for name in own if name not in set().union(*together)]
    assert len(others) == len({min(found) for found in others}), "photos of other moments stand alone"
    assert list(dict.fromkeys(min(found) for found in own.values())) == list(range(len(set.union(*own.values()))))


def test_a_persons_folder_is_one_group_and_photos_of_nobody_named_are_not(copy: Workspace, lfw_dir: Path) -> None:
    folder = sorted((lfw_dir / "images" / SECOND).glob("*.jpg"))[:4]
    for number, photo in enumerate(folder):
        put(
            photo, copy.path(f"data/not_me/{'named' if number < 2 else 'flat_'}{'/' if number < 2 else ''}{number}.jpg")
        )
    run(copy)
    own = groups(copy)
    assert own["not_me/named/0.jpg"] == own["not_me/named/1.jpg"]
    assert len({min(own[f"not_me/{name}"]) for name in ("named/0.jpg", "flat_2.jpg", "flat_3.jpg")}) == 3


def test_two_people_in_me(copy: Workspace, lfw_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    second = sorted((lfw_dir / "images" / SECOND).glob("*.jpg"))[:7]
    for photo in second:
        put(photo, copy.path(f"data/me/{photo.name}"))
    run(copy)
    assert photos_with(copy, "two_people") == {f"me/{photo.name}" for photo in second}
    assert photos_with(copy, "suspected_not_me") == set(), "they are named once"
    assert "photos in `me` that may be of a second person, or too poor to compare (7)" in caplog.text


def test_a_person_who_dominates(copy: Workspace, lfw_dir: Path) -> None:
    for folder in sorted(copy.path("data/not_me").iterdir())[8:]:
        for photo in folder.iterdir():
            photo.unlink()
    for photo in sorted((lfw_dir / "images" / SECOND).glob("*.jpg"))[:12]:
        put(photo, copy.path(f"data/not_me/{SECOND}/{photo.name}"))
    run(copy)
    row = problems(copy).query("problem == 'dominating_person'").iloc[0]
    assert (row["photo"], row["other"], float(row["value"])) == (f"not_me/{SECOND}", SECOND, 0.6)
    copy.set_params(quality__max_person_share=0.7)
    run(copy, "quality")
    assert photos_with(copy, "dominating_person") == set()


@pytest.mark.parametrize(("me", "strangers"), [(2, 20), (12, 3), (1, 1), (3, 2), (5, 5)])
def test_few_photos(empty: Workspace, lfw_dir: Path, caplog: pytest.LogCaptureFixture, me: int, strangers: int) -> None:
    put_photos(empty.root, lfw_dir, me, strangers)
    for extra in range(3 - me):  # train would refuse fewer, and so crop does; copies count once
        put(photos_of_me(lfw_dir)[0], empty.path(f"data/me/again_{extra}.jpg"))
    empty.set_params(crop__me_faces="largest")  # a second face is on that photo
    run(empty)
    assert ("labels could not be checked" in caplog.text) == (me < 3 or strangers < 2)
    assert ("whether me shows two people could not be checked" in caplog.text) == (strangers < 5)
    assert len(set.union(*groups(empty).values())) == me + strangers
    checked = json.loads(empty.path("reports/data_quality.json").read_text())["labels_checked"]["me"]
    assert checked == me or me < 3 or "too little is left without them" in caplog.text
    assert (checked == 0) == (me < 3)


def test_all_near_duplicates(empty: Workspace, lfw_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    stranger = photos_of_strangers(lfw_dir, 1)[0]
    for number in range(6):
        changed(photos_of_me(lfw_dir)[0], empty.path(f"data/me/{number}.jpg"), lambda image: image, quality=90 - number)
        changed(stranger, empty.path(f"data/not_me/{number}.jpg"), lambda image: image, quality=90 - number)
    empty.set_params(crop__me_faces="largest")  # a second face is on every photo
    run(empty)
    assert counts(empty)["near_duplicate"] == 10
    assert {name: len(own) for name, own in groups(empty).items()} == dict.fromkeys(groups(empty), 1)
    assert len(set.union(*groups(empty).values())) == 2
    assert "labels could not be checked: me has 1 different photo" in caplog.text


def test_copies_of_a_shot_count_once(
    empty: Workspace, lfw_dir: Path, photos_dir: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five shots of me and a portrait of somebody else, each in five copies: about five groups, and one."""
    shots = photos_of_me(lfw_dir)[:5]
    for shot in [*shots, photos_dir / "kate_siegel.jpg"]:
        folder = empty.path("data/me" if shot in shots else "data/not_me/kate")
        folder.mkdir(parents=True, exist_ok=True)
        with Image.open(shot) as image:
            for name in COPIES:
                (folder / f"{shot.stem} {name}.jpg").write_bytes(save_copy(image, name))
    put_photos(empty.root, lfw_dir, me=0, strangers=5)
    run(empty)
    shown = groups(empty)
    me = {name: number for name, own in shown.items() for number in own if name.startswith("me/")}
    assert len(me) == 25
    assert 5 <= len(set(me.values())) <= 6
    assert all(len({me[f"me/{shot.stem} {name}.jpg"] for name in COPIES}) <= 2 for shot in shots)
    figures = json.loads(empty.path("reports/data_quality.json").read_text())
    assert figures["distinct_faces"] == {"me": len(set(me.values())), "not_me": 6}
    assert figures["problems"]["copied_shot"] >= 5
    assert figures["problems"]["copied_shot"] + figures["problems"]["near_duplicate"] >= 20
    assert (
        f"me has 25 photos of only {len(set(me.values()))} shots: {25 - len(set(me.values()))} are copies"
        in caplog.text
    )
    monkeypatch.chdir(empty.root)
    train.main()
    assert f"me has 25 faces of {len(set(me.values()))} shots" in caplog.text
    assert "not_me has 10 faces of 6 shots" in caplog.text


def test_the_sheet_shows_as_many_faces_as_asked_for(spoilt: Workspace, tmp_path: Path) -> None:
    workspace = spoilt.copy(tmp_path / "project")
    heights = []
    for wanted in (4, 40, 1000):
        workspace.set_params(quality__sheet_faces=wanted)
        run(workspace, "quality")
        with Image.open(workspace.path("reports/contact_sheet.png")) as sheet:
            pixels = np.asarray(sheet.convert("RGB"))
            heights.append(sheet.height)
        assert (pixels == (208, 0, 0)).all(axis=2).sum() > 2000, "suspects come first and are framed"
    assert heights == sorted(set(heights))


def test_a_second_run_writes_the_same(spoilt: Workspace, tmp_path: Path) -> None:
    workspace = spoilt.copy(tmp_path / "project")
    for name in OUTPUTS:
        workspace.path(name).unlink()
    done = workspace.run("-m", "stages.quality")
    assert done.returncode == 0, done.stderr
    assert workspace.outputs() == spoilt.outputs()


@pytest.mark.skipif(os.name != "posix", reason="such names cannot be on Windows")
def test_awkward_names(copy: Workspace, lfw_dir: Path) -> None:
    names = ['a,"b".jpg', "new\nline.jpg", "carriage\rreturn.jpg", "José 😀.jpg", "x" * 200 + ".jpg"]
    for name, photo in zip(names, photos_of_me(lfw_dir), strict=False):
        put(photo, copy.path(f"data/me/{name}"))
    run(copy)
    table = problems(copy).query("problem == 'near_duplicate'")
    assert {f"me/{name}" for name in names} <= set(table["photo"]) | set(table["other"])


def test_a_report_of_an_older_version_makes_crop_measure_anew(copy: Workspace) -> None:
    report = copy.path("reports/crop_report.csv")
    before = report.read_bytes()
    table = pd.read_csv(report, dtype=str, keep_default_na=False).drop(
        columns=["photo_hash", "sharpness", "brightness"]
    )
    table.to_csv(report, index=False)
    run(copy, "crop")
    assert report.read_bytes() == before


def lines_dropped(name: str) -> Callable[[Workspace], object]:
    return lambda w: w.path(name).write_text("\n".join(w.path(name).read_text().splitlines()[:-2]) + "\n")


def replaced(name: str, old: str, new: str) -> Callable[[Workspace], object]:
    return lambda w: w.path(name).write_text(w.path(name).read_text().replace(old, new))


def suspects_crop(content: bytes | None) -> Callable[[Workspace], object]:
    def change(workspace: Workspace) -> None:
        crop = workspace.path(f"data/cropped/{workspace.index()['crop'].iloc[0]}")
        crop.unlink()  # it may be another file's link
        if content is not None:
            crop.write_bytes(content)

    return change


def columns_dropped(workspace: Workspace) -> None:
    path = workspace.path("reports/crop_report.csv")
    pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns=["photo_hash"]).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("change", "said", "command"),
    [
        (lambda w: w.path("data/index.csv").unlink(), "there is no data/index.csv", "python -m stages.embed"),
        (lambda w: w.path("data/index.csv").write_bytes(b"\xff"), "data/index.csv is damaged", "--force embed"),
        (lambda w: w.path("data/embeddings.npy").unlink(), "there is no data/embeddings.npy", "stages.embed"),
        (lambda w: w.path("data/embeddings.npy").write_bytes(b"x"), "embeddings.npy is damaged", "--force embed"),
        (lambda w: np.save(w.path("data/embeddings.npy"), w.embeddings()[:-1]), "expected [N, D] and N", "force embed"),
        (lambda w: np.save(w.path("data/embeddings.npy"), w.embeddings() * np.nan), "not finite", "--force embed"),
        (lambda w: w.path("reports/crop_report.csv").unlink(), "there is no reports/crop_report.csv", "stages.crop"),
        (columns_dropped, "crop_report.csv is damaged (no column photo_hash)", "--force crop"),
        (replaced("reports/crop_report.csv", '"me/', '"me/other '), "is not of this", "python -m stages.embed"),
        (lines_dropped("reports/crop_report.csv"), "is not of this", "python -m stages.embed"),
        (replaced("data/index.csv", '\n0,0,', '\n0,7,'), "neither 0 nor 1", "--force embed"),
        (suspects_crop(None), "cannot be read (No such file or directory)", "--force crop"),
        (suspects_crop(b"damaged"), "cannot be read (cannot identify image file", "--force crop"),
    ],
)  # fmt: skip
def test_missing_or_damaged_input(
    copy: Workspace, monkeypatch: pytest.MonkeyPatch, change: Callable[[Workspace], object], said: str, command: str
) -> None:
    copy.set_params(quality__sheet_faces=1000)
    change(copy)
    before = copy.outputs()
    message = copy.refused("quality", monkeypatch).replace("\\", "/")
    assert said in message
    assert command in message
    assert "\n" not in message
    assert copy.outputs() == before


def test_nobody_is_named_in_groups(spoilt: Workspace) -> None:
    text = spoilt.path("data/groups.csv").read_text()
    assert ME not in text
    assert set(text) <= set("row,group,shot,blurred\n0123456789")
