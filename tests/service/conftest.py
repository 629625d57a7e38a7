"""What the service's tests share: settings that touch nothing of the project, photos, a running gunicorn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from service import create_app
from service.config import Settings
from tests.service.support import Server, encode, settings_of, shipped_gunicorn


@pytest.fixture
def no_models(tmp_path: Path) -> Settings:
    """Settings of a project in which nothing has been built."""
    return Settings(
        model_path=tmp_path / "model.joblib",
        scaler_path=tmp_path / "scaler.joblib",
        networks_path=tmp_path / "networks",
        photo_limits_path=tmp_path / "photo_limits.json",
        keys_path=tmp_path / "no_keys.json",
    )


@pytest.fixture(scope="session")
def settings(networks_dir: Path, trained_models: Any) -> Settings:
    """Settings with real networks and a model trained on them."""
    return settings_of(trained_models.path, networks_dir)


@pytest.fixture(scope="session")
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).test_client()


@pytest.fixture(scope="session")
def me_photo(trained_models: Any) -> bytes:
    """A JPEG of the person the model was trained on, not used in training."""
    return Path(trained_models.me_photos[0]).read_bytes()


@pytest.fixture(scope="session")
def stranger_photo(trained_models: Any) -> bytes:
    return Path(trained_models.stranger_photos[0]).read_bytes()


@pytest.fixture(scope="session")
def faceless_photo() -> bytes:
    """A PNG with nothing on it but a gradient."""
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    return encode(Image.fromarray(np.dstack([ramp, ramp.T, ramp])), "PNG")


@pytest.fixture(scope="session")
def gunicorn(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with shipped_gunicorn(settings, tmp_path_factory.mktemp("gunicorn")) as server:
        yield server


@pytest.fixture
def photo_client(settings: Settings) -> Callable[..., FlaskClient]:
    """Builds a client whose settings differ from the defaults in what is given."""

    def build(**changes: Any) -> FlaskClient:
        return create_app(replace(settings, **changes)).test_client()

    return build
