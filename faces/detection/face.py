"""The one value that travels through the package: a face found in a photo, gathering fields as it goes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.photo_limits import FaceQuality


@dataclass
class Face:
    """A face found in a photo.

    Coordinates are pixels of the photo as displayed (EXIF orientation applied, full size), x to the right and
    y downwards, whatever reduced scale the detector worked at.

    Attributes:
        box: float64 [4], left, top, right, bottom. May reach a little outside the photo.
        probability: the detector's (O-Net's) probability that this is a face, 0 to 1.
        landmarks: float64 [5, 2], the points (x, y) of left eye, right eye, nose, left and right mouth corner,
            left and right as the viewer sees them who turns the photo by `turned`.
        crop: uint8 [S, S, 3] RGB, the aligned face the embedder takes, once cut.
        quality: how good it is to recognise, once cut.
        embedding: float32 [D], once computed.
        turned: by how many degrees clockwise the photo had to be turned to show the face upright: 0, 90, 180 or 270.
        visible: which part of the box lies on the photo, 0 to 1.
    """

    box: NDArray[np.float64]
    probability: float
    landmarks: NDArray[np.float64]
    crop: NDArray[np.uint8] | None = None
    quality: FaceQuality | None = None
    embedding: NDArray[np.float32] | None = None
    turned: int = 0
    visible: float = 1.0

    @property
    def size(self) -> float:
        """Side of the square that has the box's area, in pixels of the photo."""
        left, top, right, bottom = self.box.tolist()
        return math.sqrt(max(right - left, 0.0) * max(bottom - top, 0.0))

    def visible_share(self, width: float, height: float) -> float:
        """Which part of the box lies on a photo of this size, 0 to 1."""
        left, top, right, bottom = self.box.tolist()
        area = max(right - left, 0.0) * max(bottom - top, 0.0)
        inside = max(min(right, width) - max(left, 0.0), 0.0) * max(min(bottom, height) - max(top, 0.0), 0.0)
        return inside / area if area > 0 else 0.0

    def scaled(self, factor: float) -> Face:
        """The same face in a photo `factor` times as large; crop and embedding are kept."""
        return replace(self, box=self.box * factor, landmarks=self.landmarks * factor)

    def as_json(self) -> dict[str, Any]:
        """Box (pixels, one decimal), probability (four decimals) and turn, as reports and answers show them."""
        return {
            "box": [round(float(value), 1) for value in self.box],
            "probability": round(float(self.probability), 4),
            "turned": self.turned,
        }


def intersection_over_union(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Overlap of two boxes (left, top, right, bottom): shared area by the area of both together, 0 to 1."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return float(shared / (areas - shared)) if areas > shared else 0.0
