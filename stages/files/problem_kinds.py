"""The kinds of problem that stage quality looks for: their names, how they are sorted and what people call them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Category = Literal["wrong_class", "both_classes", "duplicate", "poor", "several_faces", "other"]


@dataclass(frozen=True)
class ProblemKind:
    """A kind of problem.

    Attributes:
        name: as in data_quality.csv and data_quality.json.
        category: kinds of one category have one colour on the contact sheet.
        es, en: what a report calls cases of it, in Spanish and English.
    """

    name: str
    category: Category
    es: str
    en: str

    @property
    def doubts_the_class(self) -> bool:
        """Whether such a photo may lie in the wrong folder."""
        return self.category in ("wrong_class", "both_classes")

    @property
    def counts_faces(self) -> bool:
        """Whether its cases are faces; if not, they are photos (or persons), each counted once."""
        return self.category == "poor"


PROBLEM_KINDS = (
    ProblemKind(
        "suspected_not_me", "wrong_class",
        "fotos de `me` que quizá no sean de esa persona", "photos in `me` that may not be of that person",
    ),
    ProblemKind(
        "suspected_me", "wrong_class",
        "fotos de `not_me` que quizá sean de `me`", "photos in `not_me` that may be of `me`",
    ),
    ProblemKind(
        "two_people", "wrong_class",
        "fotos de `me` que quizá sean de una segunda persona, o malas para comparar",
        "photos in `me` that may be of a second person, or too poor to compare",
    ),
    ProblemKind("in_both_classes", "both_classes", "fotos en ambas clases", "photos in both classes"),
    ProblemKind("near_duplicate", "duplicate", "casi duplicados", "near-duplicates"),
    ProblemKind("copied_shot", "duplicate", "copias de otra foto", "copies of another photo"),
    ProblemKind("tiny_face", "poor", "caras diminutas", "tiny faces"),
    ProblemKind("blurred", "poor", "caras borrosas", "blurred faces"),
    ProblemKind("dark_face", "poor", "caras oscuras", "dark faces"),
    ProblemKind("bright_face", "poor", "caras quemadas de luz", "faces that are too bright"),
    ProblemKind("turned_away", "poor", "caras que no miran de frente", "faces that look to the side"),
    ProblemKind("cut_off", "poor", "caras cortadas por el borde", "faces that the border cuts off"),
    ProblemKind("several_faces", "several_faces", "fotos con varias caras", "photos with several faces"),
    ProblemKind("dominating_person", "other", "personas que dominan `not_me`", "persons who dominate `not_me`"),
    ProblemKind("no_face", "other", "fotos sin cara", "photos without a face"),
    ProblemKind("unusable", "other", "fotos que no se pueden usar", "photos that cannot be used"),
)  # fmt: skip
"""All kinds, the gravest first."""


def names_of_problems(language: Literal["es", "en"]) -> dict[str, str]:
    """What a report calls the cases of each kind, by its name."""
    return {kind.name: getattr(kind, language) for kind in PROBLEM_KINDS}


PROBLEM_NAMES = tuple(kind.name for kind in PROBLEM_KINDS)
