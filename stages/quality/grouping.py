"""Which rows belong together: several faces of one photo, near-duplicates, photos of one person.

Near-duplicates are photos whose hashes differ in few bits *and* whose faces are alike: the same photo saved twice,
resized or compressed again, pictures of one burst. The second condition is needed for photos that only look alike from
afar, such as portraits of two people before the same wall.

A shot that was mirrored, cropped or tilted has quite another hash. But its face is cut by the eyes, nose and mouth,
and its embedding is averaged with that of the mirrored face, so the embedding stays nearly the same. Two shots of one
person are hardly ever as alike (`python -m bench.copies LFW` measures both). So photos are near-duplicates as well if
their faces alone are that alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from faces.message import Message
from faces.recognition.quality import HASH_BITS, hamming
from stages.progress import progress

_BLOCK = 256  # rows that are compared at once with all rows before them: about 100 MB if there are 20,000
NONE = -1

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class NearDuplicates:
    """Which earlier rows each row is a near-duplicate of.

    Attributes:
        groups: int64 [N], the same for rows that are near-duplicates, directly or through other rows.
        same_class, other_class: int64 [N], the earlier row that is most like this one, in a photo of the same class and
            of the other class; -1 for none.
        distance_same, distance_other: int64 [N], bits in which the hashes of the two photos differ.
        cosine_same, cosine_other: float64 [N], cosine of the two faces; 0 for none.
    """

    groups: Numbers
    same_class: Numbers
    other_class: Numbers
    distance_same: Numbers
    distance_other: Numbers
    cosine_same: NDArray[np.float64]
    cosine_other: NDArray[np.float64]


def find_near_duplicates(
    bits: NDArray[np.uint64],
    embeddings: NDArray[np.float32],
    labels: Numbers,
    photos: Numbers,
    max_distance: int,
    min_cosine: float,
    copy_cosine: float,
) -> NearDuplicates:
    """Compare every row with every row before it, in blocks.

    Args:
        bits: uint64 [N], hash of each row's photo.
        embeddings: float32 [N, D], of length 1.
        labels: int64 [N].
        photos: int64 [N], number of each row's photo; rows of one photo are not compared.
        max_distance: bits in which hashes may differ.
        min_cosine: least cosine of two faces for their photos to be near-duplicates if the hashes are alike too.
        copy_cosine: the same, whatever the hashes are.
    """
    count = len(bits)
    groups = np.arange(count)
    same, other = np.full(count, NONE), np.full(count, NONE)
    distance_same, distance_other = np.zeros(count, np.int64), np.zeros(count, np.int64)
    cosine_same, cosine_other = np.zeros(count), np.zeros(count)
    starts = range(0, count, _BLOCK)
    for start in progress(starts, len(starts), Message("comparing"), Message("block")):
        rows = np.arange(start, min(start + _BLOCK, count))
        before = slice(0, int(rows[-1]) + 1)
        distance = hamming(bits[rows], bits[before])
        cosine = embeddings[rows] @ embeddings[before].T
        close = ((distance <= max_distance) & (cosine >= min_cosine)) | (cosine >= copy_cosine)
        close &= np.arange(before.stop)[None, :] < rows[:, None]
        close &= photos[rows][:, None] != photos[before][None, :]
        if not close.any():
            continue
        # One number decides: first the fewest bits, then the most similar face.
        cost = np.where(close, distance + (1 - cosine) / 4, np.float32(2 * HASH_BITS))
        like = labels[rows][:, None] == labels[before][None, :]
        kinds = ((same, distance_same, cosine_same, like), (other, distance_other, cosine_other, ~like))
        for found, bits_apart, alike, wanted in kinds:
            masked = np.where(wanted, cost, np.float32(2 * HASH_BITS))
            best = masked.argmin(axis=1)
            there = np.take_along_axis(masked, best[:, None], axis=1)[:, 0] < 2 * HASH_BITS
            found[rows[there]] = best[there]
            bits_apart[rows[there]] = distance[there, best[there]]
            alike[rows[there]] = cosine[there, best[there]]
        first, second = np.nonzero(close)
        groups = _merged(groups, rows[first], second)
    return NearDuplicates(groups, same, other, distance_same, distance_other, cosine_same, cosine_other)


def _merged(groups: Numbers, first: Numbers, second: Numbers) -> Numbers:
    """Groups, numbered from 0, when each row of `first` is linked with the row of `second` at the same place."""
    count = len(groups)
    links = coo_array((np.ones(len(first), bool), (groups[first], groups[second])), shape=(count, count))
    _, merged = connected_components(links.tocsr(), directed=False)
    result: Numbers = merged.astype(np.int64)[groups]
    return result


def group_rows(index: pd.DataFrame, near: Numbers) -> Numbers:
    """Groups of rows that must never straddle a split, int64 [N], numbered from 0 in the order of their first row.

    Args:
        index: columns photo, label and person of `data/index.csv`.
        near: int64 [N], groups of near-duplicates.
    """
    groups = near
    named = np.where(index["label"] == 0, index["person"], "")
    for names in (index["photo"].to_numpy(str), named.astype(str)):
        rows = np.flatnonzero(names != "")
        _, first, member = np.unique(names[rows], return_index=True, return_inverse=True)
        groups = _merged(groups, rows, rows[first[member]])
    return pd.factorize(groups)[0].astype(np.int64)
