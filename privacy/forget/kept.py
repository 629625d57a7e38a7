"""What is kept of the project: its versions, the run cache, and the objects in caches and remotes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from privacy.dvc.objects import DIR, Manifest, Objects
from privacy.dvc.stores import Store
from privacy.folder import STATE
from privacy.forget.project import Project
from privacy.forget.versions import Item, Made, Version, find_versions, read_run
from stages.files.encryption import LockedError
from stages.files.locked_files import plain_name, reveal

_TABLES = ("crop_report.csv", "index.csv")

FORMER = STATE / "names.json"


class CropRow(NamedTuple):
    """What is needed of a row of crop_report.csv or index.csv.

    Attributes:
        photo: path within data/.
        sha256: of its bytes.
        crop: path within data/cropped; "" without one.
        crop_sha256: of its bytes.
        photo_hash: perceptual hash of the photo; "" where the table has none.
    """

    photo: str
    sha256: str
    crop: str
    crop_sha256: str
    photo_hash: str


@dataclass
class Kept:
    """What is kept.

    Attributes:
        project: whose.
        versions: all but those of the run cache.
        objects: what the stores hold.
        runs: the stages that the run cache has.
        on_disk: photos in the working tree by their path within data/, with the hash of their bytes.
        former: objects that only lists named which an earlier `forget` deleted, with the paths that they had.
        closed: locked objects and photos that were to be read and could not be opened, by hash, and why.
    """

    project: Project
    versions: list[Version]
    objects: Objects
    runs: list[Made]
    on_disk: dict[str, str] = field(default_factory=dict)
    former: dict[str, list[str]] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def look(cls, project: Project) -> Kept:
        """Read everything that says what is kept; nothing is written.

        Raises:
            PrivacyError: git failed.
            OSError: something cannot be read.
        """
        objects = Objects(project.stores)
        kept = cls(project, find_versions(project), objects, [read_run(data) for _, data in objects.runs()])
        kept.on_disk = photos_on_disk(project.root)
        kept.former = read_former(project.root)
        return kept

    @property
    def where(self) -> dict[str, list[tuple[Store, str]]]:
        """Of each object, the stores that hold it and its path there; caches come first."""
        return self.objects.where

    @property
    def manifests(self) -> dict[str, Manifest]:
        """The files of each folder whose list is somewhere."""
        return self.objects.manifests

    def read(self, oid: str) -> bytes | None:
        """The content of an object, decrypted in memory where it is locked.

        Returns:
            None where none of the stores has it, or it cannot be opened: `closed` then says why.
        """
        data = self.objects.read(oid)
        return None if data is None else self._open(oid, data, self.where[oid][0][1])

    def read_file(self, path: Path, oid: str) -> bytes | None:
        """The content of a file of a working tree, given its hash; otherwise as `read`."""
        return self._open(oid, path.read_bytes(), str(path))

    def _open(self, oid: str, data: bytes, path: str) -> bytes | None:
        try:
            return reveal(data, Path(path))
        except LockedError as error:
            self.closed[oid] = error.args[0]
            return None

    @cached_property
    def made(self) -> set[Made]:
        """All stages of all versions and of the run cache."""
        found = {made for version in self.versions for made in version.made}
        return found | set(self.runs)

    @cached_property
    def items(self) -> set[Item]:
        """Everything that any version or the run cache names."""
        found = {item for version in self.versions for item in version.items()}
        return found | {item for made in self.made for item in (*made.deps, *made.outs)}

    def files(self, item: Item) -> Iterator[Item]:
        """The files of an item: of a folder those that its list names, else itself."""
        if not item.oid.endswith(DIR):
            yield item
            return
        for name, oid in self.manifests.get(item.oid, ()):
            yield Item(f"{item.path}/{name}", oid)

    @cached_property
    def photo_items(self) -> set[Item]:
        """Every file that was ever within data/me or data/not_me, by its path within data/, without ".locked"."""
        found = {
            Item(plain_name(file.path.removeprefix("data/")), file.oid)
            for item in self.items
            if item.path == "data" or item.path.startswith(("data/me", "data/not_me"))
            for file in self.files(item)
            if file.path.startswith(("data/me/", "data/not_me/"))
        }
        found |= {Item(plain_name(path), oid) for path, oid in self.on_disk.items()}
        return found | {
            Item(plain_name(path.removeprefix("data/")), oid)
            for oid, paths in self.former.items()
            for path in paths
            if path.startswith(("data/me/", "data/not_me/"))
        }

    def photos_read(self, made: Made) -> Iterator[tuple[str, str]]:
        """The photos that a stage read: plain path within data/, and hash."""
        for dep in made.deps:
            if dep.path == "data" or dep.path.startswith(("data/me", "data/not_me")):
                for file in self.files(dep):
                    yield plain_name(file.path.removeprefix("data/")), file.oid

    @cached_property
    def contents(self) -> dict[str, set[str]]:
        """SHA-256 of photos' content by the hash of their object, as the tables of runs that read them have it.

        So photos that are locked are recognised without a key, too.
        """
        found: dict[str, set[str]] = defaultdict(set)
        for made in self.made:
            rows = [row for out in made.outs for row in self.tables.get(out.oid, ()) if row.sha256]
            own = dict(self.photos_read(made)) if rows else {}
            for row in rows:
                if row.photo in own:
                    found[own[row.photo]].add(row.sha256)
        return dict(found)

    @cached_property
    def photos_by_sha256(self) -> dict[str, set[str]]:
        """The objects of photos by the SHA-256 of their content, in the same way."""
        found: dict[str, set[str]] = defaultdict(set)
        for oid, own in self.contents.items():
            for sha256 in own:
                found[sha256].add(oid)
        return dict(found)

    @cached_property
    def crops_by_sha256(self) -> dict[str, str]:
        """The objects of crops by the SHA-256 of their content, in the same way."""
        found = {}
        for made in self.made:
            rows = [row for out in made.outs for row in self.tables.get(out.oid, ()) if row.crop]
            own = {name: oid for out in made.outs for name, oid in self.manifests.get(out.oid, ())} if rows else {}
            found.update({row.crop_sha256: own[row.crop] for row in rows if row.crop in own})
        return found

    @cached_property
    def tables(self) -> dict[str, list[CropRow]]:
        """The rows of every crop report and index, by the object's hash, or the file's path in a working tree."""
        named = {item.oid for item in self.items if item.path.rpartition("/")[2] in _TABLES}
        unexplained = {oid for oid in self.where if oid not in self.explained and not oid.endswith(DIR)}
        found = {}
        for oid in named | unexplained:
            data = self.read(oid)
            if data is not None and data[:200].lstrip(b"\xef\xbb\xbf").startswith(
                (b'"photo"', b"photo", b'"row"', b"row")
            ):
                found[oid] = _parse_rows(data)
        for workspace in self.project.workspaces:
            for name in ("reports/crop_report.csv", "data/index.csv"):
                path = workspace.root / name
                if path.is_file():
                    found[str(path)] = _parse_rows(path.read_bytes())
        return {name: rows for name, rows in found.items() if rows}

    @cached_property
    def crop_rows(self) -> set[CropRow]:
        """The rows of all of them."""
        return {row for rows in self.tables.values() for row in rows}

    @cached_property
    def explained(self) -> set[str]:
        """Objects that a version or the run cache names, itself or as a file of a folder."""
        named = {item.oid for item in self.items}
        parts = {oid for folder in named for _, oid in self.manifests.get(folder, ())}
        return named | parts | set(self.former)

    def oids_on_disk(self, path: str) -> set[str]:
        """Hashes of a photo of the working tree, plain or locked; `path` is its plain path within data/."""
        return {oid for name, oid in self.on_disk.items() if plain_name(name) == path}

    @cached_property
    def listed(self) -> set[str]:
        """Objects that some list of files names, whether or not a version names that list."""
        return {oid for manifest in self.manifests.values() for _, oid in manifest}

    def is_named(self, oid: str) -> bool:
        """Whether a version has a photo of these bytes: then its path says whose it is."""
        return oid in self._named

    @cached_property
    def _named(self) -> set[str]:
        return {item.oid for item in self.photo_items}


def photos_on_disk(root: Path) -> dict[str, str]:
    """Every file within data/me and data/not_me by its path within data/, with the MD5 of its bytes as they are."""
    data = root / "data"
    found = {}
    for class_name in ("me", "not_me"):
        for path in sorted((data / class_name).rglob("*")):
            if path.is_file():
                found[path.relative_to(data).as_posix()] = md5_of(path)
    return found


def read_former(root: Path) -> dict[str, list[str]]:
    """What `remember_names` wrote."""
    path = root / FORMER
    if not path.is_file():
        return {}
    content: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return content


def md5_of(path: Path) -> str:
    """The hash by which DVC names a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def md5_hex(data: bytes) -> str:
    """The same of a content."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256_hex(data: bytes) -> str:
    """The hash by which the stages name a photo and a crop."""
    return hashlib.sha256(data).hexdigest()


def _parse_rows(data: bytes) -> list[CropRow]:
    """The rows of a crop report of any version of the project; none where it is none."""
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        if not {"photo", "sha256"} <= set(reader.fieldnames or ()):
            return []
        return [CropRow(**{name: row.get(name) or "" for name in CropRow._fields}) for row in reader]
    except (UnicodeDecodeError, csv.Error):
        return []
