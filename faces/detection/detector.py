"""Face detection: MTCNN (Zhang et al. 2016, weights of facenet-pytorch) through ONNX Runtime and numpy.

Where every scale is scanned, the faces are those of facenet-pytorch's `MTCNN.detect` on the same pixels. The largest
face alone is found much sooner: `faces.detection.largest` says how.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faces.detection.cascade import Cascade, Session
from faces.detection.face import Face
from faces.detection.largest import Ranking, find_largest
from faces.detection.scan import Scan
from faces.detection.settings import DetectorSettings
from faces.threads import ThreadedMap


class Detector:
    """Finds faces in an image. Safe to use from several threads at once.

    Args:
        pnet, rnet, onet: ONNX Runtime sessions of the networks that the stage `export` writes.
        settings: what decides which faces are found.
        threads: how many parts of one photo's work run at once.

    Attributes:
        settings: as given.
        cascade: the networks.
    """

    def __init__(
        self, pnet: Session, rnet: Session, onet: Session, settings: DetectorSettings, threads: int = 1
    ) -> None:
        self.settings = settings
        self.cascade = Cascade(pnet, rnet, onet, settings, threads)

    @property
    def threaded_map(self) -> ThreadedMap:
        """Works on parts of a photo, with as many threads as the detector has."""
        return self.cascade.threaded_map

    def warm_up(self) -> None:
        """Run each network once: a session's first run is several times as slow as the others."""
        self.cascade.warm_up()

    def detect_all(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Find all faces, scanning every scale.

        Args:
            pixels: uint8 [H, W, 3] RGB.

        Returns:
            Faces in pixels of this image, the largest first.
        """
        return self._all(Scan.of(pixels, self.settings))

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face | None, list[Face]]:
        """The largest face as `detect_largest` finds it, and all as `detect_all` does, in one scan."""
        scan = Scan.of(pixels, self.settings)
        return find_largest(self.cascade, scan), self._all(scan)

    def detect_largest(self, pixels: NDArray[np.uint8]) -> Face | None:
        """Find the largest face, scanning from the coarsest scale and no further than needed.

        Its box may differ by a few pixels from the one that `detect_all` gives to the same face (about one face in
        thirty): finer scales would have added candidates to choose from.

        Args:
            pixels: uint8 [H, W, 3] RGB.

        Returns:
            The face in pixels of this image, or None.
        """
        return find_largest(self.cascade, Scan.of(pixels, self.settings))

    def _all(self, scan: Scan) -> list[Face]:
        """All faces, after the scales that are left."""
        while scan.scales:
            self.cascade.propose(scan)
        return Ranking.of(scan).largest_first(self.cascade.confirmed_faces(scan))
