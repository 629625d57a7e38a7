"""Stage train: estimate how the verifier does on faces it has not seen, then fit the one that serves.

Writes models/model.joblib, models/scaler.joblib, models/verifier.npz (the same as arrays, which hold no code),
models/photo_limits.json (from where a photo is too poor, for the service), models/records/train.json (which files these
are), data/predictions.csv (scores of faces by models that did not see them, which stage evaluate judges) and
reports/metrics.json.

With cross-validation (the default) the model that serves is trained on every face, and the figures are of models that
were trained on four fifths of them in the same way. With `train.protocol: holdout` the model is trained on its part of
the split alone, and the figures are its own.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from faces.fingerprint import scoring_fingerprint
from faces.photo_limits import PhotoLimits
from faces.population import Population
from faces.population_classifier import PopulationClassifier
from faces.verifier import Verifier
from stages.errors import StageError
from stages.estimation.fit import enrolled, fit, predict
from stages.estimation.population import population_for
from stages.estimation.protocol import make_splits
from stages.estimation.rates import classification_metrics
from stages.files.dataset import IMBALANCED, RECOMMENDED, Dataset, load_dataset
from stages.files.least_photos import why_others_are_needed
from stages.files.making import made_from
from stages.files.paths import (
    EMBEDDING_RECIPE,
    EMBEDDINGS,
    GROUPS,
    INDEX,
    LABELS,
    METRICS,
    MODEL,
    MODELS,
    PHOTO_LIMITS,
    PREDICTIONS,
    SCALER,
    TRAIN_RECORD,
    VERIFIER_ARRAYS,
)
from stages.files.photos import CLASSES
from stages.files.tables import read_table, reading_output_of, write_json, write_table
from stages.language.telling import number, some, tell
from stages.params import Params, QualityParams, TrainParams, load_params

OUTPUTS = (MODEL, SCALER, VERIFIER_ARRAYS, PHOTO_LIMITS, TRAIN_RECORD, PREDICTIONS, METRICS)

FEW_OTHERS = 300
"""People of not_me below which even a FAR of 1 % cannot be promised."""

_NAMED = 10  # photos that a warning names at most

logger = logging.getLogger(__name__)


def build_metrics(
    data: Dataset, predictions: pd.DataFrame, trained: Dataset, params: TrainParams, backbone: str
) -> dict[str, Any]:
    """The content of metrics.json: figures on unseen faces at the classifier's own threshold, 0.5."""
    metrics: dict[str, Any] = {}
    given, trained = len(trained.labels), enrolled(trained, params)
    for part in ("test", "validation"):
        own = predictions[predictions["part"] == part]
        if len(own):
            weights = np.full(len(own), 1 / predictions["repeat"].nunique())
            figures = classification_metrics(own["label"].to_numpy(), own["score"].to_numpy(), 0.5, weights)
            metrics |= figures if part == "test" else {"validation": figures}
    return metrics | {
        "backbone": backbone,
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
        "not_enrolled": given - len(trained.labels),
    }


def describe_protocol(predictions: pd.DataFrame, params: TrainParams) -> dict[str, Any]:
    """How the figures were estimated, for metrics.json."""
    if params.protocol == "holdout":
        return {"name": "holdout", "test_size": params.test_size, "validation_size": params.validation_size}
    return {"name": "cross_validation", "folds": params.folds, "repeats": int(predictions["repeat"].nunique())}


def describe_population(verifier: Verifier, population: Population | None, params: TrainParams) -> dict[str, Any]:
    """Whether the model knows how strangers are spread, and from where, for metrics.json.

    `used` is False with a `reason`: "none" where there is no population for these embeddings, or none is wanted;
    "contradicted" where the faces of others do not follow it.
    """
    if population is None:
        return {"used": False, "reason": "none"}
    about = {"source": population.source, "people": population.people}
    if not isinstance(verifier.model, PopulationClassifier):
        return {"used": False, "reason": "contradicted", **about}
    return {
        "used": True,
        **about,
        "far_at_default": params.population_far,
        "strangers": params.strangers,
        "like_me_factor": verifier.model.like_me_factor(),
        "look_alikes": len(verifier.model.look_alikes_),
    }


def _check_others(data: Dataset, recipe: dict[str, Any], population: Population | None, params: TrainParams) -> None:
    """Raise a StageError where photos of others are needed and there is none."""
    if population is not None or data.count_groups(0):
        return
    reason = why_others_are_needed(recipe["backbone"], params)
    if reason is not None:
        raise StageError(reason)
    raise StageError(
        "there is no photo with a face in data/not_me, and for the backbone {backbone} it is not known how "
        "strangers' faces are spread. Add photos of other people; or set backbone.name to dlib-resnet in "
        "params.yaml, whose population is shipped; or fit one: python -m faces.fit_population FOLDER (photos of "
        "400 people or more), and name it in train.population",
        backbone=recipe["backbone"],
    )


def _count(labels: NDArray[Any]) -> dict[str, int]:
    return {name: int((labels == label).sum()) for label, name in enumerate(CLASSES)}


def _warn(data: Dataset) -> None:
    for label, class_name in enumerate(CLASSES):
        faces, count = int((data.labels == label).sum()), data.count_distinct(label)
        if not count:
            logger.info(tell("{name} is empty: what strangers do is estimated, not measured", name=class_name))
        elif count < RECOMMENDED:
            if count < faces:
                text = (
                    "{name} has {faces:# face|# faces} of {count:# shot|# shots}, since copies count once; "
                    "{recommended} to 30 shots are the recommended minimum"
                )
            else:
                text = "{name} has {count:# face|# faces}; {recommended} to 30 are the recommended minimum"
            logger.warning(tell(text, name=class_name, faces=faces, count=count, recommended=RECOMMENDED))
    if not data.count_distinct(0):
        return  # an imbalance that is wanted
    share = data.count_distinct(1) / max(data.count_distinct(0) + data.count_distinct(1), 1)
    if min(share, 1 - share) < IMBALANCED:
        text = "{share:.0f} % of the faces are me: an imbalance. Accuracy then says little; look at FAR and FRR"
        logger.warning(tell(text, share=100 * share))


