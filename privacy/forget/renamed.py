"""Other folders of a person's: their photos are theirs, too, also those that were deleted since."""

from __future__ import annotations

import unicodedata
from collections import defaultdict

from privacy.forget.kept import Kept
from privacy.forget.selection import Selection, add_by_bytes, add_folder, is_photo_name
from privacy.forget.versions import Item, Version
from stages.files.locked_files import plain_name

_Folders = dict[str, set[str]]


def add_other_names(kept: Kept, selection: Selection) -> list[str]:
    """Add folders of people that are the person's under another name.

    Two folders are one that was renamed if no version has both, and at least half of the photos of the other are the
    person's, byte for byte.

    Args:
        kept: what is kept.
        selection: what was asked for; the folders are added to it.

    Returns:
        Folders of which no version has both and that share a photo with the person's, but not so many: for people to
        say whose they are.
    """
    holders: dict[str, set[int]] = defaultdict(set)
    photos: _Folders = defaultdict(set)
    lists: dict[Item, _Folders] = {}
    for number, version in enumerate(kept.versions):
        for folder, oids in _folders(kept, version, lists):
            holders[folder].add(number)
            photos[folder] |= oids
    unsure = set()
    for person in [person for person in selection.people if person in photos]:
        for folder, oids in photos.items():
            shared = oids & photos[person]
            if not shared or folder in selection.people or holders[folder] & holders[person]:
                continue
            if 2 * len(shared) >= len(oids):
                selection.renamed.append(folder)
                add_folder(kept, selection, folder)
            else:
                unsure.add(folder)
    return sorted(unsure - set(selection.people))


def add_elsewhere(kept: Kept, selection: Selection) -> None:
    """Add photos that `dvc add` has tracked elsewhere, in a folder of the person's name: data/others/ana, holdout/ana.

    A photo that some version has in data/me or data/not_me is told by its folder there.

    Args:
        kept: what is kept.
        selection: what was asked for; the photos are added to it.
    """
    names = {_composed(person.removeprefix("not_me/")) for person in selection.people}
    tracked = {item for version in kept.versions for item in version.tracked}
    found = {
        file.oid
        for item in tracked
        if not item.path.startswith(("data/me", "data/not_me"))
        for file in kept.files(item)
        if is_photo_name(file.path) and not kept.is_named(file.oid)
        if any(f"/{name}/" in f"/{_composed(file.path)}" for name in names)
    }
    add_by_bytes(kept, selection, found)


def _composed(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _folders(kept: Kept, version: Version, lists: dict[Item, _Folders]) -> list[tuple[str, set[str]]]:
    """The people's folders of a version, with the hashes of their photos."""
    found: list[tuple[str, set[str]]] = []
    for item in {item for item in version.items() if item.path == "data" or item.path.startswith("data/not_me")}:
        if item not in lists:
            lists[item] = defaultdict(set)
            for file in kept.files(item):
                parts = plain_name(file.path).split("/")
                if parts[:2] == ["data", "not_me"] and len(parts) > 3 and is_photo_name(file.path):
                    lists[item]["/".join(parts[1:3])].add(file.oid)
        found += lists[item].items()
    return found
