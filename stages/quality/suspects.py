"""Finds labels that look wrong: faces of `me` that are unlike the others, and faces of `not_me` that look like me."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from faces.cosine import MINIMUM_ENROLLED, CosineClassifier
from faces.message import Message
from stages.progress import progress

_FOLDS = 5
_SEED = 0
_SAMPLE = 1000  # groups that are compared in pairs, at most; with more, nothing changes
_FEWEST_STRANGERS = 5  # groups of not_me that it takes to say how alike strangers are
_DEVIATIONS = 2.0
"""Two clusters of `me` count as two people if their cosine is at most the mean of strangers' cosines plus so many
deviations.

Measured on LFW, with 69 people of 10 photos or more and 10 to 120 strangers: one person is taken for two in 1 % of the
draws, and two mixed people are found in 98 to 100 %. With 2.5, the first is up to 14 %. With 1.5, the second falls to
94 %.
"""

Numbers = NDArray[np.int64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class LabelCheck:
    """What is known of each row's label.

    Attributes:
        scores: float64 [N], probability of me by a model that was trained without the row's group; NaN if there is
            none.
        stray: bool [N], rows of `me` that show another person than most of `me` do, and are not the only ones of that
            person.
        likeness: float64 [N], for these rows the cosine to the mean of the others; NaN for all other rows.
        boundary: cosine below which clusters of `me` count as two people; NaN if there are too few faces to say.
        unchecked: a sentence for each check that could not be made.
        without_others: whether that is because not_me is empty, which is allowed.
    """

    scores: Vector
    stray: NDArray[np.bool_]
    likeness: Vector
    boundary: float
    unchecked: tuple[Message, ...]
    without_others: bool = False


def check_labels(embeddings: NDArray[np.float32], labels: Numbers, groups: Numbers) -> LabelCheck:
    """Look for faces in the wrong class.

    Args:
        embeddings: float32 [N, D], of length 1.
        labels: int64 [N], 1 = me.
        groups: int64 [N], rows that belong together.
    """
    stray, boundary = np.zeros(len(labels), bool), np.nan
    unchecked: list[Message] = []
    me, others = len(np.unique(groups[labels == 1])), len(np.unique(groups[labels == 0]))
    if not others:
        text = "whether me shows two people is not checked: it takes photos of others for that, and not_me is empty"
        unchecked.append(Message(text))
    elif others < _FEWEST_STRANGERS:
        unchecked.append(
            Message(
                "whether me shows two people could not be checked: not_me has {others:# different person or photo|# "
                "different people or photos}, {needed} are needed",
                others=others,
                needed=_FEWEST_STRANGERS,
            )
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
    if others and (me < MINIMUM_ENROLLED + 1 or others < 2):
        unchecked.append(
            Message(
                "labels could not be checked: me has {me:# different photo|# different photos} and not_me {others:# "
                "different person or photo|# different people or photos}, {needed} and 2 are needed",
                me=me,
                others=others,
                needed=MINIMUM_ENROLLED + 1,
            )
        )
    elif others:
        scores[~stray] = held_out_scores(embeddings[~stray], labels[~stray], groups[~stray])
        missing = int(np.isnan(scores[~stray]).sum())
        if missing:
            text = (
                "the {missing:label of # face|labels of # faces} could not be checked: too little is left without "
                "{missing:it|them}"
            )
            unchecked.append(Message(text, missing=missing))
    return LabelCheck(scores, stray, likeness, boundary, tuple(unchecked), without_others=not others)


def held_out_scores(embeddings: NDArray[np.float32], labels: Numbers, groups: Numbers) -> Vector:
    """Scores by models that were trained without the row's group, float64 [N]; NaN if none could be trained.

    There are two rounds. A stranger among `me` lowers a model's standard for "me", and then other people who resemble
    me become suspects too. So in the second round, the models are trained without the faces of `me` that the first
    round found to be strangers. (Measured on LFW with 12 photos of me, 120 of others and one wrong photo in each class:
    the first round suspects 2.8 % of the others wrongly, the second 0.3 %.)

    Args:
        embeddings: float32 [N, D].
        labels: int64 [N], both classes present.
        groups: int64 [N].
    """
    with threadpool_limits(1):  # with more threads, such small matrices take ten times as long
        scores = _score_once(embeddings, labels, groups, np.ones(len(labels), bool))
        with np.errstate(invalid="ignore"):
            strange = (labels == 1) & (scores < 0.5)  # where the model itself says not_me, whatever the parameter is
        if not strange.any() or 2 * strange.sum() > (labels == 1).sum():
            return scores
        again = _score_once(embeddings, labels, groups, ~strange)
        return np.where(np.isnan(again), scores, again)


def _score_once(
    embeddings: NDArray[np.float32], labels: Numbers, groups: Numbers, trusted: NDArray[np.bool_]
) -> Vector:
    """One round of grouped cross-validation, in which models are trained only on trusted rows."""
    scores = np.full(len(labels), np.nan)
    folds = min(_FOLDS, *(len(np.unique(groups[labels == label])) for label in (0, 1)))
    if folds < 2:
        return scores
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=_SEED).split(embeddings, labels, groups)
    for rest, test in progress(splits, folds, Message("checking labels"), Message("model")):
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
    """The cosine below which two faces of `me` may be of two people.

    It is the median of the cosines of strangers, plus `_DEVIATIONS` robust deviations. It is at most half-way from that
    median to the similar pairs of `me`. Those are the upper quarter of the pairs: even if two people are mixed, that
    quarter holds pairs of one person only.
    """
    cosines = _pairs(strangers)
    middle = float(np.median(cosines))
    deviation = 1.4826 * float(np.median(np.abs(cosines - middle)))
    own = _pairs(enrolled)
    alike = float(np.quantile(own, 0.75)) if len(own) else 1.0
    return min(middle + _DEVIATIONS * deviation, (middle + alike) / 2)


def _pairs(unit: Vector) -> Vector:
    """Cosines of all pairs; if there are many rows, those of a sample."""
    chosen = unit[_sample(len(unit))]
    result: Vector = (chosen @ chosen.T)[np.triu_indices(len(chosen), 1)]
    return result


def _find_stray(embeddings: NDArray[np.float32], groups: Numbers, boundary: float) -> NDArray[np.bool_]:
    """Rows of `me` that lie outside its largest cluster, in clusters of two photos or more: bool [n].

    Clusters are joined (average linkage) until they are as unlike as strangers are. A single photo that is unlike all
    others does not count here: its score shows whether it is wrong.
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
    # If two clusters are equally large, the one with the first photo by name.
    main = nearest[int(np.argmax(ranked))]
    _, member = np.unique(groups, return_inverse=True)
    result: NDArray[np.bool_] = ((nearest != main) & (ranked >= 2))[member]
    return result
