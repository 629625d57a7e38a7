"""The same photo in other forms: as it was before it was locked, or locked with an earlier key. DVC may keep each."""

from __future__ import annotations

from privacy.forget.kept import Kept, sha256_hex
from privacy.forget.selection import Selection, add_by_bytes


def add_forms(kept: Kept, selection: Selection) -> None:
    """Add the other forms of the photos that go.

    They are told by their content: that which is read, or that which tables name of runs that read the photo. Where no
    key opens one of two photos of one path and no table speaks of it, they are taken for forms of one.

    Args:
        kept: what is kept.
        selection: what goes; it is added to.
    """
    before = -1
    while before < len(selection.photos):  # another form may have had another path, too
        before = len(selection.photos)
        contents = {oid: content_of(kept, oid) for oid in selection.photos}
        known = {sha256 for own in contents.values() for sha256 in own}
        found = {oid for oid, own in kept.contents.items() if not known.isdisjoint(own)}
        paths = {path for own in selection.photos.values() for path in own}
        closed = {path for oid, own in contents.items() if not own for path in selection.photos[oid]}
        for item in kept.photo_items:
            if item.path in paths and item.oid not in selection.photos:
                content = content_of(kept, item.oid)
                unknown = item.oid in kept.closed if not content else item.path in closed
                if unknown or not known.isdisjoint(content):
                    found.add(item.oid)
        add_by_bytes(kept, selection, found)


def content_of(kept: Kept, oid: str) -> set[str]:
    """SHA-256 of what an object holds; empty where that is not known."""
    if oid in kept.contents:
        return kept.contents[oid]
    data = kept.read(oid)
    return set() if data is None else {sha256_hex(data)}
