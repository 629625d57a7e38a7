"""What the accuracy benches share: halves of people, projects, verifiers, differences by chance, groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.bias import Outcome, by_kind, far_among
from bench.look_alikes import ENROLLED, OTHERS, TOLD, look_alike_odds, sister_projects
from bench.support.embeddings import Faces
from bench.support.groups import EAST_ASIAN, WOMEN, groups_by_name, read_groups
from bench.support.populations import halve_people, judged_halves
from bench.support.projects import Project, draw_projects
from bench.support.rates import Results, _Resampled, acceptance, figures, tar_difference
from bench.support.verifiers import usual_rule
from faces import scoring
from stages.files.dataset import Dataset
from tests.faces.populations import RECIPE, people


@pytest.fixture(scope="module")
def faces() -> Faces:
    """1,000 people that do not exist, a photo of each, and 60 with 20."""
    made = people(1000, seed=1) + people(60, photos=20, seed=2)
    names = np.repeat([f"p{number:04}" for number in range(len(made))], [len(own) for own in made])
    photos = [Path(f"{name}_{number}.jpg") for number, name in enumerate(names)]
    return Faces(photos, names, np.concatenate(made).astype(np.float32), "made up", RECIPE)


@pytest.mark.slow
def test_nobody_is_judged_by_a_population_that_knows_them(faces: Faces) -> None:
    first = halve_people(faces.names, 0)
    assert not set(faces.names[first]) & set(faces.names[~first])
    halves = judged_halves(faces, 0)
    assert sorted(np.concatenate([half.rows for half in halves])) == list(range(len(faces.names)))
    for half in halves:
        assert half.names.tolist() == faces.names[half.rows].tolist()
        assert half.population.people == 1060 - len(set(half.names)) == 530
        drawn = draw_projects(half.names, 12, 20, 50, 1, 3, 0)
        for project, placed in zip(drawn, half.place(drawn), strict=True):
            assert half.names[project.me].tolist() == faces.names[placed.me].tolist()
            assert half.names[project.strangers].tolist() == faces.names[placed.strangers].tolist()


def test_other_halves_with_another_seed(faces: Faces) -> None:
    assert (halve_people(faces.names, 0) != halve_people(faces.names, 1)).any()
    assert (halve_people(faces.names, 1) == halve_people(faces.names, 1)).all()


def test_photos_of_another_person_are_one_group() -> None:
    names = np.array(["me"] * 3 + ["ana"] * 2 + ["ben"])
    data = Project(np.arange(3), np.arange(3, 6), np.arange(0), np.arange(0)).dataset(
        np.eye(6, dtype=np.float32), names
    )
    assert data.labels.tolist() == [1, 1, 1, 0, 0, 0]
    assert len(set(data.groups[:3])) == 3
    assert data.groups[3] == data.groups[4] != data.groups[5]
    assert not set(data.groups[:3]) & set(data.groups[3:])


def test_who_is_enrolled_and_who_comes_first_among_others() -> None:
    names = np.array([f"p{number}" for number in range(40) for _ in range(4)])
    wanted = {f"p{number}" for number in range(10)}
    projects = draw_projects(names, 3, 8, 100, 2, None, 0, of={"p1", "p20"}, others_from=wanted, least_asked=1)
    assert [names[project.me[0]] for project in projects] == ["p1", "p20"] * 2
    assert all(set(names[project.others]) <= wanted for project in projects)
    assert all(len(project.others) == 8 and len(project.strangers) == 31 for project in projects)
    assert not draw_projects(names, 3, 8, 100, 2, None, 0), "three photos must be left to ask about"


def test_the_usual_rule_by_hand() -> None:
    enrolled = np.array([[0.0, 0.0], [10.0, 0.0]], np.float32)
    other = np.array([[0.5, 0.0]], np.float32)
    score = usual_rule(Dataset(np.concatenate([enrolled, other]), np.array([1, 1, 0]), np.arange(3)), 0.5)
    probes = np.array([[0.5, 0.0], [10.0, 0.5], [0.0, 0.51], [0.0, 0.0], [5.0, 0.0]], np.float32)
    assert (score(probes) >= 0.75).tolist() == [True, True, False, True, False]
    assert score(probes)[3:].tolist() == [1.0, 0.0]


def results(me: list[list[float]], strangers: list[list[float]]) -> Results:
    return Results([np.array(one) for one in me], [np.array(one) for one in strangers])


def test_the_worst_person_is_that_over_all_draws() -> None:
    """Of two draws of Ana one lets all in; Ben is let in by half in both."""
    found = figures(results([[0.9, 0.1]] * 4, [[0.8, 0.8], [0.1, 0.7], [0.0, 0.0], [0.1, 0.7]]), list("abab"), True)
    assert found["far_worst_project"] == 1.0
    assert found["far_worst_person"] == 0.5
    assert found["far"] == 0.25
    assert found["frr"] == 0.5
    assert figures(results([[0.9]], [[0.8]]), ["a"], False)["ece"] is None


def test_acceptance_where_people_are_there_several_times() -> None:
    random = np.random.default_rng(0)
    one = results([random.random(5).tolist() for _ in range(4)], [random.random(30).tolist() for _ in range(4)])
    asked = [random.permutation(40)[:30] for _ in range(4)]
    resampled = _Resampled(one, [0, 1, 0, 2], asked)
    me, strangers = np.concatenate(one.me), np.concatenate(one.strangers)
    for far in (0.3, 0.1, 0.01):
        assert resampled.acceptance(far, np.ones(40, np.int64)) == pytest.approx(acceptance(me, strangers, far))
    times = random.integers(0, 3, 40)
    times[1] = 2
    weights = np.repeat(times[[0, 1, 0, 2]], 30) * times[np.concatenate(asked)]
    expected = acceptance(np.repeat(me, np.repeat(times[[0, 1, 0, 2]], 5)), np.repeat(strangers, weights), 0.1)
    assert resampled.acceptance(0.1, times) == pytest.approx(expected)


def test_what_chance_does_to_a_difference() -> None:
    random = np.random.default_rng(1)
    names = np.array([f"p{number}" for number in range(200)])
    projects = [
        Project(np.array([n]), np.arange(0), np.full(6, n), random.permutation(np.arange(20, 200))[:150])
        for n in range(20)
    ]
    strangers = [random.normal(0, 1, 150) for _ in projects]
    me = [random.normal(3, 1, 6) for _ in projects]
    same, better = Results(me, strangers), Results([own + 2 for own in me], strangers)
    for one in tar_difference(same, same, projects, names, 50, 0).values():
        assert one == {"difference": 0.0, "low": 0.0, "high": 0.0}
    found = tar_difference(better, same, projects, names, 100, 0)
    assert set(found) == {"tar_1e-3", "tar_1e-4"}
    for one in found.values():
        assert 0 < one["low"] < one["difference"] < one["high"]
    assert tar_difference(same, better, projects, names, 50, 0)["tar_1e-3"]["high"] < 0


def test_groups_by_names() -> None:
    names = [
        "Junichiro_Koizumi",
        "Roh_Moo-hyun",
        "Kim_Clijsters",
        "Yoko_Ono",
        "Tony_Blair",
        "Andrea_Bocelli",
        "Madonna",
    ]
    found = groups_by_name(names)
    assert found[EAST_ASIAN] == {"Junichiro_Koizumi", "Roh_Moo-hyun", "Yoko_Ono"}
    assert found[WOMEN] == {"Kim_Clijsters", "Yoko_Ono", "Madonna"}


def test_groups_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("person,group\nana,a\nben,a\nana,b\n", encoding="utf-8")
    assert read_groups(tmp_path / "groups.csv") == {"a": {"ana", "ben"}, "b": {"ana"}}
    (tmp_path / "wrong.csv").write_text("name,group\nana,a\n", encoding="utf-8")
    for name in ("wrong.csv", "missing.csv"):
        with pytest.raises(SystemExit, match="expected a CSV file with the columns person,group"):
            read_groups(tmp_path / name)


def test_far_of_a_group_and_of_a_kind_by_hand() -> None:
    accepted, strangers = np.array([True, False, True, False]), np.array(["ana", "ben", "eve", "tom"])
    one = Outcome("me", np.array([False, True]), accepted, strangers, 3.0, 1, np.array([1, 1, 0, 1]))
    other = Outcome("you", np.array([False]), ~accepted, strangers, 5.0, 0, np.array([0, 0, 0, 0]))
    assert far_among([one], frozenset(["ana", "ben"])) == 0.5
    assert far_among([one, other], frozenset(["ana"])) == 0.5
    assert far_among([one], frozenset(["ana"])) == 1.0
    assert far_among([one], None) == 0.5
    rows = by_kind([one, other], [one, other], {"women": frozenset(["ana", "eve"])}, 0.1)
    assert [row["people"] for row in rows] == [4, 3]
    assert [row["far_kind"] for row in rows] == pytest.approx([0.5, 1 / 3])
    assert [row["times_target"] for row in rows] == pytest.approx([5, 10 / 3])
    assert [row["measured_factor"] for row in rows] == pytest.approx([1.0, 2 / 3])
    assert [row["predicted_factor"] for row in rows] == [5.0, 3.0]
    assert [row["groups"]["women"] for row in rows] == pytest.approx([0.5, 1 / 3])
    assert [row["cautious_frr"] for row in rows] == [0.0, 0.5]


def test_both_are_enrolled_with_the_same_others(faces: Faces) -> None:
    pair = ("p1000", "p1001")
    others = np.flatnonzero(~np.isin(faces.names, pair))
    projects = sister_projects(faces, pair, others, 3, 0)
    assert [faces.names[without.me[0]] for without, _ in projects] == ["p1000"] * 3 + ["p1001"] * 3
    for without, with_her in projects:
        me = faces.names[without.me[0]]
        assert set(faces.names[without.me]) == set(faces.names[without.asked]) == {me}
        assert len(without.me) == ENROLLED and len(without.others) == OTHERS
        assert with_her.others[:OTHERS].tolist() == without.others.tolist()
        assert len(with_her.others) == OTHERS + TOLD
        assert not set(with_her.others) & set(with_her.strangers)
        assert set(faces.names[with_her.others[OTHERS:]]) == set(faces.names[with_her.strangers]) == {*pair} - {me}
    with pytest.raises(SystemExit, match="p0000 has 1 photos with a face; expected 9 or more"):
        sister_projects(faces, ("p0000", "p1000"), others, 1, 0)


def test_another_value_is_taken_back() -> None:
    usual = scoring.LOOK_ALIKE_ODDS
    with pytest.raises(ZeroDivisionError), look_alike_odds(usual + 1):
        assert usual + 1 == scoring.LOOK_ALIKE_ODDS
        raise ZeroDivisionError
    assert usual == scoring.LOOK_ALIKE_ODDS
