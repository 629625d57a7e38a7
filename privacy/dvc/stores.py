"""Where DVC keeps objects, each named by its hash: the cache of a working tree, and every remote."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from faces.message import Message
from privacy.dvc import buckets
from privacy.errors import PrivacyError
from service.client.language import say
from stages.progress import progress

_OBJECT = re.compile(r"(?:files/md5/)?([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)\Z")
_UNPACKED = re.compile(r"(?:files/md5/)?[0-9a-f]{2}/([0-9a-f]{30}\.dir)\.unpacked/")
_RUN = re.compile(r"runs/[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{64}\Z")
_OWN = re.compile(r"(?:(?:files/md5/)?[0-9a-f]{2}|runs(?:/[0-9a-f]{2})?(?:/[0-9a-f]{64})?|files/md5|fs)/")
"""Folders in which DVC alone writes: another file there is what a killed transfer left."""

_SERVERS = ("endpointurl", "account_name", "port")
"""Settings of a remote that say on which server its address is."""

CACHE = Message("cache")
"""What people read of the cache of this working tree."""

_AT_ONCE = 500  # files that one request deletes, where a remote can do that


@dataclass
class Listing:
    """What a store holds.

    Attributes:
        objects: paths of each object by its hash (".dir" at its end: a folder's list of files). There are two where an
            older DVC has written it, too.
        runs: paths of the entries of the run cache.
        leftovers: paths of what killed transfers left.
        traces: of objects, paths of what has no content: the marks of a bucket that something was deleted, and uploads
            that were not finished; by the object's hash.
        unsure: why nobody can tell whether the store keeps versions of its own that were deleted; "" where one can.
        others: paths of files that are none of DVC's.
    """

    objects: dict[str, list[str]] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    traces: dict[str, list[str]] = field(default_factory=dict)
    unsure: str = ""
    others: list[str] = field(default_factory=list)

    def places(self, oid: str) -> list[str]:
        """All paths of an object, also those without content."""
        return [*self.objects.get(oid, ()), *self.traces.get(oid, ())]


@dataclass(frozen=True)
class Store:
    """A cache or a remote.

    Attributes:
        name: "cache", or the remote's name; what people read.
        remote: whether it is a remote, which may be out of reach.
        path: of its folder, in the words of its file system.
        fs: the file system, of `dvc.fs`.
        address: what people read of where it is; without a secret.
    """

    name: str
    remote: bool
    path: str
    fs: Any
    address: str

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return bool(self.fs.protocol == "local")

    def list(self) -> Listing:
        """Everything in it.

        Raises:
            PrivacyError: the folder of a remote is not there.
            Exception: whatever the client of a remote makes of one that does not answer.
        """
        listing = Listing()
        listing.unsure, *paths = self._files()
        for path in paths:
            name = self._relative(path)
            if found := _OBJECT.match(name):
                places = listing.objects if buckets.has_content(path) else listing.traces
                places.setdefault("".join(found.groups()), []).append(path)
            elif not buckets.has_content(path):
                continue
            elif found := _UNPACKED.match(name):
                listing.leftovers.append(path)
            elif _RUN.match(name):
                listing.runs.append(path)
            elif _OWN.match(name):
                listing.leftovers.append(path)
            else:
                listing.others.append(path)
        return listing

    def read(self, path: str, count: int = -1) -> bytes:
        """The content of a file of it, or its first bytes.

        Args:
            path: of the file.
            count: how many bytes at most; negative for all.
        """
        if self._is_bucket:
            return buckets.read(self.fs.fs, path, count)
        with Path(path).open("rb") if self.local else self.fs.open(path, "rb") as file:
            data: bytes = file.read(count)
        return data

    def read_object(self, oid: str) -> bytes | None:
        """The content of an object of a cache, without listing it; None where it is not there or cannot be read."""
        for folder in ("files/md5", ""):  # of DVC 3, and of the versions before
            with suppress(OSError):
                return Path(self.path, folder, oid[:2], oid[2:]).read_bytes()
        return None

    def delete(self, paths: Sequence[str]) -> None:
        """Delete files of it, in this order; those that are not there are passed over.

        Raises:
            OSError: one cannot be deleted; those before it are.
        """
        if self.local:
            for path in progress(paths, len(paths), say("deleting"), say("object")):
                with suppress(FileNotFoundError):
                    delete_file(Path(path))
            return
        if self._is_bucket:
            buckets.delete(self.fs.fs, paths)
            return
        for start in range(0, len(paths), _AT_ONCE):
            some = list(paths[start : start + _AT_ONCE])
            try:
                self.fs.remove(some)
            except FileNotFoundError:  # somebody has deleted one meanwhile: nobody knows how far it came
                for path in some:
                    with suppress(FileNotFoundError):
                        self.fs.remove(path)

    def remove_empty_runs(self) -> None:
        """Remove folders of the run cache that hold nothing any more, on this machine: `dvc repro` stumbles over them,
        and fails, as soon as a stage would read again what it read then."""
        if self.local:
            for folder in Path(self.path, "runs").glob("*/*"):
                with suppress(OSError):  # it holds something
                    folder.rmdir()

    @property
    def _is_bucket(self) -> bool:
        return bool(self.fs.protocol == "s3")

    def _files(self) -> Iterator[str]:
        """Why nobody can tell whether there are old versions, or "", then every path."""
        if self.local:
            if self.remote and not Path(self.path).is_dir():
                raise PrivacyError(
                    "{path} is not there: connect the disk, or remove the remote if it was never used", path=self.path
                )
            yield ""
            for parent, _, names in os.walk(self.path):
                yield from (str(Path(parent, name)) for name in names)
        elif self._is_bucket:
            paths, unsure = buckets.find_all(self.fs.fs, self.path)
            yield from (unsure, *paths)
        else:
            self.fs.fs.invalidate_cache()  # it would list what it has seen before
            yield from ("", *self.fs.find(self.path))

    def _relative(self, path: str) -> str:
        if self.local:
            name = os.path.relpath(path, self.path)
        else:
            name = self.fs.relpath(buckets.key_of(path) if self._is_bucket else path, self.path)
        return name.replace("\\", "/")


def delete_file(path: Path) -> None:
    """Delete a file, also a read-only one on Windows.

    Raises:
        FileNotFoundError: it is not there.
        OSError: it cannot be deleted.
    """
    try:
        path.unlink()
    except PermissionError:
        path.chmod(stat.S_IWRITE | stat.S_IREAD)
        path.unlink()


@dataclass(frozen=True)
class Unreachable:
    """A remote that does not answer, or from which nothing can be deleted.

    Attributes:
        name, address: its own, as a store has them.
        reason: what was said.
    """

    name: str
    address: str
    reason: str


@dataclass(frozen=True)
class Workspace:
    """A working tree of the project, as DVC's configuration describes it.

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

    def has_cache_within(self, roots: Sequence[Path]) -> bool:
        """Whether its cache lies in one of some folders, so that it is no other project's too."""
        cache = Path(os.path.realpath(self.cache))
        return any(cache.is_relative_to(root.resolve()) for root in roots)

    def open_cache(self, name: str = CACHE) -> Store:
        """Its cache, called by a name."""
        from dvc.fs import LocalFileSystem

        path = os.path.realpath(self.cache)
        return Store(name, False, path, LocalFileSystem(), path)

    def remotes(self) -> list[str]:
        """The names of the remotes that its configuration has, on whatever level."""
        return sorted(self.config["remote"])

    def with_remote(self, name: str, settings: dict[str, Any]) -> Workspace:
        """The same with that remote alone."""
        return replace(self, config={**self.config, "remote": {name: settings}})

    def place_of(self, name: str) -> str:
        """What two names of one remote have in common: a bucket of the same name may lie on another server."""
        given = self.config["remote"][name]
        return " ".join([self.address_of(name), *(str(given[setting]) for setting in _SERVERS if setting in given)])

    def open_remote(self, name: str) -> Store | Unreachable:
        """A remote, which has answered; else why it is of no use."""
        address = self.address_of(name)
        given = self.config["remote"][name]
        if given.get("worktree") or given.get("version_aware"):
            reason: str = Message(
                "it keeps versions of its own (worktree or version_aware), which this command does not delete"
            )
        elif address.startswith(("http://", "https://")):
            reason = Message("nothing can be deleted over HTTP")
        else:
            try:
                store = self._remote(name, address)
                store.list()
            except Exception as error:  # whatever its client raises: it does not answer
                reason = reason_of(error)
            else:
                return store
        return Unreachable(name, address, reason)

    def address_of(self, name: str) -> str:
        """What people read of where a remote is; without a secret."""
        return without_secret(str(self.config["remote"][name].get("url", "")))

    def _remote(self, name: str, address: str) -> Store:
        from dvc.fs import get_cloud_fs

        kind, settings, path = get_cloud_fs(self.config, name=name)
        if kind.protocol == "local":
            return Store(name, True, os.path.abspath(path), kind(), address)  # noqa: PTH100  links stay
        settings.pop("checksum_jobs", None)
        if kind.protocol == "s3":
            settings.setdefault("connect_timeout", 10)
            settings.setdefault("read_timeout", 30)
        return Store(name, True, path, kind(**settings), address)


def without_secret(address: str) -> str:
    """The address of a remote without a name and a password that stand in it."""
    return re.sub(r"//[^/@]*@", "//", address)


def reason_of(error: Exception) -> str:
    """What an error says, in one line."""
    said = str(error).strip()
    return said.splitlines()[0] if said else repr(error)


@contextmanager
def open_repo(root: Path) -> Iterator[Any]:
    """DVC's repository, closed at the end.

    Args:
        root: of the project.
    """
    from dvc.repo import Repo  # seconds to import

    repo = Repo(str(root))
    try:
        yield repo
    finally:
        repo.close()
