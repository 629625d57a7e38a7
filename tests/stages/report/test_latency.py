"""How long each step takes: on a clock that the steps themselves move, and for real."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from faces.detection.face import Face
from faces.recognition.networks import Networks
from faces.verifier import Verifier
from stages.report import latency
from stages.report.latency import STEPS, measure
from tests.stages.support import Workspace, put, put_faceless

EMBEDDING = np.ones((1, 4), np.float32)


class Clock:
    """Time that passes only where something is said to take some."""

    def __init__(self) -> None:
        self.now = 100.0

    def take(self, milliseconds: float) -> None:
        self.now += milliseconds / 1000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Twenty photos; the n-th takes as many times as long as the first in every step."""
    paths = []
    for number in range(1, 21):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (number, 1)).save(path)
        paths.append(path)
    return paths


def run(clock: Clock, photos: list[Path], monkeypatch: pytest.MonkeyPatch, flip: bool = True) -> tuple[Any, list[Any]]:
    """Measure with steps that take: decode 2 ms, detect 3, both with cutting 7, embed 11, the whole 17.

    To classify takes 0.5, 1,000 of them 40. Returns the times, and what recognizer and embedder were opened with.
    """
    opened: list[Any] = []
    times = {"n": 0}

    def decode(photo: Any, long_side: int | None = None) -> Image.Image:
        assert long_side == 640
        times["n"] = photo.stored_size[0]
        clock.take(2 * times["n"])
        return Image.new("RGB", (4, 4))

    def find_faces(*_: Any, largest_only: bool) -> list[Face]:
        assert largest_only
        clock.take(7 * times["n"])
        return [Face(np.zeros(4), 1.0, np.zeros((5, 2)), crop=np.zeros((8, 8, 3), np.uint8))]

    def embed(crops: np.ndarray) -> np.ndarray:
        assert crops.shape == (1, 8, 8, 3)
        clock.take(11 * times["n"])
        return EMBEDDING

    def score(embeddings: np.ndarray) -> np.ndarray:
        clock.take((0.5 if len(embeddings) == 1 else 0.04 * len(embeddings)) * times["n"])
        return np.zeros(len(embeddings))

    def detect_largest(_: np.ndarray) -> None:
        clock.take(3 * times["n"])

    def open_embedder(*how: Any) -> Any:
        opened.append(how)
        return SimpleNamespace(embed=embed)

    def recognizer(_: Any, flip: bool) -> Any:
        return SimpleNamespace(open=lambda threads: opened.append((flip, threads)))

    settings = SimpleNamespace(max_side=640)
    detector = SimpleNamespace(settings=settings, threaded_map=None, detect_largest=detect_largest)
    networks: Any = SimpleNamespace(
        open_detector=lambda *_: detector, open_embedder=open_embedder, manifest=SimpleNamespace(crop=None)
    )
    monkeypatch.setattr(latency.Photo, "decode", decode)
    monkeypatch.setattr(latency, "find_faces", find_faces)
    monkeypatch.setattr(latency, "Recognizer", recognizer)
    monkeypatch.setattr(latency, "verify", lambda *_: clock.take(17 * times["n"]))
    verifier: Any = SimpleNamespace(flip=flip, score=score)
    return measure(photos, networks, verifier), opened


def test_each_step_has_its_median_and_95th_percentile(
    clock: Clock, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 1 to 20 times as long: the median is 10.5 times, the 95th percentile 19.05."""
    times, _ = run(clock, photos, monkeypatch)
    once = {"decode": 2, "detect": 3, "detect and cut": 7, "embed": 11, "classify": 0.04, "whole": 17}
    assert list(times) == list(STEPS)
    for step, milliseconds in once.items():
        assert times[step] == pytest.approx({"median": 10.5 * milliseconds, "p95": 19.05 * milliseconds}), step


def test_the_median_is_no_mean(clock: Clock, photos: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    times, _ = run(clock, [photos[0], photos[1], photos[19]], monkeypatch)
    assert times["embed"]["median"] == pytest.approx(22)


@pytest.mark.parametrize("flip", [True, False])
def test_embedding_is_timed_as_it_is_served(
    clock: Clock, photos: list[Path], monkeypatch: pytest.MonkeyPatch, flip: bool
) -> None:
    """With or without the mirrored face, on as many cores as there are."""
    _, opened = run(clock, photos[:1], monkeypatch, flip)
    assert opened == [(flip, latency.available_cores())] * 2


def test_photos_with_a_face_are_measured_and_the_rest_passed_over(built: Workspace, tmp_path: Path) -> None:
    networks = Networks.load(built.path("models/networks"))
    verifier = Verifier.load(built.path("models/model.joblib"), built.path("models/scaler.joblib"))
    put_faceless(tmp_path / "faceless.jpg")
    (tmp_path / "text.jpg").write_text("no photo")
    put(sorted(built.path("data/me").glob("*.jpg"))[0], tmp_path / "face.jpg")
    others = [tmp_path / "faceless.jpg", tmp_path / "text.jpg", tmp_path / "deleted.jpg"]
    assert measure(others, networks, verifier).keys() <= {"decode", "detect", "detect and cut"}
    times = measure([*others, tmp_path / "face.jpg"], networks, verifier)
    assert list(times) == list(STEPS)
    assert times["whole"]["median"] > times["detect and cut"]["median"] * 0.2
    assert times["classify"]["median"] < 1
