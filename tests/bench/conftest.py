"""What several benches need, made once a run."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from bench.support.embeddings import load_faces
from tests.shared import SharedFolders


@pytest.fixture(scope="session")
def embeddings_file(shared: SharedFolders, lfw_dir: Path, networks_dir: Path) -> Path:
    """The embeddings of all of LFW, as the option --embeddings keeps them."""

    def make(folder: Path) -> None:
        load_faces(argparse.Namespace(lfw=lfw_dir, networks=networks_dir, embeddings=folder / "kept.npz"))

    return shared.made_once("lfw_embeddings", make) / "kept.npz"
