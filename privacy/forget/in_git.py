"""Pictures of the person in git's own store: nothing is taken out of that here, but it has to be said.

The project's repository is looked into, and those that lie in it: submodules, clones, mirrors, bundles.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from privacy.errors import PrivacyError
from privacy.folder import STATE, make_private
from privacy.forget.evidence import Evidence
from privacy.forget.git import blobs_of, git
from privacy.forget.project import Project
from privacy.forget.strays import SHIPPED, is_repository
from service.client.language import say
from stages.progress import progress

_LARGEST = 128 * 2**20
_AT_ONCE = 256 * 2**20
_BUNDLE = b"# v"
_OBJECTS = ("objects/pack", *(f"objects/{number:02x}" for number in range(256)))
"""Folders of git's store that git itself reads."""


def find_in_git(project: Project, evidence: Evidence) -> list[str]:
    """Look into everything that git has stored, whether or not a branch leads to it.

    Args:
        project: whose.
        evidence: by what a file is told to hold something of the person.

    Returns:
        Paths of files that do; a blob's hash where nothing says any more what it was called. Those of other
        repositories stand behind the path of these.

    Raises:
        PrivacyError: git does not read the project's own repository.
    """
    found: list[str] = []
    stores: list[Path] = []
    if project.has_git:
        found += _look(project.root, evidence)
        stores.append(Path(project.root, os.fsdecode(git(project.root, "rev-parse", "--git-common-dir").strip())))
    inside = [path for root in [project.root, *stores] for path in _repositories(root)]
    for path in dict.fromkeys(inside):
        try:
            found += [f"{_name(project, path)}: {name}" for name in _look(path, evidence)]
        except PrivacyError:  # the beginning of one, or damaged
            continue
        stores.append(path)
    for store in dict.fromkeys(path.resolve() for path in stores):
        found += [_name(project, path) for path in _loose(store) if evidence.of(path.read_bytes())]
    found += [_name(project, path) for path in _bundles(project.root) if _shows(project, path, evidence)]
    return sorted(set(found))


def _look(root: Path, evidence: Evidence) -> list[str]:
    """Files of a repository that show the person."""
    names = _names(root)
    found = []
    what = "--batch-check=%(objecttype) %(objectname) %(objectsize)"
    listed = [line.split() for line in git(root, "cat-file", "--batch-all-objects", what).splitlines()]
    blobs = {words[1].decode(): int(words[2]) for words in listed if words[0] == b"blob"}
    wanted = [
        blob
        for blob, size in blobs.items()
        if size <= _LARGEST and not any(name.startswith(SHIPPED) for name in names.get(blob, ()))
    ]
    contents = (pair for part in _parts(wanted, blobs) for pair in blobs_of(root, part))
    for blob, data in progress(contents, len(wanted), say("looking into git"), say("file")):
        if evidence.of(data):
            found.append(min(names.get(blob, ()), default=blob))
    return found


def _name(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else str(path)


def _repositories(root: Path) -> Iterator[Path]:
    """The stores of git below a folder, but its own: of clones, submodules and mirrors."""
    for parent, folders, _ in os.walk(root):
        here = Path(parent)
        if is_repository(here) and here not in (root, root / ".git"):
            yield here
        folders[:] = [name for name in folders if here / name != root / ".git" and name != "objects"]


def _loose(store: Path) -> Iterator[Path]:
    """Files in git's folder that git does not take for objects: those of git-lfs, what killed commands left."""
    for parent, folders, files in os.walk(store):
        here = Path(parent)
        folders[:] = [name for name in folders if not is_repository(here / name)]
        git_reads = here.relative_to(store).as_posix() in _OBJECTS
        paths = (here / name for name in files if not git_reads or name.startswith("tmp_"))
        yield from (path for path in paths if path.is_file() and path.stat().st_size <= _LARGEST)


def _bundles(root: Path) -> Iterator[Path]:
    """Files that `git bundle` has written."""
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git" and Path(parent, name) != root / ".dvc" / "cache"]
        for path in (Path(parent, name) for name in files):
            try:
                if not path.is_file():  # a pipe would wait for ever
                    continue
                with path.open("rb") as file:
                    beginning = file.read(16)
            except OSError:
                continue
            if beginning.startswith(_BUNDLE) and b" git bundle" in beginning:
                yield path


def _shows(project: Project, path: Path, evidence: Evidence) -> bool:
    """Whether a bundle holds something that shows the person."""
    make_private(project.root / STATE)
    with tempfile.TemporaryDirectory(prefix=".bundle.", suffix=".tmp", dir=project.root / STATE) as name:
        folder = Path(name)
        try:
            git(folder, "init", "--quiet", "--bare", ".")
            if project.has_git:  # a bundle may need commits that it does not hold
                objects = git(project.root, "rev-parse", "--git-path", "objects").decode().strip()
                own = f"{Path(project.root, objects)}\n"
                (folder / "objects/info/alternates").write_text(own, encoding="utf-8")
            git(folder, "bundle", "unbundle", str(path))
            (folder / "objects/info/alternates").unlink(missing_ok=True)
            return bool(_look(folder, evidence))
        except PrivacyError:  # damaged
            return False


def _names(root: Path) -> dict[str, set[str]]:
    """What the files of all commits are called, by blob."""
    found: dict[str, set[str]] = defaultdict(set)
    listing = ("rev-list", "--objects", "--all", "--reflog", "--indexed-objects", "--missing=allow-any")
    for line in git(root, *listing).split(b"\n"):
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
