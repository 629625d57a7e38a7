"""The container's health check, as the Dockerfile runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from service.config import PROJECT_ROOT, Settings
from service.healthcheck import url
from tests.ports import free_port
from tests.service.support import Server, certify, posix_only, shipped_gunicorn


def check(**settings: str) -> subprocess.CompletedProcess[str]:
    """Run it with these settings, and with a proxy that there is not."""
    environment = os.environ | {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"} | settings
    command = [sys.executable, "-I", "service/healthcheck.py"]
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False, timeout=20
    )


@posix_only
def test_healthy(gunicorn: Server) -> None:
    done = check(PORT=str(gunicorn.port))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@posix_only
def test_without_models_it_says_why(no_models: Settings, tmp_path: Path) -> None:
    """And with TLS: the certificate is not for 127.0.0.1's own name."""
    certificate, key = certify(tmp_path)
    secured = replace(no_models, tls_cert_path=certificate, tls_key_path=key)
    with shipped_gunicorn(secured, tmp_path, workers=1) as server:
        done = check(PORT=str(server.port), TLS_CERT_PATH=str(certificate))
    assert done.returncode == 1
    assert "answers 503" in done.stderr and "Models not loaded" in done.stderr and "Traceback" not in done.stderr


def test_nobody_answers() -> None:
    done = check(PORT=str(free_port()))
    assert done.returncode == 1
    assert "does not answer" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "http://127.0.0.1:5000/healthz"),
        ({"PORT": "8000", "FLASK_HOST": "10.0.0.1"}, "http://10.0.0.1:8000/healthz"),
        ({"FLASK_HOST": "::", "TLS_CERT_PATH": "c.pem"}, "https://[::1]:5000/healthz"),
    ],
)
def test_where_it_asks(settings: dict[str, str], expected: str) -> None:
    assert url(settings) == expected
