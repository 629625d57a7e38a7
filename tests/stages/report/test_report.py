"""The stage report: what INFORME_H10.md and .html hold in both languages, whom they do not name, what they advise."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import platform
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from faces.recognition.networks import Networks
from stages.files.problem_kinds import PROBLEM_NAMES
from stages.params import load_params
from stages.report import rendering, report
from stages.report.latency import STEPS
from stages.robustness.degradations import DEGRADATIONS
from tests.stages.report.support import SECTIONS, section
from tests.stages.support import ME, ME_PHOTOS, STRANGERS, Workspace

TITLES = {"es": "# Informe técnico: verificación facial\n", "en": "# Technical report: face verification\n"}
PICTURES = ["confusion_matrix", "threshold_analysis", "scores", "roc_curve", "det_curve", "pr_curve", "calibration",
            "robustness"]  # fmt: skip
LATENCY = {step: {"median": 1.25 + place, "p95": 12.34 + place} for place, step in enumerate(STEPS)}
LANGUAGES = pytest.mark.parametrize("language", ["es", "en"])


def read(workspace: Workspace, name: str) -> Any:
    return json.loads(workspace.path(f"reports/{name}.json").read_text(encoding="utf-8"))


def informe(workspace: Workspace, suffix: str = "md") -> str:
    return workspace.path(f"reports/INFORME_H10.{suffix}").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def values(built: Workspace) -> dict[str, Any]:
    """What the report of the built workspace says, with made-up latency."""
    manifest = Networks.load(built.path("models/networks")).manifest
    params = load_params(built.path("params.yaml"))
    return {**read(built, "report"), "latency": LATENCY, "params": params, "manifest": manifest}


def cells(text: str, language: str) -> list[list[str]]:
    """A section's table rows but the heading, with decimal points."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.replace(",", ".") if language == "es" else cell for cell in row] for row in rows[2:]]


@LANGUAGES
def test_it_has_every_section_in_order(values: dict[str, Any], language: str) -> None:
    text = rendering.render_markdown(language, values)
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == SECTIONS[language]
    assert text.startswith(TITLES[language])
    assert not re.search(r"\{\{|\{%|None(?! of)|nan\b|Undefined|<built-in", text)
    assert all(section(text, language, name).strip() for name in SECTIONS["en"])


def test_the_stage_writes_what_the_templates_say(built: Workspace, values: dict[str, Any]) -> None:
    """But for what was timed, and the day."""
    pages = [re.sub(r"\d{4}-\d\d-\d\d", "", text) for text in (informe(built), rendering.render_markdown("en", values))]
    times = section(pages[1], "en", "Latency")
    assert pages[1] == pages[0].replace(section(pages[0], "en", "Latency"), times)


def test_it_names_no_photo_and_nobody(built: Workspace) -> None:
    photos = [path for name in ("me", "not_me") for path in built.path(f"data/{name}").rglob("*") if path.is_file()]
    assert len(photos) == ME_PHOTOS + STRANGERS
    page = re.sub(r"data:image/png;base64,[^\"]*", "", informe(built, "html"))
    for text in (informe(built), page, built.path("reports/report.json").read_text(encoding="utf-8")):
        assert str(built.root) not in text
        for photo in photos:
            assert photo.stem not in text
            for name in {ME, photo.parent.name} - {"me", "not_me"}:
                assert name not in text
                assert name.replace("_", " ") not in text


@LANGUAGES
def test_the_pictures_it_shows_are_beside_it(built: Workspace, values: dict[str, Any], language: str) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", rendering.render_markdown(language, values))
    assert shown == [f"{name}.png" for name in PICTURES]
    assert all(built.path(f"reports/{name}").is_file() for name in shown)


