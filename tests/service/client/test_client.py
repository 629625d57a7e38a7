"""`python -m service.client` against gunicorn as shipped, and against servers that are busy, broken or others."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from service.access.keys import create_key
from service.client import client as client_module
from service.client.client import Address, Client, ServiceError, ask_all, normal_url
from service.client.language import speak
from service.client.limits import Limits
from service.client.results import Answered
from service.config import Settings
from tests.service.client.support import VERDICT, Answer, client, environment, scripted, usual
from tests.service.support import Server, kept_in, posix_only, shipped_gunicorn
from tests.terminal import interrupted_once_it_shows_progress

GONE = "http://127.0.0.1:9"  # the port `discard`: nothing listens there
SATURATED = {"error": "Servicio saturado. Inténtalo de nuevo en unos segundos"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are a tenth of a second, not up to eight."""
    speak("en")
    wait = Client._wait
    monkeypatch.setattr(Client, "_wait", lambda self, seconds: wait(self, min(seconds, 0.1)))


@pytest.fixture
def photo(tmp_path: Path, me_photo: bytes) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(me_photo)
    return path


def ask(url: str, photo: Path, **more: Any) -> dict[str, Any]:
    return Client(Address(url, **more)).ask(photo)


# Against the real service


def test_a_folder_as_the_service_says_it(
    gunicorn: Server, tmp_path: Path, me_photo: bytes, stranger_photo: bytes, faceless_photo: bytes
) -> None:
    """The same answers as one by one, in the order of the names, whichever came first; originals stay as they are."""
    photos = {"a/1.jpg": me_photo, "a/b/2.jpg": stranger_photo, "a/c.png": faceless_photo, "a/d.jpg": b"hello"}
    for name, data in photos.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (1, 1))
    done = client(tmp_path, gunicorn.url, "a", "gone.jpg", "--json", "--clients", "3")
    assert (done.returncode, done.stderr) == (2, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.pop("photo") for line in lines] == [*photos, "gone.jpg"]
    assert lines.pop() == {"code": "cannot_read", "message": "cannot be read (No such file or directory)"}
    for line, data in zip(lines, photos.values(), strict=True):
        served = gunicorn.verify(data, headers={"Accept-Language": "en"}).json()
        assert {**line, "timing_ms": 0} == {**served, "timing_ms": 0}
    for name, data in photos.items():
        assert (tmp_path / name).read_bytes() == data and (tmp_path / name).stat().st_mtime == 1


