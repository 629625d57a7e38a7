"""Pictures of the person in git's own history: nothing is taken out of that here, but it has to be said."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator

from privacy.forget.evidence import Evidence
from privacy.forget.git import blobs_of, git
from privacy.forget.project import Project
from privacy.forget.strays import SHIPPED
from service.client.language import say
from stages.progress import progress

_LARGEST = 128 * 2**20
_AT_ONCE = 256 * 2**20


def find_in_git(project: Project, evidence: Evidence) -> list[str]:
    """Look into everything that git has stored, whether or not a branch leads to it.

    Args:
        project: whose.
        evidence: by what a file is told to hold something of the person.

    Returns:
        Paths of files that do; a blob's hash where nothing says any more what it was called.
    """
    if not project.has_git:
        return []
    names = _names(project)
    found = []
    what = "--batch-check=%(objecttype) %(objectname) %(objectsize)"
    listed = [line.split() for line in git(project.root, "cat-file", "--batch-all-objects", what).splitlines()]
    blobs = {words[1].decode(): int(words[2]) for words in listed if words[0] == b"blob"}
    wanted = [
        blob
        for blob, size in blobs.items()
        if size <= _LARGEST and not any(name.startswith(SHIPPED) for name in names.get(blob, ()))
    ]
    contents = (pair for part in _parts(wanted, blobs) for pair in blobs_of(project.root, part))
    for blob, data in progress(contents, len(wanted), say("looking into git"), say("file")):
        if evidence.of(data):
            found.append(min(names.get(blob, ()), default=blob))
    return sorted(set(found))


def _names(project: Project) -> dict[str, set[str]]:
    """What the files of all commits are called, by blob."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in git(project.root, "rev-list", "--objects", "--all", "--reflog", "--indexed-objects").split(b"\n"):
        blob, _, name = line.partition(b" ")
        if name:
            found[blob.decode()].add(os.fsdecode(name))
    return found


def _parts(blobs: list[str], sizes: dict[str, int]) -> Iterator[list[str]]:
    part: list[str] = []
    for blob in blobs:
        if part and sum(sizes[other] for other in part) + sizes[blob] > _AT_ONCE:
            yield part
            part = []
        part.append(blob)
    yield part