def test_the_figures_are_in_report_json_too(built: Workspace) -> None:
    content = read(built, "report")
    assert list(content) == [
        "dataset", "not_the_largest", "quality", "photos_in_doubt", "metrics", "evaluation", "robustness",
        "look_alikes", "fairness", "recommendations", "latency", "machine", "model_sha256",
    ]  # fmt: skip
    for name, file in (("metrics", "metrics"), ("evaluation", "evaluation_results"), ("robustness", "robustness"),
                       ("fairness", "fairness")):  # fmt: skip
        assert content[name] == read(built, file)
    assert content["quality"] == read(built, "data_quality")["problems"]
    assert content["latency"]["whole"]["median"] > 0
    assert content["recommendations"]


@LANGUAGES
def test_the_model_and_the_machine_are_named(built: Workspace, values: dict[str, Any], language: str) -> None:
    digest = hashlib.sha256(built.path("models/model.joblib").read_bytes()).hexdigest()
    assert read(built, "report")["model_sha256"] == digest
    assert f"SHA-256 `{digest}`" in informe(built)
    assert platform.node() not in informe(built).split()
    text = rendering.render_markdown(language, values | {"machine": "8 cores, Some Processor", "model_sha256": "ab12"})
    cores = {"es": "núcleos", "en": "cores"}[language]
    assert f"(8 {cores}, Some Processor)" in section(text, language, "Latency")
    assert "`ab12`" in text


@LANGUAGES
def test_figures_are_those_of_the_other_stages(built: Workspace, values: dict[str, Any], language: str) -> None:
    text = rendering.render_markdown(language, values)
    kept = len(built.index()) - ME_PHOTOS
    assert f"| `me` | {ME_PHOTOS} | {ME_PHOTOS} | 0 | 0 | {ME_PHOTOS} |" in section(text, language, "Data")
    assert f"| `not_me` | {STRANGERS} | {STRANGERS} | 0 | 0 | {kept} |" in section(text, language, "Data")
    results = read(built, "evaluation_results")
    keys = ["accuracy", "auc_roc", "precision", "recall", "f1_score"]
    metrics = read(built, "metrics") | {key: 0.5 + place / 16 for place, key in enumerate(keys)}  # not all perfect
    text = rendering.render_markdown(language, values | {"metrics": metrics})
    rows = cells(section(text, language, "Metrics"), language)
    assert [row[1:] for row in rows] == [[f"{metrics[key]:.3f}", f"{results['metrics'][key]:.3f}"] for key in keys]
    analysis = results["threshold_analysis"]
    rows = cells(section(text, language, "Thresholds"), language)
    for row, key in zip(rows, ("at_default", "at_target_far", "at_optimal_f1", "at_equal_error_rate"), strict=True):
        assert row[1] == f"{analysis[key]['threshold']:.4f}"
        for place, rate in ((2, "far"), (5, "frr")):
            interval = analysis[key][f"{rate}_interval"]
            shown = [row[place], *row[place + 1].split(" – ")]
            expected = [100 * value for value in (analysis[key][rate], interval["low"], interval["high"])]
            assert [float(value.removesuffix(" %")) for value in shown] == pytest.approx(expected, abs=0.051)
    assert any("(EER)" in row[0] for row in rows)


@LANGUAGES
def test_problems_and_degradations_are_listed_with_their_numbers(values: dict[str, Any], language: str) -> None:
    problems = {name: 3 + place for place, name in enumerate(PROBLEM_NAMES)} | {"blurred": 0}
    levels = {degradation.name: degradation.levels[1] for degradation in DEGRADATIONS} | {"noise": None}
    robustness = {"frr_doubles_at": levels, "undegraded": {"frr": 0.25, "far": 0.0}}
    changed = values | {"quality": problems, "robustness": values["robustness"] | robustness}
    text = rendering.render_markdown(language, changed)
    listed = [row[1] for row in cells(section(text, language, "Data"), language)[4:]]
    assert listed == [str(count) for count in problems.values() if count]
    rows = cells(section(text, language, "Robustness"), language)
    assert len({row[0] for row in rows}) == len(DEGRADATIONS)
    undoubled = "no se duplica en lo probado" if language == "es" else "does not double in what was tried"
    assert [row[1] for row in rows] == [undoubled if level is None else f"{level:g}" for level in levels.values()]
    photos = values["robustness"]["photos"]
    assert section(text, language, "Robustness").lstrip().startswith(f"{photos['me']} ")
    assert not set(PROBLEM_NAMES) & set(re.findall(r"^\| (\w+) \|", text, flags=re.MULTILINE)), (
        "a problem without words"
    )


