"""What is behind the proxy in its tests: the service as shipped, or a server that says what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.config import Settings
from tests.conftest import TrainedModels
from tests.deploy.nginx import Nginx, proxied
from tests.service.support import Server, settings_of, shipped_gunicorn


@pytest.fixture(scope="session")
def service_settings(networks_dir: Path, trained_models: TrainedModels) -> Settings:
    """Settings with real networks and a model trained on them."""
    return settings_of(trained_models.path, networks_dir)


@pytest.fixture(scope="session")
def service(service_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """gunicorn as shipped."""
    with shipped_gunicorn(service_settings, tmp_path_factory.mktemp("service")) as server:
        yield server


@pytest.fixture(scope="session")
def nginx(service: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx with the shipped site in front of it."""
    with proxied(tmp_path_factory.mktemp("nginx"), service.port) as started:
        yield started


@pytest.fixture(scope="session")
def me_photo(trained_models: TrainedModels) -> bytes:
    """A JPEG of the person the model was trained on, not used in training."""
    return Path(trained_models.me_photos[0]).read_bytes()


class _Mirror(BaseHTTPRequestHandler):
    """Answers with the headers of the request, at /silence never."""

    def do_GET(self) -> None:
        if self.path == "/silence":
            threading.Event().wait(10)
            return
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest shows what is printed."""


@pytest.fixture
def mirror() -> Iterator[int]:
    """The port of a server that answers a GET with its headers, as JSON."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Mirror)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
