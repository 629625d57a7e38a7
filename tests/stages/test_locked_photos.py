"""Locked photos are the same photos to every stage, and none of them writes a plain copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from privacy.locking.files import find_files, lock_file
from stages.files.encryption import RAW, Key, is_sealed
from tests.clone import OF_ITS_RUN
from tests.stages.support import STAGES, Workspace

pytestmark = pytest.mark.security

KEY = Key(bytes(range(64)), RAW)
FOLDERS = ("data/me", "data/not_me")


def lock(workspace: Workspace) -> list[bytes]:
    """Lock all photos; returns what they were."""
    photos = []
    for path in find_files(workspace.path(name) for name in FOLDERS):
        photos.append(path.read_bytes())
        lock_file(path, KEY)
    return photos


def pinned(workspace: Workspace) -> dict[str, str]:
    return {name: value for name, value in workspace.outputs().items() if not name.startswith(OF_ITS_RUN)}


def with_a_photo(workspace: Workspace, photos: list[bytes]) -> list[Path]:
    """Files that hold one of the photos."""
    parts = [photo[200:264] for photo in photos]
    files = (path for path in workspace.root.rglob("*") if path.is_file())
    return [path for path in files if any(part in path.read_bytes() for part in parts)]


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRIVACY_KEY", raising=False)
    monkeypatch.delenv("PRIVACY_KEY_FILE", raising=False)


@pytest.mark.long
def test_every_result_is_byte_for_byte_the_same(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Crops, embeddings and the model, made anew."""
    table = workspace.path("data/not_me/attributes.csv")
    people = sorted(path.name for path in workspace.path("data/not_me").iterdir())
    rows = [f"not_me/{person},{'a' if number % 2 else 'b'}" for number, person in enumerate(people)]
    table.write_text("\n".join(["photo,light", *rows]), encoding="utf-8")
    workspace.stage("robustness")
    before = pinned(workspace)
    photos = lock(workspace)
    assert not table.exists()
    shutil.rmtree(workspace.path("data/remembered"))
    for name in ("data/cropped", "models/model.joblib", "data/embeddings.npy"):
        path = workspace.path(name)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    for stage in STAGES:
        workspace.stage(stage)
    assert pinned(workspace) == before
    assert with_a_photo(workspace, photos) == []


@pytest.mark.slow
def test_stages_that_read_locked_photos_find_what_they_found_before(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every photo is cropped anew; robustness degrades a few of them."""
    workspace.set_params(robustness__photos=2, robustness__strangers=2)
    workspace.stage("robustness")
    before = pinned(workspace)
    photos = lock(workspace)
    shutil.rmtree(workspace.path("data/remembered"))
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    for stage in ("crop", "embed", "robustness"):
        workspace.stage(stage)
    assert pinned(workspace) == before
    assert with_a_photo(workspace, photos) == []


@pytest.mark.parametrize("stage", ["crop", "robustness", "report"])
def test_without_the_key_a_stage_says_what_to_set(workspace: Workspace, stage: str) -> None:
    before = workspace.outputs()
    lock(workspace)
    said = workspace.failing(stage)
    assert "set PRIVACY_KEY_FILE (path of the key file) or PRIVACY_KEY" in said
    assert "data/" in said
    assert workspace.outputs() == before


def test_another_key_or_a_changed_byte_stops_crop_and_names_the_photo(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = workspace.outputs()
    lock(workspace)
    monkeypatch.setenv("PRIVACY_KEY", "another secret of mine")
    assert "locked with another key" in workspace.failing("crop")
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    photo = sorted(workspace.path("data/me").iterdir())[-1]
    photo.write_bytes(photo.read_bytes()[:-1])
    assert f"data/me/{photo.name} is locked and was changed" in workspace.failing("crop")
    assert workspace.outputs() == before


def test_a_photo_that_is_there_plain_and_locked_stops_crop(workspace: Workspace) -> None:
    photo = sorted(workspace.path("data/me").iterdir())[0]
    plain = photo.read_bytes()
    lock_file(photo, KEY)
    photo.write_bytes(plain)
    assert f"data/me/{photo.name} is there twice" in workspace.failing("crop")


PICTURES = ("data/cropped/", "data/embeddings.npy", "reports/contact_sheet.png")
"""What shows faces, or holds their embeddings."""


@pytest.mark.slow
def test_what_is_made_of_locked_photos_is_encrypted_where_that_is_asked_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pinned(workspace)
    crops = [path.read_bytes() for path in workspace.path("data/cropped").rglob("*.png")]
    rows = [row.tobytes() for row in workspace.embeddings()]
    photos = lock(workspace)
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    workspace.set_params(privacy__encrypt_derived=True)
    for stage in ("crop", "embed", "quality", "train", "evaluate"):
        workspace.stage(stage)
    after = pinned(workspace)
    assert {name: value for name, value in after.items() if not name.startswith(PICTURES)} == {
        name: value for name, value in before.items() if not name.startswith(PICTURES)
    }, "a figure, a split or the model differs"
    assert after.keys() == before.keys()
    assert all(is_sealed(workspace.path(name).read_bytes()) for name in after if name.startswith(PICTURES))
    held = [path.read_bytes() for name in ("data", "reports") for path in workspace.path(name).rglob("*.*")
            if path.is_file()]  # fmt: skip
    whole = b"".join(held)
    assert not any(row in whole for row in rows), "an embedding is left plain"
    assert not any(crop[100:164] in whole for crop in crops), "a crop is left plain"
    assert with_a_photo(workspace, photos) == []
    assert {KEY.open(path.read_bytes(), path) for path in workspace.path("data/cropped").rglob("*.png")} == set(crops)
    workspace.set_params(privacy__encrypt_derived=False)
    for stage in ("crop", "embed", "quality"):
        workspace.stage(stage)
    assert pinned(workspace) == before


def test_nothing_locked_is_no_key_for_what_is_made(workspace: Workspace) -> None:
    workspace.set_params(privacy__encrypt_derived=True)
    assert "no photo is locked: run 'python -m privacy lock'" in workspace.failing("crop")


def test_encrypted_crops_and_embeddings_are_remembered(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run makes nothing anew, neither after the switch nor after the first encrypted one."""
    lock(workspace)
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    workspace.set_params(privacy__encrypt_derived=True)
    rows = {path: path.stat().st_mtime_ns for path in workspace.path("data/remembered").rglob("*.json")}
    for _ in range(2):
        workspace.stage("crop")
        assert "crops" not in workspace.stage("embed").stderr
        assert {path: path.stat().st_mtime_ns for path in rows} == rows, "a photo was cropped again"
