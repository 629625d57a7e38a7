"""Deleting objects and entries of the run cache from caches and remotes, and what a remote that is away is owed."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from faces.files import write_bytes
from faces.message import Message
from privacy.forget.kept import DIR, parse_list
from privacy.forget.project import STATE, Project, Unreachable
from privacy.forget.versions import read_run
from privacy.objects import Listing, Store
from stages.progress import progress

OWED = STATE / "owed.json"


@dataclass
class Purged:
    """What was deleted from a store: objects and entries of the run cache."""

    objects: int = 0
    runs: int = 0
    leftovers: int = 0


def purge(store: Store, kinds: Collection[str], unproven: Collection[str] = ()) -> Purged:
    """Delete objects, the entries of the run cache that name one, and what killed transfers left.

    Args:
        store: a cache or a remote.
        kinds: hashes of the objects.
        unproven: more of them, of caches alone: in a remote they may be another project's.

    Raises:
        Exception: the remote does not answer any more, or something cannot be deleted.
    """
    listing = store.list()
    wanted = set(kinds) if store.remote else {*kinds, *unproven}
    done = Purged()
    for path in _runs_naming(store, listing, wanted):
        store.delete(path)
        done.runs += 1
    for path in _own_leftovers(store, listing, wanted):
        store.delete(path)
        done.leftovers += 1
    # Lists of files last: as long as they are there, they say what the files were.
    going = sorted((oid.endswith(DIR), oid) for oid in wanted if oid in listing.objects or oid in listing.traces)
    for _, oid in progress(going, len(going), Message("deleting"), Message("object")):
        for path in (*listing.objects.get(oid, ()), *listing.traces.get(oid, ())):
            store.delete(path)
        done.objects += oid in listing.objects
    return done


def _runs_naming(store: Store, listing: Listing, oids: Collection[str]) -> list[str]:
    """Entries of the run cache that name one of the objects."""
    found = []
    for path in listing.runs:
        made = read_run(store.read(path))
        if any(item.oid in oids for item in (*made.deps, *made.outs)):
            found.append(path)
    return found


def _own_leftovers(store: Store, listing: Listing, oids: Collection[str]) -> list[str]:
    """Half-written files: all those of a cache, which is locked; of a remote those that begin as an object does."""
    if not store.remote:
        return listing.leftovers
    if not listing.leftovers:
        return []
    objects = [store.read(path) for oid in oids for path in listing.objects.get(oid, ())]
    return [
        path
        for path in listing.leftovers
        if any(f"/{oid}.unpacked/" in path.replace(os.sep, "/") for oid in oids)
        or any(whole.startswith(store.read(path)) for whole in objects)
    ]


def still_there(store: Store, oids: Collection[str]) -> list[str]:
    """Which of the objects a store holds, itself or in an entry of the run cache.

    Raises:
        Exception: the remote does not answer.
    """
    listing = store.list()
    found = {oid for oid in oids if oid in listing.objects}
    for path in listing.runs:
        made = read_run(store.read(path))
        found.update(item.oid for item in (*made.deps, *made.outs) if item.oid in oids)
    return sorted(found)


# What remotes are owed ------------------------------------------------------------------------------------------------


@dataclass
class Debt:
    """What a remote that was away still has to lose.

    Attributes:
        name, address: of the remote.
        since: UTC.
        reason: why it could not be done.
        oids: hashes of the objects.
    """

    name: str
    address: str
    since: str
    reason: str
    oids: list[str]


def read_debts(root: Path) -> list[Debt]:
    """What remotes are owed; nothing if no remote was away. `python -m privacy status` shows it.

    Args:
        root: of the project.
    """
    path = root / OWED
    if not path.is_file():
        return []
    return [Debt(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def owe(root: Path, remotes: Collection[Unreachable], oids: Collection[str], now: str) -> None:
    """Write down what remotes are owed, beside what they are owed already."""
    debts = {(debt.name, debt.address): debt for debt in read_debts(root)}
    for remote in remotes:
        before = debts.get((remote.name, remote.address))
        known = set(before.oids) if before else set()
        since = before.since if before else now
        debts[remote.name, remote.address] = Debt(
            remote.name, remote.address, since, remote.reason, sorted(known | set(oids))
        )
    write_debts(root, list(debts.values()))


def write_debts(root: Path, debts: Collection[Debt]) -> None:
    """Write what remotes are owed; no file where that is nothing."""
    path = root / OWED
    if not debts:
        path.unlink(missing_ok=True)
        return
    text = json.dumps([vars(debt) for debt in debts], indent=1, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode(), 0o600)


def pay(project: Project) -> Mapping[str, Purged]:
    """Delete what is owed in every remote that answers again; returns what was deleted, by the remote's name."""
    debts = read_debts(project.root)
    stores = {store.name: store for store in project.stores if store.remote}
    done: dict[str, Purged] = {}
    open_debts = []
    for debt in debts:
        store = stores.get(debt.name)
        if store is None:
            open_debts.append(debt)
            continue
        oids = set(debt.oids)
        done[debt.name] = purge(store, oids | _lists_naming(store, oids))
        write_debts(project.root, [*open_debts, *debts[debts.index(debt) + 1 :]])
    return done


def _lists_naming(store: Store, oids: Collection[str]) -> set[str]:
    """Lists of files in a remote that name one of the objects: while it was away, nobody could read them."""
    found = set()
    for oid, paths in store.list().objects.items():
        if oid.endswith(DIR):
            manifest = parse_list(store.read(paths[0]))
            if manifest and any(part in oids for _, part in manifest):
                found.add(oid)
    return found
