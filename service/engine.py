"""The models, loaded once, and the one question that they answer: how probable is it that a photo shows "me"?

When the networks' sessions are opened
--------------------------------------
ONNX Runtime sessions do not survive a fork. So loading has two steps: `Engine.load` reads everything from
disk and checks it, `Engine.open` makes the sessions of the current process and warms them up.

- `python -m service` and plain `gunicorn -w 4 "service:create_app()"`: `create_app` runs in the process that
  serves, and does both.
- With `service/gunicorn.conf.py` the master runs `create_app` before it forks. The file sets the environment
  variable `OPEN_SESSIONS_AFTER_FORK` (read by `opens_after_fork`) so that `create_app` leaves out step two;
  its hook `post_worker_init` calls `Engine.open` in each worker before that accepts a request.
- In any other arrangement (`gunicorn --preload` without the file), the first request that reaches a forked
  process finds that its sessions belong to another process, and opens new ones.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from faces.errors import UserError
from faces.fingerprint import embedding_fingerprint, scoring_fingerprint
from faces.message import Message
from faces.photo_limits import PhotoLimits, PhotoLimitsError
from faces.recognition.networks import MANIFEST, Networks, NetworksError, NetworksNotFoundError
from faces.recognition.recognizer import Recognizer
from faces.recognition.sessions import import_onnxruntime
from faces.records import RecordError
from faces.threads import available_cores, limit_numpy, threads_per_worker
from faces.verification import Verification
from faces.verifier import NetworksMismatchError, Verifier, VerifierError, VerifierNotFoundError
from service.admission import Admission, Signal
from service.config import PROJECT_ROOT, Settings
from service.memory import large_blocks_go_back
from service.monitoring import metrics
from service.photo_work import PhotoWork
from service.timed_recognizer import StepTimes, TimedRecognizer

FORGOTTEN = "forgotten"
"""File beside the model that says that there is none on purpose."""

OPEN_AFTER_FORK_VARIABLE = "OPEN_SESSIONS_AFTER_FORK"

log = logging.getLogger("service.engine")

_NO_NETWORKS = Message(
    "the networks do not work, though they are the files that networks.json names: run 'dvc repro --force export'"
)


_UNFORESEEN = Message(
    "the model or the networks are damaged, and the log of the service says how: run 'dvc repro --force export train'"
)

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")

_UNRECORDED = (
    "ALLOW_UNRECORDED_MODEL is true: models, networks and thresholds are loaded that the pipeline did not write, and a "
    "model's file can run any code. Set it to false unless you made the files and nobody else can write to them"
)


def _no_number(score: float) -> VerifierError:
    return VerifierError("the model is damaged: it scores with {score}; run 'dvc repro --force train'", score=score)


def opens_after_fork() -> bool:
    """Whether the program that started this process opens the sessions itself, after it has forked."""
    return os.environ.get(OPEN_AFTER_FORK_VARIABLE) == "1"


@dataclass(frozen=True)
class ModelProblem:
    """Why no photo can be verified.

    Attributes:
        kind: what is wrong: "missing", "mismatch" (model and networks do not belong together) or "unreadable".
        detail: the reason. Anybody may read it, so it has no SHA-256 and no path from outside the project, but what is
            missing or wrong and which command helps. The log has all of it.
    """

    kind: Literal["missing", "mismatch", "unreadable"]
    detail: Message


class ModelsNotLoadedError(Exception):
    """A photo was to be verified, and there are no models."""

    def __init__(self, problem: ModelProblem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(frozen=True)
class _Models:
    networks: Networks
    verifier: Verifier


@dataclass(frozen=True)
class _Opened:
    """What belongs to one process, since sessions and threads do not survive a fork."""

    process: int
    recognizer: TimedRecognizer
    verifier: Verifier
    admission: Admission


class Engine:
    """Verifies photos, or says why it cannot. Safe to use from several threads at once."""

    def __init__(self, models: _Models | None, problem: ModelProblem | None, settings: Settings) -> None:
        self._models = models
        self._settings = settings
        self._opened: _Opened | None = None
        self._opening = threading.Lock()
        self.problem = problem
        self.photo_limits = _read_photo_limits(settings) if models else None

    @classmethod
    def load(cls, settings: Settings) -> Engine:
        """Read the networks, the model and the scaler, and check that they belong together.

        Returns:
            An engine. If something is missing, is damaged, does not fit or is not recorded (`faces.records`), the
            engine has a `problem`, which is logged too.
        """
        if settings.allow_unrecorded_model:
            log.warning(_UNRECORDED)
        try:
            networks = Networks.load(settings.networks_path, check=partial(_check_manifest, settings))
            verifier = Verifier.load(settings.model_path, settings.scaler_path, settings.trust)
            verifier.check_recipe(networks.manifest.recipe(verifier.flip))
            differences = verifier.differences({**embedding_fingerprint(), "scoring": scoring_fingerprint()})
        except (NetworksError, VerifierError, RecordError) as error:
            missing = _missing(settings)
            log.warning(
                "Models not loaded, /verify will answer 503: %s%s. Then start the service again.",
                f"missing {', '.join(missing)}; " if missing else "",
                error,
            )
            return cls(None, _describe(error, missing), settings)
        except Exception:  # what a damaged file says can break any rule, and the service must start all the same
            log.exception(
                "Models not loaded, /verify will answer 503: what model or networks say of themselves is damaged. Run "
                "'dvc repro --force export train', then start the service again."
            )
            return cls(None, ModelProblem("unreadable", _UNFORESEEN), settings)
        for difference in differences:
            log.warning(
                "Since the model was trained, %s: scores may differ from those that its report speaks of. "
                "Run 'dvc repro', or serve with the code and the packages that it was trained with",
                difference,
            )
        import_onnxruntime()  # here, before workers are forked, so that they share its memory
        log.info("Loaded %s: backbone %s", _relative(settings.model_path), networks.backbone_name)
        return cls(_Models(networks, verifier), None, settings)

    @property
    def model_sha256(self) -> str | None:
        """SHA-256 of the file model.joblib of the model that was loaded, in hexadecimal; None without models."""
        return self._models.verifier.model_sha256 if self._models else None

    @property
    def digests(self) -> dict[str, str | None]:
        """What answers, for the audit log and /version: SHA-256 in hexadecimal, None for what was not loaded.

        `model_sha256` is of model.joblib, which others read; `verifier_sha256` of verifier.npz, which scores;
        `networks_sha256` of networks.json, which names each network by its SHA-256.
        """
        models = self._models
        return {
            "model_sha256": self.model_sha256,
            "verifier_sha256": models.verifier.arrays_sha256 if models else None,
            "networks_sha256": models.networks.manifest_sha256 if models else None,
        }

    @property
    def backbone(self) -> str | None:
        """Name of the network that embeds faces, such as "dlib-resnet"; None without models."""
        return self._models.networks.backbone_name if self._models else None

    @property
    def recipe(self) -> dict[str, Any] | None:
        """How it makes embeddings, as `Manifest.recipe` says: others can be compared with them where it is the same."""
        models = self._models
        return models.networks.manifest.recipe(models.verifier.flip) if models else None

    def open(self, workers: int | None = None, make_signal: Callable[[], Signal] = threading.Event) -> None:
        """Make this process's sessions and warm them up, so that the first request is as fast as the others.

        Does nothing if they are open already, or if there are no models. If the networks cannot be opened, or the model
        does not score, the engine has a `problem` from then on.

        Args:
            workers: how many processes share the cores; None takes the setting.
            make_signal: how a request waits for its photo, as `Admission` takes it.
        """
        with self._opening:
            if self._models is None or (self._opened and self._opened.process == os.getpid()):
                return
            slots = threads_per_worker(workers or self._settings.workers)
            large_blocks_go_back()
            limit_numpy(1)  # with more, numpy's threads would wait for each other on cores that the networks need
            networks, verifier = self._models.networks, self._models.verifier
            recognizer = TimedRecognizer(networks, verifier.flip, self._settings.max_pixels, self._settings.kinds)
            admission = Admission(slots, self._settings.max_wait_seconds, make_signal, metrics.show_queue)
            try:
                admission.start(lambda: _warm_up(recognizer, verifier, networks.embedding_size))
            except Exception as error:  # ONNX Runtime has errors of its own for damaged files
                self._fail(error)
                return
            self._opened = _Opened(os.getpid(), recognizer, verifier, admission)
            log.info("Sessions opened in process %d", os.getpid())

    def _fail(self, error: Exception) -> None:
        """From now on nothing can be verified: the files are what they should be, and they do not work."""
        log.error("Models not loaded, /verify will answer 503: %s", error)
        self.problem = ModelProblem(
            "unreadable", _for_anybody(error.args[0] if isinstance(error, UserError) else _NO_NETWORKS)
        )

    @property
    def refusal(self) -> Message | None:
        """Why a reload must not put this in the place of what serves; None if it may.

        It may if it works, and also if there is no model on purpose: `python -m privacy forget me` deletes it, and the
        former model must not go on serving from memory.
        """
        if self.problem is None:
            return None
        on_purpose = self.problem.kind == "missing" and (self._settings.model_path.parent / FORGOTTEN).exists()
        return None if on_purpose else self.problem.detail

    @property
    def busy(self) -> bool:
        """Whether a photo that comes now would wait in this process, however shortly."""
        return self._opened is not None and self._opened.admission.busy

    @property
    def delay(self) -> Message | None:
        """Why photos are not verified in time; None if they are."""
        return None if self._opened is None else self._opened.admission.problem

    def check_queue(self, client: str = "") -> None:
        """Whether a client's photo that arrived now would be verified in time: then it is worth reading.

        Raises:
            service.admission.SaturatedError: it would not.
        """
        if self.problem is None:
            self._in_this_process().admission.check(client)

    def verify(self, photo: bytes, all_faces: bool = False, client: str = "") -> Verification | None:
        """Wait for a turn, find the largest face on a photo, or all, and score.

        Args:
            photo: a file's bytes.
            all_faces: not the largest face alone.
            client: whose photo it is: where photos wait, clients take turns.

        Returns:
            None if there is no face on the photo.

        Raises:
            ModelsNotLoadedError: there are no models, or they do not work.
            service.admission.SaturatedError: there are more requests than can be answered in time.
            ImageError: the photo is of no accepted type, is damaged, or would cost too much to decode.
        """
        if self.problem is not None:
            raise ModelsNotLoadedError(self.problem)
        opened = self._in_this_process()
        times = StepTimes()
        admission = opened.admission
        work = PhotoWork(photo, all_faces, opened.recognizer, opened.verifier, times, lambda: admission.wanted)
        try:
            if work.looks_costly:
                verification = admission.run_costly(work.verify, client)
            else:
                verification = admission.run(work.begin, client)
        finally:
            for step, seconds in list(times.seconds.items()):  # the thread may be at work still
                metrics.observe_step(step, seconds)
        wrong = [scored.score for scored in verification.scored if not 0 <= scored.score <= 1] if verification else []
        if wrong:
            error = _no_number(wrong[0])
            log.error("/verify answers 503: %s", error)
            raise ModelsNotLoadedError(ModelProblem("unreadable", error.args[0]))
        return verification

    def _in_this_process(self) -> _Opened:
        if self._opened is None or self._opened.process != os.getpid():
            self.open()
        if self._opened is None:
            assert self.problem is not None  # open() says why it did not
            raise ModelsNotLoadedError(self.problem)
        return self._opened


def _warm_up(recognizer: Recognizer, verifier: Verifier, embedding_size: int) -> None:
    """Open the networks and score once.

    Raises:
        VerifierError: the model does not score with a number.
        Exception: ONNX Runtime's own, if a network cannot be opened.
    """
    recognizer.open(threads=available_cores())
    score = float(verifier.score(np.eye(1, embedding_size, dtype=np.float32))[0])
    if not 0 <= score <= 1:
        raise _no_number(score)


def _check_manifest(settings: Settings, path: Path, data: bytes) -> None:
    """Make sure that networks.json is the one that the stage export recorded.

    It names the ONNX files by their SHA-256. These run no code, but other networks let other people in.

    Raises:
        RecordError: it is not.
    """
    settings.trust.check("export", f"networks/{MANIFEST}", path, data, settings.networks_path.parent)


def _read_photo_limits(settings: Settings) -> PhotoLimits | None:
    """The limits of a poor photo; None, with a warning, where the file cannot be used: answers then have no hints."""
    try:
        return PhotoLimits.read(settings.photo_limits_path, partial(settings.trust.check, "train", "photo_limits.json"))
    except (PhotoLimitsError, RecordError) as error:
        log.warning("Answers will have no hints about the photo: %s", error)
        return None


def _describe(error: NetworksError | VerifierError | RecordError, missing: list[str]) -> ModelProblem:
    """What answers say of an error of loading; the log has said all of it."""
    reason = _for_anybody(error.args[0])
    if isinstance(error, NetworksMismatchError):
        return ModelProblem("mismatch", Message("{reason}: run 'dvc repro', and copy all of models/", reason=reason))
    if isinstance(error, (NetworksNotFoundError, VerifierNotFoundError)):
        if missing:
            names = ", ".join(_without_place(Path(path)) for path in missing)
            reason = Message("Missing: {names}. Run 'dvc repro'", names=names)
        return ModelProblem("missing", reason)
    return ModelProblem("unreadable", reason)


def _missing(settings: Settings) -> list[str]:
    """The missing ones of the model, the scaler and the networks."""
    paths = (settings.model_path, settings.scaler_path, settings.networks_path / MANIFEST)
    return [_relative(path) for path in paths if not path.exists()]


def _for_anybody(message: Message) -> Message:
    """A reason that anybody may read: without digests, and of paths outside the project the last name alone."""
    values = {name: _harmless(value) for name, value in message.values.items()}
    return Message(message.template, **values)


def _harmless(value: Any) -> Any:
    """A value of a message, as anybody may read it."""
    if isinstance(value, Path):
        value = _without_place(value)
    if isinstance(value, Exception):
        value = value.args[0] if isinstance(value, UserError) else str(value)
    if isinstance(value, Message):
        return _for_anybody(value)
    if isinstance(value, dict):
        return {name: _harmless(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_harmless, value))
    return _DIGEST.sub("…", value) if isinstance(value, str) else value


def _without_place(path: Path) -> str:
    """A path relative to the project; of one outside of it the last name."""
    shown = Path(_relative(path))
    return f"…/{shown.name}" if shown.is_absolute() else str(shown)


def _relative(path: Path) -> str:
    """A path as people know it: relative to the project's root if it lies below it."""
    return str(path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path)
