"""How long each step from photo to score takes on this machine: as in the service, with all cores for one photo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from faces.message import Message
from faces.recognition.image import ImageError, Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer, find_faces, reduce_for_detection
from faces.threads import available_cores, limit_numpy
from faces.verification import verify
from faces.verifier import Verifier
from stages.files.photos import read_photo
from stages.progress import progress

STEPS = ("decode", "detect", "detect and cut", "embed", "classify", "whole")


class _Clock:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {step: [] for step in STEPS}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a block."""
        start = time.perf_counter()
        yield
        self.times[name].append(1000 * (time.perf_counter() - start))


def measure(photos: list[Path], networks: Networks, verifier: Verifier) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of each step, in milliseconds.

    "whole" is what a request does with a photo, from its bytes to its score. The others are timed on their own:
    "decode", "detect" (the largest face, on the reduced photo), "detect and cut" (decoding included), "embed", and
    "classify", which is the time for one face in a batch of 1,000.

    Args:
        photos: photos to time; photos without a face are left out.
        networks: the networks.
        verifier: the trained model.
    """
    with limit_numpy(1):  # as in the service
        return _measure(photos, networks, verifier, available_cores())


def _measure(photos: list[Path], networks: Networks, verifier: Verifier, threads: int) -> dict[str, dict[str, float]]:
    recognizer = Recognizer(networks, flip=verifier.flip)
    recognizer.open(threads)
    detector, embedder = networks.open_detector(threads), networks.open_embedder(verifier.flip, threads)
    max_side = detector.settings.max_side
    clock = _Clock()
    for path in progress(photos, len(photos), Message("measuring latency"), Message("photo")):
        try:
            data = read_photo(path)
            photo = Photo.open(data)
            with clock.step("decode"):
                decoded = photo.decode(long_side=max_side)
            reduced = np.asarray(reduce_for_detection(decoded, max_side, detector.threaded_map))
            with clock.step("detect"):
                detector.detect_largest(reduced)
            with clock.step("detect and cut"):
                faces = find_faces(photo, detector, networks.manifest.crop, largest_only=True)
            if not faces or faces[0].crop is None:
                continue
            with clock.step("embed"):
                embedding = embedder.embed(faces[0].crop[None])
            with clock.step("whole"):
                verify(data, recognizer, verifier)
        except (ImageError, OSError):
            continue
        many = np.repeat(embedding, 1000, axis=0)
        start = time.perf_counter()
        verifier.score(many)
        clock.times["classify"].append(time.perf_counter() - start)  # seconds for 1,000 are ms for one
    return {
        step: {"median": float(np.median(times)), "p95": float(np.percentile(times, 95))}
        for step, times in clock.times.items()
        if times
    }
