"""Photos that lie on their side or head, and do not say so.

Cameras note in EXIF how they were held; messengers, editors and scanners lose it. MTCNN is made for upright faces, so
where it finds none, the photo is looked at turned by a quarter, by three quarters and by half.

On a photo that lies, MTCNN may take something else for an upright face, most often where the face is on its head. It is
seldom sure of that. So a face of which it is not sure ends no search, and of the turned photo only a sure face counts.
On an upright photo, MTCNN may be unsure of a blurred face. There, a small face that lies (on a poster, for example)
must not be taken instead. So a face of the turned photo counts only if it is not much smaller than the unsure one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from faces.detection.detector import Detector
from faces.detection.face import Face

TURNS = (90, 270, 180)
"""Degrees clockwise."""

SURE = 0.995
"""Probability from which on MTCNN is sure of a face. With it, 863 of 900 turned photos are turned back, 12 otherwise,
and on 9 a face is seen upright (`python -m bench.faces_chosen LFW`)."""


LEAST_PART = 0.2
"""A face of the turned photo counts if its probability × area is at least this part of that of the unsure upright face.
As many turned photos of LFW are turned back with it as without; from 0.7 on, there are fewer."""


def is_sure(faces: list[Face]) -> bool:
    """Whether the largest of some faces, the first, ends the search."""
    return bool(faces) and faces[0].probability >= SURE


def find_turned(
    pixels: NDArray[np.uint8], detector: Detector, unsure: Face | None
) -> tuple[NDArray[np.uint8], int] | None:
    """How a photo without a sure upright face has to be turned to have one.

    Of several ways the one counts whose largest face has the greatest probability × area.

    Args:
        pixels: uint8 [H, W, 3] RGB.
        detector: finds upright faces.
        unsure: the largest face of the photo as it is, if it has one.

    Returns:
        The turned pixels and the degrees clockwise; None where no way shows a sure face that is not much smaller than
        `unsure`.
    """
    least = 0.0 if unsure is None else LEAST_PART * _weight(unsure)
    best: tuple[float, NDArray[np.uint8], int] | None = None
    for degrees in TURNS:
        turned = np.ascontiguousarray(np.rot90(pixels, -degrees // 90))
        face = detector.detect_largest(turned)
        if face is None or not is_sure([face]) or _weight(face) < least:
            continue
        if best is None or _weight(face) > best[0]:
            best = _weight(face), turned, degrees
    return best and best[1:]


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
