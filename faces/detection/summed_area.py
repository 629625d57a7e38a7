"""Means of rectangles of an image, from one table of sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_Whole = NDArray[np.int64]
_Sums = NDArray[np.uint64]

_FIELD = 21  # bits of a colour's sum: three sums, each up to 2^21 - 1, fit into one number of 64 bits
_LARGEST_WINDOW = 90  # pixels a side: the sum of 90 × 90 white pixels still fits into 21 bits
_LARGEST_PACKED_SIDE = 1000  # pixels: P-Net's coarsest scale averages over a twelfth of this, so 84 pixels a side


class SummedArea:
    """A summed-area table (Crow 1984). All resampling of the detector reads it.

    The sum of a rectangle is a difference of four entries of the table. The entries may overflow: the difference is
    still right if the rectangle's own sum fits. So red, green and blue share an entry of 64 bits, 21 bits each, and one
    look-up gives all three. In images too large for that, each colour has a table of its own.

    Args:
        pixels: uint8 [H, W, 3].
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.height, self.width = pixels.shape[:2]
        self._packed = max(self.height, self.width) <= _LARGEST_PACKED_SIDE
        if self._packed:
            packed = pixels[:, :, 0].astype(np.uint64)
            for channel in (1, 2):
                packed <<= np.uint64(_FIELD)
                packed |= pixels[:, :, channel]
            self._tables = [_table(packed)]
        else:
            self._tables = [_table(pixels[:, :, channel].astype(np.uint64)) for channel in range(3)]

    def resize(self, height: int, width: int, rows: slice = slice(None)) -> Floats:
        """The whole image at another size. Each pixel is the mean of those that it covers (torch's mode="area").

        Args:
            height, width: of the result, at least a twelfth of the image's (as P-Net's coarsest level is).
            rows: which of its rows are wanted.

        Returns:
            float32 [rows, width, 3], 0 to 255.

        Raises:
            ValueError: one pixel would be the mean of more than a packed table can hold.
        """
        top, bottom = _windows(np.zeros(1, np.int64), np.array([self.height]), height)
        top, bottom = top[:, rows], bottom[:, rows]
        left, right = _windows(np.zeros(1, np.int64), np.array([self.width]), width)
        largest = int((bottom - top).max()) * int((right - left).max())
        if self._packed and largest > _LARGEST_WINDOW**2:
            raise ValueError(
                f"{height} × {width} pixels were asked for, each the mean of {largest} of an image of {self.height} × "
                f"{self.width}; at most {_LARGEST_WINDOW} × {_LARGEST_WINDOW} fit"
            )
        sums = []
        for table in self._tables:
            bands = table[bottom[0]] - table[top[0]]
            sums.append(bands[:, right[0]] - bands[:, left[0]])
        area = (bottom - top)[0][:, None] * (right - left)[0][None, :]
        return self._means(sums, area)

    def cut(self, boxes: _Whole, size: int) -> Floats:
        """Rectangles of the image, each resized to a square by area averages.

        Args:
            boxes: int64 [N, 4], left, top, right, bottom, within the image and at least 1 × 1.
            size: side of the squares, pixels.

        Returns:
            float32 [N, size, size, 3], 0 to 255.
        """
        left, right = _windows(boxes[:, 0], boxes[:, 2], size)
        top, bottom = _windows(boxes[:, 1], boxes[:, 3], size)
        stride = self.width + 1
        top_rows, bottom_rows = top[:, :, None] * stride, bottom[:, :, None] * stride
        left_columns, right_columns = left[:, None, :], right[:, None, :]
        places = [
            bottom_rows + right_columns,
            top_rows + right_columns,
            bottom_rows + left_columns,
            top_rows + left_columns,
        ]
        sums = []
        for table in self._tables:
            flat = table.ravel()
            corners = [flat.take(place) for place in places]
            corners[0] -= corners[1]
            corners[0] -= corners[2]
            corners[0] += corners[3]
            sums.append(corners[0])
        area = (bottom - top)[:, :, None] * (right - left)[:, None, :]
        return self._means(sums, area)

    def _means(self, sums: list[_Sums], area: _Whole) -> Floats:
        """The sums of rectangles divided by their areas, float32 [..., 3]."""
        means = np.empty((*area.shape, 3), np.float32)
        if self._packed:
            mask = np.uint64((1 << _FIELD) - 1)
            sums = [sums[0] >> np.uint64(2 * _FIELD), sums[0] >> np.uint64(_FIELD) & mask, sums[0] & mask]
        divisor = area.astype(np.float32)
        for channel in range(3):
            np.divide(sums[channel].astype(np.float32), divisor, out=means[..., channel])
        return means


def _table(plane: _Sums) -> _Sums:
    table = np.zeros((plane.shape[0] + 1, plane.shape[1] + 1), np.uint64)
    inner = table[1:, 1:]
    np.cumsum(plane, axis=1, out=inner)
    np.cumsum(inner, axis=0, out=inner)
    return table


def _windows(start: _Whole, end: _Whole, count: int) -> tuple[_Whole, _Whole]:
    """The windows of adaptive pooling: `count` windows that cover each interval and may overlap.

    Returns:
        First and one-past-last positions, int64 [N, count] each.
    """
    length = (end - start)[:, None]
    steps = np.arange(count + 1, dtype=np.int64)
    return start[:, None] + length * steps[:-1] // count, start[:, None] - (-length * steps[1:] // count)
