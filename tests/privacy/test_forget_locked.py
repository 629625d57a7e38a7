"""Somebody is forgotten where photos are locked, and what was made of them, too: with the key, and without it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from contextlib import nullcontext
from pathlib import Path

import pytest
from filelock import FileLock

from privacy.errors import PrivacyError
from privacy.forget.exports import find_exports
from privacy.forget.locked import refuse_wrong_key
from privacy.forget.selection import resolve
from stages.files.encryption import RAW, Key
from tests.privacy.held_support import HEADING
from tests.privacy.locked_support import KEYS, LockedRemains
from tests.privacy.support import Project, load

pytestmark = pytest.mark.security


def test_a_locked_name_means_the_photo() -> None:
    known = ["not_me/ana/1.jpg", "me/2.jpg"]
    assert resolve("data/not_me/ana/1.jpg.locked", known) == resolve("ana/1.jpg", known) == "not_me/ana/1.jpg"


def test_only_a_key_that_opens_the_photos_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or none. What is damaged opens with no key, and says nothing of it."""
    folder = tmp_path / "data/not_me/ana"
    folder.mkdir(parents=True)
    (tmp_path / "short.key").write_text("abc")
    right, other = (Key(bytes([number]) * 64, RAW).secret.hex() for number in (1, 2))
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRIVACY_KEY", other)
    refuse_wrong_key(tmp_path)  # nothing is locked
    (folder / "1.jpg.locked").write_bytes(Key(bytes.fromhex(right), RAW).seal(b"photo"))
    (folder / "2.jpg.locked").write_bytes(b"damaged")
    (folder / "3.jpg.locked").symlink_to("nowhere")
    for variables, said in (
        ({}, ""),
        ({"PRIVACY_KEY": right}, ""),
        ({"PRIVACY_KEY": other}, r"nothing was done: .*1\.jpg\.locked is locked with another key"),
        ({"PRIVACY_KEY": "four words of no connection"}, "is locked with another key"),
        ({"PRIVACY_KEY_FILE": str(tmp_path / "none.key")}, "cannot be read"),
        ({"PRIVACY_KEY_FILE": str(tmp_path / "short.key")}, "is no key file"),
        ({"PRIVACY_KEY_FILE": str(tmp_path / "none.key"), "PRIVACY_KEY": right}, "are both set"),
    ):
        for name in KEYS:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(PrivacyError, match=said) if said else nullcontext():
            refuse_wrong_key(tmp_path)


def test_exports_of_a_person(tmp_path: Path) -> None:
    folder = tmp_path / "private/privacy/exports"
    folder.mkdir(parents=True)
    for name, inside in {
        "ana.zip": {},
        "given.zip": {"photos/not_me/ana/1.jpg": b"one"},
        "copy.zip": {"photos/not_me/zoe/7.jpg": b"same"},
        "ben.zip": {"photos/not_me/ben/1.jpg": b"ben", "index.csv": b"same"},
        "anabel.zip": {"photos/not_me/anabel/1.jpg": b"anabel"},
    }.items():
        with zipfile.ZipFile(folder / name, "w") as archive:
            for path, content in inside.items():
                archive.writestr(path, content)
    (folder / "damaged.zip").write_bytes(b"PK\3\4damaged")
    found = find_exports(tmp_path, ["not_me/ana"], [], [hashlib.sha256(b"same").hexdigest()])
    assert [Path(name).name for name in found] == ["ana.zip", "copy.zip", "damaged.zip", "given.zip"]
    of_ben = find_exports(tmp_path, [], ["not_me/ben/1.jpg"], [])
    assert [Path(name).name for name in of_ben] == ["ben.zip", "damaged.zip"]


