"""How often does each verifier let a stranger in, or turn its own person away? Open set, over many people.

    python -m bench.accuracy LFW [--draws 1] [--strangers 1000] [--people N] [--without PHOTO …] [--embeddings FILE]

LFW's people are halved, and each half is judged with a population of the other. For each person with enough photos:
some in as "me", photos of others in as "not_me" (a photo a person; perhaps none); then every further photo of the
person and a photo each of people who are in neither class are scored. So are all verifiers, on the same photos: with
no others, those that need none. The usual rule accepts where any enrolled photo is within a Euclidean distance, as
face_recognition does by default (0.6).

TAR (the share of "me" accepted) is given at the thresholds, one for all projects ("pooled") or one for each, that let a
given share of strangers in. "worst" is the FAR of the person whom strangers resemble most, over the draws. ECE is the
expected calibration error where me and strangers are equally frequent. By how much the default's TAR differs from that
of the verifier that knows own strangers alone stands below, with the 95 % interval of a bootstrap over people.
`--without` leaves photos out that are labelled wrongly: the ones that no verifier accepts are listed.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.support.embeddings import Faces, add_arguments, load_faces
from bench.support.populations import Half, judged_halves
from bench.support.projects import LEAST_ASKED, Project, draw_projects
from bench.support.rates import Results, figures, tar_difference
from bench.support.verifiers import (
    DEFAULT,
    NEED_OTHERS,
    NO_PROBABILITY,
    OWN_STRANGERS,
    USUAL_RULE,
    Maker,
    verifiers,
)
from faces.operating_point import DEFAULT_THRESHOLD
from faces.population import Population
from stages.params import load_params
from stages.progress import progress

SETTINGS = ((12, 120), (12, 20), (5, 20), (5, 0), (3, 5), (3, 0))
_RESAMPLINGS = 400

Rows = dict[str, dict[str, float | None]]


def run(
    faces: Faces, projects: list[Project], makers: Mapping[str, Maker], population: Population
) -> dict[str, Results]:
    """Fit and ask every verifier in every project."""
    results = {name: Results() for name in makers}
    for project in progress(projects, len(projects), "people", "project"):
        data = project.dataset(faces.embeddings, faces.names)
        for name, make in makers.items():
            with threadpool_limits(1):  # such small matrices are not worth a second thread
                score = make(data, population)
                results[name].me.append(score(faces.embeddings[project.asked]))
                results[name].strangers.append(score(faces.embeddings[project.strangers]))
    return results


@dataclass
class Setting:
    """The projects of one setting and what every verifier scored in them, over both halves."""

    projects: list[Project] = field(default_factory=list)
    results: dict[str, Results] = field(default_factory=dict)

    def add(self, projects: list[Project], results: Mapping[str, Results]) -> None:
        """Add a half's."""
        self.projects += projects
        for name, result in results.items():
            own = self.results.setdefault(name, Results())
            own.me += result.me
            own.strangers += result.strangers

    def rows(self, names: NDArray[np.str_]) -> Rows:
        """The table: the columns of each verifier."""
        owners = [str(names[project.me[0]]) for project in self.projects]
        return {
            name: figures(result, owners, name not in NO_PROBABILITY) for name, result in self.results.items()
        }  # fmt: skip


def measure(faces: Faces, halves: list[Half], setting: tuple[int, int], args: argparse.Namespace) -> Setting:
    """Ask all verifiers that can be made in one setting."""
    enrolled, others = setting
    known = verifiers(load_params().train)
    makers = {name: make for name, make in known.items() if others or name not in NEED_OTHERS}
    found = Setting()
    for half in halves:
        drawn = draw_projects(half.names, enrolled, others, args.strangers, args.draws, args.people, args.seed)
        projects = half.place(drawn)
        if projects:
            found.add(projects, run(faces, projects, makers, half.population))
    return found


@dataclass
class Rejections:
    """How often each photo of "me" was asked about, and rejected, over all verifiers and settings."""

    asked: Counter[int] = field(default_factory=Counter)
    rejected: Counter[int] = field(default_factory=Counter)

    def count(self, setting: Setting) -> None:
        """Add a setting's."""
        for number, project in enumerate(setting.projects):
            for result in setting.results.values():
                self.asked.update(project.asked.tolist())
                self.rejected.update(project.asked[result.me[number] < DEFAULT_THRESHOLD].tolist())

    def always(self) -> list[int]:
        """Row numbers of the photos that were rejected whenever they were asked about, the oftenest asked first."""
        rows = [row for row, times in self.rejected.items() if times == self.asked[row]]
        return sorted(rows, key=lambda row: (-self.asked[row], row))


