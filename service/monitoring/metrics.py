"""What Prometheus is told: latency by step, decisions, scores, refusals by reason, the queue, the model, readiness.

With gunicorn, each worker counts in files of its own in one folder (`service.monitoring.shared_folder`), and whichever
worker is asked adds them up. prometheus_client names these files by process and keeps those of processes that have
ended, since their counts go on counting: with every reload there would be more. Here they are named by the worker's
slot, the lowest number that no living worker has. A new worker goes on counting in the files of the one before it, so
there are never more files than workers have lived at once, and no count is lost.

No label has a value that a client can invent.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

Step = Literal["upload", "queue", "decode", "detect", "embed", "score"]
Decision = Literal["me", "not_me"]
Reason = Literal[
    "no_key", "wrong_key", "role", "limit",  # access
    "saturated", "no_models", "no_audit",  # the service cannot answer
    "too_large", "too_slow", "no_image", "wrong_type", "unreadable", "no_face", "invalid",  # the request
    "failure",  # nobody foresaw it
]  # fmt: skip
"""Why a request got no decision."""

UNKNOWN_ENDPOINT = "unknown"
"""The label of all paths and methods that there are not."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SCORES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1.0)
_PREFIX = "face_verification"
_FILE_BYTES = 128 * 1024  # of each kind of metric; all series together need less than half of it

log = logging.getLogger("service.metrics")

_slot: str | None = None
_folder: Path | None = None


class _Metrics:
    """All of them. Made at first use, when it is known whether there are several processes."""

    def __init__(self) -> None:
        disable_created_metrics()  # series of when each began: several processes have none either
        self.registry = CollectorRegistry()
        self.steps = self._histogram(
            "step_seconds",
            "Seconds that a step of verifying a photo took; upload: reading the request; queue: waiting for its turn",
            "step",
        )
        self.answers = self._histogram("answer_seconds", "Seconds from a request's head to its answer", "endpoint")
        self.scores = self._histogram("score", "Scores of the largest faces", buckets=_SCORES)
        self.requests = self._counter("requests", "Answered requests", "endpoint", "status")
        self.decisions = self._counter("decisions", "Photos that got a decision", "decision")
        self.refusals = self._counter("refusals", "Requests that got none, by reason", "reason")
        self.waiting = self._gauge("photos_waiting", "Photos that have arrived and wait for their turn")
        self.working = self._gauge("photos_in_work", "Photos that are being verified")
        self.workers = self._gauge("workers", "Processes that serve")
        self.ready = self._gauge("workers_ready", "Processes that would verify a photo sent now in time")
        model_labels = ("model_sha256", "backbone", "model_version")
        self.model = self._gauge("model_workers", "Processes that answer with this model", *model_labels)
        self.threshold = self._gauge("threshold", "From this score on a face is me", mode="livemostrecent")
        # Series that exist from the start: a rate over one that appears with its first event misses that event.
        for metric, labels in ((self.steps, Step), (self.decisions, Decision), (self.refusals, Reason)):
            for label in get_args(labels):
                metric.labels(label)

    def _histogram(self, name: str, text: str, *labels: str, buckets: Sequence[float] = _SECONDS) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", text, labels, buckets=buckets, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", text, labels, registry=self.registry)

    def _gauge(
        self, name: str, text: str, *labels: str, mode: Literal["livesum", "livemostrecent"] = "livesum"
    ) -> Gauge:
        """A figure of the present: of the workers that live, added up or the latest."""
        return Gauge(f"{_PREFIX}_{name}", text, labels, multiprocess_mode=mode, registry=self.registry)


@functools.cache
def _metrics() -> _Metrics:
    return _Metrics()


@dataclass(frozen=True)
class Model:
    """The model that answers; what is not known is empty."""

    sha256: str = ""
    backbone: str = ""
    version: str = ""


_shown: Model | None = None


def observe_step(step: Step, seconds: float) -> None:
    """Count how long a step of a photo took."""
    _metrics().steps.labels(step).observe(seconds)


