"""Draw the demo portraits: `python -m demo.draw [--out demo]`.

Writes me/ (30 photos of one person), not_me/person_NN/ (40 others) and ask/ (a few to ask about). The same machine
draws the same pixels again; another processor or library may differ in last digits, which is why the files
themselves are part of the project.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import ExifTags, Image

from demo.drawing.album import Picture, album
from demo.drawing.scene import render_image

_STORED_TURNS = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation: how the pixels are turned before they are stored, so that a viewer's turn sets them upright."""

JPEG_QUALITY = 87


def draw(picture: Picture) -> Image.Image:
    """A picture of the album, upright, RGB or (where the album says so) grey."""
    image = render_image(picture.looks, picture.shot)
    return image.convert("L") if picture.grey_file else image


def save(image: Image.Image, picture: Picture, folder: Path) -> None:
    """Write a picture under `folder`, in the format of its name, turned as its EXIF orientation says."""
    path = folder / picture.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".png":
        # A palette of 256 colours keeps a PNG of soft shading at a third of its size.
        small = image if image.mode == "L" else image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(path, "PNG", optimize=True)
        return
    exif = Image.Exif()
    if picture.orientation != 1:
        exif[ExifTags.Base.Orientation] = picture.orientation
        image = image.transpose(_STORED_TURNS[picture.orientation])
    image.save(path, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=False, exif=exif)


def _draw_and_save(picture: Picture, folder: Path) -> str:
    save(draw(picture), picture, folder)
    return picture.name


def draw_all(pictures: Iterable[Picture], folder: Path) -> None:
    """Draw and write pictures on all cores, naming each when it is done."""
    chosen = list(pictures)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, name in enumerate(pool.map(_draw_and_save, chosen, [folder] * len(chosen)), 1):
            print(f"{number:3} of {len(chosen)}  {name}", flush=True)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Draw the demo portraits.")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to write to (default: demo)")
    draw_all(album(), parser.parse_args().out)


if __name__ == "__main__":
    main()
