"""Non-maximum suppression: of boxes that overlap, only the best stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ROWS = 256  # boxes whose overlaps with all others are computed at once: this limits the memory


def non_maximum_suppression(
    boxes: Floats, scores: Floats, threshold: float, of_smaller: bool = False
) -> NDArray[np.int64]:
    """Greedy suppression of boxes that overlap a better one.

    Args:
        boxes: float32 [N, 4], left, top, right, bottom.
        scores: float32 [N].
        threshold: overlap above which the lower score goes.
        of_smaller: do it as MTCNN's last step does. The overlap is then measured as a part of the smaller box (not of
            both boxes together), a box includes the pixels of its right and lower edge, and of equal scores the last is
            the best (not the first).

    Returns:
        int64, indices of the boxes kept, the best first.
    """
    extra = np.float32(of_smaller)
    # Equal scores are common: several candidates of a clear face often have the float32 next to 1 as their probability.
    order = np.argsort(scores, kind="stable")[::-1] if of_smaller else np.argsort(-scores, kind="stable")
    kept: list[NDArray[np.int64]] = []
    while len(order) > 1:  # in each round, the best boxes of those left: few calls of numpy
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
    """Which of N boxes stay, bool [N].

    A box that is suppressed itself suppresses no other. So the boxes are gone through one by one. A set of boxes is an
    int of Python, a bit for each box: numpy, with a call for each box, would take two to four times as long.

    Args:
        suppressed: bool [M, N]: which of the N boxes, the best first, overlap each of the first M too much.
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
