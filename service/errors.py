"""Every error becomes a JSON object with an `error` string, in the words of the API's contract."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Flask, Response, current_app, jsonify, request
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from faces.message import fill
from faces.recognition.image import (
    MAX_SIDE,
    ImageTooCostlyError,
    ImageTooLargeError,
    UnknownKindError,
    UnreadableImageError,
)
from faces.recognition.image_kinds import KINDS
from faces.spanish import in_spanish
from service.access import guard
from service.access.guard import KeyMissingError, RoleMissingError
from service.access.keys import KeysError
from service.access.limits import retry_after
from service.admission import SaturatedError
from service.config import BYTES_PER_MB, Settings
from service.engine import ModelProblem, ModelsNotLoadedError
from service.monitoring.logs import without_message
from service.monitoring.metrics import Reason, count_refusal
from service.recording import NotRecordedError
from service.reload_checks import ReloadRefusedError

NO_FACE = "No se detectó un rostro en la imagen"
NO_IMAGE = "No se envió ninguna imagen en el campo 'image'"
WRONG_TYPE = "Tipo de archivo no permitido. Solo {types}"
UNREADABLE = "No se pudo leer la imagen"
TOO_LARGE = "Archivo demasiado grande. Límite: {limit} MB"
MODELS_NOT_FOUND = "Modelos no encontrados. Asegúrate de haber entrenado el modelo ejecutando 'train.py'."
SATURATED = "Servicio saturado. Inténtalo de nuevo en unos segundos"
CANNOT_RELOAD = "Este servidor no puede recargar el modelo: reinícialo"
RELOAD_REFUSED = "La recarga se ha rechazado y todo sigue como estaba"
TOO_SLOW = "La imagen ha tardado demasiado en llegar"
UNEXPECTED = "Error interno del servidor"
BAD_REQUEST = "Petición no válida"
KEY_MISSING = "Hace falta una clave de acceso válida"
ROLE_MISSING = "La clave no da permiso para esta operación"
TOO_MANY = "Demasiadas peticiones. Inténtalo de nuevo más tarde"
NOT_RECORDED = "No se puede registrar el uso, así que no se da respuesta"
KEYS_UNREADABLE = "No se pueden comprobar las claves de acceso"
NO_CARD = "No hay ficha de este modelo"
NO_PLOT = "La ficha del modelo no tiene ese gráfico"

_BY_STATUS = {
    400: BAD_REQUEST,
    404: "Ruta no encontrada",
    405: "Método no permitido",
    500: UNEXPECTED,
}


_REASONS: dict[str, Reason] = {NO_FACE: "no_face", NO_IMAGE: "no_image", TOO_SLOW: "too_slow"}
_REASONS_OF_STATUS: dict[int, Reason] = {401: "no_key", 403: "role", 408: "too_slow", 429: "limit"}


class ApiError(Exception):
    """An answer other than 200, raised anywhere below a route.

    Args:
        status: HTTP status.
        error: what the caller reads in `error`.
        detail: more about this case, added as `detail` unless None.
        headers: further headers of the answer.
        hints: what the caller may try, added as `hints` unless None.
        reason: as what it counts in the metrics; None finds out by the error, or the status.
    """

    def __init__(
        self,
        status: int,
        error: str,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        hints: Sequence[Mapping[str, str]] | None = None,
        reason: Reason | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.detail = detail
        self.headers = headers or {}
        self.hints = hints
        self.reason: Reason = reason or _REASONS.get(error) or _reason_of_status(status) or "invalid"


def register(app: Flask, settings: Settings) -> None:
    """Make every error of the application a JSON answer."""
    megabytes, megapixels = plain(settings.max_content_mb), plain(settings.max_megapixels)
    many_pixels = fill(
        "La imagen tiene demasiados píxeles. Límite: {megapixels:# megapíxel|# megapíxeles}, y {side} píxeles por lado",
        megapixels=megapixels,
        side=MAX_SIDE,
    )
    costly = (
        "Descodificarla costaría demasiado tiempo o memoria. Guárdala más pequeña, o como un JPEG que no sea progresivo"
    )
    for kind, answer in (
        (UnreadableImageError, (400, UNREADABLE, "La imagen está dañada o incompleta")),
        (ImageTooLargeError, (400, UNREADABLE, many_pixels)),
        (ImageTooCostlyError, (400, UNREADABLE, costly)),
        (MemoryError, (400, UNREADABLE, costly)),
    ):
        _handle(app, kind, "unreadable", _always(*answer))
    _handle(app, UnknownKindError, "wrong_type", lambda error: _wrong_type(error, settings))
    _handle(app, RequestEntityTooLarge, "too_large", lambda _: _too_large(settings.max_image_bytes, megabytes))
    _handle(app, ApiError, lambda error: error.reason, _api_error)
    _handle(app, SaturatedError, "saturated", _saturated)
    _handle(app, ModelsNotLoadedError, "no_models", _models_not_loaded)
    _handle(app, KeyMissingError, lambda error: "wrong_key" if error.given else "no_key", _key_missing)
    _handle(app, RoleMissingError, "role", _role_missing)
    _handle(app, KeysError, "failure", _always(503, KEYS_UNREADABLE, "El registro del servicio dice por qué"))
    _handle(app, RateLimitExceeded, "limit", _too_many)
    _handle(app, NotRecordedError, "no_audit", not_recorded)
    _handle(app, ReloadRefusedError, None, lambda error: _answer(409, RELOAD_REFUSED, error.reason))
    _handle(app, HTTPException, lambda error: _reason_of_status(error.get_response().status_code), _http_error)
    _handle(app, Exception, "failure", _unexpected)


def _handle(
    app: Flask,
    kind: type[Exception],
    reason: Reason | Callable[[Any], Reason | None] | None,
    answer: Callable[[Any], Response],
) -> None:
    """Answer errors of a kind, and count them.

    Args:
        app: the application.
        kind: of errors, those derived from it included unless they have a handler of their own.
        reason: as what they count, or what finds it out; None counts nothing.
        answer: makes the answer of an error.
    """

    def counted(error: Exception) -> Response:
        counts_as = reason(error) if callable(reason) else reason
        if counts_as is not None:
            count_refusal(counts_as)
        return answer(error)

    app.register_error_handler(kind, counted)


def _reason_of_status(status: int) -> Reason | None:
    """As what an error counts of which nothing is known but its status; a path or method that there is not: not."""
    if status in (404, 405):
        return None
    return _REASONS_OF_STATUS.get(status, "failure" if status >= 500 else "invalid")


def _always(status: int, error: str, detail: str | None = None) -> Callable[[Exception], Response]:
    """An error handler with one answer for every error of its kind."""
    return lambda _: _answer(status, error, detail)


def _wrong_type(error: UnknownKindError, settings: Settings) -> Response:
    """A file of a kind that is not accepted: which kind it is, which are accepted, and what to do."""
    described = error.args[0].values["kind"]
    accepted = ",".join(settings.accepted_types)
    detail = (
        f"El contenido es {in_spanish(described)} y ACCEPTED_TYPES es {accepted}. Guarda o exporta la foto como "
        f"{either([kind.name for kind in settings.kinds])} y envíala otra vez"
    )
    mime = next((kind.mime for kind in KINDS if kind.described == described), None)
    if mime is not None:  # a setting is all that it lacks
        detail += f", o permite este tipo en el servidor y reinícialo: ACCEPTED_TYPES={accepted},{mime}"
    return _answer(400, WRONG_TYPE.format(types=either(settings.accepted_types)), f"{detail}.")


def _too_large(limit: int, megabytes: str) -> Response:
    """A photo over the limit. Nothing is read past the limit, so its size is the one that the request announces.

    Args:
        limit: in bytes.
        megabytes: the same, as the setting has it.
    """
    announced = request.content_length or 0  # none if the body comes in chunks
    size = _hundredths(announced) if announced > limit else f"más de {_hundredths(limit)}"
    detail = (
        f"La foto ocupa {size} MB y MAX_CONTENT_MB es {megabytes}. Redúcela antes de enviarla (un JPEG de 1600 píxeles "
        "en el lado más largo basta y suele ocupar menos de 1 MB), o sube MAX_CONTENT_MB en el servidor."
    )
    return _answer(413, TOO_LARGE.format(limit=megabytes), detail)


def _hundredths(size: int) -> str:
    """Bytes in megabytes with at most two decimals, rounded up: a photo over the limit never looks like the limit."""
    return f"{math.ceil(100 * size / BYTES_PER_MB) / 100:.2f}".rstrip("0").rstrip(".").replace(".", ",")


def _api_error(error: ApiError) -> Response:
    answer = _answer(error.status, error.error, error.detail, error.hints)
    answer.headers.update(error.headers)
    return answer


def _saturated(error: SaturatedError) -> Response:
    answer = _answer(503, SATURATED)
    answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _key_missing(_: KeyMissingError) -> Response:
    answer = _answer(
        401, KEY_MISSING, f"Envía la clave en la cabecera {guard.HEADER}; la da quien administra el servicio"
    )
    answer.headers["WWW-Authenticate"] = f'ApiKey header="{guard.HEADER}"'
    return answer


def _role_missing(error: RoleMissingError) -> Response:
    return _answer(403, ROLE_MISSING, f"Hace falta el permiso '{error.role}'")


def _too_many(_: RateLimitExceeded) -> Response:
    seconds = retry_after(current_app.extensions["rate_limits"])
    answer = _answer(
        429, TOO_MANY, fill("Vuelve a intentarlo dentro de {seconds:# segundo|# segundos}", seconds=seconds)
    )
    answer.headers["Retry-After"] = str(seconds)
    return answer


def not_recorded(_: NotRecordedError | None = None) -> Response:
    """The answer in place of one that cannot be recorded."""
    answer = _answer(503, NOT_RECORDED, "El registro del servicio dice por qué")
    answer.headers["Retry-After"] = "5"
    return answer


def _models_not_loaded(error: ModelsNotLoadedError) -> Response:
    return _answer(503, describe_models(error.problem), error.problem.detail)


def describe_models(problem: ModelProblem) -> str:
    """What callers of /verify are told if the models cannot be used."""
    sentences = {
        "missing": MODELS_NOT_FOUND,
        "mismatch": f"El modelo y las redes no corresponden: {problem.detail}",
        "unreadable": f"No se pudieron leer los modelos: {problem.detail}",
    }
    return sentences[problem.kind]


def _http_error(error: HTTPException) -> Response:
    """An error of Flask or Werkzeug itself; it keeps its headers (Allow, Retry-After)."""
    original = error.get_response()
    status = original.status_code
    answer = _answer(status, _BY_STATUS.get(status, UNEXPECTED if status >= 500 else BAD_REQUEST))
    answer.headers.extend((name, value) for name, value in original.headers if not name.startswith("Content-"))
    return answer


def _unexpected(error: Exception) -> Response:
    """An unexpected failure: the log gets the traceback, the caller gets nothing of it."""
    shown = error if request.method in ("GET", "HEAD") else without_message(error)
    current_app.logger.error("%s %r failed", request.method, request.path, exc_info=shown)
    return _answer(500, UNEXPECTED)


def _answer(
    status: int, error: str, detail: str | None = None, hints: Sequence[Mapping[str, str]] | None = None
) -> Response:
    more = {"detail": detail, "hints": hints}
    response = jsonify({"error": error} | {name: value for name, value in more.items() if value is not None})
    response.status_code = status
    return response


def plain(number: float) -> str:
    """2.0 as "2", 1.5 as "1.5"."""
    return str(int(number)) if number.is_integer() else str(number)


def either(names: Sequence[str]) -> str:
    """ "a, b o c"."""
    return " o ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
