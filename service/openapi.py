"""The OpenAPI document, written from the code that answers: paths from the routes, shapes from `service.answers`.

It describes only. Requests are read by the routes themselves, so that uploads stay in memory.

A new endpoint needs one entry in `ENDPOINTS`; its description is the docstring of its function.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from apispec import APISpec
from flask import Flask
from msgspec import Struct

from service import answers, error_kinds, errors
from service.config import Settings
from service.error_kinds import ErrorKind
from service.language import LANGUAGES
from service.monitoring.request_ids import HEADER
from service.ui.routes import HTML

OPENAPI_VERSION = "3.1.0"
JSON = "application/json"
PNG = "image/png"
_PAGE = ("ui.page", "ui.page_with_slash", "ui.file")

_VERDICT = {
    "model_version": "me-verifier-v1", "is_me": True, "score": 0.9234, "threshold": 0.75, "timing_ms": 245.67,
    "threshold_source": "setting", "threshold_basis": "default", "backbone": "facenet-vggface2",
    "face": {
        "box": [114.5, 85.6, 229.5, 243.1], "probability": 0.9998, "turned": 0, "size": 134.6, "sharpness": 0.09591,
        "brightness": 125.9, "turned_away": 0.074, "visible": 1.0,
    },
    "hints": [],
}  # fmt: skip
"""The contract's example, and the fields that were added since."""

_TIME = "2026-11-27T12:00:00+00:00"

_IMAGE = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": {"type": "string", "format": "binary", "description": "the photo, a file"},
        "faces": {"type": "string", "enum": ["largest", "all"], "default": "largest"},
    },
}


@dataclass(frozen=True)
class Answer:
    """One answer of an endpoint.

    Attributes:
        description: when it is given.
        body: type of its JSON; None is text that is no JSON.
        examples: by name.
        retry_after: whether a header says when to ask again.
        media_types: what it may be.
    """

    description: str
    body: type[Struct] | None = answers.Error
    examples: Mapping[str, Any] = field(default_factory=dict)
    retry_after: bool = False
    media_types: tuple[str, ...] = (JSON,)


@dataclass(frozen=True)
class Endpoint:
    """What the document says of an endpoint beside its docstring.

    Attributes:
        answers: by status; what every endpoint may answer is added.
        guarded: whether it asks for a key where there are keys.
        more: further fields of its operation, such as requestBody.
    """

    answers: Mapping[int, Answer]
    guarded: bool = True
    more: Mapping[str, Any] = field(default_factory=dict)


def _error(kind: ErrorKind, **values: Any) -> dict[str, Any]:
    """An example of an error, as it is answered to whoever asks for no language."""
    return {kind.code: kind.as_json(LANGUAGES[0], **values)}


