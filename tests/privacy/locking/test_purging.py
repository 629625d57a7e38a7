"""In a real DVC project: what is locked changes no result, and no plain photo is left in the cache or on a remote."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.clone import Clone, new_clone
from tests.stages.support import digest, posix_only, put_photos

pytestmark = [pytest.mark.security, pytest.mark.timeout(900)]

FOLDERS = ("data/me", "data/not_me")


def privacy(clone: Clone, *arguments: str) -> str:
    """Run `python -m privacy`, which must end well; returns what it printed."""
    done = clone.call(sys.executable, "-m", "privacy", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def failing(clone: Clone, *arguments: str) -> str:
    done = clone.call(sys.executable, "-m", "privacy", *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def photos_of(clone: Clone) -> list[bytes]:
    return [path.read_bytes() for name in FOLDERS for path in clone.path(name).rglob("*.jpg")]


def places_with(content: list[bytes], folders: list[Path]) -> list[Path]:
    """Files below some folders that hold one of some contents."""
    parts = [data[200:264] for data in content]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(part in path.read_bytes() for part in parts)]


def results(clone: Clone) -> dict[str, str]:
    """What stages wrote; data/me.dvc and data/not_me.dvc name the photos as they are stored."""
    return {name: value for name, value in clone.pinned().items() if not name.endswith(".dvc")}


@pytest.fixture
def small(tmp_path: Path, lfw_dir: Path) -> Clone:
    """A clone with photos that DVC tracks and a local remote has; nothing built."""
    clone = new_clone(tmp_path / "clone")
    put_photos(clone.root, lfw_dir, me=3, strangers=3)
    clone.path("data/not_me/attributes.csv").write_text("photo,age\nnot_me/x,3\n" * 20, encoding="utf-8")
    clone.dvc("init", "--quiet", "--force")
    clone.dvc("add", "--quiet", *FOLDERS)
    clone.dvc("remote", "add", "backup", str(tmp_path / "backup"))
    clone.dvc("push", "--quiet", "--remote", "backup")
    clone.commit("Photos")
    privacy(clone, "new-key", str(tmp_path / "a.key"))
    return clone


def key_of(clone: Clone) -> list[str]:
    return ["--key-file", str(clone.root.parent / "a.key")]


def objects(folder: Path) -> dict[str, str]:
    """SHA-256 of every object below a folder, by path."""
    return {path.relative_to(folder).as_posix(): digest(path) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.long
def test_locking_changes_no_result_and_leaves_no_plain_photo(clone: Clone, tmp_path: Path) -> None:
    """The whole pipeline."""
    backup = tmp_path / "backup"
    clone.dvc("remote", "add", "backup", str(backup))
    clone.dvc("push", "--quiet", "--run-cache", "--remote", "backup")
    photos = photos_of(clone)
    folders = [clone.path(".dvc/cache"), backup]
    assert len(places_with(photos, folders)) >= 2 * len(photos)
    before = results(clone)
    with_photos = {path.relative_to(folders[0]).as_posix() for path in places_with(photos, folders[:1])}
    others = {(name, value) for name, value in objects(folders[0]).items() if name not in with_photos}
    privacy(clone, "new-key", str(tmp_path / "a.key"))
    said = privacy(clone, "lock", *key_of(clone))
    assert "deleted from the DVC cache" in said and "deleted from backup" in said
    assert places_with(photos, [*folders, clone.path("data/me"), clone.path("data/not_me"), clone.path(".dvc")]) == []
    lost = [name for name, _ in others - set(objects(folders[0]).items())]
    assert len(lost) > 2 and all(name.endswith(".dir") or name.startswith("runs/") for name in lost)
    assert "PRIVACY_KEY_FILE" in clone.failing_dvc("repro")
    clone.path(".env").write_text(f"PRIVACY_KEY_FILE={tmp_path / 'a.key'}\n", encoding="utf-8")
    assert clone.repro() == ["crop", "robustness", "report"]
    assert results(clone) == before
    assert places_with(photos, [clone.root, backup]) == [], "a stage left a plain copy"
    shutil.rmtree(clone.path("data/remembered"))
    clone.dvc("repro", "--force", "--single-item", "crop")
    assert results(clone) == before, "not only remembered crops are the same"


@pytest.mark.long
def test_with_encrypt_derived_the_cache_and_the_remote_hold_ciphertext_alone(clone: Clone, tmp_path: Path) -> None:
    """The whole pipeline."""
    backup = tmp_path / "backup"
    clone.dvc("remote", "add", "backup", str(backup))
    clone.dvc("push", "--quiet", "--run-cache", "--remote", "backup")
    before = clone.pinned()
    secret = photos_of(clone) + [path.read_bytes() for path in clone.path("data/cropped").rglob("*.png")]
    secret += [clone.path("reports/contact_sheet.png").read_bytes(), clone.path("data/embeddings.npy").read_bytes()]
    rows = [row.tobytes() for row in clone.embeddings()]
    privacy(clone, "new-key", str(tmp_path / "a.key"))
    clone.path(".env").write_text(f"PRIVACY_KEY_FILE={tmp_path / 'a.key'}\n", encoding="utf-8")
    params = clone.path("params.yaml").read_text(encoding="utf-8")
    clone.path("params.yaml").write_text(params.replace("encrypt_derived: false", "encrypt_derived: true"), "utf-8")
    assert "plain still: 'dvc repro' encrypts them" in privacy(clone, "lock")
    clone.dvc("repro")
    clone.commit("Encrypted")
    privacy(clone, "lock")
    assert places_with(secret, [clone.root, backup]) == []
    held = [path for folder in (clone.root, backup) for path in folder.rglob("*") if path.is_file()]
    assert not any(row in data for data in (path.read_bytes() for path in held) for row in rows)
    assert "models/model.joblib" in before and clone.pinned()["models/model.joblib"] == before["models/model.joblib"]
    clone.dvc("push", "--quiet", "--remote", "backup")
    for name in (".dvc/cache", "data/cropped"):
        shutil.rmtree(clone.path(name))
    clone.dvc("pull", "--quiet", "--remote", "backup")
    assert clone.would_run() == []


@pytest.mark.slow
def test_every_other_object_stays_and_a_second_clone_unlocks(small: Clone, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    photos, tables = photos_of(small), [small.path("data/not_me/attributes.csv").read_bytes()]
    plain = {name: digest(small.path(name)) for name in ("data/not_me/attributes.csv",)}
    (tmp_path / "other.bin").write_bytes(b"another object" * 9)
    shutil.copy(tmp_path / "other.bin", small.path("other.bin"))
    small.dvc("add", "--quiet", "other.bin")
    small.dvc("push", "--quiet", "--remote", "backup")
    kept = {name for name in objects(backup) if digest(backup / name) == digest(tmp_path / "other.bin")}
    assert len(kept) == 1
    said = privacy(small, "lock", *key_of(small))
    assert "7 files locked" in said
    assert places_with(photos + tables, [small.path(".dvc"), backup]) == []
    assert kept < set(objects(backup))
    assert len(objects(backup)) == 1 + 7 + 2, "the locked photos are not on the remote that had the plain ones"
    small.commit("Locked")
    second = small.copy(tmp_path / "second")
    for name in FOLDERS:
        shutil.rmtree(second.path(name))
    shutil.rmtree(second.path(".dvc/cache"))
    shutil.rmtree(second.path("private"))
    second.dvc("pull", "--quiet", "--remote", "backup", *(f"{name}.dvc" for name in FOLDERS))
    privacy(second, "unlock", *key_of(small))
    assert sorted(photos_of(second)) == sorted(photos)
    assert {name: digest(second.path(name)) for name in plain} == plain
    privacy(second, "lock", *key_of(small))
    assert "data/me.dvc" not in second.git("status", "--short"), "locked again, DVC sees another photo"


@pytest.mark.slow
def test_a_remote_that_cannot_be_reached_is_owed_and_done_at_the_next_run(small: Clone, tmp_path: Path) -> None:
    backup, away = tmp_path / "backup", tmp_path / "unplugged"
    photos = photos_of(small)
    backup.rename(away)
    said = failing(small, "lock", *key_of(small))
    assert "NOT deleted from the remote backup" in said and "is not there" in said
    owed = json.loads(small.path("private/privacy/owed.json").read_text(encoding="utf-8"))
    assert [debt["name"] for debt in owed] == ["backup"] and len(owed[0]["oids"]) >= len(photos)
    assert places_with(photos, [small.path(".dvc")]) == []
    away.rename(backup)
    assert "deleted from backup" in privacy(small, "lock", *key_of(small))
    assert places_with(photos, [backup]) == []
    assert not small.path("private/privacy/owed.json").exists()


@pytest.mark.slow
def test_photos_of_earlier_versions_are_told_and_deleted_only_when_asked(small: Clone, tmp_path: Path) -> None:
    photos = photos_of(small)
    gone = next(small.path("data/me").glob("*.jpg"))
    content = gone.read_bytes()
    gone.unlink()
    small.dvc("add", "--quiet", *FOLDERS)
    small.commit("One photo less")
    backup = tmp_path / "backup"
    assert "1 file of earlier versions" in privacy(small, "lock", *key_of(small))
    left = places_with(photos, [small.path(".dvc"), backup])
    assert len(left) == 2 and all(path.read_bytes() == content for path in left)
    privacy(small, "lock", *key_of(small), "--all-versions")
    assert places_with(photos, [small.path(".dvc"), backup]) == []


@pytest.mark.slow
def test_a_cache_outside_the_project_is_refused_before_anything_is_done(small: Clone, tmp_path: Path) -> None:
    small.dvc("cache", "dir", str(tmp_path / "shared-cache"))
    before = objects(small.path("data"))
    assert "lies outside the project" in failing(small, "lock", *key_of(small))
    assert objects(small.path("data")) == before
    privacy(small, "lock", *key_of(small), "--no-purge")
    assert objects(small.path("data")).keys() != before.keys()


@pytest.mark.slow
def test_rekey_deletes_what_the_old_key_opens(small: Clone, tmp_path: Path) -> None:
    privacy(small, "lock", *key_of(small))
    old = [path.read_bytes() for name in FOLDERS for path in small.path(name).rglob("*.locked")]
    folders = [small.path(".dvc"), tmp_path / "backup"]
    assert len(places_with(old, folders)) == 2 * len(old)
    privacy(small, "new-key", str(tmp_path / "b.key"))
    privacy(small, "rekey", *key_of(small), "--new-key-file", str(tmp_path / "b.key"))
    assert places_with(old, [*folders, small.path("data")]) == []
    assert len(objects(tmp_path / "backup")) == 7 + 2
    small.dvc("status", "--quiet", *(f"{name}.dvc" for name in FOLDERS))


@pytest.mark.slow
def test_while_a_stage_reads_the_photos_nothing_is_locked(small: Clone) -> None:
    lock = {"read": {str(small.path("data/me")): [{"pid": os.getpid(), "cmd": "dvc repro"}]}, "write": {}}
    small.path(".dvc/tmp").mkdir(exist_ok=True)
    small.path(".dvc/tmp/rwlock").write_text(json.dumps(lock), encoding="utf-8")
    before = objects(small.path("data"))
    assert "DVC is at work on the photos" in failing(small, "lock", *key_of(small))
    assert objects(small.path("data")) == before


@pytest.mark.long
@pytest.mark.parametrize("act", ["lock", "rekey"])
def test_killed_at_random_moments_and_run_again_the_end_is_the_same(small: Clone, tmp_path: Path, act: str) -> None:
    """SIGKILL, whatever it does then: encrypting, `dvc add`, pushing, deleting."""
    photos, backup = photos_of(small), tmp_path / "backup"
    privacy(small, "new-key", str(tmp_path / "b.key"))
    arguments = [act, *key_of(small)]
    if act == "rekey":
        privacy(small, "lock", *key_of(small))
        arguments += ["--new-key-file", str(tmp_path / "b.key")]
    must_go = photos + [path.read_bytes() for name in FOLDERS for path in small.path(name).rglob("*.locked")]
    begun = time.monotonic()
    privacy(small.copy(tmp_path / "rehearsal" / "clone"), *arguments, "--no-purge")
    usual = 2 * (time.monotonic() - begun)
    chance = random.Random(act)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-m", "privacy", *arguments], cwd=small.root, env=small.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.2, 1) * usual)
        process.kill()
        process.wait()
    privacy(small, *arguments)
    assert places_with(must_go, [small.path(".dvc"), small.path("data"), backup]) == []
    assert len(objects(backup)) == 7 + 2
    assert not small.path("private/privacy/owed.json").exists()
    privacy(small, "unlock", "--key-file", str(tmp_path / ("b.key" if act == "rekey" else "a.key")))
    assert sorted(photos_of(small)) == sorted(photos)


@pytest.mark.slow
@posix_only
def test_photos_that_are_links_to_the_cache_are_locked_and_come_back(small: Clone, tmp_path: Path) -> None:
    photos = photos_of(small)
    small.dvc("config", "--local", "cache.type", "symlink")
    small.dvc("checkout", "--quiet", "--relink", *(f"{name}.dvc" for name in FOLDERS))
    assert any(path.is_symlink() for path in small.path("data/me").iterdir())
    assert "Links were replaced" not in privacy(small, "lock", *key_of(small))
    assert places_with(photos, [small.path("data"), small.path(".dvc"), tmp_path / "backup"]) == []
    assert any(path.is_symlink() for path in small.path("data/me").iterdir())
    privacy(small, "new-key", str(tmp_path / "b.key"))
    privacy(small, "rekey", *key_of(small), "--new-key-file", str(tmp_path / "b.key"))
    privacy(small, "unlock", "--key-file", str(tmp_path / "b.key"))
    assert sorted(photos_of(small)) == sorted(photos)
