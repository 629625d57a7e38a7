"""A verifier that works from few photos: cosine to the mean of "me", turned into a probability.

The difficult part is the probability. The scores of a dozen photos of "me" and of a hundred of others hardly ever
overlap. A regression on them alone then puts its threshold just above the highest of those hundred, wherever that
happens to be. Two things help, and both come from the project's own photos:

- The score of an enrolled photo is its cosine to the mean of the *others* of "me" (leave one out), so that it is the
  score that a new photo would get. Photos that belong together (near-duplicates) are left out together.
- Few strangers look like "me", so a hundred show badly how high a stranger's score can be. But each of them is a
  stranger to the other ninety-nine too. The cosines among them show it much better, once they are scaled to what they
  would be against a mean of as many photos as "me" has. (Speaker verification calls this a cohort.)

Measured by `python -m bench.accuracy LFW`: the second thing more than halves the share of people for whom a fixed
threshold lets many strangers in. Centring the embeddings, whitening them, and normalising scores by the cohort's mean
made the results worse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from faces.scoring import CosineScoring, Vector, unit_length

_BINS = 4096  # of the histogram of strangers' cosines, from -1 to 1, that the regression sees in place of all pairs
_COHORT = 1000  # photos of others that are compared with one another, at most; with more, nothing changes
MINIMUM_ENROLLED = 2
"""How many photos of "me" it takes, near-duplicates not counted: with one, none is left when one is left out."""


class CosineClassifier(CosineScoring, ClassifierMixin, BaseEstimator):
    """Probability of "me" from the cosine to the mean of the enrolled embeddings.

    Args:
        C: inverse regularisation strength of the regression of one variable. The weights of its samples sum to 1, so
            the same value suits few photos and many. Smaller values make probabilities more cautious.
        cohort_weight: how much of the strangers' weight goes to the cosines among them, 0 to 1.

    Attributes:
        template_: float64 [D], of length 1.
        slope_, intercept_: the log odds of "me" are slope_ * cosine + intercept_, if both classes are equally frequent.
        classes_: [0, 1].
        n_features_in_: D.
    """

    def __init__(self, C: float = 1000.0, cohort_weight: float = 0.5) -> None:
        self.C = C
        self.cohort_weight = cohort_weight

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> CosineClassifier:
        """Fit to embeddings.

        Args:
            X: float [N, D].
            y: [N], 1 = me, 0 = not_me.
            groups: [N], the same number for photos that belong together: near-duplicates of "me", and all photos of one
                other person. Each group counts once. None: every photo is a group of its own.

        Raises:
            ValueError: fewer than two groups of "me", no others, or values that are no numbers.
        """
        embeddings, labels = np.asarray(X, np.float64), np.asarray(y)
        named = np.arange(len(labels)) if groups is None else np.asarray(groups)
        if embeddings.ndim != 2 or len(embeddings) != len(labels) or not np.isfinite(embeddings).all():
            raise ValueError(
                f"expected finite embeddings [N, D] and N labels; given {embeddings.shape}, {labels.shape}"
            )
        unit = unit_length(embeddings)
        enrolled = group_means(unit[labels == 1], named[labels == 1])
        if len(enrolled) < MINIMUM_ENROLLED or (labels == 0).sum() == 0:
            raise ValueError(
                f"expected {MINIMUM_ENROLLED} or more different photos of me and one of others; "
                f"given {len(enrolled)} and {int((labels == 0).sum())}"
            )
        others, people = unit[labels == 0], named[labels == 0]
        self.template_ = unit_length(enrolled.sum(axis=0))
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = embeddings.shape[1]
        strangers, weights = self._strangers(others, people, enrolled)
        self._calibrate(_leave_one_out(enrolled), strangers, weights)
        return self

    def _strangers(self, others: Vector, people: NDArray[Any], enrolled: Vector) -> tuple[Vector, Vector]:
        """Cosines that strangers reach, and their weights, which sum to 1/2."""
        scores = others @ self.template_
        weights = _per_person(people)
        cohort = _cohort(len(others))
        pairs, pair_weights = _pairs(others[cohort], people[cohort], np.median(_upper(enrolled @ enrolled.T)))
        if not len(pairs):
            return scores, weights / (2 * weights.sum())
        share = self.cohort_weight
        scaled = pairs * _gain(enrolled, len(enrolled))
        return np.concatenate([scores, scaled]), 0.5 * np.concatenate(
            [(1 - share) * weights / weights.sum(), share * pair_weights / pair_weights.sum()]
        )

    def _calibrate(self, genuine: Vector, strangers: Vector, weights: Vector) -> None:
        """Fit the regression of one variable."""
        counts, edges = np.histogram(strangers, bins=_BINS, range=(-1, 1), weights=weights)
        filled = counts > 0
        scores = np.concatenate([genuine, ((edges[:-1] + edges[1:]) / 2)[filled]])
        weight = np.concatenate([np.full(len(genuine), 0.5 / len(genuine)), counts[filled]])
        mean = float(weight @ scores)
        deviation = float(np.sqrt(weight @ (scores - mean) ** 2)) or 1.0
        regression = LogisticRegression(C=self.C, max_iter=1000)
        regression.fit(
            ((scores - mean) / deviation)[:, None],
            np.arange(len(scores)) < len(genuine),
            sample_weight=weight,
        )
        self.slope_ = float(regression.coef_[0, 0]) / deviation
        self.intercept_ = float(regression.intercept_[0]) - self.slope_ * mean

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """1 where "me" is more probable than not_me, else 0: int64 [N]."""
        return (self.decision_function(X) >= 0).astype(np.int64)


def group_means(unit: Vector, groups: NDArray[Any]) -> Vector:
    """One vector of length 1 for each group, in the order of the groups' names."""
    _, member = np.unique(groups, return_inverse=True)
    sums = np.zeros((member.max() + 1 if len(member) else 0, unit.shape[1]))
    np.add.at(sums, member, unit)
    return unit_length(sums)


