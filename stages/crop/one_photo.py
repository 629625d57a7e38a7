"""What crop does with one photo."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from faces.detection.face import Face
from faces.recognition.image import ImageError, Photo
from faces.recognition.networks import DETECTOR_NAMES, Networks
from faces.recognition.quality import brightness, photo_hash, sharpness
from faces.recognition.recognizer import decode_for_detection, find_faces
from stages.crop.memory import CropRow
from stages.files.photos import NO_FACE_FOUND, SourcePhoto
from stages.params import Params

_LONGEST_NAME = 180  # bytes; file systems allow 255, and the face's number and a temporary suffix come on top
_CODE = 2  # raised whenever detection, cutting or this file changes what comes out: older crops are not taken over then


def crop_recipe(networks: Networks, params: Params, label: int) -> str:
    """Short hash of everything but the photo that decides which crops are made of it."""
    manifest = networks.manifest.recipe(flip=False)
    wanted = params.crop.me_faces if label == 1 else params.crop.not_me_faces
    parts = {
        "code": _CODE,
        "weights": {name: manifest["weights"][name] for name in DETECTOR_NAMES},
        "detector": manifest["detector"],
        "crop": manifest["crop"],
        "wanted": wanted,
        "max_megapixels": params.crop.max_megapixels,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class Cropper:
    """Makes the crops of one photo after another, below a folder.

    Args:
        networks: finds faces, and says how they are cut.
        params: the parameters.
        target: where crops go.
        threads: how many parts of one photo's work run at once.
    """

    def __init__(self, networks: Networks, params: Params, target: Path, threads: int = 1) -> None:
        self._detector = networks.open_detector(threads)
        self._geometry = networks.manifest.crop
        self._wanted = {1: params.crop.me_faces, 0: params.crop.not_me_faces}
        self._recipes = {label: crop_recipe(networks, params, label) for label in (0, 1)}
        self._max_pixels = int(params.crop.max_megapixels * 1e6)
        self._target = target

    def crop(self, source: SourcePhoto) -> list[CropRow]:
        """Crop one photo and write the PNG files.

        Returns:
            Its rows of the report, at least one.

        Raises:
            OSError: a crop cannot be written (disk full).
        """
        name = source.path_in_data
        recipe = self._recipes[source.label]
        try:
            data = source.path.read_bytes()
        except OSError as error:
            return [CropRow(name, "", 0, -1, reason=f"cannot be read: {error.strerror}", recipe=recipe)]
        digest = hashlib.sha256(data).hexdigest()
        try:
            photo = Photo.open(data, self._max_pixels)
            decoded = decode_for_detection(photo, self._detector)
            faces = find_faces(photo, self._detector, self._geometry, largest_only=False, decoded=decoded)
        except ImageError as error:
            return [CropRow(name, digest, 0, -1, reason=str(error), recipe=recipe)]
        picture = photo_hash(decoded)
        if not faces:
            return [CropRow(name, digest, 0, -1, reason=NO_FACE_FOUND, recipe=recipe, photo_hash=picture)]
        keep = 1 if self._wanted[source.label] == "largest" else len(faces)
        row = partial(self._row, source, name, digest, len(faces), recipe, picture)
        return [row(number, face, number < keep) for number, face in enumerate(faces)]

    def _row(
        self,
        source: SourcePhoto,
        name: str,
        digest: str,
        found: int,
        recipe: str,
        picture: str,
        number: int,
        face: Face,
        kept: bool,
    ) -> CropRow:
        """The report's row of one face, written to its file if kept."""
        left, top, right, bottom = (round(float(value), 1) for value in face.box)
        crop, crop_digest, sharp, bright = "", "", 0.0, 0.0
        if kept and face.crop is not None:
            crop = f"{source.class_name}/{_crop_name(source.name, number)}"
            buffer = io.BytesIO()
            # Without looking for repetitions, which faces have few of: faster, and no larger.
            Image.fromarray(face.crop).save(buffer, "PNG", compress_type=zlib.Z_HUFFMAN_ONLY)
            path = self._target / crop
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(buffer.getvalue())
            crop_digest = hashlib.sha256(buffer.getvalue()).hexdigest()
            sharp, bright = sharpness(face.crop), brightness(face.crop)
        return CropRow(
            name, digest, found, number, left, top, right, bottom, round(face.probability, 4), kept,
            "" if kept else "not the largest face", crop, crop_digest, recipe, picture,
            round(sharp, 5), round(bright, 1),
        )  # fmt: skip


def _crop_name(photo: str, number: int) -> str:
    """Path of a crop: the photo's, suffix included (a.jpg and a.png are two photos), then the face's number."""
    folder, _, file = photo.rpartition("/")
    if len(file.encode()) > _LONGEST_NAME:
        digest = hashlib.sha256(file.encode()).hexdigest()[:12]
        file = file.encode()[: _LONGEST_NAME - 13].decode(errors="ignore") + "-" + digest
    return f"{folder}/{file}-{number}.png" if folder else f"{file}-{number}.png"


def open_cropper(
    networks: Networks, params: Params, target: Path, threads: int
) -> Callable[[SourcePhoto], list[CropRow]]:
    """`Cropper.crop`, opened in the process that calls this."""
    return Cropper(networks, params, target, threads).crop
