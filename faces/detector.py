"""MTCNN face detection (Zhang et al. 2016, weights of facenet-pytorch) through ONNX Runtime and numpy.

Where every scale is scanned the faces are those of facenet-pytorch's `MTCNN.detect` on the same pixels. The
largest face alone is found much sooner: the pyramid is scanned from its coarsest scale, where large faces show
and scanning is almost free, towards the finest, and the scan stops when a face is confirmed, none half its size or
more can still be missing, and no second one is nearly as large.

All resampling (pyramid levels, candidates for R-Net and O-Net) reads one summed-area table of the image: the
nets were trained on area-averaged pixels, and an area average of any rectangle is four look-ups there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faces.face import Face

Floats = NDArray[np.float32]

_CELL = 12  # P-Net looks at 12 × 12 pixels …
_STRIDE = 2  # … every 2 pixels
_RIVAL = 0.75  # faces this close in size may change places once finer scales have corrected their boxes
_BATCH = 512  # candidates that go through R-Net or O-Net at once: bounds memory on photos full of texture


class Session(Protocol):
    """The part of `onnxruntime.InferenceSession` used here."""

    def run(self, output_names: list[str] | None, input_feed: dict[str, Any]) -> Any:
        """Outputs of the network for the named inputs."""


@dataclass(frozen=True)
class DetectorSettings:
    """What decides which faces are found.

    Attributes:
        min_face: side in pixels of the smallest face searched for, in the image the detector is given.
        factor: ratio of one scale of the pyramid to the next finer one, between 0 and 1.
        thresholds: probabilities that a candidate must exceed at P-Net, R-Net and O-Net.
        min_probability: faces whose final probability is below are not reported.
        max_side: photos are reduced to this longer side, in pixels, before detection.
    """

    min_face: int = 20
    factor: float = 0.709
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    min_probability: float = 0.9
    max_side: int = 640

    def as_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DetectorSettings:
        """Rebuild from `as_json`'s values.

        Raises:
            KeyError, TypeError, ValueError: a value is missing or of the wrong kind.
        """
        first, second, third = (float(value) for value in values["thresholds"])
        return cls(
            int(values["min_face"]),
            float(values["factor"]),
            (first, second, third),
            float(values["min_probability"]),
            int(values["max_side"]),
        )


class SummedArea:
    """Area averages of any rectangles of an image, from one table of sums.

    Args:
        pixels: uint8 [H, W, 3].
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.height, self.width = pixels.shape[:2]
        table = np.zeros((self.height + 1, self.width + 1, 3), np.uint32)
        # uint32 may wrap around on huge images; differences of its entries are right all the same.
        np.cumsum(pixels, axis=0, dtype=np.uint32, out=table[1:, 1:])
        np.cumsum(table[1:, 1:], axis=1, dtype=np.uint32, out=table[1:, 1:])
        self._table = table

    def resize(self, height: int, width: int) -> Floats:
        """The whole image at another size, each pixel the mean of those it covers (torch's mode="area").

        Returns:
            float32 [height, width, 3], 0 to 255.
        """
        top, bottom = _windows(np.zeros(1, np.int64), np.array([self.height]), height)
        left, right = _windows(np.zeros(1, np.int64), np.array([self.width]), width)
        above, below = self._table[top[0]], self._table[bottom[0]]
        rows = below - above
        sums = rows[:, right[0]] - rows[:, left[0]]
        area = (bottom - top)[0][:, None] * (right - left)[0][None, :]
        return sums.astype(np.float32) / area[:, :, None].astype(np.float32)

    def cut(self, boxes: NDArray[np.int64], size: int) -> Floats:
        """Rectangles of the image, each resized to a square by area averages.

        Args:
            boxes: int64 [N, 4], left, top, right, bottom, within the image and at least 1 × 1.
            size: side of the squares, pixels.

        Returns:
            float32 [N, size, size, 3], 0 to 255.
        """
        left, right = _windows(boxes[:, 0], boxes[:, 2], size)
        top, bottom = _windows(boxes[:, 1], boxes[:, 3], size)
        flat = self._table.reshape(-1, 3)
        stride = self.width + 1
        top_rows, bottom_rows = top[:, :, None] * stride, bottom[:, :, None] * stride
        left_columns, right_columns = left[:, None, :], right[:, None, :]
        sums = flat[bottom_rows + right_columns]
        sums -= flat[top_rows + right_columns]
        sums -= flat[bottom_rows + left_columns]
        sums += flat[top_rows + left_columns]
        area = (bottom - top)[:, :, None] * (right - left)[:, None, :]
        return sums.astype(np.float32) / area[..., None].astype(np.float32)


