"""The people of not_me who come nearest to me: reports/strangers.csv."""

from __future__ import annotations

import numpy as np
import pandas as pd

from faces.verifier import Verifier
from stages.estimation.held_out import HeldOutScores
from stages.files.dataset import Dataset


def nearest_strangers(
    held_out: HeldOutScores, index: pd.DataFrame, data: Dataset, threshold: float, serving: Verifier | None
) -> pd.DataFrame:
    """For each person of not_me, what they score by models that do not know them, and by the one that serves.

    Args:
        held_out: faces scored by models that did not see them.
        index: columns photo and person of `data/index.csv`.
        data: the same rows.
        threshold: a photo with this score or more is accepted.
        serving: the model that serves; None if it was not trained on these faces.

    Returns:
        Columns person (the name of the sub-folder; without one, each group is a person, named by its first photo),
        photos, highest_score (by any model that had not seen the photo), score_known (the highest by the model that
        serves, which knows the person; None without it), resembles_me (whether that model remembers the person as a
        look-alike; None where it remembers nobody, since it knows no population) and accepted (by highest_score); the
        highest score first.
    """
    scores = pd.Series(held_out.scores, index=held_out.rows)[held_out.labels == 0].groupby(level=0).max()
    own = index.loc[scores.index, ["photo", "person"]].assign(group=data.groups[scores.index], score=scores)
    named = own["person"].where(own["person"] != "")
    own["person"] = named.fillna(named.groupby(own["group"]).transform("first"))
    own["person"] = own["person"].fillna(own.groupby("group")["photo"].transform("first"))
    alike = None if serving is None else look_alike_groups(serving)
    own["known"] = np.nan if serving is None else serving.score(data.embeddings[own.index])
    own["alike"] = own["group"].isin(alike or set())
    people = own.groupby("person").agg(
        photos=("photo", "nunique"),
        highest_score=("score", "max"),
        score_known=("known", "max"),
        resembles_me=("alike", "any"),
    )
    if alike is None:
        people["resembles_me"] = None
    people = people.reset_index()
    people["accepted"] = people["highest_score"] >= threshold
    return people.sort_values(["highest_score", "person"], ascending=[False, True], ignore_index=True)


def look_alike_groups(verifier: Verifier) -> set[int] | None:
    """The groups of not_me that a verifier remembers as look-alikes; None for a verifier without a population."""
    groups = getattr(verifier.model, "look_alike_groups_", None)
    return None if groups is None else set(groups.tolist())
