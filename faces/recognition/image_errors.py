"""Why a photo cannot be used."""

from __future__ import annotations

from faces.errors import MessageError
from faces.message import Message


class ImageError(MessageError, ValueError):
    """A photo that cannot be used; the message says what it is and what was expected."""


class UnknownKindError(ImageError):
    """The content is of none of the kinds that are accepted, whatever its name or declared type says."""


class UnreadableImageError(ImageError):
    """The content is of a kind that is read but cannot be decoded: truncated or damaged."""


class ImageTooLargeError(ImageError):
    """The image declares more pixels than the limit allows."""


class ImageTooCostlyError(ImageError):
    """The image would take too much time or memory to decode, though it does not have too many pixels."""


class OutOfMemoryError(ImageTooCostlyError):
    """There is not enough memory now; later there may be."""


def no_memory() -> OutOfMemoryError:
    """What to raise where memory has run out."""
    return OutOfMemoryError(
        Message("there is not enough memory to decode it. Close other programs, or save the photo smaller")
    )


def damaged(kind: str) -> UnreadableImageError:
    """The same words for every damage: those of decoders differ from version to version, and name addresses in memory.

    Args:
        kind: name of the file format, such as "JPEG".
    """
    return UnreadableImageError(
        Message("a damaged {kind}, or cut off: its pixels cannot be read. Copy it again from where it came", kind=kind)
    )
