"""By what a person is recognised in what was made of the photos: names, hashes, crops, embeddings."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from privacy.dvc.objects import DIR
from privacy.forget.arrays import arrays_in
from privacy.forget.kept import Kept, md5_hex, sha256_hex
from privacy.forget.packed import parts
from privacy.forget.selection import Selection
from privacy.forget.versions import Made
from stages.files.remembered import read_embeddings

SAME_ROW = 0.999
"""Cosine from which on a row is an embedding of the person: two computations of one crop have 0.99999."""
_DIGITS = 64
_NUMBER = re.compile(rb"[0-9a-f]{64,}+")
Rows = NDArray[np.float32]


@dataclass
class Traces:
    """What identifies a person.

    Attributes:
        people: folders within data/ that are theirs, such as "not_me/ana".
        photos: hashes (MD5) of the photos' bytes.
        classes: "me", "not_me": in which of them they are.
        paths: of the photos within data/, in any version.
        sha256s: SHA-256 of photos and crops.
        crops: hashes of the crops.
        unhashed: hashes of photos that are locked, and of whose content neither a key nor a table tells the SHA-256.
        plain: hashes that photos and crops had before they were locked.
        rows: embeddings, float32 [N, D] of length 1, by D.
    """

    people: list[str]
    photos: set[str]
    classes: set[str]
    paths: set[str]
    sha256s: set[str] = field(default_factory=set)
    crops: set[str] = field(default_factory=set)
    rows: dict[int, Rows] = field(default_factory=dict)
    unhashed: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)

    def names_in(self, data: bytes, surely: bool = False) -> bool:
        """Whether data names a photo or a crop by its hash or, where it is a text, a folder of the person.

        Among the millions of bytes of a network or an array, some are the letters "me/" by chance.

        Args:
            data: of a file.
            surely: "me/" alone may be two words of a text ("you and me/us"); "data/me/" is not.
        """
        if self._has_hash(data):
            return True
        folders = self._folders
        found = folders.finditer(data) if folders and b"\0" not in data else ()
        return any(not (surely and each.group().startswith(b"me")) for each in found)

    def named_inside(self, data: bytes, surely: bool = False) -> bool:
        """The same of a file and of all that is packed in it."""
        return any(self.names_in(part, surely) for _, part in parts(data))

    def _has_hash(self, data: bytes) -> bool:
        """Whether one of the hashes is in a file. Every long number in it is looked up: to search for each hash would
        take minutes where there are many."""
        if not self.sha256s:
            return False
        wanted = {sha256.encode() for sha256 in self.sha256s}
        numbers = (found.group() for found in _NUMBER.finditer(data))
        return any(text in wanted if len(text) == _DIGITS else any(map(text.__contains__, wanted)) for text in numbers)

    @cached_property
    def _folders(self) -> re.Pattern[bytes] | None:
        """What a text that names their folders holds."""
        named = {unicodedata.normalize(form, person) for person in self.people for form in ("NFC", "NFD")} - {"me"}
        people = {form for person in named | {*self.people} - {"me"} for form in (person, json.dumps(person)[1:-1])}
        folders = [rb"(?<![\w.-])" + re.escape(os.fsencode(f"{person}/")) for person in sorted(people)]
        if "me" in self.people:  # a short name: other folders may be called so, too
            folders.append(rb"(?:(?<![\w/.-])(?:cropped/)?|data/(?:cropped/)?)me(?:_several)?/")
        return re.compile(b"|".join(folders)) if folders else None

    def is_in_folder(self, path: str) -> bool:
        """Whether a path, such as an archive has, leads into a folder of the person."""
        inner = unicodedata.normalize("NFC", f"/{path.replace(chr(92), '/').lstrip('./')}")
        return any(
            f"/{person}/" in inner or (person != "me" and inner.startswith(f"/{person.removeprefix('not_me/')}/"))
            for person in (unicodedata.normalize("NFC", each) for each in self.people)
            if person != "me" or inner.startswith(("/me/", "/data/me/"))
        )

    def rows_in(self, data: bytes) -> bool:
        """Whether an array (.npy, .npz) holds an embedding of the person."""
        return any(self.has_rows(array) for array in arrays_in(data))

    def has_rows(self, array: NDArray[np.generic]) -> bool:
        """Whether an array [..., D], or one with D along another axis, has an embedding of the person."""
        if array.dtype.kind not in "fiu" or not array.size:
            return False
        axes = [axis for axis, size in enumerate(array.shape) if size in self.rows]
        return any(self._are_in(np.moveaxis(array, axis, -1)) for axis in axes)

    def _are_in(self, array: NDArray[np.generic]) -> bool:
        own = self.rows[array.shape[-1]]
        unit = normalised(np.asarray(array, np.float32).reshape(-1, array.shape[-1]))
        return any(bool((part @ own.T >= SAME_ROW).any()) for part in np.array_split(unit, -(-len(unit) // 4096)))

    def add_rows(self, rows: Rows) -> None:
        """Add embeddings, float32 [n, D]."""
        if len(rows):
            size = rows.shape[1]
            known = self.rows.get(size, np.zeros((0, size), np.float32))
            self.rows[size] = np.unique(np.concatenate([known, normalised(rows)]), axis=0)


def normalised(rows: NDArray[np.floating]) -> Rows:
    """Rows of length 1. Bytes that are no embeddings may have numbers too large for that: these are nobody's."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def find_traces(kept: Kept, selection: Selection, crops: Collection[str] = ()) -> Traces:
    """What identifies the people and photos that were asked for.

    Args:
        kept: what is kept.
        selection: who and what.
        crops: hashes of crops of theirs that no version names.
    """
    paths = {path for own in selection.photos.values() for path in own}
    classes = {path.partition("/")[0] for path in paths | set(selection.asked)}
    traces = Traces(list(selection.people), set(selection.photos), classes, paths)
    hashed = {oid: set(kept.contents[oid]) for oid in selection.photos if oid in kept.contents}
    on_disk = [(path, oid) for path, oid in kept.on_disk.items() if oid in selection.photos]
    read = [(oid, kept.read(oid)) for oid in selection.photos]
    read += [(oid, kept.read_file(kept.project.root / "data" / path, oid)) for path, oid in on_disk]
    for oid, data in read:
        if data is not None:
            hashed.setdefault(oid, set()).add(sha256_hex(data))
            traces.plain.add(md5_hex(data))
    traces.sha256s.update(sha256 for own in hashed.values() for sha256 in own)
    traces.unhashed = {oid for oid in selection.photos if oid in kept.closed and oid not in hashed}
    # Where nobody can tell what a photo holds, what tables say of one that was called so is taken for its own.
    by_name = selection.bare | {path for oid in traces.unhashed for path in selection.photos[oid]}
    mine = [
        row
        for row in kept.crop_rows
        if row.sha256 in traces.sha256s or row.photo in by_name or _in_folder(selection, row.photo)
    ]
    traces.sha256s.update(sha256 for row in mine for sha256 in (row.sha256, row.crop_sha256) if sha256)
    traces.crops = _find_crops(kept, selection, traces) | set(crops)
    for oid in traces.crops:
        data = kept.read(oid)
        if data is not None:
            traces.sha256s.add(sha256_hex(data))
            traces.plain.add(md5_hex(data))
    traces.plain -= traces.photos | traces.crops
    _find_rows(kept, traces)
    return traces


