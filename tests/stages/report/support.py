"""Figures for a report, no two of which are alike, so that each shows where it is printed."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from stages.params import load_params
from stages.report.latency import STEPS
from stages.robustness.degradations import DEGRADATIONS
from tests.stages.support import ROOT

SECTIONS = {
    "es": ["Resumen", "Datos", "Proceso", "Qué se entrenó con qué", "Métricas", "Análisis del umbral", "Robustez",
           "Personas parecidas", "Equidad", "Latencia", "Recomendaciones", "Límites", "Ficha del modelo"],
    "en": ["Summary", "Data", "Process", "What was trained on what", "Metrics", "Thresholds", "Robustness",
           "Look-alikes", "Fairness", "Latency", "Recommendations", "Limits", "Model card"],
}  # fmt: skip


def section(text: str, language: str, english: str) -> str:
    """What stands under a heading, named in English."""
    title = SECTIONS[language][SECTIONS["en"].index(english)]
    assert f"\n## {title}\n" in text
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def numbers_in(text: str, language: str) -> list[float]:
    """All numbers of a text, in its order."""
    comma, meaning = (r"(?<=\d),(?=\d)", ".") if language == "es" else (r"(?<=\d),(?=\d{3}\b)", "")
    text = re.sub(comma, meaning, text)
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]


def made_up_values() -> dict[str, Any]:
    """All that a template is given; every number that it may print is there once.

    Rates are 11.1 %, 12.4 %, … so that they differ with one decimal; counts begin at 2001.
    """
    rates = (round((11.1 + 1.3 * step) / 100, 6) for step in itertools.count())
    estimates = (round((3.1 + 0.1 * step) / 100, 6) for step in itertools.count())  # two digits that count
    counts = itertools.count(2001, 2)
    thresholds = (round(0.5219 + 0.0313 * step, 4) for step in itertools.count())
    metrics = (round(0.703 + 0.007 * step, 3) for step in itertools.count())

    def interval() -> dict[str, float]:
        return {"low": next(rates), "high": next(rates)}

    def at() -> dict[str, Any]:
        return {"threshold": next(thresholds), "far": next(rates), "far_interval": interval(), "frr": next(rates),
                "frr_interval": interval(), "far_estimated": next(estimates)}  # fmt: skip

    def classes() -> dict[str, int]:
        return {"not_me": next(counts), "me": next(counts)}

    names = ("accuracy", "auc_roc", "precision", "recall", "f1_score")
    photos = ("photos", "with_face", "no_face", "unusable", "faces_used", "distinct_faces")
    analysis = {name: at() for name in ("at_default", "at_target_far", "at_optimal_f1", "at_equal_error_rate")}
    there = at()
    point = at() | {"target_far": next(rates), "supported": False, "basis": "measured", "people": 250,
                    "effective_people": 180, "people_needed": next(counts), "at_estimated": there,
                    "estimated_threshold": there["threshold"]}  # fmt: skip
    levels = {degradation.name: 70.5 + place for place, degradation in enumerate(DEGRADATIONS)}
    groups = [
        {"column": column, "group": group, "people": next(counts), "photos_me": next(counts),
         "photos_not_me": next(counts), "far": next(rates), "far_interval": interval(), "frr": next(rates),
         "frr_interval": interval()}
        for column, group in (("light", "bad"), ("light", "good"))
    ]  # fmt: skip
    params = load_params(ROOT / "params.yaml")
    train = replace(params.train, cosine_C=777.0, cohort_weight=0.375, C=555.0, random_state=4242)
    return {
        "dataset": {name: {part: next(counts) for part in photos} for name in ("not_me", "me")},
        "not_the_largest": [],
        "quality": {"suspected_me": next(counts), "blurred": next(counts), "no_face": 0},
        "metrics": {
            **{name: next(metrics) for name in names},
            "faces": {part: classes() for part in ("train", "test", "validation")},
            "people": {"not_me": next(counts)},
            "not_enrolled": next(counts),
            "protocol": {"name": "cross_validation", "folds": next(counts), "repeats": next(counts)},
            "population": {"used": True, "source": "photos of strangers", "people": next(counts),
                           "far_at_default": next(estimates), "strangers": "anyone", "like_me_factor": 6.789,
                           "look_alikes": next(counts)},
        },
        "evaluation": {
            "threshold": next(thresholds),
            "test_groups": classes(),
            "metrics": {name: next(metrics) for name in (*names, "expected_calibration_error")},
            "threshold_analysis": {"chosen_on": "test", **analysis},
            "operating_point": point,
        },
        "robustness": {"photos": classes(), "undegraded": {"frr": next(rates), "far": next(rates)},
                       "frr_doubles_at": levels,
                       "worst_far": {"degradation": "noise", "level": 34.5, "far": next(rates),
                                     "accepted": next(counts), "photos": next(counts)}},
        "look_alikes": {"remembered": True, "count": next(counts), "rows": [
            {"row": next(counts), "photos": next(counts), "highest_score": next(thresholds),
             "score_known": next(thresholds)}
            for _ in range(2)
        ]},
        "fairness": {"groups": groups, "columns": [
            {"column": "light", "groups": 2, "p_far": 0.0123, "p_frr": 0.0234, "differs": ["far", "frr"]},
        ]},
        "latency": {step: {"median": 301.5 + place, "p95": 401.5 + place} for place, step in enumerate(STEPS)},
        "recommendations": [],
        "machine": "a machine",
        "model_sha256": "abcdef",
        "params": replace(params, train=train),
        "manifest": SimpleNamespace(
            backbone="network-a", embedding_size=517, crop=SimpleNamespace(alignment="similarity", image_size=163),
            detector=SimpleNamespace(thresholds=(0.6125, 0.7375, 0.8625), min_probability=0.9175),
        ),
    }  # fmt: skip
