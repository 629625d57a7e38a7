"""Compares the photos with one another: which are copies, and which show somebody else. As stage `quality` does it.

"Somebody else" takes strangers to compare with. They are those of data/not_me or, where there are none, drawn by
chance from how the project knows strangers' faces to be spread (`faces.population`): nobody else's photos are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enrolment.judge import Floats, unit
from faces.population import Mixture
from faces.recognition.quality import hash_bits
from stages.params import QualityParams
from stages.quality.grouping import NONE, find_near_duplicates
from stages.quality.suspects import check_labels

DRAWN = 120
"""Strangers that are drawn from a population."""

_SEED = 0


@dataclass(frozen=True)
class Seen:
    """A photo of me with a face.

    Attributes:
        key: by which the caller knows it.
        embedding: float32 [D], of length 1.
        photo_hash: as `faces.recognition.quality.photo_hash` writes it.
    """

    key: str
    embedding: Floats
    photo_hash: str


@dataclass(frozen=True)
class Comparison:
    """What came of it, by the keys of the photos.

    Attributes:
        copies: for each copy, the earlier photo that it is most like.
        others: photos that show somebody else than most do.
    """

    copies: dict[str, str]
    others: frozenset[str]


def draw_strangers(mixture: Mixture, count: int = DRAWN) -> Floats:
    """Embeddings of people who do not exist, float32 [count, D] of length 1; the same each time."""
    generator = np.random.default_rng(_SEED)
    kinds = generator.choice(len(mixture.weights), count, p=mixture.weights / mixture.weights.sum())
    inside = np.stack(
        [generator.multivariate_normal(mixture.centres[kind], mixture.covariances[kind]) for kind in kinds]
    )
    size = len(mixture.mean)
    rest = generator.multivariate_normal(np.zeros(size), mixture.residual, count)
    return unit(np.asarray(mixture.mean + inside @ mixture.basis.T + rest, np.float32))


def compare(photos: Sequence[Seen], strangers: Floats, params: QualityParams) -> Comparison:
    """Compare photos of me with one another and with strangers.

    Args:
        photos: the photos; of two copies, the first is the original.
        strangers: float32 [N, D] of length 1, one for each person; with none, nobody is found to be somebody else.
        params: the limits of stage `quality`.
    """
    if len(photos) < 2:
        return Comparison({}, frozenset())
    embeddings = np.stack([photo.embedding for photo in photos])
    count = np.arange(len(photos), dtype=np.int64)
    near = find_near_duplicates(
        hash_bits([photo.photo_hash for photo in photos]), embeddings, np.ones(len(photos), np.int64), count,
        params.hash_distance, params.duplicate_cosine, params.copy_cosine,
    )  # fmt: skip
    copies = {
        photos[row].key: photos[near.same_class[row]].key for row in np.flatnonzero(near.same_class != NONE).tolist()
    }
    others = _others(embeddings, near.groups, strangers, params) if len(strangers) else np.zeros(len(photos), bool)
    return Comparison(copies, frozenset(photos[row].key for row in np.flatnonzero(others).tolist()))


def _others(
    embeddings: Floats, groups: NDArray[np.int64], strangers: Floats, params: QualityParams
) -> NDArray[np.bool_]:
    """Which of the photos of me show somebody else: bool [n]."""
    labels = np.repeat(np.array([1, 0], np.int64), [len(embeddings), len(strangers)])
    own = np.arange(len(strangers), dtype=np.int64) + int(groups.max()) + 1
    check = check_labels(np.concatenate([embeddings, strangers]), labels, np.concatenate([groups, own]))
    with np.errstate(invalid="ignore"):
        strange = check.stray | (check.scores <= 1 - params.label_score)
    result: NDArray[np.bool_] = strange[: len(embeddings)]
    return result
