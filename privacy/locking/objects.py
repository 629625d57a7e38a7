"""Objects of DVC, deleted wherever DVC keeps them: in the cache, on the remotes, and from the run cache's entries.

An object is what DVC stores of one file (its MD5) or of the list of a folder's files (its MD5 and ".dir"). Only what is
named is deleted. A remote that cannot be reached keeps its objects for now: they are owed,
private/privacy/owed_by_lock.json remembers them, and every later call tries again.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from faces.files import write_text
from privacy.errors import PrivacyError

OWED = Path("private/privacy/owed_by_lock.json")
CACHE = "the DVC cache"
_HASH_NAMES = ("md5", "md5-dos2unix")  # of DVC 3, and of the versions before
_OBJECT = re.compile(r"[0-9a-f]{32}(\.dir)?")
_OBJECT_PATH = re.compile(r"(?:files/md5/)?([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)")


@dataclass
class Deletion:
    """What became of some objects.

    Attributes:
        deleted: how many objects and run-cache entries are gone now, by place: `CACHE`, or the name of a remote.
        owed: why a remote could not be asked, by its name.
    """

    deleted: dict[str, int] = field(default_factory=dict)
    owed: dict[str, str] = field(default_factory=dict)


@contextmanager
def open_repo(root: Path) -> Iterator[Any]:
    """DVC's repository, closed at the end."""
    from dvc.repo import Repo  # seconds to import

    repo = Repo(str(root))
    try:
        yield repo
    finally:
        repo.close()


def delete_objects(
    root: Path, md5s: Collection[str], before_remote: Callable[[Any, str], None] | None = None
) -> Deletion:
    """Delete objects from the cache and from every remote that is configured, and what an earlier call still owes.

    Args:
        root: of the project.
        md5s: the objects' names, such as "d8e8fca2dc0f896fd7cb4cb0031ba249", or with ".dir" for a folder's list.
        before_remote: called with the repository and a remote's name before anything is deleted from it, if something
            is there. What it raises makes the remote owe.

    Raises:
        PrivacyError: an object of the cache cannot be deleted, or the cache lies outside the project.
    """
    wrong = [name for name in md5s if not _OBJECT.fullmatch(name)]
    if wrong:
        raise ValueError(f"no names of objects: {wrong[:3]}")
    result = Deletion()
    with open_repo(root) as repo:
        refuse_foreign_cache(root, repo)
        addresses = {name: str(settings.get("url", "")) for name, settings in repo.config["remote"].items()}
        debts = _read_owed(root)
        for name, url in addresses.items():  # written first: a kill from here on is made good by the next call
            debts.setdefault((name, url), set()).update(md5s)
        _write_owed(root, debts)
        result.deleted[CACHE] = _delete_from_cache(repo, md5s)
        for name, url in list(debts):
            if addresses.get(name) != url:
                result.owed[name] = f"it is no longer configured with the address {url}"
                continue
            try:
                result.deleted[name] = _delete_from_remote(repo, name, debts[name, url], before_remote)
            except Exception as error:  # whatever a storage's client raises: it has not been done
                result.owed[name] = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            else:
                del debts[name, url]
                _write_owed(root, debts)
    return result


def read_owed(root: Path) -> dict[str, int]:
    """How many objects are still to be deleted, by remote."""
    counts: dict[str, int] = {}
    for (name, _), md5s in _read_owed(root).items():
        counts[name] = counts.get(name, 0) + len(md5s)
    return counts


def refuse_foreign_cache(root: Path, repo: Any) -> None:
    """Raise a PrivacyError where the cache may be another project's too."""
    cache = Path(repo.cache.local_cache_dir).resolve()
    if not cache.is_relative_to(root.resolve()):
        raise PrivacyError(
            "the DVC cache {cache} lies outside the project, so it may be another project's, too, and nothing is "
            "deleted there. Give this project a cache of its own ('dvc cache dir --unset', or --local, then 'dvc "
            "checkout'), and delete the other one where nobody else needs it",
            cache=cache,
        )


