"""Request ids: a client's own where it can be used, else a new one; on every answer, errors among them."""

from __future__ import annotations

import logging
import re
import socket
import sys

import pytest
from flask.testing import FlaskClient

from service.monitoring.request_ids import HEADER, request_id
from tests.service.monitoring.support import MADE
from tests.service.support import LIMIT_BYTES, Server, posix_only, post_photo

if sys.platform != "win32":
    from service.monitoring.gunicorn_logger import hide_what_was_sent

pytestmark = pytest.mark.security


@pytest.mark.parametrize("given", ["a", "A.b_c-9", "x" * 64])
def test_a_clients_own_id_is_given_back(client: FlaskClient, given: str) -> None:
    assert client.get("/healthz", headers={HEADER: given}).headers.getlist(HEADER) == [given]


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "ñ", "<script>", 'a"b', "a,b", "a;b=c", "a/b"])
def test_what_cannot_be_used_is_replaced(client: FlaskClient, given: str) -> None:
    (made,) = client.get("/healthz", headers={HEADER: given}).headers.getlist(HEADER)
    assert re.fullmatch(MADE, made)


def test_each_request_has_its_own(client: FlaskClient) -> None:
    assert len({client.get("/livez").headers[HEADER] for _ in range(20)}) == 20


def test_errors_have_one_too(client: FlaskClient, me_photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        404: client.get("/nada"), 405: client.get("/verify"), 400: client.post("/verify"),
        413: post_photo(client, bytes(LIMIT_BYTES + 1)),
    }  # fmt: skip
    asked: list[str | None] = []

    def fail(*_: object) -> None:
        asked.append(request_id())
        raise RuntimeError

    monkeypatch.setattr(client.application.extensions["engine"], "verify", fail)
    answers[500] = post_photo(client, me_photo)
    assert {status: answer.status_code for status, answer in answers.items()} == {code: code for code in answers}
    assert all(re.fullmatch(MADE, answer.headers[HEADER]) for answer in answers.values())
    assert asked == [answers[500].headers[HEADER]], "code below a route knows it"
    assert request_id() is None, "there is no request now"


@posix_only
def test_what_is_not_http_has_one_too(gunicorn: Server) -> None:
    """And it stands in the log, with neither address nor what was sent."""
    sent = (b"HOLA\r\n\r\n", "InvalidRequestLine"), (b"GET / HTTP/1.1\r\nX-API-Key my-key\r\n\r\n", "InvalidHeader")
    for data, kind in sent:
        with socket.create_connection(("127.0.0.1", gunicorn.port), timeout=5) as connection:
            connection.sendall(data)
            answer = connection.makefile("rb").read().decode()
        found = re.search(rf"\r\n{HEADER}: ({MADE})\r\n", answer)
        assert found and answer.startswith("HTTP/1.1 400 ")
        (line,) = [line for line in gunicorn.log.splitlines() if found[1] in line and "Invalid request" in line]
        assert line.endswith(f"Invalid request: {kind} (request {found[1]})")
    assert "127.0.0.1 " not in gunicorn.log.partition("Worker ready")[2] and "my-key" not in gunicorn.log


@posix_only
def test_the_query_of_a_request_that_failed_is_not_written() -> None:
    made = logging.LogRecord(
        "gunicorn.error", logging.ERROR, "", 1, "Error handling request %s %s", ("GET", "/a?b=c"), None
    )
    assert hide_what_was_sent(made)
    assert made.getMessage() == "Error handling request GET /a"
