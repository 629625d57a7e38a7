"""Asks the service about photos, several at once, patiently and within limits."""

from __future__ import annotations

import contextlib
import queue
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

import requests

from service.client.language import Language, number, say
from service.client.limits import Limits, bytes_named
from service.client.results import Answered, in_words
from service.client.shrinking import ShrinkingError, fits, shrink

T = TypeVar("T")

MOST_TRIES = 10
"""How often a photo is sent at most while the service says that it is busy."""

LONGEST_PAUSE_SECONDS = 90.0
"""A longer Retry-After is not waited for: the limit is one of hours, and the user should know."""

MOST_UNREACHABLE = 4
"""How often a photo is sent at most where no answer comes."""

MOST_LOST = 8
"""So many photos in a row that got no answer, and the service is taken to be away."""

_TIMEOUT = (10, 90)  # seconds to connect, and between two bytes of an answer; the service gives a photo a minute
_LARGEST_FILE = 256 * 2**20  # no photo is larger, and it has to be in memory
_TRIES_TO_SHRINK = 3  # a proxy may take less than the service, and say nothing of it
_GATEWAY = (502, 504)  # what a proxy says of a service that is away
_WRONG_TYPE = "Tipo de archivo no permitido"


class ServiceError(Exception):
    """Nothing can be asked of the service; its argument is a sentence that says what to do."""


