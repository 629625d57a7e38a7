"""Is the estimated FAR true? Targets beside what was measured, of people that the population was not fitted to.

    python -m bench.population LFW [--draws 3] [--networks FOLDER] [--embeddings FILE] [--quick]

LFW's people are halved, and a population is fitted to each half. The people of the other half with photos enough are
then enrolled against it, with some photos of theirs and perhaps of strangers; everybody else of that half, a photo
each, is a stranger to them. For each target, the population gives a likeness that as many strangers should reach: the
share that does is counted over all enrolments ("pooled"), and for each person. The population that the project ships is
fitted to both halves, so it is not judged here. At last, it is guessed who was among the people that were fitted.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from bench.support.embeddings import Faces, add_arguments, load_faces
from bench.support.populations import Half, judged_halves
from bench.support.projects import EVERYBODY, draw_projects
from faces.fit_population import fit_mixture
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from faces.scoring import unit_length
from stages.progress import progress
from stages.report.machine import describe_machine

SETTINGS = ((12, 120), (12, 0), (5, 20), (5, 0), (3, 5), (3, 0))
TARGETS = (1e-2, 1e-3, 5e-4, 1e-4)
TWICE = 2.0


@dataclass
class Measured:
    """By target: strangers who reached the likeness, and all, for each person who was enrolled."""

    reached: dict[float, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, person: str, likenesses: NDArray[np.float64], population: Population) -> None:
        """Count strangers of one enrolment, float64 [N]."""
        self.asked[person] += len(likenesses)
        for target in TARGETS:
            self.reached[target][person] += int((likenesses >= population.likeness_at(target)).sum())

    def figures(self, target: float) -> dict[str, float]:
        """The pooled FAR, by how much it misses the target, the worst person's, and how many have at most twice."""
        shares = np.array([self.reached[target][person] / asked for person, asked in self.asked.items()])
        pooled = sum(self.reached[target].values()) / sum(self.asked.values())
        return {
            "far": pooled,
            "ratio": pooled / target,
            "worst_person": float(shares.max()),
            "within_twice": float((shares <= TWICE * target).mean()),
        }


def judge(faces: Faces, half: Half, draws: int, seed: int) -> dict[tuple[int, int], Measured]:
    """Enrol people of one half, and ask about everybody else in it."""
    found = {}
    for enrolled, others in SETTINGS:
        measured = found[enrolled, others] = Measured()
        projects = half.place(draw_projects(half.names, enrolled, others, EVERYBODY, draws, None, seed))
        for project in progress(projects, len(projects), f"{enrolled} + {others} photos", "project"):
            data = project.dataset(faces.embeddings, faces.names)
            classifier = PopulationClassifier(half.population).fit(data.embeddings, data.labels, data.groups)
            likenesses = classifier.likenesses(faces.embeddings[project.strangers])
            measured.add(str(faces.names[project.me[0]]), likenesses, half.population)
    return found


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--draws", type=int, default=3, help="enrolments of each person")
    parser.add_argument("--quick", action="store_true", help="one enrolment of each person, one half")
    args = parser.parse_args()
    faces = load_faces(args)
    total: dict[tuple[int, int], Measured] = {}
    for half in judged_halves(faces, args.seed)[: 1 if args.quick else 2]:
        for setting, measured in judge(faces, half, 1 if args.quick else args.draws, args.seed).items():
            into = total.setdefault(setting, Measured())
            into.asked |= measured.asked
            for target, reached in measured.reached.items():
                into.reached[target] |= reached
    print_table(total, faces.backbone, membership(faces, args.seed))


def membership(faces: Faces, seed: int) -> dict[str, float]:
    """How well it is guessed whether somebody was among the people that a mixture was fitted to.

    It is guessed from how densely people lie there: of the photos that were fitted and those of other people ("photo"),
    and of further photos of the same people and of others ("person").

    Returns:
        AUC of both guesses, the mean over both halves; 0.5 is chance.
    """
    random = np.random.default_rng(seed)
    unit = unit_length(faces.embeddings.astype(np.float64))
    rows = [random.permutation(np.flatnonzero(faces.names == name)) for name in np.unique(faces.names)]
    inside = random.permutation(len(rows)) % 2 == 0
    found: dict[str, list[float]] = {"photo": [], "person": []}
    for fitted in (inside, ~inside):
        mixture = fit_mixture(unit[[own[0] for own, known in zip(rows, fitted, strict=True) if known]], seed)
        for place, name in enumerate(found):
            asked = [(own[place], known) for own, known in zip(rows, fitted, strict=True) if len(own) > place]
            photos, known = map(list, zip(*asked, strict=True))
            found[name].append(float(roc_auc_score(known, mixture.log_density(unit[photos]))))
    return {name: float(np.mean(values)) for name, values in found.items()}


def print_table(total: dict[tuple[int, int], Measured], backbone: str, guessed: dict[str, float]) -> None:
    """A row for each setting and target, what can be guessed of those who were fitted, and the JSON line."""
    print(f"Estimated FAR (target) and what was measured, {backbone}; the population knows none of these people\n")
    head = ("people", "target", "measured", "ratio", "worst person", "within twice")
    print(f"{'photos of me + others':23}" + "".join(f"{name:>14}" for name in head))
    rows: dict[str, Any] = {}
    for (enrolled, others), measured in total.items():
        for target in TARGETS:
            row = measured.figures(target)
            rows.setdefault(f"{enrolled}+{others}", {})[f"{target:g}"] = {
                name: round(value, 6) for name, value in row.items()
            }
            print(
                f"{f'{enrolled} + {others}':23}{len(measured.asked):14}{target:14.2%}{row['far']:14.3%}"
                f"{row['ratio']:14.2f}{row['worst_person']:14.2%}{row['within_twice']:14.0%}"
            )
    print(
        "\nWas somebody among the people that were fitted? Guessed from the fitted photo: AUC {photo:.2f}; from "
        "another photo: {person:.2f}".format(**guessed)
    )
    report = {"bench": "population", "backbone": backbone, "machine": describe_machine(), "settings": rows}
    print(json.dumps({**report, "membership_auc": {name: round(value, 4) for name, value in guessed.items()}}))


if __name__ == "__main__":
    main()
