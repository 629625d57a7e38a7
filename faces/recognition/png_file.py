"""PNG: what a file holds is read before Pillow sees it, and Pillow gets a copy without what decides no pixel.

Pillow interprets text, profiles and resolutions, and refuses a photo for the sake of a wrong checksum in one of them.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from faces.message import Message
from faces.recognition.exif import AS_STORED, orientation_of
from faces.recognition.image_errors import ImageTooCostlyError, damaged

MAGIC = b"\x89PNG\r\n\x1a\n"

MOST_BYTES = 300_000_000
"""Bytes of pixels that a PNG may hold: unpacking and unfiltering them takes some 4 ns each."""

# Nanoseconds of a core that decoding takes, as `python -m bench.decoding` measures it.
_NS_FILE_BYTE = 8.0
_NS_STORED_BYTE = 5.0
_NS_PIXEL = 2.0

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PALETTE = 3
_PROFILE_KEYWORD = b"Raw profile type exif\0"  # what ImageMagick wrote before PNG had a chunk for EXIF
_LONGEST_PROFILE = 300_000  # bytes as text


@dataclass
class PngFile:
    """A PNG whose structure has been read.

    Attributes:
        size: width and height in pixels as stored.
        orientation: what EXIF says, 1 to 8.
        clean: a PNG with the same pixels and without metadata.
        bytes_per_pixel: of what Pillow decodes it to.
        ready: whether that is RGB without transparency.
        bits: of a pixel in the file.
        fixed_bytes: what decoding takes beside.
    """

    size: tuple[int, int]
    orientation: int
    clean: bytes
    bytes_per_pixel: int
    ready: bool
    bits: int
    fixed_bytes: int = 0

    @classmethod
    def read(cls, data: bytes) -> PngFile:
        """Walk through a file.

        Args:
            data: begins with `MAGIC`.

        Raises:
            UnreadableImageError: it is not such a file.
        """
        chunks = _Chunks(data)
        chunks.read()
        width, height, depth, colour, method, filters, _ = struct.unpack(">IIBBBBB", chunks.header)
        if not width or not height or depth not in _DEPTHS.get(colour, ()) or method or filters:
            raise damaged("PNG")
        if colour == _PALETTE and (not chunks.palette or len(chunks.palette) % 3 or len(chunks.palette) > 768):
            raise damaged("PNG")
        transparency = _transparency(chunks.transparency, colour, depth)
        kept = [(b"IHDR", chunks.header)]
        if colour == _PALETTE:
            kept.append((b"PLTE", chunks.palette))
        if transparency:
            kept.append((b"tRNS", transparency))
        kept += [(b"IDAT", b"".join(chunks.pixels)), (b"IEND", b"")]
        clean = MAGIC + b"".join(_written(kind, content) for kind, content in kept)
        in_pillow = {0: 2 if depth == 16 else 1, _PALETTE: 1}.get(colour, 4)
        ready = colour == 2 and not transparency
        return cls((width, height), chunks.orientation, clean, in_pillow, ready, depth * _CHANNELS[colour])

    @classmethod
    def peek(cls, beginning: bytes) -> PngFile:
        """What the header says, which stands first.

        Raises:
            struct.error, KeyError: it is not there, or of no known kind.
        """
        width, height, depth, colour = struct.unpack_from(">IIBB", beginning, 16)
        return cls((width, height), AS_STORED, b"", 0, True, depth * _CHANNELS[colour])

    @property
    def stored(self) -> int:
        """Bytes of its pixels."""
        width, height = self.size
        return height * -(-width * self.bits // 8)

    @property
    def decode_seconds(self) -> float:
        """Seconds of a core that it may take to decode it, about. That is done once, at full size."""
        width, height = self.size
        return (_NS_FILE_BYTE * len(self.clean) + _NS_STORED_BYTE * self.stored + _NS_PIXEL * width * height) / 1e9

    def check(self) -> None:
        """Raises ImageTooCostlyError where it has too many bytes for its pixels."""
        width, height = self.size
        if self.stored > MOST_BYTES:
            raise ImageTooCostlyError(
                Message(
                    "{width} × {height} pixels of {bits} bits are {megabytes:.0f} MB; the limit is {limit:.0f}. Save "
                    "it as a JPEG, or as a PNG with 8 bits per channel",
                    width=width,
                    height=height,
                    bits=self.bits,
                    megabytes=self.stored / 1e6,
                    limit=MOST_BYTES / 1e6,
                )
            )

    def scale(self, ratio: float) -> int:
        """By how much the decoder reduces the picture: never, whatever would be enough."""
        del ratio
        return 1

    def load(self, ratio: float) -> Image.Image:
        """Decode it at full size.

        Raises:
            Exception: whatever the decoder raises on damaged data.
        """
        del ratio
        image = PngImageFile(io.BytesIO(self.clean))
        image.load()
        return image


@dataclass
class _Chunks:
    """What the chunks of a file say."""

    data: bytes
    header: bytes = b""
    palette: bytes = b""
    transparency: bytes = b""
    pixels: list[bytes] = field(default_factory=list)
    orientation: int = AS_STORED

    def read(self) -> None:
        """Raises UnreadableImageError where there is no header first, or its checksum or the palette's is wrong."""
        exif: bytes | None = None  # the first one decides
        for kind, content, right in self._each():
            if not self.header:
                if kind != b"IHDR" or len(content) != 13 or not right:
                    raise damaged("PNG")
                self.header = content
            elif kind == b"IDAT":
                self.pixels.append(content)
            elif kind == b"PLTE" and not self.pixels:
                if not right:
                    raise damaged("PNG")
                self.palette = content
            elif kind == b"tRNS" and right and not self.pixels:
                self.transparency = content
            elif kind == b"eXIf" and exif is None:
                exif = content
            elif kind in (b"tEXt", b"zTXt") and exif is None and content.startswith(_PROFILE_KEYWORD):
                exif = _profile(kind, content[len(_PROFILE_KEYWORD) :])
        self.orientation = orientation_of(exif or b"")

    def _each(self) -> Iterator[tuple[bytes, bytes, bool]]:
        """Kind, content and whether the checksum is right, to the end marker or where the file is cut off.

        The checksum of pixels is not looked at: Pillow does not, and unpacking them has one of its own.
        """
        data, place = self.data, len(MAGIC)
        while place + 8 <= len(data):
            length, kind = struct.unpack_from(">I4s", data, place)
            content = data[place + 8 : place + 8 + length]
            if kind == b"IEND":
                return
            if kind == b"IDAT":
                yield kind, content, True
            elif len(content) < length:
                return
            elif kind in (b"IHDR", b"PLTE", b"tRNS"):
                given = data[place + 8 + length : place + 12 + length]
                yield kind, content, given == zlib.crc32(kind + content).to_bytes(4, "big")
            else:
                yield kind, content, True
            place += 12 + length


def _transparency(content: bytes, colour: int, depth: int) -> bytes:
    """A transparency chunk if it can be used, else nothing."""
    if colour == _PALETTE:
        return content[:256]
    if depth == 16:  # Pillow compares the colour's 16 bits with the pixels' upper 8
        return b""
    if len(content) != {0: 2, 2: 6}.get(colour):
        return b""
    if 1 < depth < 8:  # Pillow compares the colour's few bits with the pixels' 8
        white = 2**depth - 1
        return struct.pack(">H", (content[1] & white) * 255 // white)
    return content


def _profile(kind: bytes, content: bytes) -> bytes:
    """The EXIF block in a text of ImageMagick's: a name, the number of bytes, then the bytes in hexadecimal."""
    if kind == b"zTXt":
        try:
            content = zlib.decompressobj().decompress(content[1:], _LONGEST_PROFILE)
        except zlib.error:
            return b""
    words = content[:_LONGEST_PROFILE].split(None, 2)
    try:
        return bytes.fromhex(words[2].decode("ascii")) if len(words) == 3 else b""
    except ValueError:
        return b""


def _written(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
