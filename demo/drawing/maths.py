"""Small numeric tools that all of the drawing shares: arrays, soft steps, bumps, noise, colours, rotations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Arrays of real numbers; nearly all are float32, for speed."""

_LATTICE = 64  # cells after which the noise repeats


def smooth(low: float | Floats, high: float | Floats, value: Floats) -> Floats:
    """0 below `low`, 1 above `high`, an S-shaped passage between; `low` may be the larger one."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def bump(x: Floats, y: Floats, centre: tuple[float, float], width: tuple[float, float]) -> Floats:
    """A Gaussian hill of height 1; `centre` and `width` (standard deviations) in head units."""
    return np.asarray(
        np.exp(-0.5 * (((x - centre[0]) / width[0]) ** 2 + ((y - centre[1]) / width[1]) ** 2)), np.float32
    )


def ridge(distance: Floats, width: float) -> Floats:
    """A Gaussian ridge of height 1 along the line where `distance` is 0."""
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2), np.float32)


def mix(first: Floats, second: Floats, share: Floats) -> Floats:
    """Colours [N, 3] blended: `share` [N] (0 to 1) of the second."""
    return np.asarray(first + (second - first) * share[:, None], np.float32)


def rgb(text: str) -> Floats:
    """A colour "rrggbb" (sRGB, hexadecimal) as linear light, float32 [3], 0 to 1."""
    values = np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255
    return to_linear(values)


def to_linear(values: Floats) -> Floats:
    """sRGB (0 to 1) to linear light, by a plain power: close enough to draw with."""
    return np.asarray(np.power(np.clip(values, 0, None), 2.2), np.float32)


def to_srgb(values: Floats) -> Floats:
    """Linear light to sRGB (0 to 1), with a soft shoulder so that highlights keep their colour."""
    bright = np.maximum(values - 0.7, 0)
    soft = np.where(values > 0.7, 0.7 + bright / (1 + 1.6 * bright), values)
    return np.asarray(np.power(np.clip(soft, 0, 1), 1 / 2.2), np.float32)


def rotation(turn: float, tilt: float, roll: float) -> Floats:
    """Rotation matrix [3, 3] of the head: turn (to the viewer's right), tilt (upwards), roll (clockwise), degrees."""
    a, b, c = np.radians((turn, -tilt, -roll))
    yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    around = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(around @ pitch @ yaw, np.float32)


def unit(vectors: Floats) -> Floats:
    """Vectors [..., 3] scaled to length 1."""
    length = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    return np.asarray(vectors / np.maximum(length, 1e-6), np.float32)


class Noise:
    """Seeded, smooth, periodic random fields with values about 0, mostly within −1 to 1.

    Args:
        seed: which field.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._plane = rng.uniform(-1, 1, (_LATTICE, _LATTICE)).astype(np.float32)
        self._space = rng.uniform(-1, 1, (16, 16, 16)).astype(np.float32)

    def plane(self, x: Floats, y: Floats) -> Floats:
        """Noise of points of a plane; a feature is about 1 wide."""
        i, fx = _cell(x)
        j, fy = _cell(y)
        n, table = _LATTICE - 1, self._plane
        above = table[j & n, i & n] * (1 - fx) + table[j & n, (i + 1) & n] * fx
        below = table[(j + 1) & n, i & n] * (1 - fx) + table[(j + 1) & n, (i + 1) & n] * fx
        return np.asarray(above * (1 - fy) + below * fy, np.float32)

    def cloud(self, x: Floats, y: Floats, octaves: int = 3) -> Floats:
        """Noise of several sizes on top of each other: each octave half as wide and half as strong."""
        total = np.zeros_like(x)
        for octave in range(octaves):
            factor = 2.0**octave
            total += self.plane(x * factor + 17.3 * octave, y * factor + 5.1 * octave) / np.float32(factor)
        return total

    def space(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Noise of points of space; a feature is about 1 wide."""
        i, fx = _cell(x)
        j, fy = _cell(y)
        k, fz = _cell(z)
        total = np.zeros_like(x)
        for dz, wz in ((0, 1 - fz), (1, fz)):
            for dy, wy in ((0, 1 - fy), (1, fy)):
                for dx, wx in ((0, 1 - fx), (1, fx)):
                    total += self._space[(k + dz) & 15, (j + dy) & 15, (i + dx) & 15] * (wx * wy * wz)
        return total


def _cell(values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The lattice cell of each value and how far it is through it, eased."""
    floor = np.floor(values)
    t = (values - floor).astype(np.float32)
    return floor.astype(np.int64), t * t * (3 - 2 * t)


class Curve:
    """A function of one variable through given points, smoothed, looked up in a table.

    Args:
        points: (position, value) in rising order of position; flat beyond both ends.
        soft: how much it is smoothed, in units of the position.
    """

    def __init__(self, points: list[tuple[float, float]], soft: float = 0.0) -> None:
        xs, ys = np.array(points, np.float64).T
        self._low = float(xs[0]) - 2 * soft
        self._high = float(xs[-1]) + 2 * soft
        grid = np.linspace(self._low, self._high, 512)
        values = np.interp(grid, xs, ys)
        if soft > 0:
            reach = max(int(2 * soft / (grid[1] - grid[0])), 1)
            kernel = np.hanning(2 * reach + 3)[1:-1]
            padded = np.pad(values, len(kernel) // 2, mode="edge")
            values = np.convolve(padded, kernel / kernel.sum(), mode="valid")
        self._table = values.astype(np.float32)

    def __call__(self, position: Floats) -> Floats:
        """Values at positions, linear between table entries."""
        at = np.clip((position - self._low) * np.float32(511 / (self._high - self._low)), 0, 510.999)
        left = at.astype(np.int32)
        share = (at - left).astype(np.float32)
        return np.asarray(self._table[left] * (1 - share) + self._table[left + 1] * share, np.float32)


class HeightMap:
    """A function of two variables on a grid, looked up bilinearly.

    Args:
        values: float32 [H, W].
        reach: half the width and half the height of the area it covers, about (0, 0).
    """

    def __init__(self, values: Floats, reach: tuple[float, float]) -> None:
        self._height, self._width = values.shape
        self._values = np.ascontiguousarray(values, np.float32).ravel()
        self._reach = reach

    @staticmethod
    def grid(size: tuple[int, int], reach: tuple[float, float]) -> tuple[Floats, Floats]:
        """Coordinates x and y (both [H, W], y falling from row to row) that a map of `size` (H, W) covers."""
        xs = np.linspace(-reach[0], reach[0], size[1], dtype=np.float32)
        ys = np.linspace(reach[1], -reach[1], size[0], dtype=np.float32)
        x, y = np.meshgrid(xs, ys)
        return x, y

    def __call__(self, x: Floats, y: Floats) -> Floats:
        """Values at points; beyond the edge, those of the edge."""
        at_x = np.clip((x / self._reach[0] + 1) * np.float32((self._width - 1) / 2), 0, self._width - 1.001)
        at_y = np.clip((1 - y / self._reach[1]) * np.float32((self._height - 1) / 2), 0, self._height - 1.001)
        i, j = at_x.astype(np.int32), at_y.astype(np.int32)
        fx, fy = (at_x - i).astype(np.float32), (at_y - j).astype(np.float32)
        first = j * self._width + i
        table = self._values
        upper = table[first] * (1 - fx) + table[first + 1] * fx
        lower = table[first + self._width] * (1 - fx) + table[first + self._width + 1] * fx
        return np.asarray(upper * (1 - fy) + lower * fy, np.float32)
