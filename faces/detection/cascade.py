"""MTCNN's three networks (Zhang et al. 2016) and what numpy does between them.

P-Net looks at every place of the image at one scale and proposes candidates. R-Net looks at each candidate in 24 × 24
pixels, O-Net in 48 × 48; each rejects some and moves the box of the others, and O-Net also says where the eyes, the
nose and the corners of the mouth are. The numbers below that have no name (0.5, 0.7, the rounding, the pixel that is
added to a width) are MTCNN's own.

The networks were trained on area-averaged pixels, so every resampling (scales, candidates) reads one summed-area table
of the image: there, the mean of any rectangle takes four look-ups.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faces.detection.face import Face
from faces.detection.scan import WINDOW, Floats, Scan
from faces.detection.settings import DetectorSettings
from faces.detection.summed_area import SummedArea
from faces.detection.suppression import non_maximum_suppression
from faces.threads import ThreadedMap

_STRIDE = 2  # P-Net's window moves by 2 pixels: its pooling layer halves the image

# The sizes below change the speed and the memory, never a face. They were chosen by timing others on 60 photos:
# `python -m bench.detector_constants PHOTOS`.

STRIP_PIXELS = 16_000
"""Pixels of the image that P-Net sees at once. As one strip, P-Net's work takes 7 % longer with one thread, 19 % with
two; with 4,000 pixels it takes 4 to 5 % longer."""

LEAST_ROWS = 16
"""Rows of P-Net's answer that a strip has at least. A strip reads 10 rows of pixels more than it answers for: with few
rows, the strips of a wide image would mostly read what their neighbours read too."""

RNET_BATCH, ONET_BATCH = 16, 4
"""Candidates that a network sees at once, at most. Batches of 4 and 1 take 7 and 6 % longer. Larger ones are no faster,
take more memory, and leave a thread without work at the end."""

WORTH_SHARING = 0.75
"""Part of a batch from which candidates are shared between threads. For fewer, waking another thread takes longer than
it saves: finding the largest face takes 9 % longer where all are shared."""

Indices = NDArray[np.int64]
Choice = Callable[[Floats], NDArray[np.bool_]]
"""Says which of some squares, float32 [N, 4], a network is to be asked about: bool [N]."""


class Session(Protocol):
    """The part of `onnxruntime.InferenceSession` used here."""

    def run(self, output_names: list[str] | None, input_feed: dict[str, Any]) -> Any:
        """Outputs of the network for the named inputs."""


def every_square(squares: Floats) -> NDArray[np.bool_]:
    """The choice that leaves out nothing."""
    return np.ones(len(squares), np.bool_)


class Cascade:
    """The three networks, asked in turn. Safe to use from several threads at once, each with a scan of its own.

    Args:
        pnet, rnet, onet: ONNX Runtime sessions of the networks that the stage `export` writes.
        settings: thresholds of the networks.
        threads: how many parts of one photo's work run at once.

    Attributes:
        pnet, rnet, onet, settings: as given.
        threaded_map: works on parts of a photo, with so many threads.
    """

    def __init__(
        self, pnet: Session, rnet: Session, onet: Session, settings: DetectorSettings, threads: int = 1
    ) -> None:
        self.pnet, self.rnet, self.onet = pnet, rnet, onet
        self.settings = settings
        self.threaded_map = ThreadedMap(threads)
        # Cutting candidates is many short steps of numpy. In two threads at once, each step waits for Python's lock.
        self._cutting = threading.Lock()

    def warm_up(self) -> None:
        """Run each network once: a session's first run is several times as slow as the others."""
        for network, shape in (
            (self.pnet, (1, 100, 100, 3)),
            (self.rnet, (4, 24, 24, 3)),
            (self.onet, (4, 48, 48, 3)),
        ):
            network.run(None, {"pixels": np.zeros(shape, np.float32)})

    def propose(self, scan: Scan) -> float:
        """Let P-Net look at the coarsest scale that is left, and add its proposals to the candidates.

        Returns:
            The size in pixels of the faces that the next scale would look for: any of this size may still be missing.
        """
        scale = scan.scales.pop()
        height, width = int(scan.sums.height * scale + 1), int(scan.sums.width * scale + 1)
        shifts, face = self.run_pnet(scan.sums, height, width)
        rows, columns = np.nonzero(face >= self.settings.thresholds[0])
        scores = face[rows, columns]
        corner = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE
        first, last = (corner + 1) / np.float32(scale), (corner + WINDOW) / np.float32(scale)
        windows = np.hstack([np.floor(first), np.floor(last)])
        keep = non_maximum_suppression(windows, scores, 0.5)
        windows, scores, shift = windows[keep], scores[keep], shifts[:, rows, columns].T[keep]
        extent = np.tile(windows[:, 2:] - windows[:, :2], 2)
        scan.add(windows, _squared(windows + shift * extent), scores)
        return WINDOW / scale * self.settings.factor

    def run_pnet(self, sums: SummedArea, height: int, width: int) -> tuple[Floats, Floats]:
        """P-Net's answer for an image resized to `height` × `width`, computed in horizontal strips.

        Strips stay in the processor's cache, and they spare the 50 MB that a session would keep for a large image. The
        result is the same to the last bit.

        Returns:
            Regressions float32 [4, h, w] and probabilities of a face float32 [h, w], one for each place of the window.
        """
        rows = -(-(height - 2) // _STRIDE) - 4  # P-Net's layers: 3 × 3, pooling by 2, 3 × 3, 3 × 3
        starts = range(0, rows, max(LEAST_ROWS, (STRIP_PIXELS // width - WINDOW + _STRIDE) // _STRIDE))
        ends = [*starts[1:], rows]

        def run(strip: tuple[int, int]) -> tuple[Floats, Floats]:
            first, last = strip
            below = height if last == rows else last * _STRIDE + WINDOW - _STRIDE
            level = sums.resize(height, width, slice(first * _STRIDE, below))
            shifts, probabilities = self.pnet.run(None, {"pixels": level[None]})
            return shifts[0], probabilities[0, 1]

        parts = self.threaded_map.map(run, zip(starts, ends, strict=True))
        return np.concatenate([part[0] for part in parts], axis=1), np.concatenate([part[1] for part in parts])

    def likely_faces(self, scan: Scan) -> list[Face]:
        """What R-Net takes for faces and O-Net has not rejected, in no order, without landmarks. O-Net is not asked."""
        chosen, boxes = self._pass_rnet(scan, every_square)
        asked, scores = scan.candidates["o_asked"][chosen], scan.candidates["o_score"][chosen]
        rejected = asked & (scores <= self.settings.thresholds[2])
        no_landmarks = np.zeros((5, 2))
        return [
            Face(box.astype(np.float64), float(score), no_landmarks)
            for box, score in zip(boxes[~rejected], scan.candidates["r_score"][chosen[~rejected]], strict=True)
        ]

    def confirmed_faces(
        self, scan: Scan, for_rnet: Choice = every_square, for_onet: Choice = every_square
    ) -> list[Face]:
        """Faces among the candidates so far, by R-Net and O-Net, the most probable first.

        Args:
            scan: the image and the candidates.
            for_rnet, for_onet: which candidates these networks are asked about; the others are left out.
        """
        chosen, boxes = self._pass_rnet(scan, for_rnet)
        squares = _squared(boxes)
        worth = for_onet(squares)
        chosen, squares = self._ask_onet(scan, chosen[worth], squares[worth])
        passed = scan.candidates["o_score"][chosen] > self.settings.thresholds[2]
        chosen, squares = chosen[passed], squares[passed]
        answers = scan.candidates[chosen]
        extent = squares[:, 2:] - squares[:, :2] + 1
        unit = answers["o_points"].reshape(-1, 2, 5).transpose(0, 2, 1)
        points = squares[:, None, :2] + unit * extent[:, None] - 1
        boxes, scores = _shifted(squares, answers["o_shift"]), answers["o_score"]
        keep = non_maximum_suppression(boxes, scores, 0.7, of_smaller=True)
        return [
            Face(boxes[i].astype(np.float64), float(scores[i]), points[i].astype(np.float64))
            for i in keep
            if scores[i] >= self.settings.min_probability
        ]

    def _pass_rnet(self, scan: Scan, for_rnet: Choice) -> tuple[Indices, Floats]:
        """Candidates that pass R-Net, and their boxes as it moves them: indices [N], float32 [N, 4]."""
        chosen = non_maximum_suppression(scan.candidates["window"], scan.candidates["p_score"], 0.7)
        chosen = chosen[for_rnet(scan.candidates["square"][chosen])]
        chosen = self._ask_rnet(scan, chosen)
        chosen = chosen[scan.candidates["r_score"][chosen] > self.settings.thresholds[1]]
        answers = scan.candidates[chosen]
        keep = non_maximum_suppression(answers["square"], answers["r_score"], 0.7)
        return chosen[keep], _shifted(answers["square"][keep], answers["r_shift"][keep])

    def _ask_rnet(self, scan: Scan, chosen: Indices) -> Indices:
        """Fill in R-Net's answers for the chosen candidates; returns those of them that lie within the image."""
        candidates = scan.candidates
        rectangles, inside = _rectangles(candidates["square"][chosen], scan.sums.width, scan.sums.height)
        chosen, rectangles = chosen[inside], rectangles[inside]

        def ask(part: Indices) -> None:
            with self._cutting:
                pixels = scan.sums.cut(rectangles[part], 24)
            shifts, probabilities = self.rnet.run(None, {"pixels": pixels})
            rows = chosen[part]
            candidates["r_score"][rows], candidates["r_shift"][rows] = probabilities[:, 1], shifts
            candidates["r_asked"][rows] = True

        new = np.flatnonzero(~candidates["r_asked"][chosen])
        self.threaded_map.map(ask, self._batches(new, RNET_BATCH))
        return chosen

    def _ask_onet(self, scan: Scan, chosen: Indices, squares: Floats) -> tuple[Indices, Floats]:
        """Fill in O-Net's answers for the chosen candidates, whose boxes R-Net has moved to these squares.

        Returns:
            Those of them that lie within the image, and their squares.
        """
        candidates = scan.candidates
        rectangles, inside = _rectangles(squares, scan.sums.width, scan.sums.height)
        chosen, squares, rectangles = chosen[inside], squares[inside], rectangles[inside]

        def ask(part: Indices) -> None:
            with self._cutting:
                pixels = scan.sums.cut(rectangles[part], 48)
            shifts, points, probabilities = self.onet.run(None, {"pixels": pixels})
            rows = chosen[part]
            candidates["o_score"][rows], candidates["o_shift"][rows] = probabilities[:, 1], shifts
            candidates["o_points"][rows] = points
            candidates["o_asked"][rows] = True

        new = np.flatnonzero(~candidates["o_asked"][chosen])
        self.threaded_map.map(ask, self._batches(new, ONET_BATCH))
        return chosen, squares

    def _batches(self, indices: Indices, size: int) -> list[Indices]:
        """The indices in parts of about one length, at most `size`: as many parts for each thread as for the others.

        A few indices stay together: to wake a thread for them takes as long as their work.
        """
        threads = self.threaded_map.threads if len(indices) >= WORTH_SHARING * size else 1
        count = min(-(-len(indices) // (size * threads)) * threads, len(indices))
        return np.array_split(indices, count) if count else []


def _rectangles(boxes: Floats, width: int, height: int) -> tuple[Indices, NDArray[np.bool_]]:
    """Whole-pixel parts of boxes within the image (MTCNN counts pixels from 1), and which of them are not empty."""
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
