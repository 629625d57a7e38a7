"""MTCNN face detection (Zhang et al. 2016, weights of facenet-pytorch) through ONNX Runtime and numpy.

Where every scale is scanned the faces are those of facenet-pytorch's `MTCNN.detect` on the same pixels. The
largest face alone is found much sooner: the pyramid is scanned from its coarsest scale, where large faces show
and scanning is almost free, towards the finest, and the scan stops when a face is confirmed, none half its size or
more can still be missing, and no second one is nearly as large.

All resampling (pyramid levels, candidates for R-Net and O-Net) reads one summed-area table of the image: the
nets were trained on area-averaged pixels, and an area average of any rectangle is four look-ups there. O-Net takes
half a millisecond a candidate, so what decides the speed is how few are asked.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faces.detection.face import Face
from faces.detection.summed_area import SummedArea
from faces.detection.suppression import non_maximum_suppression
from faces.threads import ThreadedMap

Floats = NDArray[np.float32]

_CELL = 12  # P-Net looks at 12 × 12 pixels …
_STRIDE = 2  # … every 2 pixels
_RIVAL = 0.75  # faces this close in size may change places once finer scales have corrected their boxes …
_SPAN_OF_RIVALS = 3  # … which windows of a third of their size still do, if seldom, and smaller ones do not
_CERTAIN = 1.05  # O-Net is not asked while faces of this times half the size of R-Net's largest may be missing
_DRIFT = 1.2  # a face found is no larger than this times its size once more candidates are known
# Proposals that are smaller, as parts of the largest face found, decide nothing any more: those that overlap it or a
# rival, whose boxes they may change, and those elsewhere.
_WORTH_RNET = (0.4, 0.6)
_WORTH_ONET = (0.6, 0.7)
_GROWTH = 1.5  # R-Net and O-Net make no box larger than this times P-Net's
_R_BATCH, _O_BATCH = 16, 4  # candidates that go through R-Net and O-Net at once: more take more memory, and longer
_WORTH_SHARING = 0.75  # of such a batch: fewer go through on one thread
_STRIP = 16_000  # pixels that go through P-Net at once: as above
_LEAST_ROWS = 16  # of a strip's result: 10 rows of pixels beside its own are read for it


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

    @property
    def sides(self) -> Floats:
        """Sides of the squares, float32 [N]."""
        return self.boxes[:, 2] - self.boxes[:, 0]

    def largest_open(self, second: float, third: float) -> float:
        """The largest side of those that R-Net and O-Net have not rejected by their thresholds, or 0."""
        rejected = (self.refined & (self.r_scores <= second)) | (self.judged & (self.o_scores <= third))
        return float(self.sides[~rejected].max(initial=0.0))

    def add(self, plain: Floats, scores: Floats, boxes: Floats) -> None:
        """Put proposals that no network has seen yet before the others: of equals, the finer scale's counts."""
        count = len(scores)
        self.plain = np.concatenate([plain, self.plain])
        self.boxes = np.concatenate([boxes, self.boxes])
        self.scores = np.concatenate([scores, self.scores])
        for name, width in (("refined", 0), ("judged", 0), ("r_scores", 0), ("o_scores", 0),
                            ("r_shifts", 4), ("o_shifts", 4), ("o_points", 10)):  # fmt: skip
            old = getattr(self, name)
            shape = (count, width) if width else (count,)
            setattr(self, name, np.concatenate([np.zeros(shape, old.dtype), old]))


@dataclass
class _Scan:
    """An image's sums, the scales of its pyramid not yet looked at (the finest first), and what was proposed."""

    sums: SummedArea
    scales: list[float]
    candidates: _Candidates = field(default_factory=_Candidates)


