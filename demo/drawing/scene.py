"""One portrait: solids traced, lit, put in front of each other, reduced to pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.drawing import backdrop
from demo.drawing.body import Body
from demo.drawing.glasses import draw_glasses
from demo.drawing.hair import Hair
from demo.drawing.head import Head
from demo.drawing.looks import Light, Looks, Shot
from demo.drawing.maths import Floats, mix, rotation, smooth, to_srgb, unit
from demo.drawing.paint import FacePainter
from demo.drawing.solids import FAR, Hits, View, shade_cast, trace

FINE = 2
"""Rays per pixel, in each direction."""

_PIVOT = np.array([0.0, -1.0, -0.35], np.float32)
_HEAD = 3.0  # height of an average head, head units


class Lamp:
    """A `Light` as vectors and colours.

    Args:
        light: the light.
    """

    def __init__(self, light: Light) -> None:
        side, height = np.radians(light.side), np.radians(light.height)
        self.towards = np.array(
            [np.sin(side) * np.cos(height), np.sin(height), np.cos(side) * np.cos(height)], np.float32
        )
        warm = np.array([1 + 0.16 * light.warmth, 1.0, 1 - 0.28 * light.warmth], np.float32)
        self.main = warm * np.float32(1.08 * light.strength)
        self.around = np.array([0.94, 0.98, 1.05], np.float32) * np.float32(light.ambient)
        self.rim = np.float32(light.rim)
        self.half = unit(self.towards + np.array([0, 0, 1], np.float32))
        behind = np.array([-np.sign(light.side or 1) * 0.8, 0.45, -0.4], np.float32)
        self.behind = unit(behind)

    def shine(self, colour: Floats, normals: Floats, skin: Floats, gloss: Floats, dim: Floats, clear: Floats) -> Floats:
        """Light that leaves K points towards the viewer.

        Args:
            colour: float32 [K, 3].
            normals: float32 [K, 3], camera coordinates.
            skin, gloss, dim: float32 [K], as in `paint.Surface`.
            clear: float32 [K], share of the main light that arrives.

        Returns:
            float32 [K, 3], linear.
        """
        facing = normals @ self.towards
        wrap = np.array([0.42, 0.22, 0.14], np.float32) * skin[:, None] + 0.04
        direct = np.clip((facing[:, None] + wrap) / (1 + wrap), 0, 1) ** 1.15
        open_ = clear[:, None] ** (1 - 0.35 * skin[:, None] * np.array([1, 0.2, 0], np.float32))
        sky = 0.72 + 0.28 * normals[:, 1:2]
        light = self.main * direct * open_ + self.around * sky * dim[:, None] * (0.75 + 0.25 * normals[:, 2:3])
        shiny = np.clip(normals @ self.half, 0, 1)
        light_out = colour * light
        light_out += (gloss * (0.5 * shiny**36 + 0.28 * shiny**9) * clear)[:, None] * self.main * 0.5
        edge = np.clip(1 - normals[:, 2], 0, 1) ** 2.5 * np.clip(normals @ self.behind + 0.2, 0, 1)
        return np.asarray(light_out + (edge * self.rim * 0.9)[:, None] * (colour * 0.7 + 0.12), np.float32)


class Canvas:
    """Colour and depth of every ray of a portrait.

    Args:
        looks: who.
        shot: the photo.
    """

    def __init__(self, looks: Looks, shot: Shot) -> None:
        self.looks, self.shot = looks, shot
        width, height = shot.size[0] * FINE, shot.size[1] * FINE
        least = min(width, height)
        scale = least * shot.head / _HEAD
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5)
        u, v = (columns.ravel() - width / 2) / least, (height / 2 - rows.ravel()) / least
        self.x = ((u - shot.place[0]) * least / scale).astype(np.float32)
        self.y = ((v - shot.place[1]) * least / scale - 0.1).astype(np.float32)
        self.pixel = float(1 / scale)
        self.shape = (height, width)
        self.colour = backdrop.paint(shot.scene, shot.scene_seed, u.astype(np.float32), v.astype(np.float32))
        self.colour = self.colour * np.float32(0.35 + 0.5 * shot.light.ambient + 0.35 * shot.light.strength)
        self.depth = np.full(len(self.x), FAR, np.float32)
        self.lamp = Lamp(shot.light)
        self.head_view = View(rotation(shot.turn, shot.tilt, shot.roll), _PIVOT, np.zeros(3, np.float32))
        raised = np.array([0, 0.24, 0], np.float32)  # a short neck looks kinder
        self.body_view = View(rotation(shot.turn * 0.35, 0, shot.roll * 0.15), _PIVOT, raised)
        self.head = Head(looks, shot.expression)
        self.hairs = Hair.of(self.head, looks)
        self.head.ears_show = all(hair.above_ears() for hair in self.hairs)

    def near_head(self, reach: float) -> NDArray[np.bool_]:
        """Rays that pass the head within `reach`."""
        return np.asarray(self.x**2 + self.y**2 < reach * reach)

    def cast(self, points: Floats, normals: Floats) -> Floats:
        """Share of the main light at camera points [3, K] that head and hair's cover let through."""
        start = self.head_view.inside(points + 0.03 * normals.T)
        towards = np.asarray(self.head_view.turn.T @ self.lamp.towards, np.float32)
        return shade_cast(self.head.skull, start, towards)

    def put(self, hits: Hits, colour: Floats, cover: Floats | None = None) -> None:
        """Lay traced points over what is there, where they are nearer."""
        near = hits.depth < self.depth[hits.index]
        index = hits.index[near]
        if cover is None:
            self.colour[index] = colour[near]
            self.depth[index] = hits.depth[near]
            return
        self.colour[index] = mix(self.colour[index], colour[near], cover[near])
        solid = cover[near] > 0.5
        self.depth[index[solid]] = hits.depth[near][solid]


