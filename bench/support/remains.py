"""A search for a person in every byte of some folders, by what they are: it knows nothing of how `forget` works.

Files are unpacked (zip, tar, gzip, bzip2, xz, zlib, also half of one, SQLite, pictures in base64 or inside other files)
and looked at in four ways: known bytes (whole, and their hashes in text), names, pixels like those of a photo or crop
of theirs, also mirrored or turned or in an array, and rows of their embeddings.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import contextlib
import hashlib
import io
import lzma
import re
import sqlite3
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_SIDE = 32
_ALIKE = 0.985
_PIECE = 256
"""Bytes from the middle of a photo's file that are looked for in others: half-written copies, archives without
compression, dumps."""
_IN_BASE64 = re.compile(rb"(?:/9j/|iVBORw0KGgo|UklGR)(?:[A-Za-z0-9+/=]|\\n|\\r|[\"\s,])+")
_BEGINNING = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)


@dataclass
class Remains:
    """What is looked for.

    Attributes:
        names: folders within data/ that are theirs.
        digests: MD5 and SHA-256 of their files.
        pieces: bytes of their files.
        pixels: small grey pixels of them, mirrored and turned, too, float32 [_SIDE * _SIDE].
        rows: embeddings, float32 [N, D] of length 1.
    """

    names: list[str]
    digests: set[bytes] = field(default_factory=set)
    pieces: list[bytes] = field(default_factory=list)
    pixels: list[NDArray[np.float32]] = field(default_factory=list)
    rows: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def add_file(self, data: bytes) -> None:
        """Take bytes that are theirs."""
        self.digests |= {hashed(data).hexdigest().encode() for hashed in (hashlib.md5, hashlib.sha256)}
        middle = len(data) // 2
        self.pieces.append(data[middle : middle + _PIECE])
        small = pixels_of(data)
        if small is not None:
            square = small.reshape(_SIDE, _SIDE)
            self.pixels += [np.rot90(side, turns).ravel() for side in (square, square[:, ::-1]) for turns in range(4)]

    def add_rows(self, rows: NDArray[np.float32]) -> None:
        """Take embeddings that are theirs, [n, D]."""
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self.rows = unit if not self.rows.size else np.concatenate([self.rows, unit])

    def found_in(self, data: bytes) -> list[str]:
        """How a file shows them; nothing where it does not."""
        return sorted({reason for part in unpacked(data) for reason in self._found_in(part)})

    def search(self, folders: Iterable[Path], passed_over: Iterable[str] = ()) -> tuple[dict[str, list[str]], int]:
        """Look through folders.

        Args:
            folders: with everything below them.
            passed_over: names of folders of which nothing is looked at (code, git's own).

        Returns:
            How each file that shows them does, and how many files were looked at.
        """
        found, count = {}, 0
        skipped = set(passed_over)
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not skipped & set(path.relative_to(folder).parts):
                    count += 1
                    if reasons := self.found_in(path.read_bytes()):
                        found[str(path)] = reasons
        return found, count

    def _found_in(self, data: bytes) -> Iterator[str]:
        if hashlib.md5(data).hexdigest().encode() in self.digests:
            yield "bytes"
        if any(piece in data for piece in self.pieces):
            yield "part of a file"
        if any(digest in data for digest in self.digests):
            yield "hash"
        if b"\0" not in data and any(
            re.search(rb"(?<![\w/])" + re.escape(name.encode()) + rb"/", data) for name in self.names
        ):
            yield "name"
        smalls = [pixels_of(data), *map(small_of, pictures_of(data))] if self.pixels else []
        if any(small is not None and float((np.stack(self.pixels) @ small).max()) >= _ALIKE * small.size
               for small in smalls):  # fmt: skip
            yield "pixels"
        if self._has_rows(data):
            yield "embedding"

    def _has_rows(self, data: bytes) -> bool:
        if not self.rows.size:
            return False
        size = self.rows.shape[1]
        for array in arrays_of(data):
            for axis in (axis for axis, length in enumerate(array.shape) if length == size and array.size):
                flat = np.moveaxis(np.asarray(array, np.float64), axis, -1).reshape(-1, size)
                unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
                if bool((unit @ self.rows.T > 0.9995).any()):
                    return True
        return any(row.astype(kind).tobytes() in data for row in self.rows for kind in (np.float32, np.float64))


def unpacked(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """Bytes, and what is packed in them."""
    yield data
    if depth:
        for part in _inside(data):
            yield from unpacked(part, depth - 1)


def _inside(data: bytes) -> Iterator[bytes]:
    """What an archive, a compressed file or a file with pictures holds."""
    damaged = (
        zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, OSError, EOFError, RuntimeError,
        sqlite3.Error,
    )  # fmt: skip
    with contextlib.suppress(*damaged):
        yield from _members(data)
    for run in _IN_BASE64.findall(data):
        text = re.sub(rb"[^A-Za-z0-9+/]", b"", run.replace(rb"\n", b"").replace(rb"\r", b"").partition(b"=")[0])
        with contextlib.suppress(binascii.Error):
            yield base64.b64decode(text + b"=" * (-len(text) % 4))
    if b"\0" in data[:4096]:
        for place in _BEGINNING.finditer(data, 1):
            yield data[place.start() :]


def _members(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            yield from [file.read(name) for name in file.namelist()]
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = [archive.extractfile(member) for member in archive]
            yield from [member.read() for member in members if member is not None]
    elif data.startswith(b"\x1f\x8b"):
        yield zlib.decompressobj(31).decompress(data)
    elif data.startswith(b"SQLite format 3\0"):
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(data)
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    yield from (value for value in row if isinstance(value, bytes))
    elif data.startswith(b"BZh"):
        yield bz2.decompress(data)
    elif data.startswith(b"\xfd7zXZ"):
        yield lzma.decompress(data)
    elif data[:1] == b"\x78":
        yield zlib.decompress(data)


def pixels_of(data: bytes) -> NDArray[np.float32] | None:
    """Small grey pixels of a picture of mean 0 and deviation 1; None where the bytes are none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return small_of(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    except Exception:  # whatever a decoder makes of bytes that are no picture
        return None


def pictures_of(data: bytes) -> Iterator[Image.Image]:
    """The pictures of an array of bytes, [N, H, W, 3]."""
    for array in arrays_of(data):
        if array.dtype == np.uint8 and array.ndim == 4 and array.shape[-1] == 3:
            yield from map(Image.fromarray, array)


def small_of(image: Image.Image) -> NDArray[np.float32] | None:
    """Small grey pixels of a picture, as `pixels_of`."""
    grey = np.asarray(image.convert("L").resize((_SIDE, _SIDE)), np.float32).ravel()
    deviation = float(grey.std())
    return (grey - grey.mean()) / np.float32(deviation) if deviation > 1 else None


def arrays_of(data: bytes) -> Iterator[NDArray[np.generic]]:
    """The array of a .npy file; npz files are unpacked before."""
    if data.startswith(b"\x93NUMPY"):
        try:
            yield np.load(io.BytesIO(data), allow_pickle=False)
        except ValueError:
            return
