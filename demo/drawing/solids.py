"""Rays against solids: where each pixel's ray meets a surface given by a function of space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.drawing.maths import Floats, unit

Field = Callable[[Floats, Floats, Floats], Floats]
"""Roughly the distance of points (x, y, z) to a surface, in head units; negative inside."""

FAR = np.float32(1e3)
_START, _END = 3.4, 6.8  # rays start this far in front of the head's middle and end this far on


@dataclass
class View:
    """A solid's own coordinates as the camera sees them.

    The camera's x points to the viewer's right, y up, z to the viewer; rays run along −z. Lengths are head units:
    1 is about half the width of a head.

    Attributes:
        turn: rotation matrix [3, 3] from the solid's coordinates to the camera's.
        pivot: point about which it turns, the same in both.
        shift: added after turning.
    """

    turn: Floats
    pivot: Floats
    shift: Floats

    def rays(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Origins [3, N] and the common direction [3] of the rays of pixels (x, y), in the solid's coordinates."""
        camera = np.stack([x, y, np.full_like(x, _START)])
        return self.inside(camera), -self.turn.T[:, 2]

    def inside(self, camera: Floats) -> Floats:
        """Points [3, N] of the camera's coordinates in the solid's."""
        moved = camera - (self.pivot + self.shift)[:, None]
        return np.asarray(self.turn.T @ moved + self.pivot[:, None], np.float32)

    def outside(self, points: Floats) -> Floats:
        """Points [3, N] of the solid's coordinates in the camera's."""
        return np.asarray(self.turn @ (points - self.pivot[:, None]) + (self.pivot + self.shift)[:, None], np.float32)


@dataclass
class Hits:
    """Where rays met a solid.

    Attributes:
        index: int [K], which rays.
        depth: float32 [K], how far along the ray.
        points: float32 [3, K], in the solid's coordinates.
        normals: float32 [K, 3], in the camera's coordinates, length 1.
    """

    index: NDArray[np.int64]
    depth: Floats
    points: Floats
    normals: Floats


def trace(field: Field, view: View, x: Floats, y: Floats, candidates: NDArray[np.bool_], fine: float = 0.012) -> Hits:
    """Follow the rays of pixels (x, y) [N] until they meet the surface.

    Args:
        field: the solid.
        view: where it stands.
        x, y: pixels, in the camera's coordinates.
        candidates: bool [N], rays that can meet it at all.
        fine: step for the surface's slope, head units; a larger one smooths it.
    """
    index = np.flatnonzero(candidates)
    origins, direction = view.rays(x[index], y[index])
    depth = np.zeros(len(index), np.float32)
    distance = np.full(len(index), FAR, np.float32)
    active = np.arange(len(index))
    for _ in range(60):
        points = origins[:, active] + direction[:, None] * depth[active]
        step = field(points[0], points[1], points[2])
        distance[active] = step
        depth[active] += step
        active = active[(np.abs(step) > 0.0015) & (depth[active] < _END)]
        if not len(active):
            break
    met = (depth < _END) & (distance < 0.02)
    points = origins[:, met] + direction[:, None] * depth[met]
    normals = unit(slope(field, points, fine)) @ view.turn.T
    return Hits(index[met], depth[met], points, np.asarray(normals, np.float32))


def slope(field: Field, points: Floats, step: float) -> Floats:
    """Direction [K, 3] in which the field grows, from four values around each of the points [3, K]."""
    total = np.zeros_like(points)
    for sign in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        offset = np.array(sign, np.float32)[:, None]
        moved = points + offset * np.float32(step)
        total += offset * field(moved[0], moved[1], moved[2])
    return np.asarray(total.T, np.float32)


def shade_cast(field: Field, points: Floats, towards: Floats, softness: float = 0.22) -> Floats:
    """Share of the light [K], 0 to 1, that the solid lets through to points.

    Args:
        field: the solid, in the coordinates of `points`.
        points: float32 [3, K], just outside its surface.
        towards: float32 [3], direction of the light.
        softness: width of the penumbra, as a share of the distance.
    """
    light = np.ones(points.shape[1], np.float32)
    for step in np.geomspace(0.05, 1.6, 14):
        moved = points + towards[:, None] * np.float32(step)
        clear = field(moved[0], moved[1], moved[2]) / np.float32(step * softness)
        fading = np.float32(0.6 * (step / 1.6) ** 2)  # so that the shadow has no edge where the search ends
        light = np.minimum(light, np.clip(0.5 + clear + fading, 0, 1))
    return light
