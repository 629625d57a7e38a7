"""Makes a photo small enough to be sent. The file itself is never touched."""

from __future__ import annotations

import contextlib
import io

from PIL import Image, ImageOps

from service.client.language import say
from service.client.limits import Limits

JPEG = "image/jpeg"

# More pixels than the service's detector looks at are of use only where a face is small.
_SIDES = (4000, 2800, 2000, 1600, 1200, 800, 500)
_QUALITY = 90
_MAGIC = ((b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", "image/png"))


class ShrinkingError(Exception):
    """A photo cannot be made smaller; its argument is a sentence."""


def type_of(data: bytes) -> str | None:
    """The type of a file by its content; None for what is neither of the two that every service takes."""
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def fits(data: bytes, limits: Limits) -> bool:
    """Whether a photo can be sent as it is, as far as the limits are known."""
    if limits.max_bytes is not None and len(data) > limits.max_bytes:
        return False
    if limits.types is not None and type_of(data) is None and not set(limits.types) & _types_like(data):
        return False
    if limits.max_pixels is None:
        return True
    try:
        with _open(data) as image:
            return image.width * image.height <= limits.max_pixels
    except Exception:  # whatever Pillow makes of it: the service says what is wrong
        return True


def _types_like(data: bytes) -> set[str]:
    """Types that a file which is no JPEG and no PNG may be of."""
    if data[8:12] == b"WEBP":
        return {"image/webp"}
    return {"image/heic", "image/avif"} if data[4:8] == b"ftyp" else set()


def shrink(data: bytes, limits: Limits) -> tuple[bytes, tuple[int, int]]:
    """The photo as a JPEG that keeps to the limits, upright, without what else was in the file (place, camera).

    Args:
        data: the file's bytes.
        limits: where `max_bytes` is not known, the photo becomes a JPEG of the finest size that is tried.

    Returns:
        The JPEG, and its width and height in pixels.

    Raises:
        ShrinkingError: Pillow cannot read it, or it does not get small enough.
    """
    try:
        with _open(data) as image:
            image.draft("RGB", (_SIDES[0], _SIDES[0]))  # a JPEG is decoded coarsely where that is enough
            upright = _rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # decoders raise what they like, and their words help nobody
        text = "too large for the service, and Pillow cannot read it here to make it smaller (for HEIC: pi-heif)"
        raise ShrinkingError(say(text)) from error
    longest = max(upright.size)
    for side in [min(longest, _SIDES[0]), *(side for side in _SIDES[1:] if side < longest)]:
        reduced = upright if side == longest else ImageOps.contain(upright, (side, side), Image.Resampling.LANCZOS)
        if limits.max_pixels is not None and reduced.width * reduced.height > limits.max_pixels:
            continue
        file = io.BytesIO()
        reduced.save(file, "JPEG", quality=_QUALITY)
        if limits.max_bytes is None or len(file.getvalue()) <= limits.max_bytes:
            return file.getvalue(), reduced.size
    text = "too large for the service even with {side} pixels on the longer side"
    raise ShrinkingError(say(text, side=_SIDES[-1]))


def _open(data: bytes) -> Image.Image:
    with contextlib.suppress(ImportError):  # photos of an iPhone; all else works without it
        import pi_heif

        pi_heif.register_heif_opener()
    return Image.open(io.BytesIO(data))


def _rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB, as the service makes it: what is transparent is put on white."""
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
        image = image.point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