@LANGUAGES
def test_numbers_are_written_as_the_language_does(values: dict[str, Any], language: str) -> None:
    text = rendering.render_markdown(language, values | {"machine": "this one"})
    points, commas = re.findall(r"\d\.\d", text), re.findall(r"\d,\d(?!\d\d\b)", text)
    assert (len(points) > 50, len(commas)) == (True, 0) if language == "en" else (len(points), len(commas) > 50)
    assert bool(points) == (language == "en")


@LANGUAGES
def test_whether_the_data_suffice_is_said(values: dict[str, Any], language: str) -> None:
    point = values["evaluation"]["operating_point"]
    said = {
        "es": ("Los datos bastan para", "Los datos no bastan para", "al menos 3000 desconocidos y hay 20.",
               "hay 20, que cuentan solo como 17, porque varias caras de una misma persona o foto"),
        "en": ("The data suffice to", "The data are too little to", "at least 3000 strangers, and there are 20.",
               "there are 20, who count as only 17, because several faces of one person or photo are"),
    }[language]  # fmt: skip
    for supported, effective in ((True, 17), (False, 17), (False, 20)):
        counts = {"people_needed": 3000, "people": 20, "effective_people": effective}
        changed = point | {"supported": supported, **counts}
        text = rendering.render_markdown(
            language, values | {"evaluation": values["evaluation"] | {"operating_point": changed}}
        )
        summary = section(text, language, "Summary")
        expected = [supported, not supported, not supported and effective == 20, not supported and effective == 17]
        assert [sentence in summary for sentence in said] == expected


@LANGUAGES
def test_groups_are_compared_or_said_not_to_be(values: dict[str, Any], language: str) -> None:
    assert "attributes.csv" in section(rendering.render_markdown(language, values), language, "Fairness")
    known = {"low": 0.01, "high": 0.2}
    group = {"column": "light", "group": "bad | <b>", "people": 9, "photos_me": 0, "photos_not_me": 9, "far": 0.1,
             "far_interval": known, "frr": None, "frr_interval": None}  # fmt: skip
    column = {"column": "light", "groups": 2, "p_far": 0.0123, "p_frr": None, "differs": ["far"]}
    fairness = {"groups": [group, group | {"group": "good", "far": 0.02}], "columns": [column]}
    text = section(rendering.render_markdown(language, values | {"fairness": fairness}), language, "Fairness")
    rows = [line for line in text.splitlines() if line.startswith("| light")]
    shown = "1.0 % – 20.0 %".replace(".", "," if language == "es" else ".")
    assert rows[0].startswith("| light | bad \\| <b> | 9 | ")
    assert rows[0].endswith(f"{shown} | 0 | – | – |")
    assert len(rows) == 2
    assert ("0,0123" if language == "es" else "0.0123") in text
    assert "<b>" not in rendering.render_html(text, language, Path())


@LANGUAGES
def test_latency_has_a_row_for_each_step_that_was_timed(values: dict[str, Any], language: str) -> None:
    rows = cells(section(rendering.render_markdown(language, values), language, "Latency"), language)
    digits = {step: 4 if step == "classify" else 1 for step in STEPS}
    expected = [[f"{time:.{digits[step]}f}" for time in LATENCY[step].values()] for step in STEPS]
    assert [row[1:] for row in rows] == expected
    some = values | {"latency": {step: LATENCY[step] for step in ("decode", "detect")}}
    assert len(cells(section(rendering.render_markdown(language, some), language, "Latency"), language)) == 2


