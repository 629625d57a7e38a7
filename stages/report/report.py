"""Stage report: reports/INFORME_H10.md, the technical report to read, and the same as one HTML file.

It says what the other stages measured, adds the latency of each step on this machine, and recommends what follows from
the figures. `language` chooses Spanish, which the contract asks for, or English. It names nobody, and of the photos
only those of me on which the largest face was not taken.

Beside the model it writes the model's card: the most important of it for the service, which has no reports.

The report is an output that DVC keeps, the latency included, so the report on the disk is always that of the model on
the disk. It names the machine on which latency was measured, and the model by its hash. reports/report.json has the
same content as figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from faces.files import sha256_of, write_text
from faces.recognition.networks import Networks
from faces.verifier import Verifier
from stages.estimation.rates import refuses_many
from stages.files.crop_row import NO_FACE_FOUND
from stages.files.dataset import IDEAL, IMBALANCED, RECOMMENDED
from stages.files.least_photos import SHIPPED_FOR
from stages.files.paths import (
    CROP_REPORT,
    DATA,
    EVALUATION,
    FAIRNESS,
    INDEX,
    INFORME,
    INFORME_HTML,
    METRICS,
    MODEL,
    NETWORKS,
    QUALITY,
    REPORT,
    ROBUSTNESS,
    SCALER,
    STRANGERS_CSV,
)
from stages.files.photos import CLASSES
from stages.files.tables import read_json, read_table, write_json
from stages.language.telling import is_told
from stages.params import load_params
from stages.report import card, rendering
from stages.report.latency import measure
from stages.report.machine import describe_machine

OUTPUTS = (INFORME, INFORME_HTML, REPORT, *card.OUTPUTS)

_LOOK_ALIKES_SHOWN = 5
_OF_STRANGERS = ["photos", "highest_score", "score_known", "resembles_me"]


def count_photos(crops: pd.DataFrame, index: pd.DataFrame, distinct: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Photos and faces of each class, from the tables of the stages crop and embed.

    Args:
        crops: columns photo, faces_found and reason.
        index: column photo, a row for each face that is used.
        distinct: faces of each class if copies of one shot count once.
    """
    counts = {}
    for name in CLASSES:
        own = crops[crops["photo"].str.startswith(f"{name}/")]
        photos = own["photo"].nunique()
        without = sum(is_told(reason, NO_FACE_FOUND) for reason in own["reason"])
        unusable = int((own["faces_found"] == "0").sum()) - without
        counts[name] = {
            "photos": photos,
            "with_face": photos - without - unusable,
            "no_face": without,
            "unusable": unusable,
            "faces_used": int(index["photo"].str.startswith(f"{name}/").sum()),
            "distinct_faces": distinct[name],
        }
    return counts


