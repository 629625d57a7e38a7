"""How strangers' embeddings are spread, as numbers, and what follows: how many strangers score as high as a photo does.

Thirty photos of a person say nothing of strangers, and sixty photos of strangers say little of the one in a thousand
who looks like that person. But how faces in general are spread is the same for everybody, and can be learnt once, from
thousands of people: the embeddings are described by a mixture of Gaussians. It holds no face and no embedding of
anybody.

Along any vector v of length 1, such as a person's template, a mixture of Gaussians is a mixture of normal
distributions. So the share of strangers whose cosine to v is c or more is a sum of a few normal tails: `log_tail`. A
probe is compared with a template from both sides: how few strangers are as near to the template as the probe is, and
how few are as near to the probe as the template is. `likeness` puts the two together. It means the same for everybody:
a template that many resemble needs a higher cosine for the same likeness. So the share of strangers with a likeness or
more, the FAR, can be read from one table.

`python -m bench.population LFW` shows how true that is, with people that the population was not fitted to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.errors import UserError
from faces.files import replacing

Vector = NDArray[np.float64]

PROBE_SIDE = 0.5
"""Weight of the probe's side of a likeness; the template's has 1, since a mean of several photos is surer."""

PRIOR_PEOPLE = 30
"""How many of a project's own strangers count as much as the population's weights do."""

_ROUNDS = 20  # of expectation and maximisation, when weights follow own strangers
_FORMAT = 1
_ARRAYS = ("mean", "basis", "residual", "weights", "centres", "covariances", "likenesses", "fars")
_FAR_OUT = 30.0  # standard deviations from where on math.erfc loses digits


class PopulationError(UserError):
    """A population cannot be used; the message says why and what to do."""


def log_upper_tail(deviations: Vector) -> Vector:
    """Logarithm of the share of a standard normal distribution above a value, for any shape, also where it is tiny."""
    near = np.minimum(deviations, _FAR_OUT)
    share = np.log(0.5 * _erfc(near / math.sqrt(2)))
    far = np.maximum(deviations, _FAR_OUT)
    # The asymptotic series; its relative error is below 105 / 30^8, the first term that is left out: 2e-10.
    series = 1 - far**-2.0 + 3 * far**-4.0 - 15 * far**-6.0
    beyond = -(far**2) / 2 - np.log(far * math.sqrt(2 * math.pi)) + np.log(series)
    result: Vector = np.where(deviations > _FAR_OUT, beyond, share)
    return result


def _erfc(values: Vector) -> Vector:
    """SciPy has it vectorised; importing that takes the service longer than all that it computes with it."""
    return np.array([math.erfc(value) for value in values.ravel().tolist()], np.float64).reshape(values.shape)


def log_sum_exp(values: Vector) -> Vector:
    """Logarithm of the sum of exponentials along the last axis, without overflow."""
    highest = values.max(axis=-1, keepdims=True)
    result: Vector = highest[..., 0] + np.log(np.exp(values - highest).sum(axis=-1))
    return result


@dataclass(frozen=True)
class Spread:
    """The cosines of strangers to vectors: a normal distribution for each component of the mixture.

    Attributes:
        means, deviations: float64 [N, K].
    """

    means: Vector
    deviations: Vector


@dataclass(frozen=True)
class Mixture:
    """The distribution of embeddings of length 1: K Gaussians that differ in the P directions in which faces vary most.

    Attributes:
        mean: float64 [D], of all.
        basis: float64 [D, P], orthonormal: the directions.
        residual: float64 [D, D], the covariance that is left in all other directions, the same for each Gaussian.
        weights: float64 [K], sum 1.
        centres: float64 [K, P], of the Gaussians, from the mean on.
        covariances: float64 [K, P, P].
    """

    mean: Vector
    basis: Vector
    residual: Vector
    weights: Vector
    centres: Vector
    covariances: Vector

    def spread(self, vectors: Vector) -> Spread:
        """Of the cosines to vectors of length 1, float64 [N, D]."""
        inside = vectors @ self.basis
        means = (vectors @ self.mean)[:, None] + inside @ self.centres.T
        variances = np.einsum("np,kpq,nq->nk", inside, self.covariances, inside)
        variances += np.einsum("nd,de,ne->n", vectors, self.residual, vectors, optimize=True)[:, None]
        return Spread(means, np.sqrt(np.maximum(variances, 1e-12)))

    def _log_densities(self, embeddings: Vector) -> Vector:
        """Logarithm of each Gaussian's density at embeddings [N, D] of length 1, up to a constant: float64 [N, K]."""
        inside = (embeddings - self.mean) @ self.basis
        columns = []
        for centre, covariance in zip(self.centres, self.covariances, strict=True):
            lower = np.linalg.cholesky(covariance)
            whitened = np.linalg.solve(lower, (inside - centre).T)
            columns.append(-0.5 * (whitened**2).sum(axis=0) - np.log(np.diag(lower)).sum())
        return np.stack(columns, axis=1)

    def log_density(self, embeddings: Vector) -> Vector:
        """How densely people lie around embeddings [N, D] of length 1: logarithm, up to a constant, float64 [N]."""
        return log_sum_exp(self._log_densities(embeddings) + np.log(self.weights))

    def responsibilities(self, embeddings: Vector) -> Vector:
        """To which Gaussian each of the embeddings [N, D] belongs: float64 [N, K], rows that sum to 1."""
        return _shares(self._log_densities(embeddings), self.weights)

    def adapted(self, strangers: Vector) -> Vector:
        """Weights for a place whose people are such as some strangers are, by expectation and maximisation.

        Args:
            strangers: float64 [N, D] of length 1, one for each person; may be none.

        Returns:
            Logarithms of the weights, float64 [K].
        """
        weights, densities = self.weights, self._log_densities(strangers)
        for _ in range(_ROUNDS if len(strangers) else 0):
            counts = _shares(densities, weights).sum(axis=0)
            weights = (counts + PRIOR_PEOPLE * self.weights) / (len(strangers) + PRIOR_PEOPLE)
        return np.log(weights)


