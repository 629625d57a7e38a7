"""How often does each verifier let a stranger in, or turn its own person away? Open set, over many people.

    python -m bench.accuracy LFW [--draws 1] [--strangers 1000] [--people N] [--without PHOTO …] [--embeddings FILE]

For each person with enough photos: some in as "me", photos of others in as "not_me" (a photo a person); then every
further photo of the person and a photo each of people who are in neither class are scored. So are all verifiers, on the
same photos. TAR (the share of "me" accepted) is given at the thresholds, one for all people ("pooled") or one for each
person, that let a given share of strangers in. ECE is the expected calibration error where me and strangers are equally
frequent. `--without` leaves photos out that are labelled wrongly: the ones that no verifier accepts are listed.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from bench.support.embeddings import embed_all_cached
from bench.support.lfw import people
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from stages.estimation.fit import fit
from stages.estimation.rates import calibration_error
from stages.files.dataset import Dataset
from stages.params import TrainParams, load_params
from stages.progress import progress

Scores = NDArray[np.float64]
Scorer = Callable[[NDArray[np.float32]], Scores]
SETTINGS = ((12, 120), (5, 120), (30, 120), (12, 20))
THRESHOLD = 0.75
_LEAST_ASKED = 3


@dataclass
class Project:
    """One person enrolled: row numbers of photos in and photos asked about."""

    me: NDArray[np.int64]
    others: NDArray[np.int64]
    asked: NDArray[np.int64]
    strangers: NDArray[np.int64]

    def rows(self) -> NDArray[np.int64]:
        """All of them."""
        return np.concatenate([self.me, self.others, self.asked, self.strangers])

    def only(self, known: NDArray[np.bool_]) -> Project:
        """Without the photos on which no face was found; `known` is bool [N]."""
        return Project(*(part[known[part]] for part in (self.me, self.others, self.asked, self.strangers)))


@dataclass
class Results:
    """Scores of a verifier, an array for each project."""

    me: list[Scores] = field(default_factory=list)
    strangers: list[Scores] = field(default_factory=list)


def draw_projects(
    names: NDArray[np.str_], enrolled: int, others: int, strangers: int, draws: int, limit: int | None, seed: int
) -> list[Project]:
    """Projects for every person with photos enough, `draws` times with other photos.

    Args:
        names: [N], who is on each row.
        enrolled: photos of the person that go in.
        others: people that go in, a photo each.
        strangers: people asked about, a photo each.
        draws: projects for each person.
        limit: of people; None takes all.
        seed: of the choice.
    """
    generator = np.random.default_rng(seed)
    rows = {name: np.flatnonzero(names == name) for name in np.unique(names)}
    able = [name for name, own in rows.items() if len(own) >= enrolled + _LEAST_ASKED][:limit]
    projects = []
    for name in able * draws:
        own = generator.permutation(rows[name])
        rest = generator.permutation([other for other in rows if other != name])
        photos = np.array([generator.choice(rows[other]) for other in rest[: others + strangers]])
        projects.append(Project(own[:enrolled], photos[:others], own[enrolled:], photos[others:]))
    return projects


def embed_drawn(
    recognizer: Recognizer, photos: list[Path], drawn: Iterable[list[Project]], cache: Path | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Embed the photos that projects use.

    Returns:
        float32 [N, D], a row for each of `photos`, and bool [N], whether it was used and a face found on it.
    """
    used = np.unique(np.concatenate([project.rows() for projects in drawn for project in projects]))
    found = embed_all_cached(recognizer, [photos[row] for row in used], cache)
    embeddings = np.zeros((len(photos), recognizer.networks.embedding_size), np.float32)
    known = np.zeros(len(photos), bool)
    for row in used:
        if photos[row] in found:
            embeddings[row], known[row] = found[photos[row]], True
    return embeddings, known


