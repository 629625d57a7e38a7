"""Every error becomes a JSON object: what it is (service/error_kinds.py), and more about the case."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, Response, current_app, jsonify, request
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from faces.message import Message
from faces.recognition.image import (
    MAX_SIDE,
    ImageTooCostlyError,
    ImageTooLargeError,
    UnknownKindError,
    UnreadableImageError,
)
from faces.recognition.image_kinds import KINDS, is_picture
from service import error_kinds
from service.access import guard
from service.access.guard import KeyMissingError, RoleMissingError
from service.access.keys import KeysError
from service.access.limits import retry_after
from service.admission import SaturatedError
from service.config import Settings
from service.engine import ModelsNotLoadedError
from service.error_kinds import ErrorKind
from service.hints import describe
from service.language import asked, tell
from service.monitoring.logs import without_message
from service.monitoring.metrics import Reason, count_refusal
from service.recording import NotRecordedError
from service.reload_checks import ReloadRefusedError
from service.setting_types import BYTES_PER_MB

_REASONS: dict[str, Reason] = {
    error_kinds.NO_FACE.code: "no_face",
    error_kinds.NO_IMAGE.code: "no_image",
    error_kinds.TOO_SLOW.code: "too_slow",
}
_REASONS_OF_STATUS: dict[int, Reason] = {401: "no_key", 403: "role", 408: "too_slow", 429: "limit"}

_NO_SIZE = 2**60
"""Bytes that no file has: a client may announce a number of 4,000 digits."""

_LOG_SAYS_WHY = Message("The log of the service says why")


class ApiError(Exception):
    """An answer other than 200, raised anywhere below a route.

    Args:
        kind: of error.
        detail: more about this case, added as `detail` unless None.
        hints: codes of what the caller may try, added as `hints` unless there is none.
        reason: as what it counts in the metrics; None finds out by the kind, and one that says that there is no such
            thing counts as nothing.
    """

    def __init__(
        self,
        kind: ErrorKind,
        detail: Message | None = None,
        hints: Sequence[str] = (),
        reason: Reason | None = None,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail
        self.hints = hints
        self.reason: Reason | None = reason or _REASONS.get(kind.code) or _reason_of_status(kind.status)


def register(app: Flask, settings: Settings) -> None:
    """Make every error of the application a JSON answer."""
    megabytes, megapixels = plain(settings.max_content_mb), plain(settings.max_megapixels)
    damaged = Message("The image is damaged or incomplete")
    many_pixels = Message(
        "The image has too many pixels. Limit: {megapixels:# megapixel|# megapixels}, and {side} pixels on a side",
        megapixels=megapixels,
        side=MAX_SIDE,
    )
    costly = Message(
        "To decode it would take too much time or memory. Save it smaller, or as a JPEG that is not progressive"
    )
    for kind, detail in (
        (UnreadableImageError, damaged),
        (ImageTooLargeError, many_pixels),
        (ImageTooCostlyError, costly),
        (MemoryError, costly),
    ):
        _handle(app, kind, "unreadable", _always(error_kinds.UNREADABLE, detail))
    _handle(app, UnknownKindError, "wrong_type", lambda error: _wrong_type(error, settings))
    _handle(app, RequestEntityTooLarge, "too_large", lambda _: _too_large(settings.max_image_bytes, megabytes))
    _handle(app, ApiError, lambda error: error.reason, _api_error)
    _handle(app, SaturatedError, "saturated", _saturated)
    _handle(app, ModelsNotLoadedError, "no_models", _models_not_loaded)
    _handle(app, KeyMissingError, lambda error: "wrong_key" if error.given else "no_key", _key_missing)
    _handle(app, RoleMissingError, "role", _role_missing)
    _handle(app, KeysError, "failure", _always(error_kinds.KEYS_UNREADABLE, _LOG_SAYS_WHY))
    _handle(app, RateLimitExceeded, "limit", _too_many)
    _handle(app, NotRecordedError, "no_audit", not_recorded)
    _handle(app, ReloadRefusedError, None, lambda error: _answer(error_kinds.RELOAD_REFUSED, error.reason))
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
    """As what an error counts of which nothing is known but its status; what is not there counts as nothing."""
    if status in (404, 405):
        return None
    return _REASONS_OF_STATUS.get(status, "failure" if status >= 500 else "invalid")


def _always(kind: ErrorKind, detail: Message | None = None) -> Callable[[Exception], Response]:
    """An error handler with one answer for every error of its kind."""
    return lambda _: _answer(kind, detail)


def _wrong_type(error: UnknownKindError, settings: Settings) -> Response:
    """A file of a kind that is not accepted: which kind it is, which are accepted, and what to do."""
    described = error.args[0].values["kind"]
    about = {"kind": described, "names": either([kind.name for kind in settings.kinds])}
    mime = next((kind.mime for kind in KINDS if kind.described == described), None)
    if mime is not None:  # a setting is all that it lacks
        detail = Message(
            "The content is {kind}, and this service takes {names}. Save or export the photo as {names} and send it "
            "again. Whoever runs the service can allow this type, with a restart: ACCEPTED_TYPES={accepted},{mime}.",
            **about,
            accepted=",".join(settings.accepted_types),
            mime=mime,
        )
    elif is_picture(described):
        detail = Message(
            "The content is {kind}, and this service takes {names}. Save or export the photo as {names} and send it "
            "again.",
            **about,
        )
    else:  # to save that in another way makes no photo of it
        detail = Message(
            "The content is {kind}, whatever its name says. Send a photo: this service takes {names}.", **about
        )
    return _answer(error_kinds.WRONG_TYPE, detail, types=either(settings.accepted_types))


def _too_large(limit: int, megabytes: str) -> Response:
    """A photo over the limit. Nothing is read past the limit, so its size is the one that the request announces.

    Args:
        limit: in bytes.
        megabytes: the same, as the setting has it.
    """
    announced = request.content_length or 0  # none if the body comes in chunks
    told = limit < announced < _NO_SIZE
    size = _hundredths(announced) if told else Message("more than {size}", size=_hundredths(limit))
    detail = Message(
        "The photo has {size} MB, and MAX_CONTENT_MB is {limit}. Make it smaller before you send it (a JPEG of 1600 "
        "pixels on its longer side is enough, and usually has less than 1 MB), or raise MAX_CONTENT_MB on the server.",
        size=size,
        limit=megabytes,
    )
    return _answer(error_kinds.TOO_LARGE, detail, limit=megabytes)


def _hundredths(size: int) -> str:
    """Bytes in megabytes with at most two decimals, rounded up: a photo over the limit never looks like the limit."""
    whole, _, decimals = f"{math.ceil(100 * size / BYTES_PER_MB) / 100:.2f}".rstrip("0").partition(".")
    return Message("{whole}.{decimals}", whole=whole, decimals=decimals) if decimals else whole


def _api_error(error: ApiError) -> Response:
    return _answer(error.kind, error.detail, error.hints)


def _saturated(error: SaturatedError) -> Response:
    answer = _answer(error_kinds.SATURATED)
    answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _key_missing(_: KeyMissingError) -> Response:
    how = Message(
        "Send the key in the header {header}; whoever runs the service gives out keys",
        header=guard.HEADER,
    )
    answer = _answer(error_kinds.KEY_MISSING, how)
    answer.headers["WWW-Authenticate"] = f'ApiKey header="{guard.HEADER}"'
    return answer


def _role_missing(error: RoleMissingError) -> Response:
    return _answer(error_kinds.ROLE_MISSING, Message("The role '{role}' is needed", role=error.role))


def _too_many(_: RateLimitExceeded) -> Response:
    seconds = retry_after(current_app.extensions["rate_limits"])
    when = Message("Try again in {seconds:# second|# seconds}", seconds=seconds)
    answer = _answer(error_kinds.TOO_MANY, when)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def not_recorded(_: NotRecordedError | None = None) -> Response:
    """The answer in place of one that cannot be recorded."""
    answer = _answer(error_kinds.NOT_RECORDED, _LOG_SAYS_WHY)
    answer.headers["Retry-After"] = "5"
    return answer


def _models_not_loaded(error: ModelsNotLoadedError) -> Response:
    """Why the models cannot be used; for those that are there, `error` has always said it whole."""
    problem = error.problem
    kind = {
        "missing": error_kinds.NO_MODELS,
        "mismatch": error_kinds.MODELS_MISMATCH,
        "unreadable": error_kinds.MODELS_UNREADABLE,
    }[problem.kind]
    whole = None if kind.fixed else f"{tell(kind.message, 'es')}: {tell(problem.detail, 'es')}"
    return _answer(kind, problem.detail, error=whole)


def _http_error(error: HTTPException) -> Response:
    """An error of Flask or Werkzeug itself; it keeps its status and its headers (Allow, Retry-After)."""
    original = error.get_response()
    answer = _answer(error_kinds.of_status(original.status_code))
    answer.status_code = original.status_code
    answer.headers.extend((name, value) for name, value in original.headers if not name.startswith("Content-"))
    return answer


def _unexpected(error: Exception) -> Response:
    """An unexpected failure: the log gets the traceback, the caller gets nothing of it."""
    shown = error if request.method in ("GET", "HEAD") else without_message(error)
    current_app.logger.error("%s %r failed", request.method, request.path, exc_info=shown)
    return _answer(error_kinds.UNEXPECTED)


def _answer(
    kind: ErrorKind,
    detail: Message | None = None,
    hints: Sequence[str] = (),
    error: str | None = None,
    **values: Any,
) -> Response:
    """The JSON of an error.

    Args:
        kind: of error.
        detail: more about this case.
        hints: codes of what the caller may try.
        error: as `ErrorKind.as_json` takes it.
        values: of the kind's message.
    """
    language = asked()
    body: dict[str, Any] = {**kind.as_json(language, error, **values)}
    if detail is not None:
        body["detail"] = tell(detail, language)
    if hints:
        body["hints"] = [describe(code, language) for code in hints]
    response = jsonify(body)
    response.status_code = kind.status
    return response


def plain(number: float) -> str:
    """2.0 as "2", 1.5 as "1.5"."""
    return str(int(number)) if number.is_integer() else str(number)


def either(names: Sequence[str]) -> str:
    """ "a, b or c", in both languages."""
    some, last = ", ".join(names[:-1]), names[-1]
    return Message("{some} or {last}", some=some, last=last) if some else last
