"""The service loads what the pipeline recorded, and nothing that anybody else has put there runs."""

from __future__ import annotations

import os
import pickle
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import pytest

from faces.operating_point import OperatingPoint
from faces.records import KEY_VARIABLE, record_path
from service import create_app
from service.config import Settings, SettingsError
from service.threshold import Threshold
from tests.recording import copy_networks, copy_trained, record_networks, record_trained
from tests.service.support import post_photo, settings_of

pytestmark = pytest.mark.security

KEY = "k" * 32
STARTED = "ALLOW_UNRECORDED_MODEL is true: models, networks and thresholds are loaded that the pipeline did not write"


class _Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.folder,)


@pytest.fixture
def copied(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a whole models/ that a test may tamper with."""
    models = copy_trained(settings.model_path.parent, tmp_path / "models")
    return settings_of(models, copy_networks(settings.networks_path, models / "networks"))


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """The folder that a planted pickle would make."""
    return tmp_path / "sprung"


def refused(settings: Settings, photo: bytes) -> str:
    """What a service says that cannot load its models; all its answers agree."""
    client = create_app(settings).test_client()
    health, verify = client.get("/healthz"), post_photo(client, photo)
    assert health.status_code == verify.status_code == 503
    detail: str = verify.get_json()["detail"]
    assert detail == health.get_json()["detail"]
    assert verify.get_json()["error"] == f"No se pudieron leer los modelos: {detail}"
    return detail


def served(settings: Settings, photo: bytes) -> dict[str, Any]:
    answer = post_photo(create_app(settings).test_client(), photo)
    assert answer.status_code == 200, answer.get_json()
    values: dict[str, Any] = answer.get_json()
    return values


@pytest.mark.parametrize("name", ["model.joblib", "scaler.joblib", "verifier.npz"])
def test_a_planted_pickle_does_not_run(copied: Settings, me_photo: bytes, trap: Path, name: str) -> None:
    joblib.dump(_Trap(trap), copied.model_path.parent / name)
    detail = refused(copied, me_photo)
    assert f"{name} no es el archivo que escribió el pipeline: su SHA-256 es " in detail
    assert "Ejecuta 'dvc repro --force train'" in detail
    assert not trap.exists()


@pytest.mark.parametrize("name", ["networks.json", "pnet.onnx", "embedder.onnx"])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_pickle_among_the_networks_does_not_run(
    copied: Settings, me_photo: bytes, trap: Path, name: str, recorded: bool
) -> None:
    (copied.networks_path / name).write_bytes(pickle.dumps(_Trap(trap)))
    if recorded:
        record_networks(copied.networks_path)
    assert name in refused(copied, me_photo)
    assert not trap.exists()


def test_networks_that_export_did_not_record(copied: Settings, me_photo: bytes) -> None:
    """Its files are those that it names; but who wrote it?"""
    manifest = copied.networks_path / "networks.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(": ", ":"), encoding="utf-8")
    assert "Ejecuta 'dvc repro --force export'" in refused(copied, me_photo)
    assert served(replace(copied, allow_unrecorded_model=True), me_photo)["is_me"] is True


@pytest.mark.parametrize(("stage", "name"), [("train", "model.joblib"), ("export", "networks.json")])
def test_models_of_earlier_versions_have_no_record(copied: Settings, me_photo: bytes, stage: str, name: str) -> None:
    record_path(copied.model_path.parent, stage).unlink()
    detail = refused(copied, me_photo)
    assert f"{stage}.json, así que nada dice que " in detail and name in detail
    assert "Ejecuta 'dvc repro', que lo crea" in detail


def test_a_model_of_ones_own_is_served_where_that_is_allowed(
    copied: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    expected = served(copied, me_photo)
    for path in copied.model_path.parent.glob("records/*"):
        path.unlink()
    allowed = replace(copied, allow_unrecorded_model=True)
    for _ in range(2):
        caplog.clear()
        assert served(allowed, me_photo)["score"] == pytest.approx(expected["score"], abs=1e-12)
        warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert warnings[0].startswith(STARTED), "at every start"
        assert sum("there is no " in warning for warning in warnings) == 3  # networks, model, photo limits


def test_the_start_warns_even_where_all_is_recorded(copied: Settings, caplog: pytest.LogCaptureFixture) -> None:
    create_app(replace(copied, allow_unrecorded_model=True))
    assert [text.startswith(STARTED) for text in warnings(caplog)] == [True]
    caplog.clear()
    create_app(copied)
    assert warnings(caplog) == []


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What this test logs as a warning, save that there are no keys; not what a service of another test logs."""
    own = (record for record in caplog.records if record.thread == threading.get_ident())
    return [record.getMessage() for record in own if record.levelno > 20 and record.name != "service.access"]


def test_a_changed_threshold_is_not_served(copied: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path = copied.model_path.parent / "operating_point.json"
    auto = replace(copied, threshold=None, operating_point_path=path)
    OperatingPoint(0.6, 0.1, "promised", None, False, 60, 60, 30).write(path.parent, copied.model_path)
    assert Threshold.resolve(auto).value == 0.6
    path.write_text(path.read_text(encoding="utf-8").replace("0.6", "0.01"), encoding="utf-8")
    caplog.clear()
    answer = served(auto, me_photo)
    assert (answer["threshold"], answer["threshold_source"]) == (0.75, "default")
    assert answer["threshold_note"].startswith("operating_point.json no es lo que registró el pipeline")
    assert str(path.parent) not in answer["threshold_note"], "paths are for the log"
    assert any("its SHA-256 is" in record.getMessage() for record in caplog.records)
    assert Threshold.resolve(replace(auto, allow_unrecorded_model=True)).value == 0.01


def test_changed_limits_of_photos_give_no_hints(
    copied: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = copied.photo_limits_path
    path.write_text(path.read_text(encoding="utf-8").replace('"min_face": ', '"min_face": 9999'), encoding="utf-8")
    assert served(copied, me_photo)["hints"] == []
    assert any("Answers will have no hints" in record.getMessage() for record in caplog.records)


class TestSigned:
    """With MODEL_SIGNING_KEY, each record has to be signed with it."""

    @pytest.fixture
    def signed(self, copied: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        record_trained(copied.model_path.parent)
        record_networks(copied.networks_path)
        monkeypatch.delenv(KEY_VARIABLE)
        return replace(copied, model_signing_key=KEY)

    def test_right(self, signed: Settings, me_photo: bytes) -> None:
        assert served(signed, me_photo)["is_me"] is True

    @pytest.mark.parametrize("stage", ["train", "export"])
    def test_unsigned(
        self, copied: Settings, signed: Settings, settings: Settings, me_photo: bytes, stage: str
    ) -> None:
        source = {"train": settings.model_path, "export": settings.networks_path}[stage].parent
        shutil.copy(record_path(source, stage), record_path(copied.model_path.parent, stage))
        assert f"{stage}.json no está firmado" in refused(signed, me_photo)
        assert served(replace(signed, allow_unrecorded_model=True), me_photo)["is_me"] is True

    def test_another_key(self, signed: Settings, me_photo: bytes) -> None:
        detail = refused(replace(signed, model_signing_key="o" * 32), me_photo)
        assert "no corresponde a MODEL_SIGNING_KEY" in detail

    def test_the_setting(self, tmp_path: Path) -> None:
        given = Settings.load({KEY_VARIABLE: KEY, "ALLOW_UNRECORDED_MODEL": "true"}, tmp_path / "none")
        assert given.trust.key == KEY.encode() and given.trust.allow_unrecorded
        assert KEY not in repr(given)
        assert Settings.load({KEY_VARIABLE: ""}, tmp_path / "none").trust.key is None

    def test_a_short_key_is_refused_and_not_shown(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"MODEL_SIGNING_KEY is .*; expected a text of 32 characters") as caught:
            Settings.load({KEY_VARIABLE: "hunter2"}, tmp_path / "none")
        assert "hunter2" not in str(caught.value)
