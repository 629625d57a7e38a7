"""Photos of other people that show the person, too: by their faces. What becomes of these is for the user to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from privacy.forget.arrays import arrays_in
from privacy.forget.forms import content_of
from privacy.forget.images import Originals, Pictures
from privacy.forget.kept import CropRow, Kept
from privacy.forget.selection import Selection
from privacy.forget.traces import Rows, Traces, normalised

LEVEL = {128: 0.93, 512: 0.65}
"""Cosine from which on two faces are listed as one person's, by the size of the embeddings (dlib-resnet, FaceNet).

Of 130 people of LFW with 3 photos each, 0.93 finds 95 % of a person's other photos, and lists 1.1 in 1,000 of other
people's (0.92: 98 % and 4.2; 0.94: 85 % and 0.2). FaceNet's is not measured here: its weights cannot be had.
"""


COPY = 0.995
"""Cosine from which on two photos are copies of one shot, as `quality.copy_cosine` of params.yaml has it: cropped,
mirrored or tilted ones have other pixels, but nearly the same embedding."""

SAME_SHOT = 0.97
SAME_PIXELS = 0.9
"""Cosine of two faces, and correlation of the pixels of their crops, from which on together they are of one shot.

Of 70 people of LFW, other photos of the same person have at most 0.990 and 0.85. Copies that were cropped, turned,
mirrored, darker, or cropped, halved and compressed have 0.97 or more, and 0.9 or more in 90 % of cases.
"""


@dataclass(frozen=True)
class Similar:
    """A photo of somebody else that seems to show the person.

    Attributes:
        photo: path within data/; of another picture, its path from the project's folder.
        oids: hashes of its bytes, in each form that is kept; none of a file that is no object.
        cosine: of the face that is most like one of theirs.
        pixels: correlation of that face's crop and theirs; 0 where it was not compared.
    """

    photo: str
    oids: tuple[str, ...]
    cosine: float
    pixels: float = 0.0

    @property
    def is_copy(self) -> bool:
        """Whether it is one of their own photos, cropped, mirrored, tilted or smaller."""
        return self.cosine >= COPY or (self.cosine >= SAME_SHOT and self.pixels >= SAME_PIXELS)


def find_similar(
    kept: Kept, selection: Selection, traces: Traces, pictures: Pictures, originals: Originals
) -> list[Similar]:
    """Photos that are not the person's and have a face like theirs, as tables tell; the most similar first.

    Args:
        kept: what is kept.
        selection: what is known as the person's.
        traces: what identifies them.
        pictures: what is known of pictures.
        originals: the person's photos and crops.
    """
    best: dict[tuple[str, str], tuple[float, str]] = {}
    for rows, table in _tables(kept):
        own = traces.rows.get(rows.shape[1])
        if own is None:
            continue
        likeness = (normalised(rows) @ own.T).max(axis=1)
        for value, row in zip(likeness, table, strict=True):
            if value >= level(rows.shape[1]) and row.sha256 not in traces.sha256s:
                one = (float(value), row.crop_sha256)
                best[row.photo, row.sha256] = max(best.get((row.photo, row.sha256), one), one)
    found = []
    for (path, sha256), (cosine, crop) in sorted(best.items(), key=lambda each: -each[1][0]):
        oids = (kept.photos_by_sha256.get(sha256) or _called(kept, path, sha256)) - selection.photos.keys()
        if oids and not selection.covers(path):
            oid = kept.crops_by_sha256.get(crop, "")
            pixels = pictures.likeness(originals, oid) if oid and SAME_SHOT <= cosine < COPY else 0.0
            found.append(Similar(path, tuple(sorted(oids)), cosine, pixels))
    return found


def level(size: int) -> float:
    """`LEVEL` of embeddings of a size."""
    return LEVEL.get(size, 0.9)


def _called(kept: Kept, path: str, sha256: str) -> set[str]:
    """The forms of a photo of which no version says the SHA-256: those that hold it, or all where nobody can tell."""
    oids = kept.oids_on_disk(path) or {item.oid for item in kept.photo_items if item.path == path}
    if len(oids) > 1:  # other photos had that name, too, or the same one had other forms
        oids = {oid for oid in oids if sha256 in content_of(kept, oid)} or oids
    return oids


def embedded_photos(kept: Kept) -> set[str]:
    """Photos of which a table tells, with embeddings or that no face was found on them."""
    told = {row.sha256 for _, table in _tables(kept) for row in table}
    told |= {row.sha256 for row in kept.crop_rows if not row.crop}
    found = {oid for sha256 in told for oid in kept.photos_by_sha256.get(sha256, ())}
    # Other forms of these, which no run has read: locked since, or before.
    more = {item.oid for item in kept.photo_items if item.oid not in kept.contents}
    return found | {oid for oid in more if not told.isdisjoint(content_of(kept, oid))}


def others_likeness(kept: Kept, traces: Traces, face: Rows) -> float:
    """How like a face is to the most similar one of other people: cosine.

    Args:
        kept: what is kept.
        traces: of the person, whose own are left out.
        face: float32 [D] of length 1.
    """
    best = -1.0
    for rows, table in _tables(kept):
        others = np.array([row.sha256 not in traces.sha256s for row in table], bool)
        if rows.shape[1] == len(face) and others.any():
            best = max(best, float((normalised(rows[others]) @ face).max()))
    return best


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
