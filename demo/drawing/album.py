"""Which photos there are: who is on each, how it is taken, and how it is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demo.drawing.backdrop import SCENES
from demo.drawing.body import CLOTHES
from demo.drawing.looks import Expression, Light, Looks, Shot
from demo.drawing.people import ME, OTHERS, STRANGERS

_CLOTHS = (
    "3f5f7f", "7d3b3b", "4f6b4a", "c9b28a", "2f3440", "8a6a9a", "d8d2c6", "b0643c", "3c7a78", "a33f5a", "6b7480",
    "d0a23c",
)  # fmt: skip
_SIZES = ((360, 360), (320, 400), (300, 300), (330, 420), (400, 400), (340, 340))
_MORE_THAN_ONCE = {3: 3, 7: 2, 13: 2, 19: 2, 25: 2, 31: 2, 37: 3}
"""Photos of a person, by number, where there are several."""

_RETAKEN = {"not_me/person_19/2": 1, "not_me/person_25/1": 1, "me/07": 2, "me/14": 5, "ask/me_1": 51}
"""Photos that were taken anew, and how often: they were too dark or too much from the side for the detector, passed
for a copy of another one, or showed "me" looking down and hard to tell from others."""

_ORIENTATIONS = {"me/05": 6, "me/14": 8, "me/23": 3, "not_me/person_07/1": 6, "not_me/person_22/1": 8, "ask/me_3": 6}
_SUFFIXES = {
    "me/08": ".png", "me/19": ".PNG", "me/11": ".JPG", "me/26": ".jpeg", "not_me/person_04/1": ".png",
    "not_me/person_15/1": ".JPG", "not_me/person_28/1": ".JPEG", "not_me/person_33/1": ".png", "ask/stranger_2": ".png",
}  # fmt: skip
_GREY_FILES = {"me/21", "not_me/person_13/2"}
_UNUSUAL_SIZES = {
    "me/03": (480, 340), "me/17": (640, 480), "me/28": (520, 360), "not_me/person_10/1": (480, 360),
    "not_me/person_36/1": (460, 340), "not_me/person_21/1": (600, 450), "me/08": (240, 280), "me/19": (240, 240),
    "not_me/person_04/1": (240, 280), "not_me/person_33/1": (230, 260), "ask/stranger_2": (260, 300),
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A photo of the album.

    Attributes:
        name: path with suffix, relative to the demo folder.
        looks, shot: what is drawn.
        orientation: EXIF orientation it is stored with: 1, 3, 6 or 8.
        grey_file: stored with one channel.
    """

    name: str
    looks: Looks
    shot: Shot
    orientation: int = 1
    grey_file: bool = False


def _light(rng: np.random.Generator) -> Light:
    return Light(
        side=float(rng.uniform(20, 58) * rng.choice((-1, 1))),
        height=float(rng.uniform(15, 50)),
        strength=float(rng.uniform(0.85, 1.2)),
        ambient=float(rng.uniform(0.36, 0.6)),
        warmth=float(rng.uniform(-0.6, 0.9)),
        rim=float(rng.uniform(0.0, 0.5)),
    )


def _expression(rng: np.random.Generator) -> Expression:
    smile = float(rng.choice((0.05, 0.25, 0.4, 0.6, 0.8, 1.0)))
    gap = float(rng.uniform(0.25, 0.6)) if smile > 0.4 and rng.random() < 0.6 else 0.0
    return Expression(
        smile=smile,
        gap=gap,
        brows=float(rng.uniform(-0.25, 0.6)),
        lids=float(rng.uniform(0.85, 1.1)),
        look=(float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.3, 0.3))),
    )


def shot(seed: int, wild: float = 1.0) -> Shot:
    """A photo taken at random.

    Args:
        seed: which.
        wild: how far pose and place go from the middle, 0 to 1.
    """
    rng = np.random.default_rng(seed)
    head = float(rng.uniform(0.44, 0.64))
    return Shot(
        size=_SIZES[int(rng.integers(len(_SIZES)))],
        head=head,
        place=(float(rng.uniform(-0.09, 0.09) * wild), float(rng.uniform(-0.03, 0.09))),
        turn=float(np.clip(rng.normal(0, 13), -24, 24) * wild),
        tilt=float(np.clip(rng.normal(0, 6), -12, 12) * wild),
        roll=float(np.clip(rng.normal(0, 6), -12, 12) * wild),
        light=_light(rng),
        expression=_expression(rng),
        scene=str(rng.choice(list(SCENES))),
        scene_seed=seed,
        clothes=str(rng.choice(list(CLOTHES))),
        cloth=str(rng.choice(_CLOTHS)),
    )


def _picture(stem: str, looks: Looks, taken: Shot) -> Picture:
    """Put a photo into the album, stored as the tables above say."""
    if stem in _UNUSUAL_SIZES:
        taken = replace(taken, size=_UNUSUAL_SIZES[stem])
    grey = stem in _GREY_FILES
    name = stem + _SUFFIXES.get(stem, ".jpg")
    return Picture(name, looks, taken, _ORIENTATIONS.get(stem, 1), grey)


def _seed(stem: str, first: int) -> int:
    """Seed of a photo: that of the first try, or of the one that it was taken anew with."""
    return first + 1000 * _RETAKEN.get(stem, 0)


def album() -> list[Picture]:
    """All pictures of the demo, in the order of their names."""
    stems = [(f"me/{number:02}", 5000 + number) for number in range(1, 31)]
    pictures = [_picture(stem, ME, shot(_seed(stem, first))) for stem, first in stems]
    for person, looks in enumerate(OTHERS, 1):
        for number in range(1, _MORE_THAN_ONCE.get(person, 1) + 1):
            stem = f"not_me/person_{person:02}/{number}"
            pictures.append(_picture(stem, looks, shot(_seed(stem, 6000 + 10 * person + number))))
    asked = [(f"ask/me_{number}", ME, 7000 + number) for number in range(1, 4)]
    asked += [(f"ask/stranger_{number}", looks, 7100 + number) for number, looks in enumerate(STRANGERS, 1)]
    pictures += [_picture(stem, looks, shot(_seed(stem, first), 0.8)) for stem, looks, first in asked]
    return pictures
