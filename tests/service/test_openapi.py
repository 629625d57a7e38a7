"""/openapi.json: every route is in it, every answer is what it says, and requests made from it find no failure."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from werkzeug.test import TestResponse

from bench.support.made_inputs import LEFT_OUT, run_schemathesis
from service import create_app
from service.admission import SaturatedError
from service.config import Settings
from service.monitoring.request_ids import HEADER
from service.openapi import endpoints, routes
from tests.model_cards import put_card
from tests.recording import copy_trained
from tests.service.support import LIMIT_BYTES, Server, posix_only, post_photo


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    found: dict[str, Any] = answer.get_json()
    return found


def test_it_is_openapi(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()  # type: ignore[arg-type]  # JSON is what it takes
    assert document["openapi"] == "3.1.0"


def test_every_route_is_described_and_nothing_else(client: FlaskClient, document: dict[str, Any]) -> None:
    app = client.application
    assert {route for route, _ in routes(app)} == endpoints(app.extensions["settings"]).keys()
    described = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert described == endpoints(app.extensions["settings"]).keys()
    assert all(operation["summary"] for methods in document["paths"].values() for operation in methods.values())


def strict(document: dict[str, Any]) -> dict[str, Any]:
    """The same, and an object may have no field that is not described."""
    result = copy.deepcopy(document)
    for schema in result["components"]["schemas"].values():
        if schema.get("type") == "object":
            schema["additionalProperties"] = False
    return result


def assert_as_described(document: dict[str, Any], answer: TestResponse, method: str, path: str) -> None:
    described = document["paths"][path][method]["responses"]
    assert str(answer.status_code) in described, answer.text
    response = described[str(answer.status_code)]
    assert answer.mimetype in response["content"]
    assert answer.headers[HEADER]
    for header in ("Retry-After", "Content-Language"):
        assert header not in answer.headers or header in response["headers"]
    if answer.mimetype == "application/json":
        assert_valid(document, response["content"]["application/json"]["schema"], answer.get_json())


def assert_valid(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    jsonschema.Draft202012Validator({**schema, "components": strict(document)["components"]}).validate(value)


@pytest.mark.parametrize(
    "path",
    ["/", "/healthz", "/livez", "/readyz", "/version", "/metrics", "/openapi.json", "/ui/settings.json"],
)
def test_what_is_asked_for_without_a_photo(
    client: FlaskClient, document: dict[str, Any], no_models: Settings, path: str
) -> None:
    assert_as_described(document, client.get(path), "get", path)
    assert_as_described(document, create_app(no_models).test_client().get(path), "get", path)


def test_the_model_card_and_its_charts(
    settings: Settings, document: dict[str, Any], no_models: Settings, tmp_path: Path
) -> None:
    models = copy_trained(settings.model_path.parent, tmp_path / "models")
    put_card(models)
    carded = replace(settings, model_path=models / "model.joblib", scaler_path=models / "scaler.joblib")
    client = create_app(carded).test_client()
    for described, path, status in (
        ("/model/card", "/model/card", 200),
        ("/model/plots/{name}.png", "/model/plots/scores.png", 200),
        ("/model/plots/{name}.png", "/model/plots/nothing.png", 404),
    ):
        answer = client.get(path)
        assert answer.status_code == status
        assert_as_described(document, answer, "get", described)
        assert_as_described(document, create_app(no_models).test_client().get(path), "get", described)


def test_every_answer_of_verify(
    client: FlaskClient,
    photo_client: Callable[..., FlaskClient],
    document: dict[str, Any],
    no_models: Settings,
    me_photo: bytes,
    stranger_photo: bytes,
    faceless_photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = {"image": (io.BytesIO(stranger_photo), "a.jpg"), "faces": "all"}
    answers = [
        *[post_photo(client, photo) for photo in (me_photo, stranger_photo, faceless_photo, b"GIF89a", me_photo[:999])],
        post_photo(client, bytes(LIMIT_BYTES + 1)),
        client.post("/verify"),
        client.post("/verify?faces=some", data={"image": (io.BytesIO(me_photo), "a.jpg")}),
        client.post("/verify", data=both),
        post_photo(photo_client(threshold=None), me_photo),
        post_photo(create_app(no_models).test_client(), me_photo),
    ]
    for error in (SaturatedError(3), RuntimeError()):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(client.application.extensions["engine"], "verify", fail)
        answers.append(post_photo(client, me_photo))
    assert [answer.status_code for answer in answers] == [
        200, 200, 400, 400, 400, 413, 400, 400, 200, 200, 503, 503, 500
    ]  # fmt: skip
    for answer in answers:
        assert_as_described(document, answer, "post", "/verify")


def test_examples_are_what_they_are_examples_of(document: dict[str, Any]) -> None:
    checked = 0
    for methods in document["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                for content in response["content"].values():
                    for example in content.get("examples", {}).values():
                        assert_valid(document, content["schema"], example["value"])
                        checked += 1
    assert checked > 15


def test_the_contracts_examples_are_in_it(document: dict[str, Any]) -> None:
    answers = document["paths"]["/verify"]["post"]["responses"]
    content = {status: answer["content"]["application/json"] for status, answer in answers.items()}
    verdict = content["200"]["examples"]["me"]["value"]
    asked_for = {"model_version": "me-verifier-v1", "is_me": True, "score": 0.9234, "threshold": 0.75,
                 "timing_ms": 245.67}  # fmt: skip
    assert list(verdict.items())[:5] == list(asked_for.items())
    errors = {example["value"]["error"] for own in content.values() for example in own.get("examples", {}).values()
              if "error" in example["value"]}  # fmt: skip
    assert errors >= {
        "No se detectó un rostro en la imagen", "Tipo de archivo no permitido. Solo image/jpeg o image/png",
        "Archivo demasiado grande. Límite: 2 MB", "No se pudo leer la imagen",
        "Modelos no encontrados. Asegúrate de haber entrenado el modelo ejecutando 'train.py'.",
        "No se envió ninguna imagen en el campo 'image'", "Servicio saturado. Inténtalo de nuevo en unos segundos",
    }  # fmt: skip


def test_its_limits_are_those_that_are_set(photo_client: Callable[..., FlaskClient]) -> None:
    client = photo_client(max_content_mb=1.5, accepted_types=("image/jpeg", "image/webp"))
    found = client.get("/openapi.json").get_json()["paths"]["/verify"]["post"]
    (example,) = found["responses"]["413"]["content"]["application/json"]["examples"].values()
    assert example["value"]["error"] == "Archivo demasiado grande. Límite: 1.5 MB"
    encoding = found["requestBody"]["content"]["multipart/form-data"]["encoding"]
    assert encoding["image"]["contentType"] == "image/jpeg, image/webp"


@pytest.mark.security
def test_what_asks_for_a_key_says_so(document: dict[str, Any]) -> None:
    """Open: what the issue of access leaves open, what the page has to know, and nothing else."""
    open_ = {"/", "/healthz", "/livez", "/readyz", "/ui/settings.json"}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert (operation["security"] == []) == (path in open_), path
            assert ({"401", "403", "429"} <= operation["responses"].keys()) == (path not in open_), path
    assert document["components"]["securitySchemes"] == {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}


def test_requests_made_from_it(client: FlaskClient) -> None:
    """Some that fit the document and some that do not: no failure, and each answer as described."""
    described = schemathesis.openapi.from_wsgi("/openapi.json", client.application)
    described.config.checks.update(excluded_check_names=[LEFT_OUT])
    operations = [operation.ok() for operation in described.get_all_operations()]
    paths = {operation.path for operation in operations}
    assert paths | {"/openapi.json"} == client.get("/openapi.json").get_json()["paths"].keys(), "its own is left out"
    for operation in operations:
        # What is asked for without a body has nothing that could be wrong.
        for mode in GenerationMode if operation.path == "/verify" else [GenerationMode.POSITIVE]:

            @settings(
                max_examples=20 if operation.path == "/verify" else 4, deadline=None, derandomize=True, database=None,
                phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                case.call_and_validate()

            ask()


@posix_only
@pytest.mark.slow
def test_many_requests_made_from_it(gunicorn: Server, tmp_path: Path) -> None:
    """Also values at the ends of their ranges, methods that there are not, headers that are missing."""
    done = run_schemathesis(gunicorn.url, 20, tmp_path, requests_for_each=200)
    assert done.returncode == 0, done.stdout
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated and int(generated[1]) > 500, done.stdout
    assert "Traceback" not in gunicorn.log
