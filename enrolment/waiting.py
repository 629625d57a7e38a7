"""The photos that wait to be accepted, in memory, and what is said of each."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from enrolment.compare import Comparison, Seen, compare
from enrolment.errors import RefusedError
from enrolment.judge import Floats, Look, Note
from faces.message import Message
from stages.params import QualityParams

MOST_PHOTOS = 40
MOST_BYTES = 256 * 2**20
"""Of all that wait together."""

_HARMLESS = ("several_faces",)
"""Notes that do not keep a photo from being taken."""


@dataclass
class Waiting:
    """A photo that waits.

    Attributes:
        name: as the browser calls it.
        data: bytes of the file; b"" where it cannot be used.
        sha256: of the file.
        look: what was seen on it.
        key: by which the page knows it.
        chosen: what the person wants: to take it, to leave it out, or None, and its notes decide.
        compared: what its comparison with the others says.
    """

    name: str
    data: bytes
    sha256: str
    look: Look
    key: str = field(default_factory=lambda: secrets.token_hex(6))
    chosen: bool | None = None
    compared: tuple[Note, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it may be taken at all."""
        return bool(self.data)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All that is said of it."""
        return (*self.compared, *self.look.notes)

    @property
    def taken(self) -> bool:
        """Whether it goes into data/me: what has something against it does not, unless the person says so."""
        if not self.usable:
            return False
        if self.chosen is not None:
            return self.chosen
        return all(note.code in _HARMLESS for note in self.notes)


class WaitingPhotos:
    """The photos that wait. Safe to use from several threads at once.

    Args:
        known: photos of me that are in data/me already, by their SHA-256.
        seen: those of them with a face.
        strangers: float32 [N, D] of length 1.
        params: limits of the stage `quality`.
    """

    def __init__(
        self, known: dict[str, str], seen: Sequence[Seen], strangers: Floats | None, params: QualityParams
    ) -> None:
        self._known = known
        self._seen = list(seen)
        self._strangers = np.empty((0, 0), np.float32) if strangers is None else strangers
        self._params = params
        self._photos: dict[str, Waiting] = {}
        self._lock = threading.RLock()

    @property
    def photos(self) -> list[Waiting]:
        """All, in the order in which they came."""
        with self._lock:
            return list(self._photos.values())

    @property
    def checks_others(self) -> bool:
        """Whether it is known how strangers look, so that somebody else is found."""
        return len(self._strangers) > 0

    def check_room(self, size: int) -> None:
        """Refuse a photo of so many bytes where there is no room.

        Raises:
            RefusedError: too many wait.
        """
        with self._lock:
            if len(self._photos) >= MOST_PHOTOS:
                text = "{most} photos wait already, which is enough to begin with: accept or remove some"
                raise RefusedError(text, code="too_many", most=MOST_PHOTOS)
            if sum(len(photo.data) for photo in self._photos.values()) + size > MOST_BYTES:
                text = "The photos that wait have {most} MB together: accept or remove some"
                raise RefusedError(text, code="too_many", most=MOST_BYTES // 2**20)

    def twin_of(self, data: bytes) -> str | None:
        """The name of a photo with the same bytes; None without one."""
        sha256 = hashlib.sha256(data).hexdigest()
        with self._lock:
            if sha256 in self._known:
                return self._known[sha256]
            return next((photo.name for photo in self._photos.values() if photo.sha256 == sha256), None)

    def add(self, name: str, data: bytes, look: Look) -> Waiting:
        """Let a photo wait, and compare all of them anew.

        Raises:
            RefusedError: there is no room.
        """
        with self._lock:
            self.check_room(len(data))
            twin = self.twin_of(data)
            if twin is not None:
                look = Look((same_file(twin),), look.thumbnail)
            usable = look.embedding is not None
            photo = Waiting(name, data if usable else b"", hashlib.sha256(data).hexdigest(), look)
            self._photos[photo.key] = photo
            self._compare()
            return photo

    def choose(self, key: str, taken: bool) -> None:
        """Take a photo, or leave it out.

        Raises:
            RefusedError: there is no such photo, or it cannot be used.
        """
        with self._lock:
            photo = self._photos.get(key)
            if photo is None or (taken and not photo.usable):
                raise RefusedError("This photo is gone, or cannot be used", code="no_such_photo")
            photo.chosen = taken

    def remove(self, keys: Sequence[str]) -> None:
        """Forget photos, and compare those that are left anew."""
        with self._lock:
            for key in keys:
                self._photos.pop(key, None)
            self._compare()

    def thumbnail(self, key: str) -> bytes:
        """A JPEG of a photo's face; b"" where there is nothing to show."""
        with self._lock:
            photo = self._photos.get(key)
            return photo.look.thumbnail if photo is not None else b""

    def now_in_me(self, photos: Sequence[Waiting]) -> None:
        """Photos that waited have been put into data/me."""
        with self._lock:
            for photo in photos:
                self._photos.pop(photo.key, None)
                self._known[photo.sha256] = photo.name
                if photo.look.embedding is not None:
                    self._seen.append(Seen(photo.name, photo.look.embedding, photo.look.photo_hash))
            self._compare()

    def _compare(self) -> None:
        names = {photo.key: photo.name for photo in self._photos.values()}
        new = [
            Seen(photo.key, photo.look.embedding, photo.look.photo_hash)
            for photo in self._photos.values()
            if photo.look.embedding is not None
        ]
        found = compare([*self._seen, *new], self._strangers, self._params)
        for photo in self._photos.values():
            photo.compared = _notes(photo.key, found, names)


def same_file(name: str) -> Note:
    """What is said of a photo with the same bytes as another."""
    return Note("same_file", Message("It is the same file as {name}", name=name))


def _notes(key: str, found: Comparison, names: dict[str, str]) -> tuple[Note, ...]:
    notes = []
    if key in found.others:
        text = "It does not look like the person on most of the photos. Take it only if it is you for sure"
        notes.append(Note("not_me", Message(text)))
    if key in found.copies:
        original = found.copies[key]
        text = "It is nearly the same photo as {name}. One of another moment teaches more"
        notes.append(Note("copy", Message(text, name=names.get(original, original))))
    return tuple(notes)
