"""Stage robustness: worse photos, the strangers most like me, and differences between groups of people.

A sample of photos is made worse step by step. Models that were not trained on them verify them, with the same code as
the service. Writes reports/robustness.{csv,png,json}, reports/strangers.csv (per person of not_me, the highest score:
strangers.py beside this file) and, from the optional attributes.csv in data/not_me and data/me,
reports/fairness.{csv,json} (fairness.py beside this file).
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from threadpoolctl import threadpool_limits

from faces.message import Message
from faces.population import Population
from faces.recognition.image import LARGEST_MAX_PIXELS, ImageError, Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from faces.threads import available_cores
from faces.verification import verify
from faces.verifier import Verifier
from stages.errors import StageError
from stages.estimation.fit import fit
from stages.estimation.held_out import load_held_out
from stages.estimation.population import population_for
from stages.estimation.protocol import count_folds, split_folds
from stages.files.dataset import Dataset, load_dataset
from stages.files.degradation_kinds import DEGRADATION_KINDS
from stages.files.paths import (
    ATTRIBUTES,
    DATA,
    FAIRNESS,
    FAIRNESS_CSV,
    INDEX,
    MODEL,
    NETWORKS,
    ROBUSTNESS,
    ROBUSTNESS_CSV,
    ROBUSTNESS_PNG,
    SCALER,
    STRANGERS_CSV,
)
from stages.files.photos import read_photo
from stages.files.tables import DIGITS, read_table, write_json, write_table
from stages.language.telling import spoken, tell
from stages.params import Params, TrainParams, load_params
from stages.progress import progress
from stages.robustness import fairness
from stages.robustness.chart import draw_robustness
from stages.robustness.degradations import DEGRADATIONS, Box, Degradation, encode
from stages.robustness.strangers import nearest_strangers

OUTPUTS = (ROBUSTNESS_CSV, ROBUSTNESS_PNG, ROBUSTNESS, STRANGERS_CSV, FAIRNESS_CSV, FAIRNESS)

_LONG_SIDE = 1000  # pixels of the longer side to which photos are reduced first; the detector needs fewer
_MORE_REJECTED = 2  # so many more photos of me must be rejected before FRR counts as doubled
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """A photo of the sample.

    Attributes:
        image: RGB, upright, its longer side at most `_LONG_SIDE` pixels.
        box: of its largest face, float64 [4] in the image's pixels.
        label: 1 = me.
        verifier: a model that was trained without the photo's group.
        seed: of the random part of its degradations.
    """

    image: Image.Image
    box: Box
    label: int
    verifier: Verifier
    seed: int


def choose_rows(index: pd.DataFrame, data: Dataset, counts: tuple[int, int], seed: int) -> list[int]:
    """The rows of a sample: largest faces, one of each person (of `me`: of each group) before a second of any.

    Photos of me of which stage embed took another face than the largest are left out: the service, which is asked here,
    takes the largest.

    Args:
        index: columns label and face of `data/index.csv`, text.
        data: groups of the same rows.
        counts: how many of not_me and of me; fewer if there are fewer.
        seed: of the choice.
    """
    mixed = index.assign(group=data.groups).query("face == '0'").sample(frac=1, random_state=seed)
    rows: list[int] = []
    for label, count in enumerate(counts):
        own = mixed[mixed["label"] == str(label)]
        one_each = own.drop_duplicates("group")
        rows += pd.concat([one_each, own.drop(one_each.index)]).index[:count].tolist()
    return sorted(rows)


def fit_verifiers(
    rows: list[int], data: Dataset, params: TrainParams, population: Population | None
) -> dict[int, Verifier]:
    """For each of some rows, a model that was trained without its group, by one round of cross-validation.

    With `train.protocol: holdout` it is the same, since the held-out part may be too small for a sample.

    Raises:
        StageError: a class has too few different faces.
    """
    without_others = population is not None
    folds = count_folds(data, params, without_others)
    verifiers: dict[int, Verifier] = {}
    for split in split_folds(data, folds, 0, params, without_others):
        own = set(rows) & set(split.test.tolist())
        if own:
            with threadpool_limits(1):
                verifier = fit(data.rows(split.train), params, population)
            verifiers |= dict.fromkeys(own, verifier)
    return verifiers


def load_samples(
    rows: list[int],
    index: pd.DataFrame,
    data: Dataset,
    recognizer: Recognizer,
    params: TrainParams,
) -> list[Sample]:
    """The photos of some rows, each with a model that was trained without its group.

    Raises:
        StageError: a photo is missing, or has changed since it was cropped.
    """
    population = population_for(params, recognizer.networks.manifest.recipe(recognizer.flip))
    verifiers = fit_verifiers(rows, data, params, population)
    samples = []
    for row in rows:
        path = DATA / str(index["photo"][row])
        try:
            source = read_photo(path)
            photo = Photo.open(
                source, LARGEST_MAX_PIXELS
            )  # a larger photo than crop.max_megapixels is not in the index
            image = photo.decode(long_side=_LONG_SIDE)
            face = recognizer.largest_face(source)
        except (ImageError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise StageError(
                "{path} cannot be read ({reason}): run 'dvc repro' (or 'python -m stages.crop')",
                path=path,
                reason=reason,
            ) from error
        if face is None:
            raise StageError(
                "no face is found on {path} any more: run 'dvc repro' (or 'python -m stages.crop')", path=path
            )
        image.thumbnail((_LONG_SIDE, _LONG_SIDE))
        box = face.box * (max(image.size) / max(photo.stored_size))
        samples.append(Sample(image, box, int(data.labels[row]), verifiers[row], row))
    return samples


def open_recognizer(networks: Networks, params: Params) -> Recognizer:
    """The service's recognizer, with one thread for each photo."""
    recognizer = Recognizer(networks, flip=params.embed.flip, max_pixels=LARGEST_MAX_PIXELS)
    recognizer.open(threads=1)
    return recognizer


