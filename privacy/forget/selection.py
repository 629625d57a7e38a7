"""Whom or what was asked for: a person's folder or a photo, in the working tree and in every version that is kept."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from faces.message import Message
from privacy.errors import PrivacyError
from privacy.forget.git import files_in_git
from privacy.forget.kept import Kept, md5_hex, md5_of
from stages.files.locked_files import plain_name
from stages.files.photos import SUFFIXES
from stages.language.telling import some

_NAMED = 6
_EMPTY = md5_hex(b"")


@dataclass
class Selection:
    """What is to be forgotten.

    Attributes:
        asked: paths within data/: folders of people ("not_me/ana", "me") and photos.
        people: those that are folders.
        owners: folders of people of whom single photos were asked for: what else these have was not.
        photos: hashes of the photos' bytes, and the paths that they have or had; all paths are without ".locked".
        bare: photos that only tables name any more: no version says which bytes they had.
        renamed: those of `people` that are other names of one that was asked for.
        files: files of the working tree that are no photos of data/, to be deleted; paths from the project's folder.
    """

    asked: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    owners: set[str] = field(default_factory=set)
    photos: dict[str, set[str]] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)
    renamed: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)

    def covers(self, path: str) -> bool:
        """Whether a path within data/ was asked for, or lies in a folder that was."""
        return path in self.asked or any(path.startswith(f"{person}/") for person in self.people)

    def is_owners(self, path: str) -> bool:
        """Whether a path lies in the folder of somebody of whom single photos were asked for."""
        return any(path.startswith(f"{owner}/") for owner in self.owners)


def select(kept: Kept, names: Collection[str], also: Collection[str] = ()) -> Selection:
    """Find what was asked for.

    Args:
        kept: what is kept.
        names: a sub-folder of not_me, "me", or a path of a photo or a folder.
        also: photos of others that are to go, too.

    Raises:
        PrivacyError: one is not there in any version, or may be two.
    """
    known = {item.path for item in kept.photo_items} | {row.photo for row in kept.crop_rows if row.photo}
    known |= _unlisted(kept)
    selection = Selection()
    for name in names:
        path = resolve(name, known)
        selection.asked.append(path)
        if path not in known:
            selection.people.append(path)
        elif owner := _owner(path):
            selection.owners.add(owner)
    for name in also:
        if _add_other(kept, selection, name):
            continue
        path = resolve(name, known)
        if path not in known:
            raise PrivacyError("--also {name}: expected a photo, not a folder", name=name)
        selection.asked.append(path)
    for path in selection.asked:
        _add_photos(kept, selection, path)
    return selection


def _owner(photo: str) -> str:
    """The folder within data/ of the person whose photo it is; "" where it lies in none."""
    folders = photo.split("/")[:-1]
    return "/".join(folders[: 1 if folders[0] == "me" else 2]) if folders != ["not_me"] else ""


def _add_other(kept: Kept, selection: Selection, name: str) -> bool:
    """Add what is no photo of data/: a picture of the cache by its path or hash, or a file of the working tree."""
    oid = "".join(name.replace("\\", "/").removeprefix("./").split("/")[-2:])
    if oid in kept.where or (oid := name) in kept.where:
        selection.photos.setdefault(oid, set())
        return True
    root = kept.project.root
    path = Path(os.path.abspath(root / name))  # noqa: PTH100  a link stays one
    is_elsewhere = path.is_relative_to(root) and not path.is_relative_to(root / "data/me")
    if path.is_file() and is_elsewhere and not path.is_relative_to(root / "data/not_me"):
        selection.files.add(path.relative_to(root).as_posix())
        return True
    return False


def _unlisted(kept: Kept) -> set[str]:
    """Photos of people whom only a list of files speaks of that no version names: git has lost their versions."""
    return {
        f"not_me/{plain_name(name)}"
        for oid, manifest in kept.manifests.items()
        if oid not in kept.explained
        for name, _ in manifest
        if "/" in name and is_photo_name(name) and not name.startswith(("me/", "me_several/", "not_me/"))
    }


def _add_photos(kept: Kept, selection: Selection, path: str) -> None:
    """Add the bytes of a photo, or of all photos of a folder, and the other paths that they have."""
    if path in selection.people:
        own = {item.oid for item in kept.photo_items if item.path.startswith(f"{path}/")}
        own = {oid for oid in own if not _is_table(kept, oid)} - _said_of_others(kept, path)
    else:
        own = kept.oids_on_disk(path) or {item.oid for item in kept.photo_items if item.path == path}
        own = own or _in_unexplained_lists(kept, path)
        if not own:
            selection.bare.add(path)
    add_by_bytes(kept, selection, own)


def add_folder(kept: Kept, selection: Selection, folder: str) -> None:
    """Add somebody's folder, with all photos that any version has in it."""
    selection.people.append(folder)
    _add_photos(kept, selection, folder)


