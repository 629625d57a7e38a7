"""A small project, built once, and copies of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
