"""What lies in a working tree: photos, lines of tables, what was made, what stages remember and left behind."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from faces.files import write_bytes
from privacy.dvc.stores import delete_file
from privacy.errors import PrivacyError
from privacy.forget import tables
from privacy.forget.evidence import Evidence, showing
from privacy.forget.kept import md5_of
from privacy.forget.packed import without
from privacy.forget.plan import Plan, Tree
from stages.files.locked_files import key_like, reveal, sealed
from stages.files.paths import REMEMBERED_CROPS, REMEMBERED_EMBEDDINGS
from stages.files.remembered import forget_crops, forget_embeddings, remembered_photos

EXPLAINED = "reports/explained"
"""Pictures of `python -m faces explain`: photos of anybody, beside some of me. They can be drawn again."""

_LEFT_BY_QUICKSTART = ("quickstart.log",)
_PLACES_OF_LEFTOVERS = ("data", "models", "reports", "private/privacy")


def purge_tree(plan: Plan, tree: Tree) -> None:
    """Delete what a working tree holds of the person. What is done already is passed over.

    Args:
        plan: what has to be done.
        tree: of this working tree.

    Raises:
        OSError: something cannot be deleted.
    """
    root = Path(tree.root)
    for path in tree.photos:
        with contextlib.suppress(FileNotFoundError):
            delete_file(root / "data" / path)
    for name in tables.tables_of(root):
        drop_lines(root / name, plan)
    for name in tree.exports:
        remove(root / name)
    for name in tree.files:
        remove(root / name)
        _remove_parents(root, root / name)
    if tree.packed:
        evidence = plan.evidence()
        for name in tree.packed:
            write_without(root / name, evidence)
    for class_name in ("me", "not_me"):
        _remove_empty(root / "data" / class_name)
    traces = plan.traces()
    if plan.unhashed:  # nobody can tell which are theirs; crop makes them anew
        remove(root / REMEMBERED_CROPS)
    forget_crops(root / REMEMBERED_CROPS, traces.sha256s)
    # An old recipe may have rows of photos that are gone since long: nobody can tell whose, and nobody needs them.
    forget_embeddings(root / REMEMBERED_EMBEDDINGS, traces.sha256s, remembered_photos(root / REMEMBERED_CROPS))
    for name in tree.outputs:
        remove(root / name)
    _remove_linked(root, plan)
    if tree.outputs:
        remove(root / "reports/two_people.png")
    remove(root / EXPLAINED)
    for leftover in _leftovers(root):
        remove(leftover)
    for name in _LEFT_BY_QUICKSTART:
        if (root / name).is_file() and traces.names_in((root / name).read_bytes()):
            remove(root / name)


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it, read-only files included; none there is well.

    Raises:
        OSError: something cannot be deleted.
    """
    if path.is_dir() and not path.is_symlink():
        for parent, folders, files in os.walk(path, topdown=False):
            for name in [*files, *(name for name in folders if Path(parent, name).is_symlink())]:
                remove(Path(parent, name))
            with contextlib.suppress(FileNotFoundError):
                Path(parent).rmdir()
        return
    with contextlib.suppress(FileNotFoundError):
        delete_file(path)


def write_without(path: Path, evidence: Evidence) -> None:
    """Write an archive or a text anew without the person; one that is not there, or lacks them already, is let be.

    Raises:
        OSError: it cannot be written.
    """
    if not path.is_file():
        return
    data = path.read_bytes()
    if not evidence.inside(data):
        return
    left = without(data, evidence.goes)
    if left is None:
        remove(path)
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if path.is_symlink() or not mode & stat.S_IWUSR:
        delete_file(path)  # a link into DVC's cache: the object there goes on its own
        mode |= stat.S_IWUSR
    write_bytes(path, left, mode)


def _remove_empty(folder: Path) -> None:
    """Remove sub-folders that hold nothing any more: their names are the people's."""
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True):
        with contextlib.suppress(OSError):
            inner.rmdir()


