"""What waitress holds of a body before the application sees the request; answers stay those of the contract."""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import requests
from waitress.adjustments import Adjustments
from waitress.channel import ClientDisconnected

from service import create_app
from service.access.keys import create_key
from service.config import Settings
from service.waitress_requests import MOST_DISCARDED, MOST_UNREAD, NO_LIMIT, make_channel_class
from service.waitress_server import most_kept
from tests.service.support import Server, head, kept_in, padded, running
from tests.service.test_other_servers import TOO_LARGE, WAITRESS

pytestmark = pytest.mark.security

MEBIBYTE = 2**20


class Sent:
    """A request as it arrives, of a server that keeps ten bytes of whoever has the key "right"."""

    def __init__(self, *headers: str, key: str = "right") -> None:
        made = make_channel_class(lambda key: 10 if key == "right" else 0)
        self.request: Any = made.parser_class(Adjustments(max_request_body_size=NO_LIMIT))
        lines = ["POST /verify HTTP/1.1", "Host: x", *([f"X-API-Key: {key}"] if key else []), *headers]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes) -> int:
        consumed: int = self.request.received(data)
        return consumed

    @property
    def body(self) -> bytes:
        kept: bytes = self.request.get_body_stream().read()
        return kept


def test_a_body_of_the_largest_size_is_kept() -> None:
    sent = Sent("Content-Length: 10")
    sent.send(b"01234")
    assert not sent.request.completed
    sent.send(b"56789")
    assert sent.request.completed and sent.body == b"0123456789"


@pytest.mark.parametrize(("length", "key"), [(11, "right"), (3, "wrong"), (3, "")])
def test_of_what_the_application_will_not_read_nothing_is_kept(length: int, key: str) -> None:
    sent = Sent(f"Content-Length: {length}", key=key)
    sent.send(b"x" * (length - 1))
    assert not sent.request.completed, "the client can send to its end, so that it reads the answer"
    assert sent.body == b""
    sent.send(b"x")
    assert sent.request.completed and sent.body == b"" and sent.request.headers["CONTENT_LENGTH"] == str(length)


@pytest.mark.parametrize(("sizes", "kept"), [((4, 6), 10), ((4, 7), 0), ((4, 7, 2), 0)])
def test_a_body_in_chunks(sizes: tuple[int, ...], kept: int) -> None:
    sent = Sent("Transfer-Encoding: chunked")
    for size in sizes:
        sent.send(b"%x\r\n%s\r\n" % (size, b"x" * size))
    sent.send(b"0\r\n\r\n")
    assert sent.request.completed and len(sent.body) == kept
    assert sent.request.headers["CONTENT_LENGTH"] == str(sum(sizes)), "so the application knows that it is too long"


