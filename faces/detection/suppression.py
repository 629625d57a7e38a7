"""Non-maximum suppression: of boxes that overlap, the best stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ROWS = 256  # boxes whose overlaps with all others are computed at once


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
    extra = np.float32(of_smaller)
    # Ties are common: O-Net's probability of a clear face is often the float32 next to 1 for several candidates.
    order = np.argsort(scores, kind="stable")[::-1] if of_smaller else np.argsort(-scores, kind="stable")
    kept: list[NDArray[np.int64]] = []
    while len(order) > 1:  # the best of those left, all their overlaps at once: few calls of numpy, bounded memory
        left, top, right, bottom = boxes[order].T
        area = (right - left + extra) * (bottom - top + extra)
        best = slice(0, _ROWS)
        width = np.minimum(right[best, None], right) - np.maximum(left[best, None], left) + extra
        height = np.minimum(bottom[best, None], bottom) - np.maximum(top[best, None], top) + extra
        shared = width.clip(0) * height.clip(0)
        both = area[best, None], area
        whole = np.minimum(*both) if of_smaller else both[0] + both[1] - shared
        suppressed = shared > np.float32(threshold) * whole
        alive = _without_the_suppressed(suppressed)
        kept.append(order[best][alive[best]])
        order = order[_ROWS:][alive[_ROWS:]]
    return np.concatenate([*kept, order]).astype(np.int64)


def _without_the_suppressed(suppressed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of N boxes, the best first, stay: bool [N], where bool [M, N] says whom each of the first M suppresses.

    A box that is itself suppressed suppresses none. Python's whole numbers as sets: sooner than numpy, a call a row.
    """
    count = suppressed.shape[1]
    packed = np.packbits(suppressed, axis=1, bitorder="little")
    data, width = packed.tobytes(), packed.shape[1]
    alive = (1 << count) - 1
    for row in range(len(packed)):
        if alive >> row & 1:
            worse = int.from_bytes(data[row * width : (row + 1) * width], "little") >> (row + 1) << (row + 1)
            alive &= ~worse
    left = np.frombuffer(alive.to_bytes(width, "little"), np.uint8)
    return np.unpackbits(left, count=count, bitorder="little").astype(np.bool_)
