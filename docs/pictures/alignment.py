"""Four portraits with the face that is found, and what is cut of it: before and after alignment."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import Browser

from docs.pictures.browser import as_image, photograph
from faces.recognition.align import CropGeometry
from faces.recognition.recognizer import Recognizer

_PORTRAIT = 258  # pixels of a portrait's side
_CROP = 126
_SHARP = 3  # photos and crops are drawn on so many times as many pixels, and then reduced
_BOX, _POINT = "#17c98a", "#ffd21f"
_WORDS = {"en": ("the box", "aligned"), "es": ("el recuadro", "alineada")}
_PORTRAITS = (
    ("me/25.jpg", 0), ("not_me/person_39/1.jpg", 0), ("me/17.jpg", 90), ("not_me/person_03/2.jpg", 0),
)  # fmt: skip
"""Portraits of the demo, and by how many degrees counter-clockwise they are turned before."""

_STYLE = """
body { margin: 0; padding: 20px; width: 860px; background: #f6f6f3; color: #3d424d;
       font: 15px/1.3 "DejaVu Sans", sans-serif; display: grid; grid-template-columns: 1fr 1fr; gap: 20px }
article { display: flex; gap: 14px; background: white; border-radius: 14px; padding: 14px;
          box-shadow: 0 1px 4px #14161e22 }
img { display: block; border-radius: 8px } figure { margin: 0 } figcaption { padding-bottom: 3px; font-size: 14px }
.cuts { display: grid; gap: 8px; align-content: space-between }
.cuts img { width: 104px; height: 104px }
.whole { width: 268px; height: 268px }
"""


@dataclass(frozen=True)
class Example:
    """A portrait, and what is cut of it.

    Attributes:
        portrait: square, RGB, with the box and the five landmarks on it.
        boxed: what lies in the box, as it lies on the photo: uint8 [S, S, 3] RGB.
        aligned: what the network is given, likewise.
    """

    portrait: Image.Image
    boxed: NDArray[np.uint8]
    aligned: NDArray[np.uint8]


def example(recognizer: Recognizer, path: Path, degrees: int) -> Example:
    """Find the face of a portrait that is turned before by so many degrees, counter-clockwise.

    Raises:
        ValueError: there is none.
    """
    photo = recognizer.read(path)
    shown = photo.decode(long_side=max(photo.stored_size)).rotate(degrees, expand=True)
    file = io.BytesIO()
    shown.save(file, "PNG")
    face = recognizer.largest_face(file.getvalue())
    if face is None or face.crop is None:
        raise ValueError(f"{path} turned by {degrees} degrees shows no face")
    geometry = recognizer.networks.manifest.crop
    boxed = CropGeometry("box", geometry.image_size).cut(shown, replace(face, turned=0))
    return Example(_marked(shown, face.box, face.landmarks), boxed, face.crop)


def _marked(photo: Image.Image, box: NDArray[np.float64], landmarks: NDArray[np.float64]) -> Image.Image:
    """The square in the middle of a photo, with a face's box and landmarks drawn on it."""
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    ratio = _PORTRAIT * _SHARP / side
    square = photo.crop((left, top, left + side, top + side)).resize(
        (_PORTRAIT * _SHARP,) * 2, Image.Resampling.LANCZOS
    )
    drawing = ImageDraw.Draw(square)
    corners = (box.reshape(2, 2) - (left, top)) * ratio
    drawing.rectangle(tuple(corners.ravel().tolist()), outline=_BOX, width=2 * _SHARP)
    for x, y in (landmarks - (left, top)) * ratio:
        size = 3.4 * _SHARP
        drawing.ellipse((x - size, y - size, x + size, y + size), fill=_POINT, outline="#3a2f00", width=_SHARP)
    return square


def alignment_picture(browser: Browser, recognizer: Recognizer, demo: Path, language: str) -> Image.Image:
    """The picture, RGB; `demo` is the folder with the portraits."""
    before, after = _WORDS[language]
    parts = []
    for name, degrees in _PORTRAITS:
        shown = example(recognizer, demo / name, degrees)
        cuts = "".join(
            f"<figure><figcaption>{word}</figcaption>{as_image(Image.fromarray(crop))}</figure>"
            for word, crop in ((before, shown.boxed), (after, shown.aligned))
        )
        parts.append(f'<article>{as_image(shown.portrait, "whole")}<div class="cuts">{cuts}</div></article>')
    return photograph(browser, f"<style>{_STYLE}</style>{''.join(parts)}")
