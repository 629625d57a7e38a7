"""The stage crop: which faces are cut, from which pixels, and what it remembers."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec.structs
import numpy as np
import pytest
from PIL import Image

from faces import fingerprint
from faces.recognition.image import Photo
from faces.recognition.image_errors import no_memory
from faces.recognition.networks import Manifest, Networks
from faces.recognition.recognizer import Recognizer
from stages.crop import crop, memory, one_photo, processes
from stages.crop.memory import CropMemory
from stages.files.crop_row import NO_FACE_FOUND, NOT_THE_LARGEST, CropRow
from stages.files.paths import CROP_REPORT, NETWORKS
from stages.files.photos import CLASSES, SourcePhoto, find_photos
from stages.files.tables import read_records
from stages.language.telling import speak
from stages.params import Params, load_params
from tests.stages.support import Workspace, digest, photos_of_me, posix_only, put

GROUP = "multiface.jpg"
COLUMNS = [
    "photo", "sha256", "faces_found", "face", "left", "top", "right", "bottom", "probability", "turned", "kept",
    "candidate", "reason", "crop", "crop_sha256", "photo_hash", "sharpness", "brightness", "turned_away", "visible",
]  # fmt: skip

# What a camera held so stores: the transposition that undoes each EXIF orientation.
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def inodes(workspace: Workspace) -> dict[str, int]:
    """Which file each crop is: a crop that was kept is the very same file."""
    folder = workspace.path("data/cropped")
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in folder.rglob("*.png")}


def remade(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before.keys() & after.keys() if before[name] != after[name]}


def pixels_of(workspace: Workspace, crop: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(workspace.path(f"data/cropped/{crop}")) as image:
        return np.asarray(image)


@pytest.fixture
def grouped(empty: Workspace, photos_dir: Path, lfw_dir: Path) -> Workspace:
    """The same group photo in both classes."""
    for name in ("me/group.jpg", "not_me/group.jpg"):
        put(photos_dir / GROUP, empty.path(f"data/{name}"))
    for number, name in enumerate(("alone", "alone_too")):
        put(photos_of_me(lfw_dir)[number], empty.path(f"data/me/{name}.jpg"))
    return empty


def photos_of(**counts: int) -> list[SourcePhoto]:
    return [
        SourcePhoto(Path(f"{number}.jpg"), f"{number}.jpg", CLASSES.index(name))
        for name, count in counts.items()
        for number in range(count)
    ]


def test_the_summary_has_each_number_in_its_column() -> None:
    """No two numbers are alike: of me 17 photos, of which 4 show no face and 2 cannot be used."""
    rows = []
    counts = {"me": (17, 4, 2, 11, 5), "not_me": (30, 7, 3, 41, 0)}
    for name, (photos, without, unusable, kept, left_out) in counts.items():
        good = photos - without - unusable
        rows += [CropRow(f"{name}/{number}", "", 0, -1, reason=NO_FACE_FOUND) for number in range(without)]
        rows += [CropRow(f"{name}/u{number}", "", 0, -1, reason="a damaged JPEG") for number in range(unusable)]
        rows += [CropRow(f"{name}/f{number % good}", "", 2, 0, kept=True) for number in range(kept)]
        rows += [CropRow(f"{name}/f{number}", "", 2, 1, reason="not the largest face") for number in range(left_out)]
    said = crop.summarise(photos_of(me=17, not_me=30), rows, Counter({".heic": 6}))
    table = {line.split()[0]: [int(value) for value in line.split()[1:]] for line in said.splitlines()[1:3]}
    assert table == {"me": [17, 11, 4, 2, 11], "not_me": [30, 20, 7, 3, 41]}
    heading = said.splitlines()[0].lower()
    assert heading.index("photos") < heading.index("with face") < heading.index("without") < heading.index("unusable")
    assert "6 files are not used: .heic" in said


def test_photos_that_are_skipped_and_faces_that_are_left_out_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Of others' photos bystanders are learnt from, so nothing is left out; of me a face that is kept is none."""
    crop._warn([
        CropRow("me/a.jpg", "", 2, 0, kept=True), CropRow("me/a.jpg", "", 2, 1, reason="not the largest face"),
        CropRow("me/b.jpg", "", 2, 0, kept=True), CropRow("me/b.jpg", "", 2, 1, kept=True),
        CropRow("not_me/c.jpg", "", 2, 1), CropRow("not_me/d.jpg", "", 0, -1, reason="a damaged JPEG"),
    ])  # fmt: skip
    skipped, several = [record.getMessage() for record in caplog.records]
    assert skipped == "skipped not_me/d.jpg: a damaged JPEG"
    assert several.endswith("(1): me/a.jpg")


