"""The verifier that knows how strangers are spread: it works from three photos of "me" and none of others.

Its score is the likeness of `faces.population`, put on a scale that means the same for everybody: at 0.75, a share of
strangers that was chosen beforehand gets in. Only the template is the person's own. Photos of others, where there are
some, tell which of the population's people these are, and so make the estimate better where all strangers are of one
kind.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from faces.cosine import group_means
from faces.operating_point import DEFAULT_THRESHOLD
from faces.population import Population
from faces.scoring import PopulationScoring, unit_length


class PopulationClassifier(PopulationScoring, ClassifierMixin, BaseEstimator):
    """Probability of "me" from the likeness to the mean of the enrolled embeddings.

    Args:
        population: how strangers' embeddings are spread.
        far: share of strangers that gets in at a probability of 0.75, as estimated.
        strangers: "anyone", or "like_me" for those who resemble the person: stricter, since more of them come near.

    Attributes:
        template_: float64 [D], of length 1.
        template_means_, template_deviations_: float64 [1, K], the spread of strangers' cosines to the template.
        log_weights_: float64 [K], of the population's Gaussians.
        mixture_: the arrays of `faces.population.Mixture` by name.
        likenesses_, fars_: float64 [M], the share of strangers who reach each likeness.
        slope_, intercept_: the log odds of "me" are slope_ * likeness + intercept_.
        classes_: [0, 1].
        n_features_in_: D.
    """

    def __init__(self, population: Population, far: float = 5e-4, strangers: str = "anyone") -> None:
        self.population = population
        self.far = far
        self.strangers = strangers

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> PopulationClassifier:
        """Fit to embeddings.

        Args:
            X: float [N, D].
            y: [N], 1 = me, 0 = not_me; of not_me there may be none.
            groups: [N], the same number for photos that belong together: near-duplicates of "me", and all photos of one
                other person. Each group counts once. None: every photo is a group of its own.

        Raises:
            ValueError: no photo of "me", or values that are no numbers.
        """
        embeddings, labels = np.asarray(X, np.float64), np.asarray(y)
        named = np.arange(len(labels)) if groups is None else np.asarray(groups)
        if embeddings.ndim != 2 or len(embeddings) != len(labels) or not np.isfinite(embeddings).all():
            raise ValueError(
                f"expected finite embeddings [N, D] and N labels; given {embeddings.shape}, {labels.shape}"
            )
        if not (labels == 1).any():
            raise ValueError("expected a photo of me; given none")
        unit, mixture = unit_length(embeddings), self.population.mixture
        enrolled = group_means(unit[labels == 1], named[labels == 1])
        self.template_ = unit_length(enrolled.sum(axis=0))
        if self.strangers == "like_me":
            alike = mixture.responsibilities(self.template_[None])[0]
            self.log_weights_ = np.log(np.maximum(alike, 1e-6) / np.maximum(alike, 1e-6).sum())
        else:
            self.log_weights_ = mixture.adapted(group_means(unit[labels == 0], named[labels == 0]))
        spread = mixture.spread(self.template_[None])
        self.template_means_, self.template_deviations_ = spread.means, spread.deviations
        self.mixture_ = dict(vars(mixture))
        self.likenesses_, self.fars_ = self.population.likenesses, self.population.fars
        self.slope_ = self.population.slope
        wanted = math.log(DEFAULT_THRESHOLD / (1 - DEFAULT_THRESHOLD))
        self.intercept_ = wanted - self.slope_ * self.population.likeness_at(self.far)
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = embeddings.shape[1]
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """1 where "me" is more probable than not_me, else 0: int64 [N]."""
        return (self.decision_function(X) >= 0).astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        """Without the population itself: what of it scores is among the fitted attributes."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "population"}
