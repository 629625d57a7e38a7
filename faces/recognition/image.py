"""Photos from bytes or files. Their content decides what they are, and limits are checked before they are decoded."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from faces.errors import MessageError
from faces.message import Message

DEFAULT_MAX_PIXELS = 64_000_000
"""Photos with more pixels are refused, unless a caller raises the limit. A decoded photo takes 3 bytes a pixel."""

LARGEST_MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
"""No limit can be set beyond this: Pillow refuses to crop an image with more pixels."""

_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_KNOWN_MAGIC = {
    b"GIF8": Message("a GIF"),
    b"BM": Message("a BMP"),
    b"II*\x00": Message("a TIFF"),
    b"MM\x00*": Message("a TIFF"),
    b"%PDF": Message("a PDF"),
    b"PK\x03\x04": Message("a ZIP archive"),
    b"<svg": Message("an SVG"),
    b"<?xm": Message("an XML file"),
}
# Pillow's readers of the two formats, used by themselves: `Image.open` would try others, read the further pictures of a
# JPEG, and warn of many pixels, about which the limits here have already decided.
_READERS: dict[str, type[JpegImageFile | PngImageFile]] = {"JPEG": JpegImageFile, "PNG": PngImageFile}
# What EXIF's orientation says to do with the pixels as they are stored.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow's decoders raise on damaged files (found by feeding them truncated and flipped bytes).
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)


class ImageError(MessageError, ValueError):
    """A photo that cannot be used; the message says what it is and what was expected."""


class NotJpegOrPngError(ImageError):
    """The content is neither a JPEG nor a PNG, whatever its name or declared type says."""


class UnreadableImageError(ImageError):
    """The content is a JPEG or PNG but cannot be decoded: truncated or damaged."""


class ImageTooLargeError(ImageError):
    """The image declares more pixels than the limit allows."""


def _describe(data: bytes) -> Message:
    """What content that is neither JPEG nor PNG looks like, for an error message."""
    if not data:
        return Message("an empty file")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Message("a WebP")
    if data[4:8] == b"ftyp":
        return Message("a HEIC, AVIF or MP4")
    for magic, name in _KNOWN_MAGIC.items():
        if data.startswith(magic):
            return name
    try:
        data[:512].decode("utf-8")
    except UnicodeDecodeError:
        return Message("an unknown kind of file")
    return Message("a text file")


def _damaged(kind: str) -> Message:
    """The same words for every damage: those of Pillow differ from version to version, and name addresses in memory."""
    return Message(
        "a damaged {kind}, or cut off: its pixels cannot be read. Copy it again from where it came", kind=kind
    )


@dataclass(frozen=True)
class Photo:
    """A JPEG or PNG whose header has been read and found within the limit, not yet decoded.

    Attributes:
        data: the file's bytes.
        format: "JPEG" or "PNG".
        stored_size: width and height in pixels as stored, before EXIF orientation.
    """

    data: bytes
    format: str
    stored_size: tuple[int, int]

    @classmethod
    def open(cls, source: bytes | Path, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
        """Read the header of a photo and check it against the limit.

        Args:
            source: the file's bytes, or its path.
            max_pixels: largest number of pixels accepted, at most `LARGEST_MAX_PIXELS`.

        Raises:
            NotJpegOrPngError, UnreadableImageError, ImageTooLargeError: see there.
            OSError: the path cannot be read.
        """
        data = source.read_bytes() if isinstance(source, Path) else source
        if not data.startswith((_JPEG_MAGIC, _PNG_MAGIC)):
            raise NotJpegOrPngError("the content is {kind}; expected a JPEG or a PNG", kind=_describe(data))
        kind = "PNG" if data.startswith(_PNG_MAGIC) else "JPEG"
        try:
            with _READERS[kind](io.BytesIO(data)) as image:
                size = image.size
        except _DECODING_ERRORS as error:
            raise UnreadableImageError(_damaged(kind)) from error
        if size[0] * size[1] > LARGEST_MAX_PIXELS:
            raise ImageTooLargeError(
                "more than {most:.0f} megapixels; the limit is {limit:g}",
                most=LARGEST_MAX_PIXELS / 1e6,
                limit=max_pixels / 1e6,
            )
        if size[0] * size[1] > max_pixels:
            raise ImageTooLargeError(
                "{width} × {height} = {megapixels:.1f} megapixels; the limit is {limit:g}",
                width=size[0],
                height=size[1],
                megapixels=size[0] * size[1] / 1e6,
                limit=max_pixels / 1e6,
            )
        return cls(data, kind, size)

    def decode(self, long_side: int | None = None) -> Image.Image:
        """Decode to 8-bit RGB with EXIF orientation applied.

        Args:
            long_side: pixels of the longer side that suffice. A JPEG is then decoded at 1/2, 1/4 or 1/8 of its
                size (libjpeg does that while decoding, at a fraction of the cost), as long as the longer side
                keeps that many pixels. None decodes every pixel.

        Returns:
            A Pillow image of mode RGB. Grey, palette, CMYK and 16-bit images are converted; what is transparent
            is put on white.

        Raises:
            UnreadableImageError: the data is truncated or damaged.
        """
        try:
            with _READERS[self.format](io.BytesIO(self.data)) as image:
                if long_side is not None:
                    ratio = max(self.stored_size) / long_side
                    if ratio >= 2:
                        image.draft(None, (max(int(image.width / ratio), 1), max(int(image.height / ratio), 1)))
                image.load()
                return _to_rgb(_orient(image))
        except _DECODING_ERRORS as error:
            raise UnreadableImageError(_damaged(self.format)) from error


def _orient(image: Image.Image) -> Image.Image:
    """Apply EXIF orientation; a photo whose orientation cannot be read is taken as it is stored.

    Pillow's own `exif_transpose` is not used: it also writes the rest of the EXIF block anew, and fails if that rest
    has an error. Cameras and editors do make such errors, and their photos must be turned too.
    """
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _DECODING_ERRORS:
        return image
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode a JPEG or PNG can have to 8-bit RGB."""
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip at 255
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
