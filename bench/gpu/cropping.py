"""Does `crop` need a GPU? The stage on the processor, beside facenet-pytorch's MTCNN on the GPU."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.peers.mtcnn import BatchedMtcnn
from bench.pipeline import Project
from bench.support.photos import find_photos, is_small, many, spread
from stages.files.paths import CROP_REPORT
from stages.files.tables import read_records
from stages.progress import progress

SMALL, LARGE = "small (files below 40 kB)", "2 to 5 megapixels"
_LARGE_MEGAPIXELS = (2.0, 5.0)
_DIVISORS = {SMALL: 1, LARGE: 4}  # the count is divided by it: large photos take so much longer


@dataclass(frozen=True)
class Way:
    """A way to run MTCNN.

    Attributes:
        batch: photos that are looked at together.
        max_side: photos are reduced to this many pixels first; None: they stay as they are.
    """

    batch: int
    max_side: int | None

    @property
    def title(self) -> str:
        """Its name in the table."""
        size = "at full size" if self.max_side is None else f"reduced to {self.max_side} pixels"
        return f"{size}, {'one by one' if self.batch == 1 else f'up to {self.batch} at once'}"


def ways(group: str, batch: int, max_side: int) -> list[Way]:
    """How MTCNN is run on a group; small photos have nothing to be reduced by."""
    sides = [None] if group == SMALL else [None, max_side]
    return [Way(size, side) for side in sides for size in (1, batch)]


def choose_photos(given: Iterable[Path], count: int) -> dict[str, list[bytes]]:
    """Photos by group: `count` small ones, a quarter as many of 2 to 5 megapixels; a group without photos is left out.

    Where there are fewer on the disk, they are taken again with a pixel changed.
    """
    paths = find_photos(given)
    small = [path.read_bytes() for path in spread([path for path in paths if is_small(path)], count)]
    large = [path.read_bytes() for path in paths if not is_small(path)]
    large = [photo for photo in large if _LARGE_MEGAPIXELS[0] <= _megapixels(photo) <= _LARGE_MEGAPIXELS[1]]
    return {group: many(own, share(group, count)) for group, own in {SMALL: small, LARGE: large}.items() if own}


def share(group: str, count: int) -> int:
    """How many photos of a group are meant where `count` small ones are."""
    return max(1, count // _DIVISORS[group])


def compare(
    project: Project, group: str, photos: list[bytes], peers: dict[Way, BatchedMtcnn], few: int, rounds: int
) -> dict[str, Any]:
    """Photos a second of the stage `crop`, its start included, and of MTCNN, its start left out.

    Args:
        project: with the networks.
        group: what the photos are called.
        photos: all of them are cropped.
        peers: MTCNN, ready to run.
        few: MTCNN sees at most so many of the photos, evenly spread.
        rounds: each runs everything once, every other one in the opposite order.

    Returns:
        Medians of the rounds; the ratios are medians of those of the same round. "fastest" is the title of MTCNN's
        fastest way, which the ratio that counts is beside.
    """
    project.put(photos)
    paths = sorted((project.root / "data").rglob("*.jpg"), key=lambda path: path.name)
    seen = spread(paths, few)
    for warmed, mtcnn in peers.items():
        mtcnn.crop(seen[: warmed.batch])  # what the GPU's libraries prepare the first time is not counted
    ours: list[float] = []
    theirs: dict[Way, list[float]] = {way: [] for way in peers}
    found: dict[Way, int] = {}
    for turn in progress(range(rounds), rounds, group, "round"):
        order: list[Way | None] = [None, *peers]
        for way in order if turn % 2 == 0 else order[::-1]:
            if way is None:
                project.forget()
                ours.append(len(paths) / project.run("stages.crop").seconds)
                continue
            begun = time.perf_counter()
            found[way] = peers[way].crop(seen)
            theirs[way].append(len(seen) / (time.perf_counter() - begun))
    rows = {
        way.title: {
            "per_second": round(float(np.median(rates)), 2),
            "with_a_face": found[way],
            "crop_times_as_fast": round(float(np.median(np.array(ours) / np.array(rates))), 2),
            "times_as_fast_as_crop": round(float(np.median(np.array(rates) / np.array(ours))), 2),
        }
        for way, rates in theirs.items()
    }
    return {
        "crop": {
            "photos": len(paths),
            "per_second": round(float(np.median(ours)), 2),
            "with_a_face": _with_a_face(project, seen),
        },
        "mtcnn_photos": len(seen),
        "mtcnn": rows,
        "fastest": max(rows, key=lambda title: rows[title]["per_second"]),
    }


def _with_a_face(project: Project, photos: list[Path]) -> int:
    """On how many of the photos the stage has found a face."""
    report = read_records(project.root / CROP_REPORT, "crop", ["photo", "faces_found"])
    with_a_face = {row["photo"] for row in report if row["faces_found"] != "0"}
    return sum(path.relative_to(project.root / "data").as_posix() in with_a_face for path in photos)


def _megapixels(photo: bytes) -> float:
    with Image.open(io.BytesIO(photo)) as image:
        return image.width * image.height / 1e6


def report(groups: dict[str, dict[str, Any]], where: str) -> None:
    """Print the table.

    Args:
        groups: what `compare` returned, by group.
        where: what MTCNN ran on.
    """
    print(f"Photos a second: crop on the processor, its start included; MTCNN on {where}, without its start\n")
    for group, own in groups.items():
        crop = own["crop"]
        print(f"{group}: {crop['photos']} photos, of which MTCNN sees {own['mtcnn_photos']}")
        print(f"  {'':48}{'photos/s':>10}{'crop is':>12}{'MTCNN is':>12}{'with a face':>13}")
        print(f"  {'crop':48}{crop['per_second']:10.2f}{'':24}{crop['with_a_face']:13}")
        for title, row in own["mtcnn"].items():
            mark = "  (the fastest)" if title == own["fastest"] else ""
            times = f"{row['crop_times_as_fast']:10.2f} ×{row['times_as_fast_as_crop']:10.2f} ×"
            print(f"  {'MTCNN, ' + title:48}{row['per_second']:10.2f}{times}{row['with_a_face']:13}{mark}")
        print()
