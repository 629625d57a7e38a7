"""What each stage says about input it cannot use: one message that tells what to do; the last good outputs stay."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from faces.errors import UserError
from faces.message import Message
from stages.errors import StageError, run_stage
from stages.language.telling import speak
from tests.stages.support import (
    STAGES,
    STRANGERS,
    Workspace,
    digest,
    photos_of_me,
    photos_of_strangers,
    posix_only,
    put,
    put_faceless,
    put_photos,
)


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Makes a stage, `stages.made_up`, that does something; returns the path that it writes."""
    output = tmp_path / "reports" / "figures.json"
    output.parent.mkdir()
    monkeypatch.chdir(tmp_path)  # without params.yaml: in English

    def make(work: Callable[[], object], *arguments: str) -> Path:
        package = ModuleType("stages.made_up", "Stage made_up: what it is for.\n\nMore.")
        module = SimpleNamespace(OUTPUTS=(output,), main=work)
        monkeypatch.setitem(sys.modules, "stages.made_up", package)
        monkeypatch.setitem(sys.modules, "stages.made_up.made_up", module)  # type: ignore[arg-type]
        monkeypatch.setattr(sys, "argv", ["made_up", *arguments])
        return output

    yield make
    logging.captureWarnings(False)
    speak("en")


def raising(error: BaseException) -> Callable[[], object]:
    def work() -> None:
        raise error

    return work


def ending_of(work: Callable[[], object], made_up: Callable[..., Path], *arguments: str) -> object:
    """What the program ends with: a sentence on stderr and exit status 1, or a status."""
    made_up(work, *arguments)
    with pytest.raises(SystemExit) as ended:
        run_stage("made_up")
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StageError("do this"), "made_up: error: do this"),
        (UserError("or that"), "made_up: error: or that"),
        (PermissionError(errno.EACCES, "Permission denied", "a.csv"), "made_up: error: Permission denied (a.csv)"),
        (OSError("no number"), "made_up: error: no number"),
        (KeyboardInterrupt(), "made_up: stopped; what the last run made is as it was"),
        (ModuleNotFoundError("no", name="pandas"), "made_up: error: the package pandas is not installed here: activate "
         "the environment ('source .venv/bin/activate'), or let 'python3 quickstart.py' make it"),
    ],
)  # fmt: skip
def test_what_a_user_can_mend_ends_in_a_sentence(made_up: Callable[..., Path], error: BaseException, said: str) -> None:
    assert ending_of(raising(error), made_up) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StageError("there is no folder {folder}", folder="data/me"), "made_up: error: no existe la carpeta data/me"),
        (StageError("{url}: {reason}", url="a", reason=Message("unknown")), "made_up: error: a: desconocido"),
        (KeyboardInterrupt(), "made_up: interrumpida; lo que hizo la ejecución anterior sigue como estaba"),
        (OSError(errno.ENOSPC, "No room", "a.csv"), "made_up: error: No room (a.csv). Libera espacio y vuelve a "
         "ejecutarla; el archivo que había antes sigue como estaba"),
    ],
)  # fmt: skip
def test_it_ends_in_the_language_of_params_yaml(made_up: Callable[..., Path], error: BaseException, said: str) -> None:
    Path("params.yaml").write_text("language: es\nwrong: [", encoding="utf-8")
    assert ending_of(raising(error), made_up) == said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_without_room_it_says_that_what_was_there_is_as_it_was(made_up: Callable[..., Path], number: int) -> None:
    said = str(ending_of(raising(OSError(number, "No room", "a.csv")), made_up))
    assert said.startswith("made_up: error: No room (a.csv)")
    assert "Make room and run it again" in said and "as it was" in said
    assert "Make room" not in str(ending_of(raising(OSError(errno.EIO, "Bad disk", "a.csv")), made_up))


