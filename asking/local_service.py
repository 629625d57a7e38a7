"""The model on this machine, loaded and asked as the service does it, without HTTP."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from faces.errors import UserError
from faces.message import Message
from faces.recognition.image import ImageError, UnknownKindError
from faces.recognition.image_kinds import KINDS
from faces.recognition.networks import MANIFEST
from faces.verification import Verification
from service.client.language import number, say, spoken
from service.config import PROJECT_ROOT, Settings
from service.engine import Engine, ModelsNotLoadedError
from service.hints import NO_FACE_FOUND, describe
from service.threshold import Threshold
from service.verdict import Judge

NO_FACE = Message("no face was found")
_THRESHOLD_LOG = "service.threshold"


class NoModelError(UserError):
    """There is no model that can be asked; the message says what to do."""


class LocalService:
    """Says of a photo what `/verify` would say. It may be handed to other processes.

    Args:
        settings: those of the service.
        quietly: keep warnings to oneself: another process has told them.

    Raises:
        NoModelError: there is no model that can be asked.
    """

    def __init__(self, settings: Settings, quietly: bool = False) -> None:
        # A photo that lies on this machine need not pass the limits of an upload: no matter how many bytes it has, or
        # whether it is a HEIC. It gets the score that the service would give it.
        self.settings = replace(settings, accepted_types=tuple(kind.mime for kind in KINDS))
        with _heard() as said:
            self.engine = Engine.load(self.settings)
            self._refuse_without_model(said)
            self.threshold = Threshold.resolve(self.settings, self.engine.model_sha256)
        if not quietly:
            self._warn(said)

    def _warn(self, said: list[logging.LogRecord]) -> None:
        for record in said:
            if record.name != _THRESHOLD_LOG:
                print(say("warning: {text}", text=record.getMessage()), file=sys.stderr)
        if self.threshold.note:
            text = "VERIFY_THRESHOLD=auto: the threshold is {value}, since {note}"
            value = number(self.threshold.value)
            print(say(text, value=value, note=self.threshold.note), file=sys.stderr)

    def __reduce__(self) -> tuple[type[LocalService], tuple[Settings, bool]]:
        return LocalService, (self.settings, True)  # what is loaded cannot be pickled; a forked process has it

    def open(self) -> None:
        """Make the sessions of this process.

        Raises:
            NoModelError: the networks do not work.
        """
        with _heard() as said:
            self.engine.open(workers=1)
            self._refuse_without_model(said)

    def _refuse_without_model(self, said: list[logging.LogRecord]) -> None:
        problem = self.engine.problem
        if problem is None:
            return
        missing = [
            path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path
            for path in self._paths_of_model()
            if not path.exists()
        ]
        if problem.kind == "missing" and missing:
            raise NoModelError(
                "there is no trained model here (missing: {names}): run 'dvc repro', or 'python3 quickstart.py', which "
                "does all that it takes",
                names=", ".join(map(str, missing)),
            )
        # The log has the error itself, with all paths; what the service answers is for anybody.
        errors = [value for record in said for value in _arguments(record) if isinstance(value, UserError)]
        reason: Any = errors[-1] if errors else problem.detail
        raise NoModelError("the model cannot be used: {reason}", reason=reason)

    def _paths_of_model(self) -> tuple[Any, ...]:
        return self.settings.model_path, self.settings.scaler_path, self.settings.networks_path / MANIFEST

    def verify(self, photo: bytes, all_faces: bool = False) -> Verification | None:
        """The faces of a photo with their scores; None where there is no face.

        Raises:
            NoModelError: the model does not score with a number.
            faces.recognition.image.ImageError: the photo is of no known type, is damaged, or would cost too much.
        """
        try:
            return self.engine.verify(photo, all_faces)
        except ModelsNotLoadedError as error:
            raise NoModelError("the model cannot be used: {reason}", reason=error.problem.detail) from None

    def answer(self, photo: bytes, all_faces: bool = False) -> dict[str, Any]:
        """What `/verify` answers, but for the time that it took; of an error its `code` and its `message`.

        Args:
            photo: bytes of an image file.
            all_faces: judge every face.

        Raises:
            NoModelError: the model does not score with a number.
        """
        try:
            verification = self.verify(photo, all_faces)
        except ImageError as error:
            return failed("wrong_type" if isinstance(error, UnknownKindError) else "unreadable", error.args[0])
        except MemoryError:
            return failed("unreadable", Message("there is not enough memory for it"))
        return no_face() if verification is None else self.verdict(verification, all_faces)

    def verdict(self, verification: Verification, all_faces: bool = False) -> dict[str, Any]:
        """The answer to a photo with a face."""
        return Judge(self.settings.model_version, self.engine, self.threshold).verdict(
            verification, spoken(), all_faces
        )


def no_face() -> dict[str, Any]:
    """The answer to a photo without a face."""
    return failed("no_face", NO_FACE) | {"hints": [describe(NO_FACE_FOUND, spoken())]}


def failed(code: str, message: Message) -> dict[str, Any]:
    """The answer to a photo that cannot be judged."""
    return {"code": code, "message": say(message)}


@contextmanager
def _heard() -> Iterator[list[logging.LogRecord]]:
    """Collect what the service logs meanwhile from warnings on: it speaks of requests, of which there are none here."""
    records: list[logging.LogRecord] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    logger, listener = logging.getLogger("service"), Listener(logging.WARNING)
    logger.addHandler(listener)
    logger.propagate = False
    try:
        yield records
    finally:
        logger.propagate = True
        logger.removeHandler(listener)


def _arguments(record: logging.LogRecord) -> tuple[Any, ...]:
    return record.args if isinstance(record.args, tuple) else ()
