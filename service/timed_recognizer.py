"""How long each step of one photo takes, measured where the steps are called; and how much work it may be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faces.detection.face import Face
from faces.recognition.image import Photo
from faces.recognition.recognizer import Recognizer, decode_for_detection, find_faces
from faces.threads import ThreadedMap
from service.allowance import FACE_PARTS, Allowance, CountingMap
from service.monitoring.metrics import Step


class StepTimes:
    """Seconds by step, from the making of this object on. A step that comes again adds to its time."""

    def __init__(self) -> None:
        self.seconds: dict[Step, float] = {}
        self._since = time.perf_counter()

    def end(self, step: Step) -> None:
        """A step ends now, and the next one begins."""
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._since
        self._since = now


class TimedRecognizer(Recognizer):
    """A recognizer that tells how long its steps take, and stops where an allowance is used up, for the photo that a
    thread works on. Results are the same.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of_thread = threading.local()
        self._map = CountingMap(ThreadedMap())

    def open(self, threads: int = 1) -> None:
        """As `Recognizer.open`."""
        super().open(threads)
        assert self._detector is not None  # it has been opened now
        self._detector.cascade.threaded_map = self._map = CountingMap(self._detector.threaded_map)

    @contextmanager
    def telling(self, times: StepTimes, allowance: Allowance | None) -> Iterator[None]:
        """Within it, this thread's steps are added to `times`, and its work is taken from the allowance, if any.

        `faces` and `embed` then raise `SlotWantedError`, too.
        """
        self._of_thread.times = times
        try:
            with self._map.limited(allowance):
                yield
        finally:
            del self._of_thread.times

    def _times(self) -> StepTimes:
        times: StepTimes | None = getattr(self._of_thread, "times", None)
        return StepTimes() if times is None else times

    def faces(self, source: bytes | Path | Photo, largest_only: bool = False) -> list[Face]:
        """As `Recognizer.faces`: decodes, then detects and cuts."""
        if self._detector is None:
            return super().faces(source, largest_only)  # which says what is wrong
        times = self._times()
        photo = source if isinstance(source, Photo) else self.read(source)
        decoded = decode_for_detection(photo, self._detector)
        times.end("decode")
        found = find_faces(photo, self._detector, self.networks.manifest.crop, largest_only, decoded)
        times.end("detect")
        return found

    def embed(self, faces: list[Face]) -> None:
        """As `Recognizer.embed`. What came after an earlier face was its score."""
        times = self._times()
        if "embed" in times.seconds:
            times.end("score")
        self._map.take(FACE_PARTS * len(faces))
        super().embed(faces)
        times.end("embed")
