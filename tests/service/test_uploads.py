"""How a photo gets from the request's body into memory, and nowhere else."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.audit import counts
from tests.service.support import LIMIT_BYTES, padded

BOUNDARY = "limite"


def post_body(client: FlaskClient, body: bytes, boundary: str = BOUNDARY) -> TestResponse:
    return client.post("/verify", data=body, content_type=f"multipart/form-data; boundary={boundary}")


def part(photo: bytes, filename: bytes = b"a.jpg") -> bytes:
    head = b'--limite\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\n' % filename
    return head + photo + b"\r\n"


class WriteWatcher:
    """Notes every file that Python opens for writing while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.written: list[Any] = []
        sys.addaudithook(self._note)  # hooks cannot be removed, hence `on`

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        written = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        ours = threading.current_thread().name != counts.THREAD  # it may be of a service that an earlier test made
        if self.on and written and ours:
            self.written.append(arguments[0])


@pytest.fixture(scope="module")
def watcher() -> WriteWatcher:
    return WriteWatcher()


@pytest.fixture
def writes(watcher: WriteWatcher) -> Iterator[list[Any]]:
    watcher.written, watcher.on = [], True
    yield watcher.written
    watcher.on = False


def test_the_watcher_sees_temporary_files(writes: list[Any]) -> None:
    with tempfile.SpooledTemporaryFile(max_size=10) as spooled:
        assert writes == []
        spooled.write(bytes(11))
    assert len(writes) >= 1


@pytest.mark.parametrize("size", [600_000, LIMIT_BYTES, LIMIT_BYTES + 1, 3_000_000])
def test_photos_never_touch_the_disk(client: FlaskClient, me_photo: bytes, writes: list[Any], size: int) -> None:
    body = part(padded(me_photo, size)) + b"--limite--\r\n"
    status = post_body(client, body).status_code  # not with files=: the test client itself spools those to disk
    assert status == (200 if size <= LIMIT_BYTES else 413)
    assert writes == []


@pytest.mark.parametrize("filename", ["mamá.jpg", "写真.jpg", 'a"b.jpg', "x" * 300 + ".jpg", ""])
def test_any_filename(client: FlaskClient, me_photo: bytes, filename: str) -> None:
    assert post_body(client, part(me_photo, filename.encode()) + b"--limite--\r\n").status_code == 200


def test_a_filename_that_is_not_utf8(client: FlaskClient, me_photo: bytes) -> None:
    assert post_body(client, part(me_photo, "mamá.jpg".encode("latin-1")) + b"--limite--\r\n").status_code == 200


def test_other_fields_around_the_photo(client: FlaskClient, me_photo: bytes) -> None:
    data = {
        "before": "x",
        "other": (io.BytesIO(b"y"), "y.txt"),
        "image": (io.BytesIO(me_photo), "a.jpg"),
        "after": "z",
    }
    assert client.post("/verify", data=data).status_code == 200


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"", BOUNDARY),
        (b"no parts at all", BOUNDARY),
        (b"--limite\r\nno headers", BOUNDARY),
        (b"--limite\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--limite--\r\n", BOUNDARY),
        (b'--limite\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx', BOUNDARY),
        (b"--limite--\r\n", BOUNDARY),
        (b"--other\r\n\r\n", ""),
        (b"--other\r\n\r\n", "ñ"),
    ],
)
def test_bodies_that_are_no_form(client: FlaskClient, body: bytes, boundary: str) -> None:
    response = post_body(client, body, boundary)
    assert response.status_code == 400
    assert response.get_json()["error"] == "No se envió ninguna imagen en el campo 'image'"


@pytest.mark.security
@pytest.mark.parametrize(("length", "status"), [(100, 200), (101, 400)])
def test_a_boundary_is_not_much_longer_than_the_standard_allows(
    client: FlaskClient, me_photo: bytes, length: int, status: int
) -> None:
    """To look for one of 4,000 characters in a body that is made for it took 20 seconds: nobody else was answered."""
    boundary = "-" * (length - 1) + "b"
    body = part(me_photo).replace(b"--limite", b"--" + boundary.encode()) + f"--{boundary}--\r\n".encode()
    assert post_body(client, body, boundary).status_code == status


@pytest.mark.security
@pytest.mark.parametrize(("length", "status"), [(8_000, 200), (8_400, 400)])
@pytest.mark.parametrize("more", [b";a=b", b"\r\na:", b"\r\n "], ids=["options", "lines", "folded"])
def test_the_head_of_a_part_is_not_long(
    client: FlaskClient, me_photo: bytes, more: bytes, length: int, status: int
) -> None:
    """To read one of 2 MB took up to three seconds, in which nobody was answered."""
    head, _, photo = part(me_photo).partition(b"\r\n\r\n")
    longer = head + more * ((length - len(head)) // len(more))
    answer = post_body(client, longer + b"\r\n\r\n" + photo + b"--limite--\r\n")
    assert answer.status_code == status


@pytest.mark.security
@pytest.mark.parametrize(("parts", "status"), [(12, 200), (20, 400)])
def test_nor_are_all_heads_together(client: FlaskClient, me_photo: bytes, parts: int, status: int) -> None:
    other = b'--limite\r\nContent-Disposition: form-data; name="other"\r\n' + b"a:\r\n" * 1000 + b"\r\nx\r\n"
    assert post_body(client, other * parts + part(me_photo) + b"--limite--\r\n").status_code == status


def test_a_photo_cut_short_is_not_verified(client: FlaskClient, me_photo: bytes) -> None:
    assert post_body(client, part(me_photo)).status_code == 400
    assert post_body(client, part(me_photo) + b"--limite--\r\n").status_code == 200


def test_a_photo_that_contains_line_breaks_and_dashes_arrives_whole(client: FlaskClient, me_photo: bytes) -> None:
    tricky = me_photo + b"\r\n--limit\r\n--\r\n" * 5000 + b"\r"
    assert post_body(client, part(tricky) + b"--limite--\r\n").status_code == 200


def test_upload_from_a_file(client: FlaskClient, me_photo: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foto ñ.jpg"
    path.write_bytes(me_photo)
    with path.open("rb") as file:
        assert client.post("/verify", data={"image": file}).status_code == 200
