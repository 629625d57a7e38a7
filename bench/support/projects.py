"""Projects drawn from many people: one is enrolled, some others are given as not_me, and strangers are asked about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.files.dataset import Dataset

EVERYBODY = 10_000
"""As a number of strangers: more people than LFW has."""

LEAST_ASKED = 3
"""Photos of a person that are left to ask about."""


@dataclass
class Project:
    """One person enrolled: row numbers of photos in and photos asked about."""

    me: NDArray[np.int64]
    others: NDArray[np.int64]
    asked: NDArray[np.int64]
    strangers: NDArray[np.int64]

    def within(self, rows: NDArray[np.int64]) -> Project:
        """The same of a larger table, in which the rows that this one numbers are `rows`."""
        return Project(*(rows[part] for part in (self.me, self.others, self.asked, self.strangers)))

    def dataset(self, embeddings: NDArray[np.float32], names: NDArray[np.str_]) -> Dataset:
        """What goes in: each photo of me a group of its own, all photos of another person one."""
        inside = np.concatenate([self.me, self.others])
        labels = (np.arange(len(inside)) < len(self.me)).astype(np.int64)
        others = len(self.me) + np.unique(names[self.others], return_inverse=True)[1]
        groups = np.concatenate([np.arange(len(self.me)), others]).astype(np.int64)
        return Dataset(embeddings[inside], labels, groups)


def draw_projects(
    names: NDArray[np.str_],
    enrolled: int,
    others: int,
    strangers: int,
    draws: int,
    limit: int | None,
    seed: int,
    of: Collection[str] | None = None,
    others_from: Collection[str] = (),
    least_asked: int = LEAST_ASKED,
) -> list[Project]:
    """Projects for every person with photos enough, `draws` times with other photos.

    Args:
        names: [N], who is on each row.
        enrolled: photos of the person that go in.
        others: people that go in, a photo each.
        strangers: people asked about, a photo each.
        draws: projects for each person.
        limit: of people; None takes all.
        seed: of the choice.
        of: people who may be enrolled; None: all.
        others_from: people who come first where others are chosen.
        least_asked: photos of the person that must be left to ask about.
    """
    generator = np.random.default_rng(seed)
    rows = {name: np.flatnonzero(names == name) for name in np.unique(names)}
    able = [name for name, own in rows.items() if len(own) >= enrolled + least_asked and (of is None or name in of)]
    projects = []
    for name in able[:limit] * draws:
        own = generator.permutation(rows[name])
        rest = generator.permutation([other for other in rows if other != name])
        rest = rest[np.argsort([other not in others_from for other in rest], kind="stable")]
        photos = np.array([generator.choice(rows[other]) for other in rest[: others + strangers]])
        projects.append(Project(own[:enrolled], photos[:others], own[enrolled:], photos[others:]))
    return projects
