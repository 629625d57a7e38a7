"""A trained verifier as arrays: verifier.npz, which holds no code and is read without scikit-learn.

The two joblib files beside it are pickles: reading one can run anything, and takes scikit-learn, whose import takes
longer (1.3 s) than all else that the service does until its first answer. The arrays say the same, to the last bit.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.scoring import CosineScoring, LogisticScoring, PopulationScoring, StandardScaling

RECIPE_ATTRIBUTE = "embedding_recipe_"
"""Attribute of the saved classifier that says how its embeddings were made (`Manifest.recipe`)."""

MADE_WITH_ATTRIBUTE = "made_with_"
"""Attribute of the saved classifier that says which code and packages made its embeddings and compute its scores."""

_FORMAT = 1
_ABOUT = "about"
_TEXTS = (RECIPE_ATTRIBUTE, MADE_WITH_ATTRIBUTE)

_POPULATION = (*PopulationScoring.__annotations__, "look_alike_groups_", "n_features_in_")
_KINDS: dict[str, tuple[type, tuple[str, ...]]] = {
    "cosine": (CosineScoring, ("template_", "slope_", "intercept_", "n_features_in_")),
    "population": (PopulationScoring, _POPULATION),
    "logistic_regression": (LogisticScoring, ("coef_", "intercept_", "n_features_in_")),
    "standard_scaler": (StandardScaling, ("mean_", "scale_", "with_mean", "n_features_in_")),
}
"""For each kind, what scores in its place, and the attributes that it needs: numbers, arrays, dicts of arrays, None."""


def encode(model: Any, scaler: Any) -> bytes | None:
    """The content of verifier.npz.

    Args:
        model, scaler: fitted, such as `stages.estimation.fit.fit` makes.

    Returns:
        None for those that have no such form, such as an SVC of scikit-learn's; the pipeline trains none.
    """
    kinds = {"model": _kind(model), "scaler": _kind(scaler)}
    if None in kinds.values():
        return None
    texts = {name: getattr(model, name) for name in _TEXTS if hasattr(model, name)}
    about = {"format": _FORMAT, "kinds": kinds, "texts": texts}
    arrays: dict[str, Any] = {_ABOUT: np.array(json.dumps(about, sort_keys=True))}
    for part, estimator in (("model", model), ("scaler", scaler)):
        for name in _KINDS[str(kinds[part])][1]:
            arrays.update(_flattened(f"{part}/{name}", getattr(estimator, name)))
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def decode(data: bytes) -> tuple[Any, Any]:
    """Model and scaler of the content of verifier.npz. Nothing in it can run.

    Raises:
        Exception: whatever numpy, or what is missing, makes of content that is damaged or of another version.
    """
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    about = json.loads(str(arrays.pop(_ABOUT)))
    if about["format"] != _FORMAT:
        raise ValueError(f"format {about['format']!r}; expected {_FORMAT}")
    parts = []
    for part in ("model", "scaler"):
        of_kind, names = _KINDS[about["kinds"][part]]
        estimator = of_kind()
        for name in names:
            setattr(estimator, name, _unflattened(f"{part}/{name}", arrays))
        parts.append(estimator)
    for name, value in about["texts"].items():
        if name in _TEXTS:
            setattr(parts[0], name, value)
    return parts[0], parts[1]


def _kind(estimator: Any) -> str | None:
    """Which of `_KINDS` an estimator is; None where it is another, or is not fitted."""
    # Here alone, where somebody has fitted one: reading takes no scikit-learn.
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    read = {of_kind: name for name, (of_kind, _) in _KINDS.items()}.get(type(estimator))  # what `decode` has made
    if read is not None:
        kind = read
    elif isinstance(estimator, PopulationScoring):
        kind = "population"
    elif isinstance(estimator, CosineScoring):
        kind = "cosine"
    elif type(estimator) is LogisticRegression and len(getattr(estimator, "coef_", ())) == 1:
        kind = "logistic_regression"  # one row of coefficients: two classes
    elif type(estimator) is StandardScaler:
        kind = "standard_scaler"
    else:
        return None
    return kind if all(hasattr(estimator, name) for name in _KINDS[kind][1]) else None


def _flattened(name: str, value: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays of an attribute by name; of a dict, one for each entry; of None, none."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield f"{name}/{key}", np.asarray(item)
    elif value is not None:
        yield name, np.asarray(value)


def _unflattened(name: str, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The attribute that was flattened: an array, a number, a dict of arrays, or None."""
    if name in arrays:
        array = arrays[name]
        return array if array.ndim else array.item()
    return {key.removeprefix(f"{name}/"): arrays[key] for key in arrays if key.startswith(f"{name}/")} or None
