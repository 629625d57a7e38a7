"""Models for tests, with the records without which nothing loads them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from faces.photo_limits import PhotoLimits
from faces.recognition.recognizer import Recognizer
from faces.records import FOLDER, write_recorded
from faces.verifier import Verifier
from faces.verifier_arrays import RECIPE_ATTRIBUTE
from stages.estimation.fit import fit
from stages.estimation.population import population_for
from stages.files.dataset import Dataset
from stages.params import Params
from stages.train.train import photo_limits

TRAINED = ("model.joblib", "scaler.joblib", "verifier.npz", "photo_limits.json")
"""Files that the stage train writes into models/."""


def record(folder: Path, stage: str, *names: str) -> None:
    """Write the record of files as they are now, as if a stage had written them."""
    write_recorded(folder, stage, {name: (folder / name).read_bytes() for name in names})


def record_trained(folder: Path) -> None:
    """Record those of `TRAINED` that are in a folder."""
    record(folder, "train", *(name for name in TRAINED if (folder / name).is_file()))


def record_networks(networks: Path) -> None:
    """Record a folder's networks.json."""
    record(networks.parent, "export", f"{networks.name}/networks.json")


def save(folder: Path, model: Any, scaler: Any) -> None:
    """Write model and scaler as the stage train does, and record all of `TRAINED` that is there."""
    Verifier(model, scaler).save(folder)
    record_trained(folder)


def dump(folder: Path, model: Any, scaler: Any) -> None:
    """Write model and scaler as another program does, with joblib alone, and record them.

    They are pickles, and loaded only where the record is signed or where unrecorded models are allowed.
    """
    joblib.dump(model, folder / "model.joblib")
    joblib.dump(scaler, folder / "scaler.joblib")
    (folder / "verifier.npz").unlink(missing_ok=True)
    record_trained(folder)


def put_photo_limits(path: Path, limits: PhotoLimits) -> None:
    """Write a file of limits into a folder without a model, and record it."""
    path.write_text(limits.to_json(), encoding="utf-8")
    record(path.parent, "train", path.name)


def copy_networks(source: Path, target: Path) -> Path:
    """Copy a folder of networks and their record; returns `target`."""
    shutil.copytree(source, target)
    _copy_record(source.parent, target.parent, "export")
    return target


def copy_trained(source: Path, target: Path) -> Path:
    """Copy what train writes into models/, and the record; returns `target`."""
    target.mkdir(parents=True, exist_ok=True)
    for name in TRAINED:
        shutil.copy(source / name, target)
    _copy_record(source, target, "train")
    return target


def _copy_record(source: Path, target: Path, stage: str) -> None:
    (target / FOLDER).mkdir(exist_ok=True)
    shutil.copy(source / FOLDER / f"{stage}.json", target / FOLDER)


def write_trained(
    folder: Path, recognizer: Recognizer, params: Params, me: Sequence[Path], others: Sequence[Path]
) -> None:
    """Train on the largest faces of photos, and write into a folder what the stage train writes into models/."""
    embeddings, labels = [], []
    for label, photos in ((1, me), (0, others)):
        for photo in photos:
            face = recognizer.largest_face(photo)
            if face is not None:
                recognizer.embed([face])
                embeddings.append(face.embedding)
                labels.append(label)
    # `embed` has filled in every embedding, which a type cannot say
    data = Dataset(np.stack(embeddings), np.array(labels), np.arange(len(labels)))  # type: ignore[arg-type]
    recipe = recognizer.networks.manifest.recipe(recognizer.flip)
    verifier = fit(data, params.train, population_for(params.train, recipe))
    setattr(verifier.model, RECIPE_ATTRIBUTE, recipe)
    verifier.save(folder, {"photo_limits.json": photo_limits(params.quality).to_json().encode()})
