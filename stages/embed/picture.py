"""A picture of people's faces, for whoever has to tell them apart.

Not in pixels.py: what that file does decides embeddings. After a change to it, all of them are computed anew.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from stages.embed.pixels import decode_crop
from stages.files.locked_files import reveal

_SHOWN = 6  # faces of a person, at most


def draw_people(people: Sequence[Sequence[Path]]) -> bytes:
    """A picture with a row of faces for each of some people, as PNG.

    Args:
        people: for each, the files of crops, at least one.
    """
    side, gap = 160, 8
    columns = min(max(len(crops) for crops in people), _SHOWN)
    sheet = Image.new("RGB", (columns * (side + gap) + gap, len(people) * (side + gap) + gap), "white")
    for row, crops in enumerate(people):
        for column, path in enumerate(crops[:_SHOWN]):
            face = Image.fromarray(decode_crop(reveal(path.read_bytes(), path))).resize((side, side))
            sheet.paste(face, (gap + column * (side + gap), gap + row * (side + gap)))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
