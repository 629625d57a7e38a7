"""The photos of data/: which there are already, and how new ones are put beside them without a loss.

Photos wait in this program's memory until they are accepted. So one that is not wanted never reaches the disk, there is
nothing for `python -m privacy forget` to look for, and nothing is left behind where the program is killed. Once they
are accepted, they lie in a folder data/tmp….tmp for a moment, which git and DVC pass over and `forget` knows.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from enrolment.errors import RefusedError
from faces.files import write_flushed
from faces.recognition.image_kinds import kind_of
from quickstart import is_demo
from stages.files.locked_files import exists, is_locked_name
from stages.files.paths import DATA
from stages.files.photos import SourcePhoto, photos_in


@dataclass(frozen=True)
class Existing:
    """What lies in data/, without the portraits of the demo, which make way for photos of people.

    Attributes:
        me, not_me: photos.
        demo: the classes of which the demo's portraits are there.
    """

    me: tuple[SourcePhoto, ...]
    not_me: tuple[SourcePhoto, ...]
    demo: tuple[str, ...]

    @property
    def locked(self) -> bool:
        """Whether photos are encrypted."""
        return any(is_locked_name(photo.path.name) for photo in (*self.me, *self.not_me))


def find_existing() -> Existing:
    """What lies in data/ now."""
    demo = tuple(name for name in ("me", "not_me") if is_demo(name))
    photos = [photo for photo in photos_in(DATA) if photo.class_name not in demo]
    mine = tuple(photo for photo in photos if photo.label == 1)
    return Existing(mine, tuple(photo for photo in photos if photo.label == 0), demo)


def name_of(data: bytes) -> str:
    """What a photo is called in data/me: by its content, so no other photo has the name and a second try does no harm.

    Args:
        data: the file's bytes, of a kind that is read.
    """
    kind = kind_of(data)
    suffix = kind.suffixes[0] if kind is not None else ".jpg"
    return f"enrolled-{hashlib.sha256(data).hexdigest()[:16]}{suffix}"


def put_into_me(photos: Sequence[bytes]) -> list[str]:
    """Put photos into data/me. Those of the demo make way; nothing else is overwritten or removed.

    Args:
        photos: their bytes.

    Returns:
        The names of those that are new there.

    Raises:
        RefusedError: photos in data/ are locked: plain ones beside them would be a leak.
        OSError: they cannot be written; then none of them is in data/me.
    """
    existing = find_existing()
    if existing.locked:
        raise locked()
    folder = DATA / "me"
    folder.mkdir(parents=True, exist_ok=True)
    (DATA / "not_me").mkdir(exist_ok=True)  # an empty one can be tracked, a missing one cannot
    new = {name_of(data): data for data in photos}
    new = {name: data for name, data in new.items() if not exists(folder / name)}
    with tempfile.TemporaryDirectory(suffix=".tmp", dir=DATA) as temporary:
        for name, data in new.items():
            write_flushed(Path(temporary) / name, data)
        for name in new:
            (Path(temporary) / name).rename(folder / name)
    for name in existing.demo:  # last: where something went wrong before, all is as it was
        _remove_demo(DATA / name, keep=set(new))
    return list(new)


def _remove_demo(folder: Path, keep: set[str]) -> None:
    for photo in photos_in(DATA):
        if photo.path.is_relative_to(folder) and photo.name not in keep:
            photo.path.unlink()
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with contextlib.suppress(OSError):  # it still holds something
            inner.rmdir()


def locked() -> RefusedError:
    """What to raise where photos are encrypted."""
    return RefusedError(
        "The photos in data/ are locked. Unlock them first, in a terminal: python -m privacy unlock. Afterwards lock "
        "them again: python -m privacy lock",
        code="locked",
    )
