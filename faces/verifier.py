"""The trained verifier: a scaler and a classifier that turn embeddings into the probability of "me"."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.errors import UserError
from faces.message import Message
from faces.records import MadeFrom, RecordError, Trust, read_record, write_recorded
from faces.scoring import probability
from faces.verifier_arrays import MADE_WITH_ATTRIBUTE, RECIPE_ATTRIBUTE, decode, encode

STAGE = "train"
"""The stage that writes the files of a verifier."""

MODEL_NAME, SCALER_NAME, ARRAYS_NAME = "model.joblib", "scaler.joblib", "verifier.npz"
"""What the record of that stage calls them."""

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
        model: a fitted scikit-learn classifier of two classes, 1 = me; or what `faces.verifier_arrays` reads.
        scaler: a fitted scikit-learn transformer; or as above.
        model_sha256: of the file model.joblib that says the same as `model`; None where it was not read from one.
        arrays_sha256: of the file verifier.npz that `model` and `scaler` were read from; None likewise.
    """

    def __init__(
        self, model: Any, scaler: Any, model_sha256: str | None = None, arrays_sha256: str | None = None
    ) -> None:
        self.model = model
        self.scaler = scaler
        self.model_sha256 = model_sha256
        self.arrays_sha256 = arrays_sha256

    @classmethod
    def load(cls, model_path: Path, scaler_path: Path, trust: Trust | None = None) -> Verifier:
        """Load what the pipeline wrote, and nothing else.

        Both files have to be those that the record beside the model names, and so has verifier.npz beside it, whose
        arrays are what is read; the two files themselves are pickles and stay closed. They are opened in two cases:
        the record names no verifier.npz and is signed, since who can write a pickle can write a record, too; or
        `trust` allows what is not recorded.

        Args:
            model_path, scaler_path: the files. Each is read once: what is checked is what is loaded.
            trust: what is believed; None trusts as the stages do, `Trust.of_environment`.

        Raises:
            VerifierNotFoundError: a file is missing.
            VerifierError: a file is not the one that the record names; the record is missing, damaged or wrongly
                signed; or a file is not a fitted model or scaler.
        """
        files = {MODEL_NAME: _read(model_path), SCALER_NAME: _read(scaler_path)}
        paths = {MODEL_NAME: model_path, SCALER_NAME: scaler_path}
        try:
            trust = trust or Trust.of_environment()
            try:
                return cls._load_recorded(paths, files, trust)
            except RecordError as error:
                trust.tolerate(error)
        except RecordError as error:
            raise VerifierError(error.args[0]) from error
        return cls._unpickle(paths, files)

    @classmethod
    def _load_recorded(cls, paths: Mapping[str, Path], files: Mapping[str, bytes], trust: Trust) -> Verifier:
        """Load files that the record beside the model names.

        Raises:
            RecordError: there is no such record, or it names others.
        """
        folder = paths[MODEL_NAME].parent
        checked = read_record(folder, STAGE, paths[MODEL_NAME], trust.key)
        digests = {name: checked.check(name, paths[name], files[name]) for name in files}
        if ARRAYS_NAME in checked.record.files:
            path = folder / ARRAYS_NAME
            arrays = _read(path)
            digest = checked.check(ARRAYS_NAME, path, arrays)
            try:
                model, scaler = decode(arrays)
            except Exception as error:  # numpy has many for what is no archive of arrays
                raise _cannot_be_loaded(path, Message("it is damaged")) from error
            return cls(model, scaler, checked.record.of_the_same_run(ARRAYS_NAME, digest, MODEL_NAME), digest)
        if trust.key is None:
            raise RecordError(
                "{record} names no {arrays}, so {path} would have to be unpickled, which can run any code, and nothing "
                "proves who wrote the record. Run 'dvc repro --force train', which writes {arrays}; for a model of "
                "your own, set MODEL_SIGNING_KEY where it is saved and where it is loaded, or "
                "ALLOW_UNRECORDED_MODEL=true",
                record=checked.path,
                arrays=ARRAYS_NAME,
                path=paths[MODEL_NAME],
            )
        if not checked.record.is_one_run(digests):
            text = "{model} and {scaler} are of two trainings, one of which was stopped: run 'dvc repro --force train'"
            raise RecordError(text, model=paths[MODEL_NAME], scaler=paths[SCALER_NAME])
        return cls._unpickle(paths, files)

    @classmethod
    def _unpickle(cls, paths: Mapping[str, Path], files: Mapping[str, bytes]) -> Verifier:
        """Load pickles, which can run anything: of files that are trusted, as the caller has made sure."""
        import joblib  # here alone: what the pipeline trains needs neither it nor scikit-learn

        loaded = []
        for name, method in ((MODEL_NAME, "predict_proba"), (SCALER_NAME, "transform")):
            try:
                value = joblib.load(io.BytesIO(files[name]))
            except Exception as error:  # a pickle can raise anything at all
                if isinstance(error, ImportError):
                    lacks = Message("the package {name} is not installed", name=error.name)
                else:
                    lacks = Message("it is damaged")
                raise _cannot_be_loaded(paths[name], lacks) from error
            if not hasattr(value, method):
                raise VerifierError(
                    "{path} holds a {kind}; expected something with {method}()",
                    path=paths[name],
                    kind=type(value).__name__,
                    method=method,
                )
            loaded.append(value)
        return cls(loaded[0], loaded[1], hashlib.sha256(files[MODEL_NAME]).hexdigest())

    def save(
        self,
        folder: Path,
        beside: Mapping[str, bytes] | None = None,
        made_from: MadeFrom | None = None,
        backbone: str | None = None,
    ) -> None:
        """Write model.joblib, scaler.joblib, verifier.npz and the record that names them (`faces.records`).

        An older verifier can be loaded until the new one is complete, at every moment.

        Args:
            folder: where to.
            beside: further files of the same stage, content by name.
            made_from, backbone: for the record.
        """
        import joblib  # see _unpickle

        files = dict(beside or {})
        for name, value in ((SCALER_NAME, self.scaler), (MODEL_NAME, self.model)):
            file = io.BytesIO()
            joblib.dump(value, file)
            files[name] = file.getvalue()
        arrays = encode(self.model, self.scaler)
        if arrays is not None:
            files[ARRAYS_NAME] = arrays  # last: it decides which verifier is loaded
        write_recorded(folder, STAGE, files, made_from, backbone)

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


def _read(path: Path) -> bytes:
    """A file's content.

    Raises:
        VerifierNotFoundError: it is not there.
        VerifierError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise VerifierNotFoundError("there is no {path}: run 'dvc repro' to train", path=path) from None
    except OSError as error:
        raise _cannot_be_loaded(path, error.strerror or Message("unknown")) from error


def _cannot_be_loaded(path: Path, reason: Message | str) -> VerifierError:
    return VerifierError("{path} cannot be loaded ({lacks}): run 'dvc repro' again", path=path, lacks=reason)