def render(looks: Looks, shot: Shot) -> NDArray[np.uint8]:
    """Draw a portrait.

    Args:
        looks: who.
        shot: the photo.

    Returns:
        uint8 [H, W, 3] RGB, of `shot.size`.
    """
    canvas = Canvas(looks, shot)
    _add_body(canvas)
    _add_head(canvas)
    for hair in canvas.hairs:
        _add_hair(canvas, hair)
    if looks.glasses:
        draw_glasses(canvas.colour, canvas.depth, canvas.head, canvas.head_view, canvas.x, canvas.y, canvas.pixel)
    return _develop(canvas)


def _add_body(canvas: Canvas) -> None:
    shot = canvas.shot
    body = Body(canvas.looks, shot.clothes, shot.cloth)
    hits = trace(body.field, canvas.body_view, canvas.x, canvas.y, canvas.y < -0.3)
    colour, skin = body.paint(hits.points, canvas.pixel)
    camera = canvas.body_view.outside(hits.points)
    clear = canvas.cast(camera, hits.normals)
    local = canvas.head_view.inside(camera)
    below = canvas.head.skull(*local)
    dim = np.asarray(0.45 + 0.55 * smooth(0.0, 0.75, below), np.float32)
    if canvas.hairs and any(h.style.falls is not None for h in canvas.hairs):
        dim = dim * (0.75 + 0.25 * smooth(0.4, 1.2, np.abs(local[0])))
    lit = canvas.lamp.shine(colour, hits.normals, skin, 0.12 * skin + 0.02, dim, clear * (0.5 + 0.5 * dim))
    canvas.put(hits, lit)


