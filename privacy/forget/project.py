"""The project as git and DVC know it: its root, the worktrees beside it, their caches, the remotes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from privacy.errors import PrivacyError
from privacy.objects import Store, open_remote

STATE = Path("private/privacy")
"""Folder of what `python -m privacy` keeps, in the project."""


@dataclass(frozen=True)
class Unreachable:
    """A remote that does not answer.

    Attributes:
        name, address: its own.
        reason: what was said.
    """

    name: str
    address: str
    reason: str


@dataclass(frozen=True)
class Workspace:
    """A working tree of the project.

    Attributes:
        root: the project's folder in it.
        cache: where DVC keeps its objects.
        config: a `dvc.config.Config`.
    """

    root: Path
    cache: Path
    config: Any

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Read its configuration; nothing is written.

        Raises:
            PrivacyError: it cannot be read.
        """
        from dvc.config import Config
        from dvc.exceptions import DvcException

        try:
            config = Config(str(root / ".dvc"))
        except DvcException as error:
            raise PrivacyError("{path}: {error}", path=root / ".dvc/config", error=error) from error
        return cls(root, Path(config["cache"].get("dir") or root / ".dvc/cache"), config)


@dataclass
class Project:
    """What there is to look through.

    Attributes:
        root: the project's folder.
        workspaces: this one first, then the other worktrees.
        stores: caches and remotes that answer.
        unreachable: remotes that do not.
    """

    root: Path
    workspaces: list[Workspace]
    stores: list[Store]
    unreachable: list[Unreachable] = field(default_factory=list)

    @classmethod
    def open(cls, root: Path, cache_outside: bool = False) -> Project:
        """Look at the project; nothing is written.

        Args:
            root: its folder.
            cache_outside: accept a cache outside the project.

        Raises:
            PrivacyError: there is no DVC repository, or its cache may be another project's.
        """
        root = root.resolve()
        if not (root / ".dvc").is_dir():
            raise PrivacyError(
                "{root} has no folder .dvc, so nothing is kept of earlier versions and there is nothing to forget but "
                "the photos: delete them, or run 'dvc init' ('dvc init --no-scm' without git) first",
                root=root,
            )
        workspaces = [Workspace.open(root)]
        roots = [root]
        for other in _worktrees(root):
            roots.append(other)
            workspaces.append(Workspace.open(other))
        for workspace in workspaces:
            _check_cache(workspace, roots, cache_outside)
        project = cls(root, workspaces, [])
        project._find_stores()
        return project

    def _find_stores(self) -> None:
        from dvc.fs import LocalFileSystem

        seen: set[str] = set()
        for number, workspace in enumerate(self.workspaces):
            cache = os.path.realpath(workspace.cache)
            if cache not in seen:
                seen.add(cache)
                name = "cache" if number == 0 else f"cache of {workspace.root}"
                self.stores.append(Store(name, False, cache, LocalFileSystem(), cache))
        for workspace in self.workspaces:
            for name in sorted(workspace.config["remote"]):
                address = str(workspace.config["remote"][name].get("url", ""))
                if (name, address) not in {(gone.name, gone.address) for gone in self.unreachable}:
                    self._add_remote(workspace.config, name, address, seen)

    def _add_remote(self, config: Any, name: str, address: str, seen: set[str]) -> None:
        reason = ""
        given = config["remote"][name]
        if given.get("worktree") or given.get("version_aware"):
            reason = "it keeps versions of its own (worktree or version_aware), which this command does not delete"
        elif str(address).startswith(("http://", "https://")):
            reason = "nothing can be deleted over HTTP"
        else:
            try:
                store = open_remote(config, name)
                if store.address in seen:
                    return
                store.list()
            except Exception as error:  # whatever its client raises: it does not answer
                reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            else:
                seen.add(store.address)
                self.stores.append(store)
                return
        self.unreachable.append(Unreachable(name, address, reason))

    @cached_property
    def has_git(self) -> bool:
        """Whether there is a git repository."""
        return git_succeeds(self.root, "rev-parse", "--git-dir")


def git(root: Path, *arguments: str, given: bytes | None = None) -> bytes:
    """What a git command printed; it writes nothing, not even its index.

    Raises:
        PrivacyError: it failed.
    """
    done = _git(root, arguments, given)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise PrivacyError("'git {words}' failed: {said}", words=" ".join(arguments[:2]), said=said)
    return done.stdout


def git_succeeds(root: Path, *arguments: str) -> bool:
    """Whether a git command ends well; False without git."""
    try:
        return _git(root, arguments, None).returncode == 0
    except FileNotFoundError:
        return False


def _git(root: Path, arguments: Sequence[str], given: bytes | None) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    return subprocess.run(
        ["git", "-c", "core.quotePath=off", *arguments], cwd=root, env=environment, input=given,
        stdin=subprocess.DEVNULL if given is None else None, capture_output=True, check=False,
    )  # fmt: skip


def _worktrees(root: Path) -> Iterator[Path]:
    """The project's folder in the other worktrees of its git repository."""
    if not git_succeeds(root, "rev-parse", "--git-dir"):
        return
    inside = os.fsdecode(git(root, "rev-parse", "--show-prefix").rstrip(b"\n"))
    for line in git(root, "worktree", "list", "--porcelain", "-z").split(b"\0"):
        if line.startswith(b"worktree "):
            folder = (Path(os.fsdecode(line[9:])) / inside).resolve()
            if folder != root and (folder / ".dvc").is_dir():
                yield folder


def _check_cache(workspace: Workspace, roots: Sequence[Path], accepted: bool) -> None:
    """Raise a PrivacyError for a cache that lies in none of the working trees."""
    cache = Path(os.path.realpath(workspace.cache))
    if accepted or any(cache.is_relative_to(root) for root in roots):
        return
    raise PrivacyError(
        "DVC's cache is {cache}, outside the project: it may hold what other projects need, so nothing was deleted. If "
        "it is this project's alone, run this again with --cache-outside. Otherwise give the project a cache of its "
        "own ('dvc cache dir --local --unset', 'dvc cache dir --unset', then 'dvc fetch --all-commits'), let the "
        "owners of the shared one delete the objects there, and run this again",
        cache=cache,
    )
