"""Since when a photo is here.

Where there is a consent for it, that says the day. Otherwise it is the day of the first commit whose list of photos has
the photo's name or its content, as far as DVC's cache still has those lists. Without git, or for a photo that no commit
has, it is the day of the file. (Files of photos that DVC has put back are younger than the photos.)
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from privacy.dvc.objects import parse_list, tracked_by
from privacy.dvc.stores import Store, Workspace
from privacy.held.first_days import remembered as first_days_before
from service.client.language import say
from stages.files.consent import Register
from stages.files.locked_files import plain_name
from stages.files.photos import CLASSES, SourcePhoto
from stages.progress import progress


def since(photos: Sequence[SourcePhoto], register: Register) -> dict[str, date]:
    """The day from which each photo's age is counted, by its path within data/.

    Args:
        photos: those asked about.
        register: the consents.
    """
    consents = {photo.path_in_data: register.find(photo.path_in_data) for photo in photos}
    days = {name: consent.given for name, consent in consents.items() if consent is not None}
    return {**first_days([photo for photo in photos if photo.path_in_data not in days]), **days}


def first_days(photos: Sequence[SourcePhoto]) -> dict[str, date]:
    """The day on which each photo came into the project, by its path within data/: by git, else by the file."""
    if not photos:
        return {}
    days = {photo.path_in_data: date.fromtimestamp(photo.path.stat().st_mtime) for photo in photos}
    known = known_days(days)
    return {name: known.get(name, day) for name, day in days.items()}


def known_days(names: Collection[str]) -> dict[str, date]:
    """The first day of photos by git, or as it was remembered, whichever is earlier; without those of neither.

    Args:
        names: paths within data/.
    """
    by_git, before = _days_bygit(names), first_days_before(names)
    both = {name: [day for day in (by_git.get(name), before.get(name)) if day is not None] for name in names}
    return {name: min(days) for name, days in both.items() if days}


def _days_bygit(wanted: Collection[str]) -> dict[str, date]:
    """The day of the first commit that has each photo; without those that no list has."""
    first_name: dict[str, date] = {}
    first_content: dict[str, date] = {}
    content: Mapping[str, str] = {}
    versions = sorted(_versions(), key=lambda version: version[0])
    cache = open_cache() if versions else None
    if cache is None:
        return {}
    for day, class_name, oid in progress(versions, len(versions), say("reading versions"), say("version")):
        for name, md5 in _list_of(cache, class_name, oid).items():
            first_name.setdefault(name, day)
            first_content.setdefault(md5, day)
    for class_name in CLASSES:
        with suppress(OSError):
            now = tracked_by(Path("data", f"{class_name}.dvc").read_bytes())
            content = {**content, **(_list_of(cache, class_name, now) if now else {})}
    found = {}
    for name in wanted:
        days = [first_name.get(name), first_content.get(content.get(name, ""))]
        known = [day for day in days if day is not None]
        if known:
            found[name] = min(known)
    return found


def _versions() -> Iterator[tuple[date, str, str]]:
    """Day, class and hash of the list of photos, for each commit of any branch that changed it."""
    for class_name in CLASSES:
        path = f"data/{class_name}.dvc"
        listed = git("log", "--all", "--format=%H %ct", "--diff-filter=AM", "--", path)
        commits = [line.split() for line in listed.decode("ascii", "replace").splitlines()]
        asked = "".join(f"{commit}:{path}\n" for commit, _ in commits).encode()
        contents = git("cat-file", "--batch", given=asked)
        for _, seconds in commits:
            head, _, contents = contents.partition(b"\n")
            size = head.rpartition(b" ")[2]
            if not size.isdigit():  # "missing": of a clone that is not whole
                continue
            oid = tracked_by(contents[: int(size)])
            contents = contents[int(size) + 1 :]
            if oid is not None:
                yield datetime.fromtimestamp(int(seconds), UTC).astimezone().date(), class_name, oid


def _list_of(cache: Store, class_name: str, oid: str) -> dict[str, str]:
    """Hash of each photo by its path within data/, as an object of the cache lists them; empty where it is gone."""
    return {f"{class_name}/{plain_name(name)}": md5 for name, md5 in parse_list(cache.read_object(oid)) or ()}


def open_cache() -> Store | None:
    """DVC's cache; None where the current folder is no project of DVC's."""
    return Workspace.open(Path()).open_cache() if Path(".dvc").is_dir() else None


def git(*arguments: str, given: bytes = b"") -> bytes:
    """What git printed; nothing where it fails, or is not there."""
    try:
        return subprocess.run(("git", *arguments), input=given, capture_output=True, check=False).stdout
    except OSError:
        return b""
