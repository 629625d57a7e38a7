"""Do strangers who resemble a person get in more often, and does the estimate say so? By groups of people.

    python -m bench.bias LFW [--groups FILE] [--draws 3] [--networks FOLDER] [--embeddings FILE]

LFW's people are halved, and each half is judged with a population of the other. Of each group, people are enrolled with
few photos and with many; in not_me is nobody, people at random, or people of their own group. FAR at 0.75 is measured
among strangers of their group and among all strangers, for the default verifier, for one that knows own strangers
alone, and for the cautious mode (`train.strangers: like_me`). "times" is the FAR among the group, over the share that
the estimate is set to (`train.population_far`), which is of strangers in general.

Then everybody is put to the kind of people, a Gaussian of the population, that their template belongs to: how often
strangers of the same kind get in, beside the factor that the report gives for such a template
(`PopulationClassifier.like_me_factor`).

The groups are LFW's people by lists of names (bench/support/groups.py), which are a crude stand-in for what people look
like and can be wrong. `--groups` takes a CSV file with the columns person,group instead.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from bench.support.embeddings import Faces, add_arguments, load_faces
from bench.support.groups import groups_by_name, read_groups
from bench.support.populations import Half, judged_halves
from bench.support.projects import EVERYBODY, Project, draw_projects
from bench.support.verifiers import DEFAULT, OWN_STRANGERS, verifiers
from faces.operating_point import DEFAULT_THRESHOLD
from faces.population_classifier import PopulationClassifier
from faces.scoring import unit_length
from stages.params import TrainParams, load_params
from stages.progress import progress

CAUTIOUS = "like_me"
ALL = "everybody"
ENROLLED = (12, 3)
OTHERS = {"nobody": 0, "120 at random": 120, "40 of the group": 40}
"""Who is in not_me."""

_LEAST_ASKED = 1  # so that people with four photos can be enrolled with three: few have more


@dataclass(frozen=True)
class Outcome:
    """What one verifier did in one project.

    Attributes:
        owner: who is enrolled.
        rejected: bool [n], photos of the person.
        accepted: bool [m], strangers.
        strangers: [m], who they are.
        factor: how many times as many strangers who resemble the person get in, as the verifier says; None if it does
            not.
        kind: the Gaussian that the template belongs to, None where the verifier has none.
        kinds: int64 [m], those of the strangers; None in the same case.
    """

    owner: str
    rejected: NDArray[np.bool_]
    accepted: NDArray[np.bool_]
    strangers: NDArray[np.str_]
    factor: float | None = None
    kind: int | None = None
    kinds: NDArray[np.int64] | None = None


def ask(faces: Faces, half: Half, project: Project, params: TrainParams, name: str) -> Outcome:
    """Fit one of the three verifiers, and ask about all photos."""
    data = project.dataset(faces.embeddings, faces.names)
    owner, strangers = str(faces.names[project.me[0]]), faces.names[project.strangers]
    me, them = faces.embeddings[project.asked], faces.embeddings[project.strangers]
    with threadpool_limits(1):
        if name == OWN_STRANGERS:
            score = verifiers(params)[name](data, half.population)
            return Outcome(owner, score(me) < DEFAULT_THRESHOLD, score(them) >= DEFAULT_THRESHOLD, strangers)
        whom = "like_me" if name == CAUTIOUS else "anyone"
        model = PopulationClassifier(half.population, params.population_far, whom)
        model.fit(data.embeddings, data.labels, data.groups)
        rejected = model.predict_proba(me)[:, 1] < DEFAULT_THRESHOLD
        accepted = model.predict_proba(them)[:, 1] >= DEFAULT_THRESHOLD
        mixture = half.population.mixture
        kind = int(mixture.responsibilities(model.template_[None])[0].argmax())
        kinds = mixture.responsibilities(unit_length(them.astype(np.float64))).argmax(axis=1)
        return Outcome(owner, rejected, accepted, strangers, model.like_me_factor(), kind, kinds)


def far_among(outcomes: list[Outcome], group: frozenset[str] | None) -> float:
    """Share of strangers of a group, or of all, that gets in, over all projects."""
    masks = [
        np.ones(len(one.strangers), bool) if group is None else np.isin(one.strangers, list(group)) for one in outcomes
    ]
    accepted = sum(int(one.accepted[mask].sum()) for one, mask in zip(outcomes, masks, strict=True))
    return accepted / max(1, sum(int(mask.sum()) for mask in masks))


def summary(outcomes: list[Outcome], group: frozenset[str] | None, target: float) -> dict[str, Any]:
    """The columns of one row of the first table."""
    among, factors = far_among(outcomes, group), [one.factor for one in outcomes if one.factor is not None]
    return {
        "people": len({one.owner for one in outcomes}),
        "frr": float(np.concatenate([one.rejected for one in outcomes]).mean()),
        "far_group": among,
        "far_all": far_among(outcomes, None),
        "times_target": among / target if factors else None,
        "predicted_factor": float(np.mean(factors)) if factors else None,
    }


def by_group(
    faces: Faces, halves: list[Half], groups: Mapping[str, frozenset[str]], params: TrainParams, draws: int, seed: int
) -> Iterator[tuple[tuple[str, int, str], dict[str, list[Outcome]]]]:
    """For each group, number of photos and kind of not_me: the outcomes of each verifier."""
    for group, members in {ALL: None, **groups}.items():
        for enrolled in ENROLLED:
            for whom, others in OTHERS.items():
                chosen = members if members is not None and "group" in whom else frozenset()
                if members is None and "group" in whom:
                    continue  # that would be people at random once more
                drawn = [
                    (half, project)
                    for half in halves
                    for project in half.place(
                        draw_projects(
                            half.names, enrolled, others, EVERYBODY, draws, None, seed,
                            of=members, others_from=chosen, least_asked=_LEAST_ASKED,
                        )
                    )
                ]  # fmt: skip
                names = (DEFAULT, CAUTIOUS, OWN_STRANGERS) if others else (DEFAULT, CAUTIOUS)
                found: dict[str, list[Outcome]] = {name: [] for name in names}
                for half, project in progress(drawn, len(drawn), f"{group}, {enrolled}, {whom}", "project"):
                    for name in names:
                        found[name].append(ask(faces, half, project, params, name))
                if drawn:
                    yield (group, enrolled, whom), found


def by_kind(
    outcomes: list[Outcome], cautious: list[Outcome], people: Mapping[str, frozenset[str]], target: float
) -> list[dict[str, Any]]:
    """A row for each Gaussian of a population that somebody's template belongs to.

    Args:
        outcomes, cautious: of the default and of the cautious mode, of the same projects of one half.
        people: the groups.
        target: the share that the estimate is set to.
    """
    rows = []
    for kind in sorted({one.kind for one in outcomes if one.kind is not None}):
        own = [one for one in outcomes if one.kind == kind]
        careful = [one for one in cautious if one.kind == kind]
        among = np.unique(np.concatenate([one.strangers[one.kinds == kind] for one in own]))
        shares = {group: float(np.isin(among, list(members)).mean()) for group, members in people.items()}
        same, everybody = _far_of_kind(own), far_among(own, None)
        rows.append({
            "people": len(among),
            "groups": shares,
            "enrolled": len({one.owner for one in own}),
            "far_kind": same,
            "times_target": same / target,
            "measured_factor": same / everybody if everybody else None,
            "predicted_factor": float(np.mean([one.factor for one in own])),
            "cautious_far_kind": _far_of_kind(careful),
            "cautious_frr": float(np.concatenate([one.rejected for one in careful]).mean()),
        })  # fmt: skip
    return rows


def _far_of_kind(outcomes: list[Outcome]) -> float:
    """Share of strangers of the template's own kind that gets in."""
    same = [one.accepted[one.kinds == one.kind] for one in outcomes]
    accepted = np.concatenate(same)
    return float(accepted.mean()) if len(accepted) else 0.0


