"""Workspaces for the stages' tests: empty, with photos, built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from tests.shared import SharedFolders
from tests.stages.support import Workspace, built_once, new_workspace


@pytest.fixture
def empty(tmp_path: Path, networks_dir: Path) -> Workspace:
    """Parameters and networks, no photos."""
    return new_workspace(tmp_path / "project", networks_dir)


@pytest.fixture(scope="session")
def built(shared: SharedFolders, networks_dir: Path, lfw_dir: Path) -> Workspace:
    """A workspace in which every stage has run once. Not to be changed: take `workspace` for that."""

    return built_once(shared, networks_dir, lfw_dir)


@pytest.fixture
def workspace(built: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the built workspace."""
    return built.copy(tmp_path / "project")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were saved."""
    saved: list[Figure] = []
    original = Figure.savefig

    def save(figure: Figure, *arguments: Any, **options: Any) -> None:
        saved.append(figure)
        original(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", save)
    return saved
