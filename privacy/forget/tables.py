"""Tables that users write about people (attributes.csv, consent.csv): whose line is which."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path

import yaml

from stages.files.locked_files import locked_name

NAMES = ("attributes.csv", "consent.csv")
_USUAL = ("data/not_me/attributes.csv", "data/me/attributes.csv", "data/attributes.csv", "data/consent.csv")


def tables_of(root: Path) -> list[str]:
    """Where such tables lie in a working tree, plain and locked; not all need be there."""
    try:
        content = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
        register = [str(content["privacy"]["register"])] if content["privacy"]["register"] else []
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        register = []
    return [form for name in dict.fromkeys([*_USUAL, *register]) for form in (name, locked_name(name))]


def drop_lines(data: bytes, people: Collection[str], photos: Collection[str]) -> tuple[bytes, int]:
    """Take the lines about people and photos out of a table; the others keep their bytes.

    Args:
        data: of a CSV file, with commas or semicolons.
        people: folders within data/.
        photos: paths within data/.

    Returns:
        What is left, and how many lines were taken out.

    Raises:
        UnicodeDecodeError: it is not UTF-8, so nobody can tell whom it names.
    """
    text = data.decode("utf-8")
    heading = text.partition("\n")[0]
    separator = ";" if heading.count(";") > heading.count(",") else ","
    people, photos = ({unicodedata.normalize("NFC", each) for each in own} for own in (people, photos))
    kept, dropped = [], 0
    for number, (lines, cells) in enumerate(_records(text, separator)):
        if number and any(_is_about(cell, people, photos) for cell in cells[:2]):
            dropped += 1
        else:
            kept.append(lines)
    return "".join(kept).encode("utf-8"), dropped


def names_them(data: bytes, people: Collection[str], photos: Collection[str]) -> bool:
    """Whether a table has a line about one of them; also if nobody can tell, since it is not UTF-8."""
    try:
        return drop_lines(data, people, photos)[1] > 0
    except UnicodeDecodeError:
        return True


def _is_about(cell: str, people: Collection[str], photos: Collection[str]) -> bool:
    """Whether a cell is a person's name or folder, or the path of a photo of theirs."""
    path = cell.strip().replace("\\", "/").removeprefix("./").removeprefix("data/").rstrip("/")
    path = unicodedata.normalize("NFC", path)  # as the stages compare them; a folder of macOS has other letters
    return (
        path in photos
        or path in people
        or f"not_me/{path}" in people
        or any(path.startswith(f"{person}/") for person in people)
    )


def _records(text: str, separator: str) -> Iterator[tuple[str, list[str]]]:
    """The records of a table: their text, line ends included, and their cells."""
    lines = [*io.StringIO(text, newline="")]  # as the reader counts them; `splitlines` knows further ends of lines
    start = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for cells in reader:
        yield "".join(lines[start : reader.line_num]), [cell.lstrip("\ufeff") for cell in cells]
        start = reader.line_num
