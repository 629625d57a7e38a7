"""Photos from bytes or files. Their content decides what they are, and limits are checked before they are decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from faces.recognition.exif import TURNS
from faces.recognition.image_errors import ImageError as ImageError
from faces.recognition.image_errors import ImageTooCostlyError as ImageTooCostlyError
from faces.recognition.image_errors import ImageTooLargeError as ImageTooLargeError
from faces.recognition.image_errors import UnknownKindError as UnknownKindError
from faces.recognition.image_errors import UnreadableImageError as UnreadableImageError
from faces.recognition.image_errors import damaged, no_memory
from faces.recognition.image_kinds import JPEG, KINDS, PNG, WEBP, Kind, describe, kind_of
from faces.recognition.jpeg_file import JpegFile
from faces.recognition.modern_file import HeicPixels, ModernFile
from faces.recognition.png_file import PngFile

DEFAULT_MAX_PIXELS = 64_000_000
"""Photos with more pixels are refused, unless a caller raises the limit."""

LARGEST_MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
"""No limit can be set beyond this: Pillow refuses to crop an image with more pixels."""

MAX_SIDE = 65_535
"""Photos that are wider or higher are refused: no camera makes them, and no JPEG can be larger."""

# Nanoseconds of a core for a pixel, as `python -m bench.decoding` measures it.
_NS_CONVERTED = 10.0
_NS_TURNED = 3.0
_BYTES_PER_PIXEL = 4  # of Pillow's RGB
_RESERVE_BYTES = 12_000_000  # beside the pixels: what is left of a photo when its width is reduced, buffers
_LEAST_MEMORY = _BYTES_PER_PIXEL * DEFAULT_MAX_PIXELS + _RESERVE_BYTES
_BAND_PIXELS = 2**19  # converted at once
_PEEKED_BYTES = 2**17  # EXIF and profiles of cameras take less
_COARSEST = 8.0  # libjpeg's coarsest scale
_MOST_REDUCED = 8
_FIRST_ON_ITS_SIDE = 5  # orientations from here on swap width and height
_FROM_BELOW = (3, 4, 6, 7)  # those where the first row as stored comes last


class _StoredImage(Protocol):
    """What each kind of file says of itself; `JpegFile` describes it."""

    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def orientation(self) -> int: ...
    @property
    def ready(self) -> bool: ...
    @property
    def bytes_per_pixel(self) -> int: ...
    @property
    def fixed_bytes(self) -> int: ...
    @property
    def decode_seconds(self) -> float: ...
    def check(self) -> None: ...
    def scale(self, ratio: float) -> int: ...
    def load(self, ratio: float) -> Image.Image | HeicPixels: ...


@dataclass(frozen=True)
class Photo:
    """A photo whose header has been read and found within the limits, not yet decoded.

    Attributes:
        data: the file's bytes.
        kind: what it is.
        stored_size: width and height in pixels as stored, before EXIF orientation.
    """

    data: bytes
    kind: Kind
    stored_size: tuple[int, int]
    _file: _StoredImage
    _memory: int

    @classmethod
    def open(cls, source: bytes | Path, max_pixels: int = DEFAULT_MAX_PIXELS, kinds: Sequence[Kind] = KINDS) -> Photo:
        """Read the header of a photo and check it against the limits.

        Args:
            source: the file's bytes, or its path.
            max_pixels: largest number of pixels accepted, at most `LARGEST_MAX_PIXELS`. The memory that decoding may
                take follows from it: 268 MB for up to `DEFAULT_MAX_PIXELS`, and 4 bytes for each pixel beyond.
            kinds: those accepted.

        Raises:
            UnknownKindError, UnreadableImageError, ImageTooLargeError, ImageTooCostlyError: see there.
            OSError: the path cannot be read.
        """
        data = source.read_bytes() if isinstance(source, Path) else source
        kind = kind_of(data)
        if kind is None or kind not in kinds:
            raise UnknownKindError(
                "the content is {kind}; expected one of {names}",
                kind=describe(data),
                names=", ".join(accepted.name for accepted in kinds),
            )
        try:
            file = _read(data, kind)
        except ImageError:
            raise
        except MemoryError as error:
            raise no_memory() from error
        except Exception as error:  # decoders raise what they like; every one of them means the same
            raise damaged(kind.name) from error
        _check_size(file.size, max_pixels)
        file.check()
        photo = cls(data, kind, file.size, file, max(_LEAST_MEMORY, _BYTES_PER_PIXEL * max_pixels + _RESERVE_BYTES))
        photo._reduction(1)
        return photo

    @property
    def finest_side(self) -> int:
        """Pixels of the longer side of the finest decoding that the memory allows."""
        ratio, reduction = self._reduction(1)
        scaled = -(-max(self.stored_size) // self._file.scale(ratio))
        return -(-scaled // reduction)

    @property
    def decode_seconds(self) -> float:
        """Seconds of a core that decoding it may take, about: for detection, and once more for a small face.

        They follow from the structure of the file, which has been read: its size, how many passes over its pixels it
        asks for, whether they are to be converted. `python -m bench.decoding` makes pictures of each kind that are
        slow to decode, and prints how long they took beside this; the constants are such that no picture takes much
        longer, on the machine that docs/benchmarks.md names. On another one, all take longer or shorter alike.
        """
        nanoseconds = (0.0 if self._file.ready else _NS_CONVERTED) + _NS_TURNED * (self._file.orientation in TURNS)
        return self._file.decode_seconds + nanoseconds * self.stored_size[0] * self.stored_size[1] / 1e9

    def decode(self, long_side: int | None = None) -> Image.Image:
        """Decode to 8-bit RGB with EXIF orientation applied.

        Args:
            long_side: pixels of the longer side that suffice. A JPEG is then decoded at 1/2, 1/4 or 1/8 of its
                size (libjpeg does that while decoding, at a fraction of the cost), as long as the longer side
                keeps that many pixels. None decodes every pixel.

        Returns:
            A Pillow image of mode RGB. Grey, palette, CMYK and 16-bit images are converted; what is transparent
            is put on white. An image that would take too much memory at full size has a longer side of `finest_side`.

        Raises:
            UnreadableImageError: the data is truncated or damaged.
            ImageTooCostlyError: there is not enough memory.
        """
        wanted = 1.0 if long_side is None else max(1.0, max(self.stored_size) / long_side)
        ratio, reduction = self._reduction(wanted)
        try:
            image = self._file.load(ratio)
            return _finished(image, self._file.orientation, reduction)
        except ImageError:
            raise
        except MemoryError as error:
            raise no_memory() from error
        except Exception as error:  # as above
            raise damaged(self.kind.name) from error

    def _reduction(self, wanted: float) -> tuple[float, int]:
        """The ratio to decode with, at least `wanted`, and by how much to reduce afterwards, so that memory suffices.

        Raises:
            ImageTooCostlyError: it does not suffice for any.
        """
        file, pixels = self._file, self.stored_size[0] * self.stored_size[1]
        converted = not file.ready or file.orientation in TURNS
        found = []
        for ratio in (wanted, *(coarser for coarser in (2.0, 4.0, _COARSEST) if coarser > wanted)):
            decoded = pixels / file.scale(ratio) ** 2
            left = self._memory - file.fixed_bytes - file.bytes_per_pixel * decoded
            if left < 0:
                continue
            reduction = 1
            while converted and _BYTES_PER_PIXEL * decoded / reduction**2 > left and reduction < _MOST_REDUCED:
                reduction += 1
            if not converted or _BYTES_PER_PIXEL * decoded / reduction**2 <= left:
                found.append((file.scale(ratio) * reduction, ratio, reduction))
                if reduction == 1:  # coarser ratios give a coarser picture
                    break
        if not found:
            raise ImageTooCostlyError(
                "{width} × {height} pixels of {kind} take about {megabytes:.0f} MB to decode; the limit is "
                "{limit:.0f}. Save the photo smaller, or as a JPEG that is not progressive",
                width=self.stored_size[0],
                height=self.stored_size[1],
                kind=self.kind.described,
                megabytes=(file.fixed_bytes + file.bytes_per_pixel * pixels / file.scale(_COARSEST) ** 2) / 1e6,
                limit=self._memory / 1e6,
            )
        _, ratio, reduction = min(found, key=lambda each: each[0])
        return ratio, reduction


def peek_seconds(data: bytes) -> float:
    """Seconds that `Photo.decode_seconds` will say at least, from the beginning of a file; 0.0 where it does not tell.

    That takes some ten microseconds. To read a header takes up to two milliseconds for each megabyte, and longer where
    a file is made for it.
    """
    kind = kind_of(data)
    beginning = data[:_PEEKED_BYTES]
    try:
        if kind == JPEG:
            return JpegFile.peek(beginning).decode_seconds
        if kind == PNG:
            return PngFile.peek(beginning).decode_seconds
        return ModernFile.peek(beginning).decode_seconds if kind == WEBP else 0.0
    except Exception:  # whatever it is, whoever reads the file will find it
        return 0.0


def _read(data: bytes, kind: Kind) -> _StoredImage:
    if kind == JPEG:
        return JpegFile.read(data)
    return PngFile.read(data) if kind == PNG else ModernFile.read(data, kind)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Raises ImageTooLargeError."""
    width, height = size
    limit = max_pixels / 1e6
    if width * height > LARGEST_MAX_PIXELS:
        raise ImageTooLargeError(
            "more than {most:.0f} megapixels; the limit is {limit:g}", most=LARGEST_MAX_PIXELS / 1e6, limit=limit
        )
    if width * height > max_pixels:
        raise ImageTooLargeError(
            "{width} × {height} = {megapixels:.1f} megapixels; the limit is {limit:g}",
            width=width,
            height=height,
            megapixels=width * height / 1e6,
            limit=limit,
        )
    if max(size) > MAX_SIDE:
        raise ImageTooLargeError(
            "{width} × {height} pixels; no side may have more than {limit}", width=width, height=height, limit=MAX_SIDE
        )


