"""Looks at each photo as it arrives, with the networks and the limits that the pipeline has."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faces.detection.face import Face
from faces.message import Message
from faces.photo_limits import PhotoLimits
from faces.recognition.image import ImageError, Photo
from faces.recognition.networks import Networks
from faces.recognition.quality import photo_hash
from faces.recognition.recognizer import Recognizer
from faces.threads import available_cores
from service.hints import NO_FACE_FOUND, SENTENCES
from stages.params import Params

THUMBNAIL_SIDE = 320  # pixels of the longer side, where there is no face to show
_FACE_SHOWN = 1.7  # sides of the face's box that are shown around it

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Note:
    """Something that is said of a photo.

    Attributes:
        code: for the page.
        text: for people.
    """

    code: str
    text: Message


@dataclass(frozen=True)
class Look:
    """What was seen on a photo.

    Attributes:
        notes: what is wrong with it, or with its face.
        thumbnail: a JPEG of the face, or of the photo where there is none; b"" where nothing can be shown.
        embedding: float32 [D] of length 1, of the largest face; None where there is none.
        photo_hash: perceptual hash of the photo, 16 hexadecimal digits; "" without a face.
        faces: how many there are.
    """

    notes: tuple[Note, ...]
    thumbnail: bytes = b""
    embedding: Floats | None = None
    photo_hash: str = ""
    faces: int = 0


class Judge:
    """Looks at photos, one at a time. Safe to use from several threads at once.

    Args:
        networks: those of the pipeline.
        params: its parameters.

    Raises:
        Exception: the networks do not work.
    """

    def __init__(self, networks: Networks, params: Params) -> None:
        quality = params.quality
        self.limits = PhotoLimits(**{name: getattr(quality, name) for name in PhotoLimits.__dataclass_fields__})
        self._recognizer = Recognizer(networks, params.embed.flip, int(params.crop.max_megapixels * 1e6))
        self._recognizer.open(available_cores())
        self._one = threading.Lock()

    def look(self, data: bytes) -> Look:
        """What is on a photo.

        Args:
            data: bytes of a file, whatever it is.
        """
        with self._one:
            try:
                found = self._recognizer.faces(data)
                self._recognizer.embed(found[:1])
                photo = Photo.open(data, self._recognizer.max_pixels)
                reduced = photo.decode(long_side=self._recognizer.networks.manifest.detector.max_side)
            except ImageError as error:
                return Look((Note("unreadable", _told(error)),))
            except MemoryError:
                return Look((Note("unreadable", Message("There is not enough memory for it")),))
        if not found:
            note = Note(NO_FACE_FOUND, SENTENCES[NO_FACE_FOUND])
            return Look((note,), _jpeg(reduced, THUMBNAIL_SIDE))
        face = found[0]
        assert face.quality is not None and face.embedding is not None
        notes = [Note(code, SENTENCES[code]) for code in self.limits.hints(face.quality)]
        if len(found) > 1:
            text = "There are {count} faces on it. The largest one is looked at; cut the others off if it is not yours"
            notes.append(Note("several_faces", Message(text, count=len(found))))
        scale = max(reduced.size) / max(photo.stored_size)
        return Look(
            tuple(notes),
            _jpeg(reduced.crop(_around(face, scale)).rotate(-face.turned), THUMBNAIL_SIDE),
            unit(face.embedding),
            photo_hash(reduced),
            len(found),
        )


def unit(embedding: Floats) -> Floats:
    """An embedding, or several [N, D], of length 1."""
    length = np.linalg.norm(embedding, axis=-1, keepdims=True)
    result: Floats = (embedding / np.maximum(length, 1e-12)).astype(np.float32)
    return result


def _told(error: ImageError) -> Message:
    return error.args[0] if error.args and isinstance(error.args[0], Message) else Message(str(error))


def _around(face: Face, scale: float) -> tuple[int, int, int, int]:
    """A square around a face; beyond the photo's edge it is black."""
    left, top, right, bottom = (float(value) * scale for value in face.box)
    half = max(right - left, bottom - top) * _FACE_SHOWN / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return round(x - half), round(y - half), round(x + half), round(y + half)


def _jpeg(image: Image.Image, side: int) -> bytes:
    small = image.convert("RGB")
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=85)
    return file.getvalue()