def score_of(photo: bytes, sample: Sample, recognizer: Recognizer) -> float:
    """The score of a photo by a sample's model, as the service would give it; NaN if no face is found."""
    verification = verify(photo, recognizer, sample.verifier)
    return float("nan") if verification is None else verification.score


def measure(samples: list[Sample], recognizer: Recognizer, threshold: float) -> pd.DataFrame:
    """FRR and FAR at a threshold along every degradation.

    Args:
        samples: the photos.
        recognizer: opened; safe to use from several threads.
        threshold: a photo with this score or more is accepted.

    Returns:
        A row for the undegraded photos (degradation "none") and for each step: degradation, level, unit, photos_me,
        photos_not_me, frr, far, no_face (share of all photos). A photo without a face is rejected.
    """
    steps: list[tuple[Degradation | None, float]] = [(None, 0.0)]
    steps += [(degradation, level) for degradation in DEGRADATIONS for level in degradation.levels]

    def score(task: tuple[tuple[Degradation | None, float], Sample]) -> float:
        (degradation, level), sample = task
        if degradation is None:
            photo = encode(sample.image)
        else:
            photo = degradation.apply(sample.image, sample.box, level, sample.seed)
        return score_of(photo, sample, recognizer)

    tasks = [(step, sample) for step in steps for sample in samples]
    with ThreadPoolExecutor(available_cores()) as pool:
        scores = np.array(list(progress(pool.map(score, tasks), len(tasks), Message("degrading"), Message("photo"))))
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
    """The content of robustness.json: rates without degradation, the first level of each that doubles FRR, and the
    level of all that lets most strangers in.

    FRR is None where there is no photo of me, FAR where there is none of others.
    """
    undegraded = table.iloc[0]
    photos = int(undegraded["photos_me"])
    base = round(undegraded["frr"] * photos) if photos else 0
    doubled = {}
    for name, steps in table.iloc[1:].groupby("degradation", sort=False):
        rejected = (steps["frr"] * photos).round()
        worse = steps["level"][(rejected >= 2 * base) & (rejected >= base + _MORE_REJECTED)]
        doubled[str(name)] = None if worse.empty else float(worse.iloc[0])
    strangers = int(undegraded["photos_not_me"])
    return {
        "photos": {"me": photos, "not_me": strangers},
        "undegraded": {
            "frr": float(undegraded["frr"]) if photos else None,
            "far": float(undegraded["far"]) if strangers else None,
        },
        "frr_doubles_at": doubled,
        "worst_far": worst_far(table) if strangers else None,
        "levels": {way.name: list(way.levels) for way in DEGRADATIONS},
    }


