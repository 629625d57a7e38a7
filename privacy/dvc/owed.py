"""What remotes are owed: objects that `forget` or `lock` still has to delete there, on the disk until it is done.

A debt is written down before anything is deleted, and taken out when all of it is. So a remote that is away, or a run
that is killed, is made good by the next `forget` or `lock`, or by `python -m privacy forget --owed`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from faces.message import Message
from privacy.dvc.objects import Purged, lists_naming, parse_list, purge, tracked_by
from privacy.dvc.stores import Store, Unreachable, Workspace, open_repo, reason_of, without_secret
from privacy.errors import PrivacyError
from privacy.folder import STATE, write_private
from stages.files.paths import DATA
from stages.files.photos import CLASSES

OWED = STATE / "owed.json"
OWED_BY_LOCK = STATE / "owed_by_lock.json"
"""Where earlier versions of `lock` wrote down what they owed. It is read, and goes when `OWED` is next written."""

Command = Literal["forget", "lock"]
"""Who owes something."""

T = TypeVar("T")

_HASH_NAMES = ("md5", "md5-dos2unix")  # of DVC 3, and of the versions before


class Debt(msgspec.Struct):
    """What a remote still has to lose.

    Attributes:
        name, address: of the remote.
        since: UTC, ISO 8601.
        reason: why it could not be done; "" if it has not been tried yet.
        oids: hashes of the objects.
        by: the command that owes it. For `forget`, lists of files that name one of the objects go, too. For `lock`, the
            remote first gets the photos as they are stored now, so that it goes on being a backup.
    """

    name: str
    address: str
    since: str
    reason: str
    oids: list[str]
    by: Command = "forget"


class _DebtOfLock(msgspec.Struct):
    """An entry of `OWED_BY_LOCK`."""

    remote: str
    url: str
    objects: list[str]
    asked: str


@dataclass
class Payment:
    """What became of debts.

    Attributes:
        done: what was deleted, by the remote's name.
        owed: the debts that are still open; their reason says why.
    """

    done: dict[str, Purged] = field(default_factory=dict)
    owed: list[Debt] = field(default_factory=list)


def read_debts(root: Path) -> list[Debt]:
    """What remotes are owed; nothing is written. `python -m privacy status` shows it.

    Args:
        root: of the project.

    Raises:
        PrivacyError: what was written down cannot be read.
    """
    return _merged(
        [
            *_read(root / OWED, Debt),
            *(
                Debt(old.remote, old.url, old.asked, "", old.objects, "lock")
                for old in _read(root / OWED_BY_LOCK, _DebtOfLock)
            ),
        ]
    )


def _read(path: Path, kind: type[T]) -> list[T]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[kind])  # type: ignore[valid-type]  # a variable
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise PrivacyError(
            "{path} cannot be read ({error}), and it says what is still to be deleted on remotes: mend it, or move it "
            "away, and run this again",
            path=path,
            error=error,
        ) from error


def _merged(debts: Iterable[Debt]) -> list[Debt]:
    """One debt for what each command owes each remote: all of its objects, since the first day, for the last reason."""
    found: dict[tuple[str, str, str], Debt] = {}
    for debt in debts:
        address = without_secret(debt.address)  # earlier versions wrote it down
        key = debt.name, address, debt.by
        before = found.get(key, debt)
        oids = sorted({*before.oids, *debt.oids})
        since = min(before.since, debt.since)
        found[key] = Debt(debt.name, address, since, debt.reason or before.reason, oids, debt.by)
    return list(found.values())


def _write(root: Path, debts: Collection[Debt]) -> None:
    """Write what remotes are owed; no file where that is nothing."""
    path = root / OWED
    if debts:
        write_private(path, msgspec.json.format(msgspec.json.encode(list(debts)), indent=1) + b"\n")
    else:
        path.unlink(missing_ok=True)
    (root / OWED_BY_LOCK).unlink(missing_ok=True)  # last: until now, what it says stands nowhere else


def owe(root: Path, remotes: Iterable[Store | Unreachable], oids: Collection[str], by: Command, now: str) -> None:
    """Write down what remotes are owed, beside what they are owed already.

    Args:
        root: of the project.
        remotes: those that are to lose objects.
        oids: hashes of the objects.
        by: the command that owes it.
        now: UTC, ISO 8601.

    Raises:
        PrivacyError: what was written down before cannot be read.
    """
    new = []
    for remote in remotes:
        reason = remote.reason if isinstance(remote, Unreachable) else ""
        # Plain text: a message is none for msgspec, and the file is in English.
        new.append(Debt(str(remote.name), remote.address, now, str(reason), [*oids], by))
    _write(root, _merged([*read_debts(root), *new]))


def pay(
    workspaces: Sequence[Workspace],
    stores: Iterable[Store],
    unreachable: Iterable[Unreachable],
    by: Command | None = None,
) -> Payment:
    """Delete what is owed on every remote that answers. DVC must not be locked by this process.

    Args:
        workspaces: the project's working trees, that whose debts they are first.
        stores: where things are kept; caches are passed over.
        unreachable: remotes that do not answer, for the reason.
        by: whose debts, others wait; None for all. For those of `lock`, the cache must have all that DVC tracks.

    Raises:
        PrivacyError: what was written down cannot be read.
    """
    root = workspaces[0].root
    remotes = [store for store in stores if store.remote]
    away = {(gone.name, gone.address): gone.reason for gone in unreachable}
    payment, waiting = Payment(), read_debts(root)
    for debt in [debt for debt in waiting if by in (None, debt.by)]:
        store = _store_of(debt, remotes)
        if store is None:
            strange = Message("no remote is configured with the address {address} any more", address=debt.address)
            debt.reason = str(away.get((debt.name, debt.address), strange))
        else:
            try:
                done = _delete(workspaces, store, debt)
            except Exception as error:  # whatever a storage's client raises: it has not been done
                debt.reason = reason_of(error)
            else:
                before = payment.done.get(debt.name, Purged())
                payment.done[debt.name] = Purged(
                    before.objects + done.objects, before.runs + done.runs, before.leftovers + done.leftovers
                )
                if done.unsure:
                    text = "nobody can tell whether it keeps what was deleted as old versions: {reason}"
                    debt.reason = str(Message(text, reason=done.unsure))
                else:
                    waiting.remove(debt)
        _write(root, waiting)
    payment.owed = waiting
    return payment


def _store_of(debt: Debt, remotes: Collection[Store]) -> Store | None:
    """The remote at that address: of that name, or of the one that it has been given since."""
    there = [store for store in remotes if store.address == debt.address]
    return next((store for store in there if store.name == debt.name), there[0] if there else None)


def _delete(workspaces: Sequence[Workspace], store: Store, debt: Debt) -> Purged:
    oids = set(debt.oids)
    if debt.by == "lock":
        oids -= _stored_now(workspaces[0])
        done = purge(store, oids, before=lambda: _push(workspaces[0].root, store.name))
    else:
        if debt.reason:  # while it was away, nobody could read the lists in it
            oids |= lists_naming(store, oids)
        done = purge(store, oids)
    for workspace in workspaces:
        if store.name in workspace.remotes():
            _forget_index(workspace.root, store.name)
    return done


def _dvc_files(root: Path) -> list[Path]:
    """The .dvc files of the photos that there are."""
    return [path for name in CLASSES if (path := root / DATA / f"{name}.dvc").is_file()]


def _stored_now(workspace: Workspace) -> set[str]:
    """The objects of the photos as DVC tracks them now: they may have been unlocked since they were to go."""
    found: set[str] = set()
    cache = workspace.open_cache()
    for path in _dvc_files(workspace.root):
        oid = tracked_by(path.read_bytes())
        if oid is not None:
            found |= {oid, *(part for _, part in parse_list(cache.read_object(oid)) or ())}
    return found


def _push(root: Path, remote: str) -> None:
    """Have the remote hold the photos as DVC tracks them now."""
    targets = [str(path) for path in _dvc_files(root)]
    if targets:
        with open_repo(root) as repo:
            repo.push(targets=targets, remote=remote)


def _forget_index(root: Path, remote: str) -> None:
    """Let DVC look again at what a remote holds: it would never push again what it remembers to be there."""
    from dvc_data.hashfile.db import get_index

    with open_repo(root) as repo:
        for hash_name in _HASH_NAMES:
            index = get_index(repo.cloud.get_remote_odb(name=remote, command="privacy", hash_name=hash_name))
            index.clear()
            index.close()
