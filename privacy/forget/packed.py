"""What is packed in a file: archives, compressed files, databases, pickles, what is in base64, pictures inside others.

`parts` and `pictures_in` find everything, also in the first part of an archive that was not written to its end;
`without` writes an archive or a text anew that lacks some of it and is otherwise the same.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import io
import lzma
import re
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

from PIL import Image

from privacy.forget.arrays import bytes_in

_DEPTH = 4
"""Archives in archives that are looked into."""
_MOST_BYTES = 512 * 2**20
"""Of a member, unpacked; a larger one is passed over."""
_STEP = 2**20
_LEAST_VALUE = 64
"""Bytes of a value in a database or a pickle that are looked into."""
_MOST_EMBEDDED = 2000
"""Beginnings of pictures that are tried in one file."""

Goes = Callable[[str, bytes], bool]
_LARGEST_PICTURE = 64 * 2**20

_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, OSError, EOFError, ValueError,
    RuntimeError,  # zipfile's: a password is needed, or (a kind of it) a compression that it does not know
)  # fmt: skip
_COMPRESSED: dict[bytes, tuple[Callable[[], Any], Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": (lambda: zlib.decompressobj(wbits=31), gzip.compress),
    b"BZh": (bz2.BZ2Decompressor, bz2.compress),
    b"\xfd7zXZ\x00": (lzma.LZMADecompressor, lzma.compress),
    b"\x5d\x00\x00": (lzma.LZMADecompressor, lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE)),
    b"\x78": (zlib.decompressobj, zlib.compress),
}
_CLOSED = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"\x1f\x9d", b"MSCF")
"""How archives begin that cannot be looked into: 7z, RAR, zstd, compress, cabinet."""
_SQLITE = b"SQLite format 3\0"
_END_OF_ZIP, _LOCAL = b"PK\x05\x06", b"PK\x03\x04"
# A picture in base64: its first letters, then lines that end as in a text, in JSON, or as strings of a list in JSON
# (notebooks). What follows a separator has to be the rest of the picture, and not the next word of the text.
_LINE = rb"[A-Za-z0-9+/]+={0,2}"
_SEPARATOR = rb'(?:\r?\n[ \t]*|(?:\\r)?\\n(?:",\s*")?)'
_BASE64 = re.compile(
    rb"(?:/9j/|iVBORw0KGgo|UklGR|R0lGOD)[A-Za-z0-9+/]{40,}={0,2}"
    rb"(?:" + _SEPARATOR + rb"(?:[A-Za-z0-9+/]{60,}={0,2}|" + _LINE + rb'(?=(?:\\r)?\\n|"\s*\]|\s*$)))*'
)
_ANY_BASE64 = re.compile(
    rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,}+(?:"
    + _SEPARATOR
    + rb"[A-Za-z0-9+/]{60,}+)*(?:"
    + _SEPARATOR
    + rb"[A-Za-z0-9+/]+)?={0,2}"
)
_LEAST_BASE64 = 400
"""Letters of what is looked into; an embedding has 683 at least."""
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


def is_closed(data: bytes) -> bool:
    """Whether a file is an archive into which nobody can look here: of another kind, or with a password."""
    if data.startswith(_CLOSED):
        return True
    if not _is_zip(data):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(entry.flag_bits & 1 for entry in archive.infolist())
    except _DAMAGED:
        return False


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
    return _is_archive(data) or next(_in_text(data), None) is not None or next(_in_base64(data), None) is not None


def without(data: bytes, goes: Goes) -> bytes | None:
    """An archive or a text without some of what is packed in it; everything else stays as it is.

    Args:
        data: of a file that holds such a thing.
        goes: whether a file, by its name and bytes, is to go, or a picture, without a name.

    Returns:
        The new bytes; None where nothing would be left, or the file cannot be written anew.
    """
    try:
        if _is_zip(data):
            return _zip_without(data, goes)
        if _is_tar(data):
            return _tar_without(data, goes)
        for beginning, (unpack, pack) in _COMPRESSED.items():
            if data.startswith(beginning) and (inner := _unpacked(unpack, data)):
                left = _kept("", inner, goes)
                return None if left is None else pack(left)
    except _DAMAGED:
        return None
    return _text_without(data, goes)


def _is_archive(data: bytes) -> bool:
    return data.startswith((*tuple(_COMPRESSED)[:4], _LOCAL)) or _is_tar(data) or _is_zip(data)


def _is_zip(data: bytes) -> bool:
    """Whether a file is a zip, also one behind a program that unpacks it."""
    if _is_tar(data) or data.startswith((_SQLITE, *tuple(_COMPRESSED)[:4])):  # its last part may be one
        return False
    return data.rfind(_END_OF_ZIP, -(2**16) - 22) >= 0 and zipfile.is_zipfile(io.BytesIO(data))


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


def _unpacked(unpack: Callable[[], Any], data: bytes) -> bytes:
    """What is compressed in a file, as far as it can be read; all parts of one that has several."""
    found = []
    while data:
        machine = unpack()
        try:
            for start in range(0, len(data), _STEP):
                found.append(machine.decompress(data[start : start + _STEP]))
                if machine.eof:
                    rest = machine.unused_data + data[start + _STEP :]
                    break
            else:
                break
        except _DAMAGED:
            break
        if sum(map(len, found)) > _MOST_BYTES:
            break
        data = rest
    return b"".join(found)


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    with suppress(*_DAMAGED):
        if _is_zip(data):
            yield from _zipped(data)
        elif data.startswith(_LOCAL):
            yield from _beginning_of_zip(data)
        elif _is_tar(data):
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                for member in archive:
                    if member.isfile() and member.size <= _MOST_BYTES and (file := archive.extractfile(member)):
                        yield member.name, file.read()
        elif data.startswith(_SQLITE):
            yield from (("", value) for value in _in_database(data))
        else:
            for beginning, (unpack, _) in _COMPRESSED.items():
                if data.startswith(beginning) and (inner := _unpacked(unpack, data)):
                    yield "", inner
            yield from (("", value) for value in bytes_in(data) if len(value) >= _LEAST_VALUE)
            yield from (("", inner) for _, inner in _in_base64(data))


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.file_size <= _MOST_BYTES and not entry.is_dir():
                content = b""  # its name may say enough
                with suppress(*_DAMAGED):
                    content = archive.read(entry)
                yield entry.filename, content


def _beginning_of_zip(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The members of a zip that was not written to its end, where their names and sizes would stand."""
    for place in re.finditer(re.escape(_LOCAL), data):
        kind, name, extra = (int.from_bytes(data[place.start() + at :][:2], "little") for at in (8, 26, 28))
        start = place.start() + 30
        content = data[start + name + extra :]
        if kind == zipfile.ZIP_DEFLATED:
            content = _unpacked(lambda: zlib.decompressobj(wbits=-15), content)
        yield data[start : start + name].decode("utf-8", "replace"), content


