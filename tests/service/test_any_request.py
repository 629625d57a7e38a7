"""Bytes that nobody thought of: as a request, as a form and as a photo. Each gets an answer, and none is a failure."""

from __future__ import annotations

import io
import json
import re
import socket

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.service.support import Server, encode, posix_only

EXAMPLES = settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Host: x", b"Content-Length: 10", b"Content-Length: -1", b"Content-Length: 99999999999999999999",
                b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Expect: 100-continue",
                b"Connection: close",
                b"Content-Type: multipart/form-data; boundary=limite", b"Content-Type: multipart/form-data", b"a:b:c",
                b"SCRIPT_NAME: /healthz", b" folded", b"X-Forwarded-Proto: https",
            ]
        ),
        st.binary(max_size=40),
    ),
    max_size=6,
)  # fmt: skip
_STARTS = st.one_of(
    st.sampled_from(
        [b"POST /verify HTTP/1.1", b"GET / HTTP/1.1", b"GET /readyz HTTP/1.0", b"PUT /verify HTTP/1.1",
         b"POST /verify?faces=all HTTP/1.1", b"GET //// HTTP/1.1", b"OPTIONS * HTTP/1.1", b"PRI * HTTP/2.0"]
    ),
    st.binary(max_size=40),
)  # fmt: skip
REQUESTS = st.builds(
    lambda start, lines, body: b"\r\n".join([start, *lines, b"", body]), _STARTS, _LINES, st.binary(max_size=200)
)


def answers(port: int, sent: bytes) -> bytes:
    """All that comes back until the server hangs up; the client says that it sends no more."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65536):
                received += data
        except ConnectionError:
            pass
    return received


@posix_only
@EXAMPLES
@given(sent=REQUESTS)
def test_any_request(gunicorn: Server, sent: bytes) -> None:
    statuses = [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d+)", answers(gunicorn.port, sent), re.M)]
    assert statuses or not re.match(rb"GET /\S* HTTP/1\.[01]\r\n\r\n", sent), sent
    assert all(status < 500 or status == 501 for status in statuses), sent  # 501: a transfer coding that is not known
    assert "Traceback" not in gunicorn.log


_PARTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"--limite\r\n", b"--limite--\r\n", b"\r\n",
                b'Content-Disposition: form-data; name="image"; filename="a"',
                b'Content-Disposition: form-data; name="faces"', b"all", b"Content-Disposition: ", b"--limite",
                b"Content-Type: image/jpeg\r\n\r\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n",
            ]
        ),
        st.binary(max_size=60),
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


@EXAMPLES
@given(body=_PARTS)
def test_any_form(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/verify", data=body, content_type="multipart/form-data; boundary=limite")
    assert answer.status_code == 400
    assert isinstance(json.loads(answer.data)["error"], str)


def _photo(kind: str) -> bytes:
    ramp = Image.linear_gradient("L").resize((40, 30))
    return encode(Image.merge("RGB", [ramp, ramp.rotate(90), ramp]), kind)


PHOTOS = {kind: _photo(kind) for kind in ("JPEG", "PNG")}
_CHANGES = st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=8)), min_size=1, max_size=6)


@EXAMPLES
@given(kind=st.sampled_from(sorted(PHOTOS)), changes=_CHANGES, length=st.integers(0, 5000))
def test_any_photo(client: FlaskClient, kind: str, changes: list[tuple[int, bytes]], length: int) -> None:
    """A photo of which some bytes are others, or are missing."""
    photo = bytearray(PHOTOS[kind])
    for place, data in changes:
        place %= len(photo)
        photo[place : place + len(data)] = data
    cut = bytes(photo[:length]) if length % 2 else bytes(photo)
    answer = client.post("/verify", data={"image": (io.BytesIO(cut), "a.jpg")})
    assert answer.status_code in (200, 400)
    assert isinstance(json.loads(answer.data).get("error", ""), str)


@posix_only
def test_the_service_is_well_after_all_that(gunicorn: Server, me_photo: bytes) -> None:
    assert gunicorn.verify(me_photo).json()["is_me"] is True
