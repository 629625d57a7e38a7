"""The orientation that an EXIF block names, and what it says to do with the pixels as they are stored.

Pillow's reader is not used. It stops at the first entry that it cannot read, and cameras and editors write such
entries: the orientation behind it would be lost. Here each entry is read by itself.
"""

from __future__ import annotations

import struct

from PIL import Image

AS_STORED = 1
"""The orientation of a photo whose pixels are stored as they are to be seen."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns the stored pixels upright, by orientation."""

PREFIX = b"Exif\0\0"
"""What stands before the block in a JPEG, and by mistake in other files, too."""

_ORIENTATION = 0x0112
_FORMATS = {1: "B", 3: "H", 4: "I"}  # the types of whole numbers without sign, as `struct` writes them


def orientation_of(block: bytes) -> int:
    """The orientation in the first directory of an EXIF block.

    Args:
        block: a TIFF header and what follows it, perhaps after `PREFIX`.

    Returns:
        1 to 8; `AS_STORED` where the block names none, or cannot be read.
    """
    block = block.removeprefix(PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return AS_STORED
    (directory,) = struct.unpack_from(f"{order}I", block, 4)
    if directory + 2 > len(block):
        return AS_STORED
    (entries,) = struct.unpack_from(f"{order}H", block, directory)
    first = directory + 2
    for place in range(first, min(first + 12 * entries, len(block) - 11), 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", block, place)
        if tag == _ORIENTATION and count == 1 and kind in _FORMATS:
            (value,) = struct.unpack_from(order + _FORMATS[kind], block, place + 8)
            if value == AS_STORED or value in TURNS:
                return int(value)
    return AS_STORED
