"""Fits the verifier that params.yaml names: to all faces, or to the training part of each split."""

from __future__ import annotations

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from faces.cosine import CosineClassifier
from faces.message import Message
from faces.verifier import Verifier
from stages.estimation.protocol import Split
from stages.files.dataset import Dataset
from stages.params import TrainParams
from stages.progress import progress


def fit(data: Dataset, params: TrainParams) -> Verifier:
    """Fit the scaler and the classifier that `train.verifier` names on all of `data`.

    The cosine verifier needs no scaling, so its scaler leaves embeddings as they are.
    """
    if params.verifier == "cosine":
        scaler = StandardScaler(with_mean=False, with_std=False).fit(data.embeddings)
        model = CosineClassifier(params.cosine_C, params.cohort_weight)
        return Verifier(model.fit(data.embeddings, data.labels, data.groups), scaler)
    scaler = StandardScaler().fit(data.embeddings)
    regression = LogisticRegression(
        C=params.C, max_iter=params.max_iter, class_weight=params.class_weight, random_state=params.random_state
    )
    return Verifier(regression.fit(scaler.transform(data.embeddings), data.labels), scaler)


def predict(data: Dataset, splits: list[Split], params: TrainParams) -> pd.DataFrame:
    """Scores of faces by models that were trained without their groups.

    Returns:
        Columns repeat, row, part ("test" or "validation"), label and score; a row for each face tested.
    """
    tables = []
    for split in progress(splits, len(splits), Message("estimating"), Message("model")):
        with threadpool_limits(1):  # for such small matrices, threads take longer to start than they save
            verifier = fit(data.rows(split.train), params)
        for part, rows in (("validation", split.validation), ("test", split.test)):
            if len(rows):
                scores = verifier.score(data.embeddings[rows])
                columns = {"repeat": split.repeat, "row": rows, "part": part, "label": data.labels[rows]}
                tables.append(pd.DataFrame({**columns, "score": scores}))
    return pd.concat(tables).sort_values(["repeat", "part", "row"], ignore_index=True)
