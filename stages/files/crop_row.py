"""A row of reports/crop_report.csv: one face found, or a photo without one."""

from __future__ import annotations

from typing import NamedTuple

from faces.message import Message

# Plain texts, since a row is kept as JSON by msgspec, which knows no other kind of text.
NO_FACE_FOUND = str(Message("no face found"))
"""Why a photo that could be read has no crop."""

NOT_THE_LARGEST = str(Message("not the largest face"))
"""Why a face was not cut."""


class CropRow(NamedTuple):
    """A row of crop_report.csv.

    Attributes:
        photo: path within data/, "me/…" or "not_me/…".
        sha256: of the photo's bytes; "" where it could not be read.
        faces_found: number of faces on the photo.
        face: number of this face on its photo, 0 the largest; -1 for a photo without faces.
        left, top, right, bottom: box in pixels of the photo as displayed.
        probability: the detector's.
        turned: by how many degrees clockwise the photo had to be turned to show the face upright.
        kept: whether the face was cut for training.
        candidate: whether it is one of several faces on a photo of me, of which stage embed chooses one.
        reason: why not, or why there is no face; in English, but in crop_report.csv in the language chosen.
        crop: path of the crop within data/cropped, if kept.
        crop_sha256: of that file.
        photo_hash: perceptual hash of the photo (`faces.recognition.quality`); "" where it could not be decoded.
        sharpness, brightness, turned_away, visible: see `faces.photo_limits.FaceQuality`; if kept.
    """

    photo: str
    sha256: str
    faces_found: int
    face: int
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    probability: float = 0.0
    turned: int = 0
    kept: bool = False
    candidate: bool = False
    reason: str = ""
    crop: str = ""
    crop_sha256: str = ""
    photo_hash: str = ""
    sharpness: float = 0.0
    brightness: float = 0.0
    turned_away: float = 0.0
    visible: float = 0.0


COLUMNS = CropRow._fields


def parse_row(values: dict[str, str]) -> CropRow:
    """A row as it is read from the file.

    Raises:
        KeyError, ValueError: a column lacks, or holds no number where one is expected.
    """
    return CropRow(
        photo=values["photo"],
        sha256=values["sha256"],
        faces_found=int(values["faces_found"]),
        face=int(values["face"]),
        left=float(values["left"]),
        top=float(values["top"]),
        right=float(values["right"]),
        bottom=float(values["bottom"]),
        probability=float(values["probability"]),
        turned=int(values["turned"]),
        kept=values["kept"] == "True",
        candidate=values["candidate"] == "True",
        reason=values["reason"],
        crop=values["crop"],
        crop_sha256=values["crop_sha256"],
        photo_hash=values["photo_hash"],
        sharpness=float(values["sharpness"]),
        brightness=float(values["brightness"]),
        turned_away=float(values["turned_away"]),
        visible=float(values["visible"]),
    )