def test_the_report_gives_its_reasons_in_the_language_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    rows = [CropRow("me/a.jpg", "", 0, -1, reason=NO_FACE_FOUND),
            CropRow("me/b.jpg", "", 2, 1, reason=NOT_THE_LARGEST)]  # fmt: skip
    crop.write_report(rows)
    english = [row["reason"] for row in read_records(CROP_REPORT, "crop", ["reason"])]
    speak("es")
    try:
        crop.write_report(rows)
    finally:
        speak("en")
    spanish = [row["reason"] for row in read_records(CROP_REPORT, "crop", ["reason"])]
    assert english == [NO_FACE_FOUND, NOT_THE_LARGEST]
    assert spanish == ["no se encuentra ninguna cara", "no es la cara más grande"]


@pytest.mark.parametrize(
    ("photo", "number", "name"),
    [("a.jpg", 0, "a.jpg-0.png"), ("ana/a.png", 12, "ana/a.png-12.png"), ("é" * 90, 1, "é" * 90 + "-1.png")],
)
def test_a_crop_is_named_like_its_photo(photo: str, number: int, name: str) -> None:
    assert crop.crop_name(photo, number) == name


def test_long_names_are_cut_and_stay_different() -> None:
    """File systems allow 255 bytes, with the suffix of a temporary file."""
    names = {crop.crop_name(f"ana/{'é' * 100}{end}.jpg", 0) for end in ("a", "b", "")}
    assert len(names) == 3
    assert all(len(Path(name).name.encode()) <= 190 and name.startswith("ana/é") for name in names)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """New crops in a temporary folder, and the old ones."""
    new, old = tmp_path / ".cropped.new.1234.tmp", tmp_path / "cropped"
    for folder, content in ((new, "new"), (old, "old")):
        folder.mkdir()
        (folder / "crop.png").write_text(content)
    return new, old


def test_new_crops_take_the_place_of_old_ones(folders: tuple[Path, Path]) -> None:
    crop._replace_folder(*folders)
    assert (folders[1] / "crop.png").read_text() == "new"
    assert list(folders[1].parent.iterdir()) == [folders[1]]


def test_the_first_crops_need_no_old_ones(folders: tuple[Path, Path]) -> None:
    shutil.rmtree(folders[1])
    crop._replace_folder(*folders)
    assert (folders[1] / "crop.png").read_text() == "new"


