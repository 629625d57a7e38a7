"""Networks with FaceNet's architecture, and faces of real photographs, that several of these tests need."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from faces.files import sha256_of
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from stages.export.export import export_networks
from stages.params import Params
from tests.faces.support import random_checkpoint, serving, with_backbone
from tests.shared import SharedFolders


@dataclass(frozen=True)
class FaceNetBuild:
    """What `export_networks` made of a checkpoint that it had to download.

    Attributes:
        project: the folder it ran in.
        checkpoint: the file that was served.
        params: what it was asked for.
        networks: the folder it wrote.
    """

    project: Path
    checkpoint: Path
    params: Params
    networks: Path


@pytest.fixture(scope="session")
def facenet(shared: SharedFolders, dlib_params: Params) -> FaceNetBuild:
    """FaceNet with random weights, downloaded from this machine and exported."""

    def wanted(folder: Path, url: str) -> Params:
        return with_backbone(dlib_params, "facenet-vggface2", url, sha256_of(folder / "served.pt"))

    def export(folder: Path) -> None:
        random_checkpoint(folder / "served.pt")
        (folder / "project").mkdir()
        served = (folder / "served.pt").read_bytes()
        with serving(served) as server, pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder / "project")
            patch.delenv("FACENET_WEIGHTS", raising=False)
            patch.setenv("TORCH_HOME", str(folder / "cache"))
            export_networks(wanted(folder, server.url), folder / "project" / "models" / "networks")
            (folder / "url.txt").write_text(server.url)

    folder = shared.made_once("facenet", export)
    project = folder / "project"
    params = wanted(folder, (folder / "url.txt").read_text())
    return FaceNetBuild(project, folder / "served.pt", params, project / "models" / "networks")


@pytest.fixture(scope="session")
def facenet_recognizer(facenet: FaceNetBuild) -> Recognizer:
    """An opened recognizer with those networks."""
    opened = Recognizer(Networks.load(facenet.networks))
    opened.open()
    return opened


@pytest.fixture(scope="session")
def photos(photos_dir: Path) -> list[Path]:
    """Group photos and portraits; one shows dogs only."""
    return sorted(photos_dir.glob("*.jpg"))


@pytest.fixture(scope="session")
def lfw_photos(lfw_dir: Path) -> list[Path]:
    """Forty people of LFW, a photo each."""
    people = sorted((lfw_dir / "images").iterdir())
    return [sorted(folder.glob("*.jpg"))[0] for folder in random.Random(0).sample(people, 40)]


@pytest.fixture(scope="session")
def crops(recognizer: Recognizer, lfw_photos: list[Path]) -> np.ndarray:
    """uint8 [33, 160, 160, 3], aligned for dlib-resnet."""
    found = [recognizer.largest_face(path) for path in lfw_photos]
    return np.stack([face.crop for face in found if face is not None][:33])
