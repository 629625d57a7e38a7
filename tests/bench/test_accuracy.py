"""The accuracy benches in their quick form: they run, and their figures are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.support.embeddings import central_face, product_face
from bench.support.projects import draw_projects
from bench.support.rates import acceptance
from bench.support.verifiers import DEFAULT, NEED_OTHERS, OWN_STRANGERS, USUAL_RULE, USUAL_RULE_STRICTER
from faces.fit_population import embed_photos
from faces.recognition.recognizer import Recognizer
from tests.bench.support import run

pytestmark = pytest.mark.timeout(600)


@pytest.mark.long
def test_accuracy(lfw_dir: Path, networks_dir: Path, embeddings_file: Path) -> None:
    report = run("accuracy", str(lfw_dir), "--networks", str(networks_dir), "--people", "2", "--strangers", "40",
                 "--embeddings", str(embeddings_file))  # fmt: skip
    assert list(report["settings"]) == ["12+120", "12+20", "5+20", "5+0", "3+5", "3+0"]
    for name, setting in report["settings"].items():
        usual = [USUAL_RULE, USUAL_RULE_STRICTER]
        need_others = [] if name.endswith("+0") else [*NEED_OTHERS]
        assert list(setting["verifiers"]) == [*need_others, DEFAULT, *usual]
        assert setting["projects"] == setting["people"] == 4
        for verifier, figures in setting["verifiers"].items():
            assert figures["auc"] > 0.98
            assert figures["far"] < (0.2 if verifier in usual else 0.05)
            assert (figures["ece"] is None) == (verifier in usual)
            assert verifier in usual or figures["ece"] < 0.25
        assert setting["verifiers"][DEFAULT]["ece"] < 0.05
        assert ("default_less_own_strangers" in setting) == bool(need_others)
        let_in = setting["of_1000_strangers"]
        assert let_in[USUAL_RULE] == pytest.approx(1000 * setting["verifiers"][USUAL_RULE]["far"], abs=0.01)
    assert report["settings"]["12+120"]["of_1000_strangers"][USUAL_RULE] > 10


@pytest.mark.long
def test_intervals(lfw_dir: Path, networks_dir: Path, embeddings_file: Path) -> None:
    report = run("intervals", str(lfw_dir), "--networks", str(networks_dir), "--people", "1", "--draws", "1",
                 "--strangers", "60", "--embeddings", str(embeddings_file))  # fmt: skip
    assert len(report["settings"]) == 8
    for row in report["settings"].values():
        assert row["far_covered"] >= 0.5
        assert 0 < row["far_width"] < 0.3


@pytest.mark.long
def test_look_alikes(lfw_dir: Path, networks_dir: Path, embeddings_file: Path) -> None:
    report = run("look_alikes", str(lfw_dir), "--networks", str(networks_dir), "--draws", "2", "--draws-of-others", "0",
                 "--embeddings", str(embeddings_file))  # fmt: skip
    default, own = report["sisters"][DEFAULT], report["sisters"][OWN_STRANGERS]
    assert default["with"]["accepted"] < default["without"]["accepted"] / 2
    assert default["with"]["accepted"] < own["with"]["accepted"]
    assert default["with"]["frr"] <= default["without"]["frr"] + 0.02
    accepted = [report["sisters"][f"{DEFAULT}, odds {odds}"]["with"]["accepted"] for odds in (2, 4, 6)]
    assert accepted == sorted(accepted)
    assert accepted[1] == default["with"]["accepted"]


@pytest.mark.long
def test_bias(lfw_dir: Path, networks_dir: Path, embeddings_file: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    people = ["Venus_Williams", "Serena_Williams", "Halle_Berry", "Norah_Jones"]
    groups.write_text("person,group\n" + "".join(f"{name},four\n" for name in people), encoding="utf-8")
    report = run("bias", str(lfw_dir), "--networks", str(networks_dir), "--draws", "1", "--groups", str(groups),
                 "--embeddings", str(embeddings_file))  # fmt: skip
    assert report["people"] == {"four": 4}
    assert 0.3 < report["groups"]["everybody, 3, nobody, default"]["times_target"] < 3
    cautious = report["groups"]["everybody, 3, nobody, like_me"]
    assert cautious["far_all"] < report["groups"]["everybody, 3, nobody, default"]["far_all"]
    assert report["groups"]["four, 12, nobody, default"]["people"] == 4
    assert report["overall"]["times_target"] > 1.5
    assert report["overall"]["predicted_factor"] > 1.5


@pytest.mark.long
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
    found = embed_photos(recognizer, [tmp_path / "both.jpg", tmp_path / "nobody.jpg"], product_face)
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
