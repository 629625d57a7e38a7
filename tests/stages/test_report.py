"""The stage report: what INFORME_H10.md holds, and whom it does not name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faces.networks import Networks
from faces.verifier import Verifier
from stages import report
from stages.latency import STEPS, measure
from tests.stages.support import ME, ME_PHOTOS, STRANGERS, Workspace, put, put_faceless

SECTIONS = ["Datos", "Proceso", "Métricas", "Análisis del umbral", "Latencia", "Recomendaciones", "Límites"]

COUNTS = {"photos": 60, "with_face": 60, "no_face": 0, "unusable": 0, "faces_used": 60}


def text_of(workspace: Workspace) -> str:
    return workspace.path("reports/INFORME_H10.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def numbers(text: str) -> list[float]:
    """Numbers of a table's cells, written with a decimal comma."""
    return [float(value.replace(",", ".")) for value in re.findall(r"(?<=\| )\d+(?:,\d+)?", text)]


def figures(**changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """metrics.json and evaluation_results.json as far as recommendations look at them."""
    faces = {"train": {"me": 48, "not_me": 80}, "test": {"me": 12, "not_me": 20}}
    metrics: dict[str, Any] = {"faces": faces, "backbone": "dlib-resnet"}
    results: dict[str, Any] = {
        "test_faces": {"me": 12, "not_me": 20},
        "threshold_analysis": {"at_default": {"far": 0.0}},
    }
    metrics.update({name: value for name, value in changes.items() if name in metrics})
    if "far" in changes:
        results["threshold_analysis"] = {"at_default": {"far": changes["far"]}}
    return metrics, results


def test_it_has_every_section_in_order(built: Workspace) -> None:
    assert re.findall(r"^## (.*)$", text_of(built), flags=re.MULTILINE) == SECTIONS
    assert text_of(built).startswith("# Informe técnico: verificación facial\n")


def test_it_names_no_photo_and_nobody(built: Workspace) -> None:
    text = text_of(built)
    photos = [path for name in ("me", "not_me") for path in built.path(f"data/{name}").rglob("*") if path.is_file()]
    assert len(photos) == ME_PHOTOS + STRANGERS
    for photo in photos:
        assert photo.stem not in text
        for name in {ME, photo.parent.name} - {"me", "not_me"}:
            assert name not in text
            assert name.replace("_", " ") not in text
    assert str(built.root) not in text


def test_the_pictures_it_shows_are_beside_it(built: Workspace) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text_of(built))
    assert sorted(shown) == ["confusion_matrix.png", "pr_curve.png", "roc_curve.png"]
    assert all(built.path(f"reports/{name}").is_file() for name in shown)


def test_what_does_not_vary_is_in_report_json_too(built: Workspace) -> None:
    content = json.loads(built.path("reports/report.json").read_text(encoding="utf-8"))
    assert list(content) == ["dataset", "metrics", "evaluation", "recommendations"]
    assert content["dataset"]["me"]["photos"] == ME_PHOTOS
    for name, file in (("metrics", "metrics"), ("evaluation", "evaluation_results")):
        assert content[name] == json.loads(built.path(f"reports/{file}.json").read_text(encoding="utf-8"))
    assert [line for line in content["recommendations"] if f"- {line}" not in text_of(built)] == []
    assert content["recommendations"]


def test_data_are_counted(built: Workspace) -> None:
    kept = int(built.crop_report()["kept"].sum()) - ME_PHOTOS
    rows = section(text_of(built), "Datos")
    assert f"| `me` | {ME_PHOTOS} | {ME_PHOTOS} | 0 | 0 | {ME_PHOTOS} |" in rows
    assert f"| `not_me` | {STRANGERS} | {STRANGERS} | 0 | 0 | {kept} |" in rows


def test_figures_are_those_of_the_other_stages(built: Workspace) -> None:
    metrics, results = (pd.read_json(built.path(f"reports/{name}.json"), typ="series") for name in
                        ("metrics", "evaluation_results"))  # fmt: skip
    table = numbers(section(text_of(built), "Métricas"))
    first, second = table[::2], table[1::2]
    keys = ["accuracy", "auc_roc", "precision", "recall", "f1_score"]
    assert first == pytest.approx([metrics[key] for key in keys], abs=5e-4)
    assert second == pytest.approx([results["metrics"][key] for key in keys], abs=5e-4)
    analysis = results["threshold_analysis"]
    thresholds = section(text_of(built), "Análisis del umbral")
    assert "| El del servicio | 0,75 |" in thresholds
    assert f"| El de mejor F1 | {analysis['optimal_threshold_f1']:.2f} |".replace(".", ",") in thresholds
    assert "(EER)" in thresholds


def test_process_says_what_was_used(built: Workspace) -> None:
    process = section(text_of(built), "Proceso")
    for said in ("MTCNN", "160 × 160", "`dlib-resnet`, 128 dimensiones, promediado", "LogisticRegression (C = 1,",
                 "StandardScaler", "semilla 42", "prueba 20,0 %", "validación"):  # fmt: skip
        assert said in process