def _windows(
    start: NDArray[np.int64], end: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Adaptive pooling's windows: `count` windows, possibly overlapping, that cover each interval.

    Returns:
        First and one-past-last positions, int64 [N, count] each.
    """
    length = (end - start)[:, None]
    steps = np.arange(count + 1, dtype=np.int64)
    return start[:, None] + length * steps[:-1] // count, start[:, None] - (-length * steps[1:] // count)


@dataclass
class _Candidates:
    """P-Net's proposals gathered so far, with what R-Net and O-Net said of those already asked.

    `boxes` and `scores` are P-Net's after its regression and squared; the other fields hold a row for each
    proposal, valid where `refined` or `judged` is set. Each network sees a proposal at most once, however often
    the scan looks at the whole again.
    """

    boxes: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    plain: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    scores: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    refined: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    r_scores: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    r_shifts: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    judged: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    o_scores: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    o_shifts: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    o_points: Floats = field(default_factory=lambda: np.zeros((0, 10), np.float32))

    def add(self, plain: Floats, scores: Floats, boxes: Floats) -> None:
        """Append proposals that no other network has seen yet."""
        count = len(scores)
        self.plain = np.concatenate([self.plain, plain])
        self.boxes = np.concatenate([self.boxes, boxes])
        self.scores = np.concatenate([self.scores, scores])
        for name, width in (("refined", 0), ("judged", 0), ("r_scores", 0), ("o_scores", 0),
                            ("r_shifts", 4), ("o_shifts", 4), ("o_points", 10)):  # fmt: skip
            old = getattr(self, name)
            shape = (count, width) if width else (count,)
            setattr(self, name, np.concatenate([old, np.zeros(shape, old.dtype)]))


class Detector:
    """Finds faces in an image.

    Args:
        pnet, rnet, onet: ONNX Runtime sessions of the networks that the stage `export` writes.
        settings: what decides which faces are found.
    """

    def __init__(self, pnet: Session, rnet: Session, onet: Session, settings: DetectorSettings) -> None:
        self._pnet, self._rnet, self._onet = pnet, rnet, onet
        self.settings = settings

    def detect_all(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Find all faces, scanning every scale.

        Args:
            pixels: uint8 [H, W, 3] RGB.

        Returns:
            Faces in pixels of this image, the largest first.
        """
        sums = SummedArea(pixels)
        candidates = _Candidates()
        for scale in self._scales(sums):
            self._propose(sums, scale, candidates)
        return self._confirm(sums, candidates)

    def detect_largest(self, pixels: NDArray[np.uint8]) -> Face | None:
        """Find the largest face, scanning from the coarsest scale and no further than needed.

        Its box may differ by a few pixels from the one that `detect_all` gives to the same face (about one face in
        thirty): finer scales would have added candidates to choose from. While a second face is nearly as
        large, the scan goes on: finer scales decide which one it is.

        Args:
            pixels: uint8 [H, W, 3] RGB.

        Returns:
            The face in pixels of this image, or None.
        """
        sums = SummedArea(pixels)
        candidates = _Candidates()
        for scale in reversed(list(self._scales(sums))):
            proposed = self._propose(sums, scale, candidates)
            if not proposed:
                continue
            found = self._confirm(sums, candidates)
            next_side = _CELL / scale * self.settings.factor
            rivalled = len(found) > 1 and found[1].size > _RIVAL * found[0].size
            if found and next_side < found[0].size / 2 and not rivalled:
                return found[0]
        found = self._confirm(sums, candidates)
        return found[0] if found else None

    def _scales(self, sums: SummedArea) -> Iterator[float]:
        """Scales of the pyramid, the finest first: there the smallest face wanted fills P-Net's window."""
        scale = _CELL / self.settings.min_face
        side = min(sums.height, sums.width) * scale
        while side >= _CELL:
            yield scale
            scale *= self.settings.factor
            side *= self.settings.factor

    def _propose(self, sums: SummedArea, scale: float, candidates: _Candidates) -> int:
        """Add P-Net's proposals at one scale; returns how many."""
        level = sums.resize(int(sums.height * scale + 1), int(sums.width * scale + 1))
        shifts, probabilities = self._pnet.run(None, {"pixels": level[None]})
        face = probabilities[0, 1]
        rows, columns = np.nonzero(face >= self.settings.thresholds[0])
        if not len(rows):
            return 0
        scores = face[rows, columns]
        corner = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE
        plain = np.hstack([np.floor((corner + 1) / np.float32(scale)), np.floor((corner + _CELL) / np.float32(scale))])
        keep = non_maximum_suppression(plain, scores, 0.5)
        plain, scores, shift = plain[keep], scores[keep], shifts[0][:, rows, columns].T[keep]
        extent = np.tile(plain[:, 2:] - plain[:, :2], 2)
        candidates.add(plain, scores, _squared(plain + shift * extent))
        return len(scores)

    def _confirm(self, sums: SummedArea, candidates: _Candidates) -> list[Face]:
        """Faces among the proposals so far, by R-Net and O-Net; networks are asked only what they were not yet."""
        _, second, third = self.settings.thresholds
        chosen = non_maximum_suppression(candidates.plain, candidates.scores, 0.7)
        chosen = self._ask_rnet(sums, candidates, chosen)
        chosen = chosen[candidates.r_scores[chosen] > second]
        boxes, shifts = candidates.boxes[chosen], candidates.r_shifts[chosen]
        keep = non_maximum_suppression(boxes, candidates.r_scores[chosen], 0.7)
        chosen, boxes = chosen[keep], _squared(_shifted(boxes[keep], shifts[keep]))
        chosen, boxes = self._ask_onet(sums, candidates, chosen, boxes)
        passed = candidates.o_scores[chosen] > third
        chosen, boxes = chosen[passed], boxes[passed]
        scores = candidates.o_scores[chosen]
        extent = boxes[:, 2:] - boxes[:, :2] + 1
        unit = candidates.o_points[chosen].reshape(-1, 2, 5).transpose(0, 2, 1)
        points = boxes[:, None, :2] + unit * extent[:, None] - 1
        boxes = _shifted(boxes, candidates.o_shifts[chosen])
        keep = non_maximum_suppression(boxes, scores, 0.7, of_smaller=True)
        faces = [
            Face(boxes[i].astype(np.float64), float(scores[i]), points[i].astype(np.float64))
            for i in keep
            if scores[i] >= self.settings.min_probability
        ]
        return sorted(faces, key=lambda face: face.size, reverse=True)

    def _ask_rnet(self, sums: SummedArea, candidates: _Candidates, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Fill R-Net's answers for the chosen proposals; returns those of them that lie within the image."""
        rectangles, inside = _rectangles(candidates.boxes[chosen], sums.width, sums.height)
        chosen, rectangles = chosen[inside], rectangles[inside]
        new = ~candidates.refined[chosen]
        for part in _batches(np.flatnonzero(new)):
            shifts, probabilities = self._rnet.run(None, {"pixels": sums.cut(rectangles[part], 24)})
            rows = chosen[part]
            candidates.r_scores[rows], candidates.r_shifts[rows] = probabilities[:, 1], shifts
            candidates.refined[rows] = True
        return chosen

    def _ask_onet(
        self, sums: SummedArea, candidates: _Candidates, chosen: NDArray[np.int64], boxes: Floats
    ) -> tuple[NDArray[np.int64], Floats]:
        """Fill O-Net's answers for the chosen proposals, whose boxes R-Net has moved."""
        rectangles, inside = _rectangles(boxes, sums.width, sums.height)
        chosen, boxes, rectangles = chosen[inside], boxes[inside], rectangles[inside]
        new = ~candidates.judged[chosen]
        for part in _batches(np.flatnonzero(new)):
            shifts, points, probabilities = self._onet.run(None, {"pixels": sums.cut(rectangles[part], 48)})
            rows = chosen[part]
            candidates.o_scores[rows], candidates.o_shifts[rows] = probabilities[:, 1], shifts
            candidates.o_points[rows] = points
            candidates.judged[rows] = True
        return chosen, boxes


def _batches(indices: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(indices), _BATCH):
        yield indices[start : start + _BATCH]


def _rectangles(boxes: Floats, width: int, height: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Whole-pixel parts of boxes within the image (as MTCNN counts: from 1), and which of them are not empty."""
    whole = np.trunc(boxes).astype(np.int64)
    whole[:, :2] = np.maximum(whole[:, :2], 1) - 1
    whole[:, 2] = np.minimum(whole[:, 2], width)
    whole[:, 3] = np.minimum(whole[:, 3], height)
    return whole, (whole[:, 2] > whole[:, 0]) & (whole[:, 3] > whole[:, 1])


def _squared(boxes: Floats) -> Floats:
    """Boxes grown to squares about their centres."""
    extent = boxes[:, 2:] - boxes[:, :2]
    side = extent.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + extent * np.float32(0.5) - side * np.float32(0.5)
    return np.hstack([corner, corner + side])


def _shifted(boxes: Floats, shifts: Floats) -> Floats:
    """Boxes moved by a network's regression, given in parts of their extent."""
    return boxes + shifts * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)


def non_maximum_suppression(
    boxes: Floats, scores: Floats, threshold: float, of_smaller: bool = False
) -> NDArray[np.int64]:
    """Greedy suppression of boxes that overlap a better one.

    Args:
        boxes: float32 [N, 4], left, top, right, bottom.
        scores: float32 [N].
        threshold: overlap above which the lower score goes.
        of_smaller: as MTCNN's last step does it: measure the overlap as a part of the smaller box, pixels counted
            inclusively, rather than as intersection over union; of equal scores the last is the best, not the first.

    Returns:
        int64, indices of the boxes kept, the best first.
    """
    extra = 1.0 if of_smaller else 0.0
    left, top, right, bottom = boxes.T
    area = (right - left + extra) * (bottom - top + extra)
    # Ties are common: O-Net's probability of a clear face is often the float32 next to 1 for several candidates.
    order = np.argsort(scores, kind="stable")[::-1] if of_smaller else np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest]) + extra
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest]) + extra
        shared = width.clip(0) * height.clip(0)
        whole = np.minimum(area[best], area[rest]) if of_smaller else area[best] + area[rest] - shared
        order = rest[shared <= threshold * whole]
    return np.array(kept, dtype=np.int64)