def _add_head(canvas: Canvas) -> None:
    shot, looks = canvas.shot, canvas.looks
    hits = trace(canvas.head.field, canvas.head_view, canvas.x, canvas.y, canvas.near_head(2.1))
    look = (shot.expression.look[0] * 0.3 - shot.turn * 0.009, shot.expression.look[1] * 0.2 - shot.tilt * 0.006)
    spark = float(-0.16 * np.sign(canvas.lamp.towards[0] or 1))
    painter = FacePainter(canvas.head, looks, shot.expression, look, spark, canvas.pixel)
    surface = painter.paint(hits.points)
    x, y, z = hits.points
    ear = smooth(0.0, 0.02, canvas.head.skull(x, y, z))
    dim = surface.dim * (1 - 0.35 * ear * smooth(0.05, -0.03, canvas.head.ears(x * 1.06, y, z)))
    for hair in canvas.hairs:
        angle = np.abs(np.degrees(np.arctan2(x, z + 0.2)) - hair.style.skew).astype(np.float32)
        dim = dim * (0.68 + 0.32 * smooth(0.03, -0.22, y - hair.line(angle)))
    camera = canvas.head_view.outside(hits.points)
    clear = 0.3 + 0.7 * canvas.cast(camera, hits.normals)  # a nose's shadow stays soft
    lit = canvas.lamp.shine(
        surface.colour, hits.normals, surface.skin, surface.gloss, np.asarray(dim, np.float32), clear
    )
    canvas.put(hits, lit)


def _add_hair(canvas: Canvas, hair: Hair) -> None:
    reach = 3.6 if hair.style.falls is not None else 2.6
    hits = trace(hair.field, canvas.head_view, canvas.x, canvas.y, canvas.near_head(reach), 0.03)
    if not len(hits.index):
        return
    inward = np.asarray(hits.normals @ canvas.head_view.turn, np.float32)
    colour, along, light = hair.paint(hits.points, inward)
    strands = np.asarray(along @ canvas.head_view.turn.T, np.float32)
    cast = hits.normals @ canvas.lamp.towards
    lit = canvas.lamp.shine(
        colour, hits.normals, np.full_like(light, 0.25), np.zeros_like(light), light, smooth(-0.5, 0.25, cast)
    )
    if not hair.worn:
        across = np.clip(1 - (strands @ canvas.lamp.half) ** 2, 0, 1)
        sheen = (across**24 * 0.55 + across**6 * 0.14) * smooth(-0.1, 0.5, cast) * hair.style.strand
        tint = colour * 0.9 + np.array([0.05, 0.045, 0.04], np.float32)
        lit = lit + (sheen * light)[:, None] * tint * canvas.lamp.main * 0.85
    # Where hair ends its surface has a step with slopes that mean nothing: no bright specks from there.
    lit = np.minimum(lit, colour * 2.2 + 0.06)
    cover = hair.coverage(hits.points, canvas.pixel)
    ends = hair.style.falls if hair.style.falls is not None else 0.1 if hair.style.sides > 0.14 else None
    if ends is not None and not hair.worn:  # hair seen from inside, behind the neck or beside the forehead
        empty = canvas.depth[hits.index] >= FAR
        inner = empty & (cover < 1) & (hits.points[1] > ends + 0.06)
        canvas.colour[hits.index[inner]] = colour[inner] * (0.22 * canvas.lamp.around + 0.05)
    canvas.put(hits, np.asarray(lit, np.float32), cover)


def _develop(canvas: Canvas) -> NDArray[np.uint8]:
    """From light to pixels of the photo's own size."""
    height, width = canvas.shape
    linear = canvas.colour.reshape(height // FINE, FINE, width // FINE, FINE, 3)
    values = to_srgb(np.asarray(linear, np.float32)).mean(axis=(1, 3))
    if canvas.shot.colour < 1:
        grey = values @ np.array([0.3, 0.59, 0.11], np.float32)
        values = grey[..., None] * (1 - canvas.shot.colour) + values * canvas.shot.colour
    return np.asarray(np.clip(values * 255 + 0.5, 0, 255), np.uint8)


def render_image(looks: Looks, shot: Shot) -> Image.Image:
    """`render` as a Pillow image."""
    return Image.fromarray(render(looks, shot))
