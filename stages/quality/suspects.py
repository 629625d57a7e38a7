"""Which labels look wrong: faces of `me` that look like nobody else there, faces of `not_me` that look like me."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from faces.cosine import MINIMUM_ENROLLED, CosineClassifier
from stages.progress import progress

_FOLDS = 5
_SEED = 0
_SAMPLE = 1000  # groups compared pair by pair; more change nothing
_FEWEST_STRANGERS = 5  # groups of not_me whose cosines say how alike strangers are
_DEVIATIONS = 2.0
"""Clusters of `me` are two people where they are no more alike than strangers' mean plus so many deviations.

Measured on LFW with 10 to 120 strangers: 69 people with 10 photos or more are taken for two in 1 % of the draws, two
people mixed are found in 98 to 100 %. At 2.5 the first is up to 14 %, at 1.5 the second down to 94 %.
"""

Numbers = NDArray[np.int64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class LabelCheck:
    """What is known of each row's label.

    Attributes:
        scores: float64 [N], probability of me by a model that saw nothing of the row's group; NaN where there is none.
        stray: bool [N], rows of `me` that show another person than most of `me`, several times.
        likeness: float64 [N], cosine of these rows to the mean of the others; NaN elsewhere.
        boundary: cosine below which clusters of `me` count as two people; NaN where that could not be said.
        unchecked: a sentence for each thing that could not be looked for.
    """

    scores: Vector
    stray: NDArray[np.bool_]
    likeness: Vector
    boundary: float
    unchecked: tuple[str, ...]


def check_labels(embeddings: NDArray[np.float32], labels: Numbers, groups: Numbers) -> LabelCheck:
    """Look for faces in the wrong class.

    Args:
        embeddings: float32 [N, D], of length 1.
        labels: int64 [N], 1 = me.
        groups: int64 [N], rows that belong together.
    """
    stray, boundary = np.zeros(len(labels), bool), np.nan
    unchecked = []
    me, others = len(np.unique(groups[labels == 1])), len(np.unique(groups[labels == 0]))
    if others < _FEWEST_STRANGERS:
        unchecked.append(
            f"whether me shows two people could not be checked: not_me has {others} different people or photos, "
            f"{_FEWEST_STRANGERS} are needed"
        )
    else:
        strangers = _means(embeddings[labels == 0], groups[labels == 0])
        boundary = _boundary(strangers, _means(embeddings[labels == 1], groups[labels == 1]))
        stray[labels == 1] = _find_stray(embeddings[labels == 1], groups[labels == 1], boundary)
    likeness = np.full(len(labels), np.nan)
    if stray.any():
        main = embeddings[(labels == 1) & ~stray].mean(axis=0)
        likeness[stray] = embeddings[stray] @ (main / np.linalg.norm(main))
    scores = np.full(len(labels), np.nan)
    if me < MINIMUM_ENROLLED + 1 or others < 2:
        unchecked.append(
            f"labels could not be checked: me has {me} different photos and not_me {others} different people or "
            f"photos, {MINIMUM_ENROLLED + 1} and 2 are needed"
        )
    else:
        scores[~stray] = held_out_scores(embeddings[~stray], labels[~stray], groups[~stray])
        missing = int(np.isnan(scores[~stray]).sum())
        if missing:
            unchecked.append(f"the labels of {missing} faces could not be checked: too little is left without them")
    return LabelCheck(scores, stray, likeness, boundary, tuple(unchecked))


def held_out_scores(embeddings: NDArray[np.float32], labels: Numbers, groups: Numbers) -> Vector:
    """Scores by models that saw nothing of the row's group, float64 [N]; NaN where none could be trained.

    Twice: a stranger among `me` makes a model cautious, and others that resemble me then come out as suspects. In the
    second round no model learns from faces of `me` that the first one found to be no such. (Measured on LFW with 12
    photos of me, 120 of others and one wrong in each class: 2.8 % of the others falsely suspected, then 0.3 %.)

    Args:
        embeddings: float32 [N, D].
        labels: int64 [N], both classes present.
        groups: int64 [N].
    """
    with threadpool_limits(1):  # such small matrices: threads that wait for one another cost ten times the work
        scores = _score_once(embeddings, labels, groups, np.ones(len(labels), bool))
        with np.errstate(invalid="ignore"):
            strange = (labels == 1) & (scores < 0.5)  # the model's own boundary, whatever the parameter
        if not strange.any() or 2 * strange.sum() > (labels == 1).sum():
            return scores
        again = _score_once(embeddings, labels, groups, ~strange)
        return np.where(np.isnan(again), scores, again)


def _score_once(
    embeddings: NDArray[np.float32], labels: Numbers, groups: Numbers, trusted: NDArray[np.bool_]
) -> Vector:
    """One round of grouped cross-validation in which models learn from the trusted rows alone."""
    scores = np.full(len(labels), np.nan)
    folds = min(_FOLDS, *(len(np.unique(groups[labels == label])) for label in (0, 1)))
    if folds < 2:
        return scores
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=_SEED).split(embeddings, labels, groups)
    for rest, test in progress(splits, folds, "checking labels", "model"):
        train = rest[trusted[rest]]
        enrolled = len(np.unique(groups[train][labels[train] == 1]))
        if len(test) and enrolled >= MINIMUM_ENROLLED and (labels[train] == 0).any():
            model = CosineClassifier().fit(embeddings[train], labels[train], groups[train])
            scores[test] = model.predict_proba(embeddings[test])[:, 1]
    return scores


def _means(embeddings: NDArray[np.float32], groups: Numbers) -> Vector:
    """One vector of length 1 for each group, float64 [G, D], in the order of the groups' numbers."""
    _, member = np.unique(groups, return_inverse=True)
    sums = np.zeros((int(member.max()) + 1, embeddings.shape[1]))
    np.add.at(sums, member, embeddings)
    result: Vector = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return result


