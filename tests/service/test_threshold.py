"""VERIFY_THRESHOLD=auto: the operating point that goes with the model, or 0.75 and why."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from faces.operating_point import OperatingPoint
from service import create_app
from service.config import Settings
from service.threshold import Threshold


@pytest.fixture
def auto(settings: Settings, tmp_path: Path) -> Settings:
    """auto, with a place for the operating point and none there."""
    return replace(settings, threshold=None, operating_point_path=tmp_path / "operating_point.json")


def write(auto: Settings, supported: bool, effective: int = 250) -> None:
    OperatingPoint(0.4321, 0.01, supported, 250, effective, 300).write(auto.operating_point_path, auto.model_path)


def test_a_number_is_a_number(settings: Settings) -> None:
    assert Threshold.resolve(settings) == Threshold(0.75, "setting")
    assert Threshold.resolve(settings).as_json() == {"threshold_source": "setting"}


def test_a_supported_point_is_served(auto: Settings, me_photo: bytes) -> None:
    write(auto, supported=True)
    assert Threshold.resolve(auto) == Threshold(0.4321, "auto")
    answer = create_app(auto).test_client().post("/verify", data={"image": (io.BytesIO(me_photo), "me.jpg")}).get_json()
    assert (answer["threshold"], answer["threshold_source"]) == (0.4321, "auto")
    assert "threshold_note" not in answer
    assert answer["is_me"] is (answer["score"] >= 0.4321)


def test_too_few_strangers_get_the_default_and_are_spoken_of(
    auto: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    write(auto, supported=False)
    with caplog.at_level(logging.WARNING, "service.threshold"):
        client = create_app(auto).test_client()
    said = "250 strangers are too few to promise that at most 0.01 of them get in; it takes 300"
    assert f"VERIFY_THRESHOLD=auto: serving 0.75, since {said}" in caplog.text
    answer = client.post("/verify", data={"image": (io.BytesIO(me_photo), "me.jpg")}).get_json()
    assert (answer["threshold"], answer["threshold_source"]) == (0.75, "default")
    assert answer["threshold_note"] == (
        "250 desconocidos no bastan para prometer que la proporción de los que entran no pase de 0.01; hacen falta 300"
    )


def test_strangers_with_unequally_many_photos_count_as_fewer(auto: Settings) -> None:
    write(auto, supported=False, effective=180)
    note = Threshold.resolve(auto).note
    assert note.startswith("250 desconocidos (que para este cálculo cuentan solo como 180, porque varias caras de una")
    assert ") no bastan para prometer" in note


def test_without_the_file_or_of_another_model_it_is_the_default(auto: Settings) -> None:
    assert Threshold.resolve(auto).value == 0.75
    assert "no hay operating_point.json junto al modelo" in Threshold.resolve(auto).note
    write(replace(auto, model_path=auto.scaler_path), supported=True)
    assert "es de otro modelo" in Threshold.resolve(auto).note


@pytest.mark.parametrize("text", ["auto", "AUTO", " auto "])
def test_the_word(tmp_path: Path, text: str) -> None:
    assert Settings.load({"VERIFY_THRESHOLD": text}, tmp_path / "none").threshold is None
