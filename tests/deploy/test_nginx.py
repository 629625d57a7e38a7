"""deploy/nginx.conf in a real nginx, with TLS, in front of the real service."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from service import error_kinds
from service.config import Settings
from tests.deploy.nginx import SITE, Nginx, command, configure, needs_nginx, proxied
from tests.ports import free_port
from tests.service.support import LIMIT_BYTES, Server, head, posix_only

pytestmark = [posix_only, needs_nginx]

SECONDS = 5.0
"""What a right client waits at most; without an attack it is some hundredths, and other tests run beside this one."""

LIMIT = f"{Settings().max_content_mb:g}"
TOO_LARGE = error_kinds.TOO_LARGE.as_json("es", limit=LIMIT)["error"]
BAD_REQUEST = error_kinds.BAD_REQUEST.as_json("es")["error"]

OF_NGINX = {"password_missing", "not_allowed", "no_answer"}
"""Codes of what nginx alone answers."""


def get(nginx: Nginx, path: str, **options: Any) -> requests.Response:
    return requests.get(nginx.url + path, verify=str(nginx.certificate), timeout=20, **options)


def verify(nginx: Nginx, photo: bytes) -> requests.Response:
    files = {"image": ("photo.jpg", photo, "image/jpeg")}
    return requests.post(f"{nginx.url}/verify", files=files, verify=str(nginx.certificate), timeout=20)


@contextmanager
def connected(nginx: Nginx, source: str = "127.0.0.1") -> Iterator[ssl.SSLSocket]:
    """A connection with TLS from an address of this machine's own."""
    context = ssl.create_default_context(cafile=str(nginx.certificate))
    with (
        socket.create_connection(("127.0.0.1", nginx.https), 20, (source, 0)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        yield secured


def status_of(connection: socket.socket) -> int:
    """The status of the answer that comes, 0 where the connection is closed without one."""
    found = re.match(rb"HTTP/1\.1 (\d+)", connection.recv(1000))
    return int(found[1]) if found else 0


def assert_error(answer: requests.Response, status: int, error: str) -> None:
    """JSON with `error`, and the headers of the service's own answers, each once."""
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["Content-Type"] == "application/json"
    assert_headers(answer)


def assert_headers(answer: requests.Response) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert answer.headers["Server"] == "nginx"


def test_the_site_is_valid(tmp_path: Path) -> None:
    done = subprocess.run(command(configure(tmp_path, 5000), "-t"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_its_limits_fit_the_settings() -> None:
    """Of the default settings: what is just above the limit reaches the service, which says how large it is."""
    text = SITE.read_text(encoding="utf-8")
    size = re.search(r"client_max_body_size (\d+)m;", text)
    assert size
    assert Settings().max_body_bytes < int(size[1]) * 2**20 <= 2 * Settings().max_body_bytes
    assert f'"{TOO_LARGE}";' in text and f'{{"error":"{TOO_LARGE}"' in text
    assert f"server 127.0.0.1:{Settings().port};" in text


def test_its_own_errors_have_codes_and_texts_in_both_languages() -> None:
    """Those that the service has, too, are its words. `message` in Spanish is `error`."""
    text = SITE.read_text(encoding="utf-8")
    told = dict(re.findall(r'"((?:es|en) /nginx-error/\d+)" "(.+)";', text.partition("$face_verification_detail {")[0]))
    answers = re.findall(r"location = (/nginx-error/(\d+)) \{\n +internal;\n +return \2 '(.+)\\n';", text)
    assert len(answers) == text.count("internal;") == len(told) / 2
    kinds = {kind.code: kind for kind in error_kinds.KINDS}
    for path, status, answer in answers:
        told_here = json.loads(answer)
        assert told_here["message"] == "$face_verification_message"
        assert told_here["error"] == told[f"es {path}"] != told[f"en {path}"]
        kind = kinds.get(told_here["code"])
        assert (kind is None) == (told_here["code"] in OF_NGINX)
        if kind is not None and status == str(kind.status) and kind != error_kinds.TOO_MANY:
            assert [kind.as_json(language, limit=LIMIT)["message"] for language in ("es", "en")] == [
                told[f"{language} {path}"] for language in ("es", "en")
            ]


@pytest.mark.parametrize(
    ("asked", "language"), [("en-GB,en;q=0.9,es;q=0.8", "en"), ("es-ES,es;q=0.9,en;q=0.8", "es"), (None, "es")]
)
def test_its_own_errors_are_in_the_language_asked_for(nginx: Nginx, asked: str | None, language: str) -> None:
    headers = {"Accept-Language": asked}  # None takes that of requests away
    answer = get(nginx, "/metrics", headers=headers)
    assert_error(answer, 404, "Ruta no encontrada")
    of_service = get(nginx, "/nada", headers=headers)
    assert_error(of_service, 404, "Ruta no encontrada")
    assert answer.json() == of_service.json() == error_kinds.NOT_FOUND.as_json("en" if language == "en" else "es")
    for each in (answer, of_service):
        assert (each.headers["Content-Language"], each.headers["Vary"]) == (language, "Accept-Language")
    large = requests.post(
        f"{nginx.url}/verify", data=bytes(5_000_000), headers=headers, verify=str(nginx.certificate), timeout=20
    )
    assert_error(large, 413, TOO_LARGE)
    assert large.json()["detail"].startswith({"es": "Redúcela", "en": "Make it smaller"}[language])
    assert "Content-Language" not in get(nginx, "/", headers=headers).headers


def test_photos_get_the_services_answers(nginx: Nginx, service: Server, me_photo: bytes) -> None:
    straight, through = service.verify(me_photo), verify(nginx, me_photo)
    assert (through.status_code, through.json()["is_me"]) == (200, True)
    assert through.json()["score"] == straight.json()["score"]
    assert_headers(through)
    assert get(nginx, "/healthz").json() == {"status": "ok"}
    assert_error(get(nginx, "/nada"), 404, "Ruta no encontrada")
    assert verify(nginx, b"GIF89a").json()["error"].startswith("Tipo de archivo no permitido.")
    photo = me_photo + bytes(LIMIT_BYTES - len(me_photo))
    assert verify(nginx, photo).status_code == 200


def test_too_large_a_photo_gets_the_contracts_text(nginx: Nginx) -> None:
    """Just above the limit by the service, far above it by nginx; both times the photo need not be read."""
    assert_error(verify(nginx, bytes(LIMIT_BYTES + 1)), 413, TOO_LARGE)
    answer = verify(nginx, bytes(20_000_000))
    assert_error(answer, 413, TOO_LARGE)
    assert answer.json()["detail"].startswith("Redúcela")
    pieces = (bytes(100_000) for _ in range(50))
    chunked = requests.post(f"{nginx.url}/verify", data=pieces, verify=str(nginx.certificate), timeout=20)
    assert chunked.status_code in (400, 413) and chunked.json()["error"]


def test_what_is_for_the_operator_is_not_public(nginx: Nginx, service: Server) -> None:
    for path in ("/livez", "/readyz", "/version", "/metrics", "/%6civez", "//version", "/verify/../readyz"):
        with connected(nginx) as connection:  # requests would make the paths plain
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 404 ") and b'{"error":"Ruta no encontrada",' in answer, path
        assert requests.get(service.url + "/livez", timeout=10).status_code == 200


def test_http_is_redirected(nginx: Nginx) -> None:
    plain = f"http://localhost:{nginx.http}"
    answer = requests.post(f"{plain}/verify?faces=all", data=b"", allow_redirects=False, timeout=20)
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://localhost/verify?faces=all")


def test_what_is_not_https_gets_json(nginx: Nginx) -> None:
    answer = requests.get(f"http://localhost:{nginx.https}/healthz", timeout=20)
    assert_error(answer, 400, BAD_REQUEST)
    with connected(nginx) as connection:
        connection.sendall(b"HOLA\r\n\r\n")
        assert b'{"error":"' in connection.makefile("rb").read()


def test_old_tls_is_refused(nginx: Nginx) -> None:
    """With a client that would take any cipher: it is the version that is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", nginx.https), 20) as plain,
        pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"),
    ):
        context.wrap_socket(plain)
    with connected(nginx) as connection:
        assert connection.version() == "TLSv1.3"


def test_slow_clients_hold_up_nobody(nginx: Nginx, me_photo: bytes) -> None:
    """50 send half a head, 50 a body byte by byte, from addresses of their own; none is near a limit of nginx's."""
    score = verify(nginx, me_photo).json()["score"]
    with ExitStack() as stack:
        sources = [f"127.0.1.{1 + number // 10}" for number in range(100)]
        slow = [stack.enter_context(connected(nginx, source)) for source in sources]
        for connection in slow[:50]:
            connection.sendall(b"POST /verify HTTP/1.1\r\nHost: local")
        for connection in slow[50:]:
            connection.sendall(head("/verify", 100_000).replace(b"Host: x", b"Host: localhost") + b"--limite\r\n")
        ended = threading.Event()
        stack.callback(ended.set)

        def trickle() -> None:
            while not ended.wait(0.2):
                for connection in slow[50:]:
                    connection.sendall(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            for _ in range(5):
                started = time.monotonic()
                assert get(nginx, "/healthz").status_code == 200
                assert verify(nginx, me_photo).json()["score"] == score
                assert time.monotonic() - started < SECONDS
        finally:
            ended.set()
            thread.join(20)
        slow[99].settimeout(0.1)
        with pytest.raises(TimeoutError):  # it was there all the time
            slow[99].recv(1)
    assert "buffered to a temporary file" not in nginx.log  # photos are written nowhere


def test_a_head_that_does_not_come_is_waited_for_ten_seconds(mirror: int, tmp_path: Path) -> None:
    """Here one second, instead of 10; its bytes may trickle."""
    with proxied(tmp_path, mirror, (r"client_header_timeout 10s;", "client_header_timeout 1s;", 2)) as nginx:
        started = time.monotonic()
        with connected(nginx) as connection, pytest.raises(OSError):
            connection.sendall(b"POST /verify HTTP/1.1\r\nX: ")
            while time.monotonic() - started < 10:
                connection.sendall(b"X")
                time.sleep(0.1)
        assert 0.9 < time.monotonic() - started < 8


def test_one_address_does_not_get_all_the_places(nginx: Nginx) -> None:
    """Neither with requests at once, nor with connections that are held: of 40, 20 get none. Another address does."""
    with ExitStack() as stack:
        held = [stack.enter_context(connected(nginx, "127.0.2.1")) for _ in range(40)]
        for connection in held:
            connection.sendall(head("/verify", 100_000).replace(b"Host: x", b"Host: localhost") + b"--limite\r\n")
        refused = 0
        for connection in held:
            connection.settimeout(0.05)  # all have been sent by now; nginx answers at once or waits for the body
            try:
                answer = connection.recv(4000)
            except TimeoutError:
                continue
            assert answer.startswith(b"HTTP/1.1 429 ") and b"Retry-After: 5\r\n" in answer
            assert b"Demasiadas peticiones" in answer
            refused += 1
        assert refused == 20
    with connected(nginx, "127.0.2.2") as connection:
        connection.sendall(head("/verify", 0).replace(b"Host: x", b"Host: localhost"))
        assert status_of(connection) == 400


def test_a_service_that_is_down_or_silent_is_told_as_json(mirror: int, tmp_path: Path) -> None:
    down, silent = tmp_path / "down", tmp_path / "silent"
    down.mkdir(), silent.mkdir()
    with proxied(down, free_port()) as nginx:
        for answer in (get(nginx, "/healthz"), verify(nginx, bytes(1000))):
            assert_error(answer, 502, "El servicio no responde. Inténtalo de nuevo en unos segundos")
            assert answer.headers["Retry-After"] == "5"
    with proxied(silent, mirror, (r"proxy_read_timeout 90s;", "proxy_read_timeout 1s;", 1)) as nginx:
        answer = get(nginx, "/silence")
        assert_error(answer, 504, "El servicio ha tardado demasiado en responder. Inténtalo de nuevo en unos segundos")
        assert answer.headers["Retry-After"] == "5"


def test_what_a_client_says_of_itself_is_not_passed_on(mirror: int, tmp_path: Path) -> None:
    """But its X-Forwarded-For, whose last address is nginx's to say."""
    lies = {
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/x", "X-Forwarded-Ssl": "off", "X-Real-IP": "6.6.6.6",
        "X-Forwarded-Protocol": "x", "Forwarded": "for=6.6.6.6", "SCRIPT_NAME": "/healthz",
    }  # fmt: skip
    with proxied(tmp_path, mirror) as nginx:
        seen = get(nginx, "/", headers=lies).json()
    about = {name: value for name, value in seen.items() if re.match("(?i)host|x-|forwarded|script", name)}
    assert about == {
        "Host": "localhost", "X-Forwarded-For": "6.6.6.6, 127.0.0.1", "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "localhost",
    }  # fmt: skip
