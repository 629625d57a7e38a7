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
from privacy.forget.packed import is_closed, is_packed, without
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
OF_DVC = tuple(f".dvc/tmp/{name}" for name in ("exps", "index", "links", "md5s", "state", "repos"))
"""Folders of DVC's that go anyway."""
_MADE_AGAIN = (".dvc/tmp/", "dvc_plots/")
"""What DVC makes again when it needs it, or `dvc plots` does: it goes also where it only names them."""
_TEMPORARY = (".db", ".swp", ".swo", "~", ".tmp", ".part", ".crdownload", ".DS_Store")
"""How files end that file managers, editors and browsers have made: they can be deleted as a whole."""


@dataclass
class Strays:
    """What was found in a working tree; paths within it.

    Attributes:
        files: they go as a whole. One outside the working tree, in a cache or a remote, has its full path.
        packed: archives and texts that are written anew without the person.
        own: the user's own, of other programs: nothing can be taken out of them here.
        closed: what nobody can look into here.
    """

    files: list[str] = field(default_factory=list)
    packed: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


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
    in_git = files_in_git(root) if project.has_git else set()
    files = [path for path in files_of(project, root, found.closed) if not _lies_in(name_of(path, root), going)]
    for path in progress(files, len(files), say("looking through the folder"), say("file")):
        name = name_of(path, root)
        try:
            if path.stat().st_size > LARGEST:
                found.closed.append(name)
                continue
            if md5_of(path) in looked:
                continue
            data = reveal(path.read_bytes(), path)
        except LockedError:  # what is locked is told by its hash elsewhere
            continue
        except OSError:
            found.closed.append(name)
            continue
        if name not in in_git and evidence.is_theirs_by_folder(name, data):
            found.files.append(name)
            continue
        _judge(found, name, data, evidence)
        if (is_closed(data) or _is_model(data)) and name not in found.files:
            found.closed.append(name)
    return found


def _is_model(data: bytes) -> bool:
    """Whether a file is a model of scikit-learn: that of a run that is not kept may have been made of anybody."""
    return data[:1] == b"\x80" and b"sklearn" in data[:4096]


def name_of(path: Path, root: Path) -> str:
    """A file's path within a working tree, with "/"; its full path where it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _judge(found: Strays, name: str, data: bytes, evidence: Evidence) -> None:
    """Say what becomes of a file."""
    inside = evidence.inside(data)
    if name.startswith(_MADE_AGAIN) and (evidence.of(data) or evidence.named_in(data)):
        found.files.append(name)
    elif inside and is_packed(data) and not is_export(data):
        (found.files if without(data, evidence.goes) is None else found.packed).append(name)
    elif evidence.goes("", data) or (inside and (name.endswith(_TEMPORARY) or is_export(data))):
        found.files.append(name)
    elif inside:
        found.own.append(name)


def files_of(project: Project, root: Path, unread: list[str] | None = None) -> Iterator[Path]:
    """Every file below the project's folder but git's, those of packages, and what is shipped; of the folders of caches
    and remotes on this machine, for the first working tree, what is none of DVC's.

    Other projects of DVC's in it are not looked into: each has versions of its own.

    Args:
        project: whose.
        root: of the project in this working tree.
        unread: takes the folders that cannot be read.
    """

    def note(error: OSError) -> None:
        if unread is not None:
            unread.append(name_of(Path(error.filename), root))

    stores = {Path(os.path.realpath(store.path)): store for store in project.stores if store.local}
    if root == project.root:
        for store in stores.values():
            yield from (Path(path) for path in sorted(store.list().others))
    passed_over = {*stores, *(root / name for name in (".git", "data/remembered", *OF_DVC))}
    shipped = files_in_git(root, *SHIPPED) if project.has_git else set()
    for parent, folders, files in os.walk(root, onerror=note):
        here = Path(parent)
        folders[:] = sorted(
            name
            for name in folders
            if here / name not in passed_over
            and name != "__pycache__"
            and not is_project(here, name)
            and not (os.access(here / name, os.X_OK) and (here / name / "pyvenv.cfg").is_file())
            and not is_repository(here / name)  # in_git.py looks into it
        )
        for name in sorted(files):
            path = here / name
            relative = path.relative_to(root).as_posix()
            if not relative.startswith(_OF_FORGET) and relative not in shipped and path.is_file():
                yield path


def is_repository(folder: Path) -> bool:
    """Whether a folder is a store of git: the .git of a clone, or one without a working tree."""
    if not os.access(folder, os.X_OK):
        return False
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def _lies_in(name: str, places: Sequence[str]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)
