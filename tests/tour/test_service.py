"""The service as a process of the tour: started, asked, ended; what it is sent; the limit it is started with."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from werkzeug.formparser import parse_form_data

from quickstart import CLASSES, Problem
from tests.ports import free_port
from tests.tour.support import SERVICE, gone, write
from tour.photos import photos_to_ask_about
from tour.service import Service, further_types, raised_limit
from tour.tour import curl, serve

posix_only = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and process groups")


@pytest.fixture
def served(root: Path, photos: Path) -> Path:
    """The project with photos and a service that answers without a model, run by this Python."""
    write(root / "service" / "__main__.py", SERVICE.encode())
    shutil.copytree(photos, root / "data")
    return root


@posix_only
def test_service_is_asked_about_both_classes_and_ended(
    served: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not come between us and our own service
    write(served / "data" / "not_me" / "a.jpg", b"no face")
    assert serve(free_port(), once=True) == 0
    output = capsys.readouterr().out
    assert "data/me/uno.JPG: 200" in output
    assert "data/not_me/a.jpg: 400" in output
    assert "No se detectó un rostro" in output
    assert "data/not_me/ana/1.jpeg: 200" in output  # the next one, as the first had no face
    assert output.count(": right.") == 2
    assert "VERIFY_THRESHOLD" not in output, "nothing is wrong"
    assert "The pipeline trains with the photos in data/" in output
    assert "Backbone: stub-net" in output
    assert gone(served)


@posix_only
def test_without_photos_of_others_only_me_is_asked_about(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(served / "data" / "not_me")
    assert serve(free_port(), once=True) == 0
    output = capsys.readouterr().out
    assert output.count("POST /verify") == output.count(": right.") == 1
    assert "how often strangers get in is estimated" in output
    assert gone(served)


@posix_only
def test_a_wrong_answer_is_explained_by_what_quality_complained_of(
    served: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(served / "data" / "me")
    write(served / "data" / "me" / "uno.jpg", b"unlike the others")
    write(served / "reports" / "data_quality.csv", b"photo,problem\nme/uno.jpg,blurred\n")
    monkeypatch.setenv("MODEL_PATH", "another.joblib")
    assert serve(free_port(), once=True) == 0
    output = capsys.readouterr().out
    assert ": WRONG." in output and "complained of this photo (blurred)" in output
    assert "the one that MODEL_PATH names (another.joblib)" in output and "trains with" not in output


@posix_only
def test_answers_that_are_no_json_fail(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB", "html")
    assert serve(free_port(), once=True) == 1
    assert gone(served)


@posix_only
@pytest.mark.usefixtures("served")
def test_service_that_ends_at_once_shows_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB", "dies")
    with pytest.raises(Problem, match=r"ended with exit code 1\. Its log:\n    models are missing"):
        serve(free_port(), once=True)


@pytest.mark.slow
@posix_only
def test_service_without_models_is_not_waited_for_long(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB", "unhealthy")
    with pytest.raises(Problem, match=r'is not ready; it last said .*"Models not loaded"'):
        serve(free_port(), once=True)
    assert gone(served)


@posix_only
def test_failure_while_asking_ends_the_service(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tour.questions.meaning", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        serve(free_port(), once=True)
    assert gone(served)


@pytest.mark.parametrize(
    ("name", "sent", "kind"),
    [
        ('señora "A".JPG', 'señora "A".JPG', "image/jpeg"),
        ("b.Png", "b.Png", "image/png"),
        ("c.HEIC", "c.HEIC", "image/heic"),
        pytest.param(os.fsdecode(b"a\xff.jpg"), "a?.jpg", "image/jpeg", marks=posix_only),  # no text in any encoding
    ],
)
def test_a_photo_arrives_as_it_is(tmp_path: Path, name: str, sent: str, kind: str) -> None:
    content = bytes(range(256)) * 20 + b"\r\n--boundary\r\n"
    received: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.headers["Content-Type"], self.headers["Accept-Language"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        service = Service(server.server_port, subprocess.Popen(["true"]))
        assert service.request("/verify", write(tmp_path / name, content)) == (200, None)
        service.process.wait()

    ((content_type, language, body),) = received
    environ = {
        "REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }  # fmt: skip
    _, form, files = parse_form_data(environ)
    assert language == "en", "that of the terminal"
    assert not form
    assert list(files) == ["image"]
    with contextlib.closing(files["image"]) as image:
        assert image.read() == content
        assert (image.filename, image.mimetype) == (sent, kind)


def to_ask_about() -> dict[str, list[Path]]:
    return {name: photos_to_ask_about(name)[0] for name in CLASSES}


@pytest.mark.parametrize(("sizes", "limit"), [((3.0, 2.0, 0.1), "16"), ((15.5, 2.1, 17.2), "18")])
def test_the_service_takes_photos_of_phones_and_all_that_are_there(
    root: Path, capsys: pytest.CaptureFixture[str], sizes: tuple[float, ...], limit: str
) -> None:
    for number, (name, size) in enumerate(zip(("me", "me", "not_me"), sizes, strict=True)):
        write(root / "data" / name / f"{number}.jpg", bytes(int(size * 2**20)))
    assert raised_limit(to_ask_about()) == {"MAX_CONTENT_MB": limit}
    said = capsys.readouterr().out
    assert f"up to {limit} MB" in said and f".env beside quickstart.py: MAX_CONTENT_MB={limit}" in said


@pytest.mark.parametrize("line", ["MAX_CONTENT_MB=1", "  export MAX_CONTENT_MB = 1"])
def test_a_limit_that_the_user_has_set_is_theirs(root: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    for name in CLASSES:
        write(root / "data" / name / "1.jpg", bytes(3 * 2**20))
    photos = to_ask_about()
    assert raised_limit(photos) == {"MAX_CONTENT_MB": "16"}
    (root / ".env").write_text(f"# MAX\n{line}\n", encoding="utf-8")
    assert raised_limit(photos) == {}
    (root / ".env").write_text(f"#{line}\n", encoding="utf-8")
    assert raised_limit(photos) == {"MAX_CONTENT_MB": "16"}
    (root / ".env").write_bytes(b"\xff\n")  # the service itself says that it cannot read it
    assert raised_limit(photos) == {}
    (root / ".env").unlink()
    monkeypatch.setenv("MAX_CONTENT_MB", "1")
    assert raised_limit(photos) == {}


def test_the_service_takes_the_kinds_of_photos_that_it_is_asked_about(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root / "data" / "me" / "1.jpg", b"\xff\xd8\xff")
    write(root / "data" / "not_me" / "2.webp", b"not a photo")
    assert further_types(to_ask_about()) == {}
    assert capsys.readouterr().out == ""
    write(root / "data" / "me" / "3.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    types = "image/jpeg,image/png,image/heic"
    assert further_types(to_ask_about()) == {"ACCEPTED_TYPES": types}
    assert "takes JPEG, PNG, HEIC here" in (said := capsys.readouterr().out) and f"ACCEPTED_TYPES={types}" in said
    (root / ".env").write_text("ACCEPTED_TYPES=image/jpeg\n", encoding="utf-8")
    assert further_types(to_ask_about()) == {}
    (root / ".env").unlink()
    monkeypatch.setenv("ACCEPTED_TYPES", "image/png")
    assert further_types(to_ask_about()) == {}


@posix_only
@pytest.mark.parametrize("own", [True, False])
def test_the_command_shown_names_a_photo_that_the_model_has_not_seen(
    root: Path, demo: Path, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    """Own photos are all learnt from, so the user puts in the name of another one; the demo keeps some for asking."""
    write(root / "service" / "__main__.py", SERVICE.encode())
    shutil.copytree(photos if own else demo, root / "data")
    asked: list[str] = []

    def second_terminal(_: float) -> None:
        """Types the command in another folder while the service runs, then Ctrl-C in the first terminal."""
        shown = capsys.readouterr().out
        pages.extend(re.findall(r"^Open this page in a browser.*: (http://127\.0\.0\.1:\d+/ui) ", shown, re.MULTILINE))
        lines = [line for line in shown.splitlines() if line.startswith("Ask it")]
        asked.extend(line.partition(": ")[2] for line in lines)
        command = asked[0].replace("YOUR_PHOTO.jpg", "mine.jpg")
        answers.append(subprocess.run(["sh", "-c", command], cwd=home, capture_output=True, text=True).stdout)
        signal.default_int_handler(signal.SIGINT, None)

    answers: list[str] = []
    pages: list[str] = []
    home = write(root.parent / "home" / "mine.jpg", b"mine").parent
    monkeypatch.setattr("tour.tour.time", SimpleNamespace(sleep=second_terminal))
    port = free_port()
    serve(port, once=False)
    assert pages == [f"http://127.0.0.1:{port}/ui"]
    assert len(asked) == 1
    assert (("YOUR_PHOTO.jpg" in asked[0]), (str(demo / "ask" / "me_1.jpg") in asked[0])) == (own, not own)
    if shutil.which("curl"):
        assert '"is_me": ' in answers[0]
    assert gone(root)


@posix_only
def test_a_path_that_curl_would_end_early_is_quoted() -> None:
    assert curl("/a b/c,d.jpg").endswith("""'image=@"/a b/c,d.jpg"'""")
    assert curl("YOUR_PHOTO.jpg") == "curl -sS -F image=@YOUR_PHOTO.jpg"
