"""Glasses, laid over a finished face."""

from __future__ import annotations

import numpy as np

from demo.drawing.head import Head
from demo.drawing.maths import Floats, mix, rgb, smooth
from demo.drawing.solids import View

_SHAPES = {"round": (0.265, 0.25, 2.0), "square": (0.285, 0.215, 4.5), "thin": (0.27, 0.19, 3.0)}
"""Half width, half height and squareness of a lens."""


def draw_glasses(colour: Floats, depth: Floats, head: Head, view: View, x: Floats, y: Floats, pixel: float) -> None:
    """Draw the glasses of a head into a portrait.

    Args:
        colour: float32 [N, 3], changed in place.
        depth: float32 [N], what is nearer than the glasses hides them.
        head: the head, with the looks that name the glasses.
        view: where it stands.
        x, y: float32 [N], camera coordinates of the rays.
        pixel: size of a pixel, head units.
    """
    looks = head.looks
    half_x, half_y, power = _SHAPES[looks.glasses]
    thick = 0.02 if looks.glasses == "thin" else 0.028
    origins, direction = view.rays(x, y)
    at = _front(head) + 0.03
    along = (at - origins[2]) / direction[2]
    px, py = origins[0] + along * direction[0], origins[1] + along * direction[1] + 0.03
    side = np.abs(px)
    middle = looks.spacing + 0.03
    size = (np.abs((side - middle) / half_x) ** power + np.abs(py / half_y) ** power) ** (1 / power)
    distance = np.abs(size - 1) * min(half_x, half_y)
    rim = smooth(thick + pixel, thick - pixel, distance)
    bridge = smooth(thick + pixel, thick - pixel, np.abs(py - 0.09 + 0.9 * px * px)) * (side < middle - half_x + 0.02)
    visible = (along < depth).astype(np.float32)
    inside = smooth(1.02, 0.98, size) * visible
    glare = smooth(0.1, 0.0, np.abs(px * 0.8 + py - 0.18 - 0.25 * np.sign(px))) * 0.07 + 0.03
    colour[:] = mix(colour, np.full_like(colour, 1.0), inside * glare)
    shade = rgb(looks.frame)
    _lay(colour, shade * (0.8 + 0.5 * smooth(-0.2, 0.25, py))[:, None], np.maximum(rim, bridge) * visible)
    outer = middle + half_x
    for sign in (-1, 1):
        # From the lens outwards to the ear: the plane x = sign · (outer + splay · (at − z)).
        splay = (1.03 * looks.wide - outer) / (at + 0.1)
        steep = direction[0] + sign * splay * direction[2]
        if abs(float(steep)) < 0.02:
            continue
        reach = (sign * (outer + splay * (at - origins[2])) - origins[0]) / steep
        pz, height = origins[2] + reach * direction[2], origins[1] + reach * direction[1]
        arm = smooth(0.03 + pixel, 0.03 - pixel, np.abs(height - 0.06)) * ((pz > -0.1) & (pz < at) & (reach > 0))
        _lay(colour, np.broadcast_to(shade, colour.shape), arm * (reach < depth + 0.14))


def _front(head: Head) -> float:
    """How far forward the bridge of the nose reaches at the height of the eyes."""
    zero = np.zeros(1, np.float32)
    return float((head.front(zero) + head.relief(zero, zero))[0])


def _lay(colour: Floats, shade: Floats, share: Floats) -> None:
    colour[:] = mix(colour, np.asarray(shade, np.float32), np.asarray(share, np.float32))
