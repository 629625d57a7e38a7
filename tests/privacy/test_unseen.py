"""Pictures that no run of the pipeline has looked at are searched for the person's face."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from faces.recognition.recognizer import Recognizer
from privacy.forget import unseen
from tests.privacy.support import Project

pytestmark = [pytest.mark.slow, pytest.mark.security]

PERSON, OTHER = "Hans_Blix", "Laura_Bush"


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "jpeg", quality=90)
    return file.getvalue()


def cached(project: Project, data: bytes) -> Path:
    """Put an object into the cache that no version names, as a killed `dvc add` leaves it."""
    digest = hashlib.md5(data).hexdigest()
    path = project.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def photos(lfw_dir: Path) -> dict[str, list[Path]]:
    return {name: sorted((lfw_dir / "images" / name).glob("*.jpg"))[:8] for name in (PERSON, OTHER)}


@pytest.fixture
def project(tmp_path: Path, photos: dict[str, list[Path]], networks_dir: Path) -> Project:
    """Photos of two people and no pipeline; the networks are there."""
    root = tmp_path / "project"
    root.mkdir()
    project = Project(root)
    project.git("init", "--quiet", "--initial-branch", "main")
    project.git("config", "user.name", "Test")
    project.git("config", "user.email", "test@example.org")
    (root / ".gitignore").write_text("/models\n/private\n/loose\n", encoding="utf-8")
    project.dvc("init", "--quiet")
    shutil.copytree(networks_dir, root / "models/networks")
    for name, folder in ((PERSON, "ana"), (OTHER, "ben")):
        (root / "data/not_me" / folder).mkdir(parents=True)
        for photo in photos[name][:4]:
            shutil.copy(photo, root / "data/not_me" / folder)
    project.dvc("add", "--quiet", "data/not_me")
    project.commit("Photos")
    return project


def test_nameless_pictures_are_told_by_their_faces(
    project: Project, photos: dict[str, list[Path]], recognizer: Recognizer
) -> None:
    mine, others = photos[PERSON][4:], photos[OTHER][4:]
    face = recognizer.largest_face(mine[0])
    assert face is not None and face.crop is not None
    crop = io.BytesIO()
    Image.fromarray(face.crop).save(crop, "png")
    small = ImageOps.mirror(Image.open(photos[PERSON][0]).crop((25, 25, 225, 225))).resize((100, 100))
    theirs = [cached(project, data) for data in (crop.getvalue(), mine[1].read_bytes(), jpeg(small))]
    stay = [cached(project, photo.read_bytes()) for photo in others]
    stay.append(cached(project, jpeg(Image.fromarray(np.zeros((200, 200, 3), np.uint8)))))
    said = project.forget("ana", "--yes")
    assert "pictures of the cache that no version names, with a face like theirs" in said
    assert [path for path in theirs if path.exists()] == []
    assert [path for path in stay if not path.exists()] == []
    assert sorted(path.name for path in (project.root / "data/not_me").iterdir()) == ["ben"]


def test_others_pictures_are_listed_and_go_if_named(project: Project, photos: dict[str, list[Path]]) -> None:
    """A photo in ben's folder that no run has seen, and one that lies about in the project."""
    root = project.root
    shutil.copy(photos[PERSON][5], root / "data/not_me/ben/party.jpg")
    (root / "loose").mkdir()
    shutil.copy(photos[PERSON][6], root / "loose/1.jpg")
    shutil.copy(photos[OTHER][6], root / "loose/2.jpg")
    project.dvc("add", "--quiet", "data/not_me")
    project.commit("A party")
    said = project.forget("ana", "--dry-run")
    listed = said.partition("seem to show them, too. They stay, unless you name them with --also:\n")[2]
    assert sorted(listed.splitlines()[:2]) == ["  loose/1.jpg", "  not_me/ben/party.jpg"]
    project.forget("ana", "--yes", "--also", "loose/1.jpg", "--also", "data/not_me/ben/party.jpg")
    assert [path.name for path in (root / "loose").iterdir()] == ["2.jpg"]
    assert len(list((root / "data/not_me/ben").iterdir())) == 4


def test_what_could_not_be_compared_is_said(project: Project, photos: dict[str, list[Path]]) -> None:
    cached(project, photos[PERSON][5].read_bytes())
    shutil.rmtree(project.root / "models")
    said = project.forget("ana", "--dry-run")
    assert "no run of the pipeline has looked at could not be searched for their face: there is no" in said


def test_it_ends_when_the_time_is_over(
    project: Project, photos: dict[str, list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from privacy.forget.planning import make_plan
    from privacy.forget.project import Project as Kept

    cached(project, photos[PERSON][5].read_bytes())
    monkeypatch.setattr(unseen, "LONGEST", 0.0)
    plan = make_plan(Kept.open(project.root), ["ana"], [], lambda _: False, "now")
    assert plan.faces == [] and "could not be searched for their face: it would take too long" in plan.unseen
