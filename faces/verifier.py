"""The trained verifier: a scaler and a classifier that turn embeddings into the probability of "me"."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from faces import scoring
from faces.errors import UserError
from faces.files import replacing
from faces.message import Message
from faces.scoring import probability

RECIPE_ATTRIBUTE = "embedding_recipe_"
"""Attribute of the saved classifier that says how its embeddings were made (`Manifest.recipe`)."""


MADE_WITH_ATTRIBUTE = "made_with_"
"""Attribute of the saved classifier that says which code and packages made its embeddings and compute its scores."""

_FAR_OUT = 700.0  # log odds beyond which their exponential is no number any more


class VerifierError(UserError):
    """The trained model cannot be used; the message says why and what to do."""


_CODE = {
    "code": "the code that turns a photo into an embedding (faces/detection, faces/recognition) has changed",
    "scoring": "the code that turns an embedding into a score (faces/verifier.py, faces/scoring.py) has changed",
}


class VerifierNotFoundError(VerifierError):
    """Model or scaler is not there."""


class NetworksMismatchError(VerifierError):
    """The model was trained on embeddings that these networks do not make."""


class Verifier:
    """Scores embeddings with `model.predict_proba(scaler.transform(embedding))[:, 1]`.

    Args:
        model: a fitted scikit-learn classifier of two classes, 1 = me.
        scaler: a fitted scikit-learn transformer.
    """

    def __init__(self, model: Any, scaler: Any) -> None:
        self.model = model
        self.scaler = scaler

    @classmethod
    def load(cls, model_path: Path, scaler_path: Path) -> Verifier:
        """Load both files. They are pickles: load only what you or your pipeline wrote.

        Raises:
            VerifierNotFoundError: a file is missing.
            VerifierError: a file is not a fitted model or scaler.
        """
        loaded = []
        for path, method in ((model_path, "predict_proba"), (scaler_path, "transform")):
            if not path.is_file():
                raise VerifierNotFoundError("there is no {path}: run 'dvc repro' to train", path=path)
            try:
                value = scoring.load(path)
            except Exception as error:  # a pickle can raise anything at all
                if isinstance(error, ImportError):
                    lacks = Message("the package {name} is not installed", name=error.name)
                else:
                    lacks = Message("it is damaged")
                raise VerifierError(
                    "{path} cannot be loaded ({lacks}): run 'dvc repro' again", path=path, lacks=lacks
                ) from error
            if not hasattr(value, method):
                raise VerifierError(
                    "{path} holds a {kind}; expected something with {method}()",
                    path=path,
                    kind=type(value).__name__,
                    method=method,
                )
            loaded.append(value)
        return cls(*loaded)

    def save(self, model_path: Path, scaler_path: Path) -> None:
        """Write both files, each in one step; an older pair stays until the new one is complete."""
        with replacing(scaler_path) as scaler_file, replacing(model_path) as model_file:
            joblib.dump(self.scaler, scaler_file)
            joblib.dump(self.model, model_file)

    @property
    def recipe(self) -> dict[str, Any] | None:
        """How the embeddings it was trained on were made; None for a model saved by other programs."""
        value: dict[str, Any] | None = getattr(self.model, RECIPE_ATTRIBUTE, None)
        return value

    @property
    def made_with(self) -> dict[str, str] | None:
        """Which code and packages it was trained with (`describe`); None for a model saved by other programs."""
        value: dict[str, str] | None = getattr(self.model, MADE_WITH_ATTRIBUTE, None)
        return value

    def describe(self, recipe: Mapping[str, Any], made_with: Mapping[str, str]) -> None:
        """Say, within the model itself, how the embeddings it was trained on were made.

        Args:
            recipe: `Manifest.recipe` of the networks.
            made_with: `faces.fingerprint.embedding_fingerprint` of whoever made them, with the key "scoring" for
                `scoring_fingerprint`.
        """
        setattr(self.model, RECIPE_ATTRIBUTE, dict(recipe))
        setattr(self.model, MADE_WITH_ATTRIBUTE, dict(made_with))

    def differences(self, made_with: Mapping[str, str]) -> list[str]:
        """How the code and the packages in use differ from those of the training: a phrase for each difference.

        Args:
            made_with: as `describe` takes it, of the code in use.
        """
        if self.made_with is None:
            return []
        said = []
        for name, now in made_with.items():
            before = self.made_with.get(name, "unknown")
            if before != now:
                said.append(_CODE.get(name, f"{name} is {now}, and was {before}"))
        return said

    @property
    def flip(self) -> bool:
        """Whether it was trained on embeddings averaged with those of the mirrored face."""
        return bool(self.recipe.get("flip", True)) if self.recipe else True

    def check_recipe(self, recipe: Mapping[str, Any]) -> None:
        """Make sure that it was trained on embeddings made as these are.

        Args:
            recipe: `Manifest.recipe` of the networks in use, with this verifier's `flip`.

        Raises:
            NetworksMismatchError: it was not; the message says what differs.
        """
        wanted = self.recipe
        if wanted is not None:
            for key, given in recipe.items():
                if wanted.get(key) != given:
                    raise NetworksMismatchError(
                        "the model was trained with {key} {trained!r}, the networks have {given!r}",
                        key=key,
                        trained=wanted.get(key),
                        given=given,
                    )
        for part, name in ((self.scaler, Message("scaler")), (self.model, Message("model"))):
            size = getattr(part, "n_features_in_", recipe["embedding_size"])
            if size != recipe["embedding_size"]:
                raise NetworksMismatchError(
                    "the {name} takes embeddings of {size:# value|# values}, the networks ({backbone}) make {made}",
                    name=name,
                    size=size,
                    backbone=recipe["backbone"],
                    made=recipe["embedding_size"],
                )

    def strangers_like(self, scores: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The share of strangers who are estimated to reach scores.

        Args:
            scores: float64 [N], 0 to 1.

        Returns:
            float64 [N], 0 to 1; None for a model that was trained without a population.
        """
        estimate = getattr(self.model, "strangers_like", None)
        if estimate is None:
            return None
        with np.errstate(divide="ignore"):
            log_odds = np.log(scores) - np.log1p(-scores)
        shares: NDArray[np.float64] = estimate(np.clip(log_odds, -_FAR_OUT, _FAR_OUT))
        return np.where(scores <= 0, 1.0, shares)

    def score_reached_by(self, share: float) -> float | None:
        """The score that a share of strangers, above 0 and below 1, is estimated to reach.

        None for a model that was trained without a population.
        """
        estimate = getattr(self.model, "log_odds_reached_by", None)
        return None if estimate is None else float(probability(np.array(estimate(share))))

    def score(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probability of "me".

        Args:
            embeddings: float32 [N, D].

        Returns:
            float64 [N], 0 to 1.
        """
        scores: NDArray[np.float64] = self.model.predict_proba(self.scaler.transform(embeddings))[:, 1]
        return scores.astype(np.float64)
