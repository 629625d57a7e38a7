"""Every object that is kept is looked into, whatever a version calls it and whatever it was made of.

What a stage made of the person is known from dvc.lock. What somebody tracked by hand, or changed and committed, is not:
archives, notebooks, photos in other folders, tables of embeddings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from faces.message import Message
from privacy.dvc.objects import DIR
from privacy.forget.containing import Containing, find_containing
from privacy.forget.evidence import NAMING, Evidence
from privacy.forget.images import Originals, Pictures, is_image
from privacy.forget.kept import Kept
from privacy.forget.packed import is_packed
from privacy.forget.traces import Traces
from service.client.language import say
from stages.files.encryption import is_sealed
from stages.progress import progress


def find_everywhere(
    kept: Kept, traces: Traces, pictures: Pictures, originals: Originals
) -> tuple[Containing, dict[str, str]]:
    """All objects that have to go, found by what they were made of and by what is in them.

    Args:
        kept: what is kept.
        traces: what identifies the person.
        pictures: what is known of the pictures already.
        originals: the person's photos and crops.

    Returns:
        What has to go, and of the objects that were found by what is in them, what that is.
    """
    held: dict[str, str] = {}
    looked: set[str] = set()
    found = find_containing(kept, traces)
    while True:
        evidence = evidence_of(kept, traces, originals, found.kinds)
        rest = sorted(oid for oid in kept.where if oid not in found.kinds and not oid.endswith(DIR))
        new = _look_into(kept, pictures, originals, evidence, [oid for oid in rest if oid not in looked], looked)
        if not new:
            return found, held
        held |= new
        found = find_containing(kept, traces, held=held)


def evidence_of(kept: Kept, traces: Traces, originals: Originals, gone: Collection[str]) -> Evidence:
    """By what a file is told to hold something of the person."""

    def photos() -> Iterator[bytes]:
        yield from (data for oid in traces.photos | traces.crops if (data := kept.read(oid)) is not None)

    return Evidence(traces, originals, gone, photos)


def _look_into(
    kept: Kept, pictures: Pictures, originals: Originals, evidence: Evidence, oids: list[str], looked: set[str]
) -> dict[str, str]:
    """What objects hold of the person; those that need not be looked into again are added to `looked`.

    An archive may hold a file of which it is found only later that it goes.
    """
    found: dict[str, str] = {}
    images = [oid for oid in oids if is_picture(kept, oid)]
    found.update(dict.fromkeys(pictures.copies(originals, images), Message("picture")))
    looked.update(images)
    others = sorted(set(oids) - set(images))
    for oid in progress(others, len(others), say("looking into what is kept"), say("object")):
        data = kept.read(oid)
        if data is None:
            looked.add(oid)
            continue
        if reason := evidence.of(data):
            found[oid] = Message("file with {what}", what=reason)
        elif evidence.named_in(data):
            found[oid] = NAMING
        if not is_packed(data):
            looked.add(oid)
    return found


def is_picture(kept: Kept, oid: str) -> bool:
    """Whether an object begins as a picture does, also where it is locked."""
    path = kept.objects.local_path(oid)
    if path is None:
        return is_image(kept.read(oid) or b"")
    with path.open("rb") as file:
        beginning = file.read(16)
    return is_image((kept.read(oid) or b"") if is_sealed(beginning) else beginning)
