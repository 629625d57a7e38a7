"""The whole way of a photo: from its bytes to the probability that its largest face is "me"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faces.detection.face import Face
from faces.recognition.recognizer import Recognizer
from faces.verifier import Verifier


@dataclass(frozen=True)
class Verification:
    """The largest face of a photo, with its embedding, and the probability (0 to 1) that it is "me"."""

    face: Face
    score: float


def verify(photo: bytes | Path, recognizer: Recognizer, verifier: Verifier) -> Verification | None:
    """Find the largest face of a photo, embed it and score it.

    Args:
        photo: bytes of a JPEG or PNG, or its path.
        recognizer: opened in this process, with the `flip` of the verifier.
        verifier: trained on embeddings that this recognizer makes.

    Returns:
        None if there is no face on the photo.

    Raises:
        faces.recognition.image.ImageError: the content cannot be used.
        OSError: the path cannot be read.
    """
    face = recognizer.largest_face(photo)
    if face is None:
        return None
    recognizer.embed([face])
    assert face.embedding is not None
    return Verification(face, float(verifier.score(face.embedding[np.newaxis])[0]))
