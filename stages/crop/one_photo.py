"""What becomes of one photo: the faces on it, and the crops of those that are kept.

What this file and all that it imports do decides the crops, so `crop_recipe` holds a hash of it, and nothing that
decides no crop (parameters of other stages, names of files) is imported here.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from faces.detection.detector import Detector
from faces.detection.face import Face
from faces.fingerprint import code_hash, package_versions
from faces.recognition.align import CropGeometry
from faces.recognition.image import ImageError, Photo
from faces.recognition.image_errors import OutOfMemoryError
from faces.recognition.networks import DETECTOR_NAMES, Manifest
from faces.recognition.quality import photo_hash
from faces.recognition.recognizer import decode_for_detection, find_faces
from stages.files.crop_row import NO_FACE_FOUND, NOT_THE_LARGEST, CropRow

PACKAGES = ("numpy", "onnxruntime", "pillow", "pi-heif")
"""Those that compute a crop."""

FacesWanted = Literal["largest", "all"]


@dataclass(frozen=True)
class CropSettings:
    """The parameters that decide which crops are made of a photo.

    Attributes:
        wanted: keep the largest face alone, or all.
        max_megapixels: larger photos are refused.
    """

    wanted: FacesWanted
    max_megapixels: float


@dataclass(frozen=True)
class CroppedPhoto:
    """What was found on a photo.

    Attributes:
        rows: of the crop report, at least one; `photo` and `crop` are empty, since they depend on the photo's name.
        crops: PNG files of the faces that are kept, in the order of their rows.
    """

    rows: list[CropRow]
    crops: list[bytes]


def crop_recipe(manifest: Manifest, settings: CropSettings) -> str:
    """Short hash of everything but the photo that decides which crops are made of it.

    Args:
        manifest: of the networks that find faces.
        settings: the parameters.
    """
    parts = {
        "code": code_hash("stages.crop.one_photo"),
        "packages": package_versions(PACKAGES),
        "networks": {name: manifest.files[name] for name in DETECTOR_NAMES},
        "detector": manifest.detector.as_json(),
        "crop": manifest.crop.as_json(),
        "wanted": settings.wanted,
        "max_megapixels": settings.max_megapixels,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def crop_photo(data: bytes, detector: Detector, geometry: CropGeometry, settings: CropSettings) -> CroppedPhoto:
    """Find the faces on a photo and cut those that are wanted.

    Args:
        data: the file's bytes.
        detector: finds faces.
        geometry: how they are cut.
        settings: which are kept.

    Raises:
        OutOfMemoryError, MemoryError: there is not enough memory. All that lies in the photo is in the rows returned.
    """
    empty = CropRow("", hashlib.sha256(data).hexdigest(), 0, -1)
    try:
        photo = Photo.open(data, int(settings.max_megapixels * 1e6))
        decoded = decode_for_detection(photo, detector)
        faces = find_faces(photo, detector, geometry, largest_only=False, decoded=decoded)
    except OutOfMemoryError:
        raise
    except ImageError as error:
        return CroppedPhoto([empty._replace(reason=str(error))], [])
    empty = empty._replace(photo_hash=photo_hash(decoded))
    if not faces:
        return CroppedPhoto([empty._replace(reason=NO_FACE_FOUND)], [])
    keep = 1 if settings.wanted == "largest" else len(faces)
    found = empty._replace(faces_found=len(faces))
    kept = [_kept(found, number, face) for number, face in enumerate(faces[:keep])]
    left_out = [_described(found, keep + number, face) for number, face in enumerate(faces[keep:])]
    rows = [row for row, _ in kept] + [row._replace(reason=NOT_THE_LARGEST) for row in left_out]
    return CroppedPhoto(rows, [png for _, png in kept])


def _described(photo: CropRow, number: int, face: Face) -> CropRow:
    """The row of a face, given what is known of its photo."""
    left, top, right, bottom = (round(float(value), 1) for value in face.box)
    return photo._replace(
        face=number,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        probability=round(face.probability, 4),
        turned=face.turned,
    )


def _kept(photo: CropRow, number: int, face: Face) -> tuple[CropRow, bytes]:
    """The row of a face that is kept, and its crop as PNG."""
    assert face.crop is not None and face.quality is not None  # find_faces cuts every face
    buffer = io.BytesIO()
    # Huffman coding alone, without a search for repetitions: faces have few, so it is faster and no larger.
    Image.fromarray(face.crop).save(buffer, "PNG", compress_type=zlib.Z_HUFFMAN_ONLY)
    png, quality = buffer.getvalue(), face.quality.as_json()
    row = _described(photo, number, face)._replace(
        kept=True,
        crop_sha256=hashlib.sha256(png).hexdigest(),
        sharpness=quality["sharpness"],
        brightness=quality["brightness"],
        turned_away=quality["turned_away"],
        visible=quality["visible"],
    )
    return row, png
