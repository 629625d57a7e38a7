"""/model/card and its charts: those of the model that is served, or 404 with the reason; no photo waits for them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from faces import model_card
from faces.records import record_path
from service import create_app
from service.access.keys import create_key
from service.config import Settings
from service.reload import build
from tests.model_cards import PLOTS, card, put_card
from tests.recording import copy_trained
from tests.service.support import post_photo

NO_CARD = "No hay ficha de este modelo"
NO_PLOT = "La ficha del modelo no tiene ese gráfico"
AFTERWARDS = "; después, haz que el servicio lo recargue o reinícialo"


@pytest.fixture
def carded(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a model with its card, which a test may tamper with."""
    models = copy_trained(settings.model_path.parent, tmp_path / "models")
    put_card(models)
    return replace(
        settings, model_path=models / "model.joblib", scaler_path=models / "scaler.joblib",
        photo_limits_path=models / "photo_limits.json", keys_path=tmp_path / "keys.json",
    )  # fmt: skip


def client_of(settings: Settings, **changes: Any) -> FlaskClient:
    return create_app(replace(settings, **changes)).test_client()


def why_not(client: FlaskClient) -> str:
    """Why there is no card, as both endpoints say."""
    answers = [client.get(path) for path in ("/model/card", "/model/plots/scores.png")]
    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [answer.get_json() for answer in answers]
    assert bodies[0] == bodies[1] and bodies[0]["error"] == NO_CARD
    assert client.get("/ui/settings.json").get_json()["has_card"] is False
    detail: str = bodies[0]["detail"]
    return detail


def test_it_says_what_the_card_says(carded: Settings) -> None:
    client = client_of(carded)
    answer = client.get("/model/card")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"
    written = json.loads((carded.model_path.parent / "card" / "card.json").read_bytes())
    del written["rates"]
    assert answer.get_json() == written
    assert answer.get_json()["model_sha256"] == client.get("/version").get_json()["model_sha256"]
    assert client.get("/ui/settings.json").get_json()["has_card"] is True


def test_figures_are_those_of_the_threshold_that_is_served(carded: Settings) -> None:
    told = client_of(carded, threshold=0.9).get("/model/card").get_json()
    assert told["threshold"] == 0.9
    assert [(one["name"], one["basis"], one["value"], one["threshold"]) for one in told["figures"]] == [
        ("far", "measured", 0.0, 0.9), ("far", "promised", 0.25, 0.9), ("frr", "measured", 0.5, 0.9),
        ("far", "measured", 0.1, 0.75), ("far", "promised", 0.3, 0.75), ("far", "estimated", 0.0005, 0.75),
        ("frr", "measured", 0.04, 0.75), ("auc", "measured", 0.99, None),
    ]  # fmt: skip


def test_each_chart_is_given_as_it_was_written(carded: Settings) -> None:
    client = client_of(carded)
    for name, picture in PLOTS.items():
        answer = client.get(f"/model/plots/{name}.png")
        assert (answer.status_code, answer.content_type, answer.data) == (200, "image/png", picture)
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.security
@pytest.mark.parametrize(
    "name", ["card", "Scores", "calibration", "..", "..%2fcard", "%2e%2e%2fmodel", "scores.png", "%00", "a" * 5000]
)
def test_nothing_else_is_given(carded: Settings, name: str) -> None:
    (carded.model_path.parent / "card" / "calibration.png").write_bytes(PLOTS["scores"])  # not named by the card
    answer = client_of(carded).get(f"/model/plots/{name}.png")
    assert answer.status_code == 404
    assert answer.get_json()["error"] in (NO_PLOT, "Ruta no encontrada")


