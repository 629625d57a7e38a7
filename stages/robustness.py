"""Stage robustness: how bad a photo may be, who comes nearest, and whether groups of people are served alike.

A sample of photos is degraded step by step and verified by models that did not see them, through the same code as the
service. Writes reports/robustness.{csv,png,json}, reports/strangers.csv (per person of not_me, the highest score) and,
from the optional data/attributes.csv, reports/fairness.{csv,json} (see stages/fairness.py).
"""

from __future__ import annotations

import io
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from faces.files import write_text
from faces.image import ImageError, Photo
from faces.networks import Networks
from faces.progress import progress
from faces.recognizer import Recognizer
from faces.verifier import Verifier
from stages import fairness, plots
from stages.dataset import Dataset, load_dataset
from stages.degradations import DEGRADATIONS, Box, Degradation, encode
from stages.errors import StageError, run_stage
from stages.figures import rounded
from stages.inputs import read_table
from stages.params import Params, load_params
from stages.paths import (
    DATA,
    FAIRNESS,
    FAIRNESS_CSV,
    INDEX,
    NETWORKS,
    PREDICTIONS,
    ROBUSTNESS,
    ROBUSTNESS_CSV,
    ROBUSTNESS_PNG,
    STRANGERS_CSV,
)
from stages.photos import CLASSES
from stages.protocol import Split, make_splits
from stages.train import fit

_LONG_SIDE = 1000  # pixels to which photos are reduced before they are degraded
_MORE_REJECTED = 2  # photos, at least, before FRR counts as doubled
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """A photo of the sample.

    Attributes:
        image: RGB, upright, at most `_LONG_SIDE` pixels.
        box: of its largest face, float64 [4] in the image's pixels.
        label: 1 = me.
        verifier: a model that did not see the photo's group.
        seed: of what is random about its degradations.
    """

    image: Image.Image
    box: Box
    label: int
    verifier: Verifier
    seed: int


def choose_rows(index: pd.DataFrame, data: Dataset, count: int, seed: int) -> list[int]:
    """Rows to sample: of each class up to `count` photos, a photo of each person first, by its largest face.

    Args:
        index: label and face of the rows to choose among.
        data: groups of all rows.
        count: of photos of each class, at most.
        seed: of the choice.
    """
    first = index.assign(group=data.groups[index.index]).query("face == '0'").sample(frac=1, random_state=seed)
    rows: list[int] = []
    for label in range(len(CLASSES)):
        own = first[first["label"] == str(label)]
        one_each = own.drop_duplicates("group")
        rows += pd.concat([one_each, own.drop(one_each.index)]).index[:count].tolist()
    return sorted(rows)


def first_round(data: Dataset, params: Params) -> list[Split]:
    """Splits that test a row once at most: every row in cross-validation, the part held out in holdout."""
    return [split for split in make_splits(data, params.train) if split.repeat == 0]


def load_samples(
    rows: list[int], index: pd.DataFrame, data: Dataset, networks: Networks, params: Params
) -> list[Sample]:
    """The photos of some rows, with a model each that saw nothing of their group."""
    splits = first_round(data, params)
    recognizer = open_recognizer(networks, params)
    samples = []
    for split in splits:
        own = [row for row in rows if row in set(split.test.tolist())]
        verifier = fit(data.rows(split.train), params.train) if own else None
        for row in own:
            assert verifier is not None
            try:
                image = _read(DATA / str(index["photo"][row]))
            except (ImageError, OSError) as error:
                raise StageError(f"{index['photo'][row]} cannot be read ({error}): run 'dvc repro' first") from error
            face = recognizer.largest_face(encode(image))
            if face is not None:
                samples.append(Sample(image, face.box, int(data.labels[row]), verifier, row))
    return samples


def _read(path: Any) -> Image.Image:
    image = Photo.open(path).decode(long_side=_LONG_SIDE)
    image.thumbnail((_LONG_SIDE, _LONG_SIDE))
    return image


def open_recognizer(networks: Networks, params: Params) -> Recognizer:
    """The service's recognizer, one thread a photo."""
    recognizer = Recognizer(networks, flip=params.embed.flip)
    recognizer.open(threads=1)
    return recognizer


def verify(recognizer: Recognizer, sample: Sample, photo: bytes) -> float:
    """The score of a photo, as the service gives it; NaN where it finds no face."""
    face = recognizer.largest_face(photo)
    if face is None:
        return float("nan")
    recognizer.embed([face])
    assert face.embedding is not None
    return float(sample.verifier.score(face.embedding[None])[0])


