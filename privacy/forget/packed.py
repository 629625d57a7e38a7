"""What is packed in a file: archives, compressed files, texts with pictures in base64, files with pictures inside.

`parts` and `pictures_in` find everything; `without` writes an archive or a text anew that lacks some of it and is
otherwise the same.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

from PIL import Image

_DEPTH = 4
"""Archives in archives that are looked into."""
_MOST_BYTES = 512 * 2**20
"""Of a member, unpacked; a larger one is passed over."""
_MOST_EMBEDDED = 2000
"""Beginnings of pictures that are tried in one file."""

Goes = Callable[[str, bytes], bool]
_LARGEST_PICTURE = 64 * 2**20

_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, OSError, EOFError, ValueError,
    RuntimeError,  # zipfile's: a password is needed, or (a kind of it) a compression that it does not know
)  # fmt: skip
_COMPRESSED: dict[bytes, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": (gzip.decompress, gzip.compress),
    b"BZh": (bz2.decompress, bz2.compress),
    b"\xfd7zXZ\x00": (lzma.decompress, lzma.compress),
    b"\x78": (zlib.decompress, zlib.compress),
}
# A picture in base64: its first letters, then lines that end as in a text, in JSON, or as strings of a list in JSON
# (notebooks). What follows a separator has to be the rest of the picture, and not the next word of the text.
_LINE = rb"[A-Za-z0-9+/]+={0,2}"
_SEPARATOR = rb'(?:\r?\n[ \t]*|(?:\\r)?\\n(?:",\s*")?)'
_BASE64 = re.compile(
    rb"(?:/9j/|iVBORw0KGgo|UklGR|R0lGOD)[A-Za-z0-9+/]{40,}={0,2}"
    rb"(?:" + _SEPARATOR + rb"(?:[A-Za-z0-9+/]{60,}={0,2}|" + _LINE + rb'(?=(?:\\r)?\\n|"\s*\]|\s*$)))*'
)
_BEGINNING = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|GIF8[79]a", re.DOTALL)


def blank() -> bytes:
    """A PNG of one white pixel: what takes the place of a picture."""
    file = io.BytesIO()
    Image.new("L", (1, 1), 255).save(file, "png")
    return file.getvalue()


def parts(data: bytes, depth: int = _DEPTH) -> Iterator[tuple[str, bytes]]:
    """A file, and the files that are packed in it, at any depth. What is damaged holds nothing.

    Args:
        data: its bytes.
        depth: how many archives in archives are looked into.

    Returns:
        Name in the archive ("" of the file itself) and bytes of each.
    """
    yield "", data
    for name, inner in _members(data) if depth else ():
        yield from ((below or name, part) for below, part in parts(inner, depth - 1))


def pictures_in(data: bytes) -> Iterator[bytes]:
    """Pictures that stand in a file of another kind: in base64 in a text, or as they are in a PDF, a database or the
    thumbnails of a file manager. What follows one in the file is at its end."""
    yield from (picture for _, picture in _in_text(data))
    if b"\0" not in data[:65536] or data.startswith(b"PK"):
        return
    for number, place in enumerate(_BEGINNING.finditer(data, 1)):
        if number == _MOST_EMBEDDED:
            return
        yield data[place.start() : place.start() + _LARGEST_PICTURE]


def is_packed(data: bytes) -> bool:
    """Whether `without` can write the file anew."""
    return _is_archive(data) or next(_in_text(data), None) is not None


def without(data: bytes, goes: Goes) -> bytes | None:
    """An archive or a text without some of what is packed in it; everything else stays as it is.

    Args:
        data: of a file that holds such a thing.
        goes: whether a file, by its name and bytes, is to go, or a picture, without a name.

    Returns:
        The new bytes; None where nothing would be left, or the file cannot be written anew.
    """
    try:
        if data.startswith(b"PK"):
            return _zip_without(data, goes)
        if _is_tar(data):
            return _tar_without(data, goes)
        for beginning, (unpack, pack) in _COMPRESSED.items():
            if data.startswith(beginning) and (inner := _unpacked(unpack, data)) is not None:
                left = _kept("", inner, goes)
                return None if left is None else pack(left)
    except _DAMAGED:
        return None
    return _text_without(data, goes)


def _is_archive(data: bytes) -> bool:
    return data.startswith((b"PK", *tuple(_COMPRESSED)[:3])) or _is_tar(data)


def _is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def _kept(name: str, inner: bytes, goes: Goes) -> bytes | None:
    """A member as it stays: as it is, without something inside, or None where it goes."""
    if goes(name, inner):
        return None
    below = parts(inner, _DEPTH - 1)
    next(below)
    holds_one = any(goes(deeper, part) or any(goes("", one) for one in pictures_in(part)) for deeper, part in below)
    if holds_one or any(goes("", one) for one in pictures_in(inner)):
        return without(inner, goes)
    return inner


def _unpacked(unpack: Callable[[bytes], bytes], data: bytes) -> bytes | None:
    with suppress(*_DAMAGED):
        return unpack(data)
    return None


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    with suppress(*_DAMAGED):
        if data.startswith(b"PK"):
            yield from _zipped(data)
        elif _is_tar(data):
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                for member in archive:
                    if member.isfile() and member.size <= _MOST_BYTES and (file := archive.extractfile(member)):
                        yield member.name, file.read()
        else:
            for beginning, (unpack, _) in _COMPRESSED.items():
                if data.startswith(beginning) and (inner := _unpacked(unpack, data)) is not None:
                    yield "", inner


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.file_size <= _MOST_BYTES and not entry.is_dir():
                with suppress(*_DAMAGED):
                    yield entry.filename, archive.read(entry)


def _zip_without(data: bytes, goes: Goes) -> bytes | None:
    target = io.BytesIO()
    left = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(target, "w") as new:
        # Documents of an office program name their pictures, and cannot be opened where one is missing.
        is_document = bool({"[Content_Types].xml", "mimetype"} & set(archive.namelist()))
        new.comment = archive.comment
        for entry in archive.infolist():
            content = archive.read(entry)
            kept = content if entry.is_dir() else _kept(entry.filename, content, goes)
            if kept is None and is_document:
                kept = blank()
            if kept is not None:
                new.writestr(entry, kept)
                left += not entry.is_dir()
    return target.getvalue() if left else None


def _tar_without(data: bytes, goes: Goes) -> bytes | None:
    target = io.BytesIO()
    left = 0
    with (
        tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive,
        tarfile.open(fileobj=target, mode="w:", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                new.addfile(member)
                continue
            kept = _kept(member.name, file.read(), goes)
            if kept is not None:
                member.size = len(kept)
                new.addfile(member, io.BytesIO(kept))
                left += 1
    return target.getvalue() if left else None


# Pictures in base64 ---------------------------------------------------------------------------------------------------


def _in_text(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Where each picture in base64 stands, and its bytes."""
    if not any(beginning in data for beginning in (b"/9j/", b"iVBORw0KGgo", b"UklGR", b"R0lGOD")):
        return
    for run in _BASE64.finditer(data):
        text = re.sub(rb'\\[rn]|[\s",]', b"", run.group()).partition(b"=")[0]
        with suppress(binascii.Error):
            yield run.span(), base64.b64decode(text + b"=" * (-len(text) % 4))


def _text_without(data: bytes, goes: Goes) -> bytes | None:
    pieces = []
    end = 0
    for (begin, stop), picture in _in_text(data):
        if goes("", picture):
            # What separates the lines stays, and so does the text around: JSON is still JSON.
            lines = re.split(rb"(" + _SEPARATOR + rb")", data[begin:stop])
            lines[::2] = [base64.b64encode(blank()), *(b"" for _ in lines[2::2])]
            pieces += [data[end:begin], b"".join(lines)]
            end = stop
    return b"".join([*pieces, data[end:]]) if pieces else None