def recommendations(content: dict[str, Any], backbone: str, requested: str) -> list[dict[str, Any]]:
    """What follows from the figures, most important first. Each has a name and values; the templates have the words.

    Args:
        content: the report's figures, as `gather` collects them.
        backbone: the network that was used.
        requested: the one that params.yaml names.
    """
    suspected, robustness = content["photos_in_doubt"], content["robustness"]
    results, known = content["evaluation"], content["metrics"]["population"]
    advice = _about_refusals(results, suspected)
    if suspected and not advice:  # which says it already
        advice.append({"name": "suspected_labels", "count": suspected})
    advice += [*_beyond_the_estimate(results, known), *_about_thresholds(results, known)]
    advice += _about_estimates(content["metrics"], results["operating_point"], backbone)
    advice += _about_counts(content["dataset"])
    doubled = robustness.get("frr_doubles_at", {})
    levels = robustness.get("levels", {})
    fragile = [name for name, tried in levels.items() if doubled.get(name) in tried[: len(tried) // 2]]
    if fragile:
        advice.append({"name": "fragile", "degradations": fragile})
    if backbone != requested:
        advice.append({"name": "stand_in", "backbone": backbone, "requested": requested})
    unusable = sum(counts["no_face"] + counts["unusable"] for counts in content["dataset"].values())
    if unusable:
        advice.append({"name": "unusable_photos", "count": unusable})
    return advice


def _about_refusals(results: dict[str, Any], suspected: int) -> list[dict[str, Any]]:
    """What to do before the threshold for `evaluate.target_far` is used, where it refuses many faces of me."""
    point, faces = results["operating_point"], results["test_faces"]["me"]
    if not refuses_many(point["frr"]):
        return []
    refused = {"refused": round(point["frr"] * faces), "faces": faces}
    return [{"name": "clear_first", "threshold": point["threshold"], **refused, "suspected": suspected}]


def _beyond_the_estimate(results: dict[str, Any], known: dict[str, Any]) -> list[dict[str, Any]]:
    """Where own strangers get in far more often than estimated: even the lower end of what is measured is above it."""
    at = results["threshold_analysis"]["at_default"]
    low = at["far_interval"]["low"]
    if at["far_estimated"] is None or low is None or low <= at["far_estimated"]:
        return []
    figures = {"threshold": at["threshold"], "far": at["far"], "low": low, "estimated": at["far_estimated"]}
    about = {"source": known["source"], "cautious": known["strangers"] == "like_me"}
    return [{"name": "more_than_estimated", **figures, **about}]


def _about_thresholds(results: dict[str, Any], known: dict[str, Any]) -> list[dict[str, Any]]:
    """Recommendations on how many strangers get in, and on what can be promised."""
    at, point = results["threshold_analysis"]["at_default"], results["operating_point"]
    people, needs = point["people"], {"target": point["target_far"], "needed": point["people_needed"]}
    if not people:
        about = {"factor": known["like_me_factor"], "cautious": known["strangers"] == "like_me"}
        return [{"name": "no_strangers", **needs, **about}]
    advice: list[dict[str, Any]] = []
    if at["far"] == 0:
        advice.append({"name": "no_stranger_got_in", "people": people, "below": at["far_interval"]["high"]})
    elif point["threshold"] > at["threshold"]:  # otherwise not more get in than target_far allows
        there = {"threshold": point["threshold"], "far_there": point["far"], "frr_there": point["frr"]}
        advice.append({"name": "strangers_get_in", "far": at["far"], **there})
    if not point["supported"]:
        advice.append({"name": "target_unsupported", **needs, "people": people, "effective": point["effective_people"]})
    return advice


def _about_estimates(metrics: dict[str, Any], point: dict[str, Any], backbone: str) -> list[dict[str, Any]]:
    """Where an estimate is to be had, and for whom it does not hold."""
    known = metrics["population"]
    if known["used"] and not point["people"]:  # the advice on missing strangers says it
        return []
    if known["used"]:
        cautious = known["strangers"] == "like_me"
        return [{"name": "people_like_me", "factor": known["like_me_factor"], "cautious": cautious}]
    # For the embedded network a population is shipped: without one, none is wanted.
    missing = known["reason"] == "none" and metrics["verifier"] == "cosine" and backbone != SHIPPED_FOR
    return [{"name": "estimate_with", "backbone": backbone}] if missing and not point["supported"] else []


def _about_counts(dataset: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """Recommendations on how many photos there are of each class; copies of one shot count once."""
    distinct = {name: counts["distinct_faces"] for name, counts in dataset.items()}
    advice: list[dict[str, Any]] = []
    for name, count in distinct.items():
        used = dataset[name]["faces_used"]
        if count < used:
            advice.append({"name": "copies", "class": name, "faces": used, "count": count})
        if name == "not_me" and not count:  # it is allowed, and told of by itself
            continue
        if count < RECOMMENDED:
            advice.append({"name": "add_photos", "class": name, "count": count, "recommended": RECOMMENDED})
        elif count < IDEAL:
            advice.append({"name": "more_is_better", "class": name, "count": count})
    share = distinct["me"] / max(sum(distinct.values()), 1)
    if all(distinct.values()) and min(share, 1 - share) < IMBALANCED:
        advice.append({"name": "imbalance", "share": share})
    return advice


def not_the_largest(index: pd.DataFrame) -> list[str]:
    """Photos of me of which stage embed took another face than the largest."""
    own = index[index["photo"].str.startswith("me/") & ~index["photo"].duplicated()]
    return own.loc[own["face"] != "0", "photo"].tolist()


def look_alikes(strangers: pd.DataFrame) -> dict[str, Any]:
    """Who of not_me comes nearest, without names.

    Args:
        strangers: strangers.csv, every value as text.

    Returns:
        remembered: whether the model that serves knows look-alikes, and these are meant; else it is whoever scores
        highest. count: of the look-alikes. rows: of the first `_LOOK_ALIKES_SHOWN`, the row in strangers.csv (the
        first is 1), photos, highest_score and score_known (None where the model that serves does not know them).
    """
    remembered = len(strangers) > 0 and bool((strangers["resembles_me"] != "").all())
    chosen = strangers[strangers["resembles_me"] == "True"] if remembered else strangers
    rows = [
        {
            "row": place + 1,
            "photos": int(person["photos"]),
            "highest_score": float(person["highest_score"]),
            "score_known": float(person["score_known"]) if person["score_known"] else None,
        }
        for place, person in list(zip(chosen.index.tolist(), chosen.to_dict("records"), strict=True))[
            :_LOOK_ALIKES_SHOWN
        ]
    ]
    return {"remembered": remembered, "count": len(chosen) if remembered else 0, "rows": rows}


def gather(networks: Networks, crops: pd.DataFrame, index: pd.DataFrame) -> dict[str, Any]:
    """The content of the report, without what this stage measures itself."""
    quality = read_json(QUALITY, "quality")
    content: dict[str, Any] = {
        "dataset": count_photos(crops, index, quality["distinct_faces"]),
        "not_the_largest": not_the_largest(index),
        "quality": quality["problems"],
        "photos_in_doubt": quality["photos_in_doubt"],
        "metrics": read_json(METRICS, "train"),
        "evaluation": read_json(EVALUATION, "evaluate"),
        "robustness": read_json(ROBUSTNESS, "robustness"),
        "look_alikes": look_alikes(read_table(STRANGERS_CSV, "robustness", _OF_STRANGERS)),
        "fairness": read_json(FAIRNESS, "robustness"),
    }
    manifest = networks.manifest
    return content | {"recommendations": recommendations(content, manifest.backbone, manifest.requested)}


def _photos_to_time(count: int) -> list[Path]:
    """A fixed random choice of the photos with faces."""
    photos = read_table(INDEX, "embed", ["photo"])["photo"].drop_duplicates()
    return [DATA / name for name in photos.sample(frac=1, random_state=0)[:count]]


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    networks = Networks.load(NETWORKS)
    crops = read_table(CROP_REPORT, "crop", ["photo", "faces_found", "kept", "reason"])
    index = read_table(INDEX, "embed", ["photo", "face"])
    content = gather(networks, crops, index)
    content |= {
        "latency": measure(_photos_to_time(params.report.latency_photos), networks, Verifier.load(MODEL, SCALER)),
        "machine": describe_machine(),
        "model_sha256": sha256_of(MODEL),
    }
    values = {**content, "params": params, "manifest": networks.manifest}
    text = rendering.render_markdown(params.language, values)
    write_text(INFORME, text)
    write_text(INFORME_HTML, rendering.render_html(text, params.language, INFORME.parent))
    write_json(REPORT, content)
    card.write(content, index, params.language)
    print(f"report: {INFORME}, {INFORME_HTML}")