def measure(samples: list[Sample], recognizer: Recognizer, threshold: float) -> pd.DataFrame:
    """FRR and FAR at a threshold along every degradation.

    Args:
        samples: the photos.
        recognizer: opened; safe to use from several threads.
        threshold: from where a photo is accepted.

    Returns:
        A row for the undegraded photos (degradation "none") and for each step: degradation, level, unit, photos_me,
        photos_not_me, frr, far, no_face (share of all photos). A photo without a face is rejected.
    """
    steps: list[tuple[Degradation | None, float]] = [(None, 0.0)]
    steps += [(degradation, level) for degradation in DEGRADATIONS for level in degradation.levels]

    def score(task: tuple[tuple[Degradation | None, float], Sample]) -> float:
        (degradation, level), sample = task
        if degradation is None:
            return verify(recognizer, sample, encode(sample.image))
        return verify(recognizer, sample, degradation.apply(sample.image, sample.box, level, sample.seed))

    tasks = [(step, sample) for step in steps for sample in samples]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        scores = np.array(list(progress(pool.map(score, tasks), len(tasks), "degrading", "photo")))
    me = np.array([sample.label == 1 for sample in samples])
    rows = []
    for (degradation, level), own in zip(steps, scores.reshape(len(steps), len(samples)), strict=True):
        accepted = np.nan_to_num(own, nan=-1.0) >= threshold
        rows.append({
            "degradation": degradation.name if degradation else "none",
            "level": level,
            "unit": degradation.unit if degradation else "",
            "photos_me": int(me.sum()),
            "photos_not_me": int((~me).sum()),
            "frr": float((~accepted[me]).mean()) if me.any() else float("nan"),
            "far": float(accepted[~me].mean()) if (~me).any() else float("nan"),
            "no_face": float(np.isnan(own).mean()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def summarise(table: pd.DataFrame) -> dict[str, Any]:
    """The content of robustness.json: undegraded rates, and per degradation the first step where FRR has doubled."""
    undegraded = table.iloc[0]
    photos = int(undegraded["photos_me"])
    base = round(undegraded["frr"] * photos)
    doubled = {}
    for name, steps in table.iloc[1:].groupby("degradation", sort=False):
        rejected = (steps["frr"] * photos).round()
        worse = steps["level"][(rejected >= 2 * base) & (rejected >= base + _MORE_REJECTED)]
        doubled[str(name)] = None if worse.empty else float(worse.iloc[0])
    return {
        "photos": {"me": photos, "not_me": int(undegraded["photos_not_me"])},
        "undegraded": {"frr": float(undegraded["frr"]), "far": float(undegraded["far"])},
        "frr_doubles_at": doubled,
    }


def nearest_strangers(predictions: pd.DataFrame, index: pd.DataFrame, data: Dataset, threshold: float) -> pd.DataFrame:
    """Per person of not_me (a photo without a name is one), the highest mean score of their faces, highest first.

    Returns:
        Columns person, photos, highest_score, accepted.
    """
    scores = predictions[predictions["label"] == 0].groupby("row")["score"].mean()
    own = index.loc[scores.index]
    names = own["person"].where(own["person"] != "", own["photo"])
    table = pd.DataFrame({"person": names, "photo": own["photo"], "score": scores, "group": data.groups[scores.index]})
    people = table.groupby("person").agg(photos=("photo", "nunique"), highest_score=("score", "max")).reset_index()
    people["accepted"] = people["highest_score"] >= threshold
    return people.sort_values(["highest_score", "person"], ascending=[False, True], ignore_index=True)


def read_predictions(data: Dataset) -> pd.DataFrame:
    """predictions.csv with numbers as numbers: repeat, row, label and score, of the test part.

    Raises:
        StageError: it is missing or damaged, or of another data set.
    """
    table = read_table(PREDICTIONS, "train", ["repeat", "row", "part", "label", "score"])
    own = table[table["part"] == "test"]
    try:
        numbers = own[["repeat", "row", "label"]].astype(np.int64).assign(score=own["score"].astype(float))
    except ValueError as error:
        raise StageError(f"{PREDICTIONS} is damaged ({error}): run 'dvc repro --force train'") from error
    rows = numbers["row"].to_numpy()
    known = len(rows) and rows.min() >= 0 and rows.max() < len(data.labels)
    if not known or (data.labels[rows] != numbers["label"]).any():
        raise StageError(f"{PREDICTIONS} is of other faces than {INDEX}: run 'dvc repro --force train'")
    return numbers


def _csv(table: pd.DataFrame) -> str:
    text = io.StringIO()
    table.round(4).to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    data = load_dataset()
    index = read_table(INDEX, "embed", ["label", "photo", "face", "person"])
    if len(index) != len(data.labels):
        raise StageError(f"{INDEX} has {len(index)} rows, the embeddings {len(data.labels)}: run 'dvc repro' first")
    predictions = read_predictions(data)
    threshold = params.evaluate.threshold
    networks = Networks.load(NETWORKS)
    tested = np.sort(np.concatenate([split.test for split in first_round(data, params)]))
    rows = choose_rows(index.loc[tested], data, params.robustness.photos, params.robustness.random_state)
    samples = load_samples(rows, index, data, networks, params)
    table = measure(samples, open_recognizer(networks, params), threshold)
    groups = fairness.compare(predictions, index, data, params)
    results = summarise(table)
    write_text(ROBUSTNESS_CSV, _csv(table))
    plots.draw_robustness(table, networks.backbone_name, ROBUSTNESS_PNG)
    write_text(STRANGERS_CSV, _csv(nearest_strangers(predictions, index, data, threshold)))
    write_text(FAIRNESS_CSV, _csv(fairness.as_table(groups)))
    write_text(FAIRNESS, json.dumps(rounded({"groups": groups}), indent=2, ensure_ascii=False) + "\n")
    write_text(ROBUSTNESS, json.dumps(rounded(results), indent=2) + "\n")
    doubled = [f"{name} at {level:g}" for name, level in results["frr_doubles_at"].items() if level is not None]
    print(f"robustness: {len(samples)} photos; FRR doubles with {', '.join(doubled) or 'nothing that was tried'}")


if __name__ == "__main__":
    run_stage(
        "robustness",
        main,
        [ROBUSTNESS_CSV, ROBUSTNESS_PNG, ROBUSTNESS, STRANGERS_CSV, FAIRNESS_CSV, FAIRNESS],
    )