def test_latency_measured_is_plausible(built: Workspace) -> None:
    rows = cells(section(informe(built), "en", "Latency"), "en")
    assert len(rows) == len(STEPS)
    assert all(0 < float(median) <= float(p95) < 5000 for _, median, p95 in rows)


def test_parameters_choose_the_language_and_how_many_photos_are_timed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[int] = []

    def counting(photos: list[Path], *_: object) -> dict[str, dict[str, float]]:
        timed.append(len(photos))
        assert all(photo.is_file() for photo in photos)
        return {}

    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(report, "measure", counting)
    before = read(workspace, "report") | {"latency": {}}
    for wanted, language in ((1, "en"), (7, "es"), (1000, "en")):
        workspace.set_params(report__latency_photos=wanted, language=language)
        report.main()
        assert informe(workspace).startswith(TITLES[language])
        assert f'<html lang="{language}">' in informe(workspace, "html")
        assert read(workspace, "report") == before
    assert timed == [1, 7, workspace.index()["photo"].nunique()]


@pytest.mark.parametrize("validation", [pytest.param(0.0, marks=pytest.mark.slow), 0.3])
def test_a_model_of_the_contracts_split_is_reported_on(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, validation: float
) -> None:
    """Trained on its part alone, with the contract's own verifier; thresholds from a part of their own if asked for."""
    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(report, "measure", lambda *_: {})
    parts = {"train__test_size": 0.3, "train__validation_size": validation, "robustness__photos": 2}
    workspace.set_params(train__protocol="holdout", train__verifier="logistic_regression", **parts)
    for stage in ("train", "evaluate", "robustness"):
        workspace.stage(stage)
    for language, words in (("es", "de validación"), ("en", "for validation")):
        workspace.set_params(language=language)
        report.main()
        text = informe(workspace)
        assert text.startswith(TITLES[language])
        assert "logistic_regression" in text
        assert (words in text) == (validation > 0)


def test_the_page_needs_no_other_file(built: Workspace) -> None:
    page = informe(built, "html")
    loaded = re.findall(r"""(?:src|href|srcset|action)\s*=\s*["']?([^"'> ]+)|url\(([^)]*)|@import""", page)
    pictures = [first.removeprefix("data:image/png;base64,") for first, _ in loaded]
    assert len(pictures) == len(PICTURES)
    for name, picture in zip(PICTURES, pictures, strict=True):
        content = base64.b64decode(picture, validate=True)
        assert content == built.path(f"reports/{name}.png").read_bytes()
        assert Image.open(io.BytesIO(content)).format == "PNG"
    assert not re.search(r"<script|http|<link", page)
    assert page.count("<h2>") == len(SECTIONS["en"])
    assert page.count("<table") >= 6
    assert "<title>Technical report: face verification</title>" in page


def test_photos_without_face_and_unusable_ones_are_counted_apart() -> None:
    crops = pd.DataFrame(
        {
            "photo": ["me/a", "me/a", "me/b", "me/c", "me/e", "not_me/d", "not_me/d", "me/f"],
            "faces_found": ["2", "2", "0", "0", "0", "2", "2", "1"],
            "kept": ["True", "False", "False", "False", "False", "True", "True", "True"],
            "reason": ["", "not the largest face", "no face found", "a damaged JPEG", "a GIF", "", "", ""],
        }
    )
    index = pd.DataFrame({"photo": ["me/a", "me/f", "not_me/d", "not_me/d"], "face": ["1", "0", "0", "1"]})
    assert report.not_the_largest(index) == ["me/a"]
    assert report.count_photos(crops, index, {"not_me": 2, "me": 1}) == {
        "not_me": {"photos": 1, "with_face": 1, "no_face": 0, "unusable": 0, "faces_used": 2, "distinct_faces": 2},
        "me": {"photos": 5, "with_face": 2, "no_face": 1, "unusable": 2, "faces_used": 2, "distinct_faces": 1},
    }