def agreement(rows: list[dict[str, Any]], outcomes: list[Outcome], target: float) -> dict[str, float]:
    """How well the factor that is predicted agrees with the one that is measured."""
    known = [row for row in rows if row["measured_factor"] is not None]
    measured = np.array([row["measured_factor"] for row in known])
    predicted = np.array([row["predicted_factor"] for row in known])
    same = _far_of_kind(outcomes)
    return {
        "times_target": same / target,
        "measured_factor": same / far_among(outcomes, None),
        "predicted_factor": float(np.mean([one.factor for one in outcomes])),
        "rank_correlation_of_kinds": float(spearmanr(measured, predicted).statistic),
        "most_times_target": max(row["times_target"] for row in rows),
    }


def print_groups(rows: Mapping[str, Mapping[str, Any]], target: float) -> None:
    """The first table, in per cent."""
    print(f"At {DEFAULT_THRESHOLD}, which is set to a FAR of {target:.3%}; in per cent\n")
    print(f"{'group, photos of me, not_me, verifier':70}{'people':>7}{'FRR':>7}{'FAR group':>11}{'times':>7}"
          f"{'predicted':>11}{'FAR all':>9}")  # fmt: skip
    for name, row in rows.items():
        times, predicted = (
            "–" if row[key] is None else f"{row[key]:.1f}" for key in ("times_target", "predicted_factor")
        )
        print(
            f"{name:70}{row['people']:7}{100 * row['frr']:7.2f}{100 * row['far_group']:11.3f}{times:>7}{predicted:>11}"
            f"{100 * row['far_all']:9.3f}"
        )


