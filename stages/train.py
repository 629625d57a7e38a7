"""Stage train: split, scale, fit the classifier, and say how it does on what it did not see.

Writes models/model.joblib, models/scaler.joblib, data/split.csv (which row went where) and reports/metrics.json.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
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
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from faces.files import write_text
from faces.networks import Manifest
from faces.verifier import RECIPE_ATTRIBUTE, Verifier
from stages.errors import StageError, run_stage
from stages.figures import rounded
from stages.inputs import read_array
from stages.params import Params, TrainParams, load_params
from stages.paths import EMBEDDINGS, LABELS, METRICS, MODEL, NETWORKS, SCALER, SPLIT
from stages.photos import CLASSES

RECOMMENDED = 20
"""Faces of each class below which the figures say little, as the project's documents recommend."""

_IMBALANCED = 0.15  # share of the rarer class below which a warning is due
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """Embeddings with their labels.

    Attributes:
        embeddings: float32 [N, D].
        labels: int64 [N], 1 = me, 0 = not_me.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]


def load_dataset() -> Dataset:
    """Read what the stage embed wrote.

    Raises:
        StageError: a file is missing or damaged, or the two do not belong together.
    """
    data = Dataset(read_array(EMBEDDINGS, "embed"), read_array(LABELS, "embed"))
    if data.embeddings.ndim != 2 or data.labels.shape != data.embeddings.shape[:1]:
        raise StageError(
            f"{EMBEDDINGS} has shape {data.embeddings.shape} and {LABELS} {data.labels.shape}; "
            f"expected [N, D] and [N]: run 'dvc repro --force embed'"
        )
    if not np.isfinite(data.embeddings).all() or not np.isin(data.labels, range(len(CLASSES))).all():
        raise StageError(
            f"{EMBEDDINGS} holds values that are not finite, or {LABELS} others than 0 and 1: "
            f"run 'dvc repro --force embed'"
        )
    return data


def split_rows(labels: NDArray[np.int64], params: TrainParams) -> NDArray[np.str_]:
    """Assign each row to "train", "validation" or "test", both classes in each.

    Args:
        labels: int64 [N].
        params: sizes and seed.

    Returns:
        Text [N].

    Raises:
        StageError: too few faces of a class for that.
    """
    rows = np.arange(len(labels))
    names = np.full(len(labels), "train", dtype="<U10")
    for label, class_name in enumerate(CLASSES):
        count = int((labels == label).sum())
        parts = 3 if params.validation_size else 2
        if count < parts:
            raise StageError(
                f"{class_name} has {count} usable face{'s' if count != 1 else ''}; at least {parts} are needed to "
                f"train and to test, {RECOMMENDED} to 30 are recommended. Add photos to data/{class_name}"
            )
    try:
        rest, test = train_test_split(
            rows, test_size=params.test_size, random_state=params.random_state, stratify=labels
        )
        names[test] = "test"
        if params.validation_size:
            count = math.ceil(round(params.validation_size * len(rows), 6))  # of all rows, as test_size is
            _, validation = train_test_split(
                rest, test_size=count, random_state=params.random_state, stratify=labels[rest]
            )
            names[validation] = "validation"
    except ValueError as error:
        raise StageError(_too_few(labels, params)) from error
    for part in np.unique(names):
        if len(np.unique(labels[names == part])) < 2:
            raise StageError(_too_few(labels, params))
    return names


def _too_few(labels: NDArray[np.int64], params: TrainParams) -> str:
    counts = ", ".join(f"{name} {int((labels == label).sum())}" for label, name in enumerate(CLASSES))
    return (
        f"faces: {counts}. With train.test_size {params.test_size} and train.validation_size {params.validation_size} "
        f"some part would lack a class. Add photos, or change the sizes in params.yaml"
    )


def fit(data: Dataset, params: TrainParams) -> Verifier:
    """Fit the scaler and the classifier on all of `data`."""
    scaler = StandardScaler().fit(data.embeddings)
    model = LogisticRegression(
        C=params.C,
        max_iter=params.max_iter,
        class_weight=params.class_weight,
        random_state=params.random_state,
    ).fit(scaler.transform(data.embeddings), data.labels)
    return Verifier(model, scaler)


def classification_metrics(labels: NDArray[np.int64], scores: NDArray[np.float64], threshold: float) -> dict[str, Any]:
    """The contract's figures at a threshold on the score."""
    predicted = (scores >= threshold).astype(int)
    return {
        "accuracy": float(accuracy_score(labels, predicted)),
        "auc_roc": float(roc_auc_score(labels, scores)),
        "precision": float(precision_score(labels, predicted, zero_division=0)),
        "recall": float(recall_score(labels, predicted, zero_division=0)),
        "f1_score": float(f1_score(labels, predicted, zero_division=0)),
        "classification_report": classification_report(
            labels, predicted, labels=[0, 1], target_names=list(CLASSES), output_dict=True, zero_division=0
        ),
    }


def _warn(labels: NDArray[np.int64]) -> None:
    for label, class_name in enumerate(CLASSES):
        count = int((labels == label).sum())
        if count < RECOMMENDED:
            logger.warning("%s has %d faces; %d to 30 are the recommended minimum", class_name, count, RECOMMENDED)
    share = float(labels.mean())
    if min(share, 1 - share) < _IMBALANCED:
        logger.warning(
            "%.0f %% of the faces are me: an imbalance. Accuracy then says little; look at FAR and FRR",
            100 * share,
        )


def build_metrics(data: Dataset, parts: NDArray[np.str_], verifier: Verifier, manifest: Manifest) -> dict[str, Any]:
    """The content of metrics.json: figures on the test rows at the classifier's own threshold, 0.5."""
    scores = verifier.score(data.embeddings)
    test = parts == "test"
    metrics: dict[str, Any] = classification_metrics(data.labels[test], scores[test], 0.5)
    if (parts == "validation").any():
        validation = parts == "validation"
        metrics["validation"] = classification_metrics(data.labels[validation], scores[validation], 0.5)
    metrics["backbone"] = manifest.backbone
    metrics["faces"] = {
        str(part): {name: int((data.labels[parts == part] == label).sum()) for label, name in enumerate(CLASSES)}
        for part in ("train", "validation", "test")
        if (parts == part).any()
    }
    return metrics


def train(data: Dataset, params: Params, manifest: Manifest) -> tuple[Verifier, NDArray[np.str_]]:
    """Split and fit; the classifier records how its embeddings were made."""
    parts = split_rows(data.labels, params.train)
    chosen = parts == "train"
    verifier = fit(Dataset(data.embeddings[chosen], data.labels[chosen]), params.train)
    setattr(verifier.model, RECIPE_ATTRIBUTE, manifest.recipe(params.embed.flip))
    return verifier, parts


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
    _warn(data.labels)
    verifier, parts = train(data, params, manifest)
    metrics = build_metrics(data, parts, verifier, manifest)
    split = pd.DataFrame({"row": np.arange(len(parts)), "part": parts})
    write_text(SPLIT, split.to_csv(index=False, lineterminator="\n"))
    verifier.save(MODEL, SCALER)
    write_text(METRICS, json.dumps(rounded(metrics), indent=2) + "\n")
    print(
        f"train: {(parts == 'train').sum()} faces; on {(parts == 'test').sum()} others: accuracy "
        f"{metrics['accuracy']:.3f}, AUC {metrics['auc_roc']:.3f}, F1 {metrics['f1_score']:.3f} at 0.5 → {MODEL}"
    )


if __name__ == "__main__":
    run_stage("train", main, [MODEL, SCALER, SPLIT, METRICS])
