"""The versions that were stored before: deleted from DVC's cache and remotes, once what takes their place is there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from privacy.locking.derived import other_forms, text_in_git
from privacy.locking.files import is_kept_plain
from privacy.locking.objects import (
    Deletion,
    delete_objects,
    manifests,
    open_repo,
    refuse_foreign_cache,
    remote_manifests,
)
from stages.files.encryption import HEADER_BYTES, Key, LockedError, is_locked_name, read_header

EMPTY = hashlib.md5(b"", usedforsecurity=False).hexdigest()
"""The object of an empty file: it tells nothing, and others may need it."""


@dataclass(frozen=True)
class Purged:
    """What became of earlier versions.

    Attributes:
        deletion: what was deleted, and what is owed.
        older: photos of earlier versions that are in the cache and not among those that are locked now.
    """

    deletion: Deletion
    older: int


def uses_dvc(root: Path) -> bool:
    """Whether the project has DVC."""
    return (root / ".dvc").is_dir()


def check_cache(root: Path) -> None:
    """Raise a PrivacyError where the cache may be another project's too."""
    with open_repo(root) as repo:
        refuse_foreign_cache(root, repo)


def track(root: Path, folders: Iterable[Path]) -> list[Path]:
    """Have DVC store the folders as they are now, those that it tracks; returns these."""
    tracked = [folder for folder in folders if (root / f"{folder}.dvc").is_file()]
    if tracked:
        with open_repo(root) as repo:
            repo.add([str(root / folder) for folder in tracked])
    return tracked


def purge(
    root: Path,
    gone: Collection[str],
    tracked: Sequence[Path],
    all_versions: bool,
    derived: Key | None,
    old_keys: Collection[bytes] = (),
) -> Purged:
    """Delete objects that others have taken the place of, and the lists that name nothing else.

    Args:
        root: of the project.
        gone: MD5s of what must not be kept.
        tracked: folders that DVC tracks. What it stores of them now is pushed to a remote before anything is deleted
            from that, so that a remote goes on being a backup.
        all_versions: also photos of earlier versions that are in data/ no more: they are lost then.
        derived: the key that locks what is made of photos, where that is asked for: all other forms of it go.
        old_keys: ids of keys; what they open counts as plain.

    Raises:
        PrivacyError: an object of the cache cannot be deleted.
    """
    doomed = set(gone) - {EMPTY, ""}
    made, lists_of_crops = (set(), set()) if derived is None else other_forms(root, derived)
    lists, older = _lists(root, doomed, all_versions, old_keys, lists_of_crops)
    if all_versions:
        doomed |= older

    def push(repo: Any, remote: str) -> None:
        if tracked:
            repo.push(targets=[str(root / f"{folder}.dvc") for folder in tracked], remote=remote)

    return Purged(delete_objects(root, doomed | lists | made, push), 0 if all_versions else len(older))


def _lists(
    root: Path, doomed: Collection[str], all_versions: bool, old_keys: Collection[bytes], not_of_photos: Collection[str]
) -> tuple[set[str], set[str]]:
    """The lists of folders that go, and the plain photos of earlier versions that lists of these folders name."""
    lists: set[str] = set()
    older: set[str] = set()
    of_photos = _lists_in_git(root)
    with open_repo(root) as repo:
        everything = list(manifests(repo))
        seen = {name for name, _ in everything}
        for remote in repo.config["remote"]:
            try:
                everything += remote_manifests(repo, remote, lambda name: name not in seen)
            except Exception:  # delete_objects meets the same, and tells it
                continue
        for name, entries in everything:
            if name in not_of_photos:
                continue
            plain = {
                entry["md5"]
                for entry in entries
                if entry["md5"] in doomed
                or not (_is_safe(entry["relpath"]) and _key_id(repo, entry["md5"], old_keys) not in old_keys)
            } - {EMPTY}
            if not plain or (plain.isdisjoint(doomed) and name not in of_photos):
                continue
            rest = plain - set(doomed)
            older |= {md5 for md5 in rest if repo.cache.local.exists(md5) or repo.cache.legacy.exists(md5)}
            if not rest or all_versions:
                lists.add(name)
    return lists, older


def _key_id(repo: Any, md5: str, old_keys: Collection[bytes]) -> bytes | None:
    """Which key locked an object of the cache; None where it is not there, or nobody asks."""
    path = Path(repo.cache.local.oid_to_path(md5))
    try:
        with path.open("rb") as file:
            return read_header(file.read(HEADER_BYTES), path).key_id if old_keys else None
    except (OSError, LockedError):
        return None


def _is_safe(relpath: str) -> bool:
    name = PurePosixPath(relpath).name
    return is_locked_name(name) or is_kept_plain(name)


def _lists_in_git(root: Path) -> set[str]:
    """The lists that data/me.dvc and data/not_me.dvc have ever named; nothing where there is no git."""

    text = text_in_git(root, "data/me.dvc", "data/not_me.dvc")
    return set(re.findall(r"\bmd5: ([0-9a-f]{32}\.dir)\b", text))
