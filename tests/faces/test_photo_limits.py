"""From where a photo is too poor, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faces.detection.face import Face
from faces.photo_limits import HINTS, FaceQuality, PhotoLimits, PhotoLimitsError
from faces.recognition.face_quality import measure_face
from faces.recognition.quality import turned_away

LIMITS = PhotoLimits(40, 0.003, 45, 200, 0.5, 0.8)
AT_THE_LIMITS = FaceQuality(40, 0.003, 45, 0.5, 0.8)


def test_at_the_limits_nothing_is_wrong() -> None:
    assert LIMITS.hints(AT_THE_LIMITS) == []
    assert LIMITS.hints(replace(AT_THE_LIMITS, brightness=200)) == []


@pytest.mark.parametrize(
    ("changes", "hints"),
    [
        ({"size": 39.9}, ["small"]),
        ({"sharpness": 0.0029}, ["blurred"]),
        ({"size": 39.9, "sharpness": 0.0029}, ["small"]),
        ({"brightness": 44.9}, ["dark"]),
        ({"brightness": 200.1}, ["bright"]),
        ({"turned_away": 0.51}, ["turned_away"]),
        ({"visible": 0.79}, ["cut_off"]),
        (
            {"sharpness": 0, "brightness": 0, "turned_away": 1, "visible": 0},
            ["blurred", "dark", "turned_away", "cut_off"],
        ),
    ],
)
def test_beyond_a_limit(changes: dict[str, float], hints: list[str]) -> None:
    assert LIMITS.hints(replace(AT_THE_LIMITS, **changes)) == hints
    assert set(hints) <= set(HINTS)


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "photo_limits.json"
    path.write_text(LIMITS.to_json(), encoding="utf-8")
    assert PhotoLimits.read(path) == LIMITS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"there is no photo_limits\.json beside the model: run 'dvc repro'"),
        ("", r"photo_limits\.json is damaged: run 'dvc repro --force train'"),
        ("[]", "is damaged"),
        ('{"min_face": 40}', "is damaged"),
        ('{"min_face": "x"}', "is damaged"),
    ],
)
def test_file_that_cannot_be_used(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "photo_limits.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PhotoLimitsError, match=message):
        PhotoLimits.read(path)


@pytest.mark.parametrize("degrees", [0, 90, 33])
@pytest.mark.parametrize(("nose", "away"), [(0, 0), (10, 0.25), (-20, 0.5), (30, 0.75)])
def test_turned_away(nose: float, away: float, degrees: int) -> None:
    """The eyes are 40 apart; how the head is tilted does not count."""
    points = np.array([[-20, 0], [20, 0], [nose, 22], [-15, 45], [15, 45]], float)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert turned_away(300 + points @ turn.T) == pytest.approx(away)


def test_turned_away_where_all_points_are_one() -> None:
    assert turned_away(np.full((5, 2), 7.0)) == 0


def test_measures_of_a_face() -> None:
    points = np.array([[10, 10], [30, 10], [25, 20], [12, 30], [28, 30]], float)
    crop = np.full((160, 160, 3), 80, np.uint8)
    quality = measure_face(Face(np.array([0, 0, 40, 90], float), 1.0, points, visible=0.6, crop=crop))
    assert quality == FaceQuality(60, 0, 80, 0.25, 0.6)
    assert quality.as_json() == {"size": 60, "sharpness": 0, "brightness": 80, "turned_away": 0.25, "visible": 0.6}
    with pytest.raises(ValueError, match="with its crop"):
        measure_face(Face(np.zeros(4), 1.0, points))
