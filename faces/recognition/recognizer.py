"""From a photo's bytes to faces with crops and embeddings: the path that training and serving share."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faces.detection.detector import Detector
from faces.detection.face import Face, intersection_over_union
from faces.recognition.align import CropGeometry
from faces.recognition.embedder import Embedder
from faces.recognition.face_quality import measure_face
from faces.recognition.image import DEFAULT_MAX_PIXELS, Photo
from faces.recognition.image_kinds import KINDS, Kind
from faces.recognition.networks import Networks
from faces.recognition.turned import find_turned, is_sure, turned_back
from faces.threads import ThreadedMap, slices

_PART_PIXELS = 1_000_000  # reduced at once; Pillow may copy them first


def find_faces(
    photo: Photo, detector: Detector, geometry: CropGeometry, largest_only: bool, decoded: Image.Image | None = None
) -> list[Face]:
    """Detect the faces of a photo and cut them.

    The detector works on a reduced image. Crops are cut from an image whose pixels are as fine as the crop's own or
    finer, if the photo has such.

    Args:
        photo: the photo.
        detector: finds faces.
        geometry: how to cut them.
        largest_only: return the largest face alone (found much sooner).
        decoded: what `decode_for_detection` returned, if the caller has called it for a purpose of its own.

    Returns:
        Faces with their crops and quality, the largest first, in pixels of the photo at full size.

    Raises:
        faces.recognition.image.UnreadableImageError: the photo cannot be decoded.
    """
    max_side = detector.settings.max_side
    full_side = max(photo.stored_size)
    if decoded is None:
        decoded = decode_for_detection(photo, detector)
    reduced = reduce_for_detection(decoded, max_side, detector.threaded_map)
    found = _detect(np.asarray(reduced), detector, largest_only)
    for face in found:
        face.visible = face.visible_share(*reduced.size)
    faces = [face.scaled(full_side / max(reduced.size)) for face in found]
    finest = decoded
    for face in faces:  # the largest one comes first and decides its own resolution: the others do not change its crop
        needed = min(round(full_side / geometry.source_pixels(face)), photo.finest_side)
        image = decoded if max(decoded.size) >= needed else finest
        if max(image.size) < needed:
            del finest, image  # before the next: a large photo should be in memory once
            image = finest = photo.decode(long_side=needed)
        face.crop = geometry.cut(image, face.scaled(max(image.size) / full_side))
        face.quality = measure_face(
            face
        )  # here, and not after the embedding: the crop is still in the processor's cache
    return faces


def decode_for_detection(photo: Photo, detector: Detector) -> Image.Image:
    """The photo as displayed, RGB, decoded at the lowest resolution that is enough for detection.

    Raises:
        faces.recognition.image.UnreadableImageError: the photo cannot be decoded.
    """
    return photo.decode(long_side=detector.settings.max_side)


def _detect(pixels: NDArray[np.uint8], detector: Detector, largest_only: bool) -> list[Face]:
    """Faces, the largest first; where none is upright, those of the photo turned.

    The largest one is the same to the last digit whether the others are wanted or not.
    `detect_all` may place the largest face a few pixels away from where `detect_largest` places it. Training and
    serving must get the same crop from a photo. So the largest face is always the one of `detect_largest`.
    """
    faces = _detect_upright(pixels, detector, largest_only)
    if is_sure(faces) or not detector.settings.try_turned:
        return faces
    found = find_turned(pixels, detector, faces[0] if faces else None)
    if found is None:
        return faces
    turned, degrees = found
    height, width = pixels.shape[:2]
    return [turned_back(face, degrees, width, height) for face in _detect_upright(turned, detector, largest_only)]


def _detect_upright(pixels: NDArray[np.uint8], detector: Detector, largest_only: bool) -> list[Face]:
    largest, others = (detector.detect_largest(pixels), []) if largest_only else detector.detect(pixels)
    if largest is None:
        return []
    return [largest, *(face for face in others if intersection_over_union(face.box, largest.box) < 0.5)]


def reduce_for_detection(image: Image.Image, max_side: int, threaded_map: ThreadedMap | None = None) -> Image.Image:
    """The image with its longer side at most `max_side`. The result does not depend on the number of threads."""
    ratio = max(image.size) / max_side
    if ratio <= 1:
        return image
    threaded_map = threaded_map or ThreadedMap()
    width, height = max(round(image.width / ratio), 1), max(round(image.height / ratio), 1)

    def narrowed(rows: slice) -> Image.Image:
        # Not a part that is cut out first: of a large photo, that would be a copy of all its pixels.
        box = (0, rows.start, image.width, rows.stop)
        return image.resize((width, rows.stop - rows.start), Image.Resampling.BILINEAR, box=box)

    def shortened(columns: slice) -> Image.Image:
        strip = _part(narrow, (columns.start, 0, columns.stop, narrow.height))
        return strip.resize((strip.width, height), Image.Resampling.BILINEAR)

    # First the width, then the height: so no part needs pixels of another part. A large photo has more parts than
    # threads, so that little is held beside its pixels.
    parts = max(threaded_map.threads, image.width * image.height // _PART_PIXELS)
    bands, strips = slices(image.height, parts), slices(width, parts)
    narrow = _joined(threaded_map, narrowed, bands, (width, image.height), [(0, band.start) for band in bands])
    return _joined(threaded_map, shortened, strips, (width, height), [(strip.start, 0) for strip in strips])


def _part(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """A rectangle of an image; if that is all of it, the image itself and not a copy."""
    return image if box == (0, 0, *image.size) else image.crop(box)


def _joined(
    threaded_map: ThreadedMap,
    make: Callable[[slice], Image.Image],
    slices: Sequence[slice],
    size: tuple[int, int],
    corners: Sequence[tuple[int, int]],
) -> Image.Image:
    """An image put together from parts; `corners` are the upper left corners of the parts that `make` makes."""
    if len(slices) == 1:
        return make(slices[0])
    whole = Image.new("RGB", size)

    def place(number: int) -> None:
        whole.paste(make(slices[number]), corners[number])

    threaded_map.map(place, list(range(len(slices))))
    return whole


class Recognizer:
    """Finds and embeds faces. It may be made in one process and opened in another, which uses it.

    Safe to use from several threads at once.

    Args:
        networks: checked networks.
        flip: average embeddings with those of the mirrored face; the same as in training.
        max_pixels: photos with more pixels are refused.
        kinds: of image files that are accepted.
    """

    def __init__(
        self,
        networks: Networks,
        flip: bool = True,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        kinds: Sequence[Kind] = KINDS,
    ) -> None:
        self.networks = networks
        self.flip = flip
        self.max_pixels = max_pixels
        self.kinds = tuple(kinds)
        self._detector: Detector | None = None
        self._embedder: Embedder | None = None

    def open(self, threads: int = 1) -> None:
        """Make the sessions in this process and run each once, so that the first photo is as fast as the others.

        Args:
            threads: how many parts of one photo's work run at once.
        """
        self._detector = self.networks.open_detector(threads)
        self._embedder = self.networks.open_embedder(self.flip, threads)
        size = self.networks.manifest.crop.image_size
        self._detector.warm_up()
        self._embedder.embed(np.zeros((1, size, size, 3), np.uint8))
        photo, side = io.BytesIO(), min(1500, math.isqrt(self.max_pixels))
        Image.new("RGB", (side, side)).save(photo, "JPEG")
        opened = Photo.open(photo.getvalue(), self.max_pixels)
        # This warms up decoding and resizing as well, and allocates their memory.
        find_faces(opened, self._detector, self.networks.manifest.crop, largest_only=False)

    def read(self, source: bytes | Path) -> Photo:
        """Read the header of a photo and check it against the limits; raises as `Photo.open` does."""
        return Photo.open(source, self.max_pixels, self.kinds)

    def faces(self, source: bytes | Path | Photo, largest_only: bool = False) -> list[Face]:
        """The faces of a photo, with crops, the largest first.

        Args:
            source: bytes of an image file, its path, or what `read` returned.
            largest_only: find the largest face alone.

        Raises:
            faces.recognition.image.ImageError: the content cannot be used.
            OSError: the path cannot be read.
            RuntimeError: `open` was not called.
        """
        if self._detector is None:
            raise RuntimeError("Recognizer.open must be called in this process first")
        photo = source if isinstance(source, Photo) else self.read(source)
        return find_faces(photo, self._detector, self.networks.manifest.crop, largest_only)

    def largest_face(self, source: bytes | Path) -> Face | None:
        """The largest face of a photo, with its crop, or None; raises as `faces` does."""
        found = self.faces(source, largest_only=True)
        return found[0] if found else None

    def embed(self, faces: list[Face]) -> None:
        """Fill in the embedding (float32 [D]) of faces that have a crop.

        Raises:
            RuntimeError: `open` was not called.
        """
        if self._embedder is None:
            raise RuntimeError("Recognizer.open must be called in this process first")
        if not faces:
            return
        embeddings = self._embedder.embed(np.stack([face.crop for face in faces if face.crop is not None]))
        for face, embedding in zip(faces, embeddings, strict=True):
            face.embedding = embedding