def print_kinds(rows: list[dict[str, Any]], groups: Mapping[str, frozenset[str]], overall: Mapping[str, float]) -> None:
    """The second table."""
    print(f"\nStrangers of the same kind, {min(ENROLLED)} photos of me and none of others; FAR and FRR in per cent")
    heads = "".join(f"{f'% {group}':>20}" for group in groups)
    print(f"{'people':>7}{heads}{'enrolled':>10}{'FAR kind':>10}{'times':>7}{'factor':>8}{'predicted':>11}"
          f"{'cautious FAR':>14}{'FRR':>7}")  # fmt: skip
    for row in sorted(rows, key=lambda row: -float(row["times_target"])):
        shares = "".join(f"{100 * share:20.0f}" for share in row["groups"].values())
        factor = "–" if row["measured_factor"] is None else f"{row['measured_factor']:.1f}"
        print(
            f"{row['people']:7}{shares}{row['enrolled']:10}{100 * row['far_kind']:10.3f}{row['times_target']:7.1f}"
            f"{factor:>8}{row['predicted_factor']:11.1f}{100 * row['cautious_far_kind']:14.3f}"
            f"{100 * row['cautious_frr']:7.2f}"
        )
    print(
        "All: {times_target:.1f} times the target among people of the same kind, at most {most_times_target:.1f}; "
        "{measured_factor:.1f} times as many as of all strangers, {predicted_factor:.1f} predicted; rank correlation "
        "of both over the kinds {rank_correlation_of_kinds:.2f}".format(**overall)
    )


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--groups", type=Path, default=None, help="CSV file with the columns person,group")
    parser.add_argument("--draws", type=int, default=3, help="projects for each person")
    args = parser.parse_args()
    faces = load_faces(args)
    groups = groups_by_name(faces.names.tolist()) if args.groups is None else read_groups(args.groups)
    halves = judged_halves(faces, args.seed)
    params = replace(load_params().train, verifier="cosine", strangers="anyone")
    target = params.population_far
    rows: dict[str, dict[str, Any]] = {}
    kinds: dict[str, list[Outcome]] = {}
    for (group, enrolled, whom), outcomes in by_group(faces, halves, groups, params, args.draws, args.seed):
        for name, own in outcomes.items():
            rows[f"{group}, {enrolled}, {whom}, {name}"] = summary(own, groups.get(group), target)
        if (group, enrolled, whom) == (ALL, min(ENROLLED), "nobody"):
            kinds = outcomes
    of_kinds = []
    for half in halves:
        here = set(half.names.tolist())
        plain, cautious = ([one for one in kinds[name] if one.owner in here] for name in (DEFAULT, CAUTIOUS))
        of_kinds += by_kind(plain, cautious, groups, target)
    overall = agreement(of_kinds, kinds[DEFAULT], target)
    print_groups(rows, target)
    print_kinds(of_kinds, groups, overall)
    report = {"bench": "bias", "backbone": faces.backbone, "target": target, "draws": args.draws}
    report |= {"people": {group: len(members) for group, members in groups.items()}}
    print(json.dumps({**report, "groups": rows, "kinds": of_kinds, "overall": overall}))


if __name__ == "__main__":
    main()
