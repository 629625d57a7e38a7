"""Neck, shoulders and clothes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.drawing.looks import Looks
from demo.drawing.maths import Curve, Floats, Noise, mix, rgb, ridge, smooth


@dataclass(frozen=True)
class Clothes:
    """A garment: the height of its neckline at (|x|, z), its pattern, and whether it has a collar."""

    line: Callable[[Floats, Floats], Floats]
    pattern: str = "plain"
    collar: bool = False


def _crew(x: Floats, z: Floats) -> Floats:
    return np.asarray(-1.88 - 0.12 * smooth(-0.5, 0.5, z) + 0.0 * x, np.float32)


def _vee(x: Floats, z: Floats) -> Floats:
    return np.asarray(-1.8 - 0.62 * np.clip(1 - x / 0.5, 0, 1) * smooth(-0.5, 0.2, z), np.float32)


def _scoop(x: Floats, z: Floats) -> Floats:
    return np.asarray(-1.95 - 0.42 * np.sqrt(np.clip(1 - (x / 0.95) ** 2, 0, 1)) * smooth(-0.6, 0.1, z), np.float32)


def _polo(x: Floats, z: Floats) -> Floats:
    return np.asarray(-1.62 - 0.5 * np.clip(1 - x / 0.3, 0, 1) * smooth(-0.3, 0.2, z), np.float32)


def _roll(x: Floats, z: Floats) -> Floats:
    return np.asarray(-1.5 + 0.0 * x + 0.0 * z, np.float32)


CLOTHES = {
    "crew": Clothes(_crew),
    "stripes": Clothes(_crew, "stripes"),
    "knit": Clothes(_crew, "knit"),
    "vee": Clothes(_vee),
    "vee knit": Clothes(_vee, "knit"),
    "scoop": Clothes(_scoop),
    "dots": Clothes(_scoop, "dots"),
    "shirt": Clothes(_polo, collar=True),
    "checks": Clothes(_polo, "checks", collar=True),
    "roll": Clothes(_roll, "knit"),
}
"""Garments by name."""


class Body:
    """Neck and shoulders of a person, dressed.

    Args:
        looks: whose.
        clothes: a name of CLOTHES.
        cloth: its colour.
    """

    def __init__(self, looks: Looks, clothes: str, cloth: str) -> None:
        self.looks = looks
        self.clothes = CLOTHES[clothes]
        self.cloth = rgb(cloth)
        self.noise = Noise(looks.seed + 2000)
        n, b = looks.neck, looks.build
        self.wide = Curve(
            [(-4.5, 2.3 * b), (-2.95, 2.16 * b), (-2.6, 1.9 * b), (-2.3, 1.35 * b), (-2.08, 0.95), (-1.85, n + 0.16),
             (-1.6, n + 0.03), (-1.2, n), (0.0, n)], 0.1,
        )  # fmt: skip
        self.deep = Curve([(-4.5, 1.0), (-2.9, 0.85), (-2.2, 0.62), (-1.8, n + 0.02), (-1.2, n), (0, n)], 0.15)
        self.middle = Curve([(-4.5, -0.3), (-2.6, -0.42), (-1.8, -0.42), (-0.9, -0.3), (0, -0.3)], 0.15)

    def cover(self, x: Floats, y: Floats, z: Floats, soft: float) -> Floats:
        """Where there is cloth, 0 to 1."""
        return smooth(-soft, soft, self.clothes.line(np.abs(x), z) - y)

    def field(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Rough distance to neck, shoulders and cloth."""
        under = self.clothes.line(np.abs(x), z) - y
        thick = 0.05 * smooth(-0.015, 0.03, under)
        if self.clothes.collar:
            thick += 0.09 * smooth(0.34, 0.3, under) * smooth(-0.015, 0.03, under) * smooth(-0.8, -0.4, z)
        elif self.clothes.pattern == "knit":
            thick += 0.035 * smooth(0.2, 0.14, under) * smooth(-0.01, 0.03, under)
        a, b = self.wide(y) + thick, self.deep(y) + thick
        depth = (z - self.middle(y)) / b
        bone = (
            0.03 * ridge(y + 2.13 - 0.1 * np.abs(x), 0.07) * smooth(0.1, 0.25, np.abs(x)) * smooth(1.2, 0.8, np.abs(x))
        )
        q = np.abs(x / a) ** 2.3 + depth * depth
        return np.asarray((np.sqrt(q) - 1) * np.minimum(a, b) * np.float32(0.5) - bone * 0.4, np.float32)

    def paint(self, points: Floats, pixel: float) -> tuple[Floats, Floats]:
        """Colours [K, 3] at points [3, K], and where the skin shows [K]."""
        x, y, z = points
        tone = 1 + 0.03 * self.noise.cloud(x * 4, y * 4)
        skin = rgb(self.looks.skin) * np.array([0.96, 0.93, 0.92], np.float32) * tone[:, None]
        tendon = ridge(np.abs(x) - 0.12 - 0.3 * (y + 2.0), 0.06) * smooth(-2.05, -1.85, y) * smooth(-1.3, -1.5, y)
        skin = skin * (1 - 0.07 * tendon)[:, None]
        cover = self.cover(x, y, z, max(pixel, 0.008))
        folds = 1 + 0.06 * self.noise.cloud(x * 1.6 + y, y * 0.9) + 0.03 * self.noise.plane(x * 50, y * 50)
        cloth = self._pattern(x, y) * folds[:, None]
        under = self.clothes.line(np.abs(x), z) - y
        if self.clothes.collar:
            cloth = cloth * (1 - 0.4 * ridge(under - 0.36, 0.03) * smooth(-0.8, -0.4, z))[:, None]
            cloth = cloth * (1 - 0.45 * ridge(x - 0.03, 0.012) * smooth(-2.05, -2.15, y))[:, None]
        else:
            cloth = cloth * (1 - 0.25 * ridge(under - 0.17, 0.015))[:, None]
        skin = skin * (1 - 0.4 * smooth(-0.16, 0.0, under))[:, None]
        return mix(np.asarray(skin, np.float32), np.asarray(cloth, np.float32), cover), 1 - cover

    def _pattern(self, x: Floats, y: Floats) -> Floats:
        """Colour [K, 3] of the cloth."""
        base = np.repeat(self.cloth[None], len(x), axis=0)
        light = np.broadcast_to(self.cloth * 0.35 + 0.5, base.shape)
        kind = self.clothes.pattern
        if kind == "stripes":
            return mix(base, light, smooth(-0.15, 0.15, np.sin(y * 22)))
        if kind == "dots":
            row = np.floor(y / 0.16)
            dx, dy = np.mod(x + 0.08 * np.mod(row, 2), 0.16) - 0.08, np.mod(y, 0.16) - 0.08
            return mix(base, light, smooth(0.04, 0.028, np.sqrt(dx * dx + dy * dy)))
        if kind == "checks":
            share = 0.3 * smooth(-0.1, 0.1, np.sin(x * 16)) + 0.3 * smooth(-0.1, 0.1, np.sin(y * 16))
            return mix(base, light, np.asarray(share, np.float32))
        if kind == "knit":
            return base * (0.9 + 0.12 * np.abs(np.sin(x * 36)) * (0.6 + 0.4 * np.abs(np.sin(y * 30 + x * 18))))[:, None]
        return base
