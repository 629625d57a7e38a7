"""The contract's tables, row by row: strings (accents included), status codes, fields."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif  # type: ignore[import-untyped]  # it ships no types
import pytest
from flask import abort
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from bench.support.hostile import png, split
from faces.recognition.image import DEFAULT_MAX_PIXELS
from faces.verifier import Verifier
from service import create_app
from service.config import PROJECT_ROOT, Settings
from tests.recording import copy_trained
from tests.service.support import LIMIT_BYTES, encode, padded, post_photo

NO_IMAGE = "No se envió ninguna imagen en el campo 'image'"
NO_FACE = "No se detectó un rostro en la imagen"
WRONG_TYPE = "Tipo de archivo no permitido. Solo image/jpeg o image/png"
UNREADABLE = "No se pudo leer la imagen"
TOO_LARGE = "Archivo demasiado grande. Límite: 2 MB"
ORIENTATION = 0x0112


def assert_error(response: TestResponse, status: int, error: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/json"
    assert response.json is not None and response.json["error"] == error
    answer: dict[str, Any] = response.json
    return answer


def test_index(client: FlaskClient) -> None:
    response = client.get("/")
    assert response.status_code == 200 and response.content_type == "application/json"
    answer = response.json
    assert answer is not None
    assert answer.pop("description").startswith("API para reconocimiento facial...")
    assert answer == {
        "name": "Face Recognition API",
        "version": "1.0.0",
        "endpoints": {"health": "/healthz", "verify": "/verify"},
    }


def test_health(client: FlaskClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_live_and_ready(client: FlaskClient, no_models: Settings) -> None:
    for path in ("/livez", "/readyz"):
        response = client.get(path)
        assert (response.status_code, response.content_type) == (200, "application/json")
        assert response.json == {"status": "ok"}
    without = create_app(no_models).test_client()
    assert without.get("/livez").status_code == 200, "to start it again would not help"
    ready = without.get("/readyz")
    assert (ready.status_code, ready.content_type) == (503, "application/json")
    answer = ready.json
    assert answer is not None and list(answer) == ["status", "reason"]
    assert answer["status"] == "unready" and "model.joblib" in answer["reason"]


@pytest.mark.parametrize("reason", ["La cola está llena", "Hay fotos en espera y ninguna ha terminado en 31 segundos"])
def test_not_ready_while_photos_are_not_verified_in_time(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr(type(client.application.extensions["engine"]), "delay", reason)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (503, {"status": "unready", "reason": reason})
    assert client.get("/livez").status_code == client.get("/healthz").status_code == 200


def test_version(client: FlaskClient, settings: Settings, no_models: Settings) -> None:
    """Which model answers, and which code and run it comes from."""
    response = client.get("/version")
    assert (response.status_code, response.content_type) == (200, "application/json")
    answer = json.loads(response.data)
    digests = ["model_sha256", "verifier_sha256", "networks_sha256"]
    assert list(answer) == ["model_version", "backbone", *digests, "git_revision", "dvc_lock_sha256"]
    assert (answer["model_version"], answer["backbone"]) == ("me-verifier-v1", "dlib-resnet")
    folder = settings.model_path.parent
    files = (settings.model_path, folder / "verifier.npz", settings.networks_path / "networks.json")
    assert [answer[name] for name in digests] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    checkout = (PROJECT_ROOT / ".git").exists()
    lock = hashlib.sha256((PROJECT_ROOT / "dvc.lock").read_bytes()).hexdigest()
    assert answer["dvc_lock_sha256"] == (lock if checkout else None)
    assert (answer["git_revision"] is not None) == checkout
    without = create_app(replace(no_models, model_version="v2")).test_client().get("/version").json
    assert without is not None
    assert without["model_version"] == "v2"
    assert [without[name] for name in ("backbone", *digests)] == [None] * 4


def test_which_model_answers_not_which_lies_there_now(settings: Settings, tmp_path: Path) -> None:
    model = copy_trained(settings.model_path.parent, tmp_path) / "model.joblib"
    client = create_app(replace(settings, model_path=model)).test_client()
    before = client.get("/version").json
    model.write_bytes(b"another one")
    assert client.get("/version").json == before


def test_verify_says_me_and_not_me(client: FlaskClient, me_photo: bytes, stranger_photo: bytes) -> None:
    me, stranger = (post_photo(client, photo) for photo in (me_photo, stranger_photo))
    assert me.status_code == stranger.status_code == 200
    assert me.json is not None and stranger.json is not None
    assert me.json["is_me"] is True and stranger.json["is_me"] is False
    assert 0 <= stranger.json["score"] < 0.75 <= me.json["score"] <= 1
    assert me.json["model_version"] == "me-verifier-v1" and me.json["threshold"] == 0.75
    assert 0 < me.json["timing_ms"] == round(me.json["timing_ms"], 2)
    assert me.json["backbone"] == "dlib-resnet"
    assert 0.9 <= me.json["face"]["probability"] <= 1
    left, top, right, bottom = me.json["face"]["box"]
    width, height = Image.open(io.BytesIO(me_photo)).size
    assert -width * 0.1 < left < right < width * 1.1 and -height * 0.1 < top < bottom < height * 1.1


def test_strangers_like_this_is_what_the_model_says(
    settings: Settings, client: FlaskClient, me_photo: bytes, stranger_photo: bytes
) -> None:
    """The share of strangers who are estimated to score as high, with two digits that count."""
    verifier = Verifier.load(settings.model_path, settings.scaler_path)
    engine = client.application.extensions["engine"]
    shares = []
    for photo in (me_photo, stranger_photo):
        answer = post_photo(client, photo).get_json()
        expected = verifier.strangers_like(np.array([engine.verify(photo).score]))
        assert expected is not None
        assert answer["strangers_like_this"] == float(f"{expected[0]:.2g}")
        shares.append(answer["strangers_like_this"])
    assert 0 < shares[0] < 5e-4 < 0.01 < shares[1] <= 1, "5e-4 of strangers are estimated to reach 0.75"


def test_answers_are_written_for_people(client: FlaskClient, me_photo: bytes, faceless_photo: bytes) -> None:
    """Fields in the contract's order, accents as they are."""
    fields = list(json.loads(post_photo(client, me_photo).data))
    assert fields[:5] == ["model_version", "is_me", "score", "threshold", "timing_ms"]
    assert list(json.loads(client.get("/").data)) == ["name", "version", "description", "endpoints"]
    assert NO_FACE.encode() in post_photo(client, faceless_photo).data


