"""The project as git and DVC know it: its root, the worktrees beside it, their caches, the remotes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from faces.message import Message
from privacy.dvc.stores import CACHE, Store, Unreachable, Workspace
from privacy.errors import PrivacyError
from privacy.forget.former import former_caches, former_remotes
from privacy.forget.git import git, has_git


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
        roots = [root, *_worktrees(root)]
        workspaces = [Workspace.open(one) for one in roots]
        for workspace in workspaces:
            if not cache_outside and not workspace.has_cache_within(roots):
                raise _refused(workspace)
        project = cls(root, workspaces, [])
        project._find_stores()
        return project

    def _find_stores(self) -> None:
        seen: set[str] = set()
        for workspace in self.workspaces:
            own = workspace.root == self.root
            cache = workspace.open_cache(CACHE if own else Message("cache of {folder}", folder=workspace.root))
            if cache.path not in seen:
                seen.add(cache.path)
                self.stores.append(cache)
        self._add_former_caches(seen)
        for workspace in self.workspaces:
            for name in workspace.remotes():
                place = workspace.place_of(name)
                if place in seen:
                    continue
                seen.add(place)
                found = workspace.open_remote(name)
                if isinstance(found, Store):
                    self.stores.append(found)
                else:
                    self.unreachable.append(found)
        if self.has_git:
            self._add_former(seen)

    def _add_former_caches(self, seen: set[str]) -> None:
        """Caches that lie in a working tree and that the configuration does not name any more."""
        roots = [workspace.root for workspace in self.workspaces]
        named = former_caches(self.root) if self.has_git else []
        for workspace in self.workspaces:
            for folder in (workspace.root / ".dvc" / "cache", *named):
                former = replace(workspace, cache=folder)
                if folder.is_dir() and former.has_cache_within(roots):
                    cache = former.open_cache(f"the cache {folder} of an earlier version")
                    if cache.path not in seen:
                        seen.add(cache.path)
                        self.stores.append(cache)

    def _add_former(self, seen: set[str]) -> None:
        """Remotes that an earlier version of the configuration names: folders and buckets that answer are cleaned."""
        current = {workspace.address_of(name) for workspace in self.workspaces for name in workspace.remotes()}
        for name, settings in former_remotes(self.root):
            workspace = self.workspaces[0].with_remote(name, settings)
            address, place = workspace.address_of(name), workspace.place_of(name)
            is_current = address in current and "endpointurl" not in settings
            if is_current or place in seen:
                continue
            seen.add(place)
            can_ask = "://" not in address or address.startswith("s3://")  # others may ask for a password
            found = workspace.open_remote(name) if can_ask else Unreachable(name, address, Message("it was not asked"))
            if isinstance(found, Store):
                self.stores.append(replace(found, name=Message("{name} (of an earlier version)", name=name)))
            else:
                self.former.append(found)

    @cached_property
    def has_git(self) -> bool:
        """Whether there is a git repository.

        Raises:
            PrivacyError: there is, but git does not read it: then nobody knows which versions there are.
        """
        return has_git(self.root)


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


def _refused(workspace: Workspace) -> PrivacyError:
    """The error for a cache that lies in none of the working trees."""
    return PrivacyError(
        "DVC's cache is {cache}, outside the project: it may hold what other projects need, so nothing was deleted. If "
        "it is this project's alone, run this again with --cache-outside. Otherwise give the project a cache of its "
        "own ('dvc cache dir --local --unset', 'dvc cache dir --unset', then 'dvc fetch --all-commits'), let the "
        "owners of the shared one delete the objects there, and run this again",
        cache=os.path.realpath(workspace.cache),
    )
