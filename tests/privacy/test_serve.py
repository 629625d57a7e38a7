"""The service and the new model: what is told is what the service says of itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from privacy.forget import serve
from privacy.forget.serve import Served
from service.access.keys import create_key
from service.config import PROJECT_ROOT, Settings
from tests.service.support import posix_only, settings_of, shipped_gunicorn

pytestmark = pytest.mark.security


@pytest.mark.slow
@posix_only
def test_a_service_that_refuses_the_new_model_is_told(trained_models: Any, networks_dir: Path, tmp_path: Path) -> None:
    """gunicorn has new workers then, too, and they serve the old model."""
    models = Path(shutil.copytree(trained_models.path, tmp_path / "models"))
    with shipped_gunicorn(settings_of(models, networks_dir), tmp_path, 1) as server:
        master = psutil.Process(server.process.pid)
        assert serve._reload(master) == ""
        (models / "model.joblib").write_bytes(b"no model")
        said = serve._reload(master)
        assert said.startswith("still has the old model, since it refused the new one (") and "restart it" in said
        assert server.verify(Path(trained_models.me_photos[0]).read_bytes()).status_code == 200


def test_what_is_to_be_done_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = tmp_path / "keys.json"
    settings = Settings(keys_path=keys, port=8443, tls_cert_path=tmp_path / "cert.pem")
    monkeypatch.setattr(Settings, "load", classmethod(lambda _: settings))
    assert serve._settings_to_mend(PROJECT_ROOT, Served(reloaded=1)) == []
    (said,) = serve._settings_to_mend(PROJECT_ROOT, Served())
    assert "copy models/ there and restart it" in said
    create_key(keys, "door", ["verify"], None, lambda _: None)
    assert serve._settings_to_mend(PROJECT_ROOT, Served()) == [said]
    create_key(keys, "administrator", ["admin"], None, lambda _: None)
    (said,) = serve._settings_to_mend(PROJECT_ROOT, Served())
    assert said.endswith('curl -sS -X POST -H "X-API-Key: $KEY" https://127.0.0.1:8443/admin/reload')


def test_a_model_elsewhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "model.joblib"
    settings = replace(Settings(), model_path=model)
    monkeypatch.setattr(Settings, "load", classmethod(lambda _: settings))
    served = Served(reloaded=1)
    assert serve._settings_to_mend(PROJECT_ROOT, served) == [] and not served.to_do
    model.touch()
    (said,) = serve._settings_to_mend(PROJECT_ROOT, served)
    assert said.startswith(f"MODEL_PATH is {model}: that model was not made anew") and served.to_do == 1
