"""Are the promised intervals true? How often the stated 95 % interval covers the real FAR and FRR.

    python -m bench.intervals LFW [--draws 5] [--people N] [--strangers N] [--embeddings FILE]

LFW's people are halved, and each half is judged with a population of the other. Many projects are drawn: a person, some
photos of theirs, photos of others. Each is estimated as the stages train and evaluate do it with the default verifier
(cross-validation, intervals, operating point), and then the truth is looked up: the real FAR is that of the project's
final model on a photo each of everybody else in the half; the real FRR of a person, who has too few photos to
tell one project's from another's, is the share of photos kept out that the final models of all the person's projects
reject.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.support.embeddings import Faces, add_arguments, load_faces
from bench.support.populations import judged_halves
from bench.support.projects import EVERYBODY, Project, draw_projects
from faces.population import Population
from stages.estimation.fit import fit, predict
from stages.estimation.held_out import HeldOutScores
from stages.estimation.protocol import make_splits
from stages.estimation.rates import rates_with_intervals
from stages.evaluate import operating_point
from stages.params import Params, load_params
from stages.progress import progress

SETTINGS = ((12, 120), (25, 120), (12, 40), (5, 20))


@dataclass
class Estimate:
    """What one project says at a threshold, and what is true.

    Attributes:
        rates: `rates_with_intervals`.
        far: of the final model, on strangers.
        rejected: photos of "me" kept out of the project that the final model rejects.
        asked: photos of "me" kept out of the project.
    """

    rates: dict[str, Any]
    far: float
    rejected: int
    asked: int


def estimate(faces: Faces, project: Project, params: Params, population: Population) -> dict[str, Estimate]:
    """Estimates at the default threshold and at the operating point."""
    data = project.dataset(faces.embeddings, faces.names)
    splits = make_splits(data, params.train, without_others=True)
    table = predict(data, splits, params.train, population)
    rows = table["row"].to_numpy()
    tested = HeldOutScores(rows, data.labels[rows], table["score"].to_numpy(), data.groups[rows])
    strangers = tested.labels == 0
    point = operating_point.choose(tested.scores[strangers], tested.groups[strangers], params.evaluate, None)
    final = fit(data, params.train, population)
    me, others = (final.score(faces.embeddings[rows]) for rows in (project.asked, project.strangers))
    return {
        name: Estimate(
            rates_with_intervals(tested, threshold, params.evaluate.bootstrap),
            float((others >= threshold).mean()),
            int((me < threshold).sum()),
            len(me),
        )
        for name, threshold in (("default", params.evaluate.threshold), ("operating point", point.threshold))
    }


def coverage(estimates: list[Estimate], owners: list[str]) -> dict[str, float]:
    """Shares of intervals that hold the truth, their mean widths, and the mean rates, true and stated."""
    rejected: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one, owner in zip(estimates, owners, strict=True):
        rejected[owner][0] += one.rejected
        rejected[owner][1] += one.asked
    truth = {
        "far": [one.far for one in estimates],
        "frr": [rejected[owner][0] / rejected[owner][1] for owner in owners],
    }
    row: dict[str, float] = {}
    for name, real in truth.items():
        bounds = [one.rates[f"{name}_interval"] for one in estimates]
        inside = [bound["low"] <= rate <= bound["high"] for bound, rate in zip(bounds, real, strict=True)]
        row |= {
            f"{name}_covered": float(np.mean(inside)),
            f"{name}_width": float(np.mean([bound["high"] - bound["low"] for bound in bounds])),
            f"{name}_true": float(np.mean(real)),
            f"{name}_stated": float(np.mean([one.rates[name] for one in estimates])),
        }
    return row


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_arguments(parser)
    parser.add_argument("--people", type=int, default=None, help="the first N people of each half only (a quick look)")
    parser.add_argument("--draws", type=int, default=5, help="projects for each person")
    parser.add_argument("--strangers", type=int, default=EVERYBODY, help="people who tell the real FAR")
    args = parser.parse_args()

    faces = load_faces(args)
    halves = judged_halves(faces, args.seed)
    params = load_params()
    report: dict[str, Any] = {"bench": "intervals", "backbone": faces.backbone, "settings": {}}
    print(f"{'':36}{'projects':>9}{'FAR covered':>13}{'width':>8}{'true':>8}{'FRR covered':>13}{'width':>8}{'true':>8}")
    for enrolled, others in SETTINGS:
        title = f"{enrolled} + {others}"
        drawn = [
            (project, half.population)
            for half in halves
            for project in half.place(
                draw_projects(half.names, enrolled, others, args.strangers, args.draws, args.people, args.seed)
            )
        ]
        owners = [str(faces.names[project.me[0]]) for project, _ in drawn]
        estimates = [
            estimate(faces, project, params, population)
            for project, population in progress(drawn, len(drawn), title, "project")
        ]
        for threshold in estimates[0] if estimates else ():
            row = coverage([one[threshold] for one in estimates], owners)
            report["settings"][f"{enrolled}+{others}, {threshold}"] = {"projects": len(drawn), **row}
            widths = {"covered": 11.1, "width": 6.1, "true": 6.2}
            shown = "".join(
                f"{100 * row[f'{name}_{key}']:{width}f} %" for name in ("far", "frr") for key, width in widths.items()
            )
            print(f"{title + ' photos, ' + threshold:36}{len(drawn):9}{shown}")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