_COLUMNS = {
    "frr": "FRR", "far": "FAR", "far_worst_person": "worst", "tar_1e-2": "TAR 1e-2", "tar_1e-3": "TAR 1e-3",
    "tar_1e-4": "TAR 1e-4", "tar_1e-2_by_project": "each 1e-2", "tar_1e-3_by_project": "each 1e-3", "auc": "AUC",
    "ece": "ECE",
}  # fmt: skip


def print_table(title: str, projects: list[Project], rows: Rows) -> None:
    """One setting's table, in per cent."""
    asked = sum(len(project.asked) for project in projects)
    strangers = sum(len(project.strangers) for project in projects)
    print(f"\n{title} of others in: {len(projects)} projects, {asked} photos of me and {strangers} of strangers asked")
    print(f"about. All but AUC and ECE in per cent; FRR, FAR and the worst person's FAR at {DEFAULT_THRESHOLD}.")
    print(f"{'':20}" + "".join(f"{name:>10}" for name in _COLUMNS.values()))
    for name, row in rows.items():
        print(f"{name:20}" + "".join(_cell(key, row[key]) for key in _COLUMNS))


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return f"{'–':>10}"
    return f"{value:10.5f}" if column in ("auc", "ece") else f"{100 * value:10.3f}"


def let_in(rows: Rows) -> dict[str, float]:
    """Of 1,000 strangers, how many the usual rule lets in and how many the default, 0 to 1000."""
    return {name: 1000 * float(rows[name]["far"] or 0.0) for name in (USUAL_RULE, DEFAULT)}


def describe(setting: Setting, rows: Rows, names: NDArray[np.str_], seed: int) -> dict[str, Any]:
    """One setting's part of the JSON object; what chance may have done is printed."""
    described: dict[str, Any] = {
        "projects": len(setting.projects),
        "people": len({names[project.me[0]] for project in setting.projects}),
        "verifiers": {
            name: {key: None if value is None else round(value, 6) for key, value in row.items()}
            for name, row in rows.items()
        },
    }
    if OWN_STRANGERS in rows:
        first, second = (setting.results[name] for name in (DEFAULT, OWN_STRANGERS))
        differences = tar_difference(first, second, setting.projects, names, _RESAMPLINGS, seed)
        said = [
            f"{key.replace('tar_', 'TAR ')} {100 * one['difference']:+.2f} ({100 * one['low']:+.2f} to "
            f"{100 * one['high']:+.2f})"
            for key, one in differences.items()
        ]
        print(f"{DEFAULT} − {OWN_STRANGERS}, in points: {'; '.join(said)}")
        described["default_less_own_strangers"] = {
            key: {name: round(value, 6) for name, value in one.items()} for key, one in differences.items()
        }
    return described


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_arguments(parser)
    parser.add_argument("--people", type=int, default=None, help="enrol the first N people of each half (a quick look)")
    parser.add_argument("--strangers", type=int, default=1000, help="people asked about in each project")
    parser.add_argument("--draws", type=int, default=1, help="projects for each person")
    parser.add_argument("--without", nargs="*", default=[], metavar="PHOTO", help="names of photos to leave out")
    args = parser.parse_args()

    faces = load_faces(args, args.without)
    halves = judged_halves(faces, args.seed)
    report: dict[str, Any] = {"bench": "accuracy", "backbone": faces.backbone, "strangers": args.strangers}
    report |= {"draws": args.draws, "without": args.without, "settings": {}}
    rejections, counts = Rejections(), {}
    for enrolled, others in SETTINGS:
        setting = measure(faces, halves, (enrolled, others), args)
        if not setting.projects:
            print(f"\nnobody has {enrolled + LEAST_ASKED} photos: {enrolled} photos in are passed over")
            continue
        rows = setting.rows(faces.names)
        rejections.count(setting)
        print_table(f"{enrolled} photos of me and {others}", setting.projects, rows)
        report["settings"][f"{enrolled}+{others}"] = describe(setting, rows, faces.names, args.seed)
        counts[enrolled, others] = let_in(rows)
    listed = [f"{faces.photos[row].name} ({rejections.asked[row]})" for row in rejections.always()]
    print(f"\nRejected by every verifier whenever asked about, and how often that was: {', '.join(listed) or 'none'}")
    for (enrolled, others), count in counts.items():
        usual, ours = count.values()
        print(f"Of 1,000 strangers the usual rule lets {usual:.1f} in, this project {ours:.1f} ({enrolled} + {others})")
        report["settings"][f"{enrolled}+{others}"]["of_1000_strangers"] = {
            name: round(value, 3) for name, value in count.items()
        }
    print()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
