"""The kinds of image files that are read. Content tells them apart, never a name."""

from __future__ import annotations

from dataclasses import dataclass

from faces.message import Message


@dataclass(frozen=True)
class Kind:
    """A file format.

    Attributes:
        name: such as "JPEG".
        described: the same in a sentence.
        mime: its type on the web.
        suffixes: of its files, in lower case.
    """

    name: str
    described: Message
    mime: str
    suffixes: tuple[str, ...]


JPEG = Kind("JPEG", Message("a JPEG"), "image/jpeg", (".jpg", ".jpeg"))
PNG = Kind("PNG", Message("a PNG"), "image/png", (".png",))
WEBP = Kind("WebP", Message("a WebP"), "image/webp", (".webp",))
HEIC = Kind("HEIC", Message("a HEIC"), "image/heic", (".heic", ".heif"))
AVIF = Kind("AVIF", Message("an AVIF"), "image/avif", (".avif",))

KINDS = (JPEG, PNG, WEBP, HEIC, AVIF)
"""All that are read."""

SUFFIXES = tuple(suffix for kind in KINDS for suffix in kind.suffixes)
"""Suffixes of photos, in lower case."""

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_AVIF_BRANDS = {b"avif", b"avis"}
_OTHERS = {
    b"GIF8": Message("a GIF"),
    b"BM": Message("a BMP"),
    b"II*\x00": Message("a TIFF"),
    b"MM\x00*": Message("a TIFF"),
    b"%PDF": Message("a PDF"),
    b"PK\x03\x04": Message("a ZIP archive"),
    b"<svg": Message("an SVG"),
    b"<?xm": Message("an XML file"),
}

_NO_PICTURES = {
    "a PDF", "a ZIP archive", "an XML file", "an empty file", "a text file", "an unknown kind of file",
}  # fmt: skip


def kind_of(data: bytes) -> Kind | None:
    """The kind of a file's content, None where it is none of `KINDS`."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
        if brands & _AVIF_BRANDS:
            return AVIF
        if brands & _HEIC_BRANDS:
            return HEIC
    return None


def describe(data: bytes) -> Message:
    """What a file's content looks like, for an error message."""
    kind = kind_of(data)
    if kind is not None:
        return kind.described
    if not data:
        return Message("an empty file")
    if data[4:8] == b"ftyp":
        return Message("a video, or a picture of an unknown kind")
    for magic, name in _OTHERS.items():
        if data.startswith(magic):
            return name
    try:
        data[:512].decode("utf-8")
    except UnicodeDecodeError:
        return Message("an unknown kind of file")
    return Message("a text file")


def is_picture(described: str) -> bool:
    """Whether what `describe` says is, or may be, a picture: of another kind it could be saved as one that is read."""
    return described not in _NO_PICTURES
