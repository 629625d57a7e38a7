"""A small project, built once, and copies of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.privacy.locked_support import KEYS, make_locked
from tests.privacy.support import Project
from tests.shared import SharedFolders


@pytest.fixture(scope="session")
def pristine_small(shared: SharedFolders) -> Path:
    return shared.made_once("small-project", lambda folder: Project.new(folder / "project")) / "project"


@pytest.fixture
def project(pristine_small: Path, tmp_path: Path) -> Project:
    """A copy, in which anything may be done."""
    shutil.copytree(pristine_small, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def pristine_locked(shared: SharedFolders, pristine_small: Path) -> Path:
    """The small project with its photos locked, and with them all that is made of them; beside it the key."""
    return shared.made_once("small-locked-project", lambda folder: make_locked(folder, pristine_small, derived=True))


@pytest.fixture(scope="session")
def pristine_locked_photos(shared: SharedFolders, pristine_small: Path) -> Path:
    """The same, but what is made of photos is plain."""
    return shared.made_once("small-locked-photos", lambda folder: make_locked(folder, pristine_small, derived=False))


def _copied(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copytree(pristine / "project", tmp_path / "project", symlinks=True)
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRIVACY_KEY_FILE", str(pristine / "photos.key"))
    return Project(tmp_path / "project")


@pytest.fixture
def locked(pristine_locked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy, in which anything may be done; the environment names the key."""
    return _copied(pristine_locked, tmp_path, monkeypatch)


@pytest.fixture
def locked_photos(pristine_locked_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same of the project in which photos alone are locked."""
    return _copied(pristine_locked_photos, tmp_path, monkeypatch)


@pytest.fixture(
    params=[
        pytest.param("with what is made of photos", marks=pytest.mark.slow),
        pytest.param("photos alone", marks=pytest.mark.long),
    ]
)
def either(request: pytest.FixtureRequest) -> Project:
    """Both of them, one after the other: a test that takes it is slow with the first, and long with the second."""
    project: Project = request.getfixturevalue("locked" if request.param.startswith("with") else "locked_photos")
    return project
