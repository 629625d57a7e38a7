"""Stage train: estimate how the verifier does on faces it has not seen, then fit the one that serves.

Writes models/model.joblib, models/scaler.joblib, data/predictions.csv (scores of faces by models that did not see them,
which stage evaluate judges) and reports/metrics.json.

With cross-validation (the default) the model that serves is trained on every face, and the figures are of models that
were trained on four fifths of them in the same way. With `train.protocol: holdout` the model is trained on its part of
the split alone, and the figures are its own.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from faces.cosine import CosineClassifier
from faces.files import write_text
from faces.networks import Manifest
from faces.progress import progress
from faces.verifier import RECIPE_ATTRIBUTE, Verifier
from stages.dataset import Dataset, Labels, load_dataset
from stages.errors import StageError, run_stage
from stages.figures import rounded
from stages.params import TrainParams, load_params
from stages.paths import EMBEDDINGS, METRICS, MODEL, NETWORKS, PREDICTIONS, SCALER
from stages.photos import CLASSES
from stages.protocol import RECOMMENDED, Split, make_splits

_IMBALANCED = 0.15  # share of the rarer class below which a warning is due
logger = logging.getLogger(__name__)


def fit(data: Dataset, params: TrainParams) -> Verifier:
    """Fit the scaler and the classifier that `train.verifier` names on all of `data`.

    The cosine verifier takes embeddings as they are: its scaler passes them through.
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
    """Scores of faces by models that have seen nothing of their group.

    Returns:
        Columns repeat, row, part ("test" or "validation"), label and score; a row for each face tested.
    """
    tables = []
    for split in progress(splits, len(splits), "estimating", "model"):
        with threadpool_limits(1):  # for matrices this small, starting threads takes longer than they save
            verifier = fit(data.rows(split.train), params)
        for part, rows in (("validation", split.validation), ("test", split.test)):
            if len(rows):
                scores = verifier.score(data.embeddings[rows])
                columns = {"repeat": split.repeat, "row": rows, "part": part, "label": data.labels[rows]}
                tables.append(pd.DataFrame({**columns, "score": scores}))
    return pd.concat(tables).sort_values(["repeat", "part", "row"], ignore_index=True)


def classification_metrics(
    labels: Labels, scores: NDArray[np.float64], threshold: float, weights: NDArray[np.float64] | None = None
) -> dict[str, Any]:
    """The contract's figures at a threshold on the score.

    Args:
        labels: int64 [N], both classes present.
        scores: float64 [N], 0 to 1.
        threshold: from where a score counts as "me".
        weights: float64 [N]; None: all alike.
    """
    predicted = (scores >= threshold).astype(int)
    same = {"sample_weight": weights}
    return {
        "accuracy": float(accuracy_score(labels, predicted, **same)),
        "auc_roc": float(roc_auc_score(labels, scores, **same)),
        "precision": float(precision_score(labels, predicted, zero_division=0, **same)),
        "recall": float(recall_score(labels, predicted, zero_division=0, **same)),
        "f1_score": float(f1_score(labels, predicted, zero_division=0, **same)),
        "classification_report": classification_report(
            labels, predicted, labels=[0, 1], target_names=list(CLASSES), output_dict=True, zero_division=0, **same
        ),
    }


def build_metrics(
    data: Dataset, predictions: pd.DataFrame, trained: Dataset, params: TrainParams, manifest: Manifest
) -> dict[str, Any]:
    """The content of metrics.json: figures on unseen faces at the classifier's own threshold, 0.5."""
    metrics: dict[str, Any] = {}
    for part in ("test", "validation"):
        own = predictions[predictions["part"] == part]
        if len(own):
            weights = np.full(len(own), 1 / predictions["repeat"].nunique())
            figures = classification_metrics(own["label"].to_numpy(), own["score"].to_numpy(), 0.5, weights)
            metrics |= figures if part == "test" else {"validation": figures}
    return metrics | {
        "backbone": manifest.backbone,
        "verifier": params.verifier,
        "protocol": describe_protocol(predictions, params),
        "faces": {
            "total": _count(data.labels),
            "train": _count(trained.labels),
            **{
                str(part): _count(rows["label"].to_numpy())
                for part, rows in predictions.drop_duplicates(["part", "row"]).groupby("part")
            },
        },
        "people": {"not_me": data.count_groups(0)},
    }


def describe_protocol(predictions: pd.DataFrame, params: TrainParams) -> dict[str, Any]:
    """How the figures were estimated, for metrics.json."""
    if params.protocol == "holdout":
        return {"name": "holdout", "test_size": params.test_size, "validation_size": params.validation_size}
    return {"name": "cross_validation", "folds": params.folds, "repeats": int(predictions["repeat"].nunique())}


def _count(labels: NDArray[Any]) -> dict[str, int]:
    return {name: int((labels == label).sum()) for label, name in enumerate(CLASSES)}


def _warn(data: Dataset) -> None:
    for label, class_name in enumerate(CLASSES):
        count = int((data.labels == label).sum())
        if count < RECOMMENDED:
            logger.warning("%s has %d faces; %d to 30 are the recommended minimum", class_name, count, RECOMMENDED)
    share = float(data.labels.mean())
    if min(share, 1 - share) < _IMBALANCED:
        logger.warning(
            "%.0f %% of the faces are me: an imbalance. Accuracy then says little; look at FAR and FRR",
            100 * share,
        )


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    data = load_dataset()
    manifest = Manifest.read(NETWORKS)
    if data.embeddings.shape[1] != manifest.embedding_size:
        raise StageError(
            f"{EMBEDDINGS} has {data.embeddings.shape[1]} dimensions, the networks ({manifest.backbone}) make "
            f"{manifest.embedding_size}: run 'dvc repro' (or 'python -m stages.embed') first"
        )
    _warn(data)
    splits = make_splits(data, params.train)
    predictions = predict(data, splits, params.train)
    trained = data.rows(splits[0].train) if params.train.protocol == "holdout" else data
    verifier = fit(trained, params.train)
    # In the model itself, so that it cannot be used with networks that embed in another way.
    setattr(verifier.model, RECIPE_ATTRIBUTE, manifest.recipe(params.embed.flip))
    metrics = build_metrics(data, predictions, trained, params.train, manifest)
    write_text(PREDICTIONS, predictions.to_csv(index=False, lineterminator="\n"))
    verifier.save(MODEL, SCALER)
    write_text(METRICS, json.dumps(rounded(metrics), indent=2) + "\n")
    print(
        f"train: {len(trained.labels)} faces ({params.train.verifier}); on faces not seen: accuracy "
        f"{metrics['accuracy']:.3f}, AUC {metrics['auc_roc']:.4f}, F1 {metrics['f1_score']:.3f} at 0.5 → {MODEL}"
    )


if __name__ == "__main__":
    run_stage("train", main, [MODEL, SCALER, PREDICTIONS, METRICS])
