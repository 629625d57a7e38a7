"""The scores of faces that the model was not trained on, which stage train writes to data/predictions.csv."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.errors import StageError
from stages.files.dataset import Groups, Labels, Scores, load_dataset
from stages.files.paths import PREDICTIONS
from stages.files.photos import CLASSES
from stages.files.tables import read_table


@dataclass(frozen=True)
class HeldOutScores:
    """Scores of faces by models that were not trained on them. A face may have several, one from each round.

    Attributes:
        rows: int64 [N], which face.
        labels: int64 [N].
        scores: float64 [N], 0 to 1.
        groups: int64 [N]; all rows of a group count as one person or one photo.
    """

    rows: NDArray[np.int64]
    labels: Labels
    scores: Scores
    groups: Groups

    def count_faces(self) -> dict[str, int]:
        """How many different faces each class has."""
        return {name: len(np.unique(self.rows[self.labels == label])) for label, name in enumerate(CLASSES)}

    def count_groups(self) -> dict[str, int]:
        """How many groups each class has: people of not_me, different photos of me."""
        return {name: len(np.unique(self.groups[self.labels == label])) for label, name in enumerate(CLASSES)}


def load_held_out() -> dict[str, HeldOutScores]:
    """The scores of predictions.csv, by part: "test" and, if there is one, "validation".

    Raises:
        StageError: it is missing or damaged, or of another data set.
    """
    data = load_dataset()
    table = read_table(PREDICTIONS, "train", ["repeat", "row", "part", "label", "score"])
    try:
        rows, labels = table["row"].to_numpy(np.int64), table["label"].to_numpy(np.int64)
        scores = table["score"].to_numpy(np.float64)
    except ValueError as error:
        raise StageError("{predictions} is damaged: run 'dvc repro --force train'", predictions=PREDICTIONS) from error
    if not len(rows) or rows.min() < 0 or rows.max() >= len(data.labels) or (data.labels[rows] != labels).any():
        raise StageError(
            "{predictions} speaks of other faces than the {faces:# embedding|# embeddings}: run 'dvc repro --force "
            "train'",
            predictions=PREDICTIONS,
            faces=len(data.labels),
        )
    parts = {}
    for part in ("test", *table["part"].unique()):
        own = (table["part"] == part).to_numpy()
        if set(labels[own]) != set(data.labels):
            raise StageError(
                "{predictions} gives no face of one class, or of both, to the part {part!r}: run 'dvc repro "
                "--force train'",
                predictions=PREDICTIONS,
                part=part,
            )
        parts[part] = HeldOutScores(rows[own], labels[own], scores[own], data.groups[rows[own]])
    return parts