def plain_cosine(data: Dataset) -> Scorer:
    """Cosine to the mean of "me" (of the others of "me" for an enrolled photo) and a regression of one variable."""
    unit = data.embeddings / np.linalg.norm(data.embeddings, axis=1, keepdims=True)
    enrolled = unit[data.labels == 1]
    rest = enrolled.sum(axis=0) - enrolled
    own = (enrolled * rest).sum(axis=1) / np.linalg.norm(rest, axis=1)
    template = enrolled.sum(axis=0) / np.linalg.norm(enrolled.sum(axis=0))
    cosines = np.concatenate([own, unit[data.labels == 0] @ template])
    labels = np.arange(len(cosines)) < len(own)
    mean, deviation = cosines.mean(), cosines.std()
    model = LogisticRegression(class_weight="balanced").fit(((cosines - mean) / deviation)[:, None], labels)

    def score(embeddings: NDArray[np.float32]) -> Scores:
        cosine = embeddings @ template / np.linalg.norm(embeddings, axis=1)
        probabilities: Scores = model.predict_proba(((cosine - mean) / deviation)[:, None])[:, 1]
        return probabilities

    return score


def verifiers(params: TrainParams) -> dict[str, Callable[[Dataset], Scorer]]:
    """What is compared: the contract's regression, the plain cosine, and what `train.verifier: cosine` fits."""
    regression = replace(params, verifier="logistic_regression")
    cosine = replace(params, verifier="cosine")
    return {
        "logistic_regression": lambda data: fit(data, regression, None).score,
        "plain cosine": plain_cosine,
        "cosine (default)": lambda data: fit(data, cosine, None).score,
    }


def run(
    embeddings: NDArray[np.float32], projects: list[Project], makers: dict[str, Callable[[Dataset], Scorer]]
) -> dict[str, Results]:
    """Fit and ask every verifier in every project."""
    results = {name: Results() for name in makers}
    for project in progress(projects, len(projects), "people", "project"):
        inside = np.concatenate([project.me, project.others])
        labels = (np.arange(len(inside)) < len(project.me)).astype(np.int64)
        data = Dataset(embeddings[inside], labels, np.arange(len(inside)))
        for name, make in makers.items():
            score = make(data)
            results[name].me.append(score(embeddings[project.asked]))
            results[name].strangers.append(score(embeddings[project.strangers]))
    return results


def acceptance(me: Scores, strangers: Scores, far: float) -> float:
    """Share of "me" accepted where the share `far` of strangers is let in, or fewer."""
    refused_first = np.sort(strangers)[::-1][int(far * len(strangers) + 1e-9)]
    return float((me > refused_first).mean())


def figures(results: Results) -> dict[str, float]:
    """The table's columns for one verifier; rates as shares."""
    me, strangers = np.concatenate(results.me), np.concatenate(results.strangers)
    labels = np.repeat([1, 0], [len(me), len(strangers)])
    scores = np.concatenate([me, strangers])
    by_person = [float((own >= THRESHOLD).mean()) for own in results.strangers]
    pairs = list(zip(results.me, results.strangers, strict=True))
    return {
        "frr": float((me < THRESHOLD).mean()),
        "far": float((strangers >= THRESHOLD).mean()),
        "far_worst_person": max(by_person),
        "tar_1e-2": acceptance(me, strangers, 1e-2),
        "tar_1e-3": acceptance(me, strangers, 1e-3),
        "tar_1e-4": acceptance(me, strangers, 1e-4),
        "tar_1e-2_by_person": float(np.mean([acceptance(*pair, 1e-2) for pair in pairs])),
        "tar_1e-3_by_person": float(np.mean([acceptance(*pair, 1e-3) for pair in pairs])),
        "auc": float(roc_auc_score(labels, scores)),
        "ece": calibration_error(labels, scores),
    }


