"""A population fitted to one half of the people, and the other half to judge by it, then the other way round.

The population that the project ships is fitted to both halves, so no bench judges with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.support.embeddings import Faces
from bench.support.projects import Project
from faces.fit_population import fit_population
from faces.population import Population


@dataclass(frozen=True)
class Half:
    """One half of the people, and what is known of the other.

    Attributes:
        rows: int64 [n], the faces of the people to judge by.
        names: [n], who is on each.
        population: fitted to the other half; it knows none of these people.
    """

    rows: NDArray[np.int64]
    names: NDArray[np.str_]
    population: Population

    def place(self, projects: Iterable[Project]) -> list[Project]:
        """Projects drawn from `names`, in row numbers of all faces."""
        return [project.within(self.rows) for project in projects]


def halve_people(names: NDArray[np.str_], seed: int) -> NDArray[np.bool_]:
    """Whether each of the faces [N] is of somebody in the first half; all photos of a person are in the same."""
    first = np.random.default_rng(seed).permutation(np.unique(names))[::2]
    return np.isin(names, first)


def fit_to(faces: Faces, fitted: NDArray[np.bool_], seed: int) -> Population:
    """A population of the people whose faces, bool [N], are `fitted`."""
    by_person = {str(name): faces.embeddings[fitted & (faces.names == name)] for name in np.unique(faces.names[fitted])}
    return fit_population(by_person, faces.recipe, "one half", seed)


def judged_halves(faces: Faces, seed: int) -> list[Half]:
    """Both halves of the people, each with a population fitted to the other."""
    first = halve_people(faces.names, seed)
    return [
        Half(np.flatnonzero(~fitted), faces.names[~fitted], fit_to(faces, fitted, seed)) for fitted in (first, ~first)
    ]
