"""Photos of other people that show the person, too: by their faces. What becomes of these is for the user to say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from privacy.forget.forms import content_of
from privacy.forget.kept import CropRow, Kept
from privacy.forget.selection import Selection
from privacy.forget.traces import Rows, Traces, arrays_in, normalised

LEVEL = {128: 0.93, 512: 0.65}
"""Cosine from which on two faces are listed as one person's, by the size of the embeddings (dlib-resnet, FaceNet).

Of 130 people of LFW with 3 photos each, 0.93 finds 95 % of a person's other photos, and lists 1.1 in 1,000 of other
people's (0.92: 98 % and 4.2; 0.94: 85 % and 0.2). FaceNet's is not measured here: its weights cannot be had.
"""


COPY = 0.995
"""Cosine from which on two photos are copies of one shot, as `quality.copy_cosine` of params.yaml has it: cropped,
mirrored or tilted ones have other pixels, but nearly the same embedding."""


@dataclass(frozen=True)
class Similar:
    """A photo of somebody else that seems to show the person.

    Attributes:
        photo: path within data/.
        oids: hashes of its bytes, in each form that is kept.
        cosine: of the face that is most like one of theirs.
    """

    photo: str
    oids: tuple[str, ...]
    cosine: float

    @property
    def is_copy(self) -> bool:
        """Whether it is one of their own photos, cropped, mirrored or tilted."""
        return self.cosine >= COPY


def find_similar(kept: Kept, selection: Selection, traces: Traces) -> list[Similar]:
    """Photos that are not the person's and have a face like theirs; the most similar first."""
    best: dict[str, float] = {}
    shown: dict[str, set[str]] = defaultdict(set)
    for rows, table in _tables(kept):
        own = traces.rows.get(rows.shape[1])
        if own is None:
            continue
        likeness = (normalised(rows) @ own.T).max(axis=1)
        for value, row in zip(likeness, table, strict=True):
            if value >= LEVEL.get(rows.shape[1], 0.9) and row.sha256 not in traces.sha256s:
                best[row.photo] = max(best.get(row.photo, 0.0), float(value))
                shown[row.photo].add(row.sha256)
    found = []
    for path, cosine in sorted(best.items(), key=lambda each: -each[1]):
        oids = kept.oids_on_disk(path) or {item.oid for item in kept.photo_items if item.path == path}
        if len(oids) > 1:  # other photos had that name, too, or the same one had other forms
            oids = {oid for oid in oids if not shown[path].isdisjoint(content_of(kept, oid))} or oids
        oids -= selection.photos.keys()
        if oids and not selection.covers(path):
            found.append(Similar(path, tuple(sorted(oids)), cosine))
    return found


def _tables(kept: Kept) -> Iterable[tuple[Rows, list[CropRow]]]:
    """Embeddings with what they are of: of every version, and of the working tree."""
    pairs: list[tuple[bytes | None, list[CropRow]]] = []
    for made in kept.made:
        outs = {out.path: out.oid for out in made.outs}
        table = kept.tables.get(outs.get("data/index.csv", ""))
        if table:
            pairs.append((kept.read(outs.get("data/embeddings.npy", "")), table))
    path = kept.project.root / "data/embeddings.npy"
    table = kept.tables.get(str(kept.project.root / "data/index.csv"))
    if table and path.is_file():
        pairs.append((kept.read_file(path, str(path)), table))
    for data, table in pairs:
        array = next(arrays_in(data or b""), None)
        if array is not None and array.ndim == 2 and len(array) == len(table):
            yield np.asarray(array, np.float32), table
