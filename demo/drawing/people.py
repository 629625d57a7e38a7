"""The people of the demo: "me", forty others, and three strangers kept for asking. None of them exists.

What tells a person at a glance (age, skin, hair, beard, glasses, hat) is written down here, a line each; the some
twenty numbers that shape a face are drawn at random from the person's seed, about a mean for men and one for women.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from demo.drawing.looks import Looks

SKINS = {
    "porcelain": ("eac6b2", "bd6c66"), "fair": ("eabfa4", "bb6a60"), "rosy": ("e8b096", "b85f58"),
    "beige": ("dfae88", "b0625a"), "olive": ("cc9a70", "a55f52"), "tan": ("bd8659", "9c5548"),
    "brown": ("9a6440", "8a4a40"), "dark": ("734529", "743c36"), "deep": ("54301e", "5f302c"),
}  # fmt: skip
"""Skin and lip colours by name."""

HAIRS = {
    "black": "171214", "brown": "3a2418", "chestnut": "5c3420", "auburn": "79361c", "ginger": "b5561e",
    "blond": "c79a56", "fair": "d9bd84", "grey": "8f8b88", "white": "d8d5d0", "pepper": "56514f",
}  # fmt: skip
"""Hair colours by name."""

IRISES = {"brown": "4a2c18", "hazel": "7a5a2c", "green": "5f7a48", "blue": "5a86ad", "grey": "7d8a92", "dark": "2c1a12"}
"""Eye colours by name."""

# Mean and spread of each number, for men and for women.
_SHAPES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "wide": ((1.0, 0.045), (0.97, 0.045)),
    "long": ((1.02, 0.04), (0.98, 0.04)),
    "jaw": ((0.95, 0.07), (0.83, 0.07)),
    "chin": ((0.6, 0.1), (0.46, 0.08)),
    "chin_out": ((0.1, 0.04), (0.07, 0.03)),
    "cheek": ((0.05, 0.03), (0.07, 0.03)),
    "bone": ((0.04, 0.03), (0.05, 0.03)),
    "ridge": ((0.06, 0.025), (0.02, 0.015)),
    "spacing": ((0.42, 0.025), (0.42, 0.025)),
    "eye": ((0.23, 0.014), (0.252, 0.015)),
    "open": ((0.5, 0.07), (0.56, 0.07)),
    "slant": ((0.02, 0.05), (0.05, 0.05)),
    "lid": ((0.22, 0.1), (0.3, 0.1)),
    "brow_at": ((0.3, 0.025), (0.34, 0.025)),
    "brow": ((1.15, 0.25), (0.75, 0.18)),
    "arch": ((0.025, 0.02), (0.05, 0.025)),
    "brow_tilt": ((0.016, 0.02), (0.008, 0.02)),
    "nose_long": ((0.52, 0.04), (0.48, 0.04)),
    "nose_wide": ((1.08, 0.14), (0.92, 0.12)),
    "nose_out": ((0.32, 0.04), (0.27, 0.035)),
    "bridge": ((0.12, 0.04), (0.08, 0.035)),
    "hump": ((0.015, 0.025), (0.0, 0.015)),
    "mouth_at": ((0.94, 0.035), (0.91, 0.035)),
    "mouth": ((0.375, 0.03), (0.355, 0.03)),
    "upper": ((0.056, 0.015), (0.074, 0.015)),
    "lower": ((0.083, 0.018), (0.1, 0.018)),
    "ear": ((1.05, 0.1), (0.95, 0.08)),
    "neck": ((0.6, 0.04), (0.48, 0.03)),
    "build": ((1.08, 0.07), (0.92, 0.06)),
}


def make(seed: int, kind: str, age: float, skin: str, hair: str, style: str, iris: str, **more: float | str) -> Looks:
    """A person.

    Args:
        seed: decides the numbers that are not given.
        kind: "man" or "woman"; children are either, with small values given.
        age: 0 (young) to 1 (old).
        skin, hair, iris: names of SKINS, HAIRS and IRISES; hair may be a colour "rrggbb".
        style: a name of hair.STYLES.
        more: any other fields of `Looks`.
    """
    rng = np.random.default_rng(seed)
    column = 0 if kind == "man" else 1
    names = {field.name for field in fields(Looks)}
    shape: dict[str, Any] = {}
    for name, means in _SHAPES.items():
        mean, spread = means[column]
        shape[name] = float(mean + spread * np.clip(rng.normal(), -1.9, 1.9))
    colour = HAIRS.get(hair, hair)
    tone, lips = SKINS[skin]
    brows = colour if hair in ("black", "brown", "grey", "pepper") else _darker(colour, 0.75)
    looks = Looks(
        seed=seed, age=age, skin=tone, lips=lips, hair=colour, brows=brows, style=style, iris=IRISES[iris],
        makeup=0.0 if kind == "man" else 0.35, blush=0.35 if skin in ("dark", "deep") else 0.55, **shape,
    )  # fmt: skip
    unknown = set(more) - names
    if unknown:
        raise ValueError(f"Looks has no {sorted(unknown)}")
    return replace(looks, **more)  # type: ignore[arg-type]  # names and values are those of Looks


def _darker(colour: str, factor: float) -> str:
    """A colour "rrggbb" with each channel multiplied."""
    return "".join(f"{round(int(colour[i : i + 2], 16) * factor):02x}" for i in (0, 2, 4))


def child(seed: int, kind: str, skin: str, hair: str, style: str, iris: str, **more: float | str) -> Looks:
    """A child of about nine: a rounder, shorter face with larger eyes and a small nose."""
    young: dict[str, float | str] = {
        "eye": 0.268, "open": 0.52, "nose_out": 0.2, "bridge": 0.02, "nose_long": 0.43, "nose_wide": 0.85, "long": 0.91,
        "jaw": 0.84, "chin": 0.46, "cheek": 0.11, "ridge": 0.0, "mouth": 0.29, "mouth_at": 0.85, "brow": 0.6,
        "neck": 0.4, "build": 0.72, "makeup": 0.0, "blush": 0.75, "hump": 0.0,
    }  # fmt: skip
    return make(seed, kind, 0.0, skin, hair, style, iris, **{**young, **more})


ME = make(
    700, "woman", 0.15, "rosy", "auburn", "shoulder", "green", freckles=0.75, jaw=0.9, chin=0.52, wide=1.02, long=0.97,
    eye=0.26, open=0.58, slant=0.06, nose_long=0.46, nose_wide=0.95, nose_out=0.27, bridge=0.05, mouth=0.37, upper=0.07,
    lower=0.095, brow=0.85, arch=0.06, brow_at=0.34, cheek=0.1, spacing=0.435,
)  # fmt: skip

OTHERS: tuple[Looks, ...] = (
    make(101, "man", 0.35, "fair", "brown", "short", "blue", beard="stubble"),
    make(102, "woman", 0.2, "deep", "black", "afro", "dark"),
    make(103, "man", 0.9, "rosy", "white", "ring", "grey", beard="full", glasses="round", frame="6a4a2c"),
    make(104, "woman", 0.3, "beige", "black", "long", "dark", slant=0.13, lid=0.08, bridge=0.03, open=0.38),
    make(105, "man", 0.25, "dark", "black", "fade", "dark", nose_wide=1.3, lower=0.115, upper=0.085, beard="goatee"),
    make(106, "woman", 0.85, "fair", "white", "bob", "blue", glasses="thin", frame="8a3a4a"),
    make(107, "man", 0.4, "tan", "black", "parted", "brown", beard="moustache"),
    make(108, "woman", 0.1, "porcelain", "fair", "long fringe", "blue"),
    make(109, "man", 0.3, "olive", "black", "short", "dark", beard="full", hat="turban", cloth="b0562c"),
    make(110, "woman", 0.3, "olive", "black", "long", "brown", hat="scarf", cloth="4d6f84"),
    child(111, "man", "fair", "blond", "bowl", "blue", freckles=0.5),
    make(112, "woman", 0.5, "brown", "black", "low bun", "dark", glasses="square", frame="3a1f1a"),
    make(113, "man", 0.6, "fair", "pepper", "receding", "hazel"),
    make(114, "woman", 0.25, "tan", "brown", "wavy", "hazel"),
    make(115, "man", 0.15, "beige", "black", "swept", "dark", slant=0.11, lid=0.06, bridge=0.04, open=0.36),
    make(116, "woman", 0.2, "dark", "black", "bun", "dark", lower=0.12, upper=0.09, nose_wide=1.15),
    make(117, "man", 0.45, "rosy", "ginger", "short", "green", beard="short", freckles=0.5),
    make(118, "woman", 0.55, "beige", "chestnut", "bob fringe", "brown"),
    make(119, "man", 0.75, "deep", "grey", "buzz", "dark", beard="moustache", nose_wide=1.25, lower=0.11),
    child(120, "woman", "brown", "black", "tails", "dark", lower=0.1, nose_wide=1.0),
    make(121, "woman", 0.4, "fair", "blond", "long side", "grey"),
    make(122, "man", 0.2, "brown", "black", "curly short", "brown"),
    make(123, "man", 0.55, "fair", "brown", "bald", "blue", beard="short"),
    make(124, "woman", 0.7, "tan", "grey", "shoulder", "brown"),
    make(125, "man", 0.3, "porcelain", "blond", "parted", "blue", glasses="square", frame="1d1d22"),
    make(126, "woman", 0.15, "beige", "black", "bob fringe", "dark", slant=0.14, lid=0.05, bridge=0.02, open=0.37),
    make(127, "man", 0.8, "tan", "white", "short", "dark", beard="moustache"),
    make(128, "woman", 0.25, "rosy", "ginger", "curly long", "blue", freckles=0.8),
    make(129, "man", 0.25, "dark", "black", "crop curls", "brown", glasses="round", frame="2a2622"),
    make(130, "woman", 0.35, "brown", "black", "curly long", "brown", lower=0.11),
    child(131, "man", "beige", "black", "short", "dark", slant=0.11, lid=0.08),
    make(132, "man", 0.35, "olive", "brown", "long", "hazel", beard="short"),
    make(133, "woman", 0.45, "porcelain", "black", "behind ears", "green"),
    make(134, "man", 0.5, "rosy", "blond", "short", "blue", hat="beanie", cloth="8c3b3b", beard="stubble"),
    make(135, "woman", 0.9, "brown", "white", "low bun", "dark"),
    child(136, "woman", "rosy", "auburn", "long fringe", "green", freckles=0.9),
    make(137, "man", 0.45, "deep", "black", "bald", "dark", nose_wide=1.3, lower=0.115, upper=0.085),
    make(138, "woman", 0.25, "olive", "brown", "behind ears", "brown", hat="beanie", cloth="d0a23c"),
    make(139, "man", 0.65, "beige", "grey", "swept", "grey", glasses="thin", frame="55585c"),
    make(140, "woman", 0.3, "tan", "black", "long side", "dark", glasses="round", frame="7a2f3a"),
)
"""The people of not_me, in the order of their folders."""

STRANGERS: tuple[Looks, ...] = (
    make(201, "man", 0.3, "olive", "black", "curly short", "brown", beard="short"),
    make(202, "woman", 0.55, "olive", "chestnut", "wavy", "brown", glasses="thin", frame="4a3a5a"),
    make(203, "man", 0.7, "dark", "pepper", "receding", "dark", beard="goatee", glasses="square"),
)
"""People who are in no folder that anything is learnt from."""
