"""What would stop the deletion half way is found before it begins."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import yaml

from faces.message import Message
from privacy.dvc.stores import Store
from privacy.errors import PrivacyError
from privacy.forget.dvc_files import find_unreadable
from privacy.forget.plan import Plan
from privacy.forget.project import Project
from privacy.forget.retrain import tracking


def find_obstacles(project: Project, plan: Plan | None = None, begun: bool = False) -> None:
    """Refuse to begin where an experiment runs, or something cannot be read or deleted.

    Args:
        project: whose.
        plan: what has to be done, where that is known already.
        begun: an earlier run has begun; what DVC had half written when that was stopped is mended, not refused.

    Raises:
        PrivacyError: with the reason and the way out.
    """
    for workspace in project.workspaces:
        for what in _running(workspace.root):
            raise PrivacyError(
                "an experiment or a stage runs ({what}), and it has the photos: wait until it has ended, or stop it "
                "('dvc queue stop --kill', or Ctrl-C where it was started)",
                what=what,
            )
        for path in _conflicts(workspace.root):
            raise PrivacyError(
                "{path} has a conflict that git has left: nothing was deleted. Decide it, or give the merge up "
                "('git merge --abort'), and run this again",
                path=path,
            )
        if not begun and (reason := _why_no_pipeline(workspace.root)):
            raise PrivacyError(
                "{path} cannot be read, so nothing was deleted: {reason}. Mend it, or take it back from git ('git "
                "checkout -- dvc.yaml'), and run this again",
                path=workspace.root / "dvc.yaml",
                reason=reason,
            )
        for path in () if begun else find_unreadable(workspace.root):
            raise PrivacyError(
                "DVC cannot read {path}, which it may have been writing when it was stopped, so nothing was deleted. "
                "Take the file back from git ('git checkout -- {name}'); a dvc.lock can also be deleted, since 'dvc "
                "repro' makes it anew. Then run this again",
                path=path,
                name=path.relative_to(workspace.root).as_posix(),
            )
    if plan is None:
        return
    locked = sorted({str(folder) for folder in _folders(project, plan) if not os.access(folder, os.W_OK)})
    if locked:
        raise PrivacyError(
            "nothing was deleted, since something could not be: {folders} cannot be written. Give yourself the right "
            "to ('chmod -R u+w'), or run this as the user whose they are",
            folders=", ".join(locked[:3]) + (" …" if len(locked) > 3 else ""),
        )


def _why_no_pipeline(root: Path) -> str:
    """Why dvc.yaml cannot be read: nobody would know what is made of photos, and DVC runs no command. "" if it can."""
    try:
        yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        return " ".join(str(error).split())
    return ""


def _conflicts(root: Path) -> Iterator[Path]:
    """Files of DVC's that it cannot read, since two versions of them stand in each."""
    names = [name for name in ("dvc.yaml", "dvc.lock", "params.yaml") if (root / name).is_file()]
    for path in [*(root / name for name in names), *(path for path, _ in tracking(root))]:
        if b"\n<<<<<<< " in b"\n" + path.read_bytes():
            yield path


def _folders(project: Project, plan: Plan) -> Iterator[Path]:
    """Folders in which something is to be deleted."""
    for tree in plan.trees:
        root = Path(tree.root)
        yield from (folder for folder in (root, root / "data", root / ".dvc" / "tmp") if folder.is_dir())
        yield from {(root / "data" / path).parent for path in tree.photos}
        made = (*tree.outputs, *tree.files, *tree.packed)
        yield from (path.parent for name in made if (path := root / name).exists())
    for store in project.stores:
        if store.local:
            yield from _folders_of(store, plan)


def _folders_of(store: Store, plan: Plan) -> Iterator[Path]:
    listing = store.list()
    for oid in plan.kinds:
        yield from (Path(path).parent for path in listing.objects.get(oid, ()))


def _running(root: Path) -> Iterator[str]:
    """Stages and experiments of this working tree whose process is alive.

    DVC's own lock is free while a stage runs, so its notes on who reads and writes what are asked, too.
    """
    tmp = root / ".dvc" / "tmp"
    for note in (tmp / "rwlock", *(tmp / "exps").glob("**/*.json"), *(tmp / "exps").glob("rwlock")):
        try:
            content = json.loads(note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        yield from (Message("process {pid}", pid=pid) for pid in _pids(content) if _is_dvc(pid))
    folder = tmp / "exps"
    copies = [str(path.resolve()) for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.is_dir()]
    for process in psutil.process_iter() if copies else ():
        try:
            place = process.cwd()
        except (psutil.Error, OSError):
            continue
        if any(place == copy or place.startswith(copy + os.sep) for copy in copies):
            yield Message("process {pid} in {folder}", pid=process.pid, folder=place)


def _pids(content: Any) -> Iterator[int]:
    """Every number of a process in what DVC has noted."""
    if isinstance(content, dict):
        if isinstance(content.get("pid"), int):
            yield content["pid"]
        content = list(content.values())
    for inner in content if isinstance(content, list) else ():
        yield from _pids(inner)


def _is_dvc(pid: int) -> bool:
    """Whether that process is alive and DVC's: numbers are given anew."""
    try:
        return pid != os.getpid() and any("dvc" in word for word in psutil.Process(pid).cmdline())
    except (psutil.Error, OSError):
        return False
