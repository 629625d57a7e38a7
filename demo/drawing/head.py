"""The head as a solid: skull, jaw and ears by profiles, the features of the face as a height map on its front."""

from __future__ import annotations

import numpy as np

from demo.drawing.looks import Expression, Looks
from demo.drawing.maths import Curve, Floats, HeightMap, bump, ridge, smooth

_REACH = (1.3, 1.9)
_SIZE = (560, 400)
TOP, BOTTOM = 1.5, 1.5  # of the average head, above and below the eyes


class Features:
    """The lines of a face with an expression: lids, brows, mouth. Both the solid and the painting follow them.

    Args:
        looks: whose face.
        expression: what it does.
    """

    def __init__(self, looks: Looks, expression: Expression) -> None:
        self.looks = looks
        self.expression = expression
        smile, gap = expression.smile, expression.gap
        self.mouth_half = looks.mouth * (1 + 0.17 * max(smile, 0) - 0.1 * gap)
        self.mouth_y = -looks.mouth_at - 0.015 * max(smile, 0)
        self.lift = 0.105 * smile
        self.gap = 0.15 * gap

    def eye(self, x: Floats, y: Floats, side: int) -> tuple[Floats, Floats]:
        """Coordinates within an eye: u from −1 (inner corner) to 1 (outer), v upwards, in the same unit."""
        looks = self.looks
        u = (side * x - looks.spacing) / looks.eye
        return u, y / looks.eye - looks.slant * u

    def upper_lid(self, u: Floats) -> Floats:
        """Height v of the upper lid's edge."""
        squint = 1 - 0.12 * max(self.expression.smile, 0)
        height = self.looks.open * 1.3 * self.expression.lids * squint
        arc = np.sqrt(np.clip(1 - np.abs(u + 0.1) ** 2.2 / 1.22, 0, 1)) ** 1.3
        return np.asarray(height * arc * 0.66, np.float32)

    def lower_lid(self, u: Floats) -> Floats:
        """Height v of the lower lid's edge."""
        depth = self.looks.open * (0.62 - 0.22 * max(self.expression.smile, 0))
        return np.asarray(-depth * np.sqrt(np.clip(1 - np.abs(u - 0.12) ** 2.2 / 1.2, 0, 1)) ** 1.5, np.float32)

    def brow(self, u: Floats) -> Floats:
        """Height y of the brow's middle."""
        looks, raised = self.looks, self.expression.brows
        rise = looks.brow_tilt * u + looks.arch * (1 - 0.6 * (u - 0.15) ** 2) - 0.03 * smooth(0.7, 1.5, u)
        return np.asarray(looks.brow_at + 0.07 * raised + rise + looks.slant * 0.1 * u, np.float32)

    def mouth_line(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Across the mouth: s from −1 to 1, height y of the line between the lips, 1 − s² (0 outside)."""
        s = x / self.mouth_half
        return s, self.mouth_y + self.lift * (np.minimum(s * s, 1.6) - 0.35), np.clip(1 - s * s, 0, 1)

    def lips(self, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Heights y, from above: top of the upper lip, its lower edge, upper edge of the lower lip, its bottom."""
        s, middle, arc = self.mouth_line(x)
        thin = 1 - 0.18 * max(self.expression.smile, 0)
        cupid = 1 - 0.22 * ridge(s, 0.13) + 0.06 * ridge(np.abs(s) - 0.25, 0.14)
        upper_edge = middle + 0.35 * self.gap * arc
        lower_edge = middle - 0.65 * self.gap * arc
        top = upper_edge + self.looks.upper * thin * arc**0.8 * cupid
        bottom = lower_edge - self.looks.lower * thin * arc**0.75
        return top, upper_edge, lower_edge, bottom


class Head:
    """The head of a person with an expression.

    Args:
        looks: whose head.
        expression: what the face does.
    """

    def __init__(self, looks: Looks, expression: Expression) -> None:
        self.looks = looks
        self.ears_show = True
        self.features = Features(looks, expression)
        self.top = TOP * (0.5 + 0.5 * looks.long)
        self.bottom = BOTTOM * looks.long + 0.03 * expression.gap + {"full": 0.14, "short": 0.04}.get(looks.beard, 0)
        jaw, chin, wide = looks.jaw, looks.chin, looks.wide
        bearded = {"full": 1.1, "short": 1.04}.get(looks.beard, 1.0)
        self.half_width = Curve(
            [(-1.7, chin * bearded), (-1.35, (chin + 0.16 * jaw + 0.02) * bearded), (-0.95, jaw * 0.97 * bearded),
             (-0.5, (jaw + 1) / 2), (0.0, 1.0), (0.5, 1.0), (1.1, 0.98), (1.7, 0.95)], 0.14,
        )  # fmt: skip
        self.wide = wide
        self.front = Curve([(-1.7, 0.72), (-1.2, 0.9), (-0.6, 0.97), (0.3, 1.0), (0.9, 0.98), (1.7, 0.9)], 0.14)
        self.back = Curve([(-1.7, 0.2), (-1.1, 0.45), (-0.5, 1.0), (0.3, 1.25), (1.7, 1.25)], 0.2)
        x, y = HeightMap.grid(_SIZE, _REACH)
        relief = relief_of(looks, self.features, x, y)
        self.relief = HeightMap(relief, _REACH)
        self.hollow = HeightMap(np.asarray(_blur(relief, 14) - relief, np.float32), _REACH)

    def skull(self, x: Floats, y: Floats, z: Floats, thick: float | Floats = 0.0) -> Floats:
        """Rough distance to the head without ears, grown by `thick`."""
        vertical = np.where(y > 0, y / (self.top + thick), y / (self.bottom + thick))
        a = self.half_width(y) * self.wide + thick
        ahead = z > 0
        b = np.where(ahead, self.front(y), self.back(y)) + thick
        shallow = np.clip(z * 2.5, 0, 1)
        depth = (z - self.relief(x, y) * shallow) / b
        power = np.abs(vertical)
        closing = power * power * np.where(y > 0, np.sqrt(power), power)
        q = (x / a) ** 2 + depth * depth + closing
        return np.asarray((np.sqrt(q) - 1) * np.minimum(a, b) * np.float32(0.62), np.float32)

    def ears(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Rough distance to the ears."""
        size = self.looks.ear
        side = np.abs(x) - (self.wide * 0.985 + 0.035)
        back = z + 0.12
        out = side * 0.88 - back * 0.47
        along = side * 0.47 + back * 0.88
        up = y + 0.12
        narrow = 1 - 0.28 * np.clip(-up / 0.3, -0.4, 1)
        shell = np.sqrt((out / 0.085) ** 2 + (along / (0.19 * narrow)) ** 2 / size**2 + (up / 0.33) ** 2 / size**2) - 1
        bowl = np.sqrt(((out - 0.085) / 0.075) ** 2 + ((along - 0.03) / 0.12) ** 2 + ((up - 0.05) / 0.2) ** 2) - 1
        return np.asarray(np.maximum(shell, -bowl) * np.float32(0.075), np.float32)

    def field(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Rough distance to head and ears."""
        skull = self.skull(x, y, z)
        return np.minimum(skull, self.ears(x, y, z)) if self.ears_show else skull


def _blur(values: Floats, radius: int) -> Floats:
    """Three box averages of `radius` along each axis: nearly a Gaussian."""
    for axis in (0, 1, 0, 1, 0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(values, padding, mode="edge"), axis=axis, dtype=np.float64)
        width = 2 * radius + 1
        upper = np.take(sums, range(width, sums.shape[axis]), axis)
        lower = np.take(sums, range(sums.shape[axis] - width), axis)
        values = np.asarray((upper - lower) / width, np.float32)
    return values


def relief_of(looks: Looks, features: Features, x: Floats, y: Floats) -> Floats:
    """How far the face stands out of the bare skull at (x, y), in head units."""
    side = np.abs(x)
    smile = max(features.expression.smile, 0)
    total = looks.ridge * ridge(y - 0.27 + 0.1 * side, 0.11) * smooth(0.75, 0.4, side)
    total += 0.06 * bump(x, y, (0, 0.75), (0.5, 0.35))
    total += -0.13 * bump(side, y, (looks.spacing - 0.04, 0.03), (0.25, 0.17)) - 0.04 * bump(
        side, y, (0.9, 0.4), (0.16, 0.3)
    )
    total += (looks.cheek + 0.045 * smile) * bump(side, y, (0.5, -0.5 + 0.07 * smile), (0.24, 0.24))
    total += looks.bone * bump(side, y, (0.68, -0.24), (0.2, 0.13))
    total += _eyeballs(looks, features, side, y)
    total += _nose(looks, x, y)
    total += _mouth(looks, features, x, y)
    fold = side - (0.25 + 0.3 * np.clip(-(y + 0.58), 0, 1) * (1 + 0.3 * smile))
    depth = 0.004 + 0.018 * smile + 0.03 * looks.age**1.5
    total -= depth * ridge(fold, 0.035) * smooth(-0.55, -0.68, y) * smooth(-1.08, -0.88, y)
    total -= 0.03 * looks.age * ridge(y + 0.23 + 0.25 * (side - 0.4) ** 2, 0.03) * ridge(side - 0.4, 0.16)
    return np.asarray(total, np.float32)


def _eyeballs(looks: Looks, features: Features, side: Floats, y: Floats) -> Floats:
    """Eyeballs under their lids, and the crease above."""
    u, v = features.eye(side, y, 1)
    ball = np.clip(1 - (u * u + (v * 1.1) ** 2) / 2.2, 0, None) ** 2 * looks.eye * 0.5
    lid = features.upper_lid(u)
    edge = np.clip(1 - np.abs(u) ** 3, 0, 1)
    over = smooth(-0.03, 0.05, v - lid) * smooth(lid_height(looks) * 1.15, lid_height(looks) * 0.8, v - lid) * edge
    under = smooth(0.05, -0.06, v - features.lower_lid(u)) * ridge(v - features.lower_lid(u) + 0.12, 0.12) * edge
    crease = ridge(v - lid - lid_height(looks), 0.09) * smooth(1.25, 0.7, np.abs(u))
    return np.asarray(ball * 0.9 + looks.eye * (0.075 * over + 0.05 * under - 0.12 * crease), np.float32)


def lid_height(looks: Looks) -> float:
    """How far the crease is above the upper lid's edge, in half eye widths."""
    return 0.12 + 0.6 * looks.lid


def _nose(looks: Looks, x: Floats, y: Floats) -> Floats:
    """Bridge, tip, wings and nostrils."""
    tip = -looks.nose_long
    wide, out = looks.nose_wide, looks.nose_out
    along = np.clip((0.22 - y) / (0.22 - tip), 0, 1)
    height = looks.bridge * smooth(0.0, 0.3, along) * (1 - along) + out * 0.62 * along**1.4
    height += looks.hump * ridge(along - 0.45, 0.16)
    height *= smooth(tip - 0.2, tip + 0.04, y)
    width = (0.09 + 0.085 * along) * (0.6 + 0.4 * wide)
    side = np.abs(x)
    total = height * np.exp(-0.5 * (np.abs(x) / width) ** 2)
    total += 0.12 * out / 0.33 * bump(x, y, (0, tip - 0.02), (0.1 * wide**0.5, 0.085))
    wing = bump(side, y, (0.185 * wide, tip - 0.07), (0.07 * (0.5 + 0.5 * wide), 0.075))
    total += 0.13 * (0.6 + 0.4 * wide) * wing
    total -= 0.03 * bump(side, y, (0.085 * wide, tip - 0.135), (0.045 * wide, 0.028))
    total -= 0.02 * bump(side, y, (0.29 * wide, tip - 0.02), (0.04, 0.08))
    return np.asarray(total, np.float32)


def _mouth(looks: Looks, features: Features, x: Floats, y: Floats) -> Floats:
    """The mound around the mouth, lips, the hollows above and below them, chin and beard."""
    top, upper, lower, bottom = features.lips(x)
    _, middle, arc = features.mouth_line(x)
    total = 0.1 * bump(x, y, (0, features.mouth_y - 0.02), (0.38, 0.26))
    in_upper = np.clip((y - upper) / np.maximum(top - upper, 1e-3), 0, 1)
    in_lower = np.clip((lower - y) / np.maximum(lower - bottom, 1e-3), 0, 1)
    up = np.where(y >= upper, np.sin(np.pi * np.clip(in_upper * 0.75 + 0.25, 0, 1)), 0)
    low = np.where(y <= lower, np.sin(np.pi * np.clip(in_lower * 0.8 + 0.2, 0, 1)), 0)
    soft = np.sqrt(arc)
    total += soft * (up * (0.02 + 0.45 * looks.upper) + low * (0.02 + 0.5 * looks.lower))
    total -= 0.03 * ridge(y - middle, 0.022 + features.gap * 0.4) * smooth(1.15, 0.8, np.abs(x / features.mouth_half))
    total -= 0.018 * bump(x, y, (0, features.mouth_y + looks.upper + 0.12), (0.035, 0.07))
    total -= 0.05 * bump(x, y, (0, features.mouth_y - looks.lower - features.gap - 0.1), (0.2, 0.06))
    total -= 0.025 * bump(
        np.abs(x), y, (features.mouth_half + 0.05, features.mouth_y + features.lift * 0.65), (0.05, 0.06)
    )
    chin = -1.33 * looks.long
    total += (0.05 + looks.chin_out) * bump(x, y, (0, chin), (0.15 + 0.22 * looks.chin, 0.15))
    hair = {"full": 0.13, "short": 0.05, "goatee": 0.05}.get(looks.beard, 0.0)
    wide = 0.25 if looks.beard == "goatee" else 0.6
    total += hair * bump(x, y, (0, chin + 0.05), (wide, 0.22))
    if looks.beard in ("moustache", "full", "goatee"):
        over = ridge(y - (features.mouth_y + looks.upper + 0.07 - 0.25 * x * x), 0.045)
        total += 0.05 * over * smooth(0.42, 0.3, np.abs(x))
    return np.asarray(total, np.float32)
