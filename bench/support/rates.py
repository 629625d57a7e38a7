"""Error rates of verifiers over many projects, and how far chance moves the difference of two."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from bench.support.projects import Project
from bench.support.verifiers import Scores
from faces.operating_point import DEFAULT_THRESHOLD
from stages.estimation.intervals import CONFIDENCE
from stages.estimation.rates import calibration_error

TAR_FARS = (1e-2, 1e-3, 1e-4)


@dataclass
class Results:
    """Scores of a verifier, an array for each project."""

    me: list[Scores] = field(default_factory=list)
    strangers: list[Scores] = field(default_factory=list)


def acceptance(me: Scores, strangers: Scores, far: float) -> float:
    """Share of "me" accepted where the share `far` of strangers is let in, or fewer."""
    refused_first = np.sort(strangers)[::-1][int(far * len(strangers) + 1e-9)]
    return float((me > refused_first).mean())


def figures(results: Results, owners: list[str], probabilities: bool) -> dict[str, float | None]:
    """What a verifier's row of a table shows; rates as shares.

    Args:
        results: of all projects.
        owners: who is enrolled in each; a person has as many projects as there are draws.
        probabilities: whether scores are; else there is no calibration error.
    """
    me, strangers = np.concatenate(results.me), np.concatenate(results.strangers)
    labels = np.repeat([1, 0], [len(me), len(strangers)])
    scores = np.concatenate([me, strangers])
    pairs = list(zip(results.me, results.strangers, strict=True))
    by_project = [float((own >= DEFAULT_THRESHOLD).mean()) for own in results.strangers]
    by_person: defaultdict[str, list[float]] = defaultdict(list)
    for owner, share in zip(owners, by_project, strict=True):
        by_person[owner].append(share)
    return {
        "frr": float((me < DEFAULT_THRESHOLD).mean()),
        "far": float((strangers >= DEFAULT_THRESHOLD).mean()),
        "far_worst_project": max(by_project),
        "far_worst_person": max(float(np.mean(shares)) for shares in by_person.values()),
        **{f"tar_{_power(far)}": acceptance(me, strangers, far) for far in TAR_FARS},
        "tar_1e-2_by_project": float(np.mean([acceptance(*pair, 1e-2) for pair in pairs])),
        "tar_1e-3_by_project": float(np.mean([acceptance(*pair, 1e-3) for pair in pairs])),
        "auc": float(roc_auc_score(labels, scores)),
        "ece": calibration_error(labels, scores) if probabilities else None,
    }


def _power(far: float) -> str:
    """1e-3 and not 0.001."""
    return f"1e{round(np.log10(far))}"


class _Resampled:
    """Scores of a verifier, sorted once, so that TAR is quickly computed for each choice of people.

    Args:
        results: of the projects.
        owners: int64 [projects], who is enrolled in each.
        asked: int64 [n] for each project, who its strangers are.
    """

    def __init__(self, results: Results, owners: list[int], asked: list[NDArray[np.int64]]) -> None:
        self._me = np.concatenate(results.me)
        self._owners_of_me = np.repeat(owners, [len(own) for own in results.me])
        strangers = np.concatenate(results.strangers)
        order = np.argsort(-strangers, kind="stable")
        self._strangers = strangers[order]
        self._owners = np.repeat(owners, [len(own) for own in results.strangers])[order]
        self._people = np.concatenate(asked)[order]

    def acceptance(self, far: float, times: NDArray[np.int64]) -> float:
        """The function `acceptance`, where each person is there so many times, enrolled and as a stranger."""
        passed = np.cumsum(times[self._owners] * times[self._people])
        at = np.searchsorted(passed, int(far * passed[-1] + 1e-9), side="right")
        weights = times[self._owners_of_me]
        return float((weights * (self._me > self._strangers[at])).sum() / weights.sum())


def tar_difference(
    first: Results, second: Results, projects: list[Project], names: NDArray[np.str_], resamplings: int, seed: int
) -> dict[str, dict[str, float]]:
    """By how much more of "me" the first verifier accepts, with the 95 % interval of a bootstrap over people.

    People are drawn with replacement, with all their photos, be they enrolled or strangers.

    Args:
        first, second: of the same projects.
        projects: these.
        names: [N], who is on each row.
        resamplings: of the bootstrap; where nobody who is enrolled is drawn, it is drawn again.
        seed: of the bootstrap.

    Returns:
        By "tar_1e-3" and "tar_1e-4": difference, low and high, as shares.
    """
    people, number = np.unique(names, return_inverse=True)
    owners = [int(number[project.me[0]]) for project in projects]
    both = [_Resampled(one, owners, [number[project.strangers] for project in projects]) for one in (first, second)]
    generator = np.random.default_rng(seed)
    once = np.ones(len(people), np.int64)
    draws: list[NDArray[np.int64]] = []
    while len(draws) < resamplings:
        times = generator.multinomial(len(people), np.full(len(people), 1 / len(people)))
        if times[owners].any():
            draws.append(times)
    found = {}
    for far in TAR_FARS[1:]:
        better, worse = (np.array([one.acceptance(far, times) for times in (once, *draws)]) for one in both)
        differences = better - worse
        low, high = np.quantile(differences[1:], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        found[f"tar_{_power(far)}"] = {"difference": float(differences[0]), "low": float(low), "high": float(high)}
    return found
