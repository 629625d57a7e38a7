"""Which face is me, on photos of me that show several? The one that agrees with the other photos of me.

Every photo in data/me shows me; who else is on it changes. So the face of me is the one that comes back. It is found in
three steps:

1. Of each face it is counted how alike the other photos are to it: the mean, over these photos, of the face on each
   that is most like it. The face with the greatest mean begins.
2. On every photo, the face most like those chosen so far is taken, until nothing changes.
3. If another person is on as many photos as the one chosen, nobody can tell which of the two is me. The other one is
   looked for among the faces left over; photos of that person alone count too. Two faces of one photo are two people
   for certain. So "one person" means: nearer to how alike the chosen faces are to each other than to how alike they are
   to the faces beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_COMPARED = 300  # photos that a face is compared with: more do not change who comes back
_ROUNDS = 20

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Choice:
    """Which faces show me.

    Attributes:
        chosen: for each photo, the place of the face among its faces.
        rivals: where a second person is on as many photos: for each photo that shows both, the photo's number and the
            place of the other face; else empty.
    """

    chosen: list[int]
    rivals: list[tuple[int, int]]


def choose_faces(photos: Sequence[Floats]) -> Choice:
    """Choose a face of each photo.

    Args:
        photos: for each photo of me, the embeddings of its faces, float32 [n, D], the largest face first; n ≥ 1.

    Returns:
        The choice. A photo alone agrees with nothing: then it is the largest face.
    """
    faces = [_unit(embeddings) for embeddings in photos]
    if len(faces) < 2 or all(len(own) == 1 for own in faces):
        return Choice([0] * len(faces), [])
    chosen = _agreeing(faces)
    return Choice(chosen, _rivals(faces, chosen))


def _unit(embeddings: Floats) -> Floats:
    return embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), np.float32(1e-12))


def _agreeing(faces: Sequence[Floats]) -> list[int]:
    """For each photo, the place of the face that comes back on the others."""
    template = _most_common(faces)
    chosen: list[int] = []
    for _ in range(_ROUNDS):
        before, chosen = chosen, [int(np.argmax(own @ template)) for own in faces]
        if chosen == before:
            break
        template = _mean([own[place] for own, place in zip(faces, chosen, strict=True)])
    return chosen


def _mean(faces: Sequence[Floats]) -> Floats:
    """The middle of some embeddings of length 1, of length 1 itself."""
    middle = np.mean(faces, axis=0)
    return np.asarray(middle / max(float(np.linalg.norm(middle)), 1e-12), np.float32)


def _most_common(faces: Sequence[Floats]) -> Floats:
    """The face that is most like one face of each of the other photos, float32 [D]."""
    step = -(-len(faces) // _MOST_COMPARED)
    compared = range(0, len(faces), step)
    best, most = faces[0][0], -np.inf
    for number in compared:
        others = [other for other in compared if other != number]
        alike = np.mean([(faces[number] @ faces[other].T).max(axis=1) for other in others], axis=0)
        if alike.max() > most:
            best, most = faces[number][int(np.argmax(alike))], float(alike.max())
    return best


def _rivals(faces: Sequence[Floats], chosen: Sequence[int]) -> list[tuple[int, int]]:
    """Photos that show a second person who is on as many photos as the one chosen, and the place of that face."""
    mine = np.stack([own[place] for own, place in zip(faces, chosen, strict=True)])
    left_over = {
        number: [place for place in range(len(own)) if place != chosen[number]]
        for number, own in enumerate(faces)
        if len(own) > 1
    }
    if len(left_over) < 2:
        return []
    others = [faces[number][places] for number, places in left_over.items()]
    beside = np.concatenate([own @ mine[number] for number, own in zip(left_over, others, strict=True)])
    alike = _likeness(mine)
    boundary = (np.median(alike) + np.median(beside)) / 2
    places = _agreeing(others)
    theirs = np.stack([own[place] for own, place in zip(others, places, strict=True)])
    comes_back = _likeness(theirs) >= boundary
    strange = [number for number in range(len(faces)) if number not in left_over and alike[number] < boundary]
    alone = [number for number in strange if np.median(theirs @ mine[number]) >= boundary]
    both = comes_back & (alike[list(left_over)] >= boundary)  # else two people who are never together, or a bystander
    if not both.any() or comes_back.sum() + len(alone) < (alike >= boundary).sum():
        return []
    return [
        (number, left_over[number][place])
        for number, place, shown in zip(left_over, places, both, strict=True)
        if shown
    ]


def _likeness(faces: Floats) -> Floats:
    """How alike each face, of length 1, is to the others in the median, float32 [N]; N ≥ 2."""
    compared = np.arange(0, len(faces), -(-len(faces) // _MOST_COMPARED))
    cosines = faces @ faces[compared].T
    cosines[compared, np.arange(len(compared))] = np.nan
    return np.asarray(np.nanmedian(cosines, axis=1), np.float32)
