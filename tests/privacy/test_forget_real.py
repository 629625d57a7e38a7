"""The real pipeline and the real service: somebody is forgotten while it runs, then `me`."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.support.remains import Remains
from faces.recognition.recognizer import Recognizer
from faces.verification import verify
from faces.verifier import Verifier
from privacy.forget.traces import normalised
from service.config import Settings
from tests.clone import Clone
from tests.service.support import posix_only, running
from tests.stages.support import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.security, posix_only, pytest.mark.timeout(1800)]


def remains_of(clone: Clone, person: str) -> Remains:
    """What is the person's, by the tables of the last run."""
    remains = Remains([person])
    index = clone.index()
    own = index["photo"].str.startswith(f"{person}/").to_numpy()
    assert own.any()
    for name in index["photo"][own]:
        remains.add_file(clone.path(f"data/{name}").read_bytes())
    for name in index["crop"][own]:
        remains.add_file(clone.path(f"data/cropped/{name}").read_bytes())
    remains.add_rows(np.asarray(clone.embeddings()[own]))
    return remains


def forget(clone: Clone, *arguments: str) -> str:
    done = clone.call(sys.executable, "-m", "privacy", "forget", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def search(clone: Clone, remains: Remains) -> dict[str, list[str]]:
    """Where the person still is. The code and its pages are not looked at: they name folders as examples."""
    places = [clone.path(name) for name in ("data", "models", "reports", ".dvc", "private")]
    return remains.search([*places, clone.root.parent / "site-cache"])[0]


def known(workspace: Workspace, recognizer: Recognizer, photos: list[bytes]) -> tuple[list[float], list[bool]]:
    """What the model of a project scores photos, and whether the nearest embedding that it stores is each one's own."""
    verifier = Verifier.load(workspace.path("models/model.joblib"), workspace.path("models/scaler.joblib"))
    stored = normalised(np.load(workspace.path("data/embeddings.npy")))
    index = workspace.path("data/index.csv").read_text(encoding="utf-8").splitlines()[1:]
    scores, own = [], []
    for photo in photos:
        found = verify(photo, recognizer, verifier)
        assert found is not None and found.face.embedding is not None
        scores.append(found.score)
        nearest = int((stored @ normalised(found.face.embedding[None])[0]).argmax())
        own.append(hashlib.sha256(photo).hexdigest() in index[nearest])
    return scores, own


def test_the_model_is_one_that_never_saw_them(clone: Clone, recognizer: Recognizer, tmp_path: Path) -> None:
    """A project that is built from the start without them scores their photos as this one does afterwards."""
    folder = max(clone.path("data/not_me").iterdir(), key=lambda folder: len(list(folder.iterdir())))
    photos = [path.read_bytes() for path in sorted(folder.iterdir())]
    never = Workspace(tmp_path / "never")
    for name in ("data/me", "data/not_me", "models/networks", "models/records"):
        shutil.copytree(clone.path(name), never.path(name))
    shutil.copy(clone.path("params.yaml"), never.root)
    shutil.rmtree(never.path(f"data/not_me/{folder.name}"))
    for stage in ("crop", "embed", "quality", "train"):
        done = never.run("-m", f"stages.{stage}")
        assert done.returncode == 0, done.stderr
    before, in_training = known(clone, recognizer, photos)
    assert all(in_training)
    forget(clone, folder.name, "--yes")
    after, still_stored = known(clone, recognizer, photos)
    assert not any(still_stored)
    assert after == pytest.approx(known(never, recognizer, photos)[0], abs=1e-6)
    assert np.abs(np.array(before) - after).max() > 1e-6


def test_a_person_and_then_me(clone: Clone, tmp_path: Path) -> None:
    person = min(path.name for path in clone.path("data/not_me").iterdir())
    theirs, of_me = remains_of(clone, f"not_me/{person}"), remains_of(clone, "me")
    me_photo = min(clone.path("data/me").iterdir()).read_bytes()
    stranger = min(clone.path(f"data/not_me/{person}").iterdir()).read_bytes()
    others = {path: path.read_bytes() for path in clone.path("data/not_me").rglob("*.jpg") if person not in str(path)}
    models = clone.path("models")
    settings = Settings(
        model_path=models / "model.joblib", scaler_path=models / "scaler.joblib", networks_path=models / "networks",
        photo_limits_path=models / "photo_limits.json", keys_path=tmp_path / "no_keys.json",
    )  # fmt: skip
    assert search(clone, theirs)
    with running([str(clone.path("service/run_gunicorn.sh")), "-w", "2"], settings, tmp_path, clone.root, 2) as server:
        before = server.verify(stranger).json()
        said = forget(clone, person, "--yes")
        assert "serves what is there now" in said
        assert search(clone, theirs) == {}
        assert all(path.read_bytes() == data for path, data in others.items())
        assert clone.dvc("status").strip() == "Data and pipelines are up to date."
        after = server.verify(stranger).json()
        assert after["is_me"] is False
        assert after["score"] != before["score"]
        clone.commit("Without somebody")
        said = forget(clone, "me", "--yes")
        assert "There is no model now" in said
        answer = server.verify(me_photo)
        assert answer.status_code == 503
        assert answer.json()["error"].startswith("Modelos no encontrados")
    assert search(clone, of_me) == {}
    assert all(path.read_bytes() == data for path, data in others.items())
