"""Reading a folder of Labeled Faces in the Wild: images/<person>/<person>_NNNN.jpg and pairs.txt."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """Two photos, and whether they show the same person."""

    first: Path
    second: Path
    same: bool


def people(folder: Path) -> dict[str, list[Path]]:
    """Photos by person, both sorted by name.

    Raises:
        SystemExit: the folder does not hold images/<person>/*.jpg.
    """
    images = folder / "images"
    found = {person.name: sorted(person.glob("*.jpg")) for person in sorted(images.glob("*")) if person.is_dir()}
    if not found:
        sys.exit(f"{folder} was given; expected a folder with images/<person>/<person>_NNNN.jpg (LFW)")
    return found


def pairs(folder: Path) -> list[Pair]:
    """The pairs of pairs.txt, in its order.

    Raises:
        SystemExit: pairs.txt is missing.
    """
    path = folder / "pairs.txt"
    if not path.is_file():
        sys.exit(f"{folder} was given; expected pairs.txt in it (LFW's pairsDevTrain.txt)")

    def photo(name: str, number: str) -> Path:
        return folder / "images" / name / f"{name}_{int(number):04d}.jpg"

    result = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        fields = line.split("\t")
        if len(fields) == 3:
            result.append(Pair(photo(fields[0], fields[1]), photo(fields[0], fields[2]), True))
        elif len(fields) == 4:
            result.append(Pair(photo(fields[0], fields[1]), photo(fields[2], fields[3]), False))
    return result
