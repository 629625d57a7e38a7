"""Faces on pictures that no run of the pipeline has looked at: they are embedded here, by the project's own networks.

Such are pictures of the cache that no version names any more, photos that were added while the pipeline did not run,
and pictures elsewhere in the project. A face like the person's is treated as in a photo of somebody else: it is for the
user to say whether it goes. A picture that no version names, nobody else can claim: it goes from caches where no known
face of anybody else is more like it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from faces.detection.face import Face
from faces.errors import UserError
from faces.recognition.image import DEFAULT_MAX_PIXELS
from faces.recognition.image_errors import ImageError
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from privacy.forget.images import Originals, decode, is_image
from privacy.forget.kept import Kept, md5_of
from privacy.forget.looking import is_picture
from privacy.forget.selection import Selection, is_photo_name
from privacy.forget.similar import embedded_photos, level, others_likeness
from privacy.forget.strays import LARGEST, files_of, name_of
from privacy.forget.traces import Rows, Traces, normalised
from privacy.forget.unexplained import unexplained
from service.client.language import say
from stages.files.encryption import LockedError
from stages.files.locked_files import reveal
from stages.progress import progress

LONGEST = 1800.0
"""Seconds, about, for which faces are looked for: pictures that are left then are counted."""
_MOST_OWN = 200
"""Photos of the person that are embedded where no table has their embeddings."""

Read = Callable[[], bytes | None]


@dataclass(frozen=True)
class Seen:
    """The face of a picture that is most like one of the person's.

    Attributes:
        cosine: of the embeddings.
        pixels: correlation of the crops.
    """

    cosine: float
    pixels: float


@dataclass
class Unseen:
    """What was found on pictures.

    Attributes:
        objects: pictures with a face like theirs, by hash.
        theirs: those that no version names, and to which no known face of anybody else is more like.
        files: files of the working tree with a face like theirs, by their path within it.
        left: pictures that were not looked at: there was no time left, or there are no networks.
        reason: why no faces were compared; "" where they were.
    """

    objects: dict[str, Seen] = field(default_factory=dict)
    theirs: set[str] = field(default_factory=set)
    files: dict[str, Seen] = field(default_factory=dict)
    left: int = 0
    reason: str = ""


def find_unseen(kept: Kept, selection: Selection, traces: Traces, originals: Originals) -> Unseen:
    """Look for the person's face on all pictures of which no table tells.

    Args:
        kept: what is kept.
        selection: what is known as the person's.
        traces: what identifies the person.
        originals: their photos and crops.
    """
    known = embedded_photos(kept) | traces.crops | set(selection.photos)
    nameless = {oid for oid in unexplained(kept) if oid not in kept.manifests and is_picture(kept, oid)} - known
    photos = {item.oid for item in kept.photo_items if is_photo_name(item.path) and item.oid in kept.where} - known
    tracked = {file.oid for version in kept.versions for item in version.tracked for file in kept.files(item)}
    elsewhere = {oid for oid in tracked - photos - known if oid in kept.where and is_picture(kept, oid)}
    objects = nameless | photos | elsewhere
    wanted: dict[str, Read] = {oid: _object(kept, oid) for oid in sorted(objects)} | dict(_files(kept, known))
    seen = Unseen()
    if not wanted:
        return seen
    try:
        faces = _Faces.open(kept, traces)
    except (UserError, OSError) as error:
        seen.left, seen.reason = len(wanted), _reason(error)
        return seen
    found, seen.left = _compare(faces, wanted, originals)
    for key, (one, row) in found.items():
        if key not in objects:
            seen.files[key] = one
            continue
        seen.objects[key] = one
        if key in nameless and one.cosine >= others_likeness(kept, traces, row):
            seen.theirs.add(key)
    return seen


def _reason(error: UserError | OSError) -> str:
    return error.args[0] if isinstance(error, UserError) else str(error)


def _object(kept: Kept, oid: str) -> Read:
    return lambda: kept.read(oid)


def _files(kept: Kept, known: Iterable[str]) -> Iterator[tuple[str, Read]]:
    """Pictures of the working tree that no version has, nor any run has seen."""
    root = kept.project.root
    seen = set(known) | set(kept.where)
    for path in files_of(kept.project, root):
        name = name_of(path, root)
        if name.startswith(("data/cropped/", "reports/")) and not name.startswith("reports/manual/"):
            continue  # what stages made: it is known of whom
        try:
            with path.open("rb") as file:
                if not is_image(file.read(16)) or path.stat().st_size > LARGEST:
                    continue
            if md5_of(path) in seen:
                continue
        except OSError:  # strays.py says so
            continue
        yield name, _file(path)


def _file(path: Path) -> Read:
    def read() -> bytes | None:
        try:
            return reveal(path.read_bytes(), path)
        except (OSError, LockedError):
            return None

    return read


@dataclass
class _Faces:
    """Embeds the faces of pictures, and has those of the person.

    Attributes:
        recognizer: open.
        own: float32 [N, D] of length 1.
    """

    recognizer: Recognizer
    own: Rows

    @classmethod
    def open(cls, kept: Kept, traces: Traces) -> _Faces:
        """Open the networks of the project.

        Raises:
            NetworksError: they are not there, or damaged.
        """
        root = kept.project.root
        recognizer = Recognizer(Networks.load(root / "models/networks"), _flip(root), DEFAULT_MAX_PIXELS)
        recognizer.open()
        size = recognizer.networks.manifest.embedding_size
        faces = cls(recognizer, traces.rows.get(size, np.zeros((0, size), np.float32)))
        if not len(faces.own):
            found = [face for oid in sorted(traces.photos)[:_MOST_OWN] for face in faces.on(kept.read(oid))]
            faces.own = normalised(np.array([face.embedding for face in found], np.float32).reshape(-1, size))
        return faces

    def on(self, data: bytes | None) -> list[Face]:
        """All faces of a picture, and the whole of it where it may be a crop, with crops and embeddings."""
        crop = self.recognizer.networks.manifest.crop
        image = None if data is None else decode(data)
        if data is None or image is None:
            return []
        try:
            found = self.recognizer.faces(data)
        except ImageError:  # a kind that the pipeline does not read
            file = io.BytesIO()
            image.save(file, "png")
            found = self.recognizer.faces(file.getvalue())
        if image.size == (crop.image_size, crop.image_size):
            found.append(_whole(np.asarray(image)))
        self.recognizer.embed(found)
        return found

    def most_alike(self, data: bytes | None, originals: Originals) -> tuple[Seen, Rows] | None:
        """The face of a picture that is most like one of theirs, with its embedding; None if none is like them."""
        best = None
        for face in self.on(data) if len(self.own) else ():
            if face.embedding is None or face.crop is None:
                continue
            row = normalised(face.embedding[None])[0]
            cosine = float((self.own @ row).max())
            if cosine >= level(len(row)) and (best is None or cosine > best[0].cosine):
                best = Seen(cosine, originals.likeness(Image.fromarray(face.crop))), row
        return best


def _whole(crop: NDArray[np.uint8]) -> Face:
    """The face of a picture that is a crop already."""
    side = float(len(crop))
    return Face(np.array([0.0, 0.0, side, side]), 1.0, np.zeros((5, 2)), crop)


def _compare(
    faces: _Faces, wanted: Mapping[str, Read], originals: Originals
) -> tuple[dict[str, tuple[Seen, Rows]], int]:
    """The pictures that have a face like theirs, and how many were left when the time was over."""
    end = time.monotonic() + LONGEST

    def look(key: str) -> tuple[bool, tuple[Seen, Rows] | None]:
        in_time = time.monotonic() < end
        return in_time, faces.most_alike(wanted[key](), originals) if in_time else None

    with ThreadPoolExecutor() as pool:
        looked = progress(pool.map(look, wanted), len(wanted), say("comparing faces"), say("picture"))
        found = dict(zip(wanted, looked, strict=True))
    alike = {key: each for key, (_, each) in found.items() if each is not None}
    return alike, sum(not in_time for in_time, _ in found.values())


def _flip(root: Path) -> bool:
    """Whether the project averages embeddings with those of the mirrored face."""
    try:
        return bool(yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))["embed"]["flip"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return True
