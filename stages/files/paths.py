"""Where the pipeline's files are, relative to the project's root (dvc.yaml names the same)."""

from __future__ import annotations

from pathlib import Path

DATA = Path("data")
CROPPED = DATA / "cropped"
SEVERAL_FACES = "me_several"
"""Folder of data/cropped with the faces of photos of me that show several, where stage embed chooses among them."""
EMBEDDINGS = DATA / "embeddings.npy"
LABELS = DATA / "labels.npy"
EMBEDDING_RECIPE = DATA / "embedding_recipe.json"
INDEX = DATA / "index.csv"
ATTRIBUTES = (DATA / "not_me" / "attributes.csv", DATA / "me" / "attributes.csv")
OLD_ATTRIBUTES = DATA / "attributes.csv"
CONSENT = DATA / "consent.csv"
GROUPS = DATA / "groups.csv"
PREDICTIONS = DATA / "predictions.csv"

REMEMBERED = DATA / "remembered"
REMEMBERED_CROPS = REMEMBERED / "crops"
REMEMBERED_EMBEDDINGS = REMEMBERED / "embeddings"

MODELS = Path("models")
NETWORKS = MODELS / "networks"
MODEL = MODELS / "model.joblib"
SCALER = MODELS / "scaler.joblib"
VERIFIER_ARRAYS = MODELS / "verifier.npz"
PHOTO_LIMITS = MODELS / "photo_limits.json"
OPERATING_POINT = MODELS / "operating_point.json"
CARD = MODELS / "card"
RECORDS = MODELS / "records"
EXPORT_RECORD = RECORDS / "export.json"
TRAIN_RECORD = RECORDS / "train.json"
EVALUATE_RECORD = RECORDS / "evaluate.json"
REPORT_RECORD = RECORDS / "report.json"

REPORTS = Path("reports")
CROP_REPORT = REPORTS / "crop_report.csv"
QUALITY_CSV = REPORTS / "data_quality.csv"
QUALITY = REPORTS / "data_quality.json"
TWO_PEOPLE = REPORTS / "two_people.png"
CONTACT_SHEET = REPORTS / "contact_sheet.png"
METRICS = REPORTS / "metrics.json"
EVALUATION = REPORTS / "evaluation_results.json"
THRESHOLDS_CSV = REPORTS / "threshold_analysis.csv"
ROBUSTNESS = REPORTS / "robustness.json"
ROBUSTNESS_CSV = REPORTS / "robustness.csv"
ROBUSTNESS_PNG = REPORTS / "robustness.png"
STRANGERS_CSV = REPORTS / "strangers.csv"
FAIRNESS = REPORTS / "fairness.json"
FAIRNESS_CSV = REPORTS / "fairness.csv"
REPORT = REPORTS / "report.json"
INFORME = REPORTS / "INFORME_H10.md"
INFORME_HTML = REPORTS / "INFORME_H10.html"
