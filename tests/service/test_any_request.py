"""Bytes that nobody thought of: as a request, as a form and as a photo. Each gets an answer, and none is a failure."""

from __future__ import annotations

import io
import json
import re

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings

from bench.support.made_inputs import BOUNDARY, FORMS, PHOTOS, REQUESTS, raw_answers, statuses_in
from tests.service.support import Server, posix_only

EXAMPLES = settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@posix_only
@EXAMPLES
@given(sent=REQUESTS)
def test_any_request(gunicorn: Server, sent: bytes) -> None:
    statuses = statuses_in(raw_answers(gunicorn.port, sent))
    assert statuses or not re.match(rb"GET /\S* HTTP/1\.[01]\r\n\r\n", sent), sent
    assert all(status < 500 or status == 501 for status in statuses), sent  # 501: a transfer coding that is not known
    assert "Traceback" not in gunicorn.log


@EXAMPLES
@given(body=FORMS)
def test_any_form(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/verify", data=body, content_type=f"multipart/form-data; boundary={BOUNDARY}")
    assert answer.status_code == 400
    assert isinstance(json.loads(answer.data)["error"], str)


@EXAMPLES
@given(photo=PHOTOS)
def test_any_photo(client: FlaskClient, photo: bytes) -> None:
    """A photo of which some bytes are others, or are missing."""
    answer = client.post("/verify", data={"image": (io.BytesIO(photo), "a.jpg")})
    assert answer.status_code in (200, 400)
    assert isinstance(json.loads(answer.data).get("error", ""), str)


@posix_only
def test_the_service_is_well_after_all_that(gunicorn: Server, me_photo: bytes) -> None:
    assert gunicorn.verify(me_photo).json()["is_me"] is True