def _remove_parents(root: Path, path: Path) -> None:
    """Remove the folders in which a file was alone, but those that the project needs: their names may be people's."""
    needed = {root / name for name in ("data", "data/me", "data/not_me", "models", "reports", "reports/manual")}
    for parent in path.parents:
        if parent == root or parent in needed or not parent.is_relative_to(root):
            return
        try:
            parent.rmdir()
        except OSError:  # it holds something still
            return


# Tables ---------------------------------------------------------------------------------------------------------------


def drop_lines(path: Path, plan: Plan) -> int:
    """Take the lines about the person out of a table; the others keep their bytes.

    Args:
        path: of the file; it need not be there. A locked one is written locked again.
        plan: of whom.

    Returns:
        How many lines were taken out.

    Raises:
        PrivacyError: it is not UTF-8, so nobody can tell whom it names.
        LockedError: it is locked and cannot be opened.
    """
    if not path.is_file():
        return 0
    photos = {name for names in plan.photos.values() for name in names}
    key = key_like(path)
    try:
        left, dropped = tables.drop_lines(reveal(path.read_bytes(), path), plan.people, photos)
    except UnicodeDecodeError as error:
        raise PrivacyError("{path} is not saved as UTF-8: save it as 'CSV UTF-8'", path=path) from error
    if dropped:
        if path.is_symlink() or not os.access(path, os.W_OK):
            delete_file(path)  # a link into DVC's cache: the object there goes on its own
        write_bytes(path, sealed(left, key))
    return dropped


# What was left behind -------------------------------------------------------------------------------------------------


def _leftovers(root: Path) -> Iterator[Path]:
    """Temporary files and folders of stages that were killed."""
    for place in _PLACES_OF_LEFTOVERS:
        for parent, folders, files in os.walk(root / place):
            for name in [*folders, *files]:
                if name.startswith((".", "tmp")) and name.endswith(".tmp"):
                    yield Path(parent, name)
            folders[:] = [name for name in folders if not name.endswith(".tmp")]


def _remove_linked(root: Path, plan: Plan) -> None:
    """Delete files that are links to objects that go, or copies of them, wherever stages or the user put them."""
    gone = showing(plan.kinds)
    for place in ("data", "models", "reports"):
        for parent, _, files in os.walk(root / place):
            for name in files:
                path = Path(parent, name)
                if _points_to(path, gone) or (path.is_file() and md5_of(path) in gone):
                    remove(path)


def _points_to(path: Path, oids: Collection[str]) -> bool:
    """Whether a file is a link to one of the objects, which may be gone already."""
    if not path.is_symlink():
        return False
    target = Path(os.readlink(path))  # noqa: PTH115  # as it is written, also where it leads nowhere
    return target.parent.name + target.name in oids


# DVC's own ------------------------------------------------------------------------------------------------------------


def remove_experiments(folder: Path) -> None:
    """Delete the copies of the project that experiments ran in, their logs, and what DVC remembers of experiments.

    The queue itself (celery) stays: it names commits only.
    """
    for path in folder.glob("*"):
        if path.name != "celery":
            remove(path)


def remove_state(root: Path) -> None:
    """Delete what DVC remembers of files: in .dvc/tmp, and in its folder outside the project (site cache).

    Folders there of other copies of this project, such as experiments had, are found by the paths that they hold.
    """
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        own = Path(repo.site_cache_dir)
    remove(own)
    mine = [os.fsencode(str(root) + os.sep), os.fsencode(str(root)) + b"\0"]
    for other in own.parent.glob("*"):
        if other.is_dir() and _mentions(other, mine):
            remove(other)
    for name in ("index", "links", "md5s", "state", "repos", "rwlock"):
        remove(root / ".dvc" / "tmp" / name)
    for old in (root / ".dvc" / "tmp").glob("*.dat"):
        remove(old)


def _mentions(folder: Path, texts: Collection[bytes]) -> bool:
    for path in folder.rglob("*"):
        try:
            data = path.read_bytes() if path.is_file() else b""
        except OSError:  # another user's
            continue
        if any(text in data for text in texts):
            return True
    return False
