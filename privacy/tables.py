"""Tables for the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence


def as_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows below the names of their columns, each column as wide as its longest value.

    Args:
        rows: at least one; all have the same names. Characters that a terminal would obey are written as escapes.
    """
    cells = [list(rows[0]), *([_printable(str(value)) for value in row.values()] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: accents of their own take none, Chinese letters two."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(bool(unicodedata.combining(letter)) for letter in text)
