"""Every version of the project that is kept somewhere: what it held, and what was made of what.

A version is a commit of git, whether or not a branch still leads to it (tags, stashes, experiments, what the reflog or
a rebase left: git's whole store is read), the working tree as it is, the copy that a killed experiment left, or an
entry of the run cache.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from privacy.forget.git import blobs_of, commits_of, git
from privacy.forget.project import Project
from service.client.language import say
from stages.progress import progress

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Item:
    """A file or folder that a version has.

    Attributes:
        path: relative to the project, with "/".
        oid: its hash; a folder's ends with ".dir".
    """

    path: str
    oid: str


@dataclass(frozen=True)
class Made:
    """What was made of what: a stage as dvc.lock or the run cache has it.

    Attributes:
        deps, outs: what it read and wrote.
        whole: whether deps are all that it read, as far as is known.
    """

    deps: tuple[Item, ...]
    outs: tuple[Item, ...]
    whole: bool = True


@dataclass
class Version:
    """A version.

    Attributes:
        name: what people read.
        commit: its hash; "" where it is none.
        tracked: what `dvc add` has tracked.
        made: its stages.
    """

    name: str
    commit: str = ""
    tracked: set[Item] = field(default_factory=set)
    made: set[Made] = field(default_factory=set)

    def items(self) -> Iterator[Item]:
        """Everything that it names."""
        yield from self.tracked
        for made in self.made:
            yield from made.deps
            yield from made.outs

    def add(self, path: str, data: bytes) -> None:
        """Read a dvc.lock or .dvc file of it; one that cannot be read says nothing.

        Of a file in which git has left a conflict, both sides are read.

        Args:
            path: relative to the project.
            data: its content.
        """
        folder = path.rpartition("/")[0]
        for content in map(_load, _sides(data)):
            if path.endswith(".dvc"):
                read = read_stage(content, _joined(folder, content.get("wdir")))
                if read.deps and content.get("cmd"):  # without a command it is an import: photos as they are
                    self.made.add(read)
                self.tracked.update(read.outs)
                continue
            stages = content.get("stages", content)
            for stage in stages.values() if isinstance(stages, dict) else ():
                self.made.add(read_stage(stage, folder))


def is_read(path: str) -> bool:
    """Whether a file of a version is one that `Version.add` reads."""
    name = path.rpartition("/")[2]
    return name == "dvc.lock" or (name.endswith(".dvc") and name != ".dvc")


def read_stage(content: Any, folder: str = "") -> Made:
    """A stage of dvc.lock, an entry of the run cache or a .dvc file.

    Args:
        content: as YAML has it.
        folder: of its file, relative to the project.
    """
    values = content if isinstance(content, dict) else {}
    deps, outs = (tuple(_items(values.get(kind), folder)) for kind in ("deps", "outs"))
    return Made(deps, outs)


def _items(entries: Any, folder: str) -> Iterator[Item]:
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            continue
        path = _joined(folder, entry["path"])
        oid = entry.get("md5") or entry.get("checksum") or entry.get("etag")
        if isinstance(oid, str):
            yield Item(path, oid)
        yield from _items(
            [{**file, "path": f"{path}/{file['relpath']}"} for file in entry.get("files") or () if "relpath" in file],
            "",
        )


def _joined(folder: str, path: Any) -> str:
    """A path of a file, relative to the project; an import's source, which lies outside, stays as it is."""
    if not isinstance(path, str) or path in ("", "."):
        return folder
    if path.startswith("/") or "://" in path:
        return path
    return os.path.normpath(f"{folder}/{path}" if folder else path).replace("\\", "/")


def _sides(data: bytes) -> list[bytes]:
    """A file, or the two that git tried to merge where a conflict was left in it."""
    if b"<<<<<<< " not in data:
        return [data]
    conflict = re.compile(rb"^<{7} .*?\n(.*?)(?:^\|{7} .*?)?^={7}\n(.*?)^>{7} .*?$\n?", re.DOTALL | re.MULTILINE)
    return [conflict.sub(side, data) for side in (rb"\1", rb"\2")]


