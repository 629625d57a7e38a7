"""Stage robustness: how bad a photo may be, who comes nearest, and whether groups of people are served alike.

A sample of photos is degraded step by step and verified by models that did not see them, through the same code as the
service. Writes reports/robustness.{csv,png,json}, reports/strangers.csv (per person of not_me, the highest score) and,
from the optional data/attributes.csv, reports/fairness.{csv,json} (see stages/fairness.py).
"""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from threadpoolctl import threadpool_limits

from faces.files import write_text
from faces.image import LARGEST_MAX_PIXELS, ImageError, Photo
from faces.networks import Networks
from faces.progress import progress
from faces.recognizer import Recognizer
from faces.threads import available_cores
from faces.verifier import Verifier
from stages import fairness, plots
from stages.dataset import Dataset, load_dataset
from stages.degradations import DEGRADATIONS, Box, Degradation, encode
from stages.errors import StageError, run_stage
from stages.evaluate import Tested, load_tested
from stages.figures import rounded
from stages.inputs import read_table
from stages.params import Params, TrainParams, load_params
from stages.paths import (
    ATTRIBUTES,
    DATA,
    FAIRNESS,
    FAIRNESS_CSV,
    INDEX,
    NETWORKS,
    ROBUSTNESS,
    ROBUSTNESS_CSV,
    ROBUSTNESS_PNG,
    STRANGERS_CSV,
)
from stages.protocol import split_folds
from stages.train import fit

_LONG_SIDE = 1000  # pixels to which photos are reduced before they are degraded: finer than the detector needs
_MORE_REJECTED = 2  # photos, at least, before FRR counts as doubled


@dataclass(frozen=True)
class Sample:
    """A photo of the sample.

    Attributes:
        image: RGB, upright, its longer side at most `_LONG_SIDE` pixels.
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


def choose_rows(index: pd.DataFrame, data: Dataset, counts: tuple[int, int], seed: int) -> list[int]:
    """Rows to sample: photos by their largest face, one of each person (of `me`: of each group) before a second.

    Args:
        index: columns label and face of `data/index.csv`, text.
        data: groups of the same rows.
        counts: how many of not_me and of me; fewer where there are fewer.
        seed: of the choice.
    """
    mixed = index.assign(group=data.groups).query("face == '0'").sample(frac=1, random_state=seed)
    rows: list[int] = []
    for label, count in enumerate(counts):
        own = mixed[mixed["label"] == str(label)]
        one_each = own.drop_duplicates("group")
        rows += pd.concat([one_each, own.drop(one_each.index)]).index[:count].tolist()
    return sorted(rows)


def fit_verifiers(rows: list[int], data: Dataset, params: TrainParams) -> dict[int, Verifier]:
    """For each of some rows a model that saw nothing of its group: one round of cross-validation.

    So it is under `train.protocol: holdout` too, whose test part may be too small for a sample.

    Raises:
        StageError: too few faces that differ of a class.
    """
    folds = min(params.folds, data.count_groups(0), data.count_groups(1))
    verifiers: dict[int, Verifier] = {}
    for split in split_folds(data, folds, 0, params):
        own = set(rows) & set(split.test.tolist())
        if own:
            with threadpool_limits(1):
                verifier = fit(data.rows(split.train), params)
            verifiers |= dict.fromkeys(own, verifier)
    return verifiers


def load_samples(
    rows: list[int], index: pd.DataFrame, data: Dataset, recognizer: Recognizer, params: TrainParams
) -> list[Sample]:
    """The photos of some rows, each with a model that saw nothing of its group.

    Raises:
        StageError: a photo is gone or not what it was when it was cropped.
    """
    verifiers = fit_verifiers(rows, data, params)
    samples = []
    for row in rows:
        path = DATA / str(index["photo"][row])
        try:
            photo = Photo.open(path, LARGEST_MAX_PIXELS)  # within crop.max_megapixels, or it would not be in the index
            image = photo.decode(long_side=_LONG_SIDE)
            face = recognizer.largest_face(path)
        except (ImageError, OSError) as error:
            raise StageError(
                f"{path} cannot be read ({error}): run 'dvc repro' (or 'python -m stages.crop')"
            ) from error
        if face is None:
            raise StageError(f"no face is found on {path} any more: run 'dvc repro' (or 'python -m stages.crop')")
        image.thumbnail((_LONG_SIDE, _LONG_SIDE))
        box = face.box * (max(image.size) / max(photo.stored_size))
        samples.append(Sample(image, box, int(data.labels[row]), verifiers[row], row))
    return samples


def open_recognizer(networks: Networks, params: Params) -> Recognizer:
    """The service's recognizer, one thread a photo."""
    recognizer = Recognizer(networks, flip=params.embed.flip, max_pixels=LARGEST_MAX_PIXELS)
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
    with ThreadPoolExecutor(available_cores()) as pool:
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


