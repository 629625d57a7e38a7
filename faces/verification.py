"""The whole way of a photo: from its bytes to the probability that a face on it is "me"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faces.detection.face import Face
from faces.recognition.image import Photo
from faces.recognition.recognizer import Recognizer
from faces.verifier import Verifier

MOST_FACES = 50
"""So many faces of a photo are scored at most, the largest ones: a photo of a crowd must not keep others waiting."""


@dataclass(frozen=True)
class ScoredFace:
    """A face with its embedding, and what the verifier says of it.

    Attributes:
        face: it.
        score: the probability that it is "me", 0 to 1.
        strangers_like_this: the share of strangers who are estimated to score as high, 0 to 1; None where the verifier
            knows no population.
    """

    face: Face
    score: float
    strangers_like_this: float | None = None


@dataclass(frozen=True)
class Verification:
    """What was found on a photo.

    Attributes:
        scored: faces, the largest first: that one alone, or at most `MOST_FACES` of all.
        faces_found: how many there are; 1 where the largest alone was looked for.
    """

    scored: list[ScoredFace]
    faces_found: int

    @property
    def largest(self) -> ScoredFace:
        """The largest face, with what the verifier says of it."""
        return self.scored[0]

    @property
    def face(self) -> Face:
        """The largest face."""
        return self.largest.face

    @property
    def score(self) -> float:
        """Its score."""
        return self.largest.score


def verify(
    photo: bytes | Path | Photo, recognizer: Recognizer, verifier: Verifier, all_faces: bool = False
) -> Verification | None:
    """Find the largest face of a photo, or all of them, embed and score.

    The largest face has the same score whether the others are wanted or not.

    Args:
        photo: bytes of an image file, its path, or what `recognizer.read` returned.
        recognizer: opened in this process, with the `flip` of the verifier.
        verifier: trained on embeddings that this recognizer makes.
        all_faces: not the largest face alone. It takes longer: small faces have to be looked for too.

    Returns:
        None if there is no face on the photo.

    Raises:
        faces.recognition.image.ImageError: the content cannot be used.
        OSError: the path cannot be read.
    """
    found = recognizer.faces(photo, largest_only=not all_faces)
    if not found:
        return None
    scored = []
    for face in found[:MOST_FACES]:  # one by one, since a score may differ in its last digits within a batch
        recognizer.embed([face])
        assert face.embedding is not None
        scores = verifier.score(face.embedding[np.newaxis])
        shares = verifier.strangers_like(scores)
        scored.append(ScoredFace(face, float(scores[0]), None if shares is None else float(shares[0])))
    return Verification(scored, len(found))
