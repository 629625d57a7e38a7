"""By what a file of any kind is told to hold something of the person, whatever it is called and packed in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping

from faces.message import Message
from privacy.forget.arrays import arrays_in, pictures_of
from privacy.forget.images import Originals, decode, is_image, more_of
from privacy.forget.packed import parts, pictures_in
from privacy.forget.rows import holds_rows
from privacy.forget.traces import Traces

PICTURE, ROWS = Message("picture"), Message("embedding")
NAMED, BEGINNING, GOES = Message("their folder in an archive"), Message("part of a photo"), Message("what goes")
NAMING = Message("text that names them")
"""The kind of an object that only names them. It goes; a file with its bytes is the user's own, who changes it."""
_LEAST_BEGINNING = 64


def showing(kinds: Mapping[str, str]) -> set[str]:
    """Objects of which a file goes wherever it lies; not those that only name somebody.

    Args:
        kinds: of objects that go.
    """
    return {oid for oid, kind in kinds.items() if kind != NAMING}


class Evidence:
    """Looks for the person in files.

    Args:
        traces: by what they are recognised.
        originals: their photos and crops.
        gone: MD5 of everything that goes.
        photos: gives the bytes of their photos; asked only where a file is the beginning of some picture.
    """

    def __init__(
        self,
        traces: Traces,
        originals: Originals,
        gone: Collection[str],
        photos: Callable[[], Iterable[bytes]] = lambda: (),
    ) -> None:
        self._traces = traces
        self._originals = originals
        self._gone = gone
        self._photos = photos

    def of(self, data: bytes) -> str:
        """What a file, or a file that is packed in it, holds of the person; "" where that is nothing."""
        return next(filter(None, (self._of_part(name, part) for name, part in parts(data))), "")

    def is_theirs_by_folder(self, path: str, data: bytes) -> bool:
        """Whether a file is a picture in a folder that is called as theirs in data/ is, as in a copy of data/."""
        return is_image(data) and self._traces.is_in_folder(path)

    def named_in(self, data: bytes) -> bool:
        """Whether a text, or one that is packed in a file, names a photo of theirs or their folder."""
        return self._traces.named_inside(data, surely=True)

    def inside(self, data: bytes) -> str:
        """The same of what is packed in the file, at any depth."""
        packed = parts(data)
        next(packed)
        return self._pictures(data) or next(filter(None, (self._of_part(name, part) for name, part in packed)), "")

    def goes(self, name: str, data: bytes) -> bool:
        """Whether a file that is packed in another, as it is, or a picture is of the person."""
        return bool(self._of_file(name, data))

    def _of_part(self, name: str, part: bytes) -> str:
        return self._of_file(name, part) or self._pictures(part)

    def _pictures(self, data: bytes) -> str:
        images = () if is_image(data) else map(decode, pictures_in(data))
        return PICTURE if any(image is not None and self._originals.copied_in(image) for image in images) else ""

    def _of_file(self, name: str, data: bytes) -> str:
        if name and self._traces.is_in_folder(name):
            return NAMED
        if hashlib.md5(data, usedforsecurity=False).hexdigest() in self._gone:
            return GOES
        if is_image(data):
            image = decode(data)
            if image is not None:
                return PICTURE if any(map(self._originals.copied_in, (image, *more_of(data)))) else ""
            return BEGINNING if self._is_beginning(data) else ""
        if holds_rows(data, self._traces):
            return ROWS
        arrays = arrays_in(data) if len(self._originals.oids) else ()
        return (
            PICTURE if any(self._originals.copied_in(image) for array in arrays for image in pictures_of(array)) else ""
        )

    def _is_beginning(self, data: bytes) -> bool:
        """Whether it is what an interrupted copy of a photo of theirs left."""
        return len(data) >= _LEAST_BEGINNING and any(photo.startswith(data) for photo in self._photos())