def _sample(count: int) -> Numbers:
    if count <= _SAMPLE:
        return np.arange(count)
    return np.sort(np.random.default_rng(_SEED).choice(count, _SAMPLE, replace=False))


def _boundary(strangers: Vector, enrolled: Vector) -> float:
    """Cosine up to which faces of `me` may well be strangers'.

    The median and `_DEVIATIONS` (robust ones) of strangers' pairs, but no more than half-way from there to the pairs of
    `me` that are alike (the upper quarter, which holds one person's pairs even where two are mixed).
    """
    cosines = _pairs(strangers)
    middle = float(np.median(cosines))
    deviation = 1.4826 * float(np.median(np.abs(cosines - middle)))
    own = _pairs(enrolled)
    alike = float(np.quantile(own, 0.75)) if len(own) else 1.0
    return min(middle + _DEVIATIONS * deviation, (middle + alike) / 2)


def _pairs(unit: Vector) -> Vector:
    """Cosines of all pairs, of a sample where there are many."""
    chosen = unit[_sample(len(unit))]
    result: Vector = (chosen @ chosen.T)[np.triu_indices(len(chosen), 1)]
    return result


def _find_stray(embeddings: NDArray[np.float32], groups: Numbers, boundary: float) -> NDArray[np.bool_]:
    """Rows of `me` outside its largest cluster, in clusters of two photos or more: bool [n].

    Average linkage, cut where clusters are as little alike as strangers. A single photo that is like no other is left
    to the scores.
    """
    means = _means(embeddings, groups)
    if len(means) < 2 * 2:
        return np.zeros(len(groups), bool)
    chosen = _sample(len(means))
    distances = np.clip(1 - means[chosen] @ means[chosen].T, 0, None)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), "average")
    clusters = fcluster(tree, max(1 - boundary, 0), "distance") - 1
    centres = _means(means[chosen].astype(np.float32), clusters.astype(np.int64))
    nearest = (means @ centres.T).argmax(axis=1)
    nearest[chosen] = clusters
    sizes = np.bincount(nearest, minlength=len(centres))
    ranked = sizes[nearest]
    # Of two as large, the one that the first photo by name is in.
    main = nearest[int(np.argmax(ranked))]
    _, member = np.unique(groups, return_inverse=True)
    result: NDArray[np.bool_] = ((nearest != main) & (ranked >= 2))[member]
    return result
