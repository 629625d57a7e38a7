"""What has to be done in each working tree."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from privacy.forget.containing import Containing
from privacy.forget.dvc_files import read_dvc_files
from privacy.forget.evidence import Evidence
from privacy.forget.exports import find_exports
from privacy.forget.git import files_in_git
from privacy.forget.kept import Kept, photos_on_disk
from privacy.forget.outputs import hold_person, made_of_photos, read_stages
from privacy.forget.plan import Tree
from privacy.forget.project import Project
from privacy.forget.selection import Selection
from privacy.forget.strays import find_strays
from privacy.forget.tables import tables_of
from privacy.forget.traces import Traces
from stages.files.locked_files import plain_name
from stages.files.photos import CLASSES


def find_trees(
    kept: Kept,
    selection: Selection,
    traces: Traces,
    found: Containing,
    evidence: Evidence,
    looked: Collection[str],
) -> list[Tree]:
    """What has to be done in each of them, this one first.

    Args:
        kept: what is kept.
        selection: what is the person's.
        traces: what identifies them.
        found: objects that go.
        evidence: by what a file is told to hold something of the person.
        looked: MD5 of what was looked into already, and holds nothing of them.
    """
    named = {path for paths in selection.photos.values() for path in paths} | selection.bare
    trees = []
    for number, workspace in enumerate(kept.project.workspaces):
        root = workspace.root
        on_disk = kept.on_disk if number == 0 else photos_on_disk(root)
        photos = sorted(path for path, oid in on_disk.items() if oid in selection.photos or _asked(selection, path))
        outputs = made_of_photos(read_stages(root))
        in_git = files_in_git(root) if kept.project.has_git else set()
        held = bool(photos) or hold_person(root, outputs, kept.versions[number], found.kinds, in_git)
        tree = Tree(str(root), photos, outputs if held else [])
        tree.exports = find_exports(root, selection.people, named, traces.sha256s)
        going = [*tree.outputs, *tree.exports, *tables_of(root), *(f"data/{path}" for path in photos)]
        strays = find_strays(kept.project, root, evidence, looked, going)
        links = _links(root, selection)
        tree.files = sorted({*strays.files, *links, *(selection.files if number == 0 else ())})
        tree.packed, tree.own, tree.closed = strays.packed, strays.own, strays.closed
        tree.dvc_files = read_dvc_files(root)
        tree.outside = _outside(root, [*(f"data/{path}" for path in photos), *tree.files])
        trees.append(tree)
    return trees


def _asked(selection: Selection, path: str) -> bool:
    """Whether a file of the working tree was asked for; tables of a class lose lines, not all of it."""
    plain = plain_name(path)
    return selection.covers(plain) and plain not in {f"{name}/attributes.csv" for name in CLASSES}


def _links(root: Path, selection: Selection) -> list[str]:
    """Links to folders where a folder of the person would lie: neither DVC nor a stage looks behind them. And links,
    wherever they are, to what is theirs in data/: they tell the name."""
    found = []
    data = root / "data"
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git" and Path(parent, name) != root / ".dvc" / "cache"]
        for path in (Path(parent, name) for name in (*folders, *files) if Path(parent, name).is_symlink()):
            target = Path(os.path.normpath(Path(parent, os.readlink(path))))  # noqa: PTH115  it may lead nowhere
            places = [place.relative_to(data).as_posix() for place in (path, target) if place.is_relative_to(data)]
            places = [place.removeprefix("cropped/") for place in places]
            if any(selection.covers(place) or place in selection.people for place in places):
                found.append(path.relative_to(root).as_posix())
    return found


def _outside(root: Path, names: Collection[str]) -> list[str]:
    """Where links lead that leave the project."""
    targets = {Path(os.path.realpath(root / name)) for name in names if (root / name).is_symlink()}
    return sorted(str(target) for target in targets if not target.is_relative_to(root))


def experiments(project: Project) -> list[str]:
    """Folders in which experiments ran, in every working tree."""
    folders = [workspace.root / ".dvc" / "tmp" / "exps" for workspace in project.workspaces]
    return [str(folder) for folder in folders if folder.is_dir()]
