"""`python -m privacy export`: all that is held of a person, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import unicodedata
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from privacy.errors import PrivacyError
from privacy.held import export
from privacy.held.trained import models_trained_with
from privacy.locking.files import find_files, lock_file
from privacy.people import find_person, people
from service.audit.audit import Audit
from service.audit.salts import Commitment
from service.audit.settings import AuditSettings
from service.config import Settings
from stages.files.encryption import RAW, Key, LockedError, is_sealed
from stages.files.photos import photos_in
from tests.privacy.held_support import HEADING, new_project, run
from tests.privacy.support import Project
from tests.service.support import kept_in
from tests.stages.conftest import built, workspace  # noqa: F401  fixtures
from tests.stages.support import ME_PHOTOS, Workspace, posix_only

pytestmark = pytest.mark.security


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.fixture
def project(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:  # noqa: F811
    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(Settings, "load", lambda: Settings(**kept_in(workspace.root.parent / "service")))
    return workspace


@pytest.mark.slow
def test_everything_of_one_person_and_nothing_of_another(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows agree with the pipeline's files; no other person is named, not even where two photos are compared."""
    index = project.index()
    strangers = sorted(set(index["person"]) - {"me"})
    person, other = strangers[0], strangers[1]
    project.path("data/not_me/attributes.csv").write_text(f"photo;glasses\nnot_me/{person};yes\nnot_me/{other};no\n")
    project.path("data/consent.csv").write_text(f"{HEADING}{person},2026-01-01,,,signed,\n{other},2026-01-01,,,,\n")
    theirs = sorted(index["photo"][index["person"] == person])
    quality = project.path("reports/data_quality.csv")
    about = (
        f'"{theirs[0]}","near_duplicate","not_me/{other}/1.jpg",1,2,"not_me/{other}/1.jpg is nearly the same photo"\n'
    )
    quality.write_text(quality.read_text(encoding="utf-8") + about, encoding="utf-8")
    assert run("export", person, "--out", str(tmp_path / "out.zip")) == 0
    found = unpacked(tmp_path / "out.zip")
    for name in theirs:
        assert found[f"photos/{name}"] == project.path(f"data/{name}").read_bytes()
    own = index[index["person"] == person]
    for crop in own["crop"]:
        assert found[f"crops/{crop}"] == project.path(f"data/cropped/{crop}").read_bytes()
    assert [row["photo"] for row in rows(found["index.csv"])] == list(own["photo"])
    given = np.array(
        [[float(row[f"value_{number}"]) for number in range(128)] for row in rows(found["embeddings.csv"])]
    )
    np.testing.assert_array_equal(given.astype(np.float32), project.embeddings()[own.index])
    assert {int(row["row"]) for row in rows(found["predictions.csv"])} == set(own.index)
    assert len(rows(found["groups.csv"])) == len(own)
    assert [row["person"] for row in rows(found["strangers.csv"])] == [person]
    assert [row["photo"] for row in rows(found["attributes_not_me.csv"])] == [f"not_me/{person}"]
    assert [row["who"] for row in rows(found["consent.csv"])] == [f"not_me/{person}"]
    assert rows(found["data_quality.csv"])[-1]["other"] == export.SOMEBODY
    models = json.loads(found["models.json"])
    assert models["current"]["trained_with_their_faces"] is True
    assert models["current"]["faces"] == len(own)
    text = b"".join(content for name, content in found.items() if not name.startswith(("photos/", "crops/")))
    assert not [name for name in strangers[1:] if name.encode() in text]
    assert "LO QUE SE CONSERVA DE" in found["LEEME-README.txt"].decode() and "WHAT IS HELD" in text.decode()
    assert "audit.json" not in found
    if os.name == "posix":
        assert (tmp_path / "out.zip").stat().st_mode & 0o777 == 0o600
    assert "1 photo" in capsys.readouterr().out