def test_a_table_csv_and_statuses(gunicorn: Server, tmp_path: Path, photo: Path, stranger_photo: bytes) -> None:
    done = client(tmp_path, gunicorn.url + "/verify", photo, LC_ALL="es_ES.UTF-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split() == ["foto", "respuesta", "puntuación", "umbral", "consejos"]
    assert done.stdout.endswith("1 foto: 1 es mía, 0 no son mías\n")
    other = tmp_path / "other.jpg"
    other.write_bytes(stranger_photo)
    done = client(tmp_path, gunicorn.url, photo, other, "--faces", "all", "--csv", "out.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "out.csv is written. 2 photos: 1 me, 1 not me\n"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    assert [(row["photo"], row["face"], row["is_me"]) for row in rows[:2]] == [
        (str(photo), "1", "true"), (str(other), "1", "false"),
    ]  # fmt: skip
    assert float(rows[0]["score"]) == gunicorn.verify(photo.read_bytes()).json()["score"]


@pytest.mark.slow
@pytest.mark.security
def test_where_keys_are_needed(settings: Settings, tmp_path: Path, photo: Path) -> None:
    """The key comes from the environment or the command line, and is never shown; without one, nothing else is sent."""
    guarded = replace(settings, **kept_in(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    _, key = create_key(guarded.keys_path, "Front door", ["verify"], None, lambda _: None)
    with shipped_gunicorn(guarded, tmp_path) as server:
        for done in (
            client(tmp_path, server.url, photo, FACE_API_KEY=key),
            client(tmp_path, server.url, photo, "--key", key),
        ):
            assert done.returncode == 0
            assert key not in done.stdout + done.stderr
        for wrong in ({}, {"FACE_API_KEY": "x" * 43}):
            done = client(tmp_path, server.url, *[photo] * 1, "README.md", "--clients", "1", **wrong)
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr.startswith("the service refuses the key: ")
            assert "Set FACE_API_KEY, or give --key" in done.stderr and "xxx" not in done.stderr


@pytest.mark.slow
def test_a_limit_of_requests_is_waited_for(
    settings: Settings, tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real service says 429 and Retry-After; every photo gets its answer all the same."""
    statuses = []
    post = Client._post

    def noted(self: Client, data: bytes) -> requests.Response:
        answer = post(self, data)
        statuses.append(answer.status_code)
        return answer

    monkeypatch.undo()  # of the quick pauses: the real ones count here
    monkeypatch.setattr(Client, "_post", noted)
    monkeypatch.setenv("ADDRESS_LIMIT", "2/second")
    answers: dict[int, Answered] = {}
    with shipped_gunicorn(settings, tmp_path) as server:
        list(ask_all(Client(Address(server.url)), [photo] * 6, 3, answers))
    assert [answers[place].is_me for place in range(6)] == [True] * 6
    assert 429 in statuses and statuses.count(200) == 6


# Busy, away, broken


@pytest.mark.parametrize(("status", "header"), [(503, "1"), (429, "1"), (503, "Wed, 21 Oct 2037 07:28:00 GMT")])
def test_it_comes_again_when_it_is_told_to(
    photo: Path, status: int, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(Client, "_wait", lambda _, seconds: waited.append(seconds))
    monkeypatch.setattr(client_module.time, "time", lambda: 2139722880.0 - 7)  # seven seconds before that date
    answers = [Answer(status, SATURATED, {"Retry-After": header})] * 3 + [Answer()]
    with scripted(lambda _path, before, _body: answers[before]) as server:
        assert ask(server.url, photo) == VERDICT
        assert len(server.to("/verify")) == 4
    expected = 1 if header == "1" else 7
    pauses = [seconds for seconds in waited if seconds > 0.6]
    assert pauses and all(expected - 0.5 <= seconds <= expected + 1 for seconds in pauses)


def test_it_does_not_come_again_for_ever(photo: Path) -> None:
    with scripted(lambda *_: Answer(503, SATURATED, {"Retry-After": "1"})) as server:
        assert ask(server.url, photo) == SATURATED
        assert len(server.to("/verify")) == client_module.MOST_TRIES


def test_a_pause_of_an_hour_is_told_and_not_waited_for(photo: Path) -> None:
    busy = Answer(429, {"error": "Demasiadas peticiones"}, {"Retry-After": "3600"})
    with scripted(lambda *_: busy) as server, pytest.raises(ServiceError, match="in 60 minutes only: Demasiadas"):
        ask(server.url, photo)


@pytest.mark.parametrize("broken", [None, 502, 504])
def test_a_connection_that_breaks_is_made_again(photo: Path, broken: int | None) -> None:
    answers = [Answer(broken, b"<html>")] * 2 + [Answer()]
    with scripted(lambda _path, before, _body: answers[before]) as server:
        assert ask(server.url, photo) == VERDICT
    with scripted(lambda *_: Answer(broken, b"<html>")) as server:
        assert ask(server.url, photo)["code"] == "no_answer"
        assert len(server.to("/verify")) == client_module.MOST_UNREACHABLE


def test_a_service_that_goes_away_ends_it_after_some_photos(tmp_path: Path, me_photo: bytes) -> None:
    """What was answered before is kept."""
    photos = [tmp_path / f"{number:02}.jpg" for number in range(40)]
    for path in photos:
        path.write_bytes(me_photo)
    answers: dict[int, Answered] = {}
    with scripted(lambda _path, before, _body: Answer() if before < 5 else Answer(None)) as server:
        asking = ask_all(Client(Address(server.url)), photos, 1, answers)
        with pytest.raises(ServiceError, match="does not answer: is the service running"):
            list(asking)
    assert [answers[place].is_me for place in range(5)] == [True] * 5
    assert 5 < len(answers) < 40 and {answer.values.get("code") for answer in answers.values()} == {None, "no_answer"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(401, {"error": "Hace falta una clave", "detail": "x"}), "refuses the key: Hace falta una clave (x)"),
        (Answer(503, {"error": "Modelos no encontrados."}), "the service cannot answer: Modelos no encontrados."),
        (Answer(404, {"error": "Ruta no encontrada"}), "is no service of this project"),
        (Answer(200, {"hello": 1}), "is no service of this project: it answers /verify with status 200"),
        (Answer(308, b"", {"Location": "https://example.org/verify"}), "leads on to https://example.org/verify"),
    ],
)
def test_what_holds_for_every_photo_is_told_once(tmp_path: Path, photo: Path, answer: Answer, said: str) -> None:
    with scripted(lambda path, _before, _body: answer if path == "/verify" else usual(path)) as server:
        done = client(tmp_path, server.url, photo, photo.parent, "--clients", "1")
        assert len(server.to("/verify")) == 1
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.security
def test_a_key_and_a_photo_follow_nobody_elsewhere(photo: Path) -> None:
    with (
        scripted(lambda *_: Answer()) as elsewhere,
        scripted(lambda *_: Answer(307, b"", {"Location": f"{elsewhere.url}/verify"})) as server,
    ):
        with pytest.raises(ServiceError, match="leads on to"):
            ask(server.url, photo, key="secret")
        with pytest.raises(ServiceError, match="leads on to"):
            Client(Address(server.url, "secret")).look_at_service()
        assert elsewhere.requests == []


@pytest.mark.security
def test_the_key_is_sent_with_photos_alone_and_not_the_name(tmp_path: Path, me_photo: bytes) -> None:
    photo = tmp_path / "somebody's name.jpg"
    photo.write_bytes(me_photo)
    with scripted(lambda path, *_: Answer() if path == "/verify" else usual(path)) as server:
        done = client(tmp_path, server.url, photo, FACE_API_KEY="the secret")
        sent = [("X-API-Key" in headers, path) for _, path, headers, _ in server.requests]
        (body,) = server.to("/verify")
    assert done.returncode == 0 and "the secret" not in done.stdout + done.stderr
    assert sent == [(False, "/healthz"), (False, "/ui/settings.json"), (True, "/verify")]
    assert b"somebody" not in body
    assert "the secret" not in repr(Address("http://x", "the secret"))


def test_before_anything_is_sent_it_looks_whether_the_service_can_answer(tmp_path: Path, photo: Path) -> None:
    done = client(tmp_path, GONE, photo, "--csv", "out.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"{GONE} does not answer: is the service running ('python -m service'), and is this its address?\n"
    )
    assert not (tmp_path / "out.csv").exists()
    unhealthy = Answer(503, {"status": "unhealthy", "reason": "Models not loaded", "detail": "Falta: models/x"})
    with scripted(lambda *_: unhealthy) as server, pytest.raises(ServiceError, match="no models: Models not loaded"):
        Client(Address(server.url)).look_at_service()


@pytest.mark.parametrize("url", ["127.0.0.1:5000", "ftp://127.0.0.1", "http://", ""])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ServiceError, match="expected one such as http://127"):
        normal_url(url)


@pytest.mark.parametrize("url", ["http://a:1", "http://a:1/", "http://a:1/verify", "http://a:1/ui/", " http://a:1 "])
def test_an_address_may_be_that_of_the_page(url: str) -> None:
    assert normal_url(url) == "http://a:1"


def test_a_certificate_that_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise requests.exceptions.SSLError

    monkeypatch.setattr(requests.Session, "get", refuse)
    with pytest.raises(ServiceError, match="--ca-certificate FILE"):
        Client(Address("https://localhost:1")).look_at_service()


@pytest.mark.slow
def test_https_with_a_certificate_of_ones_own(settings: Settings, tmp_path: Path, photo: Path) -> None:
    from tests.service.support import certify

    certificate, key = certify(tmp_path)
    with shipped_gunicorn(replace(settings, tls_cert_path=certificate, tls_key_path=key), tmp_path) as server:
        assert client(tmp_path, server.url, photo, "--ca-certificate", certificate).returncode == 0
        done = client(tmp_path, server.url, photo)
    assert done.returncode == 2 and "give the one of who signed it with --ca-certificate FILE" in done.stderr


# Ending


@posix_only
@pytest.mark.slow
def test_interrupted_it_writes_what_is_done(tmp_path: Path, me_photo: bytes) -> None:
    for copy in range(60):
        (tmp_path / f"{copy:02}.jpg").write_bytes(me_photo)

    def slowly(path: str, before: int, _body: bytes) -> Answer:
        if path != "/verify":
            return usual(path)
        time.sleep(0.2 if before < 40 else 30)
        return Answer()

    with scripted(slowly) as server:
        command = ["-m", "service.client", server.url, ".", "--csv", "out.csv"]
        began = time.monotonic()
        done = interrupted_once_it_shows_progress(command, tmp_path, environment(), signal.SIGINT)
        assert time.monotonic() - began < 20, "it waited for photos that were on their way"
    assert done.returncode == 130
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    assert 0 < len(rows) <= 40 and all(row["is_me"] == "true" for row in rows)
    assert f"stopped: {len(rows)} of 60 photos done, the others were not asked about" in done.stderr


def test_several_are_asked_about_at_once(tmp_path: Path, me_photo: bytes) -> None:
    """As many as it is told to, and each photo once."""
    photos = [tmp_path / f"{number}.jpg" for number in range(12)]
    for number, path in enumerate(photos):
        path.write_bytes(me_photo + bytes([number]))
    at_once: list[int] = []
    now = 0

    def answer(*_: object) -> Answer:
        nonlocal now
        now += 1
        at_once.append(now)
        time.sleep(0.1)
        now -= 1
        return Answer()

    answers: dict[int, Answered] = {}
    with scripted(answer) as server:
        places = list(ask_all(Client(Address(server.url)), photos, 4, answers))
        sent = server.to("/verify")
    assert sorted(places) == sorted(answers) == list(range(12))
    assert len({body.split(b"\r\n\r\n", 1)[1].split(b"\r\n--")[0] for body in sent}) == len(sent) == 12
    assert 2 <= max(at_once) <= 4


def test_no_photo_is_too_large_to_be_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_LARGEST_FILE", 2**20)
    (tmp_path / "video.jpg").write_bytes(bytes(2**20 + 1))
    (tmp_path / "empty.jpg").write_bytes(b"")
    asking = Client(Address(GONE), Limits())
    assert asking.ask(tmp_path / "video.jpg") == {"code": "too_large", "message": "it has more than 1 MB: no photo"}
    assert asking.ask(tmp_path / "empty.jpg") == {"code": "no_image", "message": "the file is empty"}
