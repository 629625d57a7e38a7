"""How the pictures of the documents are saved: small, and without a date or a name in them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from faces.files import write_bytes

HERE = Path(__file__).resolve().parent
WIDTH = 900
"""Pixels of every picture."""

LARGEST_BYTES = 300_000
"""A picture that is larger would make every page slow to load."""

LARGEST_ANIMATION = 1_000_000
"""Bytes of an animation, likewise."""

_PLAYED = 3  # times that an animation is played
_WHOLE_EVERY = 9  # frames: those between hold only what has changed, and keep faint traces of what was there
_COLOURS = 256  # of a picture's palette: text stays sharp, and the file is a third of the size


def save(picture: Image.Image, name: str) -> None:
    """Write a picture with a palette beside this file.

    Raises:
        SystemExit: it has more than LARGEST_BYTES.
    """
    path = HERE / name
    with_palette(picture).save(path, "PNG", optimize=True)
    _check_size(path, LARGEST_BYTES)


def with_palette(picture: Image.Image) -> Image.Image:
    """The picture with 256 colours of its own, white among them."""
    # Without `kmeans` a colour that few pixels have, such as that of a frame in the legend, becomes another one.
    palette = picture.quantize(_COLOURS - 1, Image.Quantize.MEDIANCUT, kmeans=3)
    colours = (palette.getpalette() or [])[: 3 * (_COLOURS - 1)]
    reduced = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    reduced.putpalette([*colours, 255, 255, 255])
    # Paper, which is else only nearly white.
    reduced.paste(len(colours) // 3, mask=picture.convert("L").point(lambda value: 255 if value == 255 else 0))
    return reduced


def save_animation(frames: Sequence[tuple[Image.Image, int]], name: str) -> None:
    """Write a WebP that is played `_PLAYED` times: what moves for ever keeps people from reading.

    A GIF of the same frames has 256 colours, and more than twice as many bytes.

    Args:
        frames: pictures of one size, RGB, and the milliseconds for which each stays.
        name: of the file.

    Raises:
        SystemExit: it has more than LARGEST_ANIMATION.
    """
    path = HERE / name
    pictures = [picture for picture, _ in frames]
    stays = [milliseconds for _, milliseconds in frames]
    pictures[0].save(
        path, "WEBP", save_all=True, append_images=pictures[1:], duration=stays, loop=_PLAYED, quality=90,
        allow_mixed=True, kmin=1, kmax=_WHOLE_EVERY,
    )  # fmt: skip
    _check_size(path, LARGEST_ANIMATION)


def save_drawing(svg: str, name: str) -> None:
    """Write an SVG."""
    path = HERE / name
    write_bytes(path, svg.encode())
    _check_size(path, LARGEST_BYTES)


def _check_size(path: Path, largest: int) -> None:
    if path.stat().st_size > largest:
        sys.exit(f"{path} has {path.stat().st_size} bytes; at most {largest} are wanted: use fewer colours")
    print(path)
