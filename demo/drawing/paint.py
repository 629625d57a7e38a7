"""The colours of a face: skin, eyes, brows, lips and beard, painted on the head's surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.drawing.head import Features, Head, lid_height
from demo.drawing.looks import Expression, Looks
from demo.drawing.maths import Floats, Noise, bump, mix, rgb, ridge, smooth


@dataclass
class Surface:
    """What the light meets at K points.

    Attributes:
        colour: float32 [K, 3], linear.
        gloss: float32 [K], strength of highlights.
        skin: float32 [K], 1 where light goes a little into it.
        dim: float32 [K], share of the light from all around that reaches the point.
    """

    colour: Floats
    gloss: Floats
    skin: Floats
    dim: Floats


class FacePainter:
    """Paints one head.

    Args:
        head: the solid.
        looks: whose.
        expression: what the face does.
        look: where the eyes look within the head, (right, up), half eye widths.
        spark: where the light's reflection is in an eye, to the left of the pupil, half eye widths.
        pixel: size of a pixel, head units.
    """

    def __init__(
        self, head: Head, looks: Looks, expression: Expression, look: tuple[float, float], spark: float, pixel: float
    ) -> None:
        self.head = head
        self.features: Features = head.features
        self.looks = looks
        self.expression = expression
        self.look = look
        self.spark = spark
        self.pixel = pixel
        self.noise = Noise(looks.seed)

    def paint(self, points: Floats) -> Surface:
        """The surface at points [3, K] of the head."""
        x, y, z = points
        front = smooth(0.0, 0.25, z)
        colour = self._skin(x, y, z)
        gloss = np.full_like(x, 0.16)
        gloss += 0.14 * bump(x, y, (0, -self.looks.nose_long + 0.05), (0.1, 0.14)) + 0.08 * bump(
            x, y, (0, 0.7), (0.5, 0.2)
        )
        dim = np.clip(1 - 3.2 * np.clip(self.head.hollow(x, y), -0.02, 0.2) * front, 0.35, 1.08)
        surface = Surface(colour, gloss, np.ones_like(x), np.asarray(dim, np.float32))
        self._beard(surface, x, y, z)
        self._lips(surface, x, y, front)
        self._nostrils(surface, x, y, front)
        for side in (-1, 1):
            self._eye(surface, x, y, side, front)
            self._brow(surface, x, y, side, front)
        return surface

    def _skin(self, x: Floats, y: Floats, z: Floats) -> Floats:
        looks, side = self.looks, np.abs(x)
        base = rgb(looks.skin)
        colour = np.repeat(base[None], len(x), axis=0)
        tone = 1 + 0.035 * self.noise.cloud(x * 5, y * 5) + 0.02 * self.noise.plane(x * 40, y * 40)
        red = bump(side, y, (0.55, -0.42), (0.26, 0.2)) + 0.7 * bump(x, y, (0, -looks.nose_long), (0.14, 0.12))
        red += 0.35 * bump(x, y, (0, -1.36), (0.25, 0.12)) + 0.8 * smooth(0.95, 1.05, side) * smooth(
            0.25, -0.1, np.abs(y + 0.1) - 0.2
        )
        flush = base * np.array([1.04, 0.72, 0.68], np.float32)
        colour = mix(colour, np.broadcast_to(flush, colour.shape), np.clip(red, 0, 1) * looks.blush)
        around = bump(side, y, (looks.spacing - 0.05, -0.1), (0.2, 0.1)) * (0.16 + 0.3 * looks.age)
        colour = mix(colour, colour * np.array([0.7, 0.6, 0.62], np.float32), around)
        if looks.freckles:
            spots = self._dots(x, y, 0.05)
            where = bump(side, y, (0.38, -0.33), (0.34, 0.2)) + 0.4 * bump(x, y, (0, 0.5), (0.5, 0.3))
            spots *= np.clip(where, 0, 1) * looks.freckles * smooth(0.1, 0.4, z)
            colour = mix(colour, colour * np.array([0.62, 0.42, 0.3], np.float32), spots)
        colour = mix(colour, colour * np.array([0.6, 0.5, 0.48], np.float32), self._lines(x, y, side))
        if looks.style in ("buzz", "fade"):
            crop = self._cropped_hair(x, y, z)
            grain = 0.75 + 0.25 * self.noise.plane(x * 60, (y + z) * 60)
            colour = mix(
                colour, np.broadcast_to(rgb(looks.hair) * 1.1 + 0.01, colour.shape), np.clip(crop * grain, 0, 1)
            )
        return np.asarray(colour * tone[:, None], np.float32)

    def _dots(self, x: Floats, y: Floats, cell: float) -> Floats:
        """Round dots, one at most in each square of side `cell`, at its own place and of its own size, 0 to 1."""
        i, j = np.floor(x / cell), np.floor(y / cell)
        at_x = (x / cell - i - 0.5) - 0.28 * self.noise.plane(i * 7.0, j * 3.0)
        at_y = (y / cell - j - 0.5) - 0.28 * self.noise.plane(i * 3.0 + 11, j * 5.0)
        radius = 0.16 + 0.2 * self.noise.plane(i * 5.0 + 23, j * 7.0)
        return smooth(0.12, -0.08, np.asarray(np.hypot(at_x, at_y) - radius, np.float32)) * (radius > 0.05)

    def _cropped_hair(self, x: Floats, y: Floats, z: Floats) -> Floats:
        angle = np.degrees(np.arctan2(np.abs(x), z + 0.2))
        line = np.interp(
            angle, [0, 30, 48, 60, 70, 78, 84, 105, 115, 180], [0.9, 0.92, 0.75, 0.5, 0.25, -0.2, 0.2, 0.2, -0.5, -0.9]
        )
        return 0.88 * smooth(-0.05, 0.07, (y - line).astype(np.float32) + 0.03 * self.noise.plane(x * 20, z * 20))

    def _lines(self, x: Floats, y: Floats, side: Floats) -> Floats:
        """Lines of age and of smiling, 0 to 1."""
        looks, smile = self.looks, max(self.expression.smile, 0)
        total = np.zeros_like(x)
        for at in (0.55, 0.68, 0.8):
            wave = at + 0.02 * np.sin(x * 7 + at * 40) - 0.06 * x * x
            total += 0.45 * looks.age**1.5 * ridge(y - wave, 0.012) * smooth(0.55, 0.3, side)
        fold = side - (0.25 + 0.3 * np.clip(-(y + 0.58), 0, 1) * (1 + 0.3 * smile))
        total += (
            (0.04 + 0.2 * smile + 0.35 * looks.age**1.3)
            * ridge(fold, 0.022)
            * smooth(-0.55, -0.68, y)
            * smooth(-1.08, -0.9, y)
        )
        for k in (-1, 0, 1):
            tail = y - 0.02 - k * (0.03 + 0.35 * (side - looks.spacing - looks.eye * 1.1))
            far = side - looks.spacing - looks.eye * 1.15
            total += 0.4 * looks.age * (0.4 + smile) * ridge(tail, 0.01) * smooth(0, 0.03, far) * smooth(0.2, 0.06, far)
        bag = y + 0.21 + looks.eye * 0.2 - 0.4 * (side - looks.spacing) ** 2
        total += 0.4 * looks.age * ridge(bag, 0.014) * ridge(side - looks.spacing, 0.12)
        return np.clip(total, 0, 0.85)

    def _nostrils(self, surface: Surface, x: Floats, y: Floats, front: Floats) -> None:
        looks = self.looks
        side = np.abs(x)
        at = (0.088 * looks.nose_wide, -looks.nose_long - 0.125)
        tilted = y - at[1] + 0.35 * (side - at[0])
        hole = smooth(
            1.25, 0.6, np.sqrt(((side - at[0]) / (0.052 * looks.nose_wide**0.7)) ** 2 + (tilted / 0.026) ** 2)
        )
        dark = rgb(looks.skin) * np.array([0.16, 0.09, 0.08], np.float32)
        self._lay(surface, dark, hole * front * 0.6)
        wing = side - 0.255 * looks.nose_wide
        crease = ridge(wing + 0.35 * (y - at[1] - 0.05) ** 2 * 4, 0.018) * ridge(y - at[1] - 0.06, 0.055)
        self._lay(surface, dark * 2.2, crease * front * 0.16)

    @staticmethod
    def _lay(surface: Surface, colour: Floats, share: Floats, gloss: float | None = None) -> None:
        """Paint a colour over the surface, and its gloss where one is given."""
        surface.colour = mix(surface.colour, np.broadcast_to(colour, surface.colour.shape), share)
        if gloss is not None:
            surface.gloss = np.asarray(surface.gloss * (1 - share) + gloss * share, np.float32)

    def _lips(self, surface: Surface, x: Floats, y: Floats, front: Floats) -> None:
        looks, features, px = self.looks, self.features, self.pixel
        top, upper, lower, bottom = features.lips(x)
        s, middle, _ = features.mouth_line(x)
        within = smooth(1.03, 0.95, np.abs(s)) * front
        soft = 1.5 * px + 0.012
        red = smooth(-soft, soft, top - y) * smooth(-soft * 1.3, soft * 1.3, y - bottom) * within
        colour = rgb(looks.lips) * (1 + 0.08 * self.noise.plane(x * 45, y * 5))[:, None]
        colour *= np.where(y > middle, 0.8, 1.0)[:, None]
        surface.colour = mix(surface.colour, np.asarray(colour, np.float32), red * (0.78 + 0.2 * looks.makeup))
        surface.gloss += red * (0.2 + 0.3 * looks.makeup)
        if features.gap > 0.004:
            self._open_mouth(surface, x, y, upper, lower, within)
        line = ridge(y - np.where(y > middle, upper, lower), 0.011 + 0.4 * px) * smooth(1.06, 0.9, np.abs(s)) * front
        dark = rgb(looks.lips) * np.array([0.25, 0.14, 0.14], np.float32)
        self._lay(surface, dark, line * (0.75 if features.gap < 0.004 else 0.4))
        corner = bump(np.abs(x), y, (features.mouth_half * 1.0, features.mouth_y + features.lift * 0.65), (0.03, 0.025))
        self._lay(surface, dark, 0.5 * corner * front)

    def _open_mouth(self, surface: Surface, x: Floats, y: Floats, upper: Floats, lower: Floats, within: Floats) -> None:
        """The inside of an open mouth, and the upper teeth."""
        px = self.pixel
        inside = smooth(-px, px, upper - y) * smooth(-px, px, y - lower) * within
        self._lay(surface, rgb("4a1c1c"), inside, 0.05)
        edge = upper - np.minimum(0.088, 0.75 * (upper - lower)) + 0.006 * np.abs(np.sin(x * 38))
        teeth = smooth(-px, px, y - edge) * inside * smooth(1.0, 0.75, np.abs(x) / self.features.mouth_half)
        gaps = (
            1
            - 0.14 * ridge(np.abs(np.sin(x * 34)), 0.1)
            - 0.35 * np.clip(np.abs(x) / self.features.mouth_half, 0, 1) ** 2
        )
        surface.colour = mix(surface.colour, np.asarray(rgb("efe6d8") * gaps[:, None], np.float32), teeth)
        surface.gloss = np.asarray(surface.gloss * (1 - teeth) + 0.3 * teeth, np.float32)
        surface.skin = np.asarray(surface.skin * (1 - 0.6 * teeth), np.float32)

    def _eye(self, surface: Surface, x: Floats, y: Floats, side: int, front: Floats) -> None:
        looks, features = self.looks, self.features
        u, v = features.eye(x, y, side)
        near = smooth(1.9, 1.6, np.abs(u)) * front
        if not near.any():
            return
        px = self.pixel / looks.eye
        upper, lower = features.upper_lid(u), features.lower_lid(u)
        opening = smooth(-px, px, upper - v) * smooth(-px, px, v - lower) * smooth(1.04, 0.98, np.abs(u)) * near
        crease = (
            ridge(v - upper - lid_height(looks) * (1 - 0.15 * u * u), 0.05 + px)
            * smooth(1.2, 0.6, np.abs(u - 0.05))
            * near
        )
        self._lay(surface, rgb(looks.skin) * np.array([0.42, 0.3, 0.27], np.float32), 0.55 * crease)
        over = smooth(0, 0.06, v - upper) * smooth(lid_height(looks), lid_height(looks) * 0.6, v - upper) * near
        shadow = rgb(looks.skin) * np.array([0.55, 0.42, 0.44], np.float32)
        self._lay(surface, shadow, over * smooth(1.15, 0.8, np.abs(u)) * (0.16 + 0.4 * looks.makeup))
        self._ball(surface, u, v, upper, opening, side)
        inner = bump(u, v, (-0.95, -0.03), (0.09, 0.1)) * near
        self._lay(surface, rgb("b5736a"), 0.55 * inner * smooth(0.02, -0.3, np.abs(v) - 0.2))
        water = ridge(v - lower + 0.035, 0.04 + 0.5 * px) * smooth(1.02, 0.85, np.abs(u)) * near
        self._lay(surface, shadow, 0.45 * water)
        thick = 0.055 + 0.045 * looks.makeup + 0.02 * smooth(-0.6, 0.9, u)
        lash = smooth(thick + px, thick * 0.4, np.abs(v - upper - thick * 0.35)) * smooth(1.14, 1.0, np.abs(u)) * near
        self._lay(surface, rgb("1a1210"), lash * 0.9, 0.05)
        if looks.makeup > 0.3:
            wing = (
                smooth(0.09, 0.02, np.abs(v - 0.12 - 0.55 * (u - 0.95))) * smooth(0.8, 0.95, u) * smooth(1.32, 1.15, u)
            )
            self._lay(surface, rgb("1a1210"), wing * near * (looks.makeup - 0.2))

    def _ball(self, surface: Surface, u: Floats, v: Floats, upper: Floats, opening: Floats, side: int) -> None:
        """Sclera, iris, pupil and the light's reflection in an eye."""
        px = self.pixel / self.looks.eye
        white = rgb("e0d8ce") * (1 - 0.42 * np.clip(np.abs(u), 0, 1) ** 3)[:, None]
        white = white * (1 - 0.5 * smooth(0.32, 0.0, upper - v))[:, None]
        gaze = np.clip(side * self.look[0], -0.36, 0.36)
        radius = 0.5
        du, dv = u - gaze, v - self.look[1] - 0.02
        r = np.sqrt(du * du + dv * dv) / radius
        angle = np.arctan2(dv, du)
        rays = 0.85 + 0.3 * self.noise.plane(angle * 4 + 9, r * 1.3) + 0.28 * smooth(0.3, -0.5, dv / radius)
        iris = rgb(self.looks.iris) * (rays * (1.15 - 0.45 * smooth(0.7, 1.0, r)))[:, None] * 1.5
        colour = mix(np.asarray(white, np.float32), np.asarray(iris, np.float32), smooth(1 + px, 1 - px * 2.2, r))
        colour = mix(colour, np.broadcast_to(rgb("15100e"), colour.shape), smooth(0.46 + px * 1.5, 0.4 - px, r))
        colour = colour * (1 - 0.55 * smooth(0.2, -0.02, upper - v))[:, None]
        spot = smooth(0.3, 0.14, np.sqrt((u - gaze + side * self.spark) ** 2 + (dv - 0.17) ** 2))
        colour = mix(colour, np.full_like(colour, 1.25), spot * 0.92)
        surface.colour = mix(surface.colour, colour, opening)
        surface.gloss = np.asarray(surface.gloss * (1 - opening) + 0.12 * opening, np.float32)
        surface.skin = np.asarray(surface.skin * (1 - 0.5 * opening), np.float32)
        surface.dim = np.asarray(surface.dim * (1 - opening) + 0.95 * opening, np.float32)

    def _brow(self, surface: Surface, x: Floats, y: Floats, side: int, front: Floats) -> None:
        looks = self.looks
        u, _ = self.features.eye(x, y, side)
        middle = self.features.brow(u)
        half = 0.06 * looks.brow * (0.55 + 0.45 * smooth(1.0, -0.6, u)) * smooth(-1.45, -0.95, u) * smooth(1.75, 0.7, u)
        strands = self.noise.plane(u * 16 + (y - middle) * 30, (y - middle) * 10 + 3 * side)
        inside = smooth(1.15, 0.35, np.abs(y - middle) / np.maximum(half, 1e-3) + 0.28 * strands)
        inside *= smooth(0.004, 0.012, half) * front
        self._lay(surface, rgb(looks.brows), np.clip(inside * (0.82 + 0.2 * strands), 0, 0.95), 0.06)

    def _beard(self, surface: Surface, x: Floats, y: Floats, z: Floats) -> None:
        looks, features = self.looks, self.features
        if not looks.beard:
            return
        side = np.abs(x)
        soft = 1.3 if looks.beard == "stubble" else 0.7
        cheeks = np.interp(side, [0, 0.2, 0.4, 0.6, 0.8, 1.0], [-1.2, -1.02, -0.86, -0.62, -0.4, -0.1])
        ragged = 0.03 * self.noise.plane(x * 25, y * 25)
        jaw = smooth(0.12 * soft, -0.13 * soft, y - cheeks + ragged) * smooth(-0.32, 0.05, z)
        around = np.sqrt((x / (features.mouth_half + 0.13)) ** 2 + ((y - features.mouth_y + 0.1) / 0.36) ** 2)
        goatee = smooth(1.0 + 0.12 * soft, 0.95 - 0.12 * soft, around + 0.05 * self.noise.plane(x * 25, y * 25))
        lip = features.mouth_y + looks.upper + 0.095 - 0.4 * x * x - 0.05 * np.abs(x)
        moustache = smooth(0.085 - 0.06 * side, 0.02, np.abs(y - lip) + 0.012 * self.noise.plane(x * 30, y * 8))
        moustache *= smooth(features.mouth_half + 0.1, features.mouth_half - 0.02, side)
        area = {
            "stubble": 0.3 * np.maximum(jaw, goatee),
            "moustache": moustache,
            "goatee": np.maximum(goatee, moustache),
            "short": 0.9 * np.maximum(jaw, np.maximum(goatee, moustache)),
            "full": np.maximum(jaw, np.maximum(goatee, moustache)),
        }[looks.beard]
        grain = self.noise.plane(x * 34 + y * 6, y * 9) * 0.5 + self.noise.plane(x * 70, y * 25) * 0.5
        colour = np.asarray(rgb(looks.hair) * (1 + 0.45 * grain)[:, None], np.float32)
        surface.colour = mix(surface.colour, colour, np.clip(area * (1 + 0.12 * grain), 0, 0.97))
        surface.gloss = np.asarray(surface.gloss * (1 - 0.7 * area), np.float32)
        surface.dim = np.asarray(surface.dim * (1 + 0.25 * area * grain), np.float32)