def test_a_body_larger_than_photo_and_frame_is_not_read(client: FlaskClient, me_photo: bytes) -> None:
    """Fields beside the photo count, too: 64 KB are left for them and the multipart frame."""
    for size, status in ((50_000, 200), (LIMIT_BYTES + 70_000, 413)):
        data = {"image": (io.BytesIO(me_photo), "a.jpg"), "note": "x" * size}
        assert client.post("/verify", data=data).status_code == status
        data = {"note": "x" * size, "image": (io.BytesIO(me_photo), "a.jpg")}
        assert client.post("/verify", data=data).status_code == status


def test_no_file_of_the_project_is_served(no_models: Settings) -> None:
    no_models.model_path.write_bytes(b"secret")
    client = create_app(no_models).test_client()
    name = no_models.model_path.name
    for path in (f"/{name}", f"/static/{name}", f"/{no_models.model_path.parent.name}/{name}"):
        assert client.get(path).status_code == 404


def test_verify_is_settled_by_the_score_a_client_reads(
    photo_client: Callable[..., FlaskClient], me_photo: bytes
) -> None:
    score = post_photo(photo_client(), me_photo).get_json()["score"]
    at = post_photo(photo_client(threshold=score), me_photo).get_json()
    above = post_photo(photo_client(threshold=score + 1e-7), me_photo).get_json()
    assert (at["score"], at["threshold"], at["is_me"]) == (score, score, True)
    assert (above["score"], above["is_me"]) == (score, False)


