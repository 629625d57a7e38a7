"""The verifiers that benches compare, each made from a project's photos and a population of other people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from faces.operating_point import DEFAULT_THRESHOLD
from faces.population import Population
from stages.estimation.fit import fit
from stages.files.dataset import Dataset
from stages.params import TrainParams

Scores = NDArray[np.float64]
Scorer = Callable[[NDArray[np.float32]], Scores]
Maker = Callable[[Dataset, Population], Scorer]

DEFAULT = "default"
OWN_STRANGERS = "own strangers alone"
REGRESSION = "logistic_regression"
COSINE = "plain cosine"
USUAL_RULE = "usual rule, 0.6"
USUAL_RULE_STRICTER = "usual rule, 0.5"

NEED_OTHERS = (REGRESSION, COSINE, OWN_STRANGERS)
"""They cannot be made from photos of me alone."""

NO_PROBABILITY = (USUAL_RULE, USUAL_RULE_STRICTER)
"""Their score says nothing but whether the rule accepts, and how far from its limit the photo is."""


def verifiers(params: TrainParams) -> dict[str, Maker]:
    """What is compared, whatever `train.verifier` says.

    The contract's regression, the plain cosine, `train.verifier: cosine` with own strangers alone and, as shipped, with
    a population too, and what a user would do instead.
    """
    regression, cosine = (replace(params, verifier=name) for name in ("logistic_regression", "cosine"))
    return {
        REGRESSION: lambda data, _: fit(data, regression, None).score,
        COSINE: lambda data, _: plain_cosine(data),
        OWN_STRANGERS: lambda data, _: fit(data, cosine, None).score,
        DEFAULT: lambda data, population: fit(data, cosine, population).score,
        USUAL_RULE: lambda data, _: usual_rule(data, 0.6),
        USUAL_RULE_STRICTER: lambda data, _: usual_rule(data, 0.5),
    }


def plain_cosine(data: Dataset) -> Scorer:
    """Cosine to the mean of "me" (of the others of "me" for an enrolled photo) and a regression of one variable."""
    unit = data.embeddings / np.linalg.norm(data.embeddings, axis=1, keepdims=True)
    enrolled = unit[data.labels == 1]
    rest = enrolled.sum(axis=0) - enrolled
    own = (enrolled * rest).sum(axis=1) / np.linalg.norm(rest, axis=1)
    template = enrolled.sum(axis=0) / np.linalg.norm(enrolled.sum(axis=0))
    cosines = np.concatenate([own, unit[data.labels == 0] @ template])
    labels = np.arange(len(cosines)) < len(own)
    mean, deviation = cosines.mean(), cosines.std()
    model = LogisticRegression(class_weight="balanced").fit(((cosines - mean) / deviation)[:, None], labels)

    def score(embeddings: NDArray[np.float32]) -> Scores:
        cosine = embeddings @ template / np.linalg.norm(embeddings, axis=1)
        probabilities: Scores = model.predict_proba(((cosine - mean) / deviation)[:, None])[:, 1]
        return probabilities

    return score


def usual_rule(data: Dataset, limit: float) -> Scorer:
    """Accepts where any enrolled photo is within a Euclidean distance, as face_recognition does (with 0.6).

    Embeddings are taken as they are, of any length. At the limit the score is the default threshold, so that the same
    threshold is asked of every verifier.
    """
    enrolled = data.embeddings[data.labels == 1].astype(np.float64)

    def score(embeddings: NDArray[np.float32]) -> Scores:
        differences = embeddings.astype(np.float64)[:, None] - enrolled
        nearest = np.linalg.norm(differences, axis=2).min(axis=1)
        return np.maximum(1 - (1 - DEFAULT_THRESHOLD) * nearest / limit, 0.0)

    return score
