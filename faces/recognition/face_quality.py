"""How good a face is to recognise."""

from __future__ import annotations

from faces.detection.face import Face
from faces.photo_limits import FaceQuality
from faces.recognition.quality import brightness, luminance, sharpness, turned_away


def measure_face(face: Face) -> FaceQuality:
    """The quality of a face that has been cut.

    Raises:
        ValueError: it has no crop.
    """
    if face.crop is None:
        raise ValueError("expected a face with its crop")
    grey, away = luminance(face.crop), turned_away(face.landmarks)
    return FaceQuality(face.size, sharpness(grey), brightness(grey), away, face.visible)