def test_one_without_end_is_answered_at_once_and_closed() -> None:
    sent = Sent(f"Content-Length: {MOST_DISCARDED + 1}")
    assert sent.request.completed and sent.request.connection_close and sent.request.headers["CONNECTION"] == "close"
    chunked = Sent("Transfer-Encoding: chunked")
    chunk = b"%x\r\n%s\r\n" % (MEBIBYTE, bytes(MEBIBYTE))
    for _ in range(MOST_DISCARDED // MEBIBYTE):
        chunked.send(chunk)
    assert not chunked.request.completed
    assert chunked.send(chunk) == len(chunk), "nothing of it is taken for another request"
    assert chunked.request.completed and chunked.body == b""
    assert int(chunked.request.headers["CONTENT_LENGTH"]) > MOST_DISCARDED


def test_who_asks_before_sending_is_told_at_once() -> None:
    assert Sent("Content-Length: 11", "Expect: 100-continue").request.completed
    welcome = Sent("Content-Length: 10", "Expect: 100-continue").request
    assert welcome.expect_continue and not welcome.completed


def test_how_much_an_application_reads(settings: Settings, tmp_path: Path) -> None:
    kept = kept_in(tmp_path)
    app = create_app(replace(settings, **kept))
    assert most_kept(app, "") == settings.max_body_bytes, "while there are no keys"
    key = create_key(kept["keys_path"], "Ana", ["verify"], None, lambda _: None)[1]
    assert [most_kept(app, given) for given in (key, key[:-1] + "~", "")] == [settings.max_body_bytes, 0, 0]
    kept["keys_path"].write_text("{")
    assert most_kept(app, key) == 0, "nobody's key can be checked"


@pytest.fixture(scope="module")
def guarded(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """A real waitress that asks for keys, and the header with one."""
    folder = tmp_path_factory.mktemp("waitress")
    kept = kept_in(folder)
    key = create_key(kept["keys_path"], "Ana", ["verify"], None, lambda _: None)[1]
    with running(WAITRESS, replace(settings, **kept), folder) as server:
        yield server, {"X-API-Key": key}


Guarded = tuple[Server, dict[str, str]]


def test_answers_stay_those_of_the_contract(guarded: Guarded, settings: Settings, me_photo: bytes) -> None:
    server, key = guarded
    largest = padded(me_photo, settings.max_image_bytes)
    assert server.verify(largest, headers=key).json()["is_me"] is True
    for size in (settings.max_image_bytes + 1, settings.max_body_bytes + 1, 5_000_000, 20_000_000):
        answer = server.verify(padded(me_photo, size), headers=key)
        assert (answer.status_code, answer.json()["error"]) == (413, TOO_LARGE), size
        assert server.verify(padded(me_photo, size)).status_code == 401
    photo = io.BytesIO(largest)
    assert requests.post(f"{server.url}/verify", data=photo, timeout=30).status_code == 401
    assert requests.post(f"{server.url}/verify", data=iter([b"x" * 1000] * 9), timeout=30).status_code == 401


def test_a_body_without_end_gets_the_contracts_answer_too(guarded: Guarded) -> None:
    server, key = guarded
    request = head("/verify", 10**12)[:-2] + f"X-API-Key: {key['X-API-Key']}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    first, _, body = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 413 ") and json.loads(body)["error"] == TOO_LARGE


@pytest.mark.parametrize(
    ("sent", "status", "language"),
    [
        (b"HOLA\r\n\r\n", 400, "es"),
        (b"GET / HTTP/1.1\r\nAccept-Language: en\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "en"),
        (b"GET / HTTP/1.1\r\nX: ".ljust(MEBIBYTE // 4, b"x"), 431, "es"),
    ],
)
def test_what_is_not_http_gets_json_too(guarded: Guarded, sent: bytes, status: int, language: str) -> None:
    """In the language asked for, if the head could be read so far."""
    with socket.create_connection(("127.0.0.1", guarded[0].port), 20) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    first, _, body = answer.partition(b"\r\n\r\n")
    assert first.startswith((b"HTTP/1.1 %d " % status, b"HTTP/1.0 %d " % status))
    lines = dict(line.split(": ", 1) for line in first.decode().splitlines()[1:])
    assert (lines["Content-Type"], lines["Content-Language"]) == ("application/json", language)
    assert re.fullmatch("[0-9a-f]{32}", lines["X-Request-Id"])
    told = json.loads(body)
    assert told["error"].startswith("Petición HTTP no válida: ") and told["code"] == "bad_http"
    assert told["message"].startswith({"es": "La petición no es", "en": "The request is not"}[language])


def test_strangers_fill_no_memory(guarded: Guarded) -> None:
    """A hundred uploads of nearly 2 MB, of which the last byte does not come."""
    server, _ = guarded
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    body = bytes(1_900_000)
    with ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
            connection.sendall(head("/verify", len(body) + 1) + body)
        assert requests.get(f"{server.url}/livez", timeout=20).status_code == 200
        assert process.memory_info().rss - before < 40 * MEBIBYTE


def test_no_thread_waits_for_a_client_that_does_not_read() -> None:
    """It is told that the client has gone, as soon as more than a megabyte is unread."""
    ours, theirs = socket.socketpair()
    with theirs:
        server = SimpleNamespace(active_channels={}, pull_trigger=lambda: None)
        channel: Any = make_channel_class(lambda _: 0)(
            server, ours, ("", 0), Adjustments(outbuf_high_watermark=MOST_UNREAD), map={}
        )
        given: list[int] = []

        def answer() -> None:
            with contextlib.suppress(ClientDisconnected):
                given.extend(channel.write_soon(bytes(100_000)) for _ in range(100))

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert MOST_UNREAD < sum(given) < 3 * MOST_UNREAD
        assert channel.will_close and not channel.connected
        channel.handle_close()
