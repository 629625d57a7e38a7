"""Stage report: reports/INFORME_H10.md, the technical report to read (in Spanish, as the contract asks).

It says what the other stages measured, adds the latency of each step on this machine, and recommends what follows from
the figures. It names no photo and nobody.

Latency is another in every run, so the report is no output that DVC knows: its hash would change dvc.lock each time.
reports/report.json, which holds the report's other content, is.
"""

from __future__ import annotations

import json
import platform
from typing import Any

import pandas as pd

from faces.files import write_text
from faces.networks import Manifest, Networks
from faces.verifier import Verifier
from stages.errors import run_stage
from stages.figures import rounded
from stages.inputs import read_json, read_table
from stages.latency import measure
from stages.params import Params, load_params
from stages.paths import CROP_REPORT, DATA, EVALUATION, INDEX, INFORME, METRICS, MODEL, NETWORKS, REPORT, SCALER
from stages.photos import CLASSES
from stages.protocol import RECOMMENDED

_LATENCY_NAMES = {
    "decode": "Decodificar la foto",
    "detect": "Detectar la cara mayor",
    "detect and cut": "Decodificar, detectar y recortar",
    "embed": "Calcular el embedding",
    "classify": "Clasificar (por cara)",
    "whole": "Todo, de la foto a la puntuación",
}


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %".replace(".", ",")


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


