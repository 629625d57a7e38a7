"""This project's service and its peers, each under gunicorn on a free port of this machine, and requests to them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from email.message import Message
from pathlib import Path
from typing import Any

from bench.peers.environment import face_recognition_python
from bench.peers.settings import Settings
from service.access.keys import create_key

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """A service that answers.

    Attributes:
        host, port: its address.
        process: gunicorn's master.
        headers: that each photo is sent with.
        asked_from: the client's own address, of this machine; "" leaves it to the system.
    """

    host: str
    port: int
    process: subprocess.Popen[bytes]
    headers: dict[str, str] = field(default_factory=dict)
    asked_from: str = ""

    @property
    def address(self) -> str:
        """Its URL, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def ask(self, body: bytes, content_type: str, timeout: float = 300) -> tuple[int, Message, bytes]:
        """Post a request made by `multipart`; returns status, headers and body.

        Raises:
            OSError: it is not answered.
        """
        return self._request("POST", "/verify", body, self.headers | {"Content-Type": content_type}, timeout)

    def get(self, path: str, timeout: float = 30) -> tuple[int, bytes]:
        """Status and body of a page; raises as `ask` does."""
        status, _, body = self._request("GET", path, None, {}, timeout)
        return status, body

    def _request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float
    ) -> tuple[int, Message, bytes]:
        source = (self.asked_from, 0) if self.asked_from else None
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout, source_address=source)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except http.client.HTTPException as error:
            raise OSError(f"no whole answer: {error!r}") from error
        finally:
            connection.close()


Start = Callable[[], AbstractContextManager[Server]]
"""Starts a server; as a context, until its end."""


def multipart(photo: bytes) -> tuple[bytes, str]:
    """A request's body with a photo in the field `image`, and its content type."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n'
    body = head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + photo + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def where(models: Path) -> dict[str, str]:
    """The settings that name the files of a folder with networks/, model.joblib and scaler.joblib."""
    return {
        "MODEL_PATH": str(models / "model.joblib"),
        "SCALER_PATH": str(models / "scaler.joblib"),
        "NETWORKS_PATH": str(models / "networks"),
    }


@contextmanager
def ours(
    models: Path,
    workers: int | None = None,
    root: Path = ROOT,
    *,
    prefix: Sequence[str] = (),
    log: Path | None = None,
    port: int | None = None,
    health: int = 200,
    **settings: str,
) -> Iterator[Server]:
    """The service, with its shipped configuration.

    Args:
        models: folder with networks/, model.joblib and scaler.joblib.
        workers: None for the default.
        root: the project to serve.
        prefix: a command that runs what follows it in its own place, such as `unshare -m`.
        log: the file that its log is added to; None keeps it to itself.
        port: None for a free one.
        health: what /healthz answers when it has started: 503 where its models are to be unusable.
        settings: more environment variables.
    """
    environment = {
        **os.environ,
        **where(models),
        "MAX_CONTENT_MB": "20",
        "MALLOC_ARENA_MAX": "1",  # as service/run_gunicorn.sh and the Dockerfile set it
        "KEYS_PATH": str(models / "no_keys.json"),  # whatever keys this project has
        **({} if workers is None else {"WEB_CONCURRENCY": str(workers)}),
        **settings,
    }
    command = [*prefix, sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py", "service:create_app()"]
    with running(command, environment, root, log, port, health) as server:
        yield server


@contextmanager
def guarded(models: Path, folder: Path, workers: int | None = None) -> Iterator[Server]:
    """The service with keys, limits and the audit log on.

    Args:
        models: as `ours` takes it.
        folder: for keys and log.
        workers: None for the default.
    """
    _, key = create_key(folder / "keys.json", "bench", ["verify"], None, lambda _: None)
    paths = {
        "KEYS_PATH": folder / "keys.json",
        "AUDIT_PATH": folder / "audit",
        "AUDIT_HEAD_PATH": folder / "kept-apart/head",
        "AUDIT_SALTS_PATH": folder / "kept-apart/salts",
    }
    never_reached = {"KEY_LIMIT": "1000000/minute", "ADDRESS_LIMIT": "1000000/minute"}
    settings: dict[str, Any] = {name: str(path) for name, path in paths.items()} | never_reached
    with ours(models, workers, **settings) as server:
        yield replace(server, headers={"X-API-Key": key})


@contextmanager
def naive(settings: Settings) -> Iterator[Server]:
    """The naive flow: see bench/peers/naive.py.

    Raises:
        SystemExit: it does not start, or computes with another number of threads than it was told.
    """
    command = [sys.executable, *_gunicorn(settings), "bench.peers.naive:create_app()"]
    with running(command, settings.environment(), ROOT) as server:
        threads = json.loads(server.get("/healthz")[1])["threads"]
        if settings.threads not in (None, threads):
            sys.exit(f"the naive flow computes with {threads} threads; expected {settings.threads}")
        yield server


@contextmanager
def face_recognition(settings: Settings) -> Iterator[Server]:
    """The package face_recognition behind Flask, in an environment of its own, which is made the first time."""
    command = [str(face_recognition_python()), *_gunicorn(settings), "face_recognition_service:app"]
    with running(command, settings.environment(), ROOT / "bench/peers") as server:
        yield server


def _gunicorn(settings: Settings) -> list[str]:
    preload = ["--preload"] if settings.preload else []
    plain = str(ROOT / "bench/peers/gunicorn.conf.py")
    return ["-m", "gunicorn", "-c", plain, "-w", str(settings.workers), "-t", "300", "-b", "127.0.0.1:{port}", *preload]


@contextmanager
def running(
    command: list[str],
    environment: dict[str, str],
    folder: Path,
    log_path: Path | None = None,
    port: int | None = None,
    health: int = 200,
) -> Iterator[Server]:
    """Start a server, wait until it says that it is well, and end it afterwards.

    Args:
        command: what to run; `{port}` in it is replaced.
        environment: all its variables, but FLASK_HOST and PORT.
        folder: directory to start it in.
        log_path: the file that its log is added to; None keeps it to itself.
        port: None for a free one.
        health: what /healthz answers when it has started.

    Raises:
        SystemExit: it does not start; the message holds its last lines.
    """
    port = port or _free_port()
    variables = {**environment, "FLASK_HOST": "127.0.0.1", "PORT": str(port)}
    with tempfile.TemporaryFile("w+") if log_path is None else log_path.open("a+") as log:
        process = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in command], cwd=folder, env=variables, stdout=log, stderr=log
        )
        try:
            server = Server("127.0.0.1", port, process)
            if not _is_up(server, health):
                log.seek(0)
                sys.exit(f"{' '.join(command)} did not start:\n{log.read()[-3000:]}")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_up(server: Server, health: int) -> bool:
    """Whether it answers with this status at /healthz before it ends or time is up."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(OSError):
            if server.get("/healthz")[0] == health:
                return True
        time.sleep(0.02)
    return False