def manifests(repo: Any, known: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The lists of folders in the cache: name of the object, and its entries (`relpath`, `md5`).

    Args:
        repo: DVC's.
        known: whether a list is wanted, given the object's name.
    """
    for odb in (repo.cache.local, repo.cache.legacy):
        folder = Path(odb.path)
        for path in sorted(folder.glob("[0-9a-f][0-9a-f]/*.dir")):
            name = path.parent.name + path.name
            if _OBJECT.fullmatch(name) and known(name):
                try:
                    yield name, json.loads(path.read_bytes())
                except (OSError, ValueError):
                    continue


def remote_manifests(
    repo: Any, remote: str, known: Callable[[str], bool]
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The same of a remote; raises what its client raises."""
    fs, root = _storage(repo, remote)
    for path, name in _objects_in(fs, root):
        if name.endswith(".dir") and known(name):
            with fs.open(path, "rb") as file:
                yield name, json.loads(file.read())


def object_heads(repo: Any, md5s: Collection[str], count: int) -> Iterator[tuple[str, bytes]]:
    """The first bytes of objects, wherever one is: in the cache, else on a remote that can be reached.

    Args:
        repo: DVC's.
        md5s: the objects' names.
        count: how many bytes.
    """
    missing = set(md5s)
    for odb in (repo.cache.local, repo.cache.legacy):
        for name in md5s:
            path = Path(odb.oid_to_path(name))
            if name in missing and path.is_file():
                with path.open("rb") as file:
                    yield name, file.read(count)
                missing.discard(name)
    for remote in repo.config["remote"] if missing else ():
        try:
            fs, root = _storage(repo, remote)
            for where, name in _objects_in(fs, root):
                if name in missing:
                    with fs.open(where, "rb") as file:
                        yield name, file.read(count)
                    missing.discard(name)
        except Exception:  # delete_objects meets the same, and tells it
            continue


def _storage(repo: Any, remote: str) -> tuple[Any, str]:
    """File system of a remote, and the path of its root there."""
    odb = repo.cloud.get_remote_odb(name=remote, command="privacy", hash_name="md5-dos2unix")
    if isinstance(odb.fs.protocol, str) and odb.fs.protocol == "local" and not Path(odb.path).is_dir():
        raise PrivacyError(
            "{path} is not there: connect the disk, or remove the remote if it was never used", path=odb.path
        )
    return odb.fs, odb.path


def _objects_in(fs: Any, root: str) -> Iterator[tuple[str, str]]:
    """Path and name of every object of a remote, of DVC 3 and of the versions before."""
    for path in fs.find(root):
        if found := _OBJECT_PATH.fullmatch(fs.as_posix(fs.relpath(path, root))):
            yield path, found[1] + found[2]


# The cache


def _delete_from_cache(repo: Any, md5s: Collection[str]) -> int:
    count = 0
    for odb in (repo.cache.local, repo.cache.legacy):
        for name in md5s:
            count += _remove(Path(odb.oid_to_path(name)))
    runs = Path(repo.cache.legacy.path) / "runs"
    for path in runs.rglob("*") if runs.is_dir() else []:
        if path.is_file() and _names_one(path.read_bytes(), md5s):
            count += _remove(path)
    return count


def _remove(path: Path) -> int:
    try:
        if os.name == "nt":
            path.chmod(stat.S_IWRITE)  # objects are read-only
        path.unlink()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise PrivacyError(
            "{path} of the DVC cache cannot be deleted ({reason}): give yourself the right to, and run it again",
            path=path,
            reason=error.strerror,
        ) from None
    return 1


def _names_one(entry: bytes, md5s: Collection[str]) -> bool:
    """Whether an entry of the run cache names one of some objects."""
    named = {name.decode() for name in re.findall(rb"\b[0-9a-f]{32}(?:\.dir)?", entry)}
    return not named.isdisjoint(md5s)


# Remotes


def _delete_from_remote(
    repo: Any, remote: str, md5s: Collection[str], before: Callable[[Any, str], None] | None
) -> int:
    from dvc_data.hashfile.db import get_index

    fs, root = _storage(repo, remote)
    # Listed, not asked for one by one: DVC's own question deletes what it takes for damaged.
    paths = [path for path, name in _objects_in(fs, root) if name in md5s]
    paths += _run_entries(fs, fs.join(root, "runs"), md5s)
    if paths:
        if before is not None:
            before(repo, remote)
        fs.remove(paths)
        for hash_name in _HASH_NAMES:  # DVC remembers what is there, and would never push it again
            odb = repo.cloud.get_remote_odb(name=remote, command="privacy", hash_name=hash_name)
            index = get_index(odb)
            index.clear()
            index.close()
    return len(paths)


def _run_entries(fs: Any, runs: str, md5s: Collection[str]) -> list[str]:
    """Paths of the run cache's entries that name one of some objects."""
    found = []
    for path in fs.find(runs) if fs.exists(runs) else []:
        with fs.open(path, "rb") as file:
            if _names_one(file.read(), md5s):
                found.append(path)
    return found


# What is owed


def _read_owed(root: Path) -> dict[tuple[str, str], set[str]]:
    """Objects by name and address of a remote."""
    try:
        entries = json.loads((root / OWED).read_text(encoding="utf-8"))
        return {(entry["remote"], entry["url"]): set(entry["objects"]) for entry in entries}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        raise PrivacyError(
            "{path} cannot be read: it says what is still to be deleted on remotes. Mend it, or move it away, and run "
            "'python -m privacy lock' again",
            path=root / OWED,
        ) from None


def _write_owed(root: Path, debts: dict[tuple[str, str], set[str]]) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entries = [
        {"remote": name, "url": url, "objects": sorted(md5s), "asked": now}
        for (name, url), md5s in sorted(debts.items())
        if md5s
    ]
    if entries:
        write_text(root / OWED, json.dumps(entries, indent=1) + "\n")
    else:
        (root / OWED).unlink(missing_ok=True)
