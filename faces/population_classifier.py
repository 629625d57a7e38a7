"""The verifier that knows how strangers are spread: it works from three photos of "me" and none of others.

Its score is the likeness of `faces.population`, put on a scale that means the same for everybody: at 0.75, a share of
strangers that was chosen beforehand gets in. Only the template is the person's own. Photos of others, where there are
some, tell which of the population's people these are, and so make the estimate better where all strangers are of one
kind. Those of them who look like the person, a sister for example, are remembered: a photo that looks more like one of
them is not taken for the person. And if far too many of them score as few people should, the population does not
describe such photos at all (drawings, for example), which `contradicted_` says.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from faces.cosine import group_means
from faces.operating_point import DEFAULT_THRESHOLD
from faces.population import Population, Vector, log_tail
from faces.scoring import PopulationScoring, unit_length

LOOK_ALIKE_FAR = 0.01
"""Who of the own strangers resembles the person: those as near as one in a hundred strangers should be."""

MOST_LOOK_ALIKES = 16
"""So many are remembered, the nearest: each of them costs time in every answer."""

_LEAST_TO_CONTRADICT = 5  # own strangers
_CONTRADICTED_BY = 0.5  # of them being look-alikes; among people of the person's own kind it is 0.2 at most


class PopulationClassifier(PopulationScoring, ClassifierMixin, BaseEstimator):
    """Probability of "me" from the likeness to the mean of the enrolled embeddings.

    Args:
        population: how strangers' embeddings are spread; None in a classifier that was read from a file.
        far: share of strangers that gets in at a probability of 0.75, as estimated.
        strangers: "anyone", or "like_me" for those who resemble the person: stricter, since more of them come near.

    Attributes:
        template_: float64 [D], of length 1.
        template_means_, template_deviations_: float64 [1, K], the spread of strangers' cosines to the template.
        log_weights_: float64 [K], of the population's Gaussians.
        look_alikes_: float64 [J, D], J ≥ 0, templates of own strangers who resemble the person.
        look_alike_groups_: [J], which of `groups` they are.
        look_alike_means_, look_alike_deviations_: float64 [J, K], the spread of strangers' cosines to them.
        contradicted_: whether the own strangers score as the population's people would not.
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
        others = group_means(unit[labels == 0], named[labels == 0])
        self.template_ = unit_length(enrolled.sum(axis=0))
        if self.strangers == "like_me":
            alike = mixture.responsibilities(self.template_[None])[0]
            self.log_weights_ = np.log(np.maximum(alike, 1e-6) / np.maximum(alike, 1e-6).sum())
        else:
            self.log_weights_ = mixture.adapted(others)
        spread = mixture.spread(self.template_[None])
        self.template_means_, self.template_deviations_ = spread.means, spread.deviations
        self.mixture_ = dict(vars(mixture))
        self.likenesses_, self.fars_ = self.population.likenesses, self.population.fars
        self.slope_ = self.population.slope
        wanted = math.log(DEFAULT_THRESHOLD / (1 - DEFAULT_THRESHOLD))
        self.intercept_ = wanted - self.slope_ * self.population.likeness_at(self.far)
        self._remember_look_alikes(others, np.unique(named[labels == 0]))
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = embeddings.shape[1]
        return self

    def _remember_look_alikes(self, others: Vector, groups: NDArray[Any]) -> None:
        """Of the templates of own strangers, float64 [M, D], and their groups [M], those that resemble the person."""
        far = self.population.far(self.likenesses(others)) if len(others) else np.empty(0)
        near = np.flatnonzero(far <= LOOK_ALIKE_FAR)
        self.contradicted_ = len(others) >= _LEAST_TO_CONTRADICT and len(near) > _CONTRADICTED_BY * len(others)
        nearest = near[np.argsort(far[near], kind="stable")][:MOST_LOOK_ALIKES]
        self.look_alikes_, self.look_alike_groups_ = others[nearest], groups[nearest]
        spread = self.population.mixture.spread(self.look_alikes_)
        self.look_alike_means_, self.look_alike_deviations_ = spread.means, spread.deviations

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """1 where "me" is more probable than not_me, else 0: int64 [N]."""
        return (self.decision_function(X) >= 0).astype(np.int64)

    def like_me_factor(self) -> float:
        """How many times as many strangers who resemble the person reach 0.75 as strangers in general do.

        Who resembles the person: the people of the Gaussians to which the template belongs. Of the template's side
        alone, since it is not known who asks.
        """
        mixture = self.population.mixture
        spread = mixture.spread(self.template_[None])
        alike = np.log(np.maximum(mixture.responsibilities(self.template_[None])[0], 1e-300))
        anyone = np.log(mixture.weights)
        low, high = -1.0, 1.0
        for _ in range(50):  # the cosine that the share `far` of strangers reaches
            middle = (low + high) / 2
            above = float(log_tail(spread, np.array([middle]), anyone)[0]) > math.log(self.far)
            low, high = (middle, high) if above else (low, middle)
        tails = [float(log_tail(spread, np.array([high]), weights)[0]) for weights in (alike, anyone)]
        return math.exp(tails[0] - tails[1])

    def __getstate__(self) -> dict[str, Any]:
        """Without the population itself: what of it scores is among the fitted attributes."""
        state: dict[str, Any] = super().__getstate__()
        return {**state, "population": None}