def test_a_version_whose_pipeline_was_another_one(
    pristine_small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(pristine_small, tmp_path / "project", symlinks=True)
    small = Project(tmp_path / "project")
    lock = small.root / "dvc.lock"
    now = lock.read_text(encoding="utf-8")
    lock.write_text(now.replace("data/index.csv", "data/rows.csv"), encoding="utf-8")
    small.commit("Another pipeline")
    lock.write_text(now, encoding="utf-8")
    small.commit("The first one again")
    monkeypatch.chdir(small.root)
    earlier = models_trained_with(["not_me/ana/0.png", "not_me/ana/1.png"], 2)["earlier"]
    assert [(one["faces"], bool(one["model_md5"])) for one in earlier] == [(2, True), (2, True)]


@pytest.mark.usefixtures("project")
def test_me(tmp_path: Path) -> None:
    assert run("export", "me", "--out", str(tmp_path / "me.zip")) == 0
    found = unpacked(tmp_path / "me.zip")
    assert sum(name.startswith("photos/me/") for name in found) == ME_PHOTOS
    assert {row["label"] for row in rows(found["index.csv"])} == {"1"}
    assert "strangers.csv" not in found


@pytest.mark.usefixtures("project")
def test_the_records_of_these_very_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log cannot be read, the README says so, and the rest is there."""
    photo = next(photo for photo in photos_in(Path("data")) if photo.label == 1)
    settings = AuditSettings.of(Settings.load())
    audit = Audit.open(settings)
    audit.record("verify", request_id="theirs", image=Commitment.to(photo.path.read_bytes()))
    audit.record("verify", request_id="another", image=Commitment.to(b"another photo"))
    audit.close()
    run("export", photo.path_in_data, "--out", str(tmp_path / "a.zip"))
    found = unpacked(tmp_path / "a.zip")
    assert [record["request_id"] for record in json.loads(found["audit.json"])] == ["theirs"]
    monkeypatch.setattr(Settings, "load", lambda: Settings(**{**kept_in(tmp_path / "service"), "audit_key": "short"}))
    run("export", photo.path_in_data, "--out", str(tmp_path / "b.zip"))
    without = unpacked(tmp_path / "b.zip")
    assert "audit.json" not in without and "the audit log of the service (" in without["LEEME-README.txt"].decode()
    assert f"photos/{photo.path_in_data}" in without


@pytest.mark.slow
def test_of_locked_photos_the_same_goes_out(
    project: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that was made of them is locked, too. Without the key nothing is written, and an older zip stays."""
    monkeypatch.delenv("PRIVACY_KEY_FILE", raising=False)
    table = project.path("data/not_me/attributes.csv")
    person = min(path.name for path in table.parent.iterdir())
    table.write_text(f"photo;glasses\nnot_me/{person};yes\n")
    plain, locked, key = tmp_path / "plain.zip", tmp_path / "locked.zip", Key(bytes(range(64)), RAW)
    run("export", person, "--out", str(plain))
    assert "not encrypted" not in capsys.readouterr().out
    for path in find_files((Path("data/me"), Path("data/not_me"))):
        lock_file(path, key)
    project.set_params(privacy__encrypt_derived=True)
    monkeypatch.setenv("PRIVACY_KEY", key.secret.hex())
    for stage in ("crop", "embed", "quality", "train"):
        project.stage(stage)
    assert is_sealed(project.path("data/embeddings.npy").read_bytes())
    run("export", person, "--out", str(locked))
    found = unpacked(locked)
    assert "attributes_not_me.csv" in found and any(name.startswith("crops/") for name in found)
    assert found == unpacked(plain)
    assert "In it they are not encrypted." in capsys.readouterr().out
    before = locked.read_bytes()
    for wrong in ("", "another secret of mine"):
        monkeypatch.setenv("PRIVACY_KEY", wrong)
        with pytest.raises(LockedError):
            run("export", person, "--out", str(locked))
        assert locked.read_bytes() == before
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_a_project_that_was_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = new_project(tmp_path / "project", "not_me/ana/1.jpg")
    monkeypatch.chdir(root)
    monkeypatch.setattr(Settings, "load", lambda: Settings(**kept_in(tmp_path / "service")))
    assert run("export", "ana") == 0
    path = root / export.FOLDER / "ana.zip"
    found = unpacked(path)
    assert sorted(found) == ["LEEME-README.txt", "models.json", "photos/not_me/ana/1.jpg"]
    assert "- data/index.csv" in found["LEEME-README.txt"].decode()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


# Names


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "", "not_me", "not_me/..", "a", "an", "1.jpg"]
)
def test_who_is_not_there_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(new_project(tmp_path / "project", "me/1.jpg", "not_me/ana/1.jpg"))
    with pytest.raises(PrivacyError, match="is nobody whose photos are in data/"):
        run("export", name)
    assert not export.FOLDER.exists()


