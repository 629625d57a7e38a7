"""The whole way of a photo: the largest face is the one that is scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faces.recognition.recognizer import Recognizer
from faces.verification import verify
from faces.verifier import Verifier
from tests.conftest import TrainedModels


@pytest.fixture(scope="module")
def verifier(trained_models: TrainedModels) -> Verifier:
    return Verifier.load(trained_models.path / "model.joblib", trained_models.path / "scaler.joblib")


def test_the_largest_face_is_scored(recognizer: Recognizer, verifier: Verifier, photos_dir: Path) -> None:
    photo = photos_dir / "multiface.jpg"
    faces = recognizer.faces(photo)
    recognizer.embed(faces)
    scores = [float(verifier.score(face.embedding[np.newaxis])[0]) for face in faces if face.embedding is not None]
    assert len(set(scores)) == len(scores) > 1
    for source in (photo, photo.read_bytes()):
        found = verify(source, recognizer, verifier)
        assert found is not None
        assert found.score == pytest.approx(scores[0], abs=1e-6)
        assert np.array_equal(found.face.box, faces[0].box)
        shares = verifier.strangers_like(np.array([found.score]))
        assert shares is not None and found.largest.strangers_like_this == shares[0]


def test_without_a_face_there_is_no_score(recognizer: Recognizer, verifier: Verifier, photos_dir: Path) -> None:
    assert verify(photos_dir / "dogs.jpg", recognizer, verifier) is None
