"""Inputs that nobody thought of, made by hypothesis and by schemathesis, sent to a server of this machine.

Tests send the same ones, always in the same order. A bench sends others in each run, as many as fit in its time.
"""

from __future__ import annotations

import io
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from bench.support.servers import Server

BOUNDARY = "limite"
"""Between the parts of `FORMS`."""

LEFT_OUT = "positive_data_acceptance"
"""The check of schemathesis that is left out: whether an image is accepted is a matter of what it shows."""

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
"""Bytes that are more or less a request."""

FORMS = st.lists(
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
"""Bytes that are more or less a form. None of them is a photo."""


def _encoded(kind: str) -> bytes:
    ramp = Image.linear_gradient("L").resize((40, 30))
    file = io.BytesIO()
    Image.merge("RGB", [ramp, ramp.rotate(90), ramp]).save(file, kind)
    return file.getvalue()


def _changed(photo: bytes, changes: list[tuple[int, bytes]], length: int) -> bytes:
    changed = bytearray(photo)
    for place, data in changes:
        place %= len(changed)
        changed[place : place + len(data)] = data
    return bytes(changed[:length]) if length % 2 else bytes(changed)


PHOTOS = st.builds(
    _changed,
    st.sampled_from([_encoded(kind) for kind in ("JPEG", "PNG")]),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=8)), min_size=1, max_size=6),
    st.integers(0, 5000),
)
"""Photos of which some bytes are others, or are missing."""


def raw_answers(port: int, sent: bytes) -> bytes:
    """All that comes back to some bytes until the server hangs up; the client says that it sends no more."""
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


def statuses_in(received: bytes) -> list[int]:
    """The statuses of raw answers."""
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d+)", received, re.M)]


@dataclass
class Tried:
    """What came of made inputs.

    Attributes:
        inputs: how many were sent.
        failures: answers of status 500 and above but 501 and a 503 with Retry-After, requests without an answer that
            deserve one, and what schemathesis calls a failure.
        said: the first few of them.
    """

    inputs: int = 0
    failures: int = 0
    said: list[str] = field(default_factory=list)

    def fail(self, what: str) -> None:
        """Count one failure."""
        self.failures += 1
        if len(self.said) < 5:
            self.said.append(what)


def send_made(server: Server, seconds: float, start: int = 0) -> Tried:
    """Send requests, forms and photos that hypothesis makes, one after another, for some seconds."""
    tried, until = Tried(), time.monotonic() + seconds
    with requests.Session() as session:

        def post(what: str, **body: Any) -> None:
            tried.inputs += 1
            try:
                answer = session.post(f"http://{server.host}:{server.port}/verify", timeout=60, **body)
            except requests.RequestException as error:
                tried.fail(f"{what}: {error!r}")
                return
            if answer.status_code >= 500 and not (answer.status_code == 503 and "Retry-After" in answer.headers):
                tried.fail(f"{what}: {answer.status_code}")

        def send_raw(sent: bytes) -> None:
            tried.inputs += 1
            if any(status >= 500 and status != 501 for status in statuses_in(raw_answers(server.port, sent))):
                tried.fail(repr(sent))

        def send_form(body: bytes) -> None:
            post(repr(body), data=body, headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})

        def send_photo(photo: bytes) -> None:
            post(repr(photo), files={"image": ("a.jpg", photo, "image/jpeg")})

        while time.monotonic() < until:
            start += 1
            for inputs, send in ((REQUESTS, send_raw), (FORMS, send_form), (PHOTOS, send_photo)):
                _each(inputs, send, start)
    return tried


def _each(inputs: st.SearchStrategy[bytes], send: Callable[[bytes], None], number: int) -> None:
    """Send a hundred, others for each number."""

    @settings(
        max_examples=100, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @seed(number)
    @given(made=inputs)
    def send_all(made: bytes) -> None:
        send(made)

    send_all()


def send_described(server: Server, seconds: float) -> Tried:
    """Have schemathesis make requests from /openapi.json, such as fit it and such as do not, for some seconds."""
    with tempfile.TemporaryDirectory(prefix="schemathesis-") as folder:
        done = run_schemathesis(f"http://{server.host}:{server.port}", seconds, Path(folder), requests_for_each=10_000)
    generated = re.search(r"(\d+) generated", done.stdout)
    tried = Tried(int(generated[1]) if generated else 0)
    if done.returncode or not tried.inputs:
        tried.fail(done.stdout[-2000:])
    return tried


def run_schemathesis(
    url: str, seconds: float, folder: Path, requests_for_each: int, number: int = 1
) -> subprocess.CompletedProcess[str]:
    """Run schemathesis against a service.

    Args:
        url: of the service.
        seconds: for how long at most.
        folder: for its notes.
        requests_for_each: that it makes at most for each operation.
        number: others are made for another one.
    """
    return subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--seed", str(number), "--no-color",
         "--max-examples", str(requests_for_each), "--max-time", str(max(1, round(seconds))),
         "--phases", "coverage,fuzzing", "--exclude-checks", LEFT_OUT],
        cwd=folder, capture_output=True, text=True, timeout=seconds + 180, check=False,
    )  # fmt: skip
