"""Which objects hold the person, or were made of something that does.

A file is of the person if its bytes are (a photo, a crop); a folder's list if it names such a file. What a stage made
of one is lost, unless a run that read nothing of the person made the very same bytes: then nothing of the person can
be in them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from faces.message import Message
from privacy.dvc.objects import DIR
from privacy.forget import tables
from privacy.forget.kept import Kept
from privacy.forget.traces import Traces
from privacy.forget.versions import Item, Made, Version
from stages.files.locked_files import plain_name

CROPPED = "data/cropped"
"""A folder of which each file comes of one photo, so others' files stay."""


@dataclass
class Containing:
    """What has to go.

    Attributes:
        kinds: of each object's hash, what kind of thing it is.
        unproven: objects that no version names and of which nobody can tell what they were made of.
        lost: versions that held the person and of which something is kept.
        made: stages that read something of the person.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    unproven: set[str] = field(default_factory=set)
    lost: list[Version] = field(default_factory=list)
    made: set[Made] = field(default_factory=set)

    def add(self, oid: str, kind: str) -> None:
        """An object has to go; its kind is kept in English, for the certificate."""
        self.kinds.setdefault(oid, str(kind))


def find_containing(
    kept: Kept, traces: Traces, extra: Collection[Made] = (), held: Mapping[str, str] | None = None
) -> Containing:
    """Follow the person's photos through every stage of every version.

    Args:
        kept: what is kept.
        traces: what identifies the person.
        extra: further records of what was made of what.
        held: objects in which something of the person was found, and what.
    """
    found = Containing()
    for oid, kind in (held or {}).items():
        found.add(oid, kind)
    for oid in traces.photos:
        found.add(oid, Message("photo"))
    for oid in traces.crops:
        found.add(oid, Message("crop"))
    for oid in _tables(kept):
        if _names_them(kept, oid, traces):
            found.add(oid, Message("table"))
    folders = tuple(f"data/{person}/" for person in traces.people)
    for item in kept.items:
        if item.oid.endswith(DIR) and any(plain_name(file.path).startswith(folders) for file in kept.files(item)):
            found.add(item.oid, Message("list of files"))
    unknown = _unknown_folders(kept, traces)
    every = kept.made | set(extra)
    while True:
        before = len(found.kinds)
        _add_folders(kept, found)
        found.made = {made for made in every if any(dep.oid in found.kinds or dep.oid in unknown for dep in made.deps)}
        clean = {oid for made in every - found.made if made.whole for out in made.outs for oid in _parts(kept, out)}
        for made in found.made:
            for out in made.outs:
                for oid in _lost_parts(kept, out):
                    if oid not in clean and not kept.is_named(oid):  # a photo: its folder and bytes say whose it is
                        found.add(oid, _kind(out))
        if len(found.kinds) == before:
            break
    kept_of_them = {oid for oid in found.kinds if oid in kept.where} - _of_any_photos(found)
    unsure = bool(kept.project.unreachable or kept.project.former)
    found.lost = [
        version
        for version in kept.versions
        if any(i.oid in found.kinds or i.oid in unknown for i in version.items())
        and (unsure or any(oid in kept_of_them for item in version.items() for oid in _parts(kept, item)))
    ]
    return found


def _of_any_photos(found: Containing) -> set[str]:
    """Outputs that came out the same of different photos: a version of which these alone are kept has nothing to lose.

    Such are the versions of whoever wrote the program, which are in the history of each clone.
    """
    photos: dict[str, set[frozenset[str]]] = {}
    for made in found.made:
        read = frozenset(dep.oid for dep in made.deps if dep.path.startswith("data/"))
        for out in made.outs:
            photos.setdefault(out.oid, set()).add(read)
    return {oid for oid, read in photos.items() if len(read) > 1}


def _tables(kept: Kept) -> set[str]:
    """Hashes of the tables about people that any version has."""
    named = {*tables.tables_of(kept.project.root)}
    files = {file for item in kept.items for file in kept.files(item)} | kept.photo_items
    return {file.oid for file in files if file.path in named or _name(file.path) in tables.NAMES}


def _name(path: str) -> str:
    return plain_name(path).rpartition("/")[2]


def _names_them(kept: Kept, oid: str, traces: Traces) -> bool:
    """Whether a table has a line about the person; also where it is locked and nobody can tell."""
    data = kept.read(oid)
    return oid in kept.closed if data is None else tables.names_them(data, traces.people, traces.paths)


def _kind(out: Item) -> str:
    """What people call a thing, by its path; it names nobody."""
    parts = out.path.split("/")
    return "/".join(parts[:2])


def _add_folders(kept: Kept, found: Containing) -> None:
    """Folders' lists that name something of the person."""
    for oid, manifest in kept.manifests.items():
        if any(part in found.kinds for _, part in manifest):
            found.add(oid, Message("list of files"))


def _parts(kept: Kept, out: Item) -> Iterator[str]:
    yield out.oid
    yield from (oid for _, oid in kept.manifests.get(out.oid, ()))


def _lost_parts(kept: Kept, out: Item) -> Iterator[str]:
    """Of what a stage made of the person, that which holds them: of crops, those that are known as theirs."""
    if out.path == CROPPED and out.oid.endswith(DIR):
        if out.oid not in kept.manifests:
            yield out.oid
        return
    yield from _parts(kept, out)


def _unknown_folders(kept: Kept, traces: Traces) -> set[str]:
    """Folders of photos whose list is gone, and which may have held the person, as far as tables tell.

    Only folders of the class that was asked about: else every old version would be lost for one person.
    """
    unknown: dict[str, list[Made]] = {}
    for made in kept.made:
        for dep in made.deps:
            if dep.oid.endswith(DIR) and dep.oid not in kept.manifests and _class_of(dep.path) in traces.classes:
                unknown.setdefault(dep.oid, []).append(made)
    return {oid for oid, users in unknown.items() if _may_hold(kept, traces, users)}


def _class_of(path: str) -> str:
    parts = path.split("/")
    return parts[1] if len(parts) > 1 and parts[0] == "data" else ""


def _may_hold(kept: Kept, traces: Traces, users: list[Made]) -> bool:
    tables = [kept.tables[out.oid] for made in users for out in made.outs if out.oid in kept.tables]
    if not tables:
        return any(out.oid in kept.where for made in users for out in made.outs)
    folders = tuple(f"{person}/" for person in traces.people)
    rows = (row for table in tables for row in table)
    return any(row.sha256 in traces.sha256s or (folders and row.photo.startswith(folders)) for row in rows)