def count_answer(endpoint: str, status: int, seconds: float | None) -> None:
    """Count an answered request.

    Args:
        endpoint: the path as the service names it, or `UNKNOWN_ENDPOINT`; never what the client wrote.
        status: of the answer.
        seconds: from the request's head on; None where it is not known.
    """
    _metrics().requests.labels(endpoint, str(status)).inc()
    if seconds is not None:
        _metrics().answers.labels(endpoint).observe(seconds)


def count_decision(is_me: bool, score: float) -> None:
    """Count what a photo was answered, and its score, 0 to 1."""
    _metrics().decisions.labels("me" if is_me else "not_me").inc()
    _metrics().scores.observe(score)


def count_refusal(reason: Reason) -> None:
    """Count a request that got no decision."""
    _metrics().refusals.labels(reason).inc()


def show_queue(waiting: int, working: int) -> None:
    """How many photos this process holds."""
    _metrics().waiting.set(waiting)
    _metrics().working.set(working)


def show_state(ready: bool, model: Model, threshold: float) -> None:
    """Whether this process would verify a photo in time, with which model, and from which score on it is "me"."""
    global _shown
    own = _metrics()
    own.workers.set(1)
    own.ready.set(ready)
    own.threshold.set(threshold)
    if _shown is not None and _shown != model:
        own.model.labels(_shown.sha256, _shown.backbone, _shown.version).set(0)
    _shown = model
    own.model.labels(model.sha256, model.backbone, model.version).set(1)


def exposition(accept: str) -> tuple[bytes, str]:
    """All figures, of all workers.

    Args:
        accept: the header of the request: Prometheus names the formats that it reads.

    Returns:
        The text, and its media type.
    """
    try:
        encode, content_type = choose_encoder(accept)
    except Exception:  # the library cannot compare a version such as `version=x`
        encode, content_type = choose_encoder("")
    if _folder is None:
        return encode(_metrics().registry), content_type
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all, str(_folder))
    return encode(of_all), content_type


# What gunicorn's settings call.


def share(folder: Path) -> None:
    """Count in files of this folder from now on, in this process and those that it forks. A second call does nothing.

    To be called before anything is counted.

    Args:
        folder: of `shared_folder.make`.
    """
    global _folder
    if _folder is None:
        _folder = folder
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # where the class of the next line looks
        values.ValueClass = values.MultiProcessValue(_identity)


def _identity() -> str:
    """By what the files of this process are named."""
    return "master" if _slot is None else _slot


def choose_slot(worker: object, living: list[object]) -> None:
    """Give a worker that is about to be forked a slot: in the master.

    Args:
        worker: gunicorn's object, which keeps it.
        living: the other workers.
    """
    taken = {getattr(other, "metrics_slot", None) for other in living}
    slot = next(number for number in range(len(living) + 1) if number not in taken)
    worker.metrics_slot = slot  # type: ignore[attr-defined]  # a name of ours
    free_slot(worker)
    try:
        _reserve(slot)
    except OSError as error:
        worker.metrics_slot = None  # type: ignore[attr-defined]  # as above
        log.warning("No room for metrics in %s (%s): a worker counts for itself alone", _folder, error.strerror)


def _reserve(slot: int) -> None:
    """Make the files of a slot, with all their memory: a process is ended that writes where there is none left.

    Raises:
        OSError: there is not so much.
    """
    if _folder is None or not hasattr(os, "posix_fallocate"):
        return
    for kind in ("counter", "histogram", "gauge_livesum", "gauge_livemostrecent"):
        descriptor = os.open(_folder / f"{kind}_{slot}.db", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _FILE_BYTES)
        finally:
            os.close(descriptor)


def use_slot(worker: object) -> None:
    """Count in the files of its slot, or without one in this process alone: in the worker, before it serves."""
    global _slot, _folder
    slot: int | None = worker.metrics_slot  # type: ignore[attr-defined]  # of choose_slot
    if slot is None:
        _folder, values.ValueClass = None, values.MutexValue
        _metrics.cache_clear()
    else:
        _slot = str(slot)


def free_slot(worker: object) -> None:
    """Forget the figures of the present of a worker that has ended; its counts stay. In the master."""
    slot: int | None = worker.metrics_slot  # type: ignore[attr-defined]  # of choose_slot
    if _folder is not None and slot is not None:
        mark_process_dead(slot, str(_folder))
