"""The stage embed: which row is which photo's, the same embedding as when serving, and what it remembers."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec.structs
import numpy as np
import pytest

from faces import fingerprint
from faces.recognition.networks import Manifest, Networks
from faces.recognition.recognizer import Recognizer
from stages.embed import embed, memory
from stages.params import Params
from tests.stages.support import ME_PHOTOS, Workspace, digest, photos_of_me, posix_only, put

INDEX_COLUMNS = ["row", "label", "photo", "sha256", "face", "person", "crop", "crop_sha256"]


def new_crops(log: str) -> tuple[int, int]:
    """How many crops were embedded, of how many, as the log says; (0, 0) where it says nothing."""
    found = re.search(r"(\d+) of (\d+) crops? (?:is|are) new", log)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def assert_equal_but_for_rounding(got: Workspace, wanted: Workspace) -> None:
    """Where there is a GPU, it embeds many new crops, and the processor few: the last bits differ."""
    assert np.allclose(got.embeddings(), wanted.embeddings(), atol=1e-5)
    same, expected = got.outputs(), wanted.outputs()
    same["data/embeddings.npy"] = expected["data/embeddings.npy"]
    assert same == expected


def crops(workspace: Workspace) -> int:
    """How many crops there are, those included of which one is to be chosen."""
    return int(workspace.crop_report()["kept"].sum())


def forget(workspace: Workspace) -> None:
    shutil.rmtree(workspace.path("data/remembered/embeddings"))


def test_arrays_and_index_have_the_promised_form(built: Workspace) -> None:
    embeddings, labels, index = built.embeddings(), np.load(built.path("data/labels.npy")), built.index()
    kept = built.crop_report().query("kept")
    kept = kept[~kept["candidate"] | kept["crop"].isin(index["crop"])]
    assert (embeddings.dtype, embeddings.shape) == (np.float32, (len(kept), 128))
    assert (labels.dtype, labels.shape) == (np.int64, (len(kept),))
    assert np.isfinite(embeddings).all()
    assert list(index.columns) == INDEX_COLUMNS
    assert list(index["row"]) == list(range(len(kept)))
    assert list(index["label"]) == list(labels)
    assert list(index["crop"]) == list(kept["crop"])
    assert int(labels.sum()) == ME_PHOTOS


def test_index_says_class_person_and_content_of_each_row(built: Workspace) -> None:
    for row in built.index().itertuples():
        photo = built.path(f"data/{row.photo}")
        assert digest(photo) == row.sha256
        assert row.label == (1 if row.photo.startswith("me/") else 0)
        assert row.person == ("me" if row.label else photo.parent.name)
        assert digest(built.path(f"data/cropped/{row.crop}")) == row.crop_sha256


def test_each_row_is_the_embedding_that_serving_makes_of_its_photo(built: Workspace, recognizer: Recognizer) -> None:
    """Training and serving agree: for each photo of me, as for every face of the others."""
    embeddings = built.embeddings()
    for row in built.index().itertuples():
        photo = built.path(f"data/{row.photo}")
        if row.label == 1:
            face = recognizer.largest_face(photo)
            assert row.face == 0
        else:
            face = recognizer.faces(photo)[row.face]
        assert face is not None
        recognizer.embed([face])
        assert face.embedding is not None
        assert cosine(embeddings[row.row], face.embedding) >= 0.9999


def test_rows_of_different_photos_differ(built: Workspace) -> None:
    """The check above can fail: no two photos have embeddings as near as that."""
    embeddings = built.embeddings()
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    similarity = unit @ unit.T - 2 * np.eye(len(unit), dtype=np.float32)
    assert similarity.max() < 0.999


def test_a_second_run_embeds_nothing(workspace: Workspace) -> None:
    outputs = workspace.outputs()
    assert new_crops(workspace.stage("embed").stderr) == (0, 0)
    assert workspace.outputs() == outputs


def test_adding_a_photo_embeds_one_crop_and_keeps_the_other_rows(workspace: Workspace, lfw_dir: Path) -> None:
    before = dict(zip(workspace.index()["crop"], workspace.embeddings(), strict=True))
    put(photos_of_me(lfw_dir)[20], workspace.path("data/me/added.jpg"))
    workspace.stage("crop")
    assert new_crops(workspace.stage("embed").stderr) == (1, crops(workspace))
    after = dict(zip(workspace.index()["crop"], workspace.embeddings(), strict=True))
    assert after.keys() - before.keys() == {"me/added.jpg-0.png"}
    assert all(np.array_equal(after[crop], before[crop]) for crop in before)


def test_the_same_photo_twice_is_two_rows_embedded_once(workspace: Workspace, lfw_dir: Path) -> None:
    for name in ("one.jpg", "two.jpg"):
        put(photos_of_me(lfw_dir)[20], workspace.path(f"data/me/{name}"))
    workspace.stage("crop")
    assert new_crops(workspace.stage("embed").stderr)[0] == 1
    index = workspace.index().set_index("photo")
    one, two = (workspace.embeddings()[index.loc[f"me/{name}.jpg", "row"]] for name in ("one", "two"))
    assert np.array_equal(one, two)


def test_what_is_remembered_gives_the_same_as_starting_from_nothing(workspace: Workspace) -> None:
    outputs = workspace.outputs()
    forget(workspace)
    assert new_crops(workspace.stage("embed").stderr) == (crops(workspace),) * 2
    assert workspace.outputs() == outputs


def test_mirroring_is_a_parameter_that_makes_all_anew(workspace: Workspace) -> None:
    before = workspace.embeddings()
    workspace.set_params(embed__flip=False)
    assert new_crops(workspace.stage("embed").stderr) == (crops(workspace),) * 2
    similarity = [cosine(*rows) for rows in zip(before, workspace.embeddings(), strict=True)]
    assert max(similarity) < 0.99999
    assert min(similarity) > 0.8


def test_batch_size_changes_nothing_that_counts(workspace: Workspace) -> None:
    before = workspace.embeddings()
    forget(workspace)
    workspace.set_params(embed__batch_size=7)
    workspace.stage("embed")
    assert np.abs(workspace.embeddings() - before).max() < 1e-5


def test_setting_a_parameter_back_embeds_nothing(workspace: Workspace) -> None:
    """Other faces are wanted and no more, then embeddings without the mirrored face and no more."""
    outputs = workspace.outputs()
    for parameters in ({"crop__not_me_faces": "largest"}, {"crop__not_me_faces": "all"}):
        workspace.set_params(**parameters)
        workspace.stage("crop")
        assert new_crops(workspace.stage("embed").stderr) == (0, 0)
    workspace.set_params(embed__flip=False)
    assert new_crops(workspace.stage("embed").stderr) == (crops(workspace),) * 2
    workspace.set_params(embed__flip=True)
    assert new_crops(workspace.stage("embed").stderr) == (0, 0)
    assert workspace.outputs() == outputs


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_damaged_memory_is_forgotten(workspace: Workspace, content: bytes) -> None:
    outputs = workspace.outputs()
    (file,) = workspace.path("data/remembered/embeddings").glob("*.npz")
    file.write_bytes(content)
    assert new_crops(workspace.stage("embed").stderr) == (crops(workspace),) * 2
    assert workspace.outputs() == outputs


def test_how_embeddings_were_made_is_written_beside_them(built: Workspace, networks_dir: Path) -> None:
    making = json.loads(built.path("data/embedding_recipe.json").read_text(encoding="utf-8"))
    assert making["recipe"] == Manifest.read(networks_dir).recipe(flip=True)
    assert making["made_with"] == fingerprint.embedding_fingerprint()


@pytest.mark.parametrize("flip", [True, False])
def test_mirroring_is_said_of_embeddings_as_it_was(networks_dir: Path, dlib_params: Params, flip: bool) -> None:
    """What trains on them and serves them later goes by it."""
    networks = Networks.load(networks_dir)
    params = msgspec.structs.replace(dlib_params.embed, flip=flip)
    making = embed.describe_making(networks, params)
    assert making["recipe"] == networks.manifest.recipe(flip)
    assert making["recipe"]["flip"] is flip
    opened, _ = embed.open_embedder(networks, msgspec.structs.replace(dlib_params, embed=params), few=True)
    assert opened.flip is flip


def test_what_decides_an_embedding_is_in_its_recipe(networks_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = Manifest.read(networks_dir)
    recipes = [memory.embedding_recipe(manifest, flip) for flip in (True, False)]
    other = replace(manifest, files={**manifest.files, "embedder": "0" * 64})
    recipes.append(memory.embedding_recipe(other, flip=True))
    recipes.append(memory.embedding_recipe(replace(manifest, unit_length=not manifest.unit_length), flip=True))
    installed = fingerprint.importlib.metadata.version
    for package in ("numpy", "onnxruntime", "pillow", "torch"):
        with monkeypatch.context() as context:
            context.setattr(
                fingerprint.importlib.metadata,
                "version",
                lambda name, package=package: "0.1" if name == package else installed(name),
            )
            recipes.append(memory.embedding_recipe(manifest, flip=True))
    with monkeypatch.context() as context:
        context.setattr(memory, "code_hash", lambda *modules: f"other {modules}")
        recipes.append(memory.embedding_recipe(manifest, flip=True))
    assert len(set(recipes)) == len(recipes) == 9
    assert memory.embedding_recipe(manifest, flip=True) == recipes[0]
    modules = fingerprint.imported_modules(*memory._MODULES)
    assert {"faces.recognition.embedder", "faces.backbones.dlib_resnet", "stages.embed.pixels"} <= set(modules)
    assert not {"stages.params", "stages.errors", "stages.embed.embed"} & set(modules)


@posix_only
@pytest.mark.parametrize("moves", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_between_two_moves_the_next_run_is_right(workspace: Workspace, moves: int) -> None:
    """One photo fewer and one more: as many rows as before, most of them moved."""
    photos = sorted(workspace.path("data/me").glob("*.jpg"))
    photos[0].rename(photos[0].with_name("zzz.jpg"))
    workspace.stage("crop")
    undisturbed = workspace.copy(workspace.root.parent / "undisturbed")
    undisturbed.stage("embed")
    workspace.killed_at_move("embed", moves)
    assert workspace.leftovers()
    workspace.stage("embed")
    assert_equal_but_for_rounding(workspace, undisturbed)


@posix_only
def test_killed_while_embedding_it_leaves_the_old_embeddings(workspace: Workspace) -> None:
    outputs = workspace.outputs()
    forget(workspace)
    crop = workspace.path(f"data/cropped/{workspace.crop_report().query('kept')['crop'].iloc[-1]}")
    content = crop.read_bytes()
    crop.unlink()
    os.mkfifo(crop)  # reading it waits for ever, so that the stage is killed where it works
    process = workspace.start("embed")
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("crops are new" in line for line in lines)
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate(timeout=30)
    crop.unlink()
    crop.write_bytes(content)
    assert workspace.outputs() == outputs
    workspace.stage("embed")
    assert workspace.outputs() == outputs
