"""Objects that no version names any more: what a rebase, a removed experiment or an interrupted run left behind.

They are told by what is in them. Pictures and arrays are looked into as those of any version are (looking.py). A
table is the person's if it names them; a list of files, if it names one of theirs or their folder. A model says which
files it was made of, if its record is still there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from faces.message import Message
from privacy.dvc.objects import DIR
from privacy.forget.arrays import arrays_in
from privacy.forget.containing import Containing
from privacy.forget.images import Originals, Pictures, is_image
from privacy.forget.kept import Kept, sha256_hex
from privacy.forget.looking import is_picture
from privacy.forget.selection import Selection, add_by_bytes, is_photo_name
from privacy.forget.traces import Traces
from privacy.forget.versions import Item, Made
from service.client.language import say
from stages.progress import progress

_UNKNOWN = "?"


def unexplained(kept: Kept) -> list[str]:
    """Objects that no version and no entry of the run cache names, themselves or through a list that one names."""
    return sorted(set(kept.where) - kept.explained)


def add_folders(kept: Kept, selection: Selection) -> set[str]:
    """Add photos that unexplained lists of files have in the person's folder; returns the crops they have there."""
    photos: set[str] = set()
    crops: set[str] = set()
    of_me = _files_of_me(kept) if "me" in selection.people else set()
    of_people = [person.removeprefix("not_me/") + "/" for person in selection.people if person != "me"]
    for oid in unexplained(kept):
        if any(part in of_me for _, part in kept.manifests.get(oid, ())):
            pictures = {part for name, part in kept.manifests[oid] if is_photo_name(name)}
            photos.update(part for part in pictures if not kept.is_named(part))
        for name, part in kept.manifests.get(oid, ()):
            if any(name.startswith(f"{person}/") for person in selection.people):
                crops.add(part)
            elif name.startswith(tuple(of_people)) and is_photo_name(name) and not kept.is_named(part):
                photos.add(part)
    add_by_bytes(kept, selection, photos)
    return crops


def _files_of_me(kept: Kept) -> set[str]:
    """Photos of me and of nobody else: an unexplained list that has one of them was a list of data/me."""
    own = {item.oid for item in kept.photo_items if item.path.startswith("me/")}
    return own - {item.oid for item in kept.photo_items if item.path.startswith("not_me/")}


def add_copies(kept: Kept, selection: Selection, pictures: Pictures, originals: Originals) -> set[str]:
    """Add copies of the photos in other formats and sizes, whatever they are called, and return them."""
    candidates = {item.oid for item in kept.photo_items if is_photo_name(item.path)}
    candidates |= {oid for oid in unexplained(kept) if oid not in kept.manifests and is_picture(kept, oid)}
    for path, oid in kept.on_disk.items():
        if oid not in kept.where and is_photo_name(path):
            pictures.add(oid, kept.read_file(kept.project.root / "data" / path, oid) or b"")
    copies = pictures.copies(originals, candidates - set(selection.photos))
    add_by_bytes(kept, selection, copies)
    return copies


def find_unexplained(kept: Kept, traces: Traces, found: Containing) -> None:
    """Add to `found` what names the person, and what nobody can tell. Pictures and arrays were looked into before."""
    nameless = unexplained(kept)
    rest = [oid for oid in nameless if oid not in found.kinds]
    lengths = _lengths(kept, traces, nameless)
    for oid in progress(rest, len(rest), say("looking into what no version names"), say("object")):
        if oid.endswith(DIR):
            if any(part in found.kinds for _, part in kept.manifests.get(oid, ())):
                found.add(oid, Message("list of files"))
            continue
        data = kept.read(oid)
        if data is None:
            if oid in kept.closed and oid not in kept.listed:  # a list that names it says whose it is
                found.unproven.add(oid)
        elif is_image(data):
            continue
        elif traces.names_in(data) or _has_cell(traces, data) or _fits(data, lengths):
            found.add(oid, Message("unexplained data"))
        elif not _is_readable(data):
            found.unproven.add(oid)
    found.unproven -= set(found.kinds)


def _lengths(kept: Kept, traces: Traces, oids: Collection[str]) -> set[int]:
    """How many rows the unexplained indexes have that name the person."""
    folders = tuple(f"{person}/" for person in traces.people)
    return {
        len(kept.tables[oid])
        for oid in oids
        if oid in kept.tables
        and any(row.sha256 in traces.sha256s or row.photo.startswith(folders) for row in kept.tables[oid])
    }


def _fits(data: bytes, lengths: Collection[int]) -> bool:
    """Whether an array of embeddings has as many rows as an index that names the person: then it is taken for its own,
    since no version says any more which array an unexplained index belongs to."""
    array = next(arrays_in(data), None) if lengths and data.startswith(b"\x93NUMPY") else None
    return array is not None and array.ndim == 2 and len(array) in lengths


def _has_cell(traces: Traces, data: bytes) -> bool:
    """Whether a table has the person's name as the whole of a cell."""
    if b"\0" in data:
        return False
    names = [person.removeprefix("not_me/").encode() for person in traces.people if person != "me"]
    return any(re.search(rb'(?m)(?:^|[,;])"?' + re.escape(name) + rb'"?(?:[,;\r]|$)', data) for name in names)


def _is_readable(data: bytes) -> bool:
    """Whether one can tell from the bytes alone whom they speak of: text, or plain arrays but no model."""
    if data.startswith(b"\x93NUMPY"):
        return next(arrays_in(data), None) is not None
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False


def recorded(kept: Kept) -> set[Made]:
    """What the records of models (models/records) say of what was made of what, also where dvc.lock is gone.

    A record names files by their SHA-256. Where one of its inputs is not there any more, nothing can be proven by it.
    """
    candidates = [oid for oid in kept.where if not oid.endswith(DIR) and not is_picture(kept, oid)]
    by_sha256: dict[str, str] = {}
    records = []
    for oid in candidates:
        data = kept.read(oid) or b""
        by_sha256[sha256_hex(data)] = oid
        if data.lstrip().startswith(b"{") and b'"made_from"' in data:
            records.append(data)
    return {made for data in records for made in _record(data, by_sha256)}


def _record(data: bytes, by_sha256: dict[str, str]) -> Iterator[Made]:
    try:
        content = json.loads(data)
        inputs, files = content["made_from"]["inputs"], content["files"]
        deps = tuple(Item(path, by_sha256.get(sha256, _UNKNOWN)) for path, sha256 in inputs.items())
        outs = tuple(Item(f"models/{path}", by_sha256[sha256]) for path, sha256 in files.items() if sha256 in by_sha256)
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    yield Made(deps, outs, bool(deps) and all(dep.oid != _UNKNOWN for dep in deps))