def endpoints(settings: Settings) -> dict[str, Endpoint]:
    """Every endpoint, as "METHOD /path". The limits in examples are those of the settings."""
    ok = Answer("It is", answers.Status, {"ok": {"status": "ok"}})
    types = errors.either(settings.accepted_types)
    return {
        "GET /": Endpoint(
            {
                200: Answer("Name, version and endpoints", answers.Index),
                303: Answer("To whoever would rather have HTML: see /ui", body=None, media_types=(HTML,)),
            },
            guarded=False,
        ),
        "GET /healthz": Endpoint(
            {
                200: ok,
                503: Answer(
                    "Models are missing or wrong",
                    answers.Unhealthy,
                    {
                        "unhealthy": {
                            "status": "unhealthy",
                            "reason": "Models not loaded",
                            "detail": "Falta: models/model.joblib. Ejecuta 'dvc repro'",
                        }
                    },
                ),
            },
            guarded=False,
        ),
        "GET /livez": Endpoint({200: ok}, guarded=False),
        "GET /readyz": Endpoint(
            {
                200: Answer("It is", answers.Ready, {"ok": {"status": "ok"}}),
                503: Answer(
                    "It is not",
                    answers.Unready,
                    {"full": {"status": "unready", "reason": "La cola está llena"}},
                ),
            },
            guarded=False,
        ),
        "GET /ui/settings.json": Endpoint({200: Answer("Limits and threshold", answers.PageSettings)}, guarded=False),
        "GET /version": Endpoint({200: Answer("Model and code", answers.Version)}),
        "GET /model/card": Endpoint(
            {
                200: Answer("The card", answers.ModelCard),
                404: Answer(
                    "There is none of the model that is served: `detail` says why, and what to do",
                    examples=_error(error_kinds.NO_CARD),
                ),
            }
        ),
        "GET /model/plots/{name}.png": Endpoint(
            {
                200: Answer("The chart", body=None, media_types=(PNG,)),
                404: Answer(
                    "The card has no such chart, or there is no card",
                    examples=_error(error_kinds.NO_PLOT) | _error(error_kinds.NO_CARD),
                ),
            },
            more={
                "parameters": [
                    {
                        "name": "name",
                        "in": "path",
                        "required": True,
                        "description": "as `plots` of the card has it",
                        "schema": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
                    }
                ]
            },
        ),
        "POST /verify": Endpoint(
            {
                200: Answer("The photo has a face", answers.Verdict, {"me": _VERDICT}),
                400: Answer(
                    "There is no face, or no image that can be read",
                    examples=_error(error_kinds.NO_FACE)
                    | _error(error_kinds.NO_IMAGE)
                    | _error(error_kinds.WRONG_TYPE, types=types)
                    | _error(error_kinds.UNREADABLE)
                    | _error(error_kinds.BAD_REQUEST),
                ),
                408: Answer("The photo took too long to arrive", examples=_error(error_kinds.TOO_SLOW)),
                413: Answer(
                    "The image, or the request around it, is too large",
                    examples=_error(error_kinds.TOO_LARGE, limit=errors.plain(settings.max_content_mb)),
                ),
                503: Answer(
                    "Models are missing or wrong; more requests than can be answered in time, or no record of the use "
                    "is possible, both with Retry-After; keys cannot be checked",
                    examples=_error(error_kinds.NO_MODELS)
                    | _error(error_kinds.SATURATED)
                    | _error(error_kinds.KEYS_UNREADABLE)
                    | _error(error_kinds.NOT_RECORDED),
                    retry_after=True,
                ),
            },
            more={
                "parameters": [
                    {
                        "name": "faces",
                        "in": "query",
                        "description": "all: every face, not the largest alone. The form's field of that name wins",
                        "schema": {"type": "string", "enum": ["largest", "all"], "default": "largest"},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": _IMAGE,
                            "encoding": {"image": {"contentType": ", ".join(settings.accepted_types)}},
                        }
                    },
                },
            },
        ),
        "GET /metrics": Endpoint(
            {
                200: Answer(
                    "Figures, in a format of Prometheus",
                    body=None,
                    media_types=("text/plain", "application/openmetrics-text"),
                )
            }
        ),
        "POST /admin/reload": Endpoint(
            {
                200: Answer("Done", answers.Reload, {"done": {"status": "done", "time": _TIME}}),
                202: Answer("Begun", answers.Reload, {"begun": {"status": "begun", "time": _TIME}}),
                409: Answer("The new model or settings cannot serve", examples=_error(error_kinds.RELOAD_REFUSED)),
                501: Answer("This server cannot reload", examples=_error(error_kinds.CANNOT_RELOAD)),
            }
        ),
        "GET /openapi.json": Endpoint({200: Answer("This document", body=None, media_types=(JSON,))}),
    }


_OF_ALL = {500: Answer("A failure that nobody foresaw", examples=_error(error_kinds.UNEXPECTED))}
_OF_GUARDED = {
    401: Answer("A key is needed, and there is none that counts", examples=_error(error_kinds.KEY_MISSING)),
    403: Answer("The key does not allow this", examples=_error(error_kinds.ROLE_MISSING)),
    429: Answer(
        "Too many requests with this key or from this address",
        examples=_error(error_kinds.TOO_MANY),
        retry_after=True,
    ),
    503: Answer(
        "Keys cannot be checked, or the use cannot be recorded",
        examples=_error(error_kinds.KEYS_UNREADABLE) | _error(error_kinds.NOT_RECORDED),
    ),
}


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    """Every route of an application, as "METHOD /path", and the name of its function. HEAD and OPTIONS are Flask's.

    A part of the path that varies stands in it as OpenAPI has it: {name}. The files of the page are for people, and no
    part of the API.
    """
    for rule in app.url_map.iter_rules():
        if rule.endpoint in _PAGE:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule.replace('<', '{').replace('>', '}')}", rule.endpoint