def worst_far(table: pd.DataFrame) -> dict[str, Any]:
    """The degradation that lets most strangers in: its name, level, far and how many of the photos are accepted.

    Of several that let in as many, it is the first in the table, which is the mildest of its kind. Where none lets
    anybody in, name and level are None.
    """
    steps = table.iloc[1:]
    worst = steps.iloc[int(steps["far"].to_numpy().argmax())]
    far, strangers = float(worst["far"]), int(worst["photos_not_me"])
    return {
        "degradation": str(worst["degradation"]) if far else None,
        "level": float(worst["level"]) if far else None,
        "far": far,
        "accepted": round(far * strangers),
        "photos": strangers,
    }


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    data = load_dataset()
    index = read_table(INDEX, "embed", ["label", "photo", "face", "person"])
    if len(index) != len(data.labels):
        raise StageError(
            "{index} has {rows:# row|# rows}, the embeddings {faces}: run 'dvc repro' first",
            index=INDEX,
            rows=len(index),
            faces=len(data.labels),
        )
    held_out = load_held_out()["test"]
    attributes = fairness.match(fairness.read_attributes(), index)  # before the long part: it may be wrong
    networks = Networks.load(NETWORKS)
    recognizer = open_recognizer(networks, params)
    counts = (params.robustness.strangers, params.robustness.photos)
    rows = choose_rows(index, data, counts, params.robustness.random_state)
    if not data.labels[rows].any():
        text = (
            "on each photo of me, the largest face is somebody else's: the service would answer about that person, so "
            "it is not measured how worse photos of me are judged. Cut the other person off on some"
        )
        logger.warning(tell(text))
    samples = load_samples(rows, index, data, recognizer, params.train)
    threshold = params.evaluate.threshold
    table = measure(samples, recognizer, threshold)
    results = summarise(table)
    comparison = fairness.compare(held_out, attributes, params.evaluate)
    draw_robustness(table, results["frr_doubles_at"], networks.backbone_name, ROBUSTNESS_PNG)
    write_table(ROBUSTNESS_CSV, table.round(DIGITS))
    # With a holdout, the model that serves knows nobody of those who are judged.
    serving = None if params.train.protocol == "holdout" else Verifier.load(MODEL, SCALER)
    write_table(STRANGERS_CSV, nearest_strangers(held_out, index, data, threshold, serving).round(DIGITS))
    write_table(FAIRNESS_CSV, fairness.as_table(comparison).round(DIGITS))
    write_json(FAIRNESS, comparison.as_dict())
    write_json(ROBUSTNESS, results)
    print(describe(results, comparison))


def describe(results: dict[str, Any], comparison: fairness.Comparison) -> str:
    """What the stage says on the terminal."""
    photos = results["photos"]
    doubled = [
        tell("{name} at {level:g}", name=DEGRADATION_KINDS[name].title(spoken()), level=level)
        for name, level in results["frr_doubles_at"].items()
        if level is not None
    ]
    compared = [column["column"] for column in comparison.columns if column["groups"] > 1]
    if compared:
        text = "compared by {count:the column|the columns} {columns} of {tables}"
        tables = fairness.named_tables()
        groups = Message(text, count=len(compared), columns=", ".join(compared), tables=tables)
    elif comparison.columns:
        groups = Message("nothing to compare in {tables}", tables=fairness.named_tables())
    else:
        groups = Message("none in {table}", table=ATTRIBUTES[0])
    if results["undegraded"]["frr"] == 0:  # twice nothing is nothing
        text = (
            "robustness: {me:# photo|# photos} of me and {not_me} of others; photos of me are turned away with "
            "{doubled}; groups of people: {groups}"
        )
    else:
        text = (
            "robustness: {me:# photo|# photos} of me and {not_me} of others; FRR doubles with {doubled}; groups of "
            "people: {groups}"
        )
    doubled_with = ", ".join(doubled) or tell("nothing that was tried")
    said = tell(text, me=photos["me"], not_me=photos["not_me"], doubled=doubled_with, groups=groups)
    return f"{said}\n{_about_strangers(results['worst_far'])}"


def _about_strangers(worst: dict[str, Any] | None) -> str:
    """How many strangers get in with worse photos; `worst` as `worst_far` returns it, None without photos of others."""
    if worst is None:
        return tell("  without photos of others, it is not measured how many strangers get in with worse photos")
    if worst["degradation"] is None:
        text = "  none of {photos:# photo|# photos} of others gets in, however degraded"
        return tell(text, photos=worst["photos"])
    text = (
        "  strangers with worse photos: with {name} at {level:g}, {accepted} of {photos:# photo|# photos} of others "
        "{accepted:gets in|get in} (FAR {far:.1f} %), the most of all that was tried"
    )
    name = DEGRADATION_KINDS[worst["degradation"]].title(spoken())
    counts = {"accepted": worst["accepted"], "photos": worst["photos"]}
    return tell(text, name=name, level=worst["level"], far=100 * worst["far"], **counts)
