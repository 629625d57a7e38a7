"""What remotes are owed is one record, whoever owes it: written down first, paid where a remote answers, never lost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from privacy.dvc.owed import OWED, OWED_BY_LOCK, owe, pay, read_debts
from privacy.dvc.stores import Listing, Store, Unreachable, Workspace, open_repo
from privacy.errors import PrivacyError
from tests.conftest import ROOT
from tests.privacy.held_support import new_project, run
from tests.privacy.support import Project

pytestmark = pytest.mark.security

DAY, LATER = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"
OF_AN_OLD_LOCK = [{"remote": "store", "url": "s3://a:secret@x/y", "objects": ["0" * 32], "asked": DAY}]
"""As `lock` wrote it before there was one record."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of DVC with a remote that is a folder, empty both."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site-cache"))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    folder = tmp_path / "project"
    (folder / ".dvc").mkdir(parents=True)
    (tmp_path / "remote").mkdir()
    name_remote(folder, "../../remote")
    return folder


def name_remote(root: Path, url: str) -> None:
    (root / ".dvc/config").write_text(f"[core]\n    no_scm = true\n['remote \"store\"']\n    url = {url}\n")


def put(store: Path, content: bytes, end: str = "") -> str:
    """Have a store hold an object; returns its hash."""
    oid = hashlib.md5(content).hexdigest() + end
    path = store / "files/md5" / oid[:2] / oid[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return oid


def put_list(store: Path, *oids: str) -> str:
    """Have it hold the list of a folder with these files."""
    entries = [{"md5": oid, "relpath": f"{number}.jpg"} for number, oid in enumerate(oids)]
    return put(store, json.dumps(entries).encode(), ".dir")


def opened(root: Path) -> tuple[list[Workspace], list[Store], list[Unreachable]]:
    workspace = Workspace.open(root)
    remote = workspace.open_remote("store")
    return (
        [workspace],
        [remote] if isinstance(remote, Store) else [],
        [remote] if isinstance(remote, Unreachable) else [],
    )


def held(folder: Path) -> set[str]:
    return {path.parent.name + path.name for path in folder.rglob("*") if path.is_file()}


def test_debts_add_up(tmp_path: Path) -> None:
    owe(tmp_path, [Unreachable("s3", "s3://x", "away")], ["b", "a"], "forget", DAY)
    owe(tmp_path, [Unreachable("s3", "s3://x", "still away")], ["c"], "forget", LATER)
    (debt,) = read_debts(tmp_path)
    assert (debt.oids, debt.since, debt.reason) == (["a", "b", "c"], DAY, "still away")
    owe(tmp_path, [Unreachable("s3", "s3://x", "away")], ["a"], "lock", LATER)
    assert [(debt.by, debt.oids) for debt in read_debts(tmp_path)] == [("forget", ["a", "b", "c"]), ("lock", ["a"])]
    if os.name == "posix":
        assert (tmp_path / OWED).stat().st_mode & 0o077 == 0


def test_what_an_earlier_lock_owes_is_taken_over(root: Path) -> None:
    """Read from where it wrote that, and written into the one record; killed between the two, nothing is lost."""
    (root / OWED_BY_LOCK).parent.mkdir(parents=True)
    (root / OWED_BY_LOCK).write_text(json.dumps(OF_AN_OLD_LOCK))
    (debt,) = read_debts(root)
    assert (debt.name, debt.address, debt.oids, debt.since, debt.by) == ("store", "s3://x/y", ["0" * 32], DAY, "lock")
    assert (root / OWED_BY_LOCK).exists(), "reading alone has moved it"
    owe(root, [Unreachable("other", "s3://z", "away")], ["a"], "forget", LATER)
    assert not (root / OWED_BY_LOCK).exists()
    both = read_debts(root)
    assert [(debt.name, debt.by) for debt in both] == [("store", "lock"), ("other", "forget")]
    assert "secret" not in (root / OWED).read_text()
    (root / OWED_BY_LOCK).write_text(json.dumps(OF_AN_OLD_LOCK))  # as if it had been killed before it went
    assert read_debts(root) == both
    (root / OWED).write_text((root / OWED).read_text().replace("//x/y", "//a:secret@x/y"))  # as `forget` wrote it
    assert read_debts(root) == both


def test_status_shows_what_both_owe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(new_project(tmp_path / "project", "me/1.jpg"))
    OWED_BY_LOCK.parent.mkdir(parents=True)
    OWED_BY_LOCK.write_text(json.dumps(OF_AN_OLD_LOCK))
    assert run("status") == 1
    sentence = (
        f"store still has what was to be deleted there, since {DAY}: let 'python -m privacy forget --owed' reach it"
    )
    assert sentence in capsys.readouterr().out
    owe(Path(), [Unreachable("store", "s3://x/y", "away")], ["a"], "forget", LATER)
    assert run("status") == 1
    assert capsys.readouterr().out.count("still has what was to be deleted there") == 1
    OWED.write_text("nonsense")
    assert run("status") == 1
    assert "cannot be read" in capsys.readouterr().out
    with pytest.raises(PrivacyError, match="mend it, or move it away"):
        owe(Path(), [], [], "forget", DAY)


def test_lists_that_only_the_remote_has_go_with_somebody(root: Path, tmp_path: Path) -> None:
    """While it was away nobody could read them. For `lock` they stay: they say which earlier photos there are."""
    remote = tmp_path / "remote"
    photo, another = put(remote, b"photo"), put(remote, b"another")
    put_list(remote, photo, another)
    whole = held(remote)
    owe(root, [Unreachable("store", str(remote), "away")], [photo], "lock", DAY)
    assert pay(*opened(root)).owed == []
    assert held(remote) == whole - {photo}
    owe(root, [Unreachable("store", str(remote), "away")], [photo], "forget", DAY)
    assert pay(*opened(root)).done["store"].objects == 1
    assert held(remote) == {another}
    assert not (root / OWED).exists()


class Unsure(Store):
    """A remote of which nobody can tell whether it keeps old versions."""

    def list(self) -> Listing:
        listing = super().list()
        listing.unsure = "AccessDenied"
        return listing


def test_a_remote_that_may_keep_old_versions_stays_owed(root: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    photo = put(remote, b"photo")
    workspaces, stores, _ = opened(root)
    owe(root, stores, [photo], "forget", DAY)
    payment = pay(workspaces, [Unsure(**vars(store)) for store in stores], [])
    assert payment.done["store"].objects == 1 and held(remote) == set()
    (debt,) = payment.owed
    assert "AccessDenied" in debt.reason and read_debts(root) == [debt]
    assert pay(workspaces, stores, []).owed == []


@pytest.mark.parametrize("moved", [False, True])
def test_a_remote_that_goes_meanwhile_stays_owed(root: Path, tmp_path: Path, moved: bool) -> None:
    """It is gone, or its name is given to another one, from which nothing is to be deleted."""
    remote, elsewhere = tmp_path / "remote", tmp_path / "elsewhere"
    photo = put(remote, b"photo")
    found = opened(root)
    owe(root, found[1], [photo], "forget", DAY)
    shutil.move(remote, elsewhere)
    if moved:
        name_remote(root, "../../elsewhere")
        found = opened(root)
    (debt,) = pay(*found).owed
    assert ("no remote is configured with the address" if moved else "is not there") in debt.reason
    assert held(elsewhere) == {photo}
    shutil.move(elsewhere, remote)
    name_remote(root, "../../remote")
    assert pay(*opened(root)).owed == [] and held(remote) == set()


def test_half_written_photos_go_and_those_of_others_stay(root: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    photo, another = put(remote, b"a photo of ana"), put(remote, b"a picture of ben")
    for name, content in {"half": b"a photo of", "other": b"a picture of"}.items():
        (remote / f"files/md5/{photo[:2]}/tmp_{name}").write_bytes(content)
    owe(root, opened(root)[1], [photo], "lock", DAY)
    assert pay(*opened(root)).done["store"].leftovers == 1
    assert held(remote) == {another, f"{photo[:2]}tmp_other"}


def test_half_of_a_photo_that_never_came_goes(root: Path, tmp_path: Path) -> None:
    """Nobody knows here how it begins; DVC wrote it in the folder in which the photo was to lie."""
    remote = tmp_path / "remote"
    another = put(remote, b"a picture of ben")
    photo = hashlib.md5(b"a photo of ana").hexdigest()
    for folder in (photo[:2], another[:2]):
        (remote / f"files/md5/{folder}").mkdir(parents=True, exist_ok=True)
        (remote / f"files/md5/{folder}/tmp_half").write_bytes(b"a photo of")
    owe(root, opened(root)[1], [photo], "forget", DAY)
    assert pay(*opened(root)).done["store"].leftovers == 1
    assert held(remote) == {another, f"{another[:2]}tmp_half"}


def test_dvc_pushes_again_what_was_deleted(root: Path, tmp_path: Path) -> None:
    """It remembers what a remote holds, and would not look again as long as the lists are there that it has pushed."""
    photos, remote = root / "data/me", tmp_path / "remote"
    photos.mkdir(parents=True)
    for name in ("1.jpg", "2.jpg"):
        (photos / name).write_bytes(name.encode())
    photo = hashlib.md5(b"1.jpg").hexdigest()
    push(root)
    (photos / "1.jpg").unlink()
    push(root)
    owe(root, opened(root)[1], [photo], "lock", DAY)
    assert pay(*opened(root)).done["store"].objects == 1
    assert photo not in held(remote)
    for name in ("1.jpg", "3.jpg"):
        (photos / name).write_bytes(name.encode())
    push(root)
    assert photo in held(remote)


def push(root: Path) -> None:
    """Have DVC track the photos of me as they are, and have the remote hold them."""
    with open_repo(root) as repo:
        repo.add([str(root / "data/me")])
        repo.push(remote="store")


@pytest.mark.slow
def test_forget_pays_what_lock_owes(project: Project, tmp_path: Path) -> None:
    """The remote gets the locked photos first: it goes on being a backup. What was unlocked meanwhile stays on it."""
    remote, key = tmp_path / "remote", str(tmp_path / "photos.key")
    shutil.copy(ROOT / "params.yaml", project.root)
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.dvc("push", "--quiet")
    assert project.privacy("new-key", key).returncode == 0
    plain, whole = photos_of(project), held(remote)
    assert plain and plain < whole
    remote.rename(tmp_path / "away")
    done = project.privacy("lock", "--key-file", key)
    assert done.returncode == 1 and "NOT deleted from the remote store" in done.stdout
    locked = photos_of(project)
    (tmp_path / "away").rename(remote)

    kept = tmp_path / "unlocked meanwhile"
    shutil.copytree(tmp_path / "project", kept / "project", symlinks=True)
    shutil.copytree(remote, kept / "remote")
    project.forget("--owed")
    assert locked <= held(remote) and not plain & held(remote)
    assert len(held(remote)) > len(whole) / 2

    other = Project(kept / "project")
    other.dvc("remote", "modify", "store", "url", str(kept / "remote"))
    record = other.root / OWED
    record.write_text(record.read_text().replace(str(remote), str(kept / "remote")))
    assert other.privacy("unlock", "--key-file", key).returncode == 0
    other.dvc("add", "--quiet", "data/me", "data/not_me")
    other.forget("--owed")
    assert plain <= held(kept / "remote")


def photos_of(project: Project) -> set[str]:
    files = [path for name in ("me", "not_me") for path in (project.root / "data" / name).rglob("*") if path.is_file()]
    return {hashlib.md5(path.read_bytes()).hexdigest() for path in files}
