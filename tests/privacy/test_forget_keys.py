"""Locked photos and their keys: the right one, another one, none, and those that photos were locked with before."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.privacy.locked_support import TABLE, LockedRemains, add_remote, build, privacy, still_in, stored
from tests.privacy.support import Project, load, picture
from tests.privacy.test_forget import put_party

pytestmark = pytest.mark.security


def held(project: Project) -> dict[str, str]:
    """SHA-256 of every file of the project, but for the empty ones by which commands exclude each other."""
    files = (path for path in sorted(project.root.rglob("*")) if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(project.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def with_another_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Make a key, and let the environment name it; returns the path of the key before and of the new one."""
    former, path = os.environ["PRIVACY_KEY_FILE"], str(project.root.parent / "another.key")
    privacy(project, "new-key", path)
    monkeypatch.setenv("PRIVACY_KEY_FILE", path)
    return former, path


def rekey(project: Project, monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    """Lock the photos with another key, which the environment names from then on; returns what was printed."""
    former, new = with_another_key(project, monkeypatch)
    return privacy(project, "rekey", "--key-file", former, "--new-key-file", new, *more)


def test_with_another_key_nothing_is_done(either: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a list that lacks what only the key shows, nor half of the deletion."""
    (either.root / TABLE).unlink()  # without it, nothing else would need the key
    former, another = with_another_key(either, monkeypatch)
    before = held(either)
    for option in ("--dry-run", "--yes"):
        said = either.forget("ana", option, status=1)
        assert "nothing was done: " in said
        assert "is locked with another key than the one given" in said
        assert "cache: deleted" not in said
    Path(another).unlink()
    assert "another.key cannot be read" in either.forget("ana", "--yes", status=1)
    assert held(either) == before
    monkeypatch.setenv("PRIVACY_KEY_FILE", former)
    assert "This is to be forgotten" in either.forget("ana", "--dry-run")


def test_a_person_goes_without_the_key(either: Project, monkeypatch: pytest.MonkeyPatch, pristine_small: Path) -> None:
    (either.root / TABLE).unlink()
    copy = stored(either, "data/not_me/eva/small.png.locked")  # which only the key shows
    remote = add_remote(either)
    remains, key = LockedRemains(either, "not_me/ana", Project(pristine_small)), os.environ["PRIVACY_KEY_FILE"]
    assert remains.found(either.root, remote)
    monkeypatch.delenv("PRIVACY_KEY_FILE")
    said = either.forget("ana", "--yes", status=1)
    assert "There is no model now: 'dvc repro' needs the key of the locked photos" in said
    monkeypatch.setenv("PRIVACY_KEY_FILE", key)  # the search looks into what is locked
    found = [Path(path) for path in remains.found(either.root, remote, either.root.parent / "site-cache")]
    (either.root / "data/not_me/eva/small.png.locked").unlink()
    assert {path.parent.name + path.name for path in found} - {"evasmall.png.locked"} == copy
    either.dvc("repro")
    assert load(either.root / "reports/metrics.json") == {"accuracy": 7.0}


def test_what_an_earlier_key_locked_goes_too(
    either: Project, monkeypatch: pytest.MonkeyPatch, pristine_small: Path
) -> None:
    """Also where a photo lay elsewhere then: no key opens it any more, but the tables of that run know its content."""
    remote, data = add_remote(either), either.root / "data/not_me"
    (data / "misc").mkdir()
    picture(700).save(data / "misc/a.png")
    build(either, "Elsewhere")
    former = stored(either, "data/not_me/misc/a.png.locked", "data/not_me/ana/1.png.locked")
    former |= stored(either, "data/cropped/not_me/misc/a.png-0.png", "data/cropped/not_me/ana/1.png-0.png")
    (data / "misc/a.png.locked").rename(data / "ana/2.png.locked")
    rekey(either, monkeypatch, "--no-purge")
    build(either, "Another key")
    stores = (either.root / ".dvc/cache", remote)
    remains = LockedRemains(either, "not_me/ana", Project(pristine_small))
    assert still_in(former, *stores) == former
    either.forget("ana", "--yes")
    assert still_in(former, *stores) == set()
    assert remains.found(either.root, remote) == []
    (certificate,) = either.certificates()
    assert either.privacy("certificate", "verify", str(certificate)).returncode == 0


@pytest.mark.slow
def test_one_photo_goes_in_the_forms_that_it_had_before(
    locked_photos: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the key, and though no run of the pipeline has read it, so that no table says what it holds."""
    root, remote = locked_photos.root, add_remote(locked_photos)
    picture(600).save(root / "data/not_me/ben/new.png")
    forms = stored(locked_photos, "data/not_me/ben/new.png")
    locked_photos.dvc("add", "--quiet", "data/not_me")
    locked_photos.dvc("push", "--quiet")
    locked_photos.commit("Plain")
    (root / TABLE).unlink()
    privacy(locked_photos, "lock", "--no-purge")
    locked_photos.dvc("push", "--quiet")
    locked_photos.commit("Locked, too")
    forms |= stored(locked_photos, "data/not_me/ben/new.png.locked")
    others = stored(locked_photos, "data/not_me/ben/0.png.locked")
    monkeypatch.delenv("PRIVACY_KEY_FILE")
    locked_photos.forget("data/not_me/ben/new.png", "--yes", status=1)
    assert still_in(forms, root / ".dvc/cache", remote) == set()
    assert still_in(others, root / ".dvc/cache") == others


@pytest.mark.slow
def test_between_lock_and_repro_a_name_leads_to_what_was_made(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pristine_locked_photos: Path
) -> None:
    """`lock` has deleted the list that said which photo was which, and there is no key."""
    shutil.copy(pristine_locked_photos / "project/params.yaml", project.root)
    monkeypatch.setenv("PRIVACY_KEY_FILE", str(tmp_path / "photos.key"))
    privacy(project, "new-key", str(tmp_path / "photos.key"))
    made = stored(project, "reports/crop_report.csv", "data/index.csv", "data/embeddings.npy", "models/model.joblib")
    assert len(still_in(made, project.root / ".dvc/cache")) == len(made)
    privacy(project, "lock")
    monkeypatch.delenv("PRIVACY_KEY_FILE")
    project.forget("data/not_me/ben/0.png", "--yes", status=1)
    assert still_in(made, project.root / ".dvc/cache") == set()


@pytest.mark.slow
def test_photos_of_others_are_found_by_locked_embeddings(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key. Under a former key they cannot be, which is said, until the pipeline has run again."""
    put_party(locked, built=False)
    build(locked, "More")
    listed = "seem to show them, too. They stay, unless you name them with --also:\n  not_me/ben/party.png"
    assert listed in locked.forget("ana", "--dry-run")
    said = rekey(locked, monkeypatch)
    assert "Crops and embeddings in data/ are locked with the old key still: 'dvc repro' locks them" in said
    said = locked.forget("ana", "--dry-run")
    assert "embeddings of 1 run could not be opened, so faces like theirs were not looked for in it" in said
    assert "party" not in said
    locked.dvc("repro")
    said = locked.forget("ana", "--dry-run")
    assert listed in said
    assert "could not be opened" not in said
    party = stored(locked, "data/not_me/ben/party.png.locked", "data/cropped/not_me/ben/party.png-0.png")
    locked.forget("ana", "--yes", "--also", "data/not_me/ben/party.png")
    assert sorted(path.name for path in (locked.root / "data/not_me/ben").iterdir()) == ["0.png.locked", "1.png.locked"]
    assert still_in(party, locked.root / ".dvc/cache") == set()


@pytest.mark.long
def test_a_photo_of_others_is_found_that_earlier_versions_have_plain_and_locked(project: Project) -> None:
    """It has two objects, and lies in data/ no more."""
    root = project.root
    shutil.copy(Path(__file__).parents[2] / "params.yaml", root)
    put_party(project)
    project.commit("A plain party")
    forms = stored(project, "data/not_me/ben/party.png")
    project.variables["PRIVACY_KEY_FILE"] = str(root.parent / "photos.key")
    privacy(project, "new-key", project.variables["PRIVACY_KEY_FILE"])
    build(project, "A locked party")
    forms |= stored(project, "data/not_me/ben/party.png.locked")
    (root / "data/not_me/ben/party.png.locked").unlink()
    build(project, "No party")
    assert "theirs, too" not in (said := project.forget("ana", "--dry-run"))
    assert said.count("\n  not_me/ben/party.png") == 1
    assert still_in(forms, root / ".dvc/cache") == forms
    project.forget("ana", "--yes", "--also", "data/not_me/ben/party.png")
    assert still_in(forms, root / ".dvc/cache") == set()


def locked_while_away(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lock the photos while the remote is away, so that `lock` owes it their plain forms; returns the remote."""
    shutil.copy(Path(__file__).parents[2] / "params.yaml", project.root)
    remote = add_remote(project)
    remote.rename(tmp_path / "away")
    monkeypatch.setenv("PRIVACY_KEY_FILE", str(tmp_path / "photos.key"))
    privacy(project, "new-key", str(tmp_path / "photos.key"))
    assert project.privacy("lock").returncode == 1
    project.dvc("repro")
    project.commit("Locked")
    return remote


def plain_objects(project: Project, person: str) -> set[str]:
    """MD5 of somebody's photos and crops, before they are locked."""
    crops = (f"data/cropped/{person}/{number}.png-0.png" for number in "01")
    return stored(project, *(f"data/{person}/{number}.png" for number in "01"), *crops)


@pytest.mark.slow
def test_what_lock_owes_to_a_remote_is_said_and_goes_there_with_the_persons(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remote was away when photos were locked, and still is when somebody is forgotten."""
    plain, others = plain_objects(project, "not_me/ana"), stored(project, "data/not_me/ben/0.png")
    remote = locked_while_away(project, tmp_path, monkeypatch)
    said = project.forget("ana", "--yes", status=1)
    assert "'python -m privacy lock' or 'rekey' was to delete" in said
    assert load(project.certificates()[-1])["owed_by_lock"]
    assert "what 'lock' or 'rekey' was to delete there" in project.forget("--owed", status=1)
    (tmp_path / "away").rename(remote)
    assert still_in(plain, remote) == plain
    project.forget("--owed")
    assert still_in(plain | others, remote) == set()
    locked = stored(project, "data/not_me/ben/0.png.locked")
    assert still_in(locked, remote) == locked, "the remote is no backup any more"
    assert project.forget("--owed") == "No remote is owed anything.\n"


@pytest.mark.slow
def test_a_remote_that_lock_missed_and_forget_reaches_keeps_the_others_alone(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the photos as they are when the person has gone, not the list of those that were there before."""
    plain, others = plain_objects(project, "not_me/ana"), stored(project, "data/not_me/ben/0.png")
    remote = locked_while_away(project, tmp_path, monkeypatch)
    locked = stored(project, "data/not_me/ana/0.png.locked", "data/not_me/ana/1.png.locked")
    (tmp_path / "away").rename(remote)
    project.forget("ana", "--yes")
    assert still_in(plain | others | locked, remote, project.root / ".dvc/cache") == set()
    kept = stored(project, "data/not_me/ben/0.png.locked")
    assert still_in(kept, remote) == kept
    assert load(project.certificates()[-1])["owed_by_lock"] == []
