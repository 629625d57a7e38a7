"""The objects of some stores: what they hold, and how they go with all that names them.

An object is what DVC stores of one file (its MD5) or of the list of a folder's files (its MD5 and ".dir"). An entry of
the run cache names the objects that a stage read and wrote: it would bring them back.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from privacy.dvc.stores import Listing, Store, reason_of
from privacy.errors import PrivacyError
from service.client.language import say
from stages.progress import progress

DIR = ".dir"
"""How the hash of a folder ends: the object is a list of its files."""

Manifest = tuple[tuple[str, str], ...]
"""The files of a folder: path within it, and hash."""

_NAMED = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?:\.dir)?(?![0-9a-f])")


class Objects:
    """What some stores held when they were listed.

    Args:
        stores: caches first, so that no object is fetched that is on this machine.

    Raises:
        PrivacyError: a store cannot be listed.
    """

    def __init__(self, stores: Iterable[Store]) -> None:
        self._listings: list[tuple[Store, Listing]] = []
        for store in stores:
            try:
                self._listings.append((store, store.list()))
            except Exception as error:  # whatever a storage's client raises
                raise PrivacyError(
                    "{name} ({address}) does not answer any more ({reason}): run this again when it does",
                    name=store.name,
                    address=store.address,
                    reason=reason_of(error),
                ) from error

    @cached_property
    def where(self) -> dict[str, list[tuple[Store, str]]]:
        """Of each object, the stores that hold it and its path there, in the order of the stores."""
        places: dict[str, list[tuple[Store, str]]] = defaultdict(list)
        for store, listing in self._listings:
            for oid, paths in listing.objects.items():
                places[oid] += [(store, path) for path in paths]
        return dict(places)

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """The files of each folder whose list is somewhere and can be read."""
        folders = sorted(oid for oid in self.where if oid.endswith(DIR))
        found = {}
        for oid in progress(folders, len(folders), say("reading lists of files"), say("list")):
            manifest = parse_list(self.read(oid))
            if manifest is not None:
                found[oid] = manifest
        return found

    def read(self, oid: str, count: int = -1) -> bytes | None:
        """The content of an object, or its first bytes, wherever it is; None where none of the stores gives it."""
        for store, path in self.where.get(oid, ()):
            try:
                return store.read(path, count)
            except Exception:  # whatever a storage's client raises; who deletes there meets it, too, and tells it
                continue
        return None

    def local_path(self, oid: str) -> Path | None:
        """The file of an object on this machine; None if there is none."""
        return next((Path(path) for store, path in self.where.get(oid, ()) if store.local), None)

    def in_cache(self, oid: str) -> bool:
        """Whether a cache holds an object."""
        return any(not store.remote for store, _ in self.where.get(oid, ()))

    def runs(self) -> Iterator[tuple[Store, bytes]]:
        """The entries of the run cache."""
        for store, listing in self._listings:
            for path in listing.runs:
                yield store, store.read(path)


def parse_list(data: bytes | None) -> Manifest | None:
    """The list of a folder's files; None where it is damaged or gone."""
    try:
        entries = json.loads(data or b"")
        return tuple((str(entry["relpath"]), str(entry.get("md5") or entry.get("checksum"))) for entry in entries)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def tracked_by(dvc_file: bytes) -> str | None:
    """The object that a .dvc file names, a folder's list or a file; None where it names none."""
    try:
        return str(yaml.safe_load(dvc_file)["outs"][0]["md5"])
    except (yaml.YAMLError, LookupError, TypeError, UnicodeDecodeError):
        return None


def lists_naming(store: Store, oids: Collection[str]) -> set[str]:
    """Lists of files in a store that name one of some objects."""
    found = set()
    for oid, paths in store.list().objects.items():
        if oid.endswith(DIR):
            manifest = parse_list(store.read(paths[0]))
            if manifest and any(part in oids for _, part in manifest):
                found.add(oid)
    return found


@dataclass
class Purged:
    """What was deleted from a store.

    Attributes:
        objects, runs, leftovers: how many objects, entries of the run cache, and files that killed transfers left.
        unsure: why nobody can tell whether the store keeps old versions of them; "" where one can.
    """

    objects: int = 0
    runs: int = 0
    leftovers: int = 0
    unsure: str = ""


def purge(
    store: Store, oids: Collection[str], all_leftovers: bool = False, before: Callable[[], object] = lambda: None
) -> Purged:
    """Delete objects, the entries of the run cache that name one, and what killed transfers left of one.

    Args:
        store: a cache or a remote.
        oids: hashes of the objects; those that are not there are passed over.
        all_leftovers: also what killed transfers left of any other object. Nothing may be transferred meanwhile.
        before: called before anything is deleted, if something is there.

    Raises:
        Exception: what `before` raises, the remote does not answer any more, or something cannot be deleted.
    """
    listing = store.list()
    wanted = sorted(oid for oid in set(oids) if listing.places(oid))
    runs = [path for path in listing.runs if _names_one(store.read(path), oids)]
    leftovers = listing.leftovers if all_leftovers else _own_leftovers(store, listing, oids)
    if wanted or runs or leftovers:
        before()
        store.delete([*runs, *leftovers])
        for lists in (False, True):  # lists of files last: as long as they are there, they say what the files were
            store.delete([path for oid in wanted if oid.endswith(DIR) is lists for path in listing.places(oid)])
    store.remove_empty_runs()
    return Purged(sum(oid in listing.objects for oid in wanted), len(runs), len(leftovers), listing.unsure)


def still_there(store: Store, oids: Collection[str]) -> list[str]:
    """Which of the objects a store holds, itself or in an entry of the run cache.

    Raises:
        Exception: the remote does not answer.
    """
    listing, asked = store.list(), set(oids)
    found = asked & listing.objects.keys()
    for path in listing.runs:
        found |= asked & _names_in(store.read(path))
    return sorted(found)


def _own_leftovers(store: Store, listing: Listing, oids: Collection[str]) -> list[str]:
    """Half-written files of the objects: those that begin as one does, or are called as a list is. Of an object that
    never came, nobody knows here how it begins: DVC writes it in the folder in which it was to lie."""
    if not listing.leftovers:
        return []
    objects = [store.read(path) for oid in oids for path in listing.objects.get(oid, ())]
    folders = {oid[:2] for oid in oids if oid not in listing.objects}
    return [
        path
        for path in listing.leftovers
        if any(f"/{oid}.unpacked/" in path.replace(os.sep, "/") for oid in oids)
        or path.replace(os.sep, "/").split("/")[-2] in folders
        or any(whole.startswith(store.read(path)) for whole in objects)
    ]


def _names_one(entry: bytes, oids: Collection[str]) -> bool:
    return not _names_in(entry).isdisjoint(oids)


def _names_in(entry: bytes) -> set[str]:
    """The objects that an entry of the run cache names."""
    return {name.decode() for name in _NAMED.findall(entry)}
