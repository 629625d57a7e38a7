"""Where an answer comes from: the model's file, git's revision, dvc.lock; nothing where it cannot be known."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from service.origin import Origin, _revision

without_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
NOWHERE = Origin(None, None, None)


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """A process asks git once: its code stays what it was."""
    _revision.cache_clear()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a dvc.lock and one commit."""
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "-q")
    (root / "dvc.lock").write_bytes(b"schema: '2.0'\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "First")
    return root


@without_git
def test_a_checkout(checkout: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.joblib"
    model.write_bytes(b"a model")
    origin = Origin.read(model, checkout)
    assert origin == Origin(
        hashlib.sha256(b"a model").hexdigest(),
        git(checkout, "rev-parse", "HEAD"),
        hashlib.sha256(b"schema: '2.0'\n").hexdigest(),
    )
    assert origin.git_revision is not None and len(origin.git_revision) == 40
    assert list(origin.as_json()) == ["model_sha256", "git_revision", "dvc_lock_sha256"]
    (checkout / "dvc.lock").write_bytes(b"another\n")
    git(checkout, "commit", "-q", "-a", "-m", "Second")
    assert Origin.read(model, checkout).git_revision == origin.git_revision, "the code of this process stays as it was"
    _revision.cache_clear()
    later = Origin.read(model, checkout)
    assert later.model_sha256 == origin.model_sha256
    assert later.git_revision not in (None, origin.git_revision)
    assert later.dvc_lock_sha256 == hashlib.sha256(b"another\n").hexdigest()


@without_git
def test_a_copy_below_another_checkout_is_none(checkout: Path) -> None:
    """A container's copy of the project has no .git; that of a folder above says nothing of it."""
    copy = checkout / "copy"
    copy.mkdir()
    (copy / "dvc.lock").write_bytes(b"schema: '2.0'\n")
    assert Origin.read(copy / "model.joblib", copy) == NOWHERE


@without_git
def test_a_checkout_without_dvc_lock(checkout: Path) -> None:
    (checkout / "dvc.lock").unlink()
    origin = Origin.read(checkout / "absent.joblib", checkout)
    assert (origin.model_sha256, origin.dvc_lock_sha256) == (None, None)
    assert origin.git_revision == git(checkout, "rev-parse", "HEAD")


@without_git
def test_a_checkout_without_a_commit_or_damaged(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert Origin.read(tmp_path / "model.joblib", tmp_path) == NOWHERE
    (tmp_path / ".git" / "HEAD").write_text("nonsense", encoding="utf-8")
    assert Origin.read(tmp_path / "model.joblib", tmp_path) == NOWHERE


def test_git_that_is_not_installed_or_hangs(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty, slow = tmp_path / "empty", tmp_path / "slow"
    for folder in (empty, slow):
        folder.mkdir()
    script = slow / "git"
    script.write_text("#!/bin/sh\nexec sleep 20\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr("service.origin._GIT_SECONDS", 0.2)
    for path in (str(empty), f"{slow}:/usr/bin:/bin"):
        monkeypatch.setenv("PATH", path)
        origin = Origin.read(tmp_path / "absent", checkout)
        assert origin.git_revision is None and origin.dvc_lock_sha256 is not None