def _in_folder(selection: Selection, path: str) -> bool:
    return any(path.startswith(f"{person}/") for person in selection.people)


def _find_crops(kept: Kept, selection: Selection, traces: Traces) -> set[str]:
    """Hashes of the crops of the photos, in every version."""
    found: set[str] = set()
    for made in kept.made:
        for out in made.outs:
            if out.path == "data/cropped" and out.oid.endswith(DIR):
                own = _crop_names(kept, made, selection, traces)
                found |= {oid for name, oid in kept.manifests.get(out.oid, ()) if own(name)}
    own_names = _Own(set(), {path for paths in selection.photos.values() for path in paths})
    for oid, paths in kept.former.items():
        crops = [path.removeprefix("data/cropped/") for path in paths if path.startswith("data/cropped/")]
        if any(own_names(crop) or _in_folder(selection, crop) for crop in crops):
            found.add(oid)
    return found


class _Own:
    """Whether a path within data/cropped is a crop of the person."""

    def __init__(self, names: set[str], photos: set[str]) -> None:
        self._names = names
        self._photos = photos

    def __call__(self, name: str) -> bool:
        # A crop is called as its photo, then "-" and the number of the face; of photos of me with several faces, the
        # folder is me_several.
        photo = name.replace("me_several/", "me/", 1) if name.startswith("me_several/") else name
        return name in self._names or photo.rpartition("-")[0] in self._photos


def _crop_names(kept: Kept, made: Made, selection: Selection, traces: Traces) -> _Own:
    """Which crops of one run of the stage are the person's: as its report says, and by how crops are called."""
    names: set[str] = set()
    for out in made.outs:
        for row in kept.tables.get(out.oid, ()):
            if row.crop and (row.sha256 in traces.sha256s or _in_folder(selection, row.photo)):
                names.add(row.crop)
    return _Own(names, {path for path, oid in kept.photos_read(made) if oid in selection.photos})


def _find_rows(kept: Kept, traces: Traces) -> None:
    """Embeddings: the rows of each embeddings.npy whose index names the person, and what embed remembers."""
    for made in kept.made:
        outs = {out.path: out.oid for out in made.outs}
        index = kept.tables.get(outs.get("data/index.csv", ""))
        if index is not None:
            _add_indexed(traces, index, kept.read(outs.get("data/embeddings.npy", "")))
    for workspace in kept.project.workspaces:
        index = kept.tables.get(str(workspace.root / "data/index.csv"))
        path = workspace.root / "data/embeddings.npy"
        if index is not None and path.is_file():
            _add_indexed(traces, index, kept.read_file(path, str(path)))
        for file in sorted((workspace.root / "data/remembered/embeddings").glob("*.npz")):
            crops, photos, rows = read_embeddings(file)
            if len(rows):
                traces.add_rows(rows[np.isin(crops, list(traces.sha256s)) | np.isin(photos, list(traces.sha256s))])


def _add_indexed(traces: Traces, index: Iterable[object], data: bytes | None) -> None:
    array = next(arrays_in(data or b""), None)
    rows = list(index)
    if array is None or array.ndim != 2 or len(array) != len(rows):
        return
    mine = [getattr(row, "sha256", "") in traces.sha256s for row in rows]
    traces.add_rows(np.asarray(array, np.float32)[np.array(mine, bool)])
