"""A remote that speaks S3, on loopback: it is cleaned like a folder, and owed where it does not answer."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from bench.support.forgetting import BUCKET, S3, s3, why_no_s3
from tests.conftest import ROOT
from tests.privacy.locked_support import LockedRemains, build, privacy, stored
from tests.privacy.support import Project, Remains, picture

pytestmark = [pytest.mark.security, pytest.mark.skipif(bool(why_no_s3()), reason=why_no_s3())]


def pushed(project: Project, store: S3) -> None:
    project.dvc("remote", "add", "-d", "s3", f"s3://{BUCKET}/project")
    project.dvc("remote", "modify", "s3", "endpointurl", store.address)
    project.dvc("push", "--quiet", "--run-cache")
    project.commit("Pushed")


def kept_in(store: S3, folder: Path) -> Path:
    """What the store holds, as files."""
    for name, data in store.objects().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.mark.slow
def test_a_store_is_cleaned_and_others_keep_their_objects(project: Project, tmp_path: Path) -> None:
    with s3() as store:
        assert store is not None
        pushed(project, store)
        remains, before = Remains(project, "not_me/ana"), store.objects()
        assert remains.found(kept_in(store, tmp_path / "before"))
        project.forget("ana", "--yes")
        after = store.objects()
        assert remains.found(project.root, kept_in(store, tmp_path / "after")) == []
        assert all(before[name] == data for name, data in after.items())
        assert sum("/files/md5/" in name for name in after) >= 7 + 7, "photos and crops of others"


def every_version(store: S3, folder: Path) -> Path:
    """What the store holds in any version, as files."""
    folder.mkdir()
    for number, version in enumerate(store.client.list_object_versions(Bucket=BUCKET).get("Versions", ())):
        chosen = {name: version[name] for name in ("Key", "VersionId")}
        (folder / str(number)).write_bytes(store.client.get_object(Bucket=BUCKET, **chosen)["Body"].read())
    return folder


@pytest.mark.slow
def test_a_bucket_that_keeps_versions_loses_all_of_them(project: Project, tmp_path: Path) -> None:
    """Also what was deleted there long ago, of which only an old version is left, and parts of an upload."""
    with s3() as store:
        assert store is not None
        store.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        project.put("not_me/ana/7.png", 170)
        project.build()
        pushed(project, store)
        remains, ben = Remains(project, "not_me/ana"), Remains(project, "not_me/ben")
        digest = hashlib.md5((project.root / "data/not_me/ana/0.png").read_bytes()).hexdigest()
        key = f"project/files/md5/{digest[:2]}/{digest[2:]}"
        store.client.create_multipart_upload(Bucket=BUCKET, Key=key)
        (project.root / "data/not_me/ana/7.png").unlink()
        project.build()
        project.commit("Without one photo")
        project.dvc("push", "--quiet")
        project.dvc("gc", "--quiet", "--workspace", "--cloud", "--force")
        assert remains.found(every_version(store, tmp_path / "before"))
        project.forget("ana", "--yes")
        assert remains.found(project.root, every_version(store, tmp_path / "after")) == []
        assert ben.found(tmp_path / "after")
        assert not store.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")
        left = store.client.list_object_versions(Bucket=BUCKET)
        assert digest[2:] not in str([left.get("Versions"), left.get("DeleteMarkers")])


@pytest.mark.long
def test_a_store_that_is_away_is_owed(project: Project, tmp_path: Path) -> None:
    with s3() as store:
        assert store is not None
        pushed(project, store)
        remains, held = Remains(project, "not_me/ana"), store.objects()
    said = project.forget("ana", "--yes", status=1)
    assert "Owed: s3 (s3://photos/project) may still have what was forgotten: " in said
    with s3() as store:
        assert store is not None
        store.restore(held)
        project.dvc("remote", "modify", "s3", "endpointurl", store.address)
        project.forget("--owed")
        assert remains.found(project.root, kept_in(store, tmp_path / "after")) == []


def names_of(store: S3) -> set[str]:
    """The objects that a store holds, as DVC names them."""
    return {"".join(name.split("/")[-2:]) for name in store.objects() if "/files/md5/" in name}


@pytest.mark.long
def test_locked_photos_go_from_a_store_with_what_an_earlier_key_locked(
    locked: Project, pristine_small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = locked.root / "data/not_me"
    with s3() as store:
        assert store is not None
        pushed(locked, store)
        picture(700).save(data / "ben/misplaced.png")
        build(locked, "A photo of ana among those of ben")
        former = stored(locked, "data/not_me/ana/0.png.locked", "data/not_me/ben/misplaced.png.locked")
        (data / "ben/misplaced.png.locked").rename(data / "ana/2.png.locked")
        new = str(tmp_path / "another.key")
        privacy(locked, "new-key", new)
        privacy(locked, "rekey", "--new-key-file", new, "--no-purge")
        monkeypatch.setenv("PRIVACY_KEY_FILE", new)
        build(locked, "Another key")
        remains = LockedRemains(locked, "not_me/ana", Project(pristine_small))
        others = stored(locked, "data/not_me/ben/0.png.locked", "data/cropped/not_me/ben/0.png-0.png")
        assert former | others <= names_of(store)
        locked.forget("ana", "--yes")
        assert names_of(store).isdisjoint(former)
        assert others <= names_of(store)
        assert remains.found(locked.root, kept_in(store, tmp_path / "after")) == []


@pytest.mark.long
def test_lock_and_rekey_clean_a_store(project: Project, tmp_path: Path) -> None:
    """And put the new form there before the old one goes: it is a backup."""
    root, plain = project.root, "data/not_me/ana/0.png"
    shutil.copy(ROOT / "params.yaml", root)
    keys = [str(tmp_path / name) for name in ("a.key", "b.key")]
    for key in keys:
        privacy(project, "new-key", key)
    with s3() as store:
        assert store is not None
        pushed(project, store)
        forms = [stored(project, plain)]
        assert forms[0] <= names_of(store)
        for arguments in (["lock", "--key-file", keys[0]], ["rekey", "--key-file", keys[0], "--new-key-file", keys[1]]):
            privacy(project, *arguments)
            forms.append(stored(project, f"{plain}.locked"))
            assert names_of(store).isdisjoint(forms[-2])
            assert forms[-1] <= names_of(store)
    assert "NOT deleted from the remote s3" in project.privacy("lock", "--key-file", keys[1]).stdout
