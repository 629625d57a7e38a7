"""Photos that lie on their side or head, and do not say so.

Cameras note in EXIF how they were held; messengers, editors and scanners lose it. MTCNN is made for upright faces, so
where it finds none, the photo is looked at turned by a quarter, by three quarters and by half.

On a photo that lies, MTCNN may take something else for an upright face, most often where the face is on its head. It is
seldom as sure of that as of a real face. So a face of which it is not sure ends no search. Then the surest face of the
four ways counts; the photo is turned only where that is clear. On an upright photo, MTCNN may be unsure of a blurred
face, and there a small face that lies (on a poster, for example) must not be taken instead. So only faces that are not
much smaller than the others count.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from faces.detection.detector import Detector
from faces.detection.face import Face

TURNS = (90, 270, 180)
"""Degrees clockwise."""

SURE = 0.997
"""Probability from which on an upright face ends the search: 98 % of the photos of LFW have one, and of the same photos
on their side or head, less than 1 % (`python -m bench.faces_chosen LFW` shows how many are turned back)."""

LEAST_TURNED = 0.98
"""Probability from which on a face of the turned photo counts."""

CLEARLY = 0.7
"""A photo is turned if the doubt about the turned face, 1 minus its probability, is at most this part of the doubt
about the upright one. Without it, some of the demo's portraits would be turned, and no more photos of LFW turned back.
"""

LEAST_PART = 0.2
"""A face counts if its probability × area is at least this part of that of the largest of the four ways."""


def is_sure(faces: list[Face]) -> bool:
    """Whether the largest of some faces, the first, ends the search."""
    return bool(faces) and faces[0].probability >= SURE


def find_turned(
    pixels: NDArray[np.uint8], detector: Detector, unsure: Face | None
) -> tuple[NDArray[np.uint8], int] | None:
    """How a photo without a sure upright face has to be turned to have one.

    Args:
        pixels: uint8 [H, W, 3] RGB.
        detector: finds upright faces.
        unsure: the largest face of the photo as it is, if it has one.

    Returns:
        The turned pixels and the degrees clockwise; None where the photo as it is shows the surest face, or no way
        shows one.
    """
    ways = [(degrees, detector.detect_largest(_turned(pixels, degrees))) for degrees in TURNS]
    faces = {degrees: face for degrees, face in ways if face is not None and face.probability >= LEAST_TURNED}
    if unsure is not None:
        faces[0] = unsure
    if not faces:
        return None
    least = LEAST_PART * max(map(_weight, faces.values()))
    doubts = {way: 1 - face.probability for way, face in faces.items() if _weight(face) >= least}
    degrees = min(doubts, key=lambda way: doubts[way])
    if 0 in doubts and doubts[degrees] > CLEARLY * doubts[0]:
        return None
    return (_turned(pixels, degrees), degrees) if degrees else None


def _turned(pixels: NDArray[np.uint8], degrees: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.rot90(pixels, -degrees // 90))


def _weight(face: Face) -> float:
    """Probability × area in pixels."""
    return face.probability * face.size**2


def turned_back(face: Face, degrees: int, width: int, height: int) -> Face:
    """A face of a turned photo, in pixels of the photo as it was.

    Args:
        face: found after the photo was turned.
        degrees: how far it was turned, clockwise.
        width, height: of the photo as it was.
    """

    def back(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points[:, 0], points[:, 1]
        if degrees == 90:
            return np.column_stack([y, height - x])
        if degrees == 180:
            return np.column_stack([width - x, height - y])
        return np.column_stack([width - y, x])

    corners = back(face.box.reshape(2, 2))
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    return replace(face, box=box, landmarks=back(face.landmarks), turned=degrees)
