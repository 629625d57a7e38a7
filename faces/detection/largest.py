"""The largest face of an image, found without looking at every scale.

P-Net's window is 12 pixels wide, so at each scale of the image it finds faces of about one size. Large faces show at
the coarse scales, which have few pixels and cost nearly nothing; most of the work is in the fine ones, where small
faces show. So the scan begins with the coarsest scale, and stops once a face is confirmed and all that may still be
missing is too small to change the answer.

An example: demo/ask/me_1.jpg, 330 × 420 pixels, has nine scales, at which P-Net's window spans 313, 222, 157, 112, 79,
56, 40, 28 and 20 pixels of the photo.

1. 313. P-Net proposes one candidate, 282 pixels wide. Faces of up to 222 pixels, which the next scale looks for, may
   still be missing. Is it time to ask the larger networks? The candidate may turn out to be a face of up to 1.5 × 282 =
   423 pixels (GROWTH). A face ends the scan only if nothing half as large is missing (ENOUGH). 222 is more than the
   half of 423: whatever the networks say, the scan must go on. So they are not asked.
2. 222. Two candidates. Faces of up to 157 pixels may be missing, less than the half of 423: an answer could end the
   scan now. R-Net, the cheaper of the two, takes one of them for a face, 127 pixels wide.
3. O-Net is not asked yet. If it confirms the face of 127 pixels, the scan will need all scales down to the half of
   that, 63 pixels, in any case. So these are scanned first: 157, 112 and 79. Then faces of up to 56 pixels may be
   missing.
4. O-Net is asked now, of few candidates, since better ones have suppressed the others: there is one face, of 131
   pixels. What may be missing (56) is less than its half (65). The scan ends. The scales 56, 40, 28 and 20 are never
   looked at; they have 94 % of all pixels.

Had there been a second face of more than 98 pixels (0.75 × 131, RIVAL), the scan would have gone on until nothing of a
third (44 pixels, ENOUGH_OF_RIVALS) was missing: fine scales still move the boxes a little, and so may exchange two
faces of nearly one size. Had O-Net rejected both candidates, the scan would have gone on from step 1.

Each constant below was chosen with `python -m bench.detector_constants PHOTOS`, which tries other values: the face
should be that of a scan of every scale, and the networks should be asked as little as possible. The figures are of
1,517 photos (LFW, groups and portraits). With the constants as they are, P-Net sees 6,130 pixels of a photo instead of
49,000, R-Net 20 candidates instead of 60, O-Net 8 instead of 10, and on one photo the largest face is another than that
of a scan of every scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from faces.detection.cascade import Cascade
from faces.detection.face import Face
from faces.detection.scan import Floats, Scan


@dataclass(frozen=True)
class Ranking:
    """Which face of an image is "the largest". This is the only place that decides it.

    A face is ranked by the visible area of its box, multiplied by the share of the box that is visible. So a face that
    the border cuts off counts less than its pixels do: the box of a bystander of whom half is on the photo may reach
    far outside, and be larger than that of the person in the middle. `python -m bench.faces_chosen LFW` compares this
    with other rules.

    Attributes:
        width, height: of the image, in pixels.
    """

    width: int
    height: int

    @classmethod
    def of(cls, scan: Scan) -> Ranking:
        """For the faces of a scan."""
        return cls(scan.sums.width, scan.sums.height)

    def size(self, face: Face) -> float:
        """What a face is ranked by: the side of the square with that area, in pixels.

        It is the face's size where all of its box lies within the image, and less elsewhere.
        """
        return face.size * face.visible_share(self.width, self.height)

    def largest_first(self, faces: Sequence[Face]) -> list[Face]:
        """The faces in the order of their ranking; equal ones stay in the order in which they are given."""
        return sorted(faces, key=self.size, reverse=True)


GROWTH = 1.5
"""A candidate is expected to become a face of at most this times its size. The value decides only when the networks are
asked: too early and then again if it is large, a scale too late if it is small. With 1 and with 2, the work stays the
same within 1 %, and 1 and 4 boxes change."""

CERTAIN = 1.05
"""Before O-Net is asked, the scan goes down to this times the size at which it could end, judged by R-Net's box. It is
a little more than 1 because O-Net's box is often smaller than R-Net's. With 0.95, P-Net sees 4 % more pixels; if O-Net
is asked at once, it is asked of 4 % more candidates."""

DRIFT = 1.2
"""A face that is found may change its size by this factor when more candidates are known. Until a face of that size
could end the scan, the networks are not asked again. With 1, R-Net is asked of 2 % more candidates; no face changes."""


def find_largest(cascade: Cascade, scan: Scan) -> Face | None:
    """The largest face of an image, or None. The docstring of this file explains the steps.

    Args:
        cascade: the networks.
        scan: a search that has not begun; the scales that were not needed are left in it.
    """
    ranking = Ranking.of(scan)
    found: list[Face] = []  # the largest first: confirmed faces or, before O-Net is asked, what R-Net takes for faces
    while scan.scales:
        missing = cascade.propose(scan)
        if found:
            missing = _propose_down_to(DRIFT * _enough(found, ranking), cascade, scan, missing)
        largest_possible = GROWTH * scan.largest_open(*cascade.settings.thresholds[1:])
        if missing >= largest_possible / ENOUGH:
            continue
        if not found:
            found = ranking.largest_first(cascade.likely_faces(scan))
            if not found:
                continue
            missing = _propose_down_to(CERTAIN * ranking.size(found[0]) / ENOUGH, cascade, scan, missing)
        found = _confirm(cascade, scan, found, ranking)
        if found and missing < _enough(found, ranking):
            return found[0]
    found = _confirm(cascade, scan, found, ranking)
    return found[0] if found else None


def _propose_down_to(size: float, cascade: Cascade, scan: Scan, missing: float) -> float:
    """Scan on until only faces below `size` may be missing, or no scale is left; returns what may be missing then."""
    while scan.scales and missing >= size:
        missing = cascade.propose(scan)
    return missing


ENOUGH = 2
"""Faces may be missing if the largest one found is more than this times as large. With 1.5, P-Net sees a third fewer
pixels, but 366 boxes change and 2 more largest faces are others. With 3, it sees twice as many."""

RIVAL = 0.75
"""A second face of more than this part of the largest one's size is its rival: finer scales, which move the boxes, may
exchange the two. With 0.6, P-Net sees 3 % more pixels; with 0.9, 4 % fewer; one box changes each time."""

ENOUGH_OF_RIVALS = 3
"""As ENOUGH, where the largest face has a rival. With 2, two boxes change. With 2.5 and with 4, none changes; P-Net
sees 6 % fewer and 7 % more pixels."""


def _enough(found: list[Face], ranking: Ranking) -> float:
    """Faces below this size, in pixels, may be missing without changing which one is the largest."""
    rivalled = len(found) > 1 and ranking.size(found[1]) > RIVAL * ranking.size(found[0])
    return ranking.size(found[0]) / (ENOUGH_OF_RIVALS if rivalled else ENOUGH)


def _confirm(cascade: Cascade, scan: Scan, found: list[Face], ranking: Ranking) -> list[Face]:
    """Faces among the candidates so far, the largest first; those much smaller than `found` may be left out.

    Args:
        cascade: the networks.
        scan: the image and the candidates.
        found: the faces among fewer candidates, or what R-Net takes for faces; the largest first.
        ranking: of the image's faces.
    """
    if found:
        for_rnet, for_onet = (partial(_is_worth_asking, found, ranking, least) for least in (WORTH_RNET, WORTH_ONET))
        faces = ranking.largest_first(cascade.confirmed_faces(scan, for_rnet, for_onet))
        if faces and ranking.size(faces[0]) * DRIFT >= ranking.size(found[0]):
            return faces
    # Nothing was found yet, or what was found has given way to something smaller: then every candidate counts.
    return ranking.largest_first(cascade.confirmed_faces(scan))


WORTH_RNET, WORTH_ONET = (0.4, 0.6), (0.6, 0.7)
"""Which candidates R-Net and O-Net are asked about once a face is found: their least sizes, as parts of its size, where
they overlap the face or a rival (and so may change its box), and elsewhere. If R-Net is asked about all, it sees 9 %
more candidates, and no face changes. With (0.5, 0.6), faces begin to change."""


def _is_worth_asking(
    found: Sequence[Face], ranking: Ranking, least: tuple[float, float], squares: Floats
) -> NDArray[np.bool_]:
    """Which candidates may still become the largest face, or change its box or a rival's.

    Args:
        found: one or more faces, the largest first.
        ranking: of the image's faces.
        least: WORTH_RNET or WORTH_ONET.
        squares: the candidates, float32 [N, 4].

    Returns:
        bool [N].
    """
    size = ranking.size(found[0])
    rivals = np.array([found[0].box, *(face.box for face in found[1:] if ranking.size(face) > RIVAL * size)])
    extent = np.minimum(squares[:, None, 2:], rivals[:, 2:]) - np.maximum(squares[:, None, :2], rivals[:, :2])
    overlaps = (extent > 0).all(axis=2).any(axis=1)
    worth: NDArray[np.bool_] = squares[:, 2] - squares[:, 0] >= np.where(overlaps, *least) * size
    return worth
