"""reports/strangers.csv: who of not_me comes nearest, with and without a model that knows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from faces.cosine import CosineClassifier
from faces.fit_population import fit_population
from faces.population_classifier import PopulationClassifier
from faces.scoring import unit_length
from faces.verifier import Verifier
from stages.estimation.held_out import HeldOutScores
from stages.files.dataset import Dataset
from stages.robustness.strangers import look_alike_groups, nearest_strangers
from tests.faces.populations import RECIPE, people


def test_the_nearest_strangers_come_first_each_with_their_highest_score() -> None:
    """Ana has two photos, one with two faces; of three photos without a name two are near-duplicates."""
    index = pd.DataFrame({
        "photo": ["not_me/ana/1.jpg", "not_me/ana/1.jpg", "not_me/ana/2.jpg", "not_me/eva/1.jpg", "not_me/a.jpg",
                  "not_me/b.jpg", "not_me/c.jpg", "me/1.jpg"],
        "person": ["ana", "ana", "ana", "eva", "", "", "", "me"],
    })  # fmt: skip
    data = Dataset(np.zeros((8, 2), np.float32), np.array([0] * 7 + [1]), np.array([0, 0, 0, 1, 2, 2, 3, 4]))
    first = np.array([0.2, 0.1, 0.3, 0.5, 0.1, 0.8, 0.5, 0.99])
    second = np.array([0.2, 0.6, 0.4, 0.5, 0.1, 0.7, 0.1, 0.99])
    rows = np.tile(np.arange(8), 2)
    tested = HeldOutScores(rows, data.labels[rows], np.concatenate([first, second]), data.groups[rows])
    table = nearest_strangers(tested, index, data, 0.6, None)
    assert table.drop(columns=["score_known", "resembles_me"]).to_dict("list") == {
        "person": ["not_me/a.jpg", "ana", "eva", "not_me/c.jpg"],
        "photos": [2, 2, 1, 1],
        "highest_score": [0.8, 0.6, 0.5, 0.5],
        "accepted": [True, True, False, False],
    }
    assert table[["score_known", "resembles_me"]].isna().all(axis=None), "no model that serves knows them"
    nobody = HeldOutScores(*(own[-1:] for own in (rows, data.labels[rows], second, data.groups[rows])))
    assert nearest_strangers(nobody, index, data, 0.6, None).empty


SISTER = 2


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Six photos of me, three of a sister (group 2) and one each of six strangers, among whom the sister stands."""
    me = people(1, photos=9, seed=3)[0]
    sister = unit_length(me[6:] + 1.2 * people(1, seed=4)[0])
    strangers = people(6, seed=5)
    others = np.concatenate([*strangers[:2], sister, *strangers[2:]])
    groups = np.array([0, 1, *[SISTER] * 3, 3, 4, 5, 6, *range(7, 13)])
    labels = np.repeat([0, 1], [9, 6])
    return Dataset(np.concatenate([others, me[:6]]).astype(np.float32), labels, groups)


def fitted(model: Any, data: Dataset) -> Verifier:
    scaler = StandardScaler(with_mean=False, with_std=False).fit(data.embeddings)
    return Verifier(model.fit(data.embeddings, data.labels, data.groups), scaler)


def test_whom_the_model_that_serves_knows_is_said_beside_what_others_give_them(data: Dataset) -> None:
    """A sister whom it knows scores less by it than a model that does not know her would give her."""
    made = people(700, seed=21) + people(80, photos=8, seed=22)
    population = fit_population({f"{number}": own for number, own in enumerate(made)}, RECIPE, "nobody")
    serving = fitted(PopulationClassifier(population), data)
    assert look_alike_groups(serving) == {SISTER}
    alone = fitted(PopulationClassifier(population), data.rows(np.flatnonzero(data.groups != SISTER)))
    others = np.flatnonzero(data.labels == 0)
    held_out = HeldOutScores(others, data.labels[others], alone.score(data.embeddings[others]), data.groups[others])
    index = pd.DataFrame({"photo": [f"not_me/p{group}/1.jpg" for group in data.groups]})
    table = nearest_strangers(held_out, index.assign(person=index["photo"].str[7:9]), data, 0.75, serving)
    assert table["person"][0] == f"p{SISTER}" and table["accepted"][0]
    assert table["resembles_me"].tolist() == [True] + [False] * 6
    known = serving.score(data.embeddings[data.groups == SISTER]).max()
    assert table["score_known"][0] == pytest.approx(known)
    assert table["score_known"][0] < 0.75 <= table["highest_score"][0]


def test_without_a_population_nobody_is_remembered(data: Dataset) -> None:
    serving = fitted(CosineClassifier(), data)
    assert look_alike_groups(serving) is None
    others = np.flatnonzero(data.labels == 0)
    held_out = HeldOutScores(others, data.labels[others], np.full(len(others), 0.5), data.groups[others])
    index = pd.DataFrame({"photo": [f"{group}" for group in data.groups], "person": ""})
    table = nearest_strangers(held_out, index, data, 0.75, serving)
    assert table["resembles_me"].isna().all() and table["score_known"].notna().all()