def test_a_name_that_is_nearly_right_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(new_project(tmp_path / "project", "not_me/Jos\u00e9/1.jpg", "not_me/jose/1.jpg"))
    photos = photos_in(Path("data"))
    assert [photo.name for photo in find_person("jose", photos).photos] == ["jose/1.jpg"]
    with pytest.raises(PrivacyError, match="Did you mean not_me/José or not_me/jose"):
        find_person("JOSE", photos)


@posix_only
def test_two_spellings_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    composed = "not_me/Jos\u00e9/1.jpg"
    monkeypatch.chdir(new_project(tmp_path / "project", composed, unicodedata.normalize("NFD", composed)))
    photos = photos_in(Path("data"))
    if len(photos) < 2:
        pytest.skip("this file system knows one form of letters")
    with pytest.raises(PrivacyError, match=r"2 that look alike .*'not_me/Jose\\u0301'"):
        find_person("Jos\u00e9", photos)


def test_everybody(tmp_path: Path) -> None:
    root = new_project(
        tmp_path, "not_me/x.jpg", "not_me/ana/a/1.jpg", "me/1.jpg", "not_me/ana/2.jpg", "not_me/me/1.jpg"
    )
    found = [(person.who, len(person.photos)) for person in people(photos_in(root / "data"))]
    assert found == [("me", 1), ("not_me/ana", 2), ("not_me/me", 1), ("not_me/x.jpg", 1)]


@posix_only
def test_names_that_lead_out_of_a_folder_elsewhere_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is harmless here may be a path where the zip is unpacked."""
    monkeypatch.setattr(Settings, "load", lambda: Settings(**kept_in(tmp_path / "service")))
    monkeypatch.chdir(
        new_project(tmp_path / "project", "not_me/ana/a\\..\\..\\evil.jpg", "not_me/ana/C:.jpg", "not_me/ana/c_.jpg")
    )
    run("export", "ana", "--out", str(tmp_path / "a.zip"))
    names = [name for name in unpacked(tmp_path / "a.zip") if name.startswith("photos/")]
    assert set(names) == {
        "photos/not_me/ana/a_.._.._evil.jpg",
        "photos/not_me/ana/C_.jpg",
        "photos/not_me/ana/c_-2.jpg",
    }
    assert export.safe_name("../a/./b\x00.jpg") == "_/a/_/b_.jpg"


# The file


@posix_only
def test_it_is_not_written_where_git_commits_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = new_project(tmp_path / "project", "not_me/ana/1.jpg")
    monkeypatch.chdir(root)
    os.system("git init --quiet . && echo '/private/' > .gitignore")
    with pytest.raises(PrivacyError, match="would lie where git commits it"):
        run("export", "ana", "--out", "ana.zip")
    with pytest.raises(PrivacyError, match="is a folder"):
        run("export", "ana", "--out", "data")
    assert run("export", "ana") == 0


def test_an_older_export_stays_where_the_new_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = new_project(tmp_path / "project", "not_me/ana/1.jpg")
    monkeypatch.chdir(root)
    target = tmp_path / "out.zip"
    target.write_bytes(b"older")
    with pytest.raises(OSError, match="gone"):
        monkeypatch.setattr(export, "read_photo", _failing)
        export.export(find_person("ana", photos_in(Path("data"))), target, date(2026, 6, 15))
    assert target.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def _failing(_: Path) -> bytes:
    raise OSError("gone")


def test_text_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    assert [export._plain(text) for text in ("=1+1", "@x", "-0.5", "1e-05", "-x", "")] == [
        "'=1+1",
        "'@x",
        "-0.5",
        "1e-05",
        "'-x",
        "",
    ]