class Detector:
    """Finds faces in an image.

    Args:
        pnet, rnet, onet: ONNX Runtime sessions of the networks that the stage `export` writes.
        settings: what decides which faces are found.
        threads: how many parts of one photo's work run at once.

    Attributes:
        settings: as given.
        threaded_map: works on parts of a photo, with so many threads.
    """

    def __init__(
        self, pnet: Session, rnet: Session, onet: Session, settings: DetectorSettings, threads: int = 1
    ) -> None:
        self._pnet, self._rnet, self._onet = pnet, rnet, onet
        self.threaded_map = ThreadedMap(threads)
        self._cutting = threading.Lock()  # numpy's many short steps, in two threads, wait for Python's lock at each
        self.settings = settings

    def warm_up(self) -> None:
        """Run each network once: a session's first run is several times as slow."""
        for network, shape in (
            (self._pnet, (1, 100, 100, 3)),
            (self._rnet, (4, 24, 24, 3)),
            (self._onet, (4, 48, 48, 3)),
        ):
            network.run(None, {"pixels": np.zeros(shape, np.float32)})

    def detect_all(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Find all faces, scanning every scale.

        Args:
            pixels: uint8 [H, W, 3] RGB.

        Returns:
            Faces in pixels of this image, the largest first.
        """
        return self.detect(pixels)[1]

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face | None, list[Face]]:
        """The largest face as `detect_largest` finds it, and all as `detect_all` does, in one scan."""
        scan = self._scan(pixels)
        largest = self._largest(scan)
        while scan.scales:
            self._propose(scan)
        return largest, self._confirm(scan)

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
        return self._largest(self._scan(pixels))

    def _largest(self, scan: _Scan) -> Face | None:
        found: list[Face] = []
        while scan.scales:
            missing = self._propose(scan)
            while scan.scales and found and missing >= _DRIFT * self._sufficient(found):
                missing = self._propose(scan)
            # Where no face can end the scan yet, the networks are asked later, of fewer: better
            # proposals will have suppressed worse ones.
            hope = _GROWTH * scan.candidates.largest_open(*self.settings.thresholds[1:])
            if missing >= hope / 2:
                continue
            if not found:
                # Where R-Net alone takes none for a face, O-Net is asked nothing; where it does, O-Net will be asked of
                # all at once: finer scales are looked at first, which its answer could not spare.
                found = self._likely(scan)
                if not found:
                    continue
                while scan.scales and missing >= _CERTAIN * found[0].size / 2:
                    missing = self._propose(scan)
            found = self._confirm_again(scan, found)
            if found and missing < self._sufficient(found):
                return found[0]
        found = self._confirm_again(scan, found)
        return found[0] if found else None

    def _confirm_again(self, scan: _Scan, found: list[Face]) -> list[Face]:
        """Faces among the proposals so far, where `found` were those among fewer, or what R-Net takes for faces.

        Those much smaller may be missing.
        """
        if found:
            faces = self._confirm(scan, found)
            if faces and faces[0].size * _DRIFT >= found[0].size:
                return faces
        return self._confirm(scan)  # none found, or what was found has given way to a smaller one

    @staticmethod
    def _sufficient(found: list[Face]) -> float:
        """Size in pixels of the faces that may be missing while it is certain which of those found is the largest."""
        rivalled = len(found) > 1 and found[1].size > _RIVAL * found[0].size
        return found[0].size / (_SPAN_OF_RIVALS if rivalled else 2)

    def _scan(self, pixels: NDArray[np.uint8]) -> _Scan:
        """A scan that has not begun. At its finest scale, the smallest face wanted fills P-Net's window."""
        sums = SummedArea(pixels)
        scales = []
        scale = _CELL / self.settings.min_face
        side = min(sums.height, sums.width) * scale
        while side >= _CELL:
            scales.append(scale)
            scale *= self.settings.factor
            side *= self.settings.factor
        return _Scan(sums, scales)

    def _propose(self, scan: _Scan) -> float:
        """Add P-Net's proposals at the next scale; returns the size in pixels of what the one after it looks for."""
        scale = scan.scales.pop()
        scan.candidates.add(*self._proposals(scan.sums, scale))
        return _CELL / scale * self.settings.factor

    def _run_pnet(self, sums: SummedArea, height: int, width: int) -> tuple[Floats, Floats]:
        """P-Net's regressions [4, h, w] and probabilities of a face [h, w] for the image at a size.

        In strips that stay in the processor's cache: faster by a quarter where the image is large, and without the
        50 MB that a session would keep for it. The result is the same to the last bit.
        """
        rows = -(-(height - 2) // _STRIDE) - 4  # of the result: convolutions of 3, pooling by 2, two of 3 again
        starts = range(0, rows, max(_LEAST_ROWS, (_STRIP // width - _CELL + _STRIDE) // _STRIDE))
        ends = [*starts[1:], rows]

        def run(strip: tuple[int, int]) -> tuple[Floats, Floats]:
            first, last = strip
            below = height if last == rows else last * _STRIDE + _CELL - _STRIDE
            level = sums.resize(height, width, slice(first * _STRIDE, below))
            shifts, probabilities = self._pnet.run(None, {"pixels": level[None]})
            return shifts[0], probabilities[0, 1]

        parts = self.threaded_map.map(run, zip(starts, ends, strict=True))
        return np.concatenate([part[0] for part in parts], axis=1), np.concatenate([part[1] for part in parts])

    def _proposals(self, sums: SummedArea, scale: float) -> tuple[Floats, Floats, Floats]:
        """P-Net's proposals at one scale: boxes before its regression [N, 4], scores [N], squares after it [N, 4]."""
        shifts, face = self._run_pnet(sums, int(sums.height * scale + 1), int(sums.width * scale + 1))
        rows, columns = np.nonzero(face >= self.settings.thresholds[0])
        scores = face[rows, columns]
        corner = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE
        plain = np.hstack([np.floor((corner + 1) / np.float32(scale)), np.floor((corner + _CELL) / np.float32(scale))])
        keep = non_maximum_suppression(plain, scores, 0.5)
        plain, scores, shift = plain[keep], scores[keep], shifts[:, rows, columns].T[keep]
        extent = np.tile(plain[:, 2:] - plain[:, :2], 2)
        return plain, scores, _squared(plain + shift * extent)

    def _likely(self, scan: _Scan) -> list[Face]:
        """What R-Net takes for faces, and O-Net has not rejected, the largest first; without landmarks."""
        chosen, boxes = self._refined(scan, ())
        rejected = scan.candidates.judged[chosen] & (scan.candidates.o_scores[chosen] <= self.settings.thresholds[2])
        nowhere = np.zeros((5, 2))
        faces = [
            Face(box.astype(np.float64), float(score), nowhere)
            for box, score in zip(boxes[~rejected], scan.candidates.r_scores[chosen[~rejected]], strict=True)
        ]
        return sorted(faces, key=lambda face: face.size, reverse=True)

    def _refined(self, scan: _Scan, found: Sequence[Face]) -> tuple[NDArray[np.int64], Floats]:
        """Proposals that pass R-Net, and their boxes as it moves them."""
        sums, candidates = scan.sums, scan.candidates
        chosen = non_maximum_suppression(candidates.plain, candidates.scores, 0.7)
        chosen = chosen[_worth_asking(candidates.boxes[chosen], found, *_WORTH_RNET)]
        chosen = self._ask_rnet(sums, candidates, chosen)
        chosen = chosen[candidates.r_scores[chosen] > self.settings.thresholds[1]]
        boxes, shifts = candidates.boxes[chosen], candidates.r_shifts[chosen]
        keep = non_maximum_suppression(boxes, candidates.r_scores[chosen], 0.7)
        return chosen[keep], _shifted(boxes[keep], shifts[keep])

    def _confirm(self, scan: _Scan, found: Sequence[Face] = ()) -> list[Face]:
        """Faces among the proposals so far, by R-Net and O-Net; networks are asked only what they were not yet.

        Args:
            scan: the image and the proposals.
            found: faces known where only the largest is wanted, the largest first: proposals too small to change which
                one it is, or its box, are passed over (tests and bench.detector look whether any was not).
        """
        sums, candidates = scan.sums, scan.candidates
        third = self.settings.thresholds[2]
        chosen, boxes = self._refined(scan, found)
        boxes = _squared(boxes)
        worth = _worth_asking(boxes, found, *_WORTH_ONET)
        chosen, boxes = chosen[worth], boxes[worth]
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

        def ask(part: NDArray[np.int64]) -> None:
            with self._cutting:
                pixels = sums.cut(rectangles[part], 24)
            shifts, probabilities = self._rnet.run(None, {"pixels": pixels})
            rows = chosen[part]
            candidates.r_scores[rows], candidates.r_shifts[rows] = probabilities[:, 1], shifts
            candidates.refined[rows] = True

        self.threaded_map.map(ask, self._batches(np.flatnonzero(new), _R_BATCH))
        return chosen

    def _ask_onet(
        self, sums: SummedArea, candidates: _Candidates, chosen: NDArray[np.int64], boxes: Floats
    ) -> tuple[NDArray[np.int64], Floats]:
        """Fill O-Net's answers for the chosen proposals, whose boxes R-Net has moved."""
        rectangles, inside = _rectangles(boxes, sums.width, sums.height)
        chosen, boxes, rectangles = chosen[inside], boxes[inside], rectangles[inside]
        new = ~candidates.judged[chosen]

        def ask(part: NDArray[np.int64]) -> None:
            with self._cutting:
                pixels = sums.cut(rectangles[part], 48)
            shifts, points, probabilities = self._onet.run(None, {"pixels": pixels})
            rows = chosen[part]
            candidates.o_scores[rows], candidates.o_shifts[rows] = probabilities[:, 1], shifts
            candidates.o_points[rows] = points
            candidates.judged[rows] = True

        self.threaded_map.map(ask, self._batches(np.flatnonzero(new), _O_BATCH))
        return chosen, boxes

    def _batches(self, indices: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
        """Indices in parts of about one size, no larger than that, so many that no thread is without one at the end.

        A few are one part: waking a thread for them takes as long as they do.
        """
        threads = self.threaded_map.threads if len(indices) >= _WORTH_SHARING * size else 1
        count = min(-(-len(indices) // (size * threads)) * threads, len(indices))
        return np.array_split(indices, count) if count else []


def _worth_asking(boxes: Floats, found: Sequence[Face], near: float, elsewhere: float) -> NDArray[np.bool_]:
    """Which squares may belong to the largest face, or change its box or a rival's; all where none is known.

    Args:
        boxes: float32 [N, 4].
        found: faces, the largest first.
        near, elsewhere: least sides, as parts of the largest face's, of those that overlap a rival and of the others.
    """
    if not found:
        return np.ones(len(boxes), np.bool_)
    size = found[0].size
    rivals = np.array([found[0].box, *(face.box for face in found[1:] if face.size > _RIVAL * size)])
    extent = np.minimum(boxes[:, None, 2:], rivals[:, 2:]) - np.maximum(boxes[:, None, :2], rivals[:, :2])
    overlaps = (extent > 0).all(axis=2).any(axis=1)
    worth: NDArray[np.bool_] = boxes[:, 2] - boxes[:, 0] >= np.where(overlaps, near, elsewhere) * size
    return worth


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
