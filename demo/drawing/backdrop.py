"""What is behind a person, out of focus."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demo.drawing.maths import Floats, Noise, mix, rgb, smooth

Painter = Callable[[Floats, Floats, Noise, np.random.Generator], Floats]


def _flat(x: Floats, colour: Floats) -> Floats:
    return np.repeat(colour[None], len(x), axis=0)


def _studio(x: Floats, y: Floats, noise: Noise, rng: np.random.Generator) -> Floats:
    colour = rgb(str(rng.choice(["7f8fa0", "a59a8b", "6b7a6d", "b9a5a0", "55606e", "c4bfb4", "8a7d94"])))
    at = rng.uniform(-0.4, 0.4, 2)
    glow = np.exp(-2.2 * ((x - at[0]) ** 2 + (y - at[1]) ** 2))
    shade = 0.62 + 0.55 * glow + 0.05 * noise.cloud(x * 3, y * 3)
    return np.asarray(_flat(x, colour) * shade[:, None], np.float32)


def _wall(x: Floats, y: Floats, noise: Noise, rng: np.random.Generator) -> Floats:
    colour = rgb(str(rng.choice(["d8c8ae", "b7c7c4", "d9b6a2", "c9cfd8", "cfc3d3", "e2d9c8"])))
    edge = rng.uniform(-0.5, 0.5)
    shade = 0.8 + 0.2 * smooth(edge - 0.5, edge + 0.5, x) + 0.04 * noise.cloud(x * 4, y * 4)
    picture = smooth(0.02, -0.02, np.maximum(np.abs(x - edge - 0.55) - 0.17, np.abs(y - 0.25) - 0.2))
    frame = mix(_flat(x, colour) * shade[:, None], _flat(x, rgb("6a5844")), picture * 0.8)
    inner = smooth(0.02, -0.02, np.maximum(np.abs(x - edge - 0.55) - 0.14, np.abs(y - 0.25) - 0.17))
    return mix(frame, _flat(x, rgb("cfd6cf")), inner * 0.8)


def _garden(x: Floats, y: Floats, noise: Noise, rng: np.random.Generator) -> Floats:
    leaves = noise.cloud(x * 5, y * 5)
    colour = mix(_flat(x, rgb("3e5d33")), _flat(x, rgb("a9bf6b")), smooth(-0.6, 0.9, leaves))
    sky = smooth(0.1, 0.7, y + 0.25 * noise.plane(x * 4 + 7, y * 4))
    colour = mix(colour, _flat(x, rgb("d5e4ea")), sky * rng.uniform(0.2, 0.9))
    return _lights(x, y, colour, rng, ["d9e79a", "f3f0c4", "7f9f55"], 14)


def _town(x: Floats, y: Floats, noise: Noise, rng: np.random.Generator) -> Floats:
    y = y + 0.01 * noise.plane(x * 3, y * 3)
    block = np.floor((x + rng.uniform(0, 1)) * 4)
    height = 0.25 * np.sin(block * 12.9898) + 0.15
    houses = _flat(x, rgb("8d7b6d")) * (0.8 + 0.25 * np.sin(block * 4.1))[:, None]
    colour = mix(np.asarray(houses, np.float32), _flat(x, rgb("c3d3e2")), smooth(-0.12, 0.12, y - height))
    return _lights(x, y, colour, rng, ["f2d8a0", "e9b98a", "cfd9e6"], 10)


def _evening(x: Floats, y: Floats, noise: Noise, rng: np.random.Generator) -> Floats:
    colour = mix(
        _flat(x, rgb("2b2536")), _flat(x, rgb("6b4a44")), smooth(0.5, -0.6, y + 0.1 * noise.plane(x * 3, y * 3))
    )
    return _lights(x, y, colour, rng, ["f0b25a", "e5784a", "7fa2d8", "f3dc9b"], 22)


def _sea(x: Floats, y: Floats, noise: Noise, rng: np.random.Generator) -> Floats:
    level = rng.uniform(-0.15, 0.1)
    sky = mix(_flat(x, rgb("e8eef0")), _flat(x, rgb("86b2d4")), smooth(level, 0.7, y))
    water = _flat(x, rgb("4d8597")) * (1 + 0.15 * noise.cloud(x * 2, y * 22))[:, None]
    colour = mix(np.asarray(water, np.float32), sky, smooth(-0.02, 0.02, y - level))
    return mix(colour, _flat(x, rgb("dccaa2")), smooth(0.08, -0.08, y - level + 0.42 + 0.08 * noise.plane(x * 2, y)))


def _books(x: Floats, y: Floats, noise: Noise, rng: np.random.Generator) -> Floats:
    shelf = np.floor((y + rng.uniform(0, 1)) * 2.6)
    book = np.floor((x + 0.37 * shelf) * 15 + 0.6 * noise.plane(x * 8, shelf))
    palette = np.stack([rgb(c) for c in ("7a3b34", "3f5a6b", "b08d4f", "55684a", "8a7a6a", "caa98a", "4a3d55")])
    pick = np.mod(np.abs(np.floor(np.sin(book * 12.9898 + shelf * 78.233) * 43758)), len(palette)).astype(np.int64)
    inside = np.mod((y + rng.uniform(0, 0.1)) * 2.6, 1)
    colour = palette[pick] * (0.75 + 0.2 * noise.plane(book, shelf))[:, None]
    return mix(np.asarray(colour, np.float32), _flat(x, rgb("4a3526")), smooth(0.16, 0.1, inside))


def _lights(x: Floats, y: Floats, colour: Floats, rng: np.random.Generator, colours: list[str], count: int) -> Floats:
    """Discs of light out of focus, over a background."""
    for _ in range(count):
        at = rng.uniform(-0.8, 0.8, 2)
        radius = rng.uniform(0.03, 0.11)
        disc = smooth(radius, radius * 0.8, np.sqrt((x - at[0]) ** 2 + (y - at[1]) ** 2))
        colour = mix(colour, _flat(x, rgb(str(rng.choice(colours)))), disc * np.float32(rng.uniform(0.15, 0.5)))
    return colour


SCENES: dict[str, Painter] = {
    "studio": _studio, "wall": _wall, "garden": _garden, "town": _town, "evening": _evening, "sea": _sea,
    "books": _books,
}  # fmt: skip
"""Backgrounds by name."""


def paint(scene: str, seed: int, x: Floats, y: Floats) -> Floats:
    """Colours [N, 3] (linear) of a background.

    Args:
        scene: a name of SCENES.
        seed: which one of that kind.
        x, y: float32 [N], from the photo's middle, in units of its smaller side.
    """
    return SCENES[scene](x, y, Noise(seed + 3000), np.random.default_rng(seed))
