"""JPEG: what a file holds is read before libjpeg sees it, and libjpeg gets a copy without what decides no pixel.

Metadata can be damaged without harm: viewers show such photos. Pillow, however, interprets it and fails. So of all
segments only those are copied that decide pixels. The same walk through the file tells what decoding will cost: a
progressive file of 300 KB can ask for 2,000 passes over 64 megapixels.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from faces.message import Message
from faces.recognition.exif import AS_STORED, PREFIX, orientation_of
from faces.recognition.image_errors import ImageTooCostlyError, damaged

MAGIC = b"\xff\xd8\xff"

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1, 0xC9), (0xC2, 0xCA)  # the frames that libjpeg decodes
_ARITHMETIC = (0xC9, 0xCA)
_TABLES = (0xC4, 0xCC, 0xDB, 0xDD)  # DHT, DAC, DQT, DRI
_JFIF, _EXIF, _ADOBE = 0xE0, 0xE1, 0xEE
_ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a segment: TEM, RST0 to RST7, and SOI by mistake
_KNOWN = (0xDC, 0xFE, *range(0xE0, 0xF0))  # segments that libjpeg skips: DNL, COM, APPn

_MARKER = re.compile(rb"\xff([^\x00\xff])")  # libjpeg skips what lies before one, and so do viewers
_END_OF_DATA = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_NOISE = bytes((171 + 89 * i) % 255 for i in range(255)) * 32  # 8 kB, more than one unit of a scan can take
_RESTARTS = b"".join(b"\xff" + bytes([marker]) + _NOISE[:255] for marker in range(0xD0, 0xD8))
_PADDINGS = (b"", _NOISE + 2 * _RESTARTS)  # where libjpeg waits for a restart marker, it skips all that is before one
_MOST_SEGMENTS = 20_000  # photos have some dozens; those with large depth maps some hundreds
_MOST_PEEKED = 100  # segments before the frame
_MOST_CHECKED = 16_000_000  # pixels, of a file without an end marker

# Nanoseconds of a core that libjpeg takes for a block of 8 × 8 samples in one pass, on files that make it slow.
_NS_SEQUENTIAL = 20.0
_NS_PASS = 8.0
_NS_REFINED = 1.0  # more, for each of the block's coefficients that a refining pass looks at
_NS_ARITHMETIC = 25.0  # for each coefficient
MOST_NS = 0.65e9
"""Nanoseconds that all passes may take together; a photo with a small face is decoded twice."""

# Nanoseconds of a core that decoding takes beside, as `python -m bench.decoding` measures it.
_NS_BYTE = 10.0  # of a file that is not progressive
_NS_BYTE_PROGRESSIVE = 32.0
_NS_PIXEL = 3.5
_NS_COMPARED = 8.0  # for a pixel of a picture that is compared with itself


@dataclass(frozen=True)
class _Component:
    """One of the colours of a frame: its identifier, and its sampling factors."""

    identifier: int
    across: int
    down: int


@dataclass
class JpegFile:
    """A JPEG whose structure has been read.

    Attributes:
        size: width and height in pixels as stored.
        orientation: what EXIF says, 1 to 8.
        clean: a JPEG with the same pixels and without metadata.
        bytes_per_pixel: of what Pillow decodes it to.
        ready: whether that is RGB.
        fixed_bytes: what decoding takes at any scale: all coefficients, where there are several scans.
        nanoseconds: about as many of a core do the passes take.
        ended: whether the end marker was there.
    """

    size: tuple[int, int] = (0, 0)
    orientation: int = AS_STORED
    clean: bytes = b""
    bytes_per_pixel: int = 4
    ready: bool = True
    fixed_bytes: int = 0
    nanoseconds: float = 0.0
    ended: bool = False
    _marker: int = 0
    _components: list[_Component] = field(default_factory=list)
    _scans: int = 0
    _missing: dict[int, int] = field(default_factory=dict)  # by component, a bit for each coefficient not yet whole
    _whole: bool = False

    @classmethod
    def read(cls, data: bytes) -> JpegFile:
        """Walk through a file.

        Args:
            data: begins with `MAGIC`.

        Raises:
            UnreadableImageError: there is no picture that libjpeg decodes.
            ImageTooCostlyError: it has too many segments.
        """
        file = cls()
        try:
            parts = [data[:2], *file._walk(data)]
        except (IndexError, struct.error) as error:
            raise damaged("JPEG") from error
        if not file._scans or not all(file.size):
            raise damaged("JPEG")
        file.clean = b"".join([*parts, b"\xff\xd9"])
        file.bytes_per_pixel = 1 if len(file._components) == 1 else 4
        file.ready = len(file._components) == 3
        return file

    @classmethod
    def peek(cls, beginning: bytes) -> JpegFile:
        """What the first bytes of a file say: its size and its kind of frame, if the frame's header is among them.

        Raises:
            UnreadableImageError, ImageTooCostlyError, IndexError, struct.error: there is none.
        """
        file = cls(ended=True)
        for _ in file._walk(beginning, _MOST_PEEKED):
            if all(file.size):
                break
        return file

    @property
    def decode_seconds(self) -> float:
        """Seconds of a core that it may take, about: decoded for detection, and at full size for a small face.

        Without an end marker, it is compared with itself before that, and decoded twice for it.
        """
        pixels = self.size[0] * self.size[1]
        per_byte = _NS_BYTE_PROGRESSIVE if self._marker in _PROGRESSIVE else _NS_BYTE
        passes = self.nanoseconds + per_byte * len(self.clean)
        nanoseconds = 2 * passes + _NS_PIXEL * pixels
        if not self.ended:
            nanoseconds += 2 * passes + 2 * _NS_COMPARED * min(pixels, _MOST_CHECKED)
        return nanoseconds / 1e9

    def check(self) -> None:
        """Raises ImageTooCostlyError where it asks for too many passes over its pixels."""
        if self.nanoseconds > MOST_NS:
            raise ImageTooCostlyError(
                Message(
                    "{width} × {height} pixels in {scans} scans of a JPEG take {times:.1f} times as long to decode as "
                    "the limit allows. Save it again as a JPEG that is not progressive",
                    width=self.size[0],
                    height=self.size[1],
                    scans=self._scans,
                    times=self.nanoseconds / MOST_NS,
                )
            )

    def _walk(self, data: bytes, most_segments: int = _MOST_SEGMENTS) -> Iterator[bytes]:
        """The segments that decide pixels, with the data of their scans."""
        place, exif_seen = 2, False
        for _ in range(most_segments):
            found = _MARKER.search(data, place)
            if found is None:
                return
            start, place, marker = found.start(), found.end(), found[1][0]
            if marker == _END:
                self.ended = True
                return
            if marker == _START and self._scans:  # another picture, after one without an end marker
                return
            if marker in _ALONE:
                continue
            end = place + max(int.from_bytes(data[place : place + 2], "big"), 2)
            if end > len(data):  # cut off
                return
            content = data[place + 2 : end]
            if marker == _SCAN:
                self._add_scan(content)
                last = _END_OF_DATA.search(data, end)
                place = len(data) if last is None else last.start()
                yield data[start:place]
                continue
            place = end
            if marker in _SEQUENTIAL + _PROGRESSIVE:
                self._add_frame(marker, content)
            elif marker == _EXIF and not exif_seen and content.startswith(PREFIX):
                exif_seen = True
                self.orientation = orientation_of(content)
            elif marker not in _KNOWN + _TABLES:
                if self._scans:
                    return
                raise damaged("JPEG")  # a kind of JPEG that viewers cannot show either: lossless, hierarchical, …
            if marker in _SEQUENTIAL + _PROGRESSIVE + _TABLES or _decides_colours(marker, content):
                yield data[start:end]
        raise ImageTooCostlyError(
            Message(
                "a JPEG of more than {most} segments, where photos have some dozens. Save it again with another "
                "program",
                most=_MOST_SEGMENTS,
            )
        )

    def _add_frame(self, marker: int, content: bytes) -> None:
        bits, height, width, count = struct.unpack_from(">BHHB", content)
        if self._components or bits != 8 or count not in (1, 3, 4):
            raise damaged("JPEG")
        self._marker, self.size = marker, (width, height)
        self._components = [
            _Component(content[at], content[at + 1] >> 4, content[at + 1] & 15) for at in range(6, 6 + 3 * count, 3)
        ]
        if not all(1 <= c.across <= 4 and 1 <= c.down <= 4 for c in self._components):
            raise damaged("JPEG")
        self._missing = {component.identifier: 2**64 - 1 for component in self._components}

    def _add_scan(self, content: bytes) -> None:
        """Count what a scan costs, and which coefficients are known to the last bit after it."""
        count = content[0]
        chosen = [c for at in range(count) for c in self._components if c.identifier == content[1 + 2 * at]]
        if not chosen:
            raise damaged("JPEG")
        first, last, bits = content[1 + 2 * count : 4 + 2 * count]
        progressive = self._marker in _PROGRESSIVE
        first, last = (first, min(last, 63)) if progressive else (0, 63)
        if first > last:  # libjpeg refuses it, but only after all scans before it
            raise damaged("JPEG")
        blocks = sum(self._blocks(component, len(chosen) > 1) for component in chosen)
        if self._marker in _ARITHMETIC:
            cost = _NS_ARITHMETIC * (last - first + 1)
        elif not progressive:
            cost = _NS_SEQUENTIAL
        else:
            cost = _NS_PASS + (_NS_REFINED * (last - first + 1) if bits >> 4 else 0.0)
        self.nanoseconds += blocks * cost
        self._scans += 1
        if not progressive or bits & 15 == 0:
            for component in chosen:
                self._missing[component.identifier] &= ~(2 ** (last + 1) - 2**first)
        if progressive or count < len(self._components):  # libjpeg keeps all coefficients, 2 bytes each
            self.fixed_bytes = 128 * sum(self._blocks(component, True) for component in self._components)

    def _blocks(self, component: _Component, interleaved: bool) -> int:
        """How many blocks of a component a scan has: filled up to whole units where it is not alone in it."""
        most_across = max(c.across for c in self._components)
        most_down = max(c.down for c in self._components)
        width, height = self.size
        if interleaved:
            units = -(-width // (8 * most_across)) * -(-height // (8 * most_down))
            return units * component.across * component.down
        return -(-width * component.across // (8 * most_across)) * -(-height * component.down // (8 * most_down))

    def scale(self, ratio: float) -> int:
        """By how much libjpeg reduces the picture where a reduction by `ratio` is enough: 1, 2, 4 or 8."""
        if ratio < 2:
            return 1
        width, height = self._wanted(ratio)
        most = min(self.size[0] // width, self.size[1] // height)
        return next(scale for scale in (8, 4, 2, 1) if most >= scale)

    def _wanted(self, ratio: float) -> tuple[int, int]:
        return max(int(self.size[0] / ratio), 1), max(int(self.size[1] / ratio), 1)

    def load(self, ratio: float) -> Image.Image:
        """Decode it, at the scale for a ratio.

        Raises:
            UnreadableImageError: it ends before its last row.
            Exception: whatever the decoder raises on damaged data.
        """
        if not self.ended and not self._whole:
            self._check_whole()
        return self._decode(self.clean, ratio)

    def _decode(self, data: bytes, ratio: float) -> Image.Image:
        image = JpegImageFile(io.BytesIO(data))
        if ratio >= 2:
            image.draft(None, self._wanted(ratio))
        image.load()
        return image

    def _check_whole(self) -> None:
        """Whether every row is there, of a file without an end marker.

        libjpeg fills up what is missing and does not say so. So the picture is decoded twice, with other bits after
        the last ones of the file. Where that changes a pixel, pixels were missing.
        """
        ratio = 1.0
        if self.fixed_bytes:  # several scans: what the last one adds is seen at full size only
            if any(self._missing.values()) or self.size[0] * self.size[1] > _MOST_CHECKED:
                raise damaged("JPEG")
        else:
            while self.size[0] * self.size[1] / ratio**2 > _MOST_CHECKED and ratio < 8:
                ratio *= 2
        body = self.clean[:-2]
        body = body[:-1] if body.endswith(b"\xff") else body
        if len({_digest(self._decode(body + padding + b"\xff\xd9", ratio)) for padding in _PADDINGS}) > 1:
            raise damaged("JPEG")
        self._whole = True


def _decides_colours(marker: int, content: bytes) -> bool:
    """Whether libjpeg takes the colours' meaning from a segment: it looks at whole JFIF and Adobe segments only."""
    if marker == _JFIF:
        return len(content) >= 14 and content.startswith(b"JFIF\0")
    return marker == _ADOBE and len(content) >= 12 and content.startswith(b"Adobe")


def _digest(image: Image.Image) -> bytes:
    """A hash of an image's pixels, in parts, since all at once would be copied."""
    digest = hashlib.blake2b()
    rows = max(1, 2**20 // image.width)
    for top in range(0, image.height, rows):
        digest.update(image.crop((0, top, image.width, min(top + rows, image.height))).tobytes())
    return digest.digest()
