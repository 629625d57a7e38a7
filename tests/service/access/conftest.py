"""An application that has no models, so that it is made at once, and keys for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service import create_app
from service.access.keys import Role, create_key
from service.config import Settings
from tests.service.support import kept_in


@pytest.fixture
def keys_path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def make_key(keys_path: Path) -> Callable[..., str]:
    """Makes a key with these roles; the key itself."""

    def make(*roles: Role, days: float | None = None) -> str:
        return create_key(keys_path, "Ana", roles or ("verify",), days, lambda _: None)[1]

    return make


@pytest.fixture
def build(no_models: Settings, keys_path: Path) -> Callable[..., FlaskClient]:
    """Builds a client whose settings differ from the defaults in what is given."""

    def client(**changes: Any) -> FlaskClient:
        return create_app(replace(no_models, **(kept_in(keys_path.parent) | changes))).test_client()

    return client
