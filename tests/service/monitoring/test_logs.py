"""The log as JSON: one object a line, whatever a client sends, and nothing of it that is nobody's business."""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from flask import Flask, g
from flask.testing import FlaskClient

from service.config import PROJECT_ROOT, Settings
from service.monitoring import logs
from service.monitoring.logs import JsonFormatter, TextFormatter, access_fields, log_accesses
from service.monitoring.request_ids import HEADER
from tests.service.monitoring.support import objects
from tests.service.support import Server, posix_only, running, shipped_gunicorn

pytestmark = pytest.mark.security


def record(message: str, *given: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("service.x", logging.WARNING, __file__, 1, message, given, None)
    made.__dict__.update(more)
    return made


def test_a_line_break_makes_no_line_of_its_own() -> None:
    line = JsonFormatter().format(record("of %s", 'a\n{"level": "ERROR"}', path="/a\r\nb"))
    assert "\n" not in line and "\r" not in line
    read = json.loads(line)
    assert list(read)[:3] == ["time", "level", "logger"]
    assert (read["level"], read["logger"], read["path"]) == ("WARNING", "service.x", "/a\r\nb")
    assert read["message"] == 'of a\n{"level": "ERROR"}'
    assert read["time"].endswith("+00:00") and len(read["time"]) == 29
    assert "request_id" not in read


def test_a_traceback_is_one_field() -> None:
    try:
        raise RuntimeError("two\nlines")
    except RuntimeError:
        made = record("failed")
        made.exc_info = sys.exc_info()
    line = JsonFormatter().format(made)
    assert "\n" not in line
    assert json.loads(line)["traceback"].startswith("Traceback (most recent call last)")


def test_a_name_that_is_no_utf8_is_escaped() -> None:
    assert json.loads(JsonFormatter().format(record("%s", "a\udcff")))["message"] == "a\\udcff"


def test_lines_within_a_request_name_it(client: FlaskClient) -> None:
    with client.application.test_request_context(headers={HEADER: "abc"}):
        assert json.loads(JsonFormatter().format(record("x")))["request_id"] == "abc"
        assert TextFormatter().format(record("x")).endswith("WARNING in test_logs: x (request abc)")
    assert TextFormatter().format(record("x")).endswith("WARNING in test_logs: x")


def test_what_the_log_says_of_a_request() -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/ma\xc3\xb1ana\n",
        "QUERY_STRING": "a=1",
        "REMOTE_ADDR": "1.2.3.4",
    }
    said = access_fields(environ, 404, 0.01234, [("x-request-id", "abc")])
    assert said == {"method": "GET", "path": "/mañana\n", "status": 404, "milliseconds": 12.3, "request_id": "abc"}
    assert access_fields(environ | {logs.KEY_ID: "k1"}, 200, 1, [])["key_id"] == "k1"


def test_the_key_of_a_request_is_said(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("keys")
    app.before_request(lambda: setattr(g, "key_id", "k1"))
    logs.register(app)
    log_accesses(app)
    with caplog.at_level(logging.INFO, "service.access"):
        app.test_client().get("/nada?secret=1")
    (said,) = caplog.records
    assert (said.key_id, said.path, said.status) == ("k1", "/nada", 404)  # type: ignore[attr-defined]


def assert_all_is_said(server: Server, photo: bytes) -> None:
    answer = server.verify(photo, name="juana.jpg", params={"secreto": "1"}, headers={HEADER: "mine"})
    other = requests.get(f"{server.url}/linea%0a%7B%7D", timeout=5)
    assert (answer.status_code, other.status_code) == (200, 404)
    until = time.monotonic() + 5
    while server.log.count('"answered"') < 3 and time.monotonic() < until:  # /healthz, too; it is said after the answer
        time.sleep(0.01)
    log = server.log
    for hidden in (str(answer.json()["score"]), "juana", "secreto", "python-requests"):
        assert hidden not in log
    lines = objects(log)
    said = {line.get("request_id"): line for line in lines if line["message"] == "answered"}
    verify, unknown = said["mine"], said[other.headers[HEADER]]
    assert (verify["method"], verify["path"], verify["status"]) == ("POST", "/verify", 200)
    assert verify["milliseconds"] >= answer.json()["timing_ms"] - 1
    assert (unknown["path"], unknown["status"]) == ("/linea\n{}", 404)
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert "127.0.0.1" not in "".join(str(line) for line in said.values())


@posix_only
def test_gunicorn_writes_json_alone(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    with shipped_gunicorn(replace(settings, log_format="json"), tmp_path, workers=1) as server:
        assert_all_is_said(server, me_photo)
        loggers = {line["logger"] for line in objects(server.log)}
    assert {"gunicorn.error", "gunicorn.access", "service.engine"} <= loggers
    objects(server.log)  # those of its end, too


@pytest.mark.slow
@pytest.mark.parametrize("module", ["service", "service.waitress_server"])
def test_the_other_servers_write_json_alone(settings: Settings, tmp_path: Path, me_photo: bytes, module: str) -> None:
    command = [sys.executable, "-m", module]
    with running(command, replace(settings, log_format="json"), tmp_path, PROJECT_ROOT) as server:
        assert_all_is_said(server, me_photo)
