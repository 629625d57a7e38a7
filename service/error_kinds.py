"""Every kind of error that the API answers: its status, its code, and its sentence.

Each answer has `error`, in the words of the API's contract: Spanish, whatever language is asked for. `message` says it
in the language that is asked for (service/language.py), and programs tell errors apart by `code`, which never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from faces.message import Message
from service.language import LANGUAGES, Language, tell


@dataclass(frozen=True)
class ErrorKind:
    """A kind of error.

    Attributes:
        status: HTTP status.
        code: what programs tell it by.
        message: a sentence for people. Its template may have values, which come with each error.
        fixed: what `error` says, where that is not the Spanish of the message.
    """

    status: int
    code: str
    message: Message
    fixed: str | None = None

    def as_json(self, language: Language, error: str | None = None, **values: Any) -> dict[str, str]:
        """What an answer says of the error itself.

        Args:
            language: of `message`.
            error: what `error` says, where that depends on more than the kind.
            values: of the message's template.
        """
        message = Message(self.message.template, **values)
        return {
            "error": error or self.fixed or tell(message, "es"),
            "code": self.code,
            "message": tell(message, language),
        }


NO_FACE = ErrorKind(400, "no_face", Message("No face was found in the image"))
NO_IMAGE = ErrorKind(400, "no_image", Message("No image was sent in the field 'image'"))
WRONG_TYPE = ErrorKind(400, "wrong_type", Message("This type of file is not accepted. Only {types}"))
UNREADABLE = ErrorKind(400, "unreadable", Message("The image could not be read"))
BAD_HTTP = ErrorKind(400, "bad_http", Message("The request is not valid HTTP, or its head is too large"))
BAD_REQUEST = ErrorKind(400, "bad_request", Message("The request is not valid"))
KEY_MISSING = ErrorKind(401, "key_missing", Message("A valid API key is needed"))
ROLE_MISSING = ErrorKind(403, "role_missing", Message("The key does not allow this operation"))
NOT_FOUND = ErrorKind(404, "not_found", Message("There is no such path"))
NO_CARD = ErrorKind(404, "no_card", Message("There is no card of this model"))
NO_PLOT = ErrorKind(404, "no_plot", Message("The model's card has no such chart"))
METHOD_NOT_ALLOWED = ErrorKind(405, "method_not_allowed", Message("This path does not take this method"))
TOO_SLOW = ErrorKind(408, "too_slow", Message("The image took too long to arrive"))
RELOAD_REFUSED = ErrorKind(409, "reload_refused", Message("The reload was refused, and all is as it was"))
TOO_LARGE = ErrorKind(413, "too_large", Message("The file is too large. Limit: {limit} MB"))
TOO_MANY = ErrorKind(429, "too_many", Message("Too many requests. Try again later"))
UNEXPECTED = ErrorKind(500, "unexpected", Message("Internal error of the server"))
CANNOT_RELOAD = ErrorKind(501, "cannot_reload", Message("This server cannot reload the model: restart it"))
NO_MODELS = ErrorKind(
    503,
    "no_models",
    Message("There is no trained model yet"),
    "Modelos no encontrados. Asegúrate de haber entrenado el modelo ejecutando 'train.py'.",
)
MODELS_MISMATCH = ErrorKind(503, "models_mismatch", Message("The model and the networks do not belong together"))
MODELS_UNREADABLE = ErrorKind(503, "models_unreadable", Message("The models could not be read"))
SATURATED = ErrorKind(503, "saturated", Message("The service is too busy. Try again in a few seconds"))
KEYS_UNREADABLE = ErrorKind(503, "keys_unreadable", Message("The API keys cannot be checked"))
NOT_RECORDED = ErrorKind(503, "not_recorded", Message("The use cannot be recorded, so it is not answered"))

KINDS = tuple(kind for kind in list(globals().values()) if isinstance(kind, ErrorKind))
"""All of them."""

_OF_STATUS = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED)}
_FAILURE = 500


def of_status(status: int) -> ErrorKind:
    """The kind of an error of Flask's own, of which nothing is known but its status."""
    return _OF_STATUS.get(status, UNEXPECTED if status >= _FAILURE else BAD_REQUEST)


def of_server(status: int, reason: str, language: Language = LANGUAGES[0]) -> dict[str, str]:
    """The JSON of what a server answers by itself, before the application sees the request.

    Args:
        status: of the answer.
        reason: the server's own words, which go into `error`.
        language: of `message`. Most often the head, which might ask for one, could not be read.
    """
    if status == _FAILURE:
        return UNEXPECTED.as_json(language)
    return BAD_HTTP.as_json(language, f"Petición HTTP no válida: {reason}")
