"""Photos, and servers in processes of their own, for the service's tests."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from service.config import PROJECT_ROOT, Settings
from tests.ports import free_port

LIMIT_BYTES = 2 * 2**20
"""MAX_CONTENT_MB's default, 2."""

MULTIPART = {"Content-Type": "multipart/form-data; boundary=limite"}

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def padded(photo: bytes, size: int) -> bytes:
    """The same JPEG, larger: decoders ignore what follows the end marker."""
    return photo + bytes(size - len(photo))


def post_photo(
    client: FlaskClient, photo: bytes, name: str = "photo.jpg", kind: str = "image/jpeg", **options: Any
) -> TestResponse:
    return client.post("/verify", data={"image": (io.BytesIO(photo), name, kind)}, **options)


def head(path: str, length: int, kind: str = MULTIPART["Content-Type"]) -> bytes:
    """The head of a POST whose body has so many bytes."""
    lines = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode()


def certify(folder: Path) -> tuple[Path, Path]:
    """A new certificate for localhost and its key, as files."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def kept_in(folder: Path) -> dict[str, Any]:
    """Settings with keys and the audit log in a folder, so that no test touches those of the project."""
    return {
        "keys_path": folder / "keys.json",
        "audit_path": folder / "audit",
        "audit_head_path": folder / "kept apart/head",
        "audit_salts_path": folder / "kept apart/salts",
        "audit_key": "a secret that only tests know of, with 32 characters",
    }


def settings_of(models: Path, networks: Path) -> Settings:
    """Settings of a model and its limits in a folder, and of networks in another."""
    return Settings(
        model_path=models / "model.joblib",
        scaler_path=models / "scaler.joblib",
        networks_path=networks,
        photo_limits_path=models / "photo_limits.json",
        keys_path=models / "no_keys.json",
    )


@dataclass
class Server:
    """A server in a process of its own, and what it has printed so far."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log_path: Path
    certificate: str | bool = True
    """What `requests` takes as `verify`."""

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8")

    def verify(self, photo: bytes, name: str = "photo.jpg", **options: Any) -> requests.Response:
        files = {"image": (name, photo, "image/jpeg")}
        options = {"timeout": 30, "verify": self.certificate} | options
        return requests.post(f"{self.url}/verify", files=files, **options)


def server_environment(settings: Settings, port: int, folder: Path) -> dict[str, str]:
    """The environment of a server process; it names every setting, so that no `.env` counts."""
    return {
        **os.environ,
        "MODEL_PATH": str(settings.model_path),
        "SCALER_PATH": str(settings.scaler_path),
        "NETWORKS_PATH": str(settings.networks_path),
        "PHOTO_LIMITS_PATH": str(settings.photo_limits_path),
        "VERIFY_THRESHOLD": str(settings.threshold),
        "MAX_CONTENT_MB": str(settings.max_content_mb),
        "MAX_MEGAPIXELS": str(settings.max_megapixels),
        "MODEL_VERSION": settings.model_version,
        "FLASK_HOST": "127.0.0.1",
        "PORT": str(port),
        "FLASK_DEBUG": "False",
        "CORS_ORIGINS": ",".join(settings.cors_origins or ()),
        "KEYS_PATH": str(settings.keys_path),
        "AUDIT_PATH": str(settings.audit_path or ""),
        "AUDIT_HEAD_PATH": str(settings.audit_head_path),
        "AUDIT_SALTS_PATH": str(settings.audit_salts_path),
        "AUDIT_KEY": settings.audit_key,
        "WEB_CONCURRENCY": "2",
        "MAX_WAIT_SECONDS": str(settings.max_wait_seconds),
        "HEADER_SECONDS": str(settings.header_seconds),
        "LOG_FORMAT": settings.log_format,
        **({"TLS_CERT_PATH": str(settings.tls_cert_path)} if settings.tls_cert_path else {}),
        **({"TLS_KEY_PATH": str(settings.tls_key_path)} if settings.tls_key_path else {}),
        "XDG_RUNTIME_DIR": str(folder),
    }


@contextlib.contextmanager
def running(
    command: list[str], settings: Settings, folder: Path, cwd: Path = PROJECT_ROOT, workers: int = 0
) -> Iterator[Server]:
    """Start a server on a free port of 127.0.0.1, wait until it answers, and end it afterwards.

    Args:
        command: what to run; `{port}` in it is replaced.
        settings: what to put in its environment.
        folder: where to write its log.
        cwd: directory to start it in.
        workers: how many workers are to be ready too (gunicorn loses a signal to end that comes before).
    """
    port = free_port()
    log_path = folder / f"server-{port}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in command],
            cwd=cwd,
            env=server_environment(settings, port, folder),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    if settings.tls_cert_path:
        server = Server(f"https://localhost:{port}", port, process, log_path, str(settings.tls_cert_path))
    else:
        server = Server(f"http://127.0.0.1:{port}", port, process, log_path)
    try:
        wait_until_up(server, workers)
        yield server
    finally:
        stop(server)


@contextlib.contextmanager
def shipped_gunicorn(settings: Settings, folder: Path, workers: int = 2) -> Iterator[Server]:
    """gunicorn as shipped: the script, started in a directory that is not the project's."""
    command = [str(PROJECT_ROOT / "service/run_gunicorn.sh"), "-w", str(workers)]
    with running(command, settings, folder, folder, workers) as server:
        yield server


def wait_until_up(server: Server, workers: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            pytest.fail(f"the server ended with {server.process.returncode}:\n{server.log}")
        with contextlib.suppress(requests.RequestException):
            requests.get(f"{server.url}/healthz", timeout=30, verify=server.certificate)
            if server.log.count("Worker ready") >= workers:
                return
        time.sleep(0.1)
    pytest.fail(f"the server did not answer within {seconds} s:\n{server.log}")


def stop(server: Server, seconds: float = 15) -> None:
    """End a server, and fail where it does not end by itself when asked to."""
    server.process.terminate()
    try:
        server.process.wait(seconds)
    except subprocess.TimeoutExpired:
        if sys.platform == "win32":
            server.process.kill()
        else:
            os.killpg(server.process.pid, signal.SIGKILL)  # its workers too
        server.process.wait()
        pytest.fail(f"the server did not stop within {seconds} s:\n{server.log}")
