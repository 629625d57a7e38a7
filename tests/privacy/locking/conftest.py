"""A small project in which photos are locked, in this process."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from privacy.locking import command
from stages.files import locked_files
from tests.conftest import ROOT

Run = Callable[..., int]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with params.yaml, made the current one; no key is set."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(folder)
    for name in ("PRIVACY_KEY", "PRIVACY_KEY_FILE", "PRIVACY_NEW_KEY", "PRIVACY_NEW_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    yield folder
    locked_files._secret_of.cache_clear()


@pytest.fixture
def run(project: Path) -> Run:
    """Runs a command of `python -m privacy` in the project; returns its exit status."""
    parser = argparse.ArgumentParser()
    command.add_commands(parser.add_subparsers(required=True))

    def act(*arguments: str) -> int:
        assert Path.cwd() == project
        args = parser.parse_args(arguments)
        status: int = args.run(args)
        return status

    return act
