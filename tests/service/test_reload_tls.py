"""HTTPS and a reload: a certificate that cannot be used changes nothing, not even for a worker that starts later."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from service.access.keys import create_key
from service.config import PROJECT_ROOT, Settings
from tests.service.support import Server, certify, kept_in, posix_only, running, shipped_gunicorn

pytestmark = [posix_only, pytest.mark.security]

REASON = "El certificado TLS o su clave no se pueden usar; el registro del servicio dice cuál y qué hacer"


def served(server: Server) -> str:
    """The certificate that the server shows to a new connection, PEM."""
    return ssl.get_server_certificate(("127.0.0.1", server.port), timeout=20)


def reload_of(server: Server) -> dict[str, str]:
    answer: dict[str, str] = requests.get(f"{server.url}/readyz", verify=False, timeout=20).json().get("reload", {})
    return answer


def until(what: Callable[[], bool], server: Server, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline and server.process.poll() is None, server.log
        time.sleep(0.1)


def hang_up(server: Server, status: str) -> None:
    """SIGHUP, until all of the old workers have ended and a new one says what came of it."""
    exited = server.log.count("Worker exiting")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.log.count("Worker exiting") >= exited + 2, server)
    until(lambda: all_are_ready(server), server)
    assert reload_of(server)["status"] == status


def workers(server: Server) -> set[int]:
    return {child.pid for child in psutil.Process(server.process.pid).children()}


def all_are_ready(server: Server) -> bool:
    return workers(server) <= {int(pid) for pid in re.findall(r"Worker ready \(pid: (\d+)\)", server.log)}


def kill_the_workers(server: Server) -> None:
    """All of them, until those in their places are ready."""
    killed = workers(server)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: bool(workers(server)) and not workers(server) & killed and all_are_ready(server), server)


def pair(folder: Path, name: str) -> tuple[bytes, bytes]:
    """A new certificate and its key, as bytes."""
    (folder / name).mkdir()
    certificate, key = certify(folder / name)
    return certificate.read_bytes(), key.read_bytes()


@pytest.fixture
def files(settings: Settings, tmp_path: Path) -> Settings:
    certificate, key = certify(tmp_path)
    return replace(settings, **kept_in(tmp_path), tls_cert_path=certificate, tls_key_path=key)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_is_renewed(files: Settings, tmp_path: Path, me_photo: bytes) -> None:
    certificate, key = files.tls_cert_path, files.tls_key_path
    assert certificate is not None and key is not None
    admin = {"X-API-Key": create_key(files.keys_path, "Eva", ["admin", "verify"], None, lambda _: None)[1]}
    first, (second, second_key) = certificate.read_text(), pair(tmp_path, "second")
    with shipped_gunicorn(files, tmp_path) as server:
        assert served(server) == first
        certificate.write_bytes(second[:400])  # it is being written
        hang_up(server, "refused")
        assert reload_of(server)["reason"] == REASON
        assert "TLS_CERT_PATH holds no whole certificate" in server.log and "Write the file again" in server.log
        certificate.write_bytes(second)  # and its key is the old one still
        answer = requests.post(f"{server.url}/admin/reload", headers=admin, verify=False, timeout=60)
        assert (answer.status_code, answer.json()["detail"]) == (409, REASON)
        until(lambda: "the key is not that of the certificate" in server.log, server)
        until(lambda: server.log.count("Worker exiting") >= 4, server)
        certificate.unlink()
        hang_up(server, "refused")
        certificate.write_bytes(b"")
        kill_the_workers(server)
        assert served(server) == first, "a worker that is started now serves with what the master has"
        photo = {"image": ("a.jpg", me_photo, "image/jpeg")}
        answer = requests.post(f"{server.url}/verify", files=photo, headers=admin, verify=False, timeout=30)
        assert answer.json()["is_me"] is True
        certificate.write_bytes(second)
        key.write_bytes(second_key)
        hang_up(server, "done")
        assert served(server) == second.decode()
        certificate.unlink()
        kill_the_workers(server)
        assert served(server) == second.decode()
        assert "Traceback" not in server.log


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("kind", ["gthread", pytest.param("sync", marks=pytest.mark.slow)])
def test_other_workers_serve_with_it_too(files: Settings, tmp_path: Path, kind: str) -> None:
    command = [str(PROJECT_ROOT / "service/run_gunicorn.sh"), "-w", "1", "-k", kind]
    assert files.tls_cert_path is not None
    with running(command, files, tmp_path, workers=1) as server:
        first = served(server)
        files.tls_cert_path.write_bytes(b"")
        kill_the_workers(server)
        assert served(server) == first


def test_files_of_the_command_line_count(no_models: Settings, tmp_path: Path) -> None:
    certificate, key = certify(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    own = certify(other)
    certificate.write_bytes(certificate.read_bytes() + own[0].read_bytes())  # for the client, which trusts both
    command = [str(PROJECT_ROOT / "service/run_gunicorn.sh"), "--certfile", str(own[0]), "--keyfile", str(own[1])]
    secured = replace(no_models, tls_cert_path=certificate, tls_key_path=key)
    with running(command, secured, tmp_path, workers=2) as server:
        assert served(server) == own[0].read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_certificate_to_try_it_out(no_models: Settings, tmp_path: Path) -> None:
    """As docs/deployment.md makes it; what speaks plain HTTP gets nothing."""
    page = (PROJECT_ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```bash\n(openssl req .*?)^```$", page, re.MULTILINE | re.DOTALL)
    make, _, ask = block.replace("~/", f"{tmp_path}/").strip().rpartition("\n")
    subprocess.run(["bash", "-c", make], check=True, capture_output=True, timeout=60)
    secured = replace(no_models, tls_cert_path=tmp_path / "tls_cert.pem", tls_key_path=tmp_path / "tls_key.pem")
    with shipped_gunicorn(secured, tmp_path) as server:
        asked = ask.replace("localhost:5000", f"localhost:{server.port}")
        done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=30, check=True)
        assert json.loads(done.stdout)["status"] == "unhealthy"  # there are no models
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://localhost:{server.port}/healthz", timeout=10)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("no certificate", "TLS_CERT_PATH cannot be read (No such file or directory)"),
        ("half a certificate", "TLS_CERT_PATH holds no whole certificate"),
        ("half of the chain", "TLS_CERT_PATH holds no whole certificate"),
        ("no key", "TLS_KEY_PATH cannot be read (No such file or directory)"),
        ("half a key", "TLS_KEY_PATH holds no whole key, or one with a passphrase"),
        ("a passphrase", "TLS_KEY_PATH holds no whole key, or one with a passphrase"),
        ("another key", "the key is not that of the certificate. Put both files of the same pair there"),
        ("a key of another kind", "the key is not that of the certificate. Put both files of the same pair there"),
    ],
)
def test_what_is_wrong_is_said_of_the_right_file(tmp_path: Path, damage: str, expected: str) -> None:
    """Nobody is asked for a passphrase: the process has no terminal, and would wait for ever."""
    certificate, key = certify(tmp_path)
    second, second_key = pair(tmp_path, "second")
    if damage == "half of the chain":
        certificate.write_bytes(certificate.read_bytes() + second[:-200])
    elif damage == "a passphrase":
        command = ["openssl", "rsa", "-aes128", "-passout", "pass:secret", "-in", str(key), "-out", str(key)]
        subprocess.run(command, check=True, capture_output=True)
    elif damage == "a key of another kind":
        command = ["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(key)]
        subprocess.run(command, check=True, capture_output=True)
    elif damage == "another key":
        key.write_bytes(second_key)
    else:
        path = key if damage.endswith("key") else certificate
        path.unlink() if damage.startswith("no") else path.write_bytes(path.read_bytes()[:400])
    environment = {**os.environ, "TLS_CERT_PATH": str(certificate), "TLS_KEY_PATH": str(key)}
    code = "from service.config import Settings\ntry: Settings.load()\nexcept ValueError as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert expected in done.stdout, done
    assert str(certificate) in done.stdout and str(key) in done.stdout
