"""Fits the verifier that params.yaml names: to all faces, or to the training part of each split."""

from __future__ import annotations

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from faces.cosine import CosineClassifier
from faces.message import Message
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from faces.verifier import Verifier
from stages.estimation.protocol import Split
from stages.files.dataset import Dataset
from stages.params import TrainParams
from stages.progress import progress


def enrolled(data: Dataset, params: TrainParams) -> Dataset:
    """The faces to which the verifier is fitted: the cosine verifier enrols no blurred ones (`Dataset.left_out`)."""
    return data.rows(~data.left_out()) if params.verifier == "cosine" else data


def fit(data: Dataset, params: TrainParams, population: Population | None) -> Verifier:
    """Fit the scaler and the classifier that `train.verifier` names on all of `data`.

    The cosine verifier needs no scaling, so its scaler leaves embeddings as they are.

    Args:
        data: faces of which those of `enrolled` are used; with a population, all may be of "me".
        params: the parameters.
        population: how strangers' embeddings are spread, if that is known (`population_for`). It is not used where the
            faces of others contradict it: where they score as photos of other people do not.
    """
    data = enrolled(data, params)
    if params.verifier == "cosine":
        scaler = StandardScaler(with_mean=False, with_std=False).fit(data.embeddings)
        if population is not None:
            informed = PopulationClassifier(population, params.population_far, params.strangers)
            informed.fit(data.embeddings, data.labels, data.groups)
            if not informed.contradicted_:
                return Verifier(informed, scaler)
        model = CosineClassifier(params.cosine_C, params.cohort_weight)
        return Verifier(model.fit(data.embeddings, data.labels, data.groups), scaler)
    scaler = StandardScaler().fit(data.embeddings)
    regression = LogisticRegression(
        C=params.C, max_iter=params.max_iter, class_weight=params.class_weight, random_state=params.random_state
    )
    return Verifier(regression.fit(scaler.transform(data.embeddings), data.labels), scaler)


def predict(data: Dataset, splits: list[Split], params: TrainParams, population: Population | None) -> pd.DataFrame:
    """Scores of faces by models that were trained without their groups.

    Args:
        data: all faces.
        splits: which of them are for training, and which are scored.
        params, population: as `fit` takes them.

    Returns:
        Columns repeat, row, part ("test" or "validation"), label and score; a row for each face tested.
    """
    tables = []
    for split in progress(splits, len(splits), Message("estimating"), Message("model")):
        with threadpool_limits(1):  # for such small matrices, threads take longer to start than they save
            verifier = fit(data.rows(split.train), params, population)
        for part, rows in (("validation", split.validation), ("test", split.test)):
            if len(rows):
                scores = verifier.score(data.embeddings[rows])
                columns = {"repeat": split.repeat, "row": rows, "part": part, "label": data.labels[rows]}
                tables.append(pd.DataFrame({**columns, "score": scores}))
    return pd.concat(tables).sort_values(["repeat", "part", "row"], ignore_index=True)
