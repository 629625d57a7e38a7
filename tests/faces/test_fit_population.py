"""A population fitted to many people says how many of others reach a likeness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faces import fit_population as command
from faces.fit_population import LEAST_PEOPLE, fit_population
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from tests.faces.populations import RECIPE, people


@pytest.mark.slow
def test_estimates_hold_for_people_it_does_not_know() -> None:
    made = people(900, seed=1) + people(100, photos=8, seed=2)
    population = fit_population({f"{number}": own for number, own in enumerate(made)}, RECIPE, "nobody")
    crowd = np.concatenate(people(3000, seed=3))
    for target in (0.03, 0.003):
        reached = []
        for own in people(30, photos=5, seed=4):
            classifier = PopulationClassifier(population).fit(own, np.ones(5))
            reached.append((classifier.likenesses(crowd) >= population.likeness_at(target)).mean())
        assert 0.5 < np.mean(reached) / target < 2


def test_too_few_people() -> None:
    few = {f"{number}": own for number, own in enumerate(people(LEAST_PEOPLE - 1, photos=4))}
    with pytest.raises(ValueError, match=f"expected {LEAST_PEOPLE} people or more; given {LEAST_PEOPLE - 1}"):
        fit_population(few, RECIPE, "nobody")


def test_nobody_with_several_photos() -> None:
    with pytest.raises(ValueError, match="expected several people with 4 photos or more"):
        fit_population({f"{number}": own for number, own in enumerate(people(LEAST_PEOPLE))}, RECIPE, "nobody")


def test_photos_are_told_apart_by_their_folder(tmp_path: Path) -> None:
    for name in ("images/ana/1.jpg", "images/ana/2.PNG", "images/ben/1.webp", "images/ben/notes.txt", "pairs.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = command.photos_by_person(tmp_path)
    assert {name: [path.name for path in own] for name, own in found.items()} == {
        "ana": ["1.jpg", "2.PNG"], "ben": ["1.webp"],
    }  # fmt: skip


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"fit_population: error: .*nobody was given; expected a folder"):
        command.main([str(tmp_path / "nobody")])


def test_too_few_photos_are_told(tmp_path: Path, networks_dir: Path, lfw_dir: Path) -> None:
    (tmp_path / "people" / "blix").mkdir(parents=True)
    photo = sorted((lfw_dir / "images" / "Hans_Blix").glob("*.jpg"))[0]
    (tmp_path / "people" / "blix" / "1.jpg").write_bytes(photo.read_bytes())
    (tmp_path / "people" / "blix" / "2.jpg").write_bytes(b"damaged")
    with pytest.raises(SystemExit, match="expected 400 people or more; given 1"):
        command.main([str(tmp_path / "people"), "--networks", str(networks_dir), "--to", str(tmp_path / "p.npz")])
    assert not (tmp_path / "p.npz").exists()


@pytest.mark.long
def test_the_command(tmp_path: Path, networks_dir: Path, lfw_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = sorted((lfw_dir / "images").iterdir())
    several = [folder for folder in folders if len(list(folder.glob("*.jpg"))) >= 15][:20]
    for folder in [*several, *(each for each in folders if each not in several)][:420]:
        (tmp_path / "people" / folder.name).mkdir(parents=True)
        for photo in sorted(folder.glob("*.jpg"))[:6]:
            (tmp_path / "people" / folder.name / photo.name).symlink_to(photo)
    target = tmp_path / "new" / "population.npz"
    command.main([str(tmp_path / "people"), "--networks", str(networks_dir), "--source", "LFW", "--to", str(target)])
    assert "faces of 4" in capsys.readouterr().out
    population = Population.read(target)
    assert (population.source, population.recipe["backbone"]) == ("LFW", "dlib-resnet")
    assert 5 < population.likeness_at(1e-3) < 15
