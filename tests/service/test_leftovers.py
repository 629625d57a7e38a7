"""A photo that was sent is nowhere afterwards: on no disk, in no log, in no core dump, in no message of an error.

What is sent has a pattern in it, and the tests look for that pattern wherever a process can leave something: the files
that the server's processes have open, deleted ones too, all folders that it may write to, and its log.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from service.config import PROJECT_ROOT, Settings
from service.monitoring.logs import without_message
from tests.service.support import MULTIPART, Server, head, kept_in, running

pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, which Linux alone has"),
]

WORD = f"MARCA{secrets.token_hex(16)}".encode()
MARK = b"\xd7\xff" + WORD + b"\x00\xfe"
FORMS = (WORD, WORD.hex().encode(), base64.b64encode(WORD)[4:-4], base64.b64encode(b"\xff" + WORD)[4:-4])
"""The pattern as it is (within a repr, too), and as logs may show bytes."""

MEGABYTES = 12
_BEGUN = time.time()
_UNLIMITED = ["sh", "-c", 'ulimit -c unlimited; exec "$0" "$@"', sys.executable]
GUNICORN = [*_UNLIMITED, "-m", "gunicorn", "-c", str(PROJECT_ROOT / "service/gunicorn.conf.py"), "-w", "2"]


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of the servers that the test starts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def generous(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, max_content_mb=MEGABYTES + 1.0, **kept_in(tmp_path / "kept"))


def marked(photo: bytes, megabytes: int = MEGABYTES) -> bytes:
    """A JPEG that is full of the pattern: decoders ignore what follows the end marker."""
    return photo + MARK * (megabytes * 2**20 // len(MARK))


def form(photo: bytes) -> bytes:
    start = b'--limite\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    return start + photo + b"\r\n--limite--\r\n"


def processes(first: int) -> Iterator[int]:
    """A process and all that come from it."""
    yield first
    for child in Path(f"/proc/{first}/task/{first}/children").read_text().split():
        yield from processes(int(child))


def holds(path: Path) -> bool:
    """Whether a file has the pattern in it, in any form."""
    before = b""
    with path.open("rb") as file:
        while block := file.read(2**20):
            if any(form in before + block for form in FORMS):
                return True
            before = block[-200:]
    return False


def open_files_with_it(first: int) -> list[str]:
    """Open files of a server's processes that have the pattern in them; deleted ones have a name no more, but bytes."""
    found = []
    for process in processes(first):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                if stat.S_ISREG(descriptor.stat().st_mode) and holds(descriptor):
                    found.append(f"{process}: {descriptor.readlink()}")
    return found


def files_with_it(*folders: Path) -> list[Path]:
    """Files below folders, written since this module was read, that have the pattern in them."""
    found = []
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for path in (Path(parent, name) for name in names):
                with suppress(OSError):
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode) and status.st_mtime >= _BEGUN - 1 and holds(path):
                        found.append(path)
    return found


def send_half(server: Server, body: bytes) -> socket.socket:
    """Send most of a body; returns the connection. What was sent has arrived at the application then, or nearly all."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(head("/verify", len(body)) + body[: len(body) * 3 // 4])
    time.sleep(1.5)
    return connection


def finish(connection: socket.socket, body: bytes) -> bytes:
    connection.sendall(body[len(body) * 3 // 4 :])
    answer = connection.recv(2**16)
    connection.close()
    return answer


_AS_FLASK_DOES = """
import flask
app = flask.Flask(__name__)
@app.post("/verify")
def verify():
    return str(len(flask.request.files["image"].read()))
@app.get("/healthz")
def health():
    return "ok"
"""


def test_the_watch_sees_what_flask_leaves(settings: Settings, watched: Path, tmp_path: Path, me_photo: bytes) -> None:
    """Flask's own form parser puts a large file into a temporary one without a name: the tests below would find it."""
    (tmp_path / "ordinary.py").write_text(_AS_FLASK_DOES)
    command = [sys.executable, "-m", "gunicorn", "-b", "127.0.0.1:{port}", "--config", "/dev/null", "ordinary:app"]
    with running(command, settings, tmp_path, cwd=tmp_path) as server:
        body = form(marked(me_photo))
        connection = send_half(server, body)
        assert len(open_files_with_it(server.process.pid)) == 1
        assert b" 200 " in finish(connection, body)
    (watched / "left").write_bytes(b"x" * 2**20 + MARK)
    assert files_with_it(tmp_path) == [watched / "left"]