STILL = {
    "en": "models/model.joblib is still the model of the last good run, and the service goes on using it. What has",
    "es": "models/model.joblib sigue siendo el modelo de la última ejecución que terminó bien, y el servicio lo sigue",
}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("stage", ["export", "crop", "embed", "quality", "train", "evaluate", "robustness", "report"])
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("error", [StageError("do this"), OSError(errno.ENOSPC, "No room", "a.csv")])
def test_a_model_of_an_earlier_run_is_not_taken_for_a_new_one(
    made_up: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, error: Exception, there: bool, stage: str,
    language: str,
) -> None:  # fmt: skip
    """Where a stage fails that comes after train, the model is new."""
    made_up(raising(error))
    for name in (stage, f"{stage}.{stage}"):
        monkeypatch.setitem(sys.modules, f"stages.{name}", sys.modules[f"stages.{name.replace(stage, 'made_up')}"])
    Path("params.yaml").write_text(f"language: {language}\n", encoding="utf-8")
    if there:
        Path("models").mkdir()
        Path("models/model.joblib").write_bytes(b"x")
    with pytest.raises(SystemExit) as ended:
        run_stage(stage)
    said = str(ended.value.code)
    assert said.startswith(f"{stage}: error: {'do this' if isinstance(error, StageError) else 'No room (a.csv)'}")
    assert (STILL[language] in said) == (there and stage not in ("evaluate", "robustness", "report"))
    assert ("model.joblib" in said) == (STILL[language] in said)


@pytest.mark.parametrize("error", [ZeroDivisionError(), ModuleNotFoundError("no", name="stages.gone")])
def test_what_nobody_foresaw_is_a_traceback(made_up: Callable[..., Path], error: Exception) -> None:
    made_up(raising(error))
    with pytest.raises(type(error)):
        run_stage("made_up")