def test_without_a_card_the_answer_says_what_to_do(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    client = create_app(settings).test_client()
    assert why_not(client) == f"no hay card.json junto al modelo: ejecuta 'dvc repro'{AFTERWARDS}"
    assert not [record for record in caplog.records if record.name == "service.model_card" and record.levelno > 20]


def test_why_there_is_none_is_told_in_english_too(carded: Settings) -> None:
    client = client_of(carded)
    english = {"Accept-Language": "en"}
    assert client.get("/model/plots/nothing.png", headers=english).get_json() == {
        "error": NO_PLOT, "code": "no_plot", "message": "The model's card has no such chart",
        "detail": "GET /model/card says which there are, in 'plots'",
    }  # fmt: skip
    (carded.model_path.parent / "card" / "card.json").unlink()
    assert client_of(carded).get("/model/card", headers=english).get_json() == {
        "error": NO_CARD, "code": "no_card", "message": "There is no card of this model",
        "detail": "there is no card.json beside the model: run 'dvc repro'; then let the service reload it or start it "
        "again",
    }  # fmt: skip


def test_without_a_model_there_is_no_card(no_models: Settings) -> None:
    client = create_app(no_models).test_client()
    assert why_not(client) == "no hay ningún modelo cargado; /healthz dice por qué"


@pytest.mark.security
class TestPlanted:
    """The card is not needed, and not believed."""

    def refused(self, settings: Settings, photo: bytes, caplog: pytest.LogCaptureFixture) -> str:
        """Why there is no card; a photo is verified all the same, and the log warns with the path."""
        client = create_app(settings).test_client()
        detail = why_not(client)
        assert post_photo(client, photo).status_code == 200
        assert str(settings.model_path.parent) not in detail
        said = [record for record in caplog.records if record.name == "service.model_card"]
        assert said and all(record.levelno >= 30 for record in said)
        return detail

    def test_the_card_of_another_model(
        self, carded: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        models = carded.model_path.parent
        model_card.write(models, card(model_sha256="b" * 64), PLOTS)
        detail = self.refused(carded, me_photo, caplog)
        assert detail == (
            f"card.json es de otro modelo: ejecuta 'dvc repro' y copia toda la carpeta models/{AFTERWARDS}"
        )

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("card.json", b"{"), ("card.json", b"[" * 100_000), ("card.json", b"\xff\xfe"), ("card.json", b""),
            ("scores.png", b"<script>alert(1)</script>"), ("scores.png", bytes(2**21)),
        ],
    )  # fmt: skip
    def test_files_that_the_pipeline_did_not_write(
        self, carded: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture, name: str, data: bytes
    ) -> None:
        (carded.model_path.parent / "card" / name).write_bytes(data)
        detail = self.refused(carded, me_photo, caplog)
        assert f"{name} no es lo que registró el pipeline: ejecuta 'dvc repro --force report'" in detail or (
            detail == f"{name} está dañado: ejecuta 'dvc repro --force report'{AFTERWARDS}" and len(data) > 2**20
        )

    def test_where_unrecorded_files_are_allowed_they_are_looked_at_all_the_same(
        self, carded: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        allowed = replace(carded, allow_unrecorded_model=True)
        record_path(carded.model_path.parent, "report").unlink()
        assert client_of(allowed).get("/model/card").status_code == 200
        (carded.model_path.parent / "card" / "scores.png").write_bytes(b"<script>alert(1)</script>")
        assert "scores.png está dañado" in self.refused(allowed, me_photo, caplog)

    def test_what_nobody_foresaw(
        self, carded: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise AttributeError("'a'")

        monkeypatch.setattr(model_card, "read", fail)
        detail = self.refused(carded, me_photo, caplog)
        assert detail == f"card.json está dañado: ejecuta 'dvc repro --force report'{AFTERWARDS}"

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
    def test_a_file_that_cannot_be_read(
        self, carded: Settings, me_photo: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        (carded.model_path.parent / "card" / "card.json").chmod(0)
        assert "card.json está dañado" in self.refused(carded, me_photo, caplog)


@pytest.mark.security
@pytest.mark.parametrize(("roles", "status"), [(["verify"], 200), (["metrics"], 403), (["admin"], 403), ([], 401)])
def test_it_is_for_those_who_may_verify(carded: Settings, roles: list[Any], status: int) -> None:
    create_key(carded.keys_path, "Ana", ["verify"], None, lambda _: None)
    given = {"X-API-Key": create_key(carded.keys_path, "Eva", roles, None, lambda _: None)[1]} if roles else {}
    client = client_of(carded, audit_path=carded.keys_path.parent / "audit", audit_key="k" * 32,
                       audit_head_path=carded.keys_path.parent / "head",
                       audit_salts_path=carded.keys_path.parent / "salts")  # fmt: skip
    for path in ("/model/card", "/model/plots/scores.png"):
        assert client.get(path, headers=given).status_code == status, path
    denied = client.get("/model/plots/nothing.png", headers=given)
    assert denied.status_code == (404 if status == 200 else status), "nobody else learns which charts there are"


def test_what_changes_on_the_disk_counts_from_the_reload_on(carded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "load", lambda: carded)
    before = client_of(carded)
    written = put_card(carded.model_path.parent, written="2027-01-01T00:00:00+00:00").written
    assert before.get("/model/card").get_json()["written"] != written
    after = build(carded, one_process=True)[1].test_client()
    assert after.get("/model/card").get_json()["written"] == written