def test_one_locked_photo_without_the_key(
    locked: Project, monkeypatch: pytest.MonkeyPatch, pristine_small: Path
) -> None:
    """It goes by its name and bytes. What cannot be done is said before anything is deleted."""
    root, key = locked.root, locked.environment()["PRIVACY_KEY_FILE"]
    crop, photo = root / "data/cropped/not_me/ben/0.png-0.png", root / "data/not_me/ben/0.png.locked"
    going = {hashlib.md5(path.read_bytes()).hexdigest() for path in (crop, photo)}
    sha256 = hashlib.sha256((pristine_small / "data/not_me/ben/0.png").read_bytes()).hexdigest()
    remembered = root / f"data/remembered/crops/recipe/{sha256[:2]}/{sha256}-0.png"
    remembered.parent.mkdir(parents=True)
    remembered.write_bytes(crop.read_bytes())
    monkeypatch.delenv("PRIVACY_KEY_FILE")
    assert "not_me/ben/7.png is in no version" in locked.forget("not_me/ben/7.png", "--yes", status=1)
    said = locked.forget("data/not_me/ben/0.png", "--yes", status=1)
    assert "locked table" in said
    assert "nothing was deleted" in said
    assert photo.exists()
    (root / "data/not_me/attributes.csv.locked").unlink()
    said = locked.forget("data/not_me/ben/0.png", "--yes", status=1)
    before, _, after = said.partition("cache: deleted")
    assert "near copies and faces like theirs were not looked for" in before
    assert "PRIVACY_KEY_FILE" in before
    assert "'dvc repro' needs the key" in before
    assert "1 file in data/me and data/not_me" in before
    assert "No photo of" not in before
    assert "There is no model now: 'dvc repro' needs the key" in after
    assert not photo.exists()
    assert not remembered.exists()
    assert not going & {"".join(name.split("/")[-2:]) for name in locked.objects()}
    assert [path.name for path in (root / "data/not_me/ben").iterdir()] == ["1.png.locked"]
    monkeypatch.setenv("PRIVACY_KEY_FILE", key)
    locked.dvc("repro")
    assert load(root / "reports/metrics.json") == {"accuracy": 9.0}


def test_not_while_photos_are_being_locked(locked: Project) -> None:
    with FileLock(str(locked.root / "private/privacy/locking.lock")):
        assert "another 'python -m privacy lock, unlock or rekey' runs" in locked.forget("ana", "--yes", status=1)


def test_without_key_and_report_names_lead_to_crops(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    report = hashlib.md5((locked.root / "reports/crop_report.csv").read_bytes()).hexdigest()
    (locked.root / f".dvc/cache/files/md5/{report[:2]}/{report[2:]}").unlink()
    monkeypatch.delenv("PRIVACY_KEY_FILE")
    said = locked.forget("not_me/ben/0.png", "--dry-run")
    assert "crop 1" in said
    assert "records about 1 of these photos stay in the audit log" in said


@pytest.mark.slow
def test_expire_forgets_somebody_whose_photos_are_locked(
    locked: Project, monkeypatch: pytest.MonkeyPatch, pristine_small: Path
) -> None:
    """The whole of it: expire, forget, a command of DVC in the way, status, the certificate."""
    from dvc.repo import Repo

    root = locked.root
    remains = LockedRemains(locked, "not_me/ana", Project(pristine_small))
    assert locked.privacy("export", "ana").returncode == locked.privacy("export", "ben").returncode == 0
    exports = root / "private/privacy/exports"
    (exports / "ana.zip").rename(exports / "other.zip")
    settings = sorted(path for path in (root / "private/privacy").glob("encryption*"))
    (root / "data/consent.csv").write_text(
        f"{HEADING}me,2024-01-01,,,form,\nben,2024-01-01,,,form,\neva,2024-01-01,,,form,\n"
        "ana,2024-01-01,,2025-01-01,form,\n"
    )
    photo = (pristine_small / "data/not_me/ana/0.png").read_bytes()
    assert remains.found(root)
    with Repo(str(root)) as repo, repo.lock:
        done = locked.privacy("expire", "--yes")
    assert done.returncode == 1, done.stdout
    assert "a command of DVC runs" in done.stderr
    state = json.loads(locked.privacy("status", "--json").stdout)
    assert state["unfinished_forget"] is True
    done = locked.privacy("expire", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(locked.privacy("status", "--json").stdout)["unfinished_forget"] is False
    assert remains.found(root, root.parent / "site-cache") == []
    assert not (root / "data/not_me/eva/small.png.locked").exists(), "a near copy"
    assert [path.name for path in exports.iterdir()] == ["ben.zip"]
    assert sorted(path for path in (root / "private/privacy").glob("encryption*")) == settings
    assert (root / "data/not_me/attributes.csv.locked").exists()
    assert load(root / "reports/metrics.json") == {"accuracy": 7.0}
    (certificate,) = locked.certificates()
    assert locked.privacy("certificate", "verify", str(certificate)).returncode == 0
    (root / "data/not_me/zoe.png").write_bytes(photo)
    again = locked.privacy("certificate", "verify", str(certificate))
    assert again.returncode == 1
    assert "1 of the deleted photos are there again" in again.stdout
    monkeypatch.delenv("PRIVACY_KEY_FILE")
    assert "locked photos could not be looked into" in locked.privacy("certificate", "verify", str(certificate)).stdout
