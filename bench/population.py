"""Is the estimated FAR true? Targets beside what was measured, of people that the population was not fitted to.

    python -m bench.population LFW [--draws 3] [--networks FOLDER] [--embeddings FILE] [--quick]

LFW's people are halved, and a population is fitted to each half. The people of the other half with photos enough are
then enrolled against it, with some photos of theirs and perhaps of strangers; everybody else of that half, a photo
each, is a stranger to them. For each target, the population gives a likeness that as many strangers should reach: the
share that does is counted over all enrolments ("pooled"), and for each person. The population that the project ships is
fitted to both halves, so it is not judged here.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.accuracy import draw_projects
from bench.support.embeddings import embed_all_cached
from bench.support.lfw import people
from faces.fit_population import fit_population
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from stages.progress import progress
from stages.report.machine import describe_machine

SETTINGS = ((12, 120), (12, 0), (5, 20), (5, 0), (3, 5), (3, 0))
TARGETS = (1e-2, 1e-3, 5e-4, 1e-4)
EVERYBODY = 10_000  # more people than LFW has
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


def judge(
    embeddings: NDArray[np.float32], names: NDArray[np.str_], fitted: NDArray[np.bool_], draws: int, seed: int
) -> dict[tuple[int, int], Measured]:
    """Fit to some people, and measure with the others.

    Args:
        embeddings: float32 [N, D].
        names: [N], who is on each.
        fitted: bool [N], the people that the population is fitted to.
        draws: enrolments of each person.
        seed: of every choice.
    """
    by_person = {str(name): embeddings[fitted & (names == name)] for name in np.unique(names[fitted])}
    made_so = {"backbone": "", "embedding_size": 0, "weights": {"embedder": ""}, "flip": True}
    population = fit_population(by_person, made_so, "one half", seed)
    rest, found = np.flatnonzero(~fitted), {}
    for enrolled, others in SETTINGS:
        measured = found[enrolled, others] = Measured()
        projects = draw_projects(names[rest], enrolled, others, EVERYBODY, draws, None, seed)
        for project in progress(projects, len(projects), f"{enrolled} + {others} photos", "project"):
            rows = rest[np.concatenate([project.me, project.others])]
            classifier = PopulationClassifier(population)
            classifier.fit(embeddings[rows], (np.arange(len(rows)) < enrolled).astype(int))
            likenesses = classifier.likenesses(embeddings[rest[project.strangers]])
            measured.add(str(names[rest[project.me[0]]]), likenesses, population)
    return found


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("lfw", type=Path, help="folder with images/<person>/*.jpg")
    parser.add_argument("--networks", type=Path, default=Path("models/networks"))
    parser.add_argument("--draws", type=int, default=3, help="enrolments of each person")
    parser.add_argument("--seed", type=int, default=0, help="of the halves, and of photos")
    parser.add_argument("--embeddings", type=Path, default=None, help="keep embeddings in this .npz file")
    parser.add_argument("--quick", action="store_true", help="one enrolment of each person, one half")
    args = parser.parse_args()
    photos = [photo for own in people(args.lfw).values() for photo in own]
    recognizer = Recognizer(Networks.load(args.networks))
    recognizer.open()
    found = embed_all_cached(recognizer, photos, args.embeddings)
    names, embeddings = np.array([photo.parent.name for photo in found]), np.stack(list(found.values()))
    halves = np.isin(names, np.random.default_rng(args.seed).permutation(np.unique(names))[::2])
    total: dict[tuple[int, int], Measured] = {}
    for fitted in (halves,) if args.quick else (halves, ~halves):
        for setting, measured in judge(embeddings, names, fitted, 1 if args.quick else args.draws, args.seed).items():
            into = total.setdefault(setting, Measured())
            into.asked |= measured.asked
            for target, reached in measured.reached.items():
                into.reached[target] |= reached
    print_table(total, recognizer.networks.backbone_name)


def print_table(total: dict[tuple[int, int], Measured], backbone: str) -> None:
    """A row for each setting and target, and the JSON line."""
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
    print(json.dumps({"bench": "population", "backbone": backbone, "machine": describe_machine(), "settings": rows}))


if __name__ == "__main__":
    main()
