"""Right clients that ask on and on while something happens to the service, and what they saw."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.support.servers import Server, multipart

TIMEOUT_SECONDS = 60.0
SCORE_TOLERANCE = 1e-4
_PAUSE_SECONDS = 0.01
_PAUSE_WITHOUT_SERVER = 0.1
_COMPARED = ("is_me", "threshold", "model_version")


@dataclass
class Seen:
    """What right clients saw. Each request counts once in one of the first seven.

    Attributes:
        right: answered as is known to be right.
        saturated: 503 with Retry-After.
        not_accepted: no connection came about: nothing was promised.
        unanswered: a connection came about, and no whole answer.
        wrong: answered with 200 or 400, and not as is known to be right.
        failures: any other 5xx, and 503 without Retry-After.
        others: any other status.
        longest_s: longest time until a right answer, seconds.
        moments: when each right answer came, `time.monotonic()`.
        notes: some of what was not right, for whoever looks for the reason.
    """

    right: int = 0
    saturated: int = 0
    not_accepted: int = 0
    unanswered: int = 0
    wrong: int = 0
    failures: int = 0
    others: int = 0
    longest_s: float = 0.0
    moments: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """All requests."""
        return (
            self.right + self.saturated + self.not_accepted + self.unanswered + self.wrong + self.failures + self.others
        )


class GoodClients:
    """Clients that post photos whose answers are known, each over a new connection.

    Args:
        server: the service; its process may be ended meanwhile, and another one may take its port.
        photos: files' bytes. They are asked about once, before anything happens; an attribute, too.

    Raises:
        OSError: the first answers do not come.
        ValueError: they are no verdicts.
    """

    def __init__(self, server: Server, photos: Sequence[bytes]) -> None:
        self.server = server
        self.seen = Seen()
        self.photos = photos
        self._bodies = [multipart(photo) for photo in photos]
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._expected = [self._first_answer(body) for body in self._bodies]
        self._variants: list[dict[str, Any]] = [{}]

    def allow(self, **changes: Any) -> None:
        """From now on, answers are right, too, that differ from the first ones in all of this."""
        self._variants.append(changes)

    def _first_answer(self, body: tuple[bytes, str]) -> dict[str, Any]:
        status, _, answer = self.server.ask(*body, timeout=TIMEOUT_SECONDS)
        if status != 200:
            raise ValueError(f"a good photo was answered with {status}: {answer!r}")
        values: dict[str, Any] = json.loads(answer)
        return values

    @contextmanager
    def asking(self, clients: int) -> Iterator[Seen]:
        """Some clients ask until the context ends, or `stop` is called."""
        threads = [threading.Thread(target=self._ask_on, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield self.seen
        finally:
            self.stop()
            for thread in threads:
                thread.join()

    def stop(self) -> None:
        """Ask nothing more; what has been asked is still counted."""
        self._end.set()

    def answered_since(self, moment: float) -> int:
        """How many right answers have come since a moment of `time.monotonic()`."""
        with self._lock:
            return sum(own >= moment for own in self.seen.moments)

    def _ask_on(self, number: int) -> None:
        pause = 0.0
        while not self._end.wait(pause):
            place = number % len(self._bodies)
            pause = self._ask(place)
            number += 1

    def _ask(self, place: int) -> float:
        """One request; how long the client pauses after it, seconds."""
        started = time.monotonic()
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.connect()
        except OSError:
            self._count("not_accepted", "")
            return _PAUSE_WITHOUT_SERVER
        try:
            body, kind = self._bodies[place]
            connection.request("POST", "/verify", body, {"Content-Type": kind})
            response = connection.getresponse()
            status, headers, answer = response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._count("unanswered", f"{error!r} after {time.monotonic() - started:.2f} s")
            return _PAUSE_SECONDS
        finally:
            connection.close()
        kind = self._kind(place, status, "Retry-After" in headers, answer)
        self._count(kind, f"{status} {answer[:200]!r}", time.monotonic() - started)
        return _PAUSE_SECONDS if kind == "right" else _PAUSE_WITHOUT_SERVER

    def _kind(self, place: int, status: int, retry_after: bool, answer: bytes) -> str:
        """Which count of `Seen` an answer belongs to."""
        if status == 503 and retry_after:
            return "saturated"
        if status >= 500:
            return "failures"
        if status == 200:
            try:
                given, expected = json.loads(answer), self._expected[place]
                same = any(
                    all(given[name] == (expected | changes)[name] for name in _COMPARED) for changes in self._variants
                )
                return "right" if same and abs(given["score"] - expected["score"]) < SCORE_TOLERANCE else "wrong"
            except (ValueError, KeyError, TypeError):
                return "wrong"
        return "wrong" if status == 400 else "others"

    def _count(self, kind: str, note: str, seconds: float = 0.0) -> None:
        with self._lock:
            setattr(self.seen, kind, getattr(self.seen, kind) + 1)
            if kind == "right":
                self.seen.longest_s = max(self.seen.longest_s, seconds)
                self.seen.moments.append(time.monotonic())
            elif note and len(self.seen.notes) < 20:
                self.seen.notes.append(f"{kind}: {note}")
