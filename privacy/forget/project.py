"""The project as git and DVC know it: its root, the worktrees beside it, their caches, the remotes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from privacy.errors import PrivacyError
from privacy.forget.former import former_remotes
from privacy.forget.git import git, has_git
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
        former: remotes that only an earlier version of the configuration names, and that do not answer.
    """

    root: Path
    workspaces: list[Workspace]
    stores: list[Store]
    unreachable: list[Unreachable] = field(default_factory=list)
    former: list[Unreachable] = field(default_factory=list)

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
                seen.add(_settings(workspace.config, name))
                self._add_remote(workspace.config, name)
        if self.has_git:
            self._add_former(seen)

    def _add_remote(self, config: Any, name: str) -> None:
        address = str(config["remote"][name].get("url", ""))
        store, reason = _open(config, name)
        if store is None:
            gone = Unreachable(name, address, reason)
            self.unreachable += [gone] if gone not in self.unreachable else []
        elif not any(_same(store, other) for other in self.stores):
            self.stores.append(store)

    def _add_former(self, seen: set[str]) -> None:
        """Remotes that an earlier version of the configuration names: folders and buckets that answer are cleaned."""
        remotes = (settings for workspace in self.workspaces for settings in workspace.config["remote"].values())
        current = {str(settings.get("url", "")) for settings in remotes}
        for name, settings in former_remotes(self.root):
            config = {**self.workspaces[0].config, "remote": {name: settings}}
            address = str(settings.get("url", ""))
            is_current = address in current and "endpointurl" not in settings
            if is_current or _settings(config, name) in seen:
                continue
            seen.add(_settings(config, name))
            can_ask = "://" not in address or address.startswith("s3://")  # others may ask for a password
            store, reason = _open(config, name) if can_ask else (None, "it was not asked")
            if store is None:
                self.former.append(Unreachable(name, address, reason))
            elif not any(_same(store, other) for other in self.stores):
                self.stores.append(replace(store, name=f"{name} (of an earlier version)"))

    @cached_property
    def has_git(self) -> bool:
        """Whether there is a git repository.

        Raises:
            PrivacyError: there is, but git does not read it: then nobody knows which versions there are.
        """
        return has_git(self.root)


def _open(config: Any, name: str) -> tuple[Store | None, str]:
    """A remote that answers, or why it does not."""
    given = config["remote"][name]
    if given.get("worktree") or given.get("version_aware"):
        return None, "it keeps versions of its own (worktree or version_aware), which this command does not delete"
    if str(given.get("url", "")).startswith(("http://", "https://")):
        return None, "nothing can be deleted over HTTP"
    try:
        store = open_remote(config, name)
        store.list()
    except Exception as error:  # whatever its client raises: it does not answer
        return None, str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
    return store, ""


def _settings(config: Any, name: str) -> str:
    return repr(sorted(dict(config["remote"][name]).items()))


def _same(first: Store, second: Store) -> bool:
    """Whether two stores are one: the same folder, or the same bucket at the same address."""
    return (first.path, first.fs.protocol, first.fs.config if not first.local else None) == (
        second.path, second.fs.protocol, second.fs.config if not second.local else None,
    )  # fmt: skip


def _worktrees(root: Path) -> Iterator[Path]:
    """The project's folder in the other worktrees of its git repository."""
    if not has_git(root):
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