def _shares(log_densities: Vector, weights: Vector) -> Vector:
    """How much of each embedding is due to each Gaussian: float64 [N, K], for densities [N, K] and weights [K]."""
    joint = log_densities + np.log(weights)
    result: Vector = np.exp(joint - log_sum_exp(joint)[:, None])
    return result


def log_tail(spread: Spread, cosines: Vector, log_weights: Vector) -> Vector:
    """Logarithm of the share of strangers whose cosine to a vector is as high or higher.

    Args:
        spread: of N vectors, or of one.
        cosines: float64 [N].
        log_weights: float64 [K], of the Gaussians.

    Returns:
        float64 [N], at most about 0.
    """
    deviations = (cosines[:, None] - spread.means) / spread.deviations
    return log_sum_exp(log_weights + log_upper_tail(deviations))


def likeness(of_template: Spread, of_probes: Spread, cosines: Vector, log_weights: Vector) -> Vector:
    """How seldom strangers are as near to a template as probes are, and as near to the probes as the template is.

    Args:
        of_template: of one vector.
        of_probes: of N.
        cosines: float64 [N], between the template and each probe.
        log_weights: float64 [K].

    Returns:
        float64 [N], about 0 for somebody like all others; strangers seldom have more than 10, and photos of the
        template's person seldom less.
    """
    result: Vector = -log_tail(of_template, cosines, log_weights)
    return result - PROBE_SIDE * log_tail(of_probes, cosines, log_weights)


