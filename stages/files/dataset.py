"""The embeddings with what is known of each: its class, and what it must stay together with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.errors import StageError
from stages.files.paths import EMBEDDINGS, GROUPS, LABELS
from stages.files.photos import CLASSES
from stages.files.tables import read_array, read_table

Labels = NDArray[np.int64]
Groups = NDArray[np.int64]
Scores = NDArray[np.float64]

RECOMMENDED = 20
"""Faces of each class below which the figures say little, as the project's documents recommend."""

FEWEST_SHARP = 3
"""Shots of me that have to be left if blurred ones are not enrolled."""

IDEAL = 50
"""Faces of each class from which more change little."""

IMBALANCED = 0.15
"""Share of the rarer class below which a warning is due."""


@dataclass(frozen=True)
class Dataset:
    """Embeddings with their labels and groups.

    Attributes:
        embeddings: float32 [N, D].
        labels: int64 [N], 1 = me, 0 = not_me.
        groups: int64 [N]; rows of one group (photos of one stranger, near-duplicates) never straddle a split.
        shots: int64 [N], the same for copies of one shot; None: each row is a shot of its own.
        blurred: bool [N], whether a face is too blurred to enrol somebody with; None: none is.
    """

    embeddings: NDArray[np.float32]
    labels: Labels
    groups: Groups
    shots: Groups | None = None
    blurred: NDArray[np.bool_] | None = None

    def rows(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Dataset:
        """The rows chosen, by number or by a mask [N]."""
        shots = None if self.shots is None else self.shots[chosen]
        blurred = None if self.blurred is None else self.blurred[chosen]
        return Dataset(self.embeddings[chosen], self.labels[chosen], self.groups[chosen], shots, blurred)

    def left_out(self) -> NDArray[np.bool_]:
        """Faces of me that the cosine verifier is not fitted to, bool [N]: blurred ones, if enough others are left.

        A blurred face has an embedding that is much like those of other blurred faces, whoever they are of. A template
        that holds some of them lets blurred strangers in.
        """
        if self.blurred is None:
            return np.zeros(len(self.labels), bool)
        blurred = self.blurred & (self.labels == 1)
        sharp = len(np.unique(self.groups[(self.labels == 1) & ~blurred]))
        return blurred if sharp >= FEWEST_SHARP else np.zeros(len(self.labels), bool)

    def count_groups(self, label: int) -> int:
        """How many groups have a row of this class."""
        return len(np.unique(self.groups[self.labels == label]))

    def count_distinct(self, label: int) -> int:
        """How many faces this class has if copies of one shot count once."""
        own = self.labels == label
        return int(own.sum()) if self.shots is None else len(np.unique(self.shots[own]))


def load_dataset() -> Dataset:
    """Read what the stages embed and quality wrote.

    Raises:
        StageError: a file is missing or damaged, or they do not belong together.
    """
    embeddings, labels = read_array(EMBEDDINGS, "embed"), read_array(LABELS, "embed")
    if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1]:
        raise StageError(
            "{embeddings} has shape {shape} and {labels} {labels_shape}; expected [N, D] and [N]: run 'dvc repro "
            "--force embed'",
            embeddings=EMBEDDINGS,
            shape=embeddings.shape,
            labels=LABELS,
            labels_shape=labels.shape,
        )
    if not np.isfinite(embeddings).all() or not np.isin(labels, range(len(CLASSES))).all():
        raise StageError(
            "{embeddings} holds values that are not finite, or {labels} others than 0 and 1: run 'dvc repro "
            "--force embed'",
            embeddings=EMBEDDINGS,
            labels=LABELS,
        )
    table = read_table(GROUPS, "quality", ["group"])
    numbers = [table[name] for name in ("group", "shot", "blurred") if name in table]
    if len(table) != len(labels) or not all(column.str.fullmatch(r"\d+").all() for column in numbers):
        raise StageError(
            "{table} has {rows:# row|# rows}, the embeddings {faces}, or holds other things than numbers: run 'dvc "
            "repro --force quality'",
            table=GROUPS,
            rows=len(table),
            faces=len(labels),
        )
    blurred = table["blurred"].to_numpy(np.int64) == 1 if "blurred" in table else None
    shots = table["shot"].to_numpy(np.int64) if "shot" in table else None
    return Dataset(embeddings, labels, table["group"].to_numpy(np.int64), shots, blurred)
