"""The accuracy benches in their quick form: they run, and their figures are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.accuracy import acceptance, draw_projects
from bench.support.embeddings import central_face, embed_all, product_face
from faces.recognition.recognizer import Recognizer
from tests.bench.support import run

pytestmark = pytest.mark.timeout(600)


@pytest.mark.slow
def test_accuracy(lfw_dir: Path, networks_dir: Path, tmp_path: Path) -> None:
    report = run("accuracy", str(lfw_dir), "--networks", str(networks_dir), "--people", "2", "--strangers", "40",
                 "--embeddings", str(tmp_path / "kept.npz"))  # fmt: skip
    assert list(report["settings"]) == ["12+120", "5+120", "30+120", "12+20"]
    for setting in report["settings"].values():
        assert list(setting["verifiers"]) == ["logistic_regression", "plain cosine", "cosine (default)"]
        assert setting["projects"] == 2
        for figures in setting["verifiers"].values():
            assert figures["auc"] > 0.98
            assert figures["far"] < 0.05
            assert figures["ece"] < 0.15
    assert (tmp_path / "kept.npz").is_file()


@pytest.mark.slow
def test_intervals(lfw_dir: Path, networks_dir: Path) -> None:
    report = run("intervals", str(lfw_dir), "--networks", str(networks_dir), "--people", "1", "--draws", "1",
                 "--strangers", "60")  # fmt: skip
    assert len(report["settings"]) == 8
    for row in report["settings"].values():
        assert row["far_covered"] >= 0.5
        assert 0 < row["far_width"] < 0.3


@pytest.mark.slow
def test_lfw_pairs(lfw_dir: Path, networks_dir: Path) -> None:
    report = run("lfw_pairs", str(lfw_dir), "--networks", str(networks_dir), "--limit", "30")
    assert report["headline"] == "product's own"
    assert list(report["faces"]) == ["product's own", "central"]
    assert report["pairs"] == 60
    for figures in report["faces"].values():
        assert figures["accuracy"] > 0.9
        assert figures["auc"] > 0.95


def test_faces_that_lfw_pairs_takes(recognizer: Recognizer, lfw_dir: Path, tmp_path: Path) -> None:
    """A small face in the middle, a larger one beside it: the product takes the larger one."""
    small, large = (Image.open(photo) for photo in sorted((lfw_dir / "images" / "Hans_Blix").glob("*.jpg"))[:2])
    both = Image.new("RGB", (1000, 500))
    both.paste(small.resize((200, 200)), (400, 150))
    both.paste(large.resize((400, 400)), (600, 50))
    both.save(tmp_path / "both.jpg")
    product, central = (choose(recognizer, tmp_path / "both.jpg") for choose in (product_face, central_face))
    assert product is not None and central is not None
    assert product.box[0] > 600
    assert 400 < central.box[0] < central.box[2] < 600
    Image.new("RGB", (200, 200)).save(tmp_path / "nobody.jpg")
    assert central_face(recognizer, tmp_path / "nobody.jpg") is None
    found = embed_all(recognizer, [tmp_path / "both.jpg", tmp_path / "nobody.jpg"], product_face)
    assert list(found) == [tmp_path / "both.jpg"]
    recognizer.embed([product])
    assert np.allclose(found[tmp_path / "both.jpg"], product.embedding, atol=1e-6)


def test_strangers_asked_about_are_in_no_project_and_nobody_is_asked_twice() -> None:
    names = np.array([f"p{number}" for number in range(30) for _ in range(1 + 19 * (number < 4))])
    projects = draw_projects(names, 12, 10, 100, 2, None, 0)
    assert len(projects) == 8
    for project in projects:
        mine = set(names[project.me]) | set(names[project.asked])
        assert len(mine) == 1
        assert len(project.me) == 12 and len(project.asked) == 8
        people = [*names[project.others], *names[project.strangers]]
        assert len(set(people)) == len(people) == 29
        assert not mine & set(people)


def test_acceptance_by_hand() -> None:
    strangers = np.linspace(0, 0.99, 100)
    me = np.array([0.5, 0.95, 0.985, 0.999])
    assert acceptance(me, strangers, 0.0) == 0.25
    assert acceptance(me, strangers, 0.01) == 0.5
    assert acceptance(me, strangers, 0.1) == 0.75
