"""A built project, its model as the service has it, and the same model asked without a server."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from asking import command
from asking.language import choose
from asking.local_service import LocalService
from service.config import Settings
from tests.asking.support import environment
from tests.service.support import settings_of
from tests.shared import SharedFolders
from tests.stages.support import Workspace, built_once
from tests.terminal import without_bar

Called = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def built(shared: SharedFolders, networks_dir: Path, lfw_dir: Path) -> Workspace:
    """A workspace in which every stage has run once. Not to be changed: take `workspace` for that."""
    return built_once(shared, networks_dir, lfw_dir)


@pytest.fixture
def workspace(built: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of it, made the current folder."""
    copy = built.copy(tmp_path / "project")
    monkeypatch.chdir(copy.root)
    return copy


@pytest.fixture(scope="session")
def settings(built: Workspace) -> Settings:
    """The service's settings with the model of the built project."""
    models = built.path("models")
    return replace(settings_of(models, models / "networks"), operating_point_path=models / "operating_point.json")


@pytest.fixture(scope="session")
def service(settings: Settings) -> LocalService:
    """That model, ready to be asked in this process."""
    loaded = LocalService(settings)
    loaded.open()
    return loaded


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    choose("en")
    yield
    choose("en")


@pytest.fixture
def called(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Called]:
    """Runs `python -m faces` with arguments in this process; returns the status, and what was said on both streams."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["faces", *map(str, arguments)])
        status = command.run()
        said = capsys.readouterr()
        assert "Traceback" not in said.err, said.err
        return status, said.out, without_bar(said.err)

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def me_photo(lfw_dir: Path) -> Path:
    """A photo of the person the model was trained on, not used in training."""
    return lfw_dir / "images/Hans_Blix/Hans_Blix_0030.jpg"


@pytest.fixture(scope="session")
def stranger_photo(photos_dir: Path) -> Path:
    """A photo of somebody else."""
    return photos_dir / "2007_007763.jpg"