@pytest.mark.parametrize("chunked", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_large_photo_is_nowhere(
    generous: Settings, watched: Path, tmp_path: Path, me_photo: bytes, chunked: bool
) -> None:
    """Neither while it arrives nor afterwards, whatever becomes of it: recorded, refused, cut off, too large."""
    photo = marked(me_photo)
    with running([*GUNICORN, "service:create_app()"], generous, tmp_path, workers=2) as server:
        body = form(photo)
        if chunked:
            parts = (body[start : start + 99_999] for start in range(0, len(body), 99_999))
            sent = requests.post(f"{server.url}/verify", data=parts, headers=MULTIPART, timeout=60)
            assert sent.status_code == 200
        connection = send_half(server, body)
        assert open_files_with_it(server.process.pid) == []
        assert b" 200 " in finish(connection, body)
        send_half(server, body).close()
        for wrong, status in ((MARK * 9999, 400), (photo + MARK * 99_999, 413), (me_photo[:900] + MARK * 999, 400)):
            assert server.verify(wrong).status_code == status
        assert requests.post(f"{server.url}/verify", data=MARK * 999, timeout=60).status_code == 400
        assert open_files_with_it(server.process.pid) == []
    assert_nowhere(server, tmp_path, watched)


def assert_nowhere(server: Server, tmp_path: Path, watched: Path) -> None:
    """Not in the log, nor in any folder that the server can have written to."""
    assert server.log
    assert not any(form.decode() in server.log for form in FORMS)
    assert files_with_it(PROJECT_ROOT, tmp_path, Path("/dev/shm"), Path("/var/tmp")) == []
    assert [path.name for path in watched.iterdir() if path.is_file()] == []


_FAILING = """
import os, signal, struct
from service import create_app
app = create_app()
def verify(image, *others):
    kind = os.environ["FAILURE"]
    if kind == "text":
        raise ValueError(f"invalid literal for int() with base 10: {image!r}")
    if kind == "key":
        raise KeyError(image.decode("latin-1"))
    if kind == "cause":
        try:
            int(image[-100:])
        except ValueError as error:  # its message quotes all that it was given
            raise RuntimeError("in the photo") from error
    if kind == "context":
        try:
            raise LookupError(image.hex())
        except LookupError:
            raise AttributeError("in answer to it")
    if kind == "SIGABRT":
        os.abort()  # the signal alone would be gunicorn's to handle
    os.kill(os.getpid(), getattr(signal, kind))
app.extensions["engine"].verify = verify
"""


@pytest.mark.parametrize("log_format", ["text", pytest.param("json", marks=pytest.mark.slow)])
def test_an_error_tells_where_it_happened_and_not_with_what(
    generous: Settings, watched: Path, tmp_path: Path, me_photo: bytes, log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing.py").write_text(_FAILING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for failure, kind in (
        ("text", "ValueError"),
        ("key", "KeyError"),
        ("cause", "RuntimeError"),
        ("context", "Lookup"),
    ):
        monkeypatch.setenv("FAILURE", failure)
        settings = replace(generous, log_format=log_format)  # type: ignore[arg-type]
        with running([*GUNICORN, "failing:app"], settings, tmp_path, workers=2) as server:
            assert server.verify(marked(me_photo, 2)).status_code == 500
            assert "failing.py" in server.log and kind in server.log and "Traceback" in server.log
        assert_nowhere(server, tmp_path, watched)


@pytest.mark.parametrize("name", ["SIGSEGV", pytest.param("SIGABRT", marks=pytest.mark.slow)])
def test_a_worker_that_crashes_leaves_no_core_dump(
    generous: Settings, watched: Path, tmp_path: Path, me_photo: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is started where core dumps have no limit, as the control shows."""
    place = tmp_path / "control"
    place.mkdir()
    dying = f"import os; held = {WORD!r} * 1000; os.kill(os.getpid(), {int(signal.Signals[name])})"
    subprocess.run([*_UNLIMITED, "-c", dying], cwd=place, check=False)
    if not files_with_it(place):
        pytest.skip("this system puts core dumps elsewhere")
    for path in place.iterdir():
        path.unlink()
    (tmp_path / "failing.py").write_text(_FAILING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FAILURE", name)
    with running([*GUNICORN, "failing:app"], generous, tmp_path, workers=2) as server:
        with pytest.raises(requests.ConnectionError):
            server.verify(marked(me_photo, 2))
        deadline = time.monotonic() + 20
        while server.log.count("Worker ready") < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in processes(server.process.pid):
            assert core_limits(process) <= {"0", "1"}
    assert name in server.log, "no worker has crashed"
    assert_nowhere(server, tmp_path, watched)


def core_limits(process: int) -> set[str]:
    """The soft and the hard limit of a process's core dump."""
    (line,) = (line for line in Path(f"/proc/{process}/limits").read_text().splitlines() if line.startswith("Max core"))
    return set(line.split()[4:6])


@pytest.mark.parametrize("module", ["service", "service.waitress_server"])
def test_the_other_servers_leave_none_either(generous: Settings, tmp_path: Path, module: str) -> None:
    if module.endswith("waitress_server"):
        pytest.importorskip("waitress")
    with running([*_UNLIMITED, "-m", module], generous, tmp_path) as server:
        for process in processes(server.process.pid):
            assert core_limits(process) <= {"0", "1"}


def test_what_the_system_says_stays_in_the_log() -> None:
    """A full disk is nothing of a photo's, and the operator has to know of it."""
    shown = without_message(OSError(28, "ignored", "/a/path"))
    assert (type(shown).__name__, str(shown)) == ("OSError", "No space left on device")
