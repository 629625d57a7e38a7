"""The real pipeline and the real service: somebody is forgotten while it runs, then `me`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bench.support.remains import Remains
from service.config import Settings
from tests.clone import Clone
from tests.service.support import posix_only, running

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