def test_a_score_rounded_up_to_the_threshold_is_me(
    client: FlaskClient, me_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = client.application.extensions["engine"]
    seen = engine.verify(me_photo)
    for score, shown, is_me in ((0.7499999, 0.75, True), (0.7499994, 0.749999, False), (0.9, 0.9, True)):
        monkeypatch.setattr(
            engine, "verify", lambda *_, given=score: replace(seen, scored=[replace(seen.scored[0], score=given)])
        )
        answer = post_photo(client, me_photo).get_json()
        assert (answer["score"], answer["is_me"]) == (shown, is_me)


def test_model_version_is_a_setting(photo_client: Callable[..., FlaskClient], me_photo: bytes) -> None:
    assert post_photo(photo_client(model_version="v2"), me_photo).get_json()["model_version"] == "v2"


def test_no_face(client: FlaskClient, faceless_photo: bytes) -> None:
    assert_error(post_photo(client, faceless_photo, "photo.png", "image/png"), 400, NO_FACE)


@pytest.mark.parametrize("content", [b"hola", b"GIF89a" + bytes(100), b"%PDF-1.7", b"\xff\xd8", bytes(2000)])
def test_neither_jpeg_nor_png_whatever_it_is_called(client: FlaskClient, content: bytes) -> None:
    assert_error(post_photo(client, content, "photo.jpg", "image/jpeg"), 400, WRONG_TYPE)


def test_a_real_gif_and_webp_are_refused(client: FlaskClient, me_photo: bytes) -> None:
    image = Image.open(io.BytesIO(me_photo))
    for kind, said in (("GIF", "un GIF"), ("WEBP", "un WebP"), ("BMP", "un BMP")):
        answer = assert_error(post_photo(client, encode(image, kind), "photo.jpg"), 400, WRONG_TYPE)
        assert answer["detail"].startswith(
            f"El contenido es {said} y este servicio admite JPEG o PNG. Guarda o exporta la foto como JPEG o PNG"
        )


def test_a_type_that_only_the_setting_lacks_is_told_the_line_that_allows_it(
    photo_client: Callable[..., FlaskClient], me_photo: bytes, tmp_path: Path
) -> None:
    pillow_heif.register_heif_opener()
    image = Image.open(io.BytesIO(me_photo))
    for kind in ("webp", "heic", "avif"):
        photo = encode(image, {"heic": "HEIF"}.get(kind, kind.upper()))
        detail = assert_error(post_photo(photo_client(), photo), 400, WRONG_TYPE)["detail"]
        name, _, value = detail.rpartition(": ")[2].rstrip(".").partition("=")
        assert (name, value) == ("ACCEPTED_TYPES", f"image/jpeg,image/png,image/{kind}")
        allowed = Settings.load({name: value}, tmp_path / "none").accepted_types
        assert post_photo(photo_client(accepted_types=allowed), photo).status_code == 200
    for other in (encode(image, "GIF"), b"hola"):  # no setting allows these
        detail = assert_error(post_photo(photo_client(), other), 400, WRONG_TYPE)["detail"]
        assert "ACCEPTED_TYPES" not in detail, "no name of a setting for whom it cannot help"
    assert detail == (
        "El contenido es un archivo de texto, diga lo que diga su nombre. Envía una foto: este servicio admite JPEG o "
        "PNG."
    )
    only = photo_client(accepted_types=("image/png",))
    told = assert_error(post_photo(only, me_photo), 400, "Tipo de archivo no permitido. Solo image/png")["detail"]
    assert "es un JPEG y este servicio admite PNG. Guarda o exporta la foto como PNG y" in told


@pytest.mark.parametrize("kind", ["webp", "heic", "avif"])
def test_other_types_are_taken_where_the_setting_names_them(
    photo_client: Callable[..., FlaskClient], me_photo: bytes, kind: str
) -> None:
    pillow_heif.register_heif_opener()
    data = encode(Image.open(io.BytesIO(me_photo)), {"heic": "HEIF"}.get(kind, kind.upper()), quality=95)
    client = photo_client(accepted_types=("image/jpeg", "image/png", f"image/{kind}"))
    score = post_photo(client, me_photo).get_json()["score"]
    answer = post_photo(client, data, f"photo.{kind}", f"image/{kind}").get_json()
    assert answer["score"] == pytest.approx(score, abs=0.1)
    told = f"Tipo de archivo no permitido. Solo image/jpeg, image/png o image/{kind}"
    assert_error(post_photo(client, b"hola"), 400, told)
    assert_error(post_photo(photo_client(), data), 400, WRONG_TYPE)


def test_hard_files_are_answered(client: FlaskClient) -> None:
    """A palette that is missing, and a JPEG that asks for thousands of passes."""
    assert_error(post_photo(client, png((8, 8), 8, 3)), 400, UNREADABLE)
    head, scans = split(encode(Image.new("RGB", (4000, 4000)), "JPEG", progressive=True))
    answer = assert_error(post_photo(client, head + b"".join(scans) + scans[-1] * 2000 + b"\xff\xd9"), 400, UNREADABLE)
    assert "tiempo o memoria" in answer["detail"]
    answer = assert_error(post_photo(client, png((1, 70_000), 8, 0)), 400, UNREADABLE)
    assert "65535 píxeles por lado" in answer["detail"]


def test_memory_that_runs_out_is_an_answer(
    client: FlaskClient, me_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(client.application.extensions["engine"], "verify", fail)
    assert "tiempo o memoria" in assert_error(post_photo(client, me_photo), 400, UNREADABLE)["detail"]


def test_content_decides_not_the_declared_type(client: FlaskClient, me_photo: bytes) -> None:
    assert post_photo(client, me_photo, "photo.txt", "text/plain").status_code == 200


def test_truncated_photos(client: FlaskClient, me_photo: bytes) -> None:
    png = encode(Image.open(io.BytesIO(me_photo)), "PNG")
    for photo in (me_photo[: len(me_photo) // 2], me_photo[:20], png[: len(png) // 2], png[:20]):
        assert_error(post_photo(client, photo), 400, UNREADABLE)


def test_exactly_the_limit_passes_and_one_byte_more_does_not(client: FlaskClient, me_photo: bytes) -> None:
    assert post_photo(client, padded(me_photo, LIMIT_BYTES)).status_code == 200
    detail = assert_error(post_photo(client, padded(me_photo, LIMIT_BYTES + 1)), 413, TOO_LARGE)["detail"]
    assert detail.startswith("La foto ocupa 2,01 MB y MAX_CONTENT_MB es 2. Redúcela")
    detail = assert_error(post_photo(client, bytes(5_000_000)), 413, TOO_LARGE)["detail"]
    assert detail.startswith("La foto ocupa 4,77 MB y MAX_CONTENT_MB es 2. Redúcela")


@pytest.mark.parametrize(("megabytes", "shown"), [(1.5, "1.5"), (0.0625, "0.0625"), (3.0, "3")])
def test_the_limit_is_a_setting(
    photo_client: Callable[..., FlaskClient], me_photo: bytes, megabytes: float, shown: str
) -> None:
    client, limit = photo_client(max_content_mb=megabytes), int(megabytes * 2**20)
    assert post_photo(client, padded(me_photo, limit)).status_code == 200
    too_large = post_photo(client, padded(me_photo, limit + 1))
    assert_error(too_large, 413, f"Archivo demasiado grande. Límite: {shown} MB")


def test_field_missing_empty_or_not_a_file(client: FlaskClient, me_photo: bytes) -> None:
    file = lambda data: (io.BytesIO(data), "photo.jpg")  # noqa: E731
    for data in (
        {},
        {"photo": file(me_photo)},
        {"image": "texto"},
        {"image": "x" * 600_000},
        {"image": file(b"")},
    ):
        answer = client.post("/verify", data=data, content_type="multipart/form-data")
        assert_error(answer, 400, NO_IMAGE)
    assert answer.get_json()["detail"] == "El archivo de ese campo está vacío"
    assert_error(client.post("/verify"), 400, NO_IMAGE)
    assert_error(client.post("/verify", data=me_photo, content_type="image/jpeg"), 400, NO_IMAGE)
    assert_error(client.post("/verify", json={"image": "aGk="}), 400, NO_IMAGE)


def test_field_sent_twice_the_first_counts(client: FlaskClient, me_photo: bytes, stranger_photo: bytes) -> None:
    for photos, is_me in (((stranger_photo, me_photo), False), ((me_photo, stranger_photo), True)):
        both = [(io.BytesIO(photo), "photo.jpg") for photo in photos]
        assert client.post("/verify", data={"image": both}).get_json()["is_me"] is is_me


def bomb(side: int) -> bytes:
    """A valid 1-bit PNG, all black, of `side` pixels squared, in some 100 KB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    rows = bytes(((side + 7) // 8 + 1) * 100)
    pixels = b"".join(packer.compress(rows) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_000, 30_000])
def test_bombs_are_refused_unopened(client: FlaskClient, side: int) -> None:
    photo = bomb(side)
    assert len(photo) < LIMIT_BYTES
    started = time.process_time()  # of the processor alone: tests run beside each other
    answer = assert_error(post_photo(client, photo), 400, UNREADABLE)
    assert time.process_time() - started < 0.5
    assert f"{DEFAULT_MAX_PIXELS // 1_000_000} megapíxeles" in answer["detail"]


def test_the_pixel_limit_is_a_setting(photo_client: Callable[..., FlaskClient]) -> None:
    def photo(width: int) -> bytes:
        return encode(Image.new("RGB", (width, 1000)), "PNG")

    client = photo_client(max_megapixels=0.5)
    assert_error(post_photo(client, photo(500)), 400, NO_FACE)
    assert "0.5 megapíxeles" in assert_error(post_photo(client, photo(501)), 400, UNREADABLE)["detail"]


@pytest.mark.parametrize(("kind", "pixels", "score"), [("PNG", 0.1, 1e-6), ("JPEG", 15, 0.1)])
def test_exif_orientation_is_applied(
    client: FlaskClient, me_photo: bytes, kind: str, pixels: float, score: float
) -> None:
    upright = Image.new("RGB", (500, 300), "white")
    upright.paste(Image.open(io.BytesIO(me_photo)), (250, 0))
    sideways = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # "turn it by 90° clockwise"
    options = {"quality": 95} if kind == "JPEG" else {}
    expected = post_photo(client, encode(upright, kind, **options)).get_json()
    rotated = post_photo(client, encode(sideways, kind, exif=exif, **options)).get_json()
    assert rotated["score"] == pytest.approx(expected["score"], abs=score)
    assert rotated["face"]["box"] == pytest.approx(expected["face"]["box"], abs=pixels)
    lying = post_photo(client, encode(sideways, kind, **options))
    assert lying.status_code == 400 or lying.get_json()["face"]["box"][0] < 150


def test_models_missing(no_models: Settings, faceless_photo: bytes) -> None:
    client = create_app(no_models).test_client()
    health = client.get("/healthz")
    assert health.status_code == 503 and health.content_type == "application/json"
    answer = health.get_json()
    assert answer.pop("detail")
    assert answer == {"status": "unhealthy", "reason": "Models not loaded"}
    expected = "Modelos no encontrados. Asegúrate de haber entrenado el modelo ejecutando 'train.py'."
    answer = assert_error(post_photo(client, faceless_photo), 503, expected)
    assert "model.joblib" in answer["detail"]


def test_models_missing_wrong_requests_are_still_told_so(no_models: Settings) -> None:
    client = create_app(no_models).test_client()
    assert_error(client.post("/verify"), 400, NO_IMAGE)
    assert_error(post_photo(client, bytes(LIMIT_BYTES + 1)), 413, TOO_LARGE)
    assert client.get("/").status_code == 200


def test_unknown_path_and_wrong_method(client: FlaskClient) -> None:
    assert_error(client.get("/nada"), 404, "Ruta no encontrada")
    assert_error(client.post("/verify/"), 404, "Ruta no encontrada")
    wrong_method = client.get("/verify")
    assert_error(wrong_method, 405, "Método no permitido")
    assert "POST" in wrong_method.headers["Allow"]


@pytest.mark.parametrize(("status", "error"), [(418, "Petición no válida"), (502, "Error interno del servidor")])
def test_a_status_that_nobody_foresaw_is_told_in_spanish_too(
    client: FlaskClient, me_photo: bytes, monkeypatch: pytest.MonkeyPatch, status: int, error: str
) -> None:
    monkeypatch.setattr(client.application.extensions["engine"], "verify", lambda *_: abort(status))
    assert_error(post_photo(client, me_photo), status, error)


def test_unexpected_failure(
    client: FlaskClient, me_photo: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret of /home/someone")

    monkeypatch.setattr(client.application.extensions["engine"], "verify", fail)
    response = post_photo(client, me_photo)
    told = "Error interno del servidor"
    assert assert_error(response, 500, told) == {"error": told, "code": "unexpected", "message": told}
    assert "RuntimeError: (the message is not logged" in caplog.text and "Traceback" in caplog.text
    assert "secret" not in caplog.text.replace('raise RuntimeError("secret of /home/someone")', "")


def test_unexpected_failure_is_json_in_debug_mode_too(
    photo_client: Callable[..., FlaskClient], me_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = photo_client(debug=True)
    monkeypatch.setattr(client.application.extensions["engine"], "verify", lambda *_: 1 / 0)
    assert_error(post_photo(client, me_photo), 500, "Error interno del servidor")


def test_cors_for_every_origin_on_every_answer(client: FlaskClient, me_photo: bytes) -> None:
    origin = {"Origin": "https://example.org"}
    answers = [
        client.post("/verify", data={"image": (io.BytesIO(me_photo), "a.jpg")}, headers=origin),
        client.post("/verify", headers=origin),
        client.get("/nada", headers=origin),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 404]
    assert all(answer.headers["Access-Control-Allow-Origin"] == "*" for answer in answers)
    asked = {**origin, "Access-Control-Request-Method": "POST"}
    assert "POST" in client.options("/verify", headers=asked).headers["Access-Control-Allow-Methods"]


def test_cors_restricted(no_models: Settings) -> None:
    client = create_app(replace(no_models, cors_origins=("https://a.example",))).test_client()
    allowed = client.get("/", headers={"Origin": "https://a.example"})
    other = client.get("/", headers={"Origin": "https://b.example"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert "Access-Control-Allow-Origin" not in other.headers
