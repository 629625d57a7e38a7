"""VERIFY_THRESHOLD=auto: the operating point that goes with the model, or 0.75 and why."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faces.operating_point import Basis, OperatingPoint
from service import create_app
from service.config import Settings
from service.language import tell
from service.threshold import Threshold
from tests.recording import record


@pytest.fixture
def auto(settings: Settings, tmp_path: Path) -> Settings:
    """auto, with a place for the operating point and none there."""
    return replace(settings, threshold=None, operating_point_path=tmp_path / "operating_point.json")


POINT = OperatingPoint(0.4321, 0.01, "measured", 0.3456, False, 250, 250, 300)


def write(auto: Settings, basis: Basis, **changes: Any) -> None:
    """An operating point; what is not given is that of POINT."""
    replace(POINT, basis=basis, **changes).write(auto.operating_point_path.parent, auto.model_path)


def note_of(served: Threshold) -> str:
    assert served.note is not None
    return tell(served.note, "es")


def test_a_number_is_a_number(settings: Settings) -> None:
    given = replace(settings, threshold_given=True)
    assert Threshold.resolve(given) == Threshold(0.75, "setting", "set")
    assert Threshold.resolve(given).as_json("es") == {"threshold_source": "setting", "threshold_basis": "set"}


def test_what_nobody_has_set_is_the_default(settings: Settings, tmp_path: Path) -> None:
    """0.75 that was not given stands on nothing; given, it is whoever gave it that stands behind it."""
    assert Threshold.resolve(replace(settings, threshold_given=False)) == Threshold(0.75, "setting", "default")
    said = {"threshold_source": "setting", "threshold_basis": "default"}
    assert Threshold.resolve(Settings.load({}, tmp_path / "none")).as_json("es") == said
    assert Threshold.resolve(Settings.load({"VERIFY_THRESHOLD": "0.75"}, tmp_path / "none")).basis == "set"
    env_file = tmp_path / ".env"
    env_file.write_text("VERIFY_THRESHOLD=0.75\n", encoding="utf-8")
    assert Threshold.resolve(Settings.load({}, env_file)).basis == "set"


@pytest.mark.parametrize("accepted", [False, True])
def test_a_supported_point_is_served(auto: Settings, me_photo: bytes, accepted: bool) -> None:
    write(auto, "promised", accept_estimate=accepted)
    assert Threshold.resolve(auto) == Threshold(0.4321, "auto", "promised")
    answer = create_app(auto).test_client().post("/verify", data={"image": (io.BytesIO(me_photo), "me.jpg")}).get_json()
    about = (answer["threshold"], answer["threshold_source"], answer["threshold_basis"])
    assert about == (0.4321, "auto", "promised")
    assert "threshold_note" not in answer
    assert answer["is_me"] is (answer["score"] >= 0.4321)


@pytest.mark.parametrize(("basis", "people"), [("measured", 250), ("estimated", 0)])
def test_an_estimate_that_is_accepted_is_served(
    auto: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture, basis: Basis, people: int
) -> None:
    write(auto, basis, accept_estimate=True, people=people, effective_people=people)
    with caplog.at_level(logging.INFO, "service.threshold"):
        client = create_app(auto).test_client()
    assert "0.3456, estimated for a FAR of 0.01 (evaluate.accept_estimate), since" in caplog.text
    answer = client.post("/verify", data={"image": (io.BytesIO(me_photo), "me.jpg")}).get_json()
    about = (answer["threshold"], answer["threshold_source"], answer["threshold_basis"])
    assert about == (0.3456, "auto", "estimated")
    assert "threshold_note" not in answer
    assert answer["is_me"] is (answer["score"] >= 0.3456)


def test_an_estimate_that_is_not_accepted_is_spoken_of(auto: Settings, caplog: pytest.LogCaptureFixture) -> None:
    write(auto, "measured")
    with caplog.at_level(logging.WARNING, "service.threshold"):
        served = Threshold.resolve(auto)
    assert (served.value, served.source, served.basis) == (0.75, "default", "default")
    assert caplog.messages == [
        "VERIFY_THRESHOLD=auto: serving 0.75, since 250 strangers are too few to promise that at most 0.01 of them get "
        "in; it takes 300. It is estimated that at most that share gets in with the threshold 0.3456: to serve "
        "that, set evaluate.accept_estimate to true in params.yaml and run 'dvc repro'"
    ]
    assert note_of(served).endswith(
        "hacen falta 300. Se estima que con el umbral 0.3456 no pasa de ahí: para usarlo, pon "
        "evaluate.accept_estimate a true en params.yaml y ejecuta 'dvc repro'"
    )


def test_without_an_estimate_there_is_none_to_accept(auto: Settings) -> None:
    write(auto, "measured", estimated_threshold=None, accept_estimate=True)
    served = Threshold.resolve(auto)
    assert (served.value, served.basis) == (0.75, "default")
    assert "estima" not in note_of(served)


def test_without_photos_of_others_that_is_the_reason(auto: Settings) -> None:
    write(auto, "estimated", people=0, effective_people=0)
    assert note_of(Threshold.resolve(auto)).startswith(
        "not_me está vacía: para garantizar que la proporción de desconocidos que entran no pase de 0.01, hacen falta "
        "300. Se estima que con el umbral 0.3456"
    )


def test_a_file_of_an_earlier_version_is_told_of(auto: Settings) -> None:
    write(auto, "promised")
    values = json.loads(auto.operating_point_path.read_text(encoding="utf-8"))
    for name in ("basis", "estimated_threshold", "accept_estimate"):
        del values[name]
    auto.operating_point_path.write_text(json.dumps(values), encoding="utf-8")
    record(auto.operating_point_path.parent, "evaluate", auto.operating_point_path.name)
    served = Threshold.resolve(auto)
    assert (served.value, served.basis) == (0.75, "default")
    assert "es de una versión anterior del proyecto: ejecuta 'dvc repro'" in note_of(served)


def test_too_few_strangers_get_the_default_and_are_spoken_of(
    auto: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    write(auto, "measured", estimated_threshold=None)
    with caplog.at_level(logging.WARNING, "service.threshold"):
        client = create_app(auto).test_client()
    said = "250 strangers are too few to promise that at most 0.01 of them get in; it takes 300"
    assert f"VERIFY_THRESHOLD=auto: serving 0.75, since {said}" in caplog.text
    answer = client.post("/verify", data={"image": (io.BytesIO(me_photo), "me.jpg")}).get_json()
    about = (answer["threshold"], answer["threshold_source"], answer["threshold_basis"])
    assert about == (0.75, "default", "default")
    assert answer["threshold_note"] == (
        "250 desconocidos no bastan para garantizar que la proporción de los que entran no pase de 0.01; hacen falta "
        "300"
    )


def test_strangers_with_unequally_many_photos_count_as_fewer(auto: Settings) -> None:
    write(auto, "measured", effective_people=180)
    note = note_of(Threshold.resolve(auto))
    assert note.startswith("250 desconocidos (que cuentan solo como 180, porque varias caras de una")
    assert ") no bastan para garantizar" in note


def test_without_the_file_or_of_another_model_it_is_the_default(auto: Settings) -> None:
    assert Threshold.resolve(auto).value == 0.75
    assert "no hay operating_point.json junto al modelo" in note_of(Threshold.resolve(auto))
    write(replace(auto, model_path=auto.scaler_path), "promised")
    assert "es de otro modelo" in note_of(Threshold.resolve(auto))


@pytest.mark.parametrize("text", ["auto", "AUTO", " auto "])
def test_the_word(tmp_path: Path, text: str) -> None:
    assert Settings.load({"VERIFY_THRESHOLD": text}, tmp_path / "none").threshold is None