def nearest_strangers(tested: Tested, index: pd.DataFrame, data: Dataset, threshold: float) -> pd.DataFrame:
    """Per person of not_me, the highest score that any model gave to any of their photos.

    Args:
        tested: faces scored by models that did not see them.
        index: columns photo and person of `data/index.csv`.
        data: groups of the same rows.
        threshold: from where a photo is accepted.

    Returns:
        Columns person (a sub-folder's name; without one, rows of a group are a person, named by their first photo),
        photos, highest_score and accepted, the highest score first.
    """
    scores = pd.Series(tested.scores, index=tested.rows)[tested.labels == 0].groupby(level=0).max()
    own = index.loc[scores.index, ["photo", "person"]].assign(group=data.groups[scores.index], score=scores)
    named = own["person"].where(own["person"] != "")
    own["person"] = named.fillna(named.groupby(own["group"]).transform("first"))
    own["person"] = own["person"].fillna(own.groupby("group")["photo"].transform("first"))
    people = own.groupby("person").agg(photos=("photo", "nunique"), highest_score=("score", "max")).reset_index()
    people["accepted"] = people["highest_score"] >= threshold
    return people.sort_values(["highest_score", "person"], ascending=[False, True], ignore_index=True)


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
    tested = load_tested()["test"]
    fairness.make_attributes()
    attributes = fairness.match(fairness.read_attributes(), index)  # a mistake in it is told before the long part
    networks = Networks.load(NETWORKS)
    recognizer = open_recognizer(networks, params)
    counts = (params.robustness.strangers, params.robustness.photos)
    rows = choose_rows(index, data, counts, params.robustness.random_state)
    samples = load_samples(rows, index, data, recognizer, params.train)
    threshold = params.evaluate.threshold
    table = measure(samples, recognizer, threshold)
    results = summarise(table)
    comparison = fairness.compare(tested, attributes, params.evaluate)
    plots.draw_robustness(table, results["frr_doubles_at"], networks.backbone_name, ROBUSTNESS_PNG)
    write_text(ROBUSTNESS_CSV, _csv(table))
    write_text(STRANGERS_CSV, _csv(nearest_strangers(tested, index, data, threshold)))
    write_text(FAIRNESS_CSV, _csv(fairness.as_table(comparison)))
    write_text(FAIRNESS, json.dumps(rounded(comparison.as_dict()), indent=2, ensure_ascii=False) + "\n")
    write_text(ROBUSTNESS, json.dumps(rounded(results), indent=2) + "\n")
    print(describe(results, attributes))


def describe(results: dict[str, Any], attributes: pd.DataFrame) -> str:
    """What the stage says on the terminal."""
    photos = results["photos"]
    doubled = [f"{name} at {level:g}" for name, level in results["frr_doubles_at"].items() if level is not None]
    groups = f"compared by {', '.join(attributes.columns)}" if len(attributes.columns) else f"none in {ATTRIBUTES}"
    return (
        f"robustness: {photos['me']} photos of me and {photos['not_me']} of others; FRR doubles with "
        f"{', '.join(doubled) or 'nothing that was tried'}; groups of people: {groups}"
    )


if __name__ == "__main__":
    run_stage(
        "robustness",
        main,
        [ATTRIBUTES, ROBUSTNESS_CSV, ROBUSTNESS_PNG, ROBUSTNESS, STRANGERS_CSV, FAIRNESS_CSV, FAIRNESS],
    )