def _finished(image: Image.Image | HeicPixels, orientation: int, reduction: int) -> Image.Image:
    """An image as RGB, upright, and reduced: each `reduction` × `reduction` pixels become one.

    All of it happens in bands, so that beside the image and the result no third one is held.
    """
    turn = TURNS.get(orientation)
    as_it_is = turn is None and reduction == 1
    if as_it_is and isinstance(image, Image.Image) and image.mode == "RGB" and not image.has_transparency_data:
        return image
    width, height = -(-image.width // reduction), -(-image.height // reduction)
    whole = Image.new("RGB", (height, width) if orientation >= _FIRST_ON_ITS_SIDE else (width, height))
    rows = max(1, _BAND_PIXELS // (image.width * reduction)) * reduction
    for top in range(0, image.height, rows):
        part = _to_rgb(image.crop((0, top, image.width, min(top + rows, image.height))))
        part = part.reduce(reduction) if reduction > 1 else part
        start = top // reduction
        if orientation in _FROM_BELOW:
            start = height - start - part.height
        part = part if turn is None else part.transpose(turn)
        whole.paste(part, (start, 0) if orientation >= _FIRST_ON_ITS_SIDE else (0, start))
    return whole


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode that a decoder returns to 8-bit RGB."""
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip at 255
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