def _upper(matrix: Vector) -> Vector:
    """The values above the diagonal, of a square matrix."""
    return matrix[np.triu_indices(len(matrix), 1)]


def _gain(enrolled: Vector, count: int) -> float:
    """How many times as large the cosine to a mean of `count` photos is as the cosine to one photo.

    Embeddings of one person have a part in common and differ in the rest. A mean keeps the common part, while the rest
    averages out. How large the common part is follows from the cosines among the enrolled photos.
    """
    alike = float(np.clip(_upper(enrolled @ enrolled.T).mean(), 0.05, 1.0))
    return 1 / np.sqrt(alike + (1 - alike) / count)


def _leave_one_out(enrolled: Vector) -> Vector:
    """What each enrolled photo would score as a new one: its cosine to the mean of the others, float64 [n].

    The cosines are scaled from a mean of n - 1 photos to a mean of n.
    """
    count = len(enrolled)
    rest = unit_length(enrolled.sum(axis=0) - enrolled)
    return np.einsum("ij,ij->i", enrolled, rest) * _gain(enrolled, count) / _gain(enrolled, count - 1)


def _per_person(people: NDArray[Any]) -> Vector:
    """A weight for each photo: 1 divided by the number of photos of its person."""
    _, member, counts = np.unique(people, return_inverse=True, return_counts=True)
    result: Vector = 1.0 / counts[member]
    return result


def _cohort(count: int) -> NDArray[np.int64]:
    """Which photos of others are compared with one another: all, or a fixed random choice of many."""
    if count <= _COHORT:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, _COHORT, replace=False))


def _pairs(others: Vector, people: NDArray[Any], same: float) -> tuple[Vector, Vector]:
    """Cosines of pairs of different people, and a weight for each.

    Args:
        others: float64 [n, D], of length 1.
        people: [n], a name for each.
        same: cosine from which two photos may show one person although their names differ (in a folder without names,
            every photo has a name of its own). Such photos, and all that are linked through them, are not taken for
            different people.
    """
    cosines = others @ others.T
    _, suspected = connected_components(cosines >= same, directed=False)
    first, second = np.triu_indices(len(others), 1)
    different = (people[first] != people[second]) & (suspected[first] != suspected[second])
    first, second = first[different], second[different]
    weights = _per_person(people)
    return cosines[first, second], weights[first] * weights[second]
