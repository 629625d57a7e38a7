"""WebP, HEIC and AVIF: their size and orientation are read first, and what decoding takes is estimated from them.

Each decoder runs on one core: a service shares its cores between requests, and the stage crop between photos.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import AvifImagePlugin, Image
from PIL.WebPImagePlugin import WebPImageFile

from faces.message import Message
from faces.recognition.exif import AS_STORED, orientation_of
from faces.recognition.heif_items import Decoding, read_decoding
from faces.recognition.image_errors import ImageTooCostlyError, UnreadableImageError, damaged
from faces.recognition.image_kinds import AVIF, HEIC, WEBP, Kind

if TYPE_CHECKING:
    from pi_heif import HeifImage

# Bytes per pixel at the peak, measured with a reserve: the decoder's own and, but for HEIC, Pillow's together.
_WEBP_BYTES = 16
_AVIF_BYTES = 12  # 9 with 8 bits a channel and halved colours
_AVIF_ALPHA_BYTES = 17
_HEIC_BYTES = 5  # with 8 bits a channel and halved colours
_HEIC_DEEP_BYTES = 8  # with more bits
_HEIC_WHOLE_BYTES, _HEIC_WHOLE_DEEP_BYTES = 10, 15  # the same with colours that are not halved both ways
_HEIC_ALPHA_BYTES = 5  # more, with transparency
_HALVED = 420
# Nanoseconds of a core that decoding takes, for a pixel and for a byte, as `python -m bench.decoding` measures it.
_NS_PIXEL = {WEBP: 14.0, HEIC: 16.0, AVIF: 20.0}
_NS_BYTE = {WEBP: 47.0, HEIC: 100.0, AVIF: 70.0}
# An item of the file, by its type: pictures have one of a few, and all else is metadata.
_ITEM = re.compile(rb"(infe(?:\x02[\x00-\xff]{7}|\x03[\x00-\xff]{9}))([\x00-\xff]{4})")
_PICTURES = (b"hvc1", b"av01", b"grid", b"iden", b"iovl")
_MOST_DECODED = 2  # pixels to decode for a pixel that is seen: the picture's and those of its transparency
_TILE_PIXELS = 2**20  # as many more: tiles are filled up, and a picture may be smaller than one tile


@dataclass(frozen=True)
class HeicPixels:
    """The pixels of a HEIC, as libheif decoded them.

    They are no Pillow image: one of 48 megapixels, as telephones make them, would take 200 MB beside these.

    Attributes:
        decoded: as pi_heif returns it. It owns the memory of `decoded.data`: both are used as long as it lives.
    """

    decoded: HeifImage

    @property
    def width(self) -> int:
        """Pixels of a row."""
        return int(self.decoded.size[0])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.decoded.size[1])

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """Some rows as an image.

        Args:
            box: left, top, right and bottom; rows are given whole, so `left` is 0 and `right` the width.
        """
        _, top, _, bottom = box
        mode, stride = self.decoded.mode, self.decoded.stride
        rows = self.decoded.data[top * stride : bottom * stride]
        return Image.frombytes(mode, (self.width, bottom - top), rows, "raw", mode, stride)


@dataclass
class ModernFile:
    """A WebP, HEIC or AVIF whose header has been read.

    Attributes:
        kind: which of them.
        size: width and height in pixels as `load` returns them.
        orientation: what is still to be done with the pixels, 1 to 8.
        bytes_per_pixel: that decoding takes at its peak.
        ready: whether `load` returns RGB without transparency.
        fixed_bytes: what decoding takes beside: where a part of the picture is larger than it.
        decoded: pixels to decode for it, all parts together.
    """

    kind: Kind
    size: tuple[int, int]
    orientation: int
    bytes_per_pixel: int
    ready: bool
    data: bytes
    fixed_bytes: int = 0
    decoded: int = 0

    @classmethod
    def read(cls, data: bytes, kind: Kind) -> ModernFile:
        """Read a header; nothing is decoded.

        Args:
            data: the file's bytes.
            kind: WEBP, HEIC or AVIF, as its content says.

        Raises:
            UnreadableImageError: the header is damaged, or no decoder is installed.
            Exception: whatever the decoder raises on damaged data.
        """
        if kind == WEBP:
            size, exif = _read_webp(data)
            return cls(kind, size, orientation_of(exif), _WEBP_BYTES, False, data)
        # The decoders would read metadata. Where it is damaged, Pillow fails, and pi_heif crashes. HEIF gives EXIF no
        # meaning: a file says by properties of the picture how it is turned.
        data = _ITEM.sub(lambda item: item[0] if item[2] in _PICTURES else item[1] + b"none", data)
        decoding = read_decoding(data) or Decoding(0, 0)
        if kind == HEIC:
            heic = _open_heic(data)
            file = cls(kind, heic.size, AS_STORED, _heic_bytes(heic), False, data)
        else:
            with _open_avif(data) as avif:
                # Pillow hands the turn that the properties ask for over as EXIF. libheif turns the pixels itself.
                orientation = orientation_of(avif.info.get("exif", b""))
                plain = avif.mode == "RGB"
                file = cls(kind, avif.size, orientation, _AVIF_BYTES if plain else _AVIF_ALPHA_BYTES, plain, data)
        file.decoded = decoding.pixels
        file.fixed_bytes = file.bytes_per_pixel * max(0, decoding.largest - file.size[0] * file.size[1])
        return file

    @classmethod
    def peek(cls, beginning: bytes) -> ModernFile:
        """What the first chunk of a WebP says.

        Raises:
            UnreadableImageError: nothing.
        """
        size, _ = _read_webp(beginning)
        return cls(WEBP, size, AS_STORED, 0, True, b"")

    @property
    def decode_seconds(self) -> float:
        """Seconds of a core that it may take to decode it, about. That is done once, at full size."""
        pixels = max(self.decoded, self.size[0] * self.size[1])
        return (_NS_PIXEL[self.kind] * pixels + _NS_BYTE[self.kind] * len(self.data)) / 1e9

    def check(self) -> None:
        """Raises ImageTooCostlyError where many more pixels are to be decoded than are seen."""
        width, height = self.size
        if self.decoded > _MOST_DECODED * width * height + _TILE_PIXELS:
            raise ImageTooCostlyError(
                Message(
                    "{width} × {height} pixels of {kind} are put together from {megapixels:.0f} megapixels; the limit "
                    "is {times} times what is seen. Save it as a JPEG",
                    width=width,
                    height=height,
                    kind=self.kind.described,
                    megapixels=self.decoded / 1e6,
                    times=_MOST_DECODED,
                )
            )

    def scale(self, ratio: float) -> int:
        """By how much the decoder reduces the picture: never, whatever would be enough."""
        del ratio
        return 1

    def load(self, ratio: float) -> Image.Image | HeicPixels:
        """Decode the first picture, at full size.

        Raises:
            Exception: whatever the decoder raises on damaged data.
        """
        del ratio
        if self.kind == HEIC:
            heic = _open_heic(self.data)
            heic.load()
            return HeicPixels(heic)
        with WebPImageFile(io.BytesIO(self.data)) if self.kind == WEBP else _open_avif(self.data) as image:
            image.load()
            return image


def _read_webp(data: bytes) -> tuple[tuple[int, int], bytes]:
    """Width and height, and the EXIF block, from the chunks of a WebP.

    Pillow's reader says the same, but takes memory for all pixels as soon as it is opened.
    """
    size, exif, place = (0, 0), b"", 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        content = data[place + 8 : place + 8 + length]
        if kind == b"VP8X" and len(content) >= 10 and not all(size):
            size = int.from_bytes(content[4:7], "little") + 1, int.from_bytes(content[7:10], "little") + 1
        elif kind == b"VP8 " and len(content) >= 10 and not all(size):
            width, height = struct.unpack_from("<HH", content, 6)
            size = width & 0x3FFF, height & 0x3FFF
        elif kind == b"VP8L" and len(content) >= 5 and not all(size):
            (bits,) = struct.unpack_from("<I", content, 1)
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        elif kind == b"EXIF":
            exif = exif or content
        place += 8 + length + length % 2
    if not all(size):
        raise damaged(WEBP.name)
    return size, exif


def _heic_bytes(heic: HeifImage) -> int:
    """Bytes per pixel that decoding takes at its peak."""
    halved, deep = heic.info.get("chroma", _HALVED) == _HALVED, heic.info["bit_depth"] > 8
    if halved:
        colours = _HEIC_DEEP_BYTES if deep else _HEIC_BYTES
    else:
        colours = _HEIC_WHOLE_DEEP_BYTES if deep else _HEIC_WHOLE_BYTES
    return colours + _HEIC_ALPHA_BYTES * heic.has_alpha


def _open_avif(data: bytes) -> AvifImagePlugin.AvifImageFile:
    if not AvifImagePlugin.SUPPORTED:
        raise _not_installed(AVIF, "pillow")
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    return AvifImagePlugin.AvifImageFile(io.BytesIO(data))


def _open_heic(data: bytes) -> HeifImage:
    """The picture that a HEIC shows first. Without `pi_heif`, all other kinds can be read."""
    try:
        import pi_heif
    except ImportError:
        raise _not_installed(HEIC, "pi-heif") from None
    pi_heif.options.DECODE_THREADS = 1
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
    file = pi_heif.HeifFile(io.BytesIO(data))
    return file[file.primary_index]


def _not_installed(kind: Kind, package: str) -> UnreadableImageError:
    return UnreadableImageError(
        Message(
            "a {kind}, which cannot be read here: the package {package} is not installed, or was built without "
            "it. Install it (pip install {package}), or save the photo as a JPEG",
            kind=kind.name,
            package=package,
        )
    )
