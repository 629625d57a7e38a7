"""The shipped site in a real nginx that needs no rights: its own folder, its own ports."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.ports import free_port
from tests.service.support import certify

SITE = ROOT / "deploy/nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(
    NGINX is None or shutil.which("openssl") is None, reason="nginx or openssl is not installed"
)

# What nginx.conf itself holds on Debian, without the log of errors, and with folders of this test's own.
MAIN = """
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 768; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    access_log {folder}/access.log;
    include {folder}/site.conf;
}}
"""


@dataclass
class Nginx:
    """An nginx that runs, or its configuration.

    Attributes:
        folder: all of its files.
        http, https: its ports.
        certificate: what `requests` takes as `verify`.
    """

    folder: Path
    http: int
    https: int
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    @property
    def log(self) -> str:
        """What nginx has said, without the requests."""
        return (self.folder / "nginx.log").read_text(encoding="utf-8")


Change = tuple[str, str, int]


def replaced(text: str, *changes: Change) -> str:
    """A text in which each pattern is found so many times, as the shipped file has it, and replaced."""
    for pattern, new, times in changes:
        text, found = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert found == times, f"{pattern}: found {found} times"
    return text


def configure(folder: Path, service_port: int, *changes: Change) -> Nginx:
    """The shipped site, with other ports, another name and a new certificate, and a main file that includes it.

    Args:
        folder: for all of its files.
        service_port: where the service listens on 127.0.0.1.
        changes: further ones, as `replaced` takes them.
    """
    certificate, key = certify(folder)
    nginx = Nginx(folder, free_port(), free_port(), certificate)
    site = replaced(
        SITE.read_text(encoding="utf-8"),
        (r"^    listen \[::\]:.*\n", "", 2),
        (r"listen 80;", f"listen 127.0.0.1:{nginx.http};", 1),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{nginx.https} ssl;", 1),
        (r"server_name verify\.example\.org;", "server_name localhost;", 2),
        (r"ssl_certificate \S+;", f"ssl_certificate {certificate};", 1),
        (r"ssl_certificate_key \S+;", f"ssl_certificate_key {key};", 1),
        (r"server 127\.0\.0\.1:5000;", f"server 127.0.0.1:{service_port};", 1),
        *changes,
    )
    (folder / "site.conf").write_text(site, encoding="utf-8")
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder), encoding="utf-8")
    return nginx


def command(nginx: Nginx, *options: str) -> list[str]:
    assert NGINX is not None
    return [NGINX, "-p", str(nginx.folder), "-e", "stderr", "-c", str(nginx.folder / "nginx.conf"), *options]


@contextlib.contextmanager
def proxied(folder: Path, service_port: int, *changes: Change) -> Iterator[Nginx]:
    """nginx with the shipped site in front of what listens on a port of 127.0.0.1; arguments as of `configure`."""
    nginx = configure(folder, service_port, *changes)
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(command(nginx), stdout=log, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 20
        while True:
            assert process.poll() is None and time.monotonic() < until, nginx.log
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", nginx.https), 1):
                break
            time.sleep(0.05)
        yield nginx
    finally:
        process.terminate()
        process.wait(20)
