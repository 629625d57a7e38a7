"""Where DVC keeps objects, each named by its hash: the cache of a workspace, and every remote."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from privacy import buckets

_OBJECT = re.compile(r"(?:files/md5/)?([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)\Z")
_UNPACKED = re.compile(r"(?:files/md5/)?[0-9a-f]{2}/([0-9a-f]{30}\.dir)\.unpacked/")
_RUN = re.compile(r"runs/[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{64}\Z")
_OWN = re.compile(r"(?:(?:files/md5/)?[0-9a-f]{2}|runs(?:/[0-9a-f]{2})?(?:/[0-9a-f]{64})?|files/md5|fs)/")
"""Folders in which DVC alone writes: another file there is what a killed transfer left."""


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
    """

    objects: dict[str, list[str]] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    traces: dict[str, list[str]] = field(default_factory=dict)
    unsure: str = ""


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
            OSError: the folder of a remote is not there.
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
        return listing

    def read(self, path: str) -> bytes:
        """The content of a file of it."""
        if self.local:
            return Path(path).read_bytes()
        if self._is_bucket:
            return buckets.read(self.fs.fs, path)
        with self.fs.open(path, "rb") as file:
            data: bytes = file.read()
        return data

    def delete(self, path: str) -> None:
        """Delete a file of it; none there is well."""
        try:
            if self.local:
                delete_file(Path(path))
            elif self._is_bucket:
                buckets.delete(self.fs.fs, path)
            else:
                self.fs.remove(path)
        except FileNotFoundError:
            pass

    @property
    def _is_bucket(self) -> bool:
        return bool(self.fs.protocol == "s3")

    def _files(self) -> Iterator[str]:
        """Why nobody can tell whether there are old versions, or "", then every path."""
        if self.local:
            if self.remote and not Path(self.path).is_dir():
                raise FileNotFoundError(2, "there is no such folder", self.path)
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


def stores(config: Any, cache: Path) -> list[Store]:
    """The cache, then every remote that DVC's configuration names, on whatever level.

    Args:
        config: a `dvc.config.Config`.
        cache: the folder of the cache.
    """
    from dvc.fs import LocalFileSystem

    found = [Store("cache", False, str(cache), LocalFileSystem(), str(cache))]
    return found + [open_remote(config, name) for name in sorted(config["remote"])]


def open_remote(config: Any, name: str) -> Store:
    """A remote, not asked yet whether it answers.

    Raises:
        Exception: its client is not installed, or its configuration is wrong.
    """
    from dvc.fs import get_cloud_fs

    kind, settings, path = get_cloud_fs(config, name=name)
    address = str(config["remote"][name].get("url", name))
    if kind.protocol == "local":
        return Store(name, True, os.path.abspath(path), kind(), os.path.abspath(path))  # noqa: PTH100  links stay
    settings.pop("checksum_jobs", None)
    if kind.protocol == "s3":
        settings.setdefault("connect_timeout", 10)
        settings.setdefault("read_timeout", 30)
    return Store(name, True, path, kind(**settings), re.sub(r"//[^/@]*@", "//", address))