def count_photos(crops: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Photos and faces of each class, from the table of stage crop."""
    counts = {}
    for name in CLASSES:
        own = crops[crops["photo"].str.startswith(f"{name}/")]
        photos = own["photo"].nunique()
        without = int((own["reason"] == "no face found").sum())
        unusable = int((own["faces_found"] == "0").sum()) - without
        counts[name] = {
            "photos": photos,
            "with_face": photos - without - unusable,
            "no_face": without,
            "unusable": unusable,
            "faces_used": int((own["kept"] == "True").sum()),
        }
    return counts


def dataset_section(dataset: dict[str, dict[str, int]], metrics: dict[str, Any]) -> str:
    """What went in: photos, faces, and how they were split."""
    lines = [
        "| Clase | Fotos | Con cara | Sin cara | No utilizables | Caras usadas |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| `{name}` | {' | '.join(str(count) for count in dataset[name].values())} |" for name in reversed(CLASSES)
    ]
    parts = {"train": "entrenamiento", "validation": "validación", "test": "prueba"}
    split = "; ".join(
        f"{parts[part]}: {counts['me']} `me` y {counts['not_me']} `not_me`" for part, counts in metrics["faces"].items()
    )
    return "\n".join(lines) + f"\n\nReparto de las caras: {split}."


def metrics_section(metrics: dict[str, Any], results: dict[str, Any]) -> str:
    """The contract's figures, at 0.5 and at the service's threshold."""
    at_default = results["metrics"]
    rows = {
        "Exactitud (accuracy)": "accuracy",
        "AUC-ROC": "auc_roc",
        "Precisión": "precision",
        "Exhaustividad (recall)": "recall",
        "F1": "f1_score",
    }
    threshold = _number(results["threshold"], 2)
    lines = [f"| Métrica | con umbral 0,50 | con umbral {threshold} |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {_number(metrics[key])} | {_number(at_default[key])} |" for name, key in rows.items()]
    return "\n".join(lines)


def thresholds_section(results: dict[str, Any]) -> str:
    """FAR and FRR where it matters."""
    analysis = results["threshold_analysis"]
    eer = analysis["equal_error_rate"]
    rows = [("El del servicio", analysis["at_default"]), ("El de mejor F1", analysis["at_optimal_f1"])]
    lines = ["| Umbral | Valor | FAR | FRR | F1 |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {name} | {_number(at['threshold'], 2)} | {_percent(at['far'])} | {_percent(at['frr'])} | "
        f"{_number(at['f1'])} |"
        for name, at in rows
    ]
    part = "validación" if analysis["chosen_on"] == "validation" else "prueba"
    return (
        "\n".join(lines)
        + f"\n\nFAR: parte de las caras ajenas que se aceptan. FRR: parte de las propias que se rechazan. "
        f"FAR y FRR se igualan en {_percent(eer['eer'])} (EER), con umbral {_number(eer['threshold'], 2)}. "
        f"Calculado sobre las caras de {part}; `reports/threshold_analysis.csv` tiene todos los umbrales."
    )


def latency_section(latency: dict[str, dict[str, float]]) -> str:
    """Milliseconds of each step on this machine."""
    lines = ["| Paso | Mediana (ms) | Percentil 95 (ms) |", "| --- | ---: | ---: |"]
    lines += [
        f"| {name} | {_number(latency[step]['median'], 4 if step == 'classify' else 1)} | "
        f"{_number(latency[step]['p95'], 4 if step == 'classify' else 1)} |"
        for step, name in _LATENCY_NAMES.items()
        if step in latency
    ]
    return "\n".join(lines)


def recommendations(
    metrics: dict[str, Any], results: dict[str, Any], requested: str, dataset: dict[str, dict[str, int]]
) -> list[str]:
    """What follows from the figures, a sentence each."""
    advice = []
    used = {name: sum(counts[name] for counts in metrics["faces"].values()) for name in ("me", "not_me")}
    for name, count in used.items():
        if count < RECOMMENDED:
            advice.append(
                f"Añada fotos a `data/{name}`: hay {count} caras; el mínimo recomendable es de {RECOMMENDED} a 30."
            )
        elif count < 50:
            advice.append(f"Con {count} caras en `{name}` los resultados son útiles; lo ideal son 50 o más.")
    share = used["me"] / max(sum(used.values()), 1)
    if share < 0.15:
        advice.append(
            f"Las clases están desequilibradas ({_percent(share)} son `me`): la exactitud dice poco; mire FAR y FRR."
        )
    tested = results["test_faces"]["not_me"]
    if results["threshold_analysis"]["at_default"]["far"] == 0:
        advice.append(
            f"Ninguna de las {tested} caras ajenas de prueba fue aceptada. Eso no es un FAR de cero: con una confianza "
            f"del 95 % solo dice que está por debajo de {_percent(min(3 / tested, 1.0))}. Más caras ajenas lo precisan."
        )
    else:
        advice.append("Se aceptó alguna cara ajena: suba `VERIFY_THRESHOLD` si eso importa más que rechazar la propia.")
    if metrics["backbone"] != requested:
        advice.append(
            f"Se usó la red incluida `{metrics['backbone']}` porque los pesos de `{requested}` no estaban disponibles."
        )
    if any(counts["no_face"] + counts["unusable"] for counts in dataset.values()):
        advice.append("Revise en `reports/crop_report.csv` las fotos sin cara o no utilizables.")
    return advice


def gather(networks: Networks, crops: pd.DataFrame) -> dict[str, Any]:
    """The report's content but for its latency, as reports/report.json holds it."""
    metrics, results = read_json(METRICS, "train"), read_json(EVALUATION, "evaluate")
    dataset = count_photos(crops)
    requested = networks.manifest.requested
    return {
        "dataset": dataset,
        "metrics": metrics,
        "evaluation": results,
        "recommendations": recommendations(metrics, results, requested, dataset),
    }


def build_report(
    content: dict[str, Any], params: Params, manifest: Manifest, latency: dict[str, dict[str, float]]
) -> str:
    """The text of the report."""
    metrics, results = content["metrics"], content["evaluation"]
    advice = "\n".join(f"- {line}" for line in content["recommendations"])
    flip = "promediado con el de la cara reflejada" if params.embed.flip else "sin promediar con la cara reflejada"
    return f"""# Informe técnico: verificación facial

¿Es «me» la persona de la foto? Este informe describe con qué se entrenó el verificador, cómo funciona y qué cabe
esperar de él. Lo escribe la etapa `report` de `dvc repro` a partir de lo que midieron las demás.

## Datos

{dataset_section(content["dataset"], metrics)}

## Proceso

1. **Detección**: MTCNN (umbrales {list(manifest.detector.thresholds)}, probabilidad mínima
   {manifest.detector.min_probability}); la orientación EXIF se corrige.
2. **Recorte**: {manifest.crop.image_size} × {manifest.crop.image_size} píxeles, \
{"alineado por cinco puntos de la cara" if manifest.crop.alignment == "similarity" else "por el rectángulo detectado"}.
3. **Embedding**: `{manifest.backbone}`, {manifest.embedding_size} dimensiones, {flip}.
4. **Clasificador**: StandardScaler y LogisticRegression (C = {params.train.C:g},
   class_weight = {params.train.class_weight}); prueba {_percent(params.train.test_size)}, validación
   {_percent(params.train.validation_size)}, semilla {params.train.random_state}.

## Métricas

Sobre caras que el modelo no vio al entrenarse.

{metrics_section(metrics, results)}

![Matriz de confusión](confusion_matrix.png)

## Análisis del umbral

{thresholds_section(results)}

![Curva ROC](roc_curve.png)
![Precisión y exhaustividad](pr_curve.png)

## Latencia

En esta máquina ({platform.system()}, {platform.machine()}), un hilo, ONNX Runtime.

{latency_section(latency)}

## Recomendaciones

{advice}

## Límites

- No hay detección de vida: una foto impresa o una pantalla pueden pasar por la persona.
- Las cifras valen para fotos como las del conjunto de datos; otra cámara u otra luz pueden dar otras.
- Las fotos son datos biométricos: guárdelas cifradas, con consentimiento, y bórrelas cuando se retire.
"""


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    networks = Networks.load(NETWORKS)
    crops = read_table(CROP_REPORT, "crop", ["photo", "faces_found", "kept", "reason"])
    index = read_table(INDEX, "embed", ["photo"])
    count = min(params.report.latency_photos, len(index))
    photos = [DATA / name for name in index["photo"].drop_duplicates().sample(frac=1, random_state=0)[:count]]
    latency = measure(photos, networks, Verifier.load(MODEL, SCALER))
    content = gather(networks, crops)
    write_text(INFORME, build_report(content, params, networks.manifest, latency))
    write_text(REPORT, json.dumps(rounded(content), indent=2, ensure_ascii=False) + "\n")
    print(f"report: {INFORME}")


if __name__ == "__main__":
    run_stage("report", main, [INFORME, REPORT])
