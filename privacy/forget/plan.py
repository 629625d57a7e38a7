"""All that has to be done to forget somebody, known before anything is deleted."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct, field

from privacy.forget.evidence import Evidence, showing
from privacy.forget.images import Originals
from privacy.forget.selection import is_photo_name
from privacy.forget.traces import Traces
from stages.files.photos import CLASSES

METRICS = ("reports/metrics.json", "reports/evaluation_results.json")


class Tree(Struct):
    """What has to be done in one working tree.

    Attributes:
        root: the project's folder in it.
        photos: files within data/me and data/not_me to be deleted, by their path within data/; a locked one as it is
            called there.
        outputs: what was made of photos and has to be made anew; paths.
        exports: zips that `python -m privacy export` wrote of the person; paths.
        files: other files that show them and go; paths.
        packed: archives and texts that are written anew without them; paths.
        own: files of the user's own that show them, and that cannot be written anew here; paths.
        closed: files and folders that nobody can look into here; paths.
        outside: where links to photos of theirs lead that lie outside the project; full paths.
        dvc_files: DVC's own files as they are before it writes them, by path.
    """

    root: str
    photos: list[str] = []
    outputs: list[str] = []
    exports: list[str] = []
    files: list[str] = []
    packed: list[str] = []
    own: list[str] = []
    closed: list[str] = []
    outside: list[str] = []
    dvc_files: dict[str, str] = {}


class Plan(Struct):
    """All that has to be done, and by what the person is recognised. It is kept until that is done, and no longer.

    Attributes:
        asked, also: as it was typed.
        people, photos, classes, sha256s, crops: as `Traces` has them; photos with the paths that they have or had.
        rows: embeddings by their size, the bytes of float32 [N, D].
        kinds: of each object that has to go, what kind of thing it is.
        unproven: objects of caches that nobody can tell the origin of.
        trees: the working trees, this one first.
        experiments: folders that killed experiments left.
        lost: commits that held the person and of which something is kept, as people read them.
        commits: their hashes.
        copies: paths of photos that are copies of others.
        others: photos of other people that show the person and stay.
        former: what `names.json` is to hold.
        metrics: the figures before.
        unhashed: how many photos are locked of which nobody can tell the SHA-256 that the audit log goes by.
        closed: a sentence on locked photos that could not be opened; "" if there was none.
        needs_key: why the pipeline cannot be run, since photos are locked; "" where it can.
        renamed: those of `people` that are other names of one that was asked for.
        unsure: folders that may be one more.
        faces: objects that no version names and that have a face like theirs; they go from caches.
        unseen: a sentence on pictures on which no faces could be looked for; "" if there were none.
        sources: where photos were imported from.
        in_git: files that show the person and that git's own history has.
        bits, pixels: their photos and crops, as `Originals` has them; bytes of uint64 and float16.
        looked: MD5 of everything that was looked into and holds nothing of them.
        done: what was done and need not be done again.
        begun: UTC.
    """

    asked: list[str]
    also: list[str]
    people: list[str]
    photos: dict[str, list[str]]
    classes: list[str]
    sha256s: list[str]
    crops: list[str]
    rows: dict[int, bytes]
    kinds: dict[str, str]
    unproven: list[str]
    trees: list[Tree]
    experiments: list[str]
    lost: list[str]
    commits: list[str]
    copies: list[str]
    others: list[str]
    former: dict[str, list[str]]
    metrics: dict[str, float]
    begun: str
    unhashed: int = 0
    closed: str = ""
    needs_key: str = ""
    renamed: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    faces: list[str] = field(default_factory=list)
    unseen: str = ""
    sources: list[str] = field(default_factory=list)
    in_git: list[str] = field(default_factory=list)
    bits: bytes = b""
    pixels: bytes = b""
    looked: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def traces(self) -> Traces:
        """By what the person is recognised."""
        paths = {path for own in self.photos.values() for path in own}
        traces = Traces(self.people, set(self.photos), set(self.classes), paths, set(self.sha256s), set(self.crops))
        for size, data in self.rows.items():
            traces.rows[size] = np.frombuffer(data, np.float32).reshape(-1, size).copy()
        return traces

    def evidence(self, gone: Collection[str] | None = None) -> Evidence:
        """By what a file is told to hold something of the person.

        Args:
            gone: MD5 of what goes; None for everything that does.
        """
        bits = np.frombuffer(self.bits, np.uint64).reshape(-1, 8)
        pixels = np.frombuffer(self.pixels, np.float16).astype(np.float32)
        side = math.isqrt(len(pixels) // max(len(bits), 1))
        originals = Originals([str(number) for number in range(len(bits))], bits, pixels.reshape(len(bits), side, side))
        return Evidence(
            self.traces(), originals, showing(self.kinds) & (self.kinds.keys() if gone is None else set(gone))
        )


def read_metrics(root: Path) -> dict[str, float]:
    """The figures of the last run, by file and name."""
    figures = {}
    for name in METRICS:
        try:
            content = json.loads((root / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict):
            figures.update({f"{Path(name).stem}.{key}": value for key, value in content.items() if _is_number(value)})
    return figures


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def last_of_class(plan: Plan) -> list[str]:
    """The classes that are left without a photo in this working tree."""
    data = Path(plan.trees[0].root) / "data"
    going = set(plan.trees[0].photos)
    return [
        name
        for name in CLASSES
        if any(path.startswith(f"{name}/") for path in going)
        and not any(
            is_photo_name(path.name) and path.relative_to(data).as_posix() not in going
            for path in (data / name).rglob("*")
        )
    ]