def test_latency_has_every_step_with_a_plausible_time(built: Workspace) -> None:
    rows = section(text_of(built), "Latencia")
    for name in report._LATENCY_NAMES.values():
        median, p95 = re.search(rf"\| {re.escape(name)} \| ([\d,]+) \| ([\d,]+) \|", rows).groups()  # type: ignore[union-attr]
        assert 0 < float(median.replace(",", ".")) <= float(p95.replace(",", ".")) < 5000


def test_latency_measures_photos_with_a_face_and_passes_over_the_rest(built: Workspace, tmp_path: Path) -> None:
    networks = Networks.load(built.path("models/networks"))
    verifier = Verifier.load(built.path("models/model.joblib"), built.path("models/scaler.joblib"))
    put_faceless(tmp_path / "faceless.jpg")
    (tmp_path / "text.jpg").write_text("no photo")
    put(sorted(built.path("data/me").glob("*.jpg"))[0], tmp_path / "face.jpg")
    others = [tmp_path / "faceless.jpg", tmp_path / "text.jpg", tmp_path / "deleted.jpg"]
    assert measure(others, networks, verifier).keys() <= {"decode", "detect", "detect and cut"}
    times = measure([*others, tmp_path / "face.jpg"], networks, verifier)
    assert list(times) == list(STEPS)
    assert times["whole"]["median"] > times["detect and cut"]["median"] * 0.2
    assert times["classify"]["median"] < 1


@pytest.mark.parametrize(
    ("changes", "said", "not_said"),
    [
        ({}, "Ninguna de las 20 caras ajenas de prueba fue aceptada", "Añada fotos"),
        ({}, "por debajo de 15,0 %", "desequilibradas"),
        ({"far": 0.1}, "suba `VERIFY_THRESHOLD`", "Ninguna de las"),
        ({"faces": {"train": {"me": 10, "not_me": 200}, "test": {"me": 3, "not_me": 50}}},
         "Añada fotos a `data/me`: hay 13 caras; el mínimo recomendable es de 20 a 30.", "data/not_me"),
        ({"faces": {"train": {"me": 10, "not_me": 200}, "test": {"me": 3, "not_me": 50}}},
         "Las clases están desequilibradas (4,9 % son `me`)", "suba"),
        ({"faces": {"train": {"me": 24, "not_me": 80}, "test": {"me": 6, "not_me": 20}}},
         "Con 30 caras en `me` los resultados son útiles; lo ideal son 50 o más.", "Añada"),
    ],
)  # fmt: skip
def test_recommendations_follow_from_the_figures(changes: dict[str, Any], said: str, not_said: str) -> None:
    advice = "\n".join(report.recommendations(*figures(**changes), "dlib-resnet", {"me": COUNTS}))
    assert said in advice
    assert not_said not in advice


def test_the_stand_in_and_unusable_photos_are_spoken_of() -> None:
    plain = "\n".join(report.recommendations(*figures(), "dlib-resnet", {"me": COUNTS}))
    assert "red incluida" not in plain
    assert "crop_report" not in plain
    for trouble in ("no_face", "unusable"):
        spoken = "\n".join(
            report.recommendations(*figures(), "facenet-vggface2", {"me": COUNTS, "not_me": COUNTS | {trouble: 1}})
        )
        assert "Se usó la red incluida `dlib-resnet` porque los pesos de `facenet-vggface2`" in spoken
        assert "`reports/crop_report.csv`" in spoken


def test_photos_without_face_and_unusable_ones_are_counted_apart() -> None:
    crops = pd.DataFrame(
        {
            "photo": ["me/a", "me/a", "me/b", "me/c", "not_me/d", "not_me/d"],
            "faces_found": ["2", "2", "0", "0", "2", "2"],
            "kept": ["True", "False", "False", "False", "True", "True"],
            "reason": ["", "not the largest face", "no face found", "a damaged JPEG", "", ""],
        }
    )
    rows = report.dataset_section(report.count_photos(crops), figures()[0])
    assert "| `me` | 3 | 1 | 1 | 1 | 1 |" in rows
    assert "| `not_me` | 1 | 1 | 0 | 0 | 2 |" in rows
    assert "entrenamiento: 48 `me` y 80 `not_me`; prueba: 12 `me` y 20 `not_me`" in rows


def test_how_many_photos_are_timed_is_a_parameter(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[int] = []

    def counting(photos: list[Path], *_: object) -> dict[str, dict[str, float]]:
        timed.append(len(photos))
        assert all(photo.is_file() for photo in photos)
        return {}

    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(report, "measure", counting)
    photos = workspace.index()["photo"].nunique()
    for wanted in (1, 7, 1000):
        workspace.set_params(report__latency_photos=wanted)
        report.main()
    assert timed == [1, 7, photos]
    assert np.array_equal(timed, [1, 7, ME_PHOTOS + STRANGERS])