@dataclass(frozen=True)
class Population:
    """A mixture, and what a likeness by it means.

    Attributes:
        mixture: how strangers' embeddings are spread.
        likenesses, fars: float64 [M], rising and falling: the share of strangers who reach each likeness.
        slope: how much the log odds of being "me" rise with the likeness.
        recipe: which embeddings it is of; see `describes`.
        source: whose photos it was fitted to, for people to read.
        people: how many.
    """

    mixture: Mixture
    likenesses: Vector
    fars: Vector
    slope: float
    recipe: dict[str, Any]
    source: str
    people: int

    def describes(self, recipe: Mapping[str, Any]) -> bool:
        """Whether it is of embeddings made so, as `faces.recognition.networks.Manifest.recipe` says."""
        return bool(self.recipe == relevant(recipe))

    def write(self, path: Path) -> None:
        """Write the file, in one step."""
        about = {"format": _FORMAT, "slope": self.slope, "recipe": self.recipe, "source": self.source}
        about["people"] = self.people
        arrays = {**vars(self.mixture), "likenesses": self.likenesses, "fars": self.fars}
        arrays["residual"] = self.mixture.residual[np.triu_indices(len(self.mixture.mean))]
        stored: dict[str, Any] = {name: np.asarray(arrays[name], np.float32) for name in _ARRAYS}
        stored["about"] = np.array(json.dumps(about, ensure_ascii=False, sort_keys=True))
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **stored)

    @classmethod
    def read(cls, path: Path) -> Population:
        """Read the file.

        Raises:
            PopulationError: it is missing or damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                arrays = {name: stored[name].astype(np.float64) for name in _ARRAYS}
            if about["format"] != _FORMAT:
                raise ValueError("another format")
            arrays["residual"] = _symmetric(arrays["residual"], len(arrays["mean"]))
            likenesses, fars = arrays.pop("likenesses"), arrays.pop("fars")
            return cls(
                Mixture(**arrays), likenesses, fars, float(about["slope"]), dict(about["recipe"]),
                str(about["source"]), int(about["people"]),
            )  # fmt: skip
        except FileNotFoundError:
            raise PopulationError("there is no {path}; expected a population that was fitted", path=path) from None
        except Exception as error:  # a damaged archive raises what it likes
            raise PopulationError(
                "{path} is no population, or damaged: fit it again (python -m faces.fit_population)", path=path
            ) from error

    def far(self, likeness: Vector) -> Vector:
        """The share of strangers who are estimated to reach a likeness, 0 to 1, for any shape."""
        return far_of(likeness, self.likenesses, self.fars)

    def likeness_at(self, far: float) -> float:
        """The likeness that a share of strangers reaches, above 0 and below 1."""
        return likeness_of(far, self.likenesses, self.fars)


def likeness_of(far: float, likenesses: Vector, fars: Vector) -> float:
    """Read the same table the other way: the likeness that a share of strangers, above 0 and below 1, reaches."""
    x, y = likenesses, np.log(fars)
    wanted = math.log(far)
    at = int(np.clip(np.searchsorted(-y, -wanted), 1, len(x) - 1))
    return float(x[at - 1] + (wanted - y[at - 1]) * (x[at] - x[at - 1]) / (y[at] - y[at - 1]))


def far_of(likeness: Vector, likenesses: Vector, fars: Vector) -> Vector:
    """Read a table of likeness and FAR: between its rows, and beyond its ends, ln FAR falls in straight lines."""
    x, y = likenesses, np.log(fars)
    at = np.clip(np.searchsorted(x, likeness), 1, len(x) - 1)
    slope = (y[at] - y[at - 1]) / (x[at] - x[at - 1])
    result: Vector = np.exp(np.minimum(y[at - 1] + slope * (likeness - x[at - 1]), 0.0))
    return result


def relevant(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Of a recipe of embeddings, what decides how they are spread; which faces are found decides little."""
    return {
        "backbone": recipe["backbone"],
        "embedding_size": recipe["embedding_size"],
        "embedder": recipe["weights"]["embedder"],
        "flip": recipe["flip"],
    }


def _symmetric(upper: Vector, size: int) -> Vector:
    """A symmetric matrix from its upper triangle."""
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = upper
    return matrix + np.triu(matrix, 1).T
