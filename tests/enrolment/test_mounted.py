"""The service beside the page: it is there when there is a model, and asks the new one after a run."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import Client

from enrolment.application import Application
from enrolment.errors import EnrolmentError
from enrolment.mounted import Mounted
from enrolment.secret import Secret
from enrolment.session import Session
from faces.recognition.recognizer import Recognizer
from service.config import Settings
from stages.params import Params
from tests.conftest import ROOT
from tests.enrolment.conftest import ADDRESS, PORT
from tests.recording import write_trained
from tests.service.support import settings_of


def test_it_serves_the_model_that_is_there_now(
    session: Session, recognizer: Recognizer, dlib_params: Params, networks_dir: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    models = tmp_path / "models"
    models.mkdir()
    settings = replace(settings_of(models, networks_dir), host="127.0.0.1", port=PORT, workers=1)
    monkeypatch.setattr(Settings, "load", staticmethod(lambda: settings))  # what a reload reads
    mounted = Mounted(settings)
    client = Client(Application(session, Secret(), mounted, PORT))
    me = sorted((ROOT / "demo/me").iterdir())

    def served() -> str:
        return str(client.get("/version", base_url=ADDRESS).get_json()["verifier_sha256"])

    def there() -> str:
        return hashlib.sha256((models / "verifier.npz").read_bytes()).hexdigest()

    for path in ("/", "/ui"):
        answer = client.get(path, base_url=ADDRESS)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/enrol/"), "there is nothing to ask yet"
    mounted.renew()
    write_trained(models, recognizer, dlib_params, me[:4], [])
    assert served() == there()
    assert client.get("/ui", base_url=ADDRESS).status_code == 200
    before = there()
    write_trained(models, recognizer, dlib_params, me[4:8], [])
    assert served() == before != there()
    mounted.renew()
    assert served() == there()
    before = there()
    (models / "verifier.npz").write_bytes(b"damaged")
    with pytest.raises(EnrolmentError, match="The new model cannot be asked: "):
        mounted.renew()
    assert served() == before, "the former one goes on"
    assert "no API key" not in caplog.text, "nobody else reaches it, and with a key there is no enrolment"
