"""People that do not exist, whose embeddings are spread as those of faces are: in groups that look alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 24
RECIPE = {"backbone": "made up", "embedding_size": SIZE, "weights": {"embedder": "abc"}, "flip": True}
_KINDS = 3


def people(count: int, photos: int = 1, seed: int = 0, kind: int | None = None) -> list[NDArray[np.float64]]:
    """Embeddings of people, [photos, SIZE] each, of length 1.

    Args:
        count: how many people.
        photos: of each.
        seed: of the people.
        kind: 0 to 2, all of one group; None: of all groups.
    """
    common = np.random.default_rng(7)
    centre, kinds = 2 * common.normal(size=SIZE), common.normal(size=(_KINDS, SIZE))
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        person = centre + kinds[number % _KINDS if kind is None else kind] + random.normal(size=SIZE)
        own = person + random.normal(0, 0.35, (photos, SIZE))
        found.append(own / np.linalg.norm(own, axis=1, keepdims=True))
    return found


def look_alike(own: NDArray[np.float64], distance: float, photos: int, seed: int) -> NDArray[np.float64]:
    """Embeddings, [photos, SIZE], of somebody who is so far from the mean of a person's embeddings, [n, SIZE]."""
    random = np.random.default_rng([seed, 1])  # not the numbers that made the person
    direction = random.normal(size=SIZE)
    other = own.mean(axis=0) + distance * direction / np.linalg.norm(direction)
    found = other + random.normal(0, 0.05, (photos, SIZE))
    result: NDArray[np.float64] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return result