def test_temporary_copies_of_its_own_outputs_are_deleted_first(made_up: Callable[..., Path]) -> None:
    """What a killed run left of this output, a folder or a file; not of others, and no other file."""
    done: list[list[str]] = []
    output = made_up(lambda: done.append(sorted(path.name for path in output.parent.iterdir())))
    (output.parent / ".figures.json.1234.tmp").write_text("half")
    (output.parent / ".figures.json.5678.tmp").mkdir()
    (output.parent / ".figures.json.5678.tmp" / "crop.png").write_text("x")
    kept = [".other.json.1234.tmp", "figures.json", "notes.tmp", ".figures.json.tmp-notes"]
    for name in kept:
        (output.parent / name).write_text("x")
    run_stage("made_up")
    assert done == [sorted(kept)]


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("--seed=7", 2), ("more", 2)])
def test_an_argument_runs_nothing(
    made_up: Callable[..., Path], argument: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending_of(lambda: pytest.fail("it ran"), made_up, argument) == status
    shown = capsys.readouterr()
    assert "params.yaml" in shown.out + shown.err
    assert ("Stage made_up: what it is for." in shown.out) == (status == 0)


Change = Callable[[Workspace], object]


def write(name: str, content: bytes) -> Change:
    return lambda workspace: workspace.path(name).write_bytes(content)


def delete(name: str) -> Change:
    return lambda workspace: workspace.path(name).unlink()


def first_crop(workspace: Workspace) -> Path:
    return workspace.path(f"data/cropped/{workspace.crop_report().query('kept')['crop'].iloc[0]}")


def change_crop(workspace: Workspace, content: bytes | None) -> None:
    """Change or delete a crop, with nothing remembered of its embedding."""
    shutil.rmtree(workspace.path("data/remembered/embeddings"))
    crop = first_crop(workspace)
    crop.unlink()  # it may be another file's link
    if content is not None:
        crop.write_bytes(content)


def make_crops_smaller(workspace: Workspace) -> None:
    """A crop and a report that belong together, of another size than the networks take."""
    shutil.rmtree(workspace.path("data/remembered/embeddings"))
    report, crop = workspace.path("reports/crop_report.csv"), first_crop(workspace)
    old = digest(crop)
    crop.unlink()
    Image.new("RGB", (100, 90)).save(crop)
    report.write_text(report.read_text(encoding="utf-8").replace(old, digest(crop)), encoding="utf-8")


def set_embeddings(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda workspace: np.save(workspace.path("data/embeddings.npy"), change(workspace.embeddings()))


def set_labels(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    name = "data/labels.npy"
    return lambda workspace: np.save(workspace.path(name), change(np.load(workspace.path(name))))


def with_nan(embeddings: np.ndarray) -> np.ndarray:
    embeddings[3, 5] = np.nan
    return embeddings


def checked(workspace: Workspace, stage: str) -> str:
    """Run a stage that must fail and change nothing; returns its message."""
    before = workspace.outputs()
    message = workspace.failing(stage)
    assert workspace.outputs() == before
    return message


EXPECTED = "Expected: photos (JPEG, PNG, HEIC, WebP or AVIF) of you in data/me and of other people in data/not_me"


@pytest.mark.parametrize(
    ("me", "not_me", "said"),
    [
        (None, None, "there is no folder data/not_me"),
        (None, 2, "there is no folder data/me"),
        (2, None, "there is no folder data/not_me"),
        (0, 2, "data/me holds no photo"),
    ],
)
def test_crop_without_the_photos_of_a_class(
    empty: Workspace, lfw_dir: Path, me: int | None, not_me: int | None, said: str
) -> None:
    for name, count in (("me", me), ("not_me", not_me)):
        if count is not None:
            empty.path(f"data/{name}").mkdir(parents=True)
            for photo in photos_of_me(lfw_dir)[:count]:
                put(photo, empty.path(f"data/{name}/{photo.name}"))
    message = checked(empty, "crop").replace("\\", "/")
    assert message.startswith(f"{said}. {EXPECTED}")
    assert "quickstart.py --photos FOLDER" in message


@pytest.mark.parametrize("class_name", ["me", "not_me"])
def test_no_face_on_any_photo_of_a_class(empty: Workspace, lfw_dir: Path, class_name: str) -> None:
    for name in ("me", "not_me"):
        for number in range(3):
            target = empty.path(f"data/{name}/{number}.jpg")
            if name == class_name:
                put_faceless(target, number)
            else:
                put(photos_of_me(lfw_dir)[number], target)
    message = empty.failing("crop").replace("\\", "/")
    assert message.startswith(f"no face was found on any photo in data/{class_name}; reports/crop_report.csv has the")
    assert "Use photos where the face is well lit and seen from the front" in message
    reasons = empty.crop_report().set_index("photo")["reason"]
    assert set(reasons[[f"{class_name}/0.jpg", f"{class_name}/1.jpg"]]) == {"no face found"}
    assert not empty.path("data/cropped").exists()


def test_no_face_in_a_class_leaves_what_the_last_run_made(workspace: Workspace) -> None:
    before = workspace.outputs()
    for number, photo in enumerate(workspace.path("data/me").iterdir()):
        put_faceless(photo, number)
    workspace.failing("crop")
    changed = {name for name, value in workspace.outputs().items() if before.get(name) != value}
    assert changed == {"reports/crop_report.csv"}  # it has the reason for each photo
    assert before.keys() == workspace.outputs().keys()


@pytest.mark.parametrize(("strangers", "changes"), [(0, {}), (4, {}), (4, {"train__protocol": "holdout"})])
def test_two_photos_of_me_are_refused_before_any_is_cropped(
    empty: Workspace, lfw_dir: Path, monkeypatch: pytest.MonkeyPatch, strangers: int, changes: dict[str, str]
) -> None:
    put_photos(empty.root, lfw_dir, me=2, strangers=strangers)
    empty.path("data/not_me").mkdir(exist_ok=True)
    empty.set_params(**changes)
    message = empty.refused("crop", monkeypatch)
    assert message == (
        "me has 2 photos; at least 3 are needed to train and to test, 20 to 30 are recommended. Add photos to data/me"
    )
    assert not empty.path("reports/crop_report.csv").exists()


def test_two_faces_on_three_photos_of_me_are_refused_by_the_stage_that_looks_for_them(
    empty: Workspace, lfw_dir: Path
) -> None:
    put_photos(empty.root, lfw_dir, me=2, strangers=1)
    put_faceless(empty.path("data/me/wall.jpg"), 1)
    empty.set_params(language="es")
    assert empty.failing("crop") == (
        "«me» tiene 3 fotos, 2 con cara; hacen falta al menos 3 para entrenar y probar, y lo recomendable es de 20 a "
        "30. Añade fotos a data/me"
    )
    assert "me/wall.jpg" in set(empty.crop_report()["photo"]), "it has the reasons"
    assert not empty.path("data/cropped").exists()


def test_as_few_photos_of_me_as_the_verifier_takes_are_cropped(empty: Workspace, lfw_dir: Path) -> None:
    put_photos(empty.root, lfw_dir, me=2, strangers=2)
    empty.set_params(train__verifier="logistic_regression")
    empty.stage("crop")
    empty.set_params(train__protocol="holdout", train__validation_size=0.15)
    assert empty.failing("crop").startswith("me has 2 photos; at least 3 are needed")


def test_photos_that_are_one_shot_are_refused_by_train(empty: Workspace, lfw_dir: Path) -> None:
    put_photos(empty.root, lfw_dir, me=1, strangers=4)
    for number in range(2):
        put(photos_of_me(lfw_dir)[0], empty.path(f"data/me/again_{number}.jpg"))
    empty.set_params(crop__me_faces="largest")  # a second face is on every photo
    for stage in ("crop", "embed", "quality"):
        empty.stage(stage)
    message = checked(empty, "train")
    assert message.startswith("me has 3 usable faces, of only 1 shot; at least 3 are needed to train and")
    assert message.endswith("Add photos to data/me")


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "report"])
def test_a_population_that_is_not_there_is_missed_by_the_first_stage(
    empty: Workspace, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Not by the fourth, when photos have been cropped and embedded; and it says where it looked."""
    empty.set_params(train__population="nowhere.npz")
    message = empty.refused(stage, monkeypatch)
    assert (
        f"train.population: there is no file {empty.path('nowhere.npz').resolve()}. Expected: auto, none, or" in message
    )
    assert "given: 'nowhere.npz'" in message


@pytest.mark.parametrize("stage", STAGES)
def test_arguments_are_not_passed_over(empty: Workspace, stage: str) -> None:
    asked = empty.run("-m", f"stages.{stage}", "--help")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "params.yaml" in asked.stdout and f"Stage {stage}: " in asked.stdout
    refused = empty.run("-m", f"stages.{stage}", "--seed", "7")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "unrecognized arguments: --seed 7" in refused.stderr and "params.yaml" in refused.stderr


@pytest.mark.parametrize("stage", ["crop", "embed", "robustness", "report"])
def test_without_networks(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    workspace.path("models/networks").unlink()
    before = workspace.outputs()
    message = workspace.refused(stage, monkeypatch).replace("\\", "/")
    assert message.startswith("there is no models/networks/networks.json: run 'dvc repro export'")
    assert workspace.outputs() == before


@pytest.mark.parametrize(
    ("stage", "name", "content", "said"),
    [
        ("crop", "networks.json", b"{", "networks.json cannot be read"),
        ("crop", "networks.json", b'{"format": 99}', "has format 99; this version reads 2"),
        ("crop", "onet.onnx", b"damaged", "onet.onnx is not the file that networks.json names"),
        ("crop", "pnet.onnx", None, "there is no models/networks/pnet.onnx"),
        ("embed", "embedder.onnx", b"damaged", "embedder.onnx is not the file that networks.json names"),
        ("embed", "embedder.onnx", None, "there is no models/networks/embedder.onnx"),
    ],
)
def test_damaged_networks(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, stage: str, name: str, content: bytes | None, said: str
) -> None:
    networks = workspace.path("models/networks")
    source = networks.resolve()
    networks.unlink()
    shutil.copytree(source, networks)
    networks.joinpath(name).unlink()
    if content is not None:
        networks.joinpath(name).write_bytes(content)
    before = workspace.outputs()
    message = workspace.refused(stage, monkeypatch).replace("\\", "/")
    assert said in message
    assert "run 'dvc repro export' (or 'python -m stages.export')" in message
    assert workspace.outputs() == before


@pytest.mark.parametrize("stage", STAGES)
def test_wrong_parameters_stop_every_stage_and_are_all_named(built: Workspace, tmp_path: Path, stage: str) -> None:
    shutil.copyfile(built.path("params.yaml"), tmp_path / "params.yaml")
    workspace = Workspace(tmp_path)
    workspace.set_params(crop__me_face="all", train__test_size=1.5)
    assert workspace.failing(stage).splitlines() == [
        "params.yaml: there is no parameter crop.me_face: a typo? Known names stand in stages/params.py",
        "params.yaml: train.test_size: expected a number below 1; given: 1.5",
    ]


# stage, what is done to a built project, what the message says, which command it names
DAMAGE: list[tuple[str, Change, str, str]] = [
    ("embed", delete("reports/crop_report.csv"), "there is no reports/crop_report.csv", "'dvc repro' (or 'python"),
    ("embed", write("reports/crop_report.csv", b""), "reports/crop_report.csv is damaged", "dvc repro --force crop"),
    ("embed", write("reports/crop_report.csv", b"\xff\x00"), "crop_report.csv is damaged", "dvc repro --force crop"),
    ("embed", write("reports/crop_report.csv", b"photo,kept\n"), "is damaged (no column sha256, face, candidate, crop",
     "dvc repro --force crop"),
    ("embed", write("reports/crop_report.csv",
                    b"photo,sha256,face,kept,candidate,crop,crop_sha256\na,b,0,False,False,,\n"),
     "reports/crop_report.csv names no crop", "dvc repro --force crop"),
    ("embed", lambda w: change_crop(w, None), "cannot be read (No such file or directory)", "dvc repro --force crop"),
    ("embed", lambda w: change_crop(w, first_crop(w).read_bytes()[:-500]), "is not the crop that", "--force crop"),
    ("embed", make_crops_smaller, "is 100 × 90 pixels, the networks take 160 × 160", "'dvc repro' (or 'python"),
    ("train", delete("data/embeddings.npy"), "there is no data/embeddings.npy", "python -m stages.embed"),
    ("train", delete("data/labels.npy"), "there is no data/labels.npy", "python -m stages.embed"),
    ("train", write("data/embeddings.npy", b""), "data/embeddings.npy is damaged", "dvc repro --force embed"),
    ("train", write("data/labels.npy", b"PK\x03\x04"), "data/labels.npy is damaged", "dvc repro --force embed"),
    ("train", set_labels(lambda labels: labels[:-1]), "expected [N, D] and [N]", "dvc repro --force embed"),
    ("train", set_labels(lambda labels: labels * 2), "others than 0 and 1", "dvc repro --force embed"),
    ("train", set_embeddings(with_nan), "values that are not finite", "dvc repro --force embed"),
    ("train", set_embeddings(lambda embeddings: embeddings[:, :64]),
     "has 64 dimensions, the networks (dlib-resnet) make 128", "python -m stages.embed"),
    ("train", delete("data/embedding_recipe.json"), "there is no data/embedding_recipe.json", "python -m stages.embed"),
    ("train", write("data/embedding_recipe.json", b"{}"), "embedding_recipe.json is damaged", "--force embed"),
    ("evaluate", set_embeddings(lambda embeddings: embeddings[:-1]), "expected [N, D] and [N]", "dvc repro"),
    ("train", delete("data/groups.csv"), "there is no data/groups.csv", "python -m stages.quality"),
    ("train", write("data/groups.csv", b"row,group\n0,0\n"), "groups.csv has 1 row, the embeddings",
     "--force quality"),
    ("train", write("data/groups.csv", b"row\n0\n"), "is damaged (no column group)", "dvc repro --force quality"),
    ("evaluate", delete("data/predictions.csv"), "there is no data/predictions.csv", "python -m stages.train"),
    ("evaluate", write("data/predictions.csv", b""), "data/predictions.csv is damaged", "dvc repro --force train"),
    ("evaluate", write("data/predictions.csv", b"row\n1\n"), "is damaged (no column repeat", "dvc repro --force train"),
    ("evaluate", write("data/predictions.csv", b"repeat,row,part,label,score\n0,999,test,0,0.5\n"),
     "speaks of other faces than the", "dvc repro --force train"),
    ("evaluate", delete("models/model.joblib"), "there is no models/model.joblib", "dvc repro"),
    ("evaluate", delete("reports/metrics.json"), "there is no reports/metrics.json", "python -m stages.train"),
    ("robustness", write("data/not_me/attributes.csv", b"photo,age\nme/nobody.jpg,3\n"), "none speaks of a photo",
     "me/nobody.jpg"),
    ("robustness", write("data/not_me/attributes.csv", b"name,age\n"), "has the columns name, age; expected one named",
     "not_me/ana"),
    ("robustness", write("data/predictions.csv", b"repeat,row,part,label,score\n0,999,test,0,0.5\n"),
     "speaks of other faces than the", "dvc repro --force train"),
    ("report", write("models/model.joblib", b"x"), "models/model.joblib is not the file", "dvc repro"),
    ("report", write("models/scaler.joblib", b""), "models/scaler.joblib is not the file", "dvc repro"),
    ("report", delete("reports/robustness.json"), "there is no reports/robustness.json", "python -m stages.robustness"),
    ("report", delete("reports/data_quality.json"), "there is no reports/data_quality.json",
     "python -m stages.quality"),
    ("report", delete("reports/metrics.json"), "there is no reports/metrics.json", "python -m stages.train"),
    ("report", write("reports/evaluation_results.json", b"<<<<<<< HEAD"), "evaluation_results.json is damaged",
     "dvc repro --force evaluate"),
    ("report", write("reports/metrics.json", b"[]"), "metrics.json is damaged", "dvc repro --force train"),
    ("report", delete("data/index.csv"), "there is no data/index.csv", "python -m stages.embed"),
    ("report", write("reports/crop_report.csv", b""), "crop_report.csv is damaged", "dvc repro --force crop"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "change", "said", "command"), DAMAGE, ids=[f"{stage}: {said}" for stage, _, said, _ in DAMAGE]
)
def test_missing_or_damaged_input(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, stage: str, change: Change, said: str, command: str
) -> None:
    workspace.set_params(report__latency_photos=1)
    change(workspace)
    before = workspace.outputs()
    message = workspace.refused(stage, monkeypatch)
    assert workspace.outputs() == before
    assert said in message.replace("\\", "/")
    assert command in message
    assert "\n" not in message


@posix_only
@pytest.mark.parametrize(
    "stage", [stage if stage == "train" else pytest.param(stage, marks=pytest.mark.slow) for stage in STAGES]
)
def test_a_file_that_cannot_be_written_leaves_the_old_ones(workspace: Workspace, lfw_dir: Path, stage: str) -> None:
    """What a quota does; a full disk is below."""
    let_everything_change(workspace, lfw_dir, stage)
    before = workspace.outputs()
    message = workspace.failing_with_files_limited(stage, 300)
    assert "File too large" in message
    assert "Make room and run it again" in message
    assert workspace.outputs() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An empty file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root, and Linux")
    command = [mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.decode(errors='replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, str(folder)], check=True)


@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_leaves_the_old_files(built: Workspace, small_disk: Path, lfw_dir: Path, stage: str) -> None:
    workspace = built.copy(small_disk / "project")
    let_everything_change(workspace, lfw_dir, stage)
    before = workspace.outputs()
    fill(small_disk / "filler")
    message = workspace.failing(stage)
    assert message.startswith("No space left on device")
    assert "Make room and run it again" in message
    assert workspace.outputs() == before


def fill(file: Path) -> None:
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as output:
        for size in (2**20, 2**12, 1):
            try:
                while output.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def let_everything_change(workspace: Workspace, lfw: Path, stage: str) -> None:
    """See to it that the stage has something new to write."""
    if stage == "crop":
        put(photos_of_strangers(lfw, STRANGERS + 1)[-1], workspace.path("data/not_me/added.jpg"))
    elif stage == "embed":
        workspace.set_params(embed__flip=False)
    elif stage == "quality":
        workspace.set_params(quality__sheet_faces=5)
    elif stage == "train":
        workspace.set_params(train__population_far=0.01)
    elif stage == "evaluate":
        workspace.set_params(evaluate__thresholds=51)
    elif stage == "robustness":
        workspace.set_params(robustness__photos=3)
    else:
        workspace.set_params(report__latency_photos=1)