@dataclass(frozen=True)
class Address:
    """Where the service is, and what is sent with each photo.

    Attributes:
        url: such as "http://127.0.0.1:5000".
        key: an API key; None where none is needed.
        ca_certificate: PEM file of who signed the service's certificate; None believes those of `requests`.
        all_faces: ask about every face.
        language: of the answers.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    ca_certificate: Path | None = None
    all_faces: bool = False
    language: Language = "en"


def normal_url(text: str) -> str:
    """The address of the service, given that or the one of its /verify or /ui.

    Raises:
        ServiceError: it is no address of the web.
    """
    address = text.strip().rstrip("/")
    for path in ("/verify", "/ui"):
        address = address.removesuffix(path)
    if not address.startswith(("http://", "https://")) or len(address.partition("://")[2]) == 0:
        raise ServiceError(say("URL is {url!r}; expected one such as http://127.0.0.1:5000", url=text))
    return address


class Client:
    """Asks one service. Safe to use from several threads at once.

    Args:
        address: of the service.
        limits: that photos must keep to, as far as the user has set them; what the service says is added.
    """

    def __init__(self, address: Address, limits: Limits | None = None) -> None:
        self._address = address
        self._set_by_user = limits or Limits()
        self._limits = self._set_by_user
        self._of_thread = threading.local()
        self._pause_until = 0.0
        self._lost_in_a_row = 0
        self.stopped = threading.Event()
        """Once it is set, no photo is sent any more."""

    def look_at_service(self) -> None:
        """Find out whether the service can be asked, and what it says of its limits.

        Raises:
            ServiceError: it does not answer, or has no models.
        """
        try:
            health = self._get("/healthz")
        except requests.RequestException as error:
            raise ServiceError(self._unreachable(error)) from None
        if health.status_code == 503:
            values = _json(health)
            if values.get("status") == "unhealthy":
                raise ServiceError(say("the service has no models: {reason}", reason=_reason(health)))
        self._refuse_redirect(health)
        try:
            settings = self._get("/ui/settings.json")
        except requests.RequestException:
            return
        if settings.status_code == 200:
            said = Limits.of_settings(_json(settings))
            own = self._set_by_user
            self._limits = Limits(own.max_bytes or said.max_bytes, said.max_pixels, said.types)

    def ask(self, photo: Path) -> dict[str, Any]:
        """What the service says of a photo, or what went wrong, as an answer of its own.

        Raises:
            ServiceError: it makes no sense to ask about others either.
        """
        try:
            with photo.open("rb") as file:
                data = file.read(_LARGEST_FILE + 1)
        except OSError as error:
            return _failed("cannot_read", say("cannot be read ({reason})", reason=error.strerror or str(error)))
        if len(data) > _LARGEST_FILE:
            return _failed("too_large", say("it has more than {size} MB: no photo", size=_LARGEST_FILE // 2**20))
        if not data:
            return _failed("no_image", say("the file is empty"))
        try:
            return self._ask(data)
        except _Unanswered as error:
            return _failed("no_answer", str(error))
        except ShrinkingError as error:
            return _failed("too_large", str(error))

    def _ask(self, data: bytes) -> dict[str, Any]:
        """Send a photo, smaller or as a JPEG where the service wants that.

        Raises:
            _Unanswered, ShrinkingError, ServiceError: see there.
        """
        sent, made_smaller = self._fitting(data)
        answer = self._send(sent)
        if answer.status_code == 400 and str(_json(answer).get("error", "")).startswith(_WRONG_TYPE):
            with contextlib.suppress(ShrinkingError):  # then the service's answer says what it is
                sent, made_smaller = _shrunk(data, self._limits)
                answer = self._send(sent)
        for _ in range(_TRIES_TO_SHRINK):
            if answer.status_code != 413:
                break
            self._learn(bytes_named(_json(answer)), len(sent))
            sent, made_smaller = _shrunk(data, self._limits)
            answer = self._send(sent)
        return self._checked(answer) | made_smaller

    def _fitting(self, data: bytes) -> tuple[bytes, dict[str, Any]]:
        """A photo as the limits that are known ask for, and what the answer says of that.

        Raises:
            ShrinkingError: it is too large, and cannot be made smaller.
        """
        if fits(data, self._limits):
            return data, {}
        try:
            return _shrunk(data, self._limits)
        except ShrinkingError:
            if self._limits.max_bytes is None or len(data) <= self._limits.max_bytes:
                return data, {}  # it is of another type: the service says what it takes
            raise

    def _learn(self, limit: int, sent: int) -> None:
        """Keep to a limit that the service has named, and below what it has refused.

        Args:
            limit: in bytes.
            sent: size of the photo that was too large, in bytes.
        """
        known = self._limits.max_bytes or limit
        self._limits = replace(self._limits, max_bytes=min(limit, known, sent * 3 // 4))

    def _send(self, data: bytes) -> requests.Response:
        """Send a photo until there is an answer that is worth reading.

        Raises:
            _Unanswered: there is none.
            ServiceError: others would get none either.
        """
        busy = unreachable = 0
        while True:
            self._wait(self._pause_until - time.monotonic())
            try:
                answer = self._post(data)
            except requests.RequestException as error:
                unreachable += 1
                if unreachable == MOST_UNREACHABLE:
                    self._count_lost(error)
                    raise _Unanswered(self._unreachable(error)) from None
                self._wait(2.0 ** (unreachable - 1) + random.random())
                continue
            seconds = _retry_after(answer)
            if answer.status_code in _GATEWAY and unreachable + 1 < MOST_UNREACHABLE:
                unreachable += 1
                self._wait(2.0 ** (unreachable - 1) + random.random())
            elif seconds is None or busy + 1 == MOST_TRIES:
                self._lost_in_a_row = 0
                return answer
            elif seconds > LONGEST_PAUSE_SECONDS:
                text = "the service asks to come again in {minutes} minutes only: {reason}"
                minutes = number(seconds / 60, ".0f")
                raise ServiceError(say(text, minutes=minutes, reason=_reason(answer)))
            else:
                busy += 1
                # All threads wait, and come back one after the other.
                self._pause_until = max(self._pause_until, time.monotonic() + seconds)
                self._wait(seconds + random.random())

    def _wait(self, seconds: float) -> None:
        """Wait, or until the client is stopped.

        Raises:
            _Unanswered: it is.
        """
        if self.stopped.wait(max(seconds, 0.0)):
            raise _Unanswered(say("not asked about"))

    def _count_lost(self, error: requests.RequestException) -> None:
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= MOST_LOST:
            raise ServiceError(self._unreachable(error)) from None

    def _checked(self, answer: requests.Response) -> dict[str, Any]:
        """The JSON of an answer.

        Raises:
            ServiceError: all other photos would get the same.
        """
        values = _json(answer)
        if answer.status_code in (401, 403):
            text = "the service refuses the key: {reason}. Set FACE_API_KEY, or give --key"
            raise ServiceError(say(text, reason=_reason(answer)))
        self._refuse_redirect(answer)
        if answer.status_code == 503 and _retry_after(answer) is None and values:
            raise ServiceError(say("the service cannot answer: {reason}", reason=_reason(answer)))
        if answer.status_code in (404, 405) or (answer.status_code == 200 and "is_me" not in values):
            text = "{url} is no service of this project: it answers /verify with status {status}"
            raise ServiceError(say(text, url=self._address.url, status=answer.status_code))
        if not values:
            text = "no answer of the service: status {status}, and no JSON"
            return _failed("no_answer", say(text, status=answer.status_code))
        return values

    def _refuse_redirect(self, answer: requests.Response) -> None:
        """Follow nobody elsewhere: a key and a photo are for the address that was named."""
        if answer.is_redirect or answer.status_code in (301, 302, 303, 307, 308):
            text = "{url} leads on to {target}: give the address that is meant"
            target = answer.headers.get("Location", "?")
            raise ServiceError(say(text, url=self._address.url, target=target))

    def _unreachable(self, error: requests.RequestException) -> str:
        if isinstance(error, requests.exceptions.SSLError):
            text = (
                "the certificate of {url} is not believed: give the one of who signed it with --ca-certificate FILE, "
                "or the name that stands in it"
            )
        elif isinstance(error, requests.exceptions.Timeout):
            text = "{url} does not answer in time"
        else:
            text = "{url} does not answer: is the service running ('python -m service'), and is this its address?"
        return say(text, url=self._address.url)

    def _session(self) -> requests.Session:
        """The connection of this thread."""
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = requests.Session()
            session.headers["Accept-Language"] = self._address.language
        return session

    @property
    def _believed(self) -> str | None:
        """Whose certificates are believed. It goes with each request: a session's own gives way to the environment."""
        return None if self._address.ca_certificate is None else str(self._address.ca_certificate)

    def _get(self, path: str) -> requests.Response:
        url = f"{self._address.url}{path}"
        return self._session().get(url, timeout=_TIMEOUT, allow_redirects=False, verify=self._believed)

    def _post(self, data: bytes) -> requests.Response:
        return self._session().post(
            f"{self._address.url}/verify",
            files={"image": ("photo", data)},  # no name: it may be a person's
            data={"faces": "all"} if self._address.all_faces else None,
            headers={"X-API-Key": self._address.key} if self._address.key else None,
            timeout=_TIMEOUT,
            allow_redirects=False,
            verify=self._believed,
        )


