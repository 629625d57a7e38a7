"""An embedding depends on its own crop alone; mirroring and length are as the embedder was told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from faces.recognition.embedder import Embedder
from faces.recognition.networks import Networks


@pytest.fixture(scope="module")
def session(networks_dir: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(networks_dir / "embedder.onnx")


def raw(session: onnxruntime.InferenceSession, crops: np.ndarray) -> np.ndarray:
    return session.run(None, {"pixels": np.ascontiguousarray(crops)})[0]


@pytest.mark.parametrize("unit_length", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_is_what_the_network_says(
    session: onnxruntime.InferenceSession, crops: np.ndarray, flip: bool, unit_length: bool
) -> None:
    expected = raw(session, crops[:3])
    if flip:
        expected = (expected + raw(session, crops[:3, :, ::-1])) / 2
    if unit_length:
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    given = Embedder(lambda batch: raw(session, batch), flip, unit_length).embed(crops[:3])
    assert given.dtype == np.float32
    assert np.abs(given - expected).max() <= 1e-6


@pytest.mark.parametrize("threads", [1, 2])
def test_batch_does_not_matter(networks_dir: Path, crops: np.ndarray, threads: int) -> None:
    embedder = Networks.load(networks_dir).open_embedder(flip=True, threads=threads)
    together = embedder.embed(crops)
    assert together.shape == (33, 128)
    one_by_one = np.concatenate([embedder.embed(crop[None]) for crop in crops[:8]])
    assert np.abs(together[:8] - one_by_one).max() <= 1e-5


def test_mirrored_face_has_the_same_embedding(networks_dir: Path, crops: np.ndarray) -> None:
    networks = Networks.load(networks_dir)
    mirrored = np.ascontiguousarray(crops[:4, :, ::-1])
    averaged, plain = networks.open_embedder(flip=True), networks.open_embedder(flip=False)
    assert np.abs(averaged.embed(crops[:4]) - averaged.embed(mirrored)).max() <= 1e-6
    assert np.abs(plain.embed(crops[:4]) - plain.embed(mirrored)).max() > 0.01


def test_nothing_of_no_length_is_no_number() -> None:
    given = Embedder(lambda batch: np.zeros((len(batch), 4), np.float32)).embed(np.zeros((2, 8, 8, 3), np.uint8))
    assert (given == 0).all()


@pytest.mark.parametrize("flip", [False, True])
def test_the_exported_networks_embed_as_networks_json_says(
    networks_dir: Path, session: onnxruntime.InferenceSession, crops: np.ndarray, flip: bool
) -> None:
    """dlib's embeddings keep their length, which means something."""
    expected = raw(session, crops[:2])
    if flip:
        expected = (expected + raw(session, crops[:2, :, ::-1])) / 2
    given = Networks.load(networks_dir).open_embedder(flip).embed(crops[:2])
    assert np.abs(given - expected).max() <= 1e-6
    assert np.abs(np.linalg.norm(given, axis=1) - 1).min() > 0.1