def is_photo_name(name: str) -> bool:
    """Whether a file's name is a photo's, plain or locked."""
    return plain_name(name).lower().endswith(SUFFIXES)


def _in_unexplained_lists(kept: Kept, path: str) -> set[str]:
    """Bytes of a photo that only lists of files name which git has lost."""
    return {
        part
        for oid, manifest in kept.manifests.items()
        if oid not in kept.explained
        for name, part in manifest
        if f"not_me/{plain_name(name)}" == path
    }


def _said_of_others(kept: Kept, folder: str) -> set[str]:
    """Files that are no photos and that others have, too, such as a licence: what lies in the folder goes with it, but
    the same bytes elsewhere show nobody."""
    own = {item.oid for item in kept.photo_items if item.path.startswith(f"{folder}/")}
    notes = own - {item.oid for item in kept.photo_items if is_photo_name(item.path)}
    if not notes:
        return set()
    named = {file.oid for item in kept.items for file in kept.files(item) if not _lies_in(file.path, f"data/{folder}")}
    named |= {oid for path, oid in kept.on_disk.items() if not _lies_in(plain_name(path), folder)}
    root = kept.project.root
    in_git = files_in_git(root) if kept.project.has_git else set()
    named |= {md5_of(root / name) for name in in_git if (root / name).is_file()}
    return {oid for oid in notes if oid in named or oid == _EMPTY}


def _lies_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _is_table(kept: Kept, oid: str) -> bool:
    """Whether an object is a table about people (attributes.csv): the lines of others in it are not theirs to lose."""
    return any(item.oid == oid and item.path.endswith("/attributes.csv") for item in kept.photo_items)


def add_by_bytes(kept: Kept, selection: Selection, oids: Iterable[str]) -> None:
    """Add photos by their hash, with all paths that they have in any version."""
    wanted = set(oids)
    for oid in wanted:
        selection.photos.setdefault(oid, set())
    for item in kept.photo_items:
        if item.oid in wanted:
            selection.photos[item.oid].add(item.path)


def resolve(name: str, known: Collection[str]) -> str:
    """The path within data/ that a name means.

    Args:
        name: a sub-folder of not_me, "me", or a path; as it was typed.
        known: photos by their path within data/.

    Raises:
        PrivacyError: there is none, or there are two.
    """
    folders = {"me"} if any(path.startswith("me/") for path in known) else set()
    for path in known:
        parts = path.split("/")
        for length in range(2, len(parts)):
            if parts[0] == "not_me" or length > 1:
                folders.add("/".join(parts[:length]))
    choices = set(known) | folders
    typed = plain_name(name.replace("\\", "/").rstrip("/").removeprefix("./").removeprefix("data/"))
    forms = [typed] if typed == "me" or typed.startswith(("me/", "not_me/")) else [f"not_me/{typed}"]
    exact = [form for form in forms if form in choices]
    alike = sorted(choice for choice in choices if any(_key(choice) == _key(form) for form in forms))
    spelled_out = name.replace("\\", "/").rstrip("/").removeprefix("./").startswith("data/")
    if exact and (len(alike) == 1 or spelled_out):
        return exact[0]
    if len(alike) > 1:
        raise PrivacyError(
            "{name} may be any of {choices}, which differ in capitals or in how accents are written: give the path of "
            "one, from data/ on",
            name=name,
            choices=", ".join(f"{choice!r} ({_escaped(choice)})" for choice in alike),
        )
    if alike and unicodedata.normalize("NFC", alike[0]) == unicodedata.normalize("NFC", forms[0]):
        return alike[0]
    if alike:
        raise PrivacyError(
            "there is no {name}, but {there}: is that meant? Then write it so", name=name, there=alike[0]
        )
    people = sorted(folder.removeprefix("not_me/") for folder in folders if folder.count("/") == 1 or folder == "me")
    raise PrivacyError(
        "{name} is in no version of data/me and data/not_me that is kept: expected 'me', a sub-folder of not_me "
        "({people}) or the path of a photo such as not_me/ana/1.jpg",
        name=name,
        people=some(people, _NAMED) if people else Message("there is none"),
    )


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def _escaped(path: str) -> str:
    return path.encode("unicode_escape").decode("ascii")