def document(app: Flask, settings: Settings) -> dict[str, Any]:
    """The document of an application; a route that `endpoints` does not have is left out.

    Args:
        app: with all its routes.
        settings: what it runs with.

    Returns:
        OpenAPI 3.1, as JSON.
    """
    spec = APISpec(
        "Face Recognition API",
        "1.0.0",
        OPENAPI_VERSION,
        info={"description": "Whether the face on a photo is that of the person whom the model was trained on."},
        servers=[{"url": "/"}],
    )
    described = endpoints(settings)
    types = {answer.body for endpoint in described.values() for answer in endpoint.answers.values() if answer.body}
    _, schemas = msgspec.json.schema_components(
        sorted(types | {answers.Error}, key=lambda kind: kind.__name__), ref_template="#/components/schemas/{name}"
    )
    for name, schema in schemas.items():
        spec.components.schema(name, schema)
    _add_headers(spec)
    for route, function in sorted(routes(app)):
        if route in described:
            method, path = route.split(" ")
            text = inspect.getdoc(app.view_functions[function]) or ""
            spec.path(path, operations={method.lower(): _operation(route, text, described[route])})
    result: dict[str, Any] = spec.to_dict()
    return result


def _add_headers(spec: APISpec) -> None:
    """What requests and answers have in their heads."""
    spec.components.security_scheme("key", {"type": "apiKey", "in": "header", "name": "X-API-Key"})
    spec.components.header(
        "request_id",
        {
            "description": "of this request, as the log has it: the client's own, or a new one",
            "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        },
    )
    spec.components.header(
        "retry_after",
        {"description": "seconds until another try may be worth it", "schema": {"type": "integer", "minimum": 1}},
    )
    spec.components.parameter(
        "request_id",
        "header",
        {
            "name": HEADER,
            "description": "1 to 64 of A-Z a-z 0-9 . _ -; anything else is replaced",
            "schema": {"type": "string"},
        },
    )
    spec.components.parameter(
        "accept_language",
        "header",
        {
            "name": "Accept-Language",
            "description": "es or en: the language of texts for people; without one of them, es. `error` is in Spanish",
            "schema": {"type": "string"},
        },
    )
    spec.components.header(
        "content_language",
        {"description": "of texts for people; missing where there is none", "schema": {"enum": list(LANGUAGES)}},
    )


def _operation(route: str, text: str, endpoint: Endpoint) -> dict[str, Any]:
    """One method of a path."""
    every = {**_OF_ALL, **(_OF_GUARDED if endpoint.guarded else {}), **endpoint.answers}
    more = dict(endpoint.more)
    parameters = ["request_id", "accept_language", *more.pop("parameters", [])]
    return {
        "operationId": re.sub(r"\W+", "_", route.lower().replace("/", "")).rstrip("_"),
        "summary": text.partition("\n")[0],
        "parameters": parameters,
        **more,
        # With the second one, the empty one, it says that no key is needed while there are none.
        "security": [{"key": []}, {}] if endpoint.guarded else [],
        "responses": {str(status): _response(answer) for status, answer in sorted(every.items())},
    }


def _response(answer: Answer) -> dict[str, Any]:
    """An answer with its headers and its content."""
    headers = {HEADER: "request_id"} | ({"Retry-After": "retry_after"} if answer.retry_after else {})
    if answer.body in answers.IN_A_LANGUAGE:
        headers["Content-Language"] = "content_language"
    content: dict[str, Any] = {"schema": {"type": "object" if answer.media_types == (JSON,) else "string"}}
    if answer.media_types == (PNG,):
        content = {}  # bytes have no schema
    if answer.body is not None:
        content = {"schema": answer.body.__name__}
    if answer.examples:
        content["examples"] = {name: {"value": value} for name, value in answer.examples.items()}
    return {
        "description": answer.description,
        "headers": headers,
        "content": dict.fromkeys(answer.media_types, content),
    }
