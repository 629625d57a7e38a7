"""The language of answers: `Accept-Language` decides over all that is for people, and over nothing else."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from faces.errors import UserError
from faces.message import Message
from faces.operating_point import OperatingPoint
from service import create_app, error_kinds
from service.access.keys import create_key
from service.admission import SaturatedError
from service.config import Settings
from service.error_kinds import KINDS, ErrorKind, of_server
from service.hints import SENTENCES
from service.language import LANGUAGES, best_of, from_json, tell, to_json
from service.recording import NotRecordedError
from service.reload import Outcome, ReloadRefusedError
from tests.service.support import LIMIT_BYTES, kept_in

CODES = {
    "no_face", "no_image", "wrong_type", "unreadable", "bad_http", "bad_request", "key_missing", "role_missing",
    "not_found", "method_not_allowed", "too_slow", "reload_refused", "too_large", "too_many", "unexpected",
    "cannot_reload", "no_models", "models_mismatch", "models_unreadable", "saturated", "keys_unreadable",
    "not_recorded", "no_card", "no_plot",
}  # fmt: skip
"""What programs may rely on: none of these goes, whatever else is written anew."""


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "es"), ("es", "es"), ("en", "en"), ("en-GB", "en"), ("EN_us", "en"), ("es-MX", "es"), ("de", "es"),
        ("*", "es"), ("en-US,en;q=0.9,es;q=0.8", "en"), ("es-ES,es;q=0.9,en;q=0.8", "es"), ("de, en;q=0.5", "en"),
        ("es-MX, en;q=0.5", "es"), ("en-GB, es;q=0.5", "en"), ("en;q=0.3, es;q=0.7", "es"), ("en;q=0", "es"),
        ("es;q=0, *", "en"), ("*, en;q=0.1", "es"), ("en;q=x", "es"), ("enm", "es"), (",;=q\x00é", "es"),
        (",".join(f"x{number}" for number in range(5000)) + ",en;q=0.1", "en"),
    ],
)  # fmt: skip
def test_the_language_that_suits_best(header: str, language: str) -> None:
    assert best_of(header) == language


def test_the_codes_stay_and_are_alike() -> None:
    assert {kind.code for kind in KINDS} == CODES and len(KINDS) == len(CODES)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in CODES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_kind_has_a_sentence_in_both_languages(kind: ErrorKind) -> None:
    values = {"types": "image/png", "limit": 2}
    spanish, english = (kind.as_json(language, **values) for language in LANGUAGES)
    assert spanish["error"] == english["error"], "the contract's words"
    assert spanish["message"] != english["message"] and "{" not in spanish["message"] + english["message"]
    assert "train.py" not in spanish["message"], "there is no such program here"


@pytest.fixture
def keyed(settings: Settings, tmp_path: Path) -> Iterator[tuple[FlaskClient, dict[str, str]]]:
    """A service with a key for metrics alone, which may ask twice a minute."""
    kept = replace(settings, **kept_in(tmp_path), key_limit="2 per minute", workers=1)
    _, key = create_key(kept.keys_path, "Ana", ["metrics"], None, lambda _: None)
    app = create_app(kept)
    yield app.test_client(), {"X-API-Key": key}
    app.extensions["recorder"].close()


Ask = Callable[[FlaskClient, dict[str, str]], TestResponse]


def photo(data: bytes) -> Ask:
    return lambda client, headers: client.post("/verify", data={"image": (io.BytesIO(data), "a.jpg")}, headers=headers)


def get(path: str) -> Ask:
    return lambda client, headers: client.get(path, headers=headers)


def post(path: str) -> Ask:
    return lambda client, headers: client.post(path, headers=headers)


def both(client: FlaskClient, ask: Ask) -> tuple[dict[str, Any], dict[str, Any]]:
    """An answer in Spanish and in English, and for whoever asks for no language, which must be the former."""
    answers = {}
    for asked in ("en-GB,en;q=0.9", "es-MX", None):
        answer = ask(client, {} if asked is None else {"Accept-Language": asked})
        answers[asked] = answer.get_json()
        assert answer.headers["Content-Language"] == ("en" if asked and "en" in asked else "es")
        assert "accept-language" in (name.lower() for name in answer.vary)
    spanish, english, of_nobody = (answers[asked] for asked in ("es-MX", "en-GB,en;q=0.9", None))
    assert {**spanish, "timing_ms": 0} == {**of_nobody, "timing_ms": 0}
    return spanish, english


def assert_both(client: FlaskClient, ask: Ask, kind: ErrorKind, detail: tuple[str, str] | None = None) -> None:
    spanish, english = both(client, ask)
    assert spanish["error"] == english["error"]
    assert spanish["code"] == english["code"] == kind.code
    template = kind.message.template.partition("{")[0]
    assert english["message"].startswith(template) and not spanish["message"].startswith(template)
    assert ("detail" in spanish) == ("detail" in english) == (detail is not None), spanish
    if detail is not None:
        assert spanish["detail"].startswith(detail[0]) and english["detail"].startswith(detail[1]), english


def test_what_is_wrong_with_a_request(client: FlaskClient, me_photo: bytes) -> None:
    for ask, kind, detail in (
        (post("/verify"), error_kinds.NO_IMAGE, ("La petición debe", "The request must")),
        (photo(b""), error_kinds.NO_IMAGE, ("El archivo de ese campo", "The file in this field")),
        (photo(b"GIF89a"), error_kinds.WRONG_TYPE, ("El contenido es un GIF y", "The content is a GIF, and")),
        (photo(me_photo[:2000]), error_kinds.UNREADABLE, ("La imagen está dañada", "The image is damaged")),
        (photo(bytes(5_000_000)), error_kinds.TOO_LARGE, ("La foto ocupa 4,77 MB", "The photo has 4.77 MB")),
        (post("/verify?faces=some"), error_kinds.NO_IMAGE, ("La petición", "The request")),
        (get("/nada"), error_kinds.NOT_FOUND, None),
        (get("/verify"), error_kinds.METHOD_NOT_ALLOWED, None),
        (post("/admin/reload"), error_kinds.KEY_MISSING, ("Envía la clave", "Send the key")),
    ):
        assert_both(client, ask, kind, detail)
    wrong = lambda client, headers: client.post(  # noqa: E731
        "/verify?faces=some", data={"image": (io.BytesIO(me_photo), "a.jpg")}, headers=headers
    )
    assert_both(client, wrong, error_kinds.BAD_REQUEST, ("'faces' debe ser", "'faces' must be"))


def test_a_photo_over_the_limit_whose_size_is_not_known(client: FlaskClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + bytes(LIMIT_BYTES + 1)

    def chunked(client: FlaskClient, headers: dict[str, str]) -> TestResponse:
        return client.post(
            "/verify", input_stream=io.BytesIO(body), headers=headers, content_type="multipart/form-data; boundary=x",
            environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
        )  # fmt: skip

    expected = ("La foto ocupa más de 2 MB", "The photo has more than 2 MB")
    assert_both(client, chunked, error_kinds.TOO_LARGE, expected)


@pytest.mark.parametrize(
    ("error", "kind", "detail"),
    [
        (SaturatedError(3), error_kinds.SATURATED, None),
        (NotRecordedError(), error_kinds.NOT_RECORDED, ("El registro", "The log")),
        (MemoryError(), error_kinds.UNREADABLE, ("Descodificarla", "To decode it")),
        (RuntimeError(), error_kinds.UNEXPECTED, None),
    ],
)
def test_what_is_wrong_with_the_service(
    client: FlaskClient,
    me_photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    kind: ErrorKind,
    detail: tuple[str, str] | None,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(client.application.extensions["engine"], "verify", fail)
    assert_both(client, photo(me_photo), kind, detail)


def test_whoever_may_not_ask(keyed: tuple[FlaskClient, dict[str, str]]) -> None:
    client, key = keyed
    with_key = lambda client, headers: client.get("/version", headers={**headers, **key})  # noqa: E731
    verify = lambda client, headers: client.post("/verify", headers={**headers, **key})  # noqa: E731
    answer = client.post("/verify", headers={**key, "Accept-Language": "en"}).get_json()
    assert (answer["code"], answer["detail"]) == ("role_missing", "The role 'verify' is needed")
    client.get("/version", headers=key)
    for ask in (with_key, verify):
        assert_both(client, ask, error_kinds.TOO_MANY, ("Vuelve a intentarlo dentro de", "Try again in"))


def test_models_that_are_not_there(no_models: Settings, faceless_photo: bytes) -> None:
    client = create_app(no_models).test_client()
    said = ("Falta: ", "Missing: ")
    assert_both(client, photo(faceless_photo), error_kinds.NO_MODELS, said)
    for path, field in (("/healthz", "detail"), ("/readyz", "reason")):
        spanish, english = both(client, get(path))
        assert spanish[field].startswith(said[0]) and english[field].startswith(said[1])
    assert english["status"] == "unready"


def test_a_queue_that_is_full(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(client.application.extensions["engine"]), "delay", Message("The queue is full"))
    spanish, english = both(client, get("/readyz"))
    assert (spanish["reason"], english["reason"]) == ("La cola está llena", "The queue is full")


def test_hints(client: FlaskClient, me_photo: bytes, faceless_photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = client.application.extensions["engine"].photo_limits
    monkeypatch.setattr(client.application.extensions["engine"], "photo_limits", replace(limits, min_face=10_000.0))
    for ask, code in ((photo(me_photo), "small"), (photo(faceless_photo), "no_face")):
        hints = [answer["hints"] for answer in both(client, ask)]
        assert hints == [[{"code": code, "text": tell(SENTENCES[code], language)}] for language in LANGUAGES]


def test_why_there_is_no_threshold_of_its_own(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    auto = replace(settings, threshold=None, operating_point_path=tmp_path / "operating_point.json")
    OperatingPoint(0.4, 0.01, "measured", None, False, 250, 250, 300).write(tmp_path, auto.model_path)
    spanish, english = both(create_app(auto).test_client(), photo(me_photo))
    assert spanish["threshold_note"].startswith("250 desconocidos no bastan para garantizar")
    assert english["threshold_note"].startswith("250 strangers are too few to promise")


def test_an_answer_without_words_for_people_names_no_language(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/livez", "/version", "/openapi.json"):
        assert "Content-Language" not in client.get(path, headers={"Accept-Language": "en"}).headers, path


def test_a_reload_that_is_refused(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason crosses from the process that tried it out to the one that answers."""
    reason = Message("Missing: {names}. Run 'dvc repro'", names="models/model.joblib")
    outcome = Outcome("refused", "2026-11-27T12:00:00+00:00", from_json(to_json(reason)))
    monkeypatch.setitem(client.application.extensions, "reload_outcome", outcome)
    spanish, english = both(client, get("/readyz"))
    assert spanish["reload"]["reason"] == "Falta: models/model.joblib. Ejecuta 'dvc repro'"
    assert english["reload"]["reason"] == reason
    assert str(ReloadRefusedError(reason)) == reason, "the log is in English"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_that_crosses_to_another_process_is_told_as_it_would_have_been(language: Any, tmp_path: Path) -> None:
    error = UserError("{path} cannot be read ({reason})", path=tmp_path / "ñandú", reason=Message("it is not JSON"))
    message = Message("{reason}: run 'dvc repro', and copy all of models/", reason=error)
    counted = Message("Try again in {seconds:# second|# seconds}", seconds=1)
    for given in (message, counted, Message("The queue is full"), Message("{a!r} {b}", a={"x": "y"}, b=None)):
        assert tell(from_json(to_json(given)), language) == tell(given, language)


@pytest.mark.parametrize(
    "text", ["", "Traceback", "1", "null", "[]", '{"es": "a"}', '{"es": "a", "en": "b", "fr": "c"}', '"a"']
)
def test_what_is_no_message_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


def test_what_a_server_answers_by_itself() -> None:
    assert of_server(500, "secret") == {
        "error": "Error interno del servidor", "code": "unexpected", "message": "Error interno del servidor",
    }  # fmt: skip
    answer = of_server(431, "too many headers", "en")
    assert answer["error"] == "Petición HTTP no válida: too many headers" and answer["code"] == "bad_http"
    assert answer["message"].startswith("The request is not valid HTTP")
    json.dumps(answer)
