"""Does a verifier use what it is told of a look-alike? Two sisters, each enrolled against the other.

    python -m bench.look_alikes LFW [--pair NAME NAME] [--draws 10] [--networks FOLDER] [--embeddings FILE]

1. Each of the two is enrolled with some photos and with photos of other people, a photo each, once with photos of the
   sister in not_me and once without, on the same other photos. How many of the sister's other photos are accepted, and
   how many further photos of the person are not? The population is fitted to people among whom neither sister is, nor
   anybody whose photo goes into not_me.
2. The same with other values of `LOOK_ALIKE_ODDS` (faces/scoring.py), and what they cost everybody else: both halves of
   LFW's people are enrolled as `bench.accuracy` does it. "resembled" counts the projects in which somebody of not_me
   resembles the person, by the verifier itself.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.support.embeddings import Faces, add_arguments, load_faces
from bench.support.populations import Half, fit_to, halve_people, judged_halves
from bench.support.projects import Project, draw_projects
from bench.support.verifiers import DEFAULT, OWN_STRANGERS, REGRESSION, verifiers
from faces import scoring
from faces.operating_point import DEFAULT_THRESHOLD
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from stages.params import TrainParams, load_params
from stages.progress import progress

PAIR = ("Serena_Williams", "Venus_Williams")
ENROLLED, OTHERS, TOLD = 8, 20, 8
SETTINGS = ((12, 120), (5, 20))
ODDS = (2.0, 4.0, 6.0)

Scores = NDArray[np.float64]
Fit = Callable[[Project], Callable[[NDArray[np.float32]], Scores]]


@contextmanager
def look_alike_odds(value: float) -> Iterator[None]:
    """Another value of `LOOK_ALIKE_ODDS`, until the block ends."""
    usual = scoring.LOOK_ALIKE_ODDS
    scoring.LOOK_ALIKE_ODDS = value
    try:
        yield
    finally:
        scoring.LOOK_ALIKE_ODDS = usual


def sister_projects(
    faces: Faces, pair: tuple[str, str], others: NDArray[np.int64], draws: int, seed: int
) -> list[tuple[Project, Project]]:
    """Projects of each of two people, without the other in not_me and with her; as strangers, her other photos.

    Args:
        faces: of everybody.
        pair: who they are.
        others: int64 [n], the faces of people who may be in not_me.
        draws: projects for each of them.
        seed: of the choice.

    Raises:
        SystemExit: one of them has too few photos.
    """
    generator, projects = np.random.default_rng(seed), []
    rows = {name: np.flatnonzero(faces.names == name) for name in pair}
    needed = max(ENROLLED, TOLD) + 1
    for name, own in rows.items():
        if len(own) < needed:
            raise SystemExit(f"{name} has {len(own)} photos with a face; expected {needed} or more")
    by_person = {name: others[faces.names[others] == name] for name in np.unique(faces.names[others])}
    for me, sister in (pair, pair[::-1]):
        for _ in range(draws):
            mine, hers = generator.permutation(rows[me]), generator.permutation(rows[sister])
            people = generator.permutation(list(by_person))[:OTHERS]
            rest = np.array([generator.choice(by_person[person]) for person in people])
            told = np.concatenate([rest, hers[:TOLD]])
            without, with_her = (
                Project(mine[:ENROLLED], not_me, mine[ENROLLED:], hers[TOLD:]) for not_me in (rest, told)
            )
            projects.append((without, with_her))
    return projects


def ask(faces: Faces, projects: list[Project], fit: Fit) -> dict[str, float]:
    """Over all projects: the share of strangers accepted, and of photos of me rejected."""
    me, strangers = [], []
    for project in projects:
        with threadpool_limits(1):
            score = fit(project)
            me.append(score(faces.embeddings[project.asked]))
            strangers.append(score(faces.embeddings[project.strangers]))
    return {
        "accepted": float((np.concatenate(strangers) >= DEFAULT_THRESHOLD).mean()),
        "frr": float((np.concatenate(me) < DEFAULT_THRESHOLD).mean()),
    }


def compare(
    faces: Faces, pairs: list[tuple[Project, Project]], population: Population, params: TrainParams
) -> dict[str, dict[str, dict[str, float]]]:
    """Part 1, and the sisters of part 2: by verifier, without the sister in not_me and with her."""
    makers = {name: make for name, make in verifiers(params).items() if name in (DEFAULT, OWN_STRANGERS, REGRESSION)}

    def told(name: str) -> dict[str, dict[str, float]]:
        make = makers[name]

        def fit(project: Project) -> Callable[[NDArray[np.float32]], Scores]:
            return make(project.dataset(faces.embeddings, faces.names), population)

        without, with_her = zip(*pairs, strict=True)
        return {"without": ask(faces, list(without), fit), "with": ask(faces, list(with_her), fit)}

    found = {name: told(name) for name in makers}
    for odds in ODDS:
        with look_alike_odds(odds):
            found[f"{DEFAULT}, odds {odds:g}"] = told(DEFAULT)
    return found


def cost(faces: Faces, halves: list[Half], params: TrainParams, draws: int, seed: int) -> dict[str, dict[str, Any]]:
    """The rest of part 2: what each value costs people who have no sister in not_me; by setting and value."""
    found: dict[str, dict[str, Any]] = {}
    for enrolled, others in SETTINGS:
        drawn = [
            (project, half.population)
            for half in halves
            for project in half.place(draw_projects(half.names, enrolled, others, 1000, draws, None, seed))
        ]
        scores: dict[float, list[tuple[Scores, Scores]]] = {odds: [] for odds in ODDS}
        resembled = []
        for project, population in progress(drawn, len(drawn), f"{enrolled} + {others} photos", "project"):
            data = project.dataset(faces.embeddings, faces.names)
            model = PopulationClassifier(population, params.population_far)
            with threadpool_limits(1):
                model.fit(data.embeddings, data.labels, data.groups)
                resembled.append(len(model.look_alikes_) > 0)
                for odds in ODDS:
                    with look_alike_odds(odds):
                        me, strangers = (
                            model.predict_proba(faces.embeddings[rows])[:, 1]
                            for rows in (project.asked, project.strangers)
                        )
                    scores[odds].append((me, strangers))
        found[f"{enrolled}+{others}"] = {
            "projects": len(drawn),
            "resembled": sum(resembled),
            **{f"{odds:g}": _rates(both, np.array(resembled)) for odds, both in scores.items()},
        }
    return found


def _rates(scores: list[tuple[Scores, Scores]], resembled: NDArray[np.bool_]) -> dict[str, float]:
    """FRR of all projects, of those with a look-alike, and of the worst one; FAR of all."""
    rejected = [me < DEFAULT_THRESHOLD for me, _ in scores]
    with_look_alikes = [own for own, known in zip(rejected, resembled, strict=True) if known]
    return {
        "frr": float(np.concatenate(rejected).mean()),
        "frr_resembled": float(np.concatenate(with_look_alikes).mean()) if with_look_alikes else 0.0,
        "frr_worst_project": max(float(own.mean()) for own in rejected),
        "far": float(np.concatenate([strangers >= DEFAULT_THRESHOLD for _, strangers in scores]).mean()),
    }


def print_tables(
    pair: tuple[str, str], sisters: Mapping[str, Mapping[str, Any]], others: Mapping[str, Mapping[str, Any]]
) -> None:
    """Both parts, in per cent."""
    names = " and ".join(name.replace("_", " ") for name in pair)
    print(f"{names}: {ENROLLED} photos of one and {OTHERS} of other people in; in per cent, at {DEFAULT_THRESHOLD}\n")
    print(f"{'':24}{'sister unknown':>26}{f'{TOLD} photos of her in not_me':>30}")
    print(f"{'':24}{'she accepted':>16}{'FRR':>10}{'she accepted':>20}{'FRR':>10}")
    for name, row in sisters.items():
        a, b = row["without"], row["with"]
        values = f"{100 * a['accepted']:16.1f}{100 * a['frr']:10.2f}{100 * b['accepted']:20.1f}{100 * b['frr']:10.2f}"
        print(f"{name:24}{values}")
    print("\nEverybody else, by LOOK_ALIKE_ODDS")
    print(f"{'':24}{'odds':>6}{'FRR':>10}{'resembled':>12}{'worst':>10}{'FAR':>10}")
    for setting, rows in others.items():
        for odds in ODDS:
            row = rows[f"{odds:g}"]
            about = f"{setting} ({rows['resembled']} of {rows['projects']})"
            rates = f"{100 * row['frr']:10.3f}{100 * row['frr_resembled']:12.3f}{100 * row['frr_worst_project']:10.1f}"
            print(f"{about:24}{odds:6g}{rates}{100 * row['far']:10.3f}")


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--pair", nargs=2, default=PAIR, metavar="NAME", help="two people who resemble each other")
    parser.add_argument("--draws", type=int, default=10, help="projects for each of them")
    parser.add_argument("--draws-of-others", type=int, default=2, help="projects for everybody else; 0 leaves them out")
    args = parser.parse_args()
    first, second = args.pair
    faces = load_faces(args)
    params = load_params().train
    known = np.isin(faces.names, (first, second))
    fitted = halve_people(faces.names, args.seed)
    projects = sister_projects(faces, (first, second), np.flatnonzero(~fitted & ~known), args.draws, args.seed)
    sisters = compare(faces, projects, fit_to(faces, fitted & ~known, args.seed), params)
    others: dict[str, dict[str, Any]] = {}
    if args.draws_of_others:
        others = cost(faces, judged_halves(faces, args.seed), params, args.draws_of_others, args.seed)
    print_tables((first, second), sisters, others)
    report = {"bench": "look_alikes", "backbone": faces.backbone, "pair": [first, second], "draws": args.draws}
    print(json.dumps({**report, "sisters": sisters, "others": others}))


if __name__ == "__main__":
    main()
