"""The model's card: what stage report writes beside the model for the service, and whom it does not name."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from faces import model_card
from faces.model_card import Figure, ModelCard, Note
from faces.operating_point import OperatingPoint
from faces.records import Trust
from stages.estimation.drawing import DPI, WIDTH
from stages.files.paths import THRESHOLDS_CSV
from stages.files.tables import read_records
from stages.language.telling import spoken
from stages.report import card
from tests.stages.support import ME, ME_PHOTOS, STRANGERS, Workspace, digest

Content = dict[str, Any]
COLUMNS = ("far", "far_low", "far_high", "far_estimated", "frr", "frr_low", "frr_high")


def read(workspace: Workspace) -> ModelCard:
    """The card as the service reads it, records and all."""
    model = digest(workspace.path("models/model.joblib"))
    return model_card.read(workspace.path("models"), model, Trust()).card


def figures_of(workspace: Workspace, name: str) -> Any:
    return json.loads(workspace.path(f"reports/{name}.json").read_text(encoding="utf-8"))


def test_it_has_the_figures_of_the_evaluation(built: Workspace) -> None:
    found, results = read(built), figures_of(built, "evaluation_results")
    at = results["threshold_analysis"]["at_default"]
    interval, own = at["far_interval"], at["frr_interval"]
    assert found.figures == [
        Figure("far", at["far"], [interval["low"], interval["high"]], "measured", 0.75, STRANGERS),
        Figure("far", interval["high"], None, "promised", 0.75, STRANGERS),
        Figure("far", at["far_estimated"], None, "estimated", 0.75, None),
        Figure("frr", at["frr"], [own["low"], own["high"]], "measured", 0.75, None),
        Figure("eer", results["threshold_analysis"]["equal_error_rate"]["eer"], None, "measured", None, STRANGERS),
        Figure("auc", results["metrics"]["auc_roc"], None, "measured", None, STRANGERS),
    ]
    assert (found.threshold, found.backbone, found.verifier) == (0.75, "dlib-resnet", "cosine")
    assert (found.photos.me, found.photos.not_me, found.photos.people) == (ME_PHOTOS, STRANGERS, STRANGERS)


def test_it_knows_the_rates_at_every_threshold_that_the_service_may_choose(built: Workspace) -> None:
    point = OperatingPoint.read(built.path("models/operating_point.json"), built.path("models/model.joblib"))
    rates = read(built).rates
    assert point.estimated_threshold is not None
    assert {0.0, 0.9, 0.75, 1.0, point.threshold, point.estimated_threshold} <= set(rates.threshold)
    assert {figure.threshold for figure in rates.at(point.threshold)} == {point.threshold}
    estimated = [figure.value for figure in rates.at(point.estimated_threshold) if figure.basis == "estimated"]
    assert estimated == [pytest.approx(point.target_far, rel=0.01)]
    assert min(value for value in rates.far_estimated if value is not None) == 1e-6, "less is told from none by nothing"


def test_it_says_when(built: Workspace) -> None:
    found, made = read(built), built.path("models/verifier.npz").stat().st_mtime
    assert datetime.fromisoformat(found.trained) == datetime.fromtimestamp(int(made), UTC)
    assert datetime.fromisoformat(found.trained) <= datetime.fromisoformat(found.written) <= datetime.now(UTC)


def test_charts_are_those_of_the_report(built: Workspace) -> None:
    assert [plot.name for plot in read(built).plots] == list(card.PLOTS)
    for name in card.PLOTS:
        assert built.path(f"models/card/{name}.png").read_bytes() == built.path(f"reports/{name}.png").read_bytes()
        with Image.open(built.path(f"models/card/{name}.png")) as image:
            assert image.width == WIDTH * DPI, "twice as wide as a telephone's screen"
    texts = [text for plot in read(built).plots for text in (plot.title, plot.alt)]
    assert all(text.es != text.en for text in texts)
    assert len({text.en for text in texts}) == len(texts)


@pytest.mark.security
def test_it_names_nobody_and_no_machine(built: Workspace) -> None:
    text = built.path("models/card/card.json").read_text(encoding="utf-8")
    text += built.path("models/records/report.json").read_text(encoding="utf-8")
    assert str(built.root) not in text and platform.node() not in text
    for photo in [path for name in ("me", "not_me") for path in built.path(f"data/{name}").rglob("*.jpg")]:
        for name in {ME, photo.stem, photo.parent.name} - {"me", "not_me"}:
            assert name not in text and name.replace("_", " ") not in text


@pytest.fixture
def content(built: Workspace, monkeypatch: pytest.MonkeyPatch) -> Content:
    """The figures of the built workspace, to be changed; it is the current directory."""
    monkeypatch.chdir(built.root)
    found: Content = figures_of(built, "report")
    return found


def describe(content: Content, people: int = STRANGERS, **columns: str) -> ModelCard:
    """The card of such figures, with other values in some columns of the table of thresholds."""
    table = read_records(THRESHOLDS_CSV, "evaluate", ["threshold"])
    point = OperatingPoint(0.6123456, 0.001, "measured", 0.6012345, False, people, people, 3000)
    rates = card.rates_of([row | columns for row in table], content["evaluation"], point)
    return card.describe(content, pd.DataFrame({"photo": ["me/1", "me/2", "me/2", "not_me/a/1"]}), rates, "es")


def said(notes: Iterable[Note], kind: str) -> str:
    """The English of the notes of a kind."""
    return "\n".join(note.text.en for note in notes if note.kind == kind)


def test_photos_count_once_however_many_faces_are_on_them(content: Content) -> None:
    found = describe(content).photos
    assert (found.me, found.not_me) == (2, 1)


def test_photos_of_me_alone_measure_no_strangers_and_the_card_says_so(content: Content) -> None:
    results, unknown = content["evaluation"], {"low": None, "high": None}
    for at in (*results["threshold_analysis"].values(), results["operating_point"]["at_estimated"]):
        if isinstance(at, dict):
            at |= {"far": None, "far_interval": unknown}
    results["threshold_analysis"]["equal_error_rate"]["eer"] = results["metrics"]["auc_roc"] = None
    results["operating_point"]["people"] = content["metrics"]["people"]["not_me"] = 0
    found = describe(content, 0, far="", far_low="", far_high="")
    assert [(figure.name, figure.basis) for figure in found.figures] == [("far", "estimated"), ("frr", "measured")]
    assert [plot.name for plot in found.plots] == ["scores", "threshold_analysis", "robustness"]
    assert said(found.notes, "not_measured").startswith("There are no photos of other people (not_me)")
    assert "no stranger got in" not in said(found.notes, "limit")
    assert not [plot for plot in found.plots if "None" in f"{plot.alt.es}{plot.alt.en}"]


def test_what_is_not_estimated_has_its_reason(content: Content) -> None:
    assert "estimated" not in said(describe(content).notes, "not_measured")
    for reason, words in (("contradicted", "So it is with drawn faces"), ("no_population", "for this network")):
        content["metrics"]["population"] = {"used": False, "reason": reason}
        notes = describe(content, far_estimated="").notes
        assert words in said(notes, "not_measured")
        assert "resemble me" not in said(notes, "limit")


def test_an_estimate_of_next_to_nobody_is_told_from_none_by_nothing(content: Content) -> None:
    estimates = describe(content, far_estimated="2.3e-278").rates.far_estimated
    assert min(estimate for estimate in estimates if estimate is not None) == 1e-6


def test_for_whom_estimates_hold(content: Content) -> None:
    content["metrics"]["population"] |= {"strangers": "anyone", "like_me_factor": 3.742}
    assert "about 3.7 times as many" in said(describe(content).notes, "limit")
    content["metrics"]["population"]["strangers"] = "like_me"
    assert "Estimates are for strangers who resemble me" in said(describe(content).notes, "limit")


def test_what_was_not_compared_or_promised(content: Content) -> None:
    at = content["evaluation"]["threshold_analysis"]["at_default"]
    at |= {"far": 0.0, "far_interval": {"low": 0.0, "high": 0.2}}
    found = describe(content).notes
    assert "Groups of people were not compared" in said(found, "not_measured")
    assert "That no stranger got in does not mean" in said(found, "limit")
    at["far_interval"]["high"], at["far"] = 1.0, 0.5
    content["fairness"]["groups"] = [{}]
    found = describe(content).notes
    assert said(found, "not_measured") == "There are too few strangers to promise anything about how many get in."
    assert "no stranger got in" not in said(found, "limit")


def test_both_languages_have_their_own_numbers(content: Content) -> None:
    content["evaluation"]["threshold_analysis"]["at_default"] |= {"far": 0.0123, "frr": 0.25, "far_estimated": 0.0005}
    before = spoken()
    alt = {plot.name: plot.alt for plot in describe(content).plots}
    assert spoken() == before
    assert "At the threshold 0.75, 1.23 % of other people lie above and 25 % of the photos of me" in alt["scores"].en
    assert "Con el umbral 0,75, el 1,23 % de las otras personas" in alt["scores"].es
    assert (
        "FAR 1.23 % (measured); FAR below " in alt["threshold_analysis"].en
        and "FAR del 0,05 % (estimado)" in alt["threshold_analysis"].es
    )
    doubled = content["robustness"]["frr_doubles_at"]
    doubled |= dict.fromkeys(doubled) | {"darker": 0.3}
    alt = {plot.name: plot.alt for plot in describe(content).plots}
    assert alt["robustness"].en.endswith("The first steps that reject clearly more: darker 0.3 (times the brightness).")
    assert alt["robustness"].es.endswith("más oscura 0,3 (veces el brillo).")
    doubled["darker"] = None
    assert describe(content).plots[-1].alt.en.endswith("with the share of photos of me rejected.")


def test_a_table_of_very_many_thresholds_is_thinned(content: Content) -> None:
    table = [{"threshold": str(step / 10_000), **dict.fromkeys(COLUMNS, "0.5")} for step in range(10_001)]
    point = OperatingPoint(0.6123456, 0.001, "measured", None, False, 3, 3, 3000)
    rates = card.rates_of(table, content["evaluation"], point)
    assert 500 < len(rates.threshold) <= 1010
    assert {0.0, 1.0, 0.75, 0.6123456} <= set(rates.threshold)


def test_thresholds_chosen_on_other_faces_are_not_mixed_in(content: Content) -> None:
    """With a part for validation, the table is of that part, and what is said of the estimated one of the test's."""
    content["evaluation"]["threshold_analysis"]["chosen_on"] = "validation"
    assert 0.6012345 not in describe(content).rates.threshold
    content["evaluation"]["threshold_analysis"]["chosen_on"] = "test"
    assert 0.6012345 in describe(content).rates.threshold