def _name_blurred(data: Dataset) -> None:
    """A warning that names the photos of me that are too blurred to enrol somebody with."""
    left_out = np.flatnonzero(data.left_out())
    if not len(left_out):
        return
    photos = read_table(INDEX, "embed", ["photo"])["photo"]
    names = some([photos[row] for row in left_out], _NAMED)
    text = (
        "{count:# photo of me is|# photos of me are} too blurred (quality.min_sharpness) and not enrolled, since "
        "blurred strangers would pass for me then: {names}"
    )
    logger.warning(tell(text, count=len(left_out), names=names))


def read_making(data: Dataset) -> tuple[dict[str, Any], dict[str, str]]:
    """How the embeddings were made, as stage embed says: `Manifest.recipe`, and code and packages.

    Raises:
        StageError: the file is missing or damaged, or is of other embeddings.
    """
    with reading_output_of("embed", EMBEDDING_RECIPE):
        making = json.loads(EMBEDDING_RECIPE.read_text(encoding="utf-8"))
        recipe, made_with = dict(making["recipe"]), dict(making["made_with"])
        backbone, size = str(recipe["backbone"]), int(recipe["embedding_size"])
    if data.embeddings.shape[1] != size:
        raise StageError(
            "{embeddings} has {dimensions:# dimension|# dimensions}, the networks ({backbone}) make {size}: run 'dvc "
            "repro' (or 'python -m stages.embed') first",
            embeddings=EMBEDDINGS,
            dimensions=data.embeddings.shape[1],
            backbone=backbone,
            size=size,
        )
    return recipe, made_with


def photo_limits(params: QualityParams) -> PhotoLimits:
    """The limits of the stage quality, for the service."""
    return PhotoLimits(**{name: getattr(params, name) for name in PhotoLimits.__dataclass_fields__})


def _save(verifier: Verifier, params: Params, backbone: str) -> None:
    """Write the verifier and what goes with it, and record them."""
    limits = photo_limits(params.quality)
    inputs = [EMBEDDINGS, LABELS, GROUPS, EMBEDDING_RECIPE]
    if params.train.population not in ("auto", "none"):
        inputs.append(Path(params.train.population))
    packages = ("joblib", "numpy", "scikit-learn", "scipy")
    making = made_from("train", inputs, {"quality": limits, "train": params.train}, packages)
    verifier.save(MODELS, {PHOTO_LIMITS.name: limits.to_json().encode()}, making, backbone)


def summarise(metrics: dict[str, Any], faces: int) -> str:
    """What the stage says on the terminal."""
    lines = []
    if metrics["accuracy"] is None:
        text = (
            "train: {faces:# face|# faces} of me alone ({verifier}); of faces not seen, {recall:.1f} % pass at 0.5 → "
            "{model}"
        )
        figures = {"recall": 100 * metrics["recall"]}
    else:
        text = (
            "train: {faces:# face|# faces} ({verifier}); on faces not seen: accuracy {accuracy:.3f}, AUC {auc:.4f}, F1 "
            "{f1:.3f} at 0.5 → {model}"
        )
        figures = {"accuracy": metrics["accuracy"], "auc": metrics["auc_roc"], "f1": metrics["f1_score"]}
    lines.append(tell(text, faces=faces, verifier=metrics["verifier"], model=MODEL, **figures))
    known = metrics["population"]
    if known["used"]:
        text = "  strangers as in {source} ({people:# person|# people}): {far} % of them are estimated to reach 0.75"
        if known["strangers"] == "like_me":
            text = (
                "  strangers as in {source} ({people:# person|# people}) who resemble me: {far} % of them are "
                "estimated to reach 0.75"
            )
        far = number(100 * known["far_at_default"], ".2g")
        lines.append(tell(text, source=known["source"], people=known["people"], far=far))
    elif known["reason"] == "contradicted":
        text = (
            "  the faces of others do not look like those of {source}, so nothing is estimated from these: FAR is "
            "measured alone"
        )
        lines.append(tell(text, source=known["source"]))
    elif metrics["verifier"] == "cosine" and metrics["people"]["not_me"] < FEW_OTHERS:
        text = (
            "  for {backbone}, it is not known how strangers' faces are spread, so with few photos of others little is "
            "known of FAR: with backbone.name dlib-resnet it is estimated"
        )
        lines.append(tell(text, backbone=metrics["backbone"]))
    return "\n".join(lines)


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    data = load_dataset()
    recipe, made_with = read_making(data)
    population = population_for(params.train, recipe)
    if params.train.verifier == "cosine":
        _name_blurred(data)
    _check_others(data, recipe, population, params.train)
    _warn(data)
    splits = make_splits(data, params.train, without_others=population is not None)
    predictions = predict(data, splits, params.train, population)
    trained = data.rows(splits[0].train) if params.train.protocol == "holdout" else data
    verifier = fit(trained, params.train, population)
    # In the model itself: it is not used with networks that embed in another way, and the service notices other code.
    verifier.describe(recipe, {**made_with, "scoring": scoring_fingerprint()})
    metrics = build_metrics(data, predictions, trained, params.train, recipe["backbone"])
    metrics["population"] = describe_population(verifier, population, params.train)
    write_table(PREDICTIONS, predictions)
    _save(verifier, params, recipe["backbone"])
    write_json(METRICS, metrics)
    print(summarise(metrics, len(trained.labels)))