@pytest.mark.parametrize("failing", [1, 2])
def test_a_folder_that_cannot_be_moved_leaves_the_old_crops(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The old folder cannot be moved aside, or the new one not into its place."""
    moves = 0
    original = Path.rename

    def rename(path: Path, target: Path) -> Path:
        nonlocal moves
        moves += 1
        if moves == failing:
            raise PermissionError("in use")
        return original(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(PermissionError, match="in use"):
        crop._replace_folder(*folders)
    assert (folders[1] / "crop.png").read_text() == "old"
    assert sorted(path.name for path in folders[1].parent.iterdir()) == sorted(path.name for path in folders)


def test_each_class_has_its_own_parameter(networks_dir: Path, dlib_params: Params) -> None:
    networks = Networks.load(networks_dir)
    params = msgspec.structs.replace(dlib_params.crop, me_faces="all", not_me_faces="largest", max_megapixels=12.5)
    plans = crop.plan(networks, params)
    assert (plans[1].settings, plans[0].settings) == (
        one_photo.CropSettings("all", 12.5), one_photo.CropSettings("largest", 12.5),
    )  # fmt: skip
    for label in (0, 1):
        assert plans[label].recipe == one_photo.crop_recipe(networks.manifest, plans[label].settings)


def test_report_has_these_columns_and_one_row_a_face(built: Workspace) -> None:
    report = built.crop_report()
    assert list(report.columns) == COLUMNS == list(CropRow._fields)
    for _, rows in report.groupby("photo"):
        assert list(rows["face"]) == list(range(len(rows)))
        assert (rows["faces_found"] == len(rows)).all()
    assert (report["probability"].between(0.9, 1)).all()
    assert (report["right"] > report["left"]).all()
    assert (report["bottom"] > report["top"]).all()


def test_crops_are_those_that_the_report_names_and_no_others(built: Workspace) -> None:
    kept = built.crop_report().query("kept")
    assert inodes(built).keys() == set(kept["crop"])
    assert all(path.suffix == ".png" or path.is_dir() for path in built.path("data/cropped").rglob("*"))
    assert {digest(built.path(f"data/cropped/{row.crop}")) for row in kept.itertuples()} == set(kept["crop_sha256"])
    assert {path.name for path in built.path("data/cropped").iterdir()} == {"me", "me_several", "not_me"}


@pytest.mark.parametrize(("me_faces", "not_me_faces"), [("largest", "all"), ("all", "largest")])
def test_which_faces_are_kept_is_a_parameter_of_each_class(
    grouped: Workspace, recognizer: Recognizer, photos_dir: Path, me_faces: str, not_me_faces: str
) -> None:
    grouped.set_params(crop__me_faces=me_faces, crop__not_me_faces=not_me_faces)
    log = grouped.stage("crop").stderr
    report = grouped.crop_report()
    expected = recognizer.faces(photos_dir / GROUP)
    assert len(expected) > 2
    for class_name, wanted in (("me", me_faces), ("not_me", not_me_faces)):
        rows = report[report["photo"] == f"{class_name}/group.jpg"]
        assert len(rows) == len(expected)
        keep = 1 if wanted == "largest" else len(expected)
        assert list(rows["kept"]) == [True] * keep + [False] * (len(expected) - keep)
        assert list(rows["reason"]) == [""] * keep + ["not the largest face"] * (len(expected) - keep)
        for row, face in zip(rows.itertuples(), expected, strict=True):
            assert np.abs(np.array([row.left, row.top, row.right, row.bottom]) - face.box).max() <= 0.051
            if row.kept:
                pixels = pixels_of(grouped, row.crop)
                assert face.crop is not None
                assert np.array_equal(pixels, face.crop)
            else:
                assert (row.crop, row.crop_sha256) == ("", "")
    first = report[report["photo"] == "me/group.jpg"].iloc[0]
    areas = [(face.box[2] - face.box[0]) * (face.box[3] - face.box[1]) for face in expected]
    assert (first["right"] - first["left"]) * (first["bottom"] - first["top"]) == pytest.approx(max(areas), rel=0.01)
    assert ("WARNING: more than one face on photos of me, the largest taken" in log) == (me_faces == "largest")
    assert ("me/group.jpg" in log) == (me_faces == "largest")


def test_a_photo_turned_by_exif_gives_the_same_crop(empty: Workspace, lfw_dir: Path) -> None:
    photo = photos_of_me(lfw_dir)[1]
    folder = empty.path("data/me")
    put(photo, empty.path("data/not_me/other.jpg"))
    with Image.open(photo) as image:
        upright = image.convert("RGB")
    folder.mkdir()
    upright.save(folder / "upright.png")
    for orientation, stored_as in STORED_AS.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = upright.transpose(stored_as)
        stored.save(folder / f"turned{orientation}.png", exif=exif)
        stored.save(folder / f"turned{orientation}.jpg", exif=exif, quality=95)
    stored.save(folder / "not told.png")  # without EXIF, the face is found by turning the photo
    empty.stage("crop")
    rows = empty.crop_report().query("face == 0").set_index("photo")
    wanted = rows.loc["me/upright.png"]
    crop = pixels_of(empty, wanted["crop"]).astype(int)
    for orientation in STORED_AS:
        lossless = rows.loc[f"me/turned{orientation}.png"]
        assert lossless["crop_sha256"] == wanted["crop_sha256"]
        assert list(lossless[["left", "top", "right", "bottom"]]) == list(wanted[["left", "top", "right", "bottom"]])
        lossy = Image.fromarray(pixels_of(empty, rows.loc[f"me/turned{orientation}.jpg", "crop"]))
        turned = [np.asarray(lossy.transpose(way)).astype(int) for way in STORED_AS.values()]
        difference = np.abs(np.asarray(lossy).astype(int) - crop).mean()
        assert difference < 15
        assert all(difference < np.abs(other - crop).mean() / 2 for other in turned)
    not_told = rows.loc["me/not told.png"]
    assert (not_told["turned"], wanted["turned"]) == (270, 0)
    assert np.abs(pixels_of(empty, not_told["crop"]).astype(int) - crop).mean() < 15


def test_a_second_run_makes_no_crop_again(workspace: Workspace) -> None:
    before, outputs = inodes(workspace), workspace.outputs()
    workspace.stage("crop")
    assert inodes(workspace) == before
    assert workspace.outputs() == outputs


def test_adding_a_photo_costs_one_photo(workspace: Workspace, lfw_dir: Path) -> None:
    before = inodes(workspace)
    put(photos_of_me(lfw_dir)[20], workspace.path("data/me/added.jpg"))
    workspace.stage("crop")
    after = inodes(workspace)
    assert after.keys() - before.keys() == {"me/added.jpg-0.png"}
    assert before.items() <= after.items()


def test_deleting_a_photo_deletes_all_that_was_made_of_it(workspace: Workspace) -> None:
    workspace.set_params(crop__me_faces="all")  # a second recipe that remembers it
    workspace.stage("crop")
    workspace.set_params(crop__me_faces="largest")
    workspace.stage("crop")
    rows = workspace.index()
    gone = rows[rows["label"] == 1].iloc[3]
    before, remembered = inodes(workspace), list(workspace.path("data/remembered").rglob(f"{gone['sha256']}*"))
    assert len(remembered) == 4, "a table and a crop of each recipe"
    embedding = workspace.embeddings()[gone["row"]].tobytes()
    workspace.path(f"data/{gone['photo']}").unlink()
    workspace.stage("crop")
    workspace.stage("embed")
    assert before.keys() - inodes(workspace).keys() == {gone["crop"]}
    left = workspace.index()
    assert len(left) == len(workspace.embeddings()) == len(rows) - 1
    name = Path(gone["photo"]).name
    for file in (path for path in workspace.path("data").rglob("*") if path.is_file()):
        inside = file.read_bytes()
        for trace in (name, gone["sha256"], gone["crop_sha256"]):
            assert trace not in file.name
            assert trace.encode() not in inside, f"{trace} in {file}"
            assert trace.encode("utf-32-le") not in inside, f"{trace} in {file}"  # as numpy stores text
        assert embedding not in inside
    for file_name, text in workspace.texts():
        assert all(trace not in file_name + text for trace in (name, gone["sha256"], gone["crop_sha256"]))


def test_another_photo_under_the_same_name_is_cropped_anew(workspace: Workspace, lfw_dir: Path) -> None:
    before = inodes(workspace)
    changed = next(name for name in sorted(before) if name.startswith("me/"))
    put(photos_of_me(lfw_dir)[20], workspace.path(f"data/{changed.removesuffix('-0.png')}"))
    workspace.stage("crop")
    assert remade(before, inodes(workspace)) == {changed}
    row = workspace.crop_report().query("crop == @changed").iloc[0]
    assert row["sha256"] == digest(photos_of_me(lfw_dir)[20])
    assert row["crop_sha256"] == digest(workspace.path(f"data/cropped/{changed}"))


def test_a_damaged_or_missing_crop_is_made_again(workspace: Workspace) -> None:
    before, outputs = inodes(workspace), workspace.outputs()
    damaged, missing = sorted(name for name in before if name.startswith("me/"))[:2]
    rows = workspace.crop_report().set_index("crop")["sha256"]
    for name, content in ((damaged, b"damaged"), (missing, None)):
        (remembered,) = workspace.path("data/remembered/crops").rglob(f"{rows[name]}-0.png")
        remembered.unlink()
        workspace.path(f"data/cropped/{name}").unlink()
        if content is not None:
            remembered.write_bytes(content)
    workspace.stage("crop")
    assert workspace.outputs() == outputs
    assert remade(before, inodes(workspace)) == {damaged, missing}


def test_a_parameter_of_one_class_leaves_the_other_class_alone(workspace: Workspace) -> None:
    before = inodes(workspace)
    workspace.set_params(crop__not_me_faces="largest")
    workspace.stage("crop")
    changed = remade(before, inodes(workspace))
    assert changed
    assert all(name.startswith("not_me/") for name in changed)
    before = inodes(workspace)  # anew: those deleted meanwhile may have come back in other files
    workspace.set_params(crop__max_megapixels=32)
    workspace.stage("crop")
    assert remade(before, inodes(workspace)) == before.keys() & inodes(workspace).keys()


def test_setting_a_parameter_back_makes_no_crop_again(workspace: Workspace) -> None:
    before = inodes(workspace)
    for wanted in ("all", "largest"):
        workspace.set_params(crop__me_faces=wanted, crop__not_me_faces=wanted)
        workspace.stage("crop")
    workspace.set_params(crop__me_faces="matching", crop__not_me_faces="all")
    workspace.stage("crop")
    assert inodes(workspace) == before


def test_recipes_that_were_not_used_for_long_are_forgotten(workspace: Workspace) -> None:
    """Those of this run stay, however old they are, and with them the ones that were used last."""
    folder = workspace.path("data/remembered/crops")
    used, before = sorted(path.name for path in folder.iterdir()), inodes(workspace)
    others = [f"{number:064x}" for number in range(memory.RECIPES_KEPT)]
    for seconds, name in enumerate(others, start=1):
        shutil.copytree(folder / used[0], folder / name)
        os.utime(folder / name, (seconds, seconds))
    for name in used:
        os.utime(folder / name, (0, 0))
    workspace.stage("crop")
    assert {path.name for path in folder.iterdir()} == {*used, *others[len(used) :]}
    assert inodes(workspace) == before


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"[]", b'[["me/a.jpg",1]]', b"\xff\xfe\x00"])
def test_a_damaged_table_remembers_nothing(built: Workspace, tmp_path: Path, content: bytes | None) -> None:
    row = built.crop_report().iloc[0]
    (table,) = built.path("data/remembered/crops").rglob(f"{row['sha256']}.json")
    recipe = table.parents[1].name
    copied = tmp_path / recipe / table.parent.name
    shutil.copytree(table.parent, copied)
    if content is not None:
        (copied / table.name).write_bytes(content)
    assert (CropMemory(tmp_path, recipe).recall(row["sha256"]) is not None) == (content is None)


@pytest.mark.parametrize("cores", [1, 2])
def test_photos_are_recalled_in_processes_as_in_this_one(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr(processes, "available_cores", lambda: cores)
    monkeypatch.chdir(workspace.root)
    photos, _ = find_photos(Path("data"))
    expected = workspace.crop_report()
    target = tmp_path / "new"
    rows = crop.crop_all(photos, Networks.load(NETWORKS), load_params().crop, target)
    assert [row.photo for row in rows] == list(expected["photo"])
    assert [row.crop_sha256 for row in rows] == list(expected["crop_sha256"])
    kept = {path.relative_to(target).as_posix(): digest(path) for path in target.rglob("*.png")}
    assert kept == dict(expected.loc[expected["kept"], ["crop", "crop_sha256"]].to_numpy().tolist())


@posix_only
@pytest.mark.skipif(sys.platform != "linux", reason="a new program would not have the patch")
@pytest.mark.timeout(120)
def test_a_photo_that_crashes_the_decoder_costs_that_photo(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies as in native code, whatever Python would do."""
    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(processes, "available_cores", lambda: 2)
    shutil.rmtree("data/remembered")
    photos, _ = find_photos(Path("data"))
    killer = photos[3].path.read_bytes()
    decode = one_photo.decode_for_detection

    def crash(photo: Photo, *given: Any) -> Any:
        if photo.data == killer:
            os.kill(os.getpid(), signal.SIGKILL)
        return decode(photo, *given)

    monkeypatch.setattr(one_photo, "decode_for_detection", crash)
    rows = crop.crop_all(photos, Networks.load(NETWORKS), load_params().crop, tmp_path / "new")
    expected = workspace.crop_report()
    name = photos[3].path_in_data
    (lost,) = [row for row in rows if row.photo == name]
    assert (lost.faces_found, lost.kept, lost.sha256) == (0, False, digest(photos[3].path))
    assert lost.reason.startswith("it ends the process that reads it (exit code -9, 2 times)")
    others = [(row.photo, row.crop_sha256) for row in rows if row.photo != name]
    assert others == [pair for pair in zip(expected["photo"], expected["crop_sha256"], strict=True) if pair[0] != name]


def test_memory_that_runs_out_costs_that_photo_and_is_not_remembered(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.root)
    shutil.rmtree("data/remembered")
    networks, (photo, *_) = Networks.load(NETWORKS), find_photos(Path("data"))[0]
    cropper = crop.PhotoCropper(networks, crop.plan(networks, load_params().crop), tmp_path / "new")
    for error in (MemoryError(), no_memory()):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(one_photo, "decode_for_detection", fail)
            (row,) = cropper.crop(photo)
        assert (row.photo, row.sha256, row.kept) == (photo.path_in_data, digest(photo.path), False)
        assert row.reason.startswith("there is not enough memory to decode it")
    assert any(row.kept for row in cropper.crop(photo))


class TestRecipe:
    """What decides a crop is in its recipe: whatever changes, no older crop is taken for the new one."""

    @pytest.fixture
    def manifest(self, networks_dir: Path) -> Manifest:
        return Manifest.read(networks_dir)

    @pytest.fixture
    def recipe(self, manifest: Manifest) -> str:
        return one_photo.crop_recipe(manifest, one_photo.CropSettings("largest", 64.0))

    def test_the_same_is_the_same(self, manifest: Manifest, recipe: str) -> None:
        assert one_photo.crop_recipe(manifest, one_photo.CropSettings("largest", 64.0)) == recipe

    @pytest.mark.parametrize("settings", [("all", 64.0), ("largest", 63.0)])
    def test_parameters(self, manifest: Manifest, recipe: str, settings: tuple[Any, float]) -> None:
        assert one_photo.crop_recipe(manifest, one_photo.CropSettings(*settings)) != recipe

    @pytest.mark.parametrize(("part", "change"), [("crop", {"image_size": 128}), ("detector", {"min_face": 21})])
    def test_geometry_and_detector(self, manifest: Manifest, recipe: str, part: str, change: dict[str, int]) -> None:
        changed = replace(manifest, **{part: replace(getattr(manifest, part), **change)})
        assert one_photo.crop_recipe(changed, one_photo.CropSettings("largest", 64.0)) != recipe

    @pytest.mark.parametrize("network", ["pnet", "rnet", "onet"])
    def test_networks(self, manifest: Manifest, recipe: str, network: str) -> None:
        changed = replace(manifest, files={**manifest.files, network: "0" * 64})
        assert one_photo.crop_recipe(changed, one_photo.CropSettings("largest", 64.0)) != recipe

    def test_the_embedder_decides_no_crop(self, manifest: Manifest, recipe: str) -> None:
        changed = replace(manifest, files={**manifest.files, "embedder": "0" * 64})
        assert one_photo.crop_recipe(changed, one_photo.CropSettings("largest", 64.0)) == recipe

    @pytest.mark.parametrize("package", ["numpy", "onnxruntime", "pillow", "pi-heif"])
    def test_packages(self, manifest: Manifest, recipe: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
        installed = fingerprint.importlib.metadata.version
        monkeypatch.setattr(
            fingerprint.importlib.metadata, "version", lambda name: "0.1" if name == package else installed(name)
        )
        assert one_photo.crop_recipe(manifest, one_photo.CropSettings("largest", 64.0)) != recipe

    def test_code(self, manifest: Manifest, recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(one_photo, "code_hash", lambda *modules: f"other {modules}")
        assert one_photo.crop_recipe(manifest, one_photo.CropSettings("largest", 64.0)) != recipe

    @pytest.mark.parametrize(
        "module",
        ["faces.detection.detector", "faces.detection.summed_area", "faces.detection.suppression",
         "faces.recognition.align", "faces.recognition.image", "faces.recognition.jpeg_file",
         "faces.recognition.png_file", "faces.recognition.exif", "faces.recognition.quality",
         "faces.recognition.recognizer", "stages.crop.one_photo"],
    )  # fmt: skip
    def test_all_that_decides_is_in_the_hash(self, module: str) -> None:
        assert module in fingerprint.imported_modules("stages.crop.one_photo")

    def test_what_decides_no_crop_is_not(self) -> None:
        modules = set(fingerprint.imported_modules("stages.crop.one_photo"))
        assert not modules & {"stages.params", "stages.errors", "stages.files.paths", "faces.cosine", "faces.verifier"}


def test_crops_do_not_depend_on_what_was_remembered(workspace: Workspace, lfw_dir: Path) -> None:
    """A run that remembers and one from nothing end with the same bytes, row for row."""
    put(photos_of_me(lfw_dir)[20], workspace.path("data/me/added.jpg"))
    workspace.stage("crop")
    outputs = workspace.outputs()
    workspace.path("reports/crop_report.csv").unlink()
    for name in ("cropped", "remembered"):
        shutil.rmtree(workspace.path(f"data/{name}"))
    workspace.stage("crop")
    assert workspace.outputs() == outputs


@posix_only
def test_killed_half_way_it_leaves_the_old_crops_and_no_trace_after_the_next_run(workspace: Workspace) -> None:
    outputs = workspace.outputs()
    workspace.set_params(crop__max_megapixels=32)  # every crop is made anew
    process = workspace.start("crop")
    try:
        deadline = time.monotonic() + 60
        while not any(workspace.path("data").glob(".cropped.new.*.tmp/*/**/*.png")):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        process.kill()
        process.communicate(timeout=30)
    assert process.returncode == -9
    assert workspace.leftovers()
    assert {name: value for name, value in workspace.outputs().items() if ".tmp/" not in name} == outputs
    workspace.set_params(crop__max_megapixels=64)
    workspace.stage("crop")
    assert workspace.outputs() == outputs


@posix_only
@pytest.mark.parametrize("moves", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_between_two_moves_the_next_run_is_right(workspace: Workspace, lfw_dir: Path, moves: int) -> None:
    put(photos_of_me(lfw_dir)[20], workspace.path("data/me/added.jpg"))
    undisturbed = workspace.copy(workspace.root.parent / "undisturbed")
    undisturbed.stage("crop")
    workspace.killed_at_move("crop", moves)
    workspace.stage("crop")
    assert workspace.outputs() == undisturbed.outputs()