def _in_database(data: bytes) -> Iterator[bytes]:
    """The values of a database of SQLite: a large one does not stand in one piece in the file."""
    with closing(sqlite3.connect(":memory:")) as database, suppress(sqlite3.Error):
        database.text_factory = bytes
        database.deserialize(data[:18] + b"\1\1" + data[20:])  # without the log beside it, which is not there
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            with suppress(sqlite3.Error):
                for row in database.execute('SELECT * FROM "{}"'.format(table.decode().replace('"', '""'))):
                    yield from (value for value in row if isinstance(value, bytes) and len(value) >= _LEAST_VALUE)


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


def _in_base64(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Where anything long in base64 stands that is no picture, such as an array, or in hexadecimal; and its bytes."""
    if b"\0" in data[:65536]:
        return
    pictures = [span for span, _ in _in_text(data)]
    for run in _ANY_BASE64.finditer(data):
        is_long = run.end() - run.start() >= _LEAST_BASE64
        if is_long and not any(begin < run.end() and run.start() < stop for begin, stop in pictures):
            text = re.sub(rb'\\[rn]|[\s",]', b"", run.group()).partition(b"=")[0]
            with suppress(binascii.Error):
                is_hex = re.fullmatch(rb"[0-9a-fA-F]+", text) and not len(text) % 2
                yield (
                    run.span(),
                    bytes.fromhex(text.decode()) if is_hex else base64.b64decode(text + b"=" * (-len(text) % 4)),
                )


def _text_without(data: bytes, goes: Goes) -> bytes | None:
    pieces = []
    end = 0
    runs = [(span, blank()) for span, picture in _in_text(data) if goes("", picture)]
    runs += [(span, b"") for span, inner in _in_base64(data) if _kept("", inner, goes) != inner]
    for (begin, stop), left in sorted(runs):
        if begin >= end:
            # What separates the lines stays, and so does the text around: JSON is still JSON.
            lines = re.split(rb"(" + _SEPARATOR + rb")", data[begin:stop])
            lines[::2] = [base64.b64encode(left), *(b"" for _ in lines[2::2])]
            pieces += [data[end:begin], b"".join(lines)]
            end = stop
    return b"".join([*pieces, data[end:]]) if pieces else None
