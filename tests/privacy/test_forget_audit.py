"""The audit log of the service and photos that are locked: their records are nobody's any more, and the log holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from service.audit import Audit
from service.audit.settings import AuditSettings
from service.config import Settings
from tests.clone import Clone
from tests.conftest import ROOT
from tests.privacy.locked_support import TABLE, privacy
from tests.privacy.support import Project, picture
from tests.service.support import posix_only, running

pytestmark = pytest.mark.security


def audit(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m service audit` with the settings of the environment."""
    command = [sys.executable, "-m", "service", "audit", *arguments]
    return subprocess.run(command, cwd=root, env=dict(os.environ), check=False, capture_output=True, text=True)


def records_of(root: Path, photo: Path) -> int:
    """How many records are of a photo, as an operator asks."""
    return len(json.loads(audit(root, "find", "--json", "--image", str(photo)).stdout))


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment says where the log lies."""
    for name, path in (("AUDIT_PATH", "log"), ("AUDIT_HEAD_PATH", "head"), ("AUDIT_SALTS_PATH", "salts")):
        monkeypatch.setenv(name, str(tmp_path / "audit" / path))
    monkeypatch.setenv("AUDIT_KEY", "k" * 40)


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("key", ["with the key", "without it"])
def test_records_of_locked_photos_are_nobodys(
    either: Project, pristine_small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Whoever asked the service sent the photo as it was before it was locked. One of them no run has read yet."""
    photos = tmp_path / "photos"
    shutil.copytree(pristine_small / "data/not_me", photos)
    for folder in (photos, either.root / "data/not_me"):
        picture(800).save(folder / "ana/new.png")
    privacy(either, "lock", "--no-purge")
    with closing(Audit.open(AuditSettings.of(Settings.load()))) as opened:
        for name in ("ana/0.png", "ben/0.png", "ana/1.png", "ana/new.png", "ana/0.png"):
            image = opened.commit_to((photos / name).read_bytes())
            opened.record("verify", image=image, request_id=name, key_id="k", status=200)
    assert (records_of(ROOT, photos / "ana/0.png"), records_of(ROOT, photos / "ana/1.png")) == (2, 1)
    if key != "with the key":
        (either.root / TABLE).unlink()
        monkeypatch.delenv("PRIVACY_KEY_FILE")
    said = either.forget("ana", "--yes", status=0 if key == "with the key" else 1)
    unread = 0 if key == "with the key" else 1
    assert ("records about 1 of these photos stay in the audit log" in said) is bool(unread)
    assert [records_of(ROOT, photos / name) for name in ("ana/0.png", "ana/1.png", "ben/0.png")] == [0, 0, 1]
    assert records_of(ROOT, photos / "ana/new.png") == unread
    done = audit(ROOT, "verify")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@posix_only
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("log")
def test_while_the_service_answers(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real pipeline and the real service, with all that is made of photos locked, too."""

    def run(*arguments: str) -> str:
        done = clone.call(sys.executable, "-m", "privacy", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    person, other = sorted(path for path in clone.path("data/not_me").iterdir() if path.is_dir())[:2]
    sent = [tmp_path / f"{folder.name}.jpg" for folder in (person, other)]
    for folder, path in zip((person, other), sent, strict=True):
        path.write_bytes(min(folder.glob("*.jpg")).read_bytes())
    clone.set_params(privacy__encrypt_derived=True)
    run("new-key", str(tmp_path / "photos.key"))
    monkeypatch.setenv("PRIVACY_KEY_FILE", str(tmp_path / "photos.key"))
    for _ in range(2):
        run("lock")
        clone.dvc("repro")
    clone.commit("Locked")
    models = clone.path("models")
    settings = Settings(
        model_path=models / "model.joblib", scaler_path=models / "scaler.joblib", networks_path=models / "networks",
        photo_limits_path=models / "photo_limits.json", keys_path=tmp_path / "no_keys.json",
        audit_path=tmp_path / "audit/log", audit_head_path=tmp_path / "audit/head",
        audit_salts_path=tmp_path / "audit/salts", audit_key="k" * 40,
    )  # fmt: skip
    with running([str(clone.path("service/run_gunicorn.sh")), "-w", "2"], settings, tmp_path, clone.root, 2) as server:
        for path in (*sent, sent[0]):
            assert server.verify(path.read_bytes()).status_code == 200
        assert [records_of(clone.root, path) for path in sent] == [2, 1]
        run("forget", person.name, "--yes")
        assert [records_of(clone.root, path) for path in sent] == [0, 1]
        assert server.verify(sent[1].read_bytes()).status_code == 200
        done = audit(clone.root, "verify")
        assert done.returncode == 0, done.stdout + done.stderr
    assert [records_of(clone.root, path) for path in sent] == [0, 2]
