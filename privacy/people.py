"""Who is on the photos, as far as folders say, and what a name that somebody types means."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from faces.message import Message
from privacy.errors import PrivacyError
from privacy.language import either
from stages.files.consent import as_path, parts_of
from stages.files.photos import SourcePhoto


@dataclass(frozen=True)
class Person:
    """Somebody whose photos are there.

    Attributes:
        who: "me", "not_me/ana", or a photo's path where no folder says who is on it; with composed letters.
        photos: theirs, at least one.
    """

    who: str
    photos: list[SourcePhoto]


def people(photos: Sequence[SourcePhoto]) -> list[Person]:
    """Everybody, me first, then the others by name. A photo of not_me in no sub-folder is somebody of its own."""
    found: dict[str, list[SourcePhoto]] = {}
    for photo in photos:
        found.setdefault(parts_of(photo.path_in_data)[0], []).append(photo)
    return [Person(who, found[who]) for who in sorted(found, key=lambda who: (who != "me", who))]


def find_person(name: str, photos: Sequence[SourcePhoto]) -> Person:
    """The person, the folder or the photo that a name means.

    Args:
        name: "me", a sub-folder of not_me, or a path within data/.
        photos: all that there are.

    Raises:
        PrivacyError: nobody has that name, or two have it; nothing is guessed, since a name that is nearly right may be
            somebody else's.
    """
    path = as_path(name)
    own = [photo for photo in photos if path in parts_of(photo.path_in_data)]
    if not own:
        raise PrivacyError(_nobody(name, path, photos))
    depth = path.count("/") + 1
    spelled = sorted({"/".join(photo.path_in_data.split("/")[:depth]) for photo in own})
    if len(spelled) > 1:
        raise PrivacyError(
            "{name!r} is the name of {count} that look alike and are spelled with other characters: {names}. Rename "
            "one of them, then run this again",
            name=name,
            count=len(spelled),
            names=", ".join(ascii(one) for one in spelled),
        )
    return Person(path, own)


def _nobody(name: str, path: str, photos: Sequence[SourcePhoto]) -> Message:
    """What to say where nobody has a name: whose it may be, with other capitals or accents."""
    known = {part for photo in photos for part in parts_of(photo.path_in_data)}
    alike = sorted(part for part in known if _plain(part) == _plain(path))
    if alike:
        text = "{name!r} is nobody whose photos are in data/. Did you mean {names}?"
        return Message(text, name=name, names=either(alike))
    return Message(
        "{name!r} is nobody whose photos are in data/; expected me, a sub-folder of data/not_me, or a photo such as "
        "not_me/ana/1.jpg",
        name=name,
    )


def _plain(text: str) -> str:
    """Without capitals, accents and blanks."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter) and not letter.isspace())
