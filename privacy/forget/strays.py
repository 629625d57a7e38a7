"""Files of a working tree that show the person and that no stage made: copies, archives, notebooks, backups."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from privacy.folder import STATE
from privacy.forget.evidence import Evidence
from privacy.forget.exports import is_export
from privacy.forget.git import files_in_git
from privacy.forget.kept import md5_of
from privacy.forget.packed import is_packed, without
from privacy.forget.project import Project
from privacy.forget.versions import is_project
from service.client.language import say
from stages.files.encryption import LockedError
from stages.files.locked_files import reveal
from stages.progress import progress

LARGEST = 512 * 2**20
SHIPPED = ("demo/", "docs/pictures/")
"""Portraits of people who do not exist, which come with the project and are in git, and pictures of pages with them."""
_OF_FORGET = tuple((STATE / name).as_posix() for name in ("forget.json", "names.json", "owed.json", "certificates"))
_TEMPORARY = (".db", ".swp", ".swo", "~", ".tmp", ".part", ".crdownload", ".DS_Store")
"""How files end that file managers, editors and browsers have made: they can be deleted as a whole."""


@dataclass
class Strays:
    """What was found in a working tree; paths within it.

    Attributes:
        files: they go as a whole.
        packed: archives and texts that are written anew without the person.
        own: the user's own, of other programs: nothing can be taken out of them here.
    """

    files: list[str] = field(default_factory=list)
    packed: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)


def find_strays(
    project: Project, root: Path, evidence: Evidence, looked: Collection[str], going: Sequence[str]
) -> Strays:
    """Look into every file of a working tree.

    Args:
        project: whose.
        root: of the project in this working tree.
        evidence: by what a file is told to hold something of the person.
        looked: MD5 of what was looked into already, and holds nothing of them.
        going: paths that go anyway, with what lies in them.
    """
    found = Strays()
    files = [path for path in files_of(project, root) if not _lies_in(path.relative_to(root).as_posix(), going)]
    for path in progress(files, len(files), say("looking through the folder"), say("file")):
        name = path.relative_to(root).as_posix()
        try:
            if path.stat().st_size > LARGEST or md5_of(path) in looked:
                continue
            data = reveal(path.read_bytes(), path)
        except (OSError, LockedError):  # a link that leads nowhere; what is locked is told by its hash elsewhere
            continue
        _judge(found, name, data, evidence)
    return found


def _judge(found: Strays, name: str, data: bytes, evidence: Evidence) -> None:
    """Say what becomes of a file."""
    inside = evidence.inside(data)
    if inside and is_packed(data) and not is_export(data):
        (found.files if without(data, evidence.goes) is None else found.packed).append(name)
    elif evidence.goes("", data) or (inside and (name.endswith(_TEMPORARY) or is_export(data))):
        found.files.append(name)
    elif inside:
        found.own.append(name)


def files_of(project: Project, root: Path) -> Iterator[Path]:
    """Every file below the project's folder but git's, those of caches, remotes and packages, and what is shipped.

    Other projects of DVC's in it are not looked into: each has versions of its own.
    """
    passed_over = {Path(os.path.realpath(store.path)) for store in project.stores if store.local}
    passed_over |= {root / name for name in (".git", ".dvc/tmp", "data/remembered")}
    shipped = files_in_git(root, *SHIPPED) if project.has_git else set()
    for parent, folders, files in os.walk(root):
        here = Path(parent)
        folders[:] = sorted(
            name
            for name in folders
            if here / name not in passed_over
            and name != "__pycache__"
            and not (here / name / "pyvenv.cfg").is_file()
            and not is_project(here, name)
        )
        for name in sorted(files):
            path = here / name
            relative = path.relative_to(root).as_posix()
            if not relative.startswith(_OF_FORGET) and relative not in shipped and path.is_file():
                yield path


def _lies_in(name: str, places: Sequence[str]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)