def _load(data: bytes) -> dict[str, Any]:
    try:
        content = yaml.load(data, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def read_run(data: bytes) -> Made:
    """An entry of the run cache."""
    return read_stage(_load(data))


def find_versions(project: Project) -> list[Version]:
    """All versions but the run cache's, the working tree first.

    Raises:
        PrivacyError: git failed.
    """
    found = [workspace_version("this working tree", project.root)]
    found += [
        workspace_version(f"the worktree {workspace.root}", workspace.root) for workspace in project.workspaces[1:]
    ]
    found += [
        workspace_version(f"what an experiment left in {folder}", folder)
        for workspace in project.workspaces
        for folder in experiment_folders(workspace.root)
    ]
    return [*found, *_staged(project), *_commits(project)]


def workspace_version(name: str, root: Path) -> Version:
    """The version that lies in a folder. Another project of DVC's in it, such as a worktree, is not looked into."""
    version = Version(name)
    for path in dvc_files(root):
        version.add(path.relative_to(root).as_posix(), path.read_bytes())
    return version


def dvc_files(root: Path) -> Iterator[Path]:
    """The dvc.lock and .dvc files of a folder, but for those of another project of DVC's in it."""
    for parent, folders, files in os.walk(root):
        folders[:] = [folder for folder in folders if not folder.startswith(".") and not is_project(parent, folder)]
        yield from (Path(parent, file) for file in files if is_read(Path(parent, file).relative_to(root).as_posix()))


def is_project(parent: str | Path, name: str = "") -> bool:
    """Whether a folder, or one in it, is the root of a project of DVC's."""
    return os.access(Path(parent, name), os.X_OK) and Path(parent, name, ".dvc").is_dir()


def experiment_folders(root: Path) -> list[Path]:
    """Copies of the project that experiments run in, or that killed ones left."""
    folder = root / ".dvc" / "tmp" / "exps"
    found = [path.parent for pattern in ("*/.dvc", "*/*/.dvc") for path in folder.glob(pattern) if path.is_dir()]
    return sorted(set(found))


def _staged(project: Project) -> Iterator[Version]:
    """What `git add` has put into the index of each working tree."""
    if not project.has_git:
        return
    for workspace in project.workspaces:
        files = [
            (os.fsdecode(path), about.split()[1].decode())
            for about, _, path in (
                line.partition(b"\t") for line in git(workspace.root, "ls-files", "-sz").split(b"\0")
            )
            if path and is_read(os.fsdecode(path))
        ]
        contents = dict(blobs_of(project.root, {blob for _, blob in files}))
        version = Version("what is staged in git")
        for name, blob in files:
            version.add(name, contents.get(blob, b""))
        yield version


def _commits(project: Project) -> Iterator[Version]:
    """Every commit in git's store, the newest first."""
    if not project.has_git:
        return
    commits = commits_of(project.root)
    if not commits:
        return
    text = git(
        project.root, "log", "--no-walk=sorted", "--stdin", "--format=%H%x00%h%x00%cs%x00%s%x00%D",
        given=("\n".join(commits) + "\n").encode(),
    )  # fmt: skip
    listed: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").removesuffix("\n").split("\n"):  # a subject may have others' ends
        commit, short, day, subject, refs = line.split("\0")
        listed[commit] = f"{short} {day} {subject}" + (f" ({refs})" if refs else "")
    files = {commit: _files_of(project, commit) for commit in listed}
    blobs = sorted({blob for own in files.values() for _, blob in own})
    contents = dict(blobs_of(project.root, blobs))
    for commit, name in progress(listed.items(), len(listed), say("reading versions"), say("version")):
        version = Version(name, commit)
        for path, blob in files[commit]:
            version.add(path, contents.get(blob, b""))
        yield version


def _files_of(project: Project, commit: str) -> list[tuple[str, str]]:
    """Path and blob of the files of a commit that are read, as far as git has not pruned its folders."""
    found = []
    for entry in git(project.root, "ls-tree", "-r", "-z", commit, may_lack=True).split(b"\0"):
        about, _, path = entry.partition(b"\t")
        if path and is_read(name := os.fsdecode(path)):
            found.append((name, about.split()[2].decode()))
    return found
