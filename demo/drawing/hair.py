"""Hair and head-wear: a second solid around the skull, present where a style's hairline says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.drawing.head import Head
from demo.drawing.looks import Looks
from demo.drawing.maths import Curve, Floats, Noise, mix, rgb, ridge, smooth, unit

Line = list[tuple[float, float]]
"""A hairline: (angle from the front in degrees, 0 to 180; height above which there is hair)."""

_SHORT: Line = [(0, 0.9), (20, 0.91), (38, 0.82), (52, 0.58), (64, 0.3), (71, -0.2), (78, -0.28), (83, 0.2),
                (102, 0.24), (110, -0.3), (125, -0.8), (180, -1.0)]  # fmt: skip
_LONG: Line = [(0, 1.02), (14, 0.98), (28, 0.86), (42, 0.62), (54, 0.26), (63, -0.3), (70, -4), (180, -4)]
_OPEN: Line = [(0, 1.0), (28, 0.92), (45, 0.72), (60, 0.45), (68, 0.1), (76, -0.2), (80, 0.3), (96, 0.3), (104, -0.6),
               (112, -4), (180, -4)]  # fmt: skip
_FRINGE: Line = [(0, 0.48), (30, 0.45), (46, 0.42), (55, 0.2), (62, -0.3), (66, -1.2), (70, -4), (180, -4)]
_BOWL: Line = [(0, 0.5), (35, 0.46), (55, 0.36), (64, 0.2), (70, -0.15), (80, -0.1), (88, 0.0), (102, 0.0),
               (112, -0.4), (130, -0.8), (180, -0.95)]  # fmt: skip
_RING: Line = [(0, 3), (62, 3), (70, 0.75), (74, 0.3), (78, -0.2), (83, 0.2), (100, 0.22), (110, -0.3), (125, -0.8),
               (180, -0.95)]  # fmt: skip
_RECEDING: Line = [(0, 1.1), (12, 1.12), (26, 1.3), (42, 1.05), (58, 0.62), (67, 0.3), (72, -0.2), (78, -0.26),
                   (83, 0.2), (102, 0.24), (110, -0.3), (125, -0.8), (180, -1.0)]  # fmt: skip
_SCARF: Line = [(0, 0.8), (20, 0.76), (40, 0.5), (52, 0.1), (58, -0.5), (56, -0.9), (48, -1.25), (42, -4), (180, -4)]
_BEANIE: Line = [(0, 0.58), (60, 0.5), (100, 0.42), (180, 0.2)]


@dataclass(frozen=True)
class Style:
    """A way to wear hair.

    Attributes:
        line: the hairline.
        sides, top, front: thickness at the sides, on top and above the forehead, head units.
        falls: height down to which hair hangs, None where it does not; wide: half the width of what hangs.
        curl: depth of curls, and how many a head unit; strand: contrast of strands.
        skew: degrees the hairline is turned by, for a side parting; part: where the parting is, None for none.
        knot: a knot of hair: (height, depth, radius), or None; tails: two bunches at the sides.
    """

    line: Line
    sides: float = 0.07
    top: float = 0.15
    front: float = 0.0
    falls: float | None = None
    wide: float = 1.16
    curl: tuple[float, float] = (0.0, 4.0)
    strand: float = 1.0
    skew: float = 0.0
    part: float | None = None
    knot: tuple[float, float, float] | None = None
    tails: bool = False


STYLES = {
    "bald": None,
    "buzz": None,
    "fade": None,
    "short": Style(_SHORT, front=0.06),
    "parted": Style(_SHORT, 0.09, 0.2, 0.05, skew=-16, part=-0.35),
    "swept": Style(_SHORT, 0.06, 0.2, 0.2, skew=8),
    "receding": Style(_RECEDING, 0.07, 0.1),
    "ring": Style(_RING, 0.08, 0.05),
    "bowl": Style(_BOWL, 0.16, 0.22, 0.02),
    "curly short": Style(_SHORT, 0.16, 0.3, 0.1, curl=(0.09, 4.5), strand=0.4),
    "afro": Style(_SHORT, 0.5, 0.6, 0.05, curl=(0.07, 6.0), strand=0.2),
    "crop curls": Style(_SHORT, 0.08, 0.14, curl=(0.05, 7.5), strand=0.3),
    "long": Style(_LONG, 0.14, 0.2, falls=-2.7, part=0.1, wide=1.2),
    "long side": Style(_LONG, 0.15, 0.24, 0.04, falls=-2.6, skew=15, part=0.38, wide=1.22),
    "long fringe": Style(_FRINGE, 0.13, 0.2, 0.03, falls=-2.5),
    "bob": Style(_LONG, 0.18, 0.22, falls=-1.25, skew=-13, part=-0.3, wide=1.24),
    "bob fringe": Style(_FRINGE, 0.17, 0.22, 0.03, falls=-1.15, wide=1.22),
    "shoulder": Style(_LONG, 0.15, 0.2, falls=-1.75, skew=10, part=0.25, wide=1.22),
    "wavy": Style(_LONG, 0.2, 0.24, falls=-2.3, wide=1.32, curl=(0.06, 2.6), part=0.15, skew=8, strand=0.9),
    "curly long": Style(_LONG, 0.34, 0.36, falls=-1.9, wide=1.5, curl=(0.08, 5.0), strand=0.35),
    "behind ears": Style(_OPEN, 0.08, 0.16, falls=-2.2, wide=0.98, part=0.0),
    "bun": Style(_SHORT, 0.05, 0.12, knot=(1.72, -0.35, 0.42)),
    "low bun": Style(_SHORT, 0.07, 0.12, skew=10, part=0.25, knot=(-0.35, -1.35, 0.42)),
    "tails": Style(_SHORT, 0.06, 0.13, part=0.0, tails=True),
}
"""Styles by name; None where the skin alone shows (with "buzz" and "fade", hair painted on it)."""

_WORN = {
    "beanie": Style(_BEANIE, 0.15, 0.3, 0.0, strand=0.0),
    "scarf": Style(_SCARF, 0.13, 0.18, 0.02, falls=-2.5, wide=1.14, strand=0.0),
    "turban": Style(_BEANIE, 0.2, 0.36, 0.12, strand=0.0),
}


class Hair:
    """The hair of a head, or what is worn in its place.

    Args:
        head: the head.
        looks: whose.
        style: one of STYLES, or a piece of head-wear.
        worn: whether it is cloth.
    """

    def __init__(self, head: Head, looks: Looks, style: Style, worn: str = "") -> None:
        self.head, self.looks, self.style, self.worn = head, looks, style, worn
        self.noise = Noise(looks.seed + 1000)
        self.line = Curve(sorted(style.line), 2.5)
        self.rooted = 1.0 if worn else 0.12 if style.falls is None else 0.55

    @classmethod
    def of(cls, head: Head, looks: Looks) -> list[Hair]:
        """What is on a head: hair, cloth, both, or nothing."""
        style = STYLES[looks.style]
        found = [] if style is None or looks.hat in ("scarf", "turban") else [cls(head, looks, style)]
        if looks.hat:
            found.append(cls(head, looks, _WORN[looks.hat], looks.hat))
        return found

    def above_line(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """How far points are above the hairline."""
        angle = np.degrees(np.arctan2(x, z + np.float32(0.2)))
        angle = np.abs(angle - self.style.skew * smooth(100, 30, np.abs(angle)))
        return np.asarray(y - self.line(angle), np.float32)

    def above_ears(self) -> bool:
        """Whether the ears are free."""
        return float(self.line(np.array([90.0], np.float32))[0]) > -0.5

    def thickness(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """How far the hair stands off the skull."""
        style = self.style
        up = smooth(0.3, 1.3, y)
        total = style.sides + (style.top - style.sides) * up + style.front * smooth(0.2, 0.9, z) * smooth(0.7, 1.1, y)
        full = style.sides + style.top + style.front
        total *= self.rooted + (1 - self.rooted) * smooth(-0.08, 0.15 + 0.9 * full, self.above_line(x, y, z))
        if style.part is not None:
            total -= 0.07 * ridge(x - style.part, 0.035) * smooth(0.75, 1.1, y) * smooth(-0.6, 0.0, z)
        if self.worn == "beanie":
            total += 0.06 * smooth(0.84, 0.8, y - 0.1 * z + 0.05)
        if self.worn == "turban":
            total += 0.05 * np.abs(np.sin(5 * (y - 0.45 * np.abs(x + 0.08))))
        return np.asarray(total, np.float32)

    def field(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Rough distance to the hair's outside, face window not cut out."""
        style = self.style
        distance = self.head.skull(x, y, z, self.thickness(x, y, z))
        if style.falls is not None:
            distance = np.minimum(distance, self._hanging(x, y, z))
        if style.knot is not None:
            height, depth, radius = style.knot
            ball = np.sqrt(x * x + (y - height) ** 2 * 1.3 + (z - depth) ** 2) - radius
            distance = np.minimum(distance, ball * 0.8)
        if style.tails:
            away = np.sqrt(
                ((np.abs(x) - 1.2 - 0.12 * (0.4 - y)) / 0.3) ** 2 + ((z + 0.3) / 0.3) ** 2 + ((y + 0.25) / 0.75) ** 2
            )
            distance = np.minimum(distance, (away - 1) * 0.27)
        depth, often = style.curl
        if depth:
            # Cut off above, so that curls are round and none stands out like a thorn.
            curls = np.clip(1.3 * self.noise.space(x * often, y * often, z * often), -0.8, 0.4)
            distance = distance - depth * curls * smooth(-0.1, 0.15, 0.3 - distance)
        return np.asarray(distance * (0.8 if depth else 1.0), np.float32)

    def _hanging(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Rough distance to the hair that hangs beside and behind the neck."""
        style = self.style
        assert style.falls is not None
        middle, half = (0.35 + style.falls) / 2, (0.35 - style.falls) / 2
        wave = 0.05 * np.sin(y * 4.5 + 1.0) if style.curl[0] else 0.0
        wide = style.wide * self.head.wide * (1 - 0.1 * smooth(-0.6, style.falls, y)) + wave
        deep = (1.12 if self.worn else 0.82) + 0.12 * smooth(-1.2, -2.2, y)
        end = ((y - middle) / half) ** 2
        q = (x / wide) ** 2 + ((z + 0.4) / deep) ** 2 + end * end * end * end
        return np.asarray((np.sqrt(q) - 1) * np.float32(0.55), np.float32)

    def coverage(self, points: Floats, pixel: float) -> Floats:
        """How much of each point [3, K] of the outside is hair, 0 to 1."""
        x, y, z = points
        over = self.above_line(x, y, z)
        if self.worn == "scarf":  # all around an oval for the face
            over = np.where(z > 0, (np.sqrt((x / 0.8) ** 2 + ((y + 0.31) / 1.15) ** 2) - 1) * 0.8, 1).astype(np.float32)
        if self.style.tails:
            over = np.where(np.abs(x) > 1.1 * self.head.wide, 1, over).astype(np.float32)
        if self.worn:
            return smooth(-pixel, pixel, over)
        around = np.arctan2(x - (self.style.part or 0.0), z + 0.3)
        ragged = self.noise.plane(around * 26, y * 1.5) * 0.6 + self.noise.plane(around * 60, y * 3) * 0.4
        inner = 0.03 + 0.02 * self.style.strand
        over = over + ragged * inner * (1 + 1.5 * smooth(0.55, 0.3, y - over) * smooth(0.2, 0.5, z))
        cover = smooth(-0.045, 0.045, over)
        if self.style.falls is not None:
            tips = y - self.style.falls - 0.16 + 0.12 * self.noise.plane(x * 9, z * 9)
            cover *= np.where(y < self.style.falls + 0.4, smooth(-0.06, 0.06, tips), 1)
        return np.asarray(cover, np.float32)

    def paint(self, points: Floats, normals: Floats) -> tuple[Floats, Floats, Floats]:
        """Colour [K, 3], the strands' direction [K, 3] and how open to light [K] the hair is at points [3, K].

        Args:
            points: on the outside, head coordinates.
            normals: [K, 3], head coordinates.
        """
        x, y, z = points
        base = rgb(self.looks.cloth if self.worn else self.looks.hair)
        crown = np.array([self.style.part or 0.0, 1.55, -0.25], np.float32)
        away = points.T - crown
        away[:, 1] -= 0.25
        along = unit(np.asarray(away - (away * normals).sum(axis=1, keepdims=True) * normals, np.float32))
        if self.worn:
            colour, light = self._cloth(x, y, z, base)
            return colour, along, light
        around = np.arctan2(x - crown[0], z - crown[2])
        reach = np.sqrt((x - crown[0]) ** 2 + (y - crown[1]) ** 2 + (z - crown[2]) ** 2)
        wave = 0.35 * np.sin(y * 5 + 2 * around) * (1 if self.style.curl[0] else 0.25)
        fine = self.noise.plane(around * 34 + wave * 4, reach * 1.1) * 0.55
        fine += self.noise.plane(around * 80 + wave * 8, reach * 1.7) * 0.3
        broad = self.noise.plane(around * 9 + wave * 2, reach * 0.7)
        shade = 1 + self.style.strand * (0.26 * fine + 0.2 * broad)
        depth, often = self.style.curl
        if depth:
            shade = shade * (1 + 0.5 * self.noise.space(x * often, y * often, z * often))
            shade = shade + 0.15 * self.noise.space(x * often * 2.7, y * often * 2.7, z * often * 2.7)
        shade = np.clip(shade * (0.92 + 0.12 * smooth(0.5, 2.5, reach)), 0.25, 1.7)
        light = np.clip(0.75 + 0.25 * smooth(-1.2, 0.8, y) + 0.1 * broad, 0.3, 1)
        colour = base * shade[:, None]
        pale = base * 0.8 + np.array([0.3, 0.19, 0.09], np.float32) * 0.25
        colour = mix(np.asarray(colour, np.float32), np.broadcast_to(pale, colour.shape), 0.2 * smooth(0.2, 0.9, fine))
        return colour, along, np.asarray(light, np.float32)

    def _cloth(self, x: Floats, y: Floats, z: Floats, base: Floats) -> tuple[Floats, Floats]:
        """Colour and openness of a knitted or woven cover."""
        around = np.arctan2(x, z)
        if self.worn == "beanie":
            ribs = 0.5 + 0.5 * np.cos(around * 46 * (1 + 0 * y))
            shade = 0.8 + 0.22 * ribs
        elif self.worn == "turban":
            shade = 0.75 + 0.3 * np.abs(np.sin(5 * (y - 0.45 * np.abs(x + 0.08))))
        else:
            folds = np.sin(6 * y + 5 * np.abs(x) + 1.6 * self.noise.plane(x * 2, y * 2))
            shade = 0.93 + 0.07 * folds * smooth(0.4, -0.6, y) + 0.03 * self.noise.plane(around * 50, y * 50)
        return np.asarray(base * shade[:, None], np.float32), np.ones_like(x)
