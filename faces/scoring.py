"""How a fitted verifier scores, without scikit-learn.

Importing scikit-learn takes longer (1.3 s) than all else that the service does until its first answer, and it needs a
few sums of it. So there is a class here for each estimator that `stages.train` fits: it holds the fitted values, which
`faces.verifier_arrays` reads from a file, and scores as the estimator does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faces.population import Mixture, Spread, far_of, likeness, likeness_of

Vector = NDArray[np.float64]

LOOK_ALIKE_ODDS = 4.0
"""Log odds with which a face that is as like to the template as to a look-alike's is the person's: the template is a
mean of several photos, and it is the person who asks. So 8 % of the photos of a sister who is known get in; with 2 in
its place 1 %, but a few more of the person's own are refused, and with 6 it is 28 %. Who has no look-alike among the
photos of others hardly notices the difference (`python -m bench.look_alikes LFW`)."""


def probability(log_odds: Vector) -> Vector:
    """The logistic function, for any shape, without overflow."""
    small = np.exp(-np.abs(log_odds))  # 0 to 1
    result: Vector = np.where(log_odds >= 0, 1.0, small) / (1.0 + small)
    return result


def unit_length(vectors: Vector) -> Vector:
    """Scaled to length 1 along the last axis (a zero vector stays)."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: Vector = vectors / np.where(length > 0, length, 1.0)
    return result


class _LogOddsScoring(ABC):
    """Probabilities from log odds of "me"."""

    @abstractmethod
    def decision_function(self, X: ArrayLike) -> Vector:
        """Log odds of "me", float64 [N], for embeddings [N, D]."""

    def predict_proba(self, X: ArrayLike) -> Vector:
        """Probabilities of not_me and me, float64 [N, 2], for embeddings [N, D]."""
        likely = probability(self.decision_function(X))
        return np.column_stack([1 - likely, likely])


class CosineScoring(_LogOddsScoring):
    """Log odds of "me" that rise with the cosine to a template.

    Attributes:
        template_: float64 [D], of length 1.
        slope_, intercept_: the log odds are slope_ * cosine + intercept_.
    """

    template_: Vector
    slope_: float
    intercept_: float

    def decision_function(self, X: ArrayLike) -> Vector:
        """Log odds of "me", float64 [N], for embeddings [N, D]."""
        return unit_length(np.asarray(X, np.float64)) @ self.template_ * self.slope_ + self.intercept_


class PopulationScoring(_LogOddsScoring):
    """Log odds of "me" that rise with the likeness to a template, as `faces.population` has it.

    Known look-alikes have templates too. Of a probe that is at least as much like one of them, the log odds are lower.

    Attributes:
        template_, template_means_, template_deviations_, log_weights_, look_alikes_, look_alike_means_,
        look_alike_deviations_, mixture_, likenesses_, fars_, slope_, intercept_: see
        `faces.population_classifier.PopulationClassifier`.
    """

    template_: Vector
    template_means_: Vector
    template_deviations_: Vector
    log_weights_: Vector
    look_alikes_: Vector
    look_alike_means_: Vector
    look_alike_deviations_: Vector
    mixture_: dict[str, Vector]
    likenesses_: Vector
    fars_: Vector
    slope_: float
    intercept_: float

    def likenesses(self, X: ArrayLike) -> Vector:
        """Likeness to the template, float64 [N], of embeddings [N, D]."""
        unit = unit_length(np.asarray(X, np.float64))
        return self._likenesses(unit, Mixture(**self.mixture_).spread(unit))

    def _likenesses(self, unit: Vector, of_probes: Spread) -> Vector:
        of_template = Spread(self.template_means_, self.template_deviations_)
        return likeness(of_template, of_probes, unit @ self.template_, self.log_weights_)

    def decision_function(self, X: ArrayLike) -> Vector:
        """Log odds of "me", float64 [N], for embeddings [N, D]."""
        unit = unit_length(np.asarray(X, np.float64))
        of_probes = Mixture(**self.mixture_).spread(unit)
        mine = self._likenesses(unit, of_probes)
        against = -(self.slope_ * mine + self.intercept_)
        for template, *spread in zip(
            self.look_alikes_, self.look_alike_means_, self.look_alike_deviations_, strict=True
        ):
            theirs = likeness(Spread(*spread), of_probes, unit @ template, self.log_weights_)
            against = np.logaddexp(against, self.slope_ * (theirs - mine) - LOOK_ALIKE_ODDS)
        return -against

    def strangers_like(self, log_odds: Vector) -> Vector:
        """The share of strangers who are estimated to reach log odds of "me", 0 to 1, for any shape.

        Look-alikes who are known lower the log odds of some strangers, so the share is rather smaller.
        """
        return far_of((log_odds - self.intercept_) / self.slope_, self.likenesses_, self.fars_)

    def log_odds_reached_by(self, share: float) -> float:
        """The log odds of "me" that a share of strangers, above 0 and below 1, is estimated to reach."""
        return self.slope_ * likeness_of(share, self.likenesses_, self.fars_) + self.intercept_


class StandardScaling:
    """What a fitted StandardScaler of scikit-learn does.

    Attributes:
        mean_, scale_: float64 [D]; None where the embeddings are not centred, or not scaled.
        with_mean: whether they are centred.
        n_features_in_: D.
    """

    mean_: Vector | None
    scale_: Vector | None
    with_mean: bool
    n_features_in_: int

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Embeddings [N, D] less the mean, over the scale; float32 stays float32."""
        given = np.asarray(X)
        scaled = np.array(given, given.dtype if given.dtype in (np.float32, np.float64) else np.float64)
        if self.with_mean and self.mean_ is not None:
            scaled -= self.mean_.astype(scaled.dtype)
        if self.scale_ is not None:
            scaled /= self.scale_.astype(scaled.dtype)
        return scaled


class LogisticScoring:
    """What a fitted LogisticRegression of scikit-learn does, of two classes.

    Attributes:
        coef_: float [1, D].
        intercept_: float [1].
        n_features_in_: D.
    """

    coef_: Vector
    intercept_: Vector
    n_features_in_: int

    def predict_proba(self, X: ArrayLike) -> Vector:
        """Probabilities of both classes, float64 [N, 2], for embeddings [N, D]."""
        likely = probability((np.asarray(X) @ self.coef_.T + self.intercept_)[:, 0])
        return np.column_stack([1 - likely, likely])