class _Unanswered(Exception):
    """A photo got no answer; the argument is a sentence."""


def ask_all(client: Client, photos: Sequence[Path], clients: int, answers: dict[int, Answered]) -> Iterator[int]:
    """Ask about photos, several at once.

    Args:
        client: asks.
        photos: which; each is asked about once.
        clients: how many at once.
        answers: filled with the answer to each photo, by its place; complete whenever this ends, and however.

    Yields:
        The place of each photo that has been answered, as they come.

    Raises:
        ServiceError: it makes no sense to go on.
    """
    waiting = iter(enumerate(photos))  # several threads take from it: Python's lock makes that safe
    done: queue.SimpleQueue[int | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            for place, photo in waiting:
                answer = Answered(str(photo), client.ask(photo))
                if client.stopped.is_set():
                    return
                answers[place] = answer
                done.put(place)
        except BaseException as error:  # the main thread says what to make of it
            done.put(error)

    for thread in range(min(clients, len(photos))):
        threading.Thread(target=work, name=f"client-{thread}", daemon=True).start()
    try:
        for _ in photos:
            result = _get(done)
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        client.stopped.set()


def _get(done: queue.SimpleQueue[T]) -> T:
    """The next of a queue. Windows hears of Ctrl-C only between two waits."""
    while True:
        with contextlib.suppress(queue.Empty):
            return done.get(timeout=0.5)


def _shrunk(data: bytes, limits: Limits) -> tuple[bytes, dict[str, Any]]:
    """A smaller photo, and what the answer says of that: boxes are in its pixels."""
    smaller, size = shrink(data, limits)
    return smaller, {"sent_as": {"width": size[0], "height": size[1], "bytes": len(smaller)}}


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        values = answer.json()
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _reason(answer: requests.Response) -> str:
    """What an answer of the service says for people."""
    return in_words(_json(answer)) or say("status {status}", status=answer.status_code)


def _failed(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


def _retry_after(answer: requests.Response) -> float | None:
    """In how many seconds a busy service wants to be asked again; None where it is not busy, or does not say."""
    if answer.status_code not in (429, 503):
        return None
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