@dataclass
class Rejections:
    """How often each photo of "me" was asked about, and rejected, over all verifiers and settings."""

    asked: Counter[int] = field(default_factory=Counter)
    rejected: Counter[int] = field(default_factory=Counter)

    def count(self, projects: list[Project], results: dict[str, Results]) -> None:
        """Add a setting's."""
        for number, project in enumerate(projects):
            for result in results.values():
                self.asked.update(project.asked.tolist())
                self.rejected.update(project.asked[result.me[number] < THRESHOLD].tolist())

    def always(self) -> list[int]:
        """Row numbers of the photos that were rejected whenever they were asked about, the oftenest asked first."""
        rows = [row for row, times in self.rejected.items() if times == self.asked[row]]
        return sorted(rows, key=lambda row: (-self.asked[row], row))


def print_table(enrolled: int, others: int, projects: list[Project], rows: dict[str, dict[str, float]]) -> None:
    """One setting's table, in per cent."""
    asked = sum(len(project.asked) for project in projects)
    strangers = sum(len(project.strangers) for project in projects)
    print(f"\n{enrolled} photos of me and {others} of others in: {len(projects)} projects, {asked} photos of me and")
    print(f"{strangers} of strangers asked about. All but AUC and ECE in per cent; FRR and FAR at {THRESHOLD}.")
    head = ("FRR", "FAR", "worst", "TAR 1e-2", "TAR 1e-3", "TAR 1e-4", "each 1e-2", "each 1e-3", "AUC", "ECE")
    print(f"{'':20}" + "".join(f"{name:>10}" for name in head))
    for name, row in rows.items():
        values = [f"{value:10.5f}" if key in ("auc", "ece") else f"{100 * value:10.3f}" for key, value in row.items()]
        print(f"{name:20}" + "".join(values))


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lfw", type=Path, help="folder with images/<person>/*.jpg")
    parser.add_argument("--networks", type=Path, default=Path("models/networks"))
    parser.add_argument("--people", type=int, default=None, help="enrol the first N people only (a quick look)")
    parser.add_argument("--strangers", type=int, default=1000, help="people asked about in each project")
    parser.add_argument("--draws", type=int, default=1, help="projects for each person")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without", nargs="*", default=[], metavar="PHOTO", help="names of photos to leave out")
    parser.add_argument("--embeddings", type=Path, default=None, help="keep embeddings in this .npz file")
    args = parser.parse_args()

    photos = [photo for own in people(args.lfw).values() for photo in own if photo.name not in args.without]
    names = np.array([photo.parent.name for photo in photos])
    drawn = {
        setting: draw_projects(names, *setting, args.strangers, args.draws, args.people, args.seed)
        for setting in SETTINGS
    }
    recognizer = Recognizer(Networks.load(args.networks))
    recognizer.open()
    embeddings, known = embed_drawn(recognizer, photos, drawn.values(), args.embeddings)
    makers = verifiers(load_params().train)
    report: dict[str, Any] = {"bench": "accuracy", "backbone": recognizer.networks.backbone_name}
    report |= {"strangers": args.strangers, "draws": args.draws, "without": args.without, "settings": {}}
    rejections = Rejections()
    for (enrolled, others), all_projects in drawn.items():
        projects = [project.only(known) for project in all_projects]
        if not projects:
            print(f"\nnobody has {enrolled + _LEAST_ASKED} photos: {enrolled} photos in are passed over")
            continue
        results = run(embeddings, projects, makers)
        rows = {name: figures(result) for name, result in results.items()}
        rejections.count(projects, results)
        print_table(enrolled, others, projects, rows)
        report["settings"][f"{enrolled}+{others}"] = {
            "projects": len(projects),
            "verifiers": {name: {key: round(value, 6) for key, value in row.items()} for name, row in rows.items()},
        }
    listed = [f"{photos[row].name} ({rejections.asked[row]})" for row in rejections.always()]
    print(f"\nRejected by every verifier whenever asked about, and how often that was: {', '.join(listed) or 'none'}\n")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
