"""Where the pipeline's files are, relative to the project's root (dvc.yaml names the same)."""

from __future__ import annotations

from pathlib import Path

DATA = Path("data")
CROPPED = DATA / "cropped"
EMBEDDINGS = DATA / "embeddings.npy"
LABELS = DATA / "labels.npy"
INDEX = DATA / "index.csv"
GROUPS = DATA / "groups.csv"
PREDICTIONS = DATA / "predictions.csv"

NETWORKS = Path("models/networks")
MODEL = Path("models/model.joblib")
SCALER = Path("models/scaler.joblib")
OPERATING_POINT = Path("models/operating_point.json")

REPORTS = Path("reports")
CROP_REPORT = REPORTS / "crop_report.csv"
QUALITY_CSV = REPORTS / "data_quality.csv"
QUALITY = REPORTS / "data_quality.json"
CONTACT_SHEET = REPORTS / "contact_sheet.png"
METRICS = REPORTS / "metrics.json"
EVALUATION = REPORTS / "evaluation_results.json"
REPORT = REPORTS / "crop_report.csv"
METRICS = REPORTS / "metrics.json"
EVALUATION = REPORTS / "evaluation_results.json"
CONFUSION_CSV = REPORTS / "confusion_matrix.csv"
CONFUSION_PNG = REPORTS / "confusion_matrix.png"
ROC_CSV = REPORTS / "roc_curve.csv"
ROC_PNG = REPORTS / "roc_curve.png"
PR_CSV = REPORTS / "pr_curve.csv"
PR_PNG = REPORTS / "pr_curve.png"
THRESHOLDS_CSV = REPORTS / "threshold_analysis.csv"
REPORT = REPORTS / "report.json"
INFORME = REPORTS / "INFORME_H10.md"
INFORME_HTML = REPORTS / "INFORME_H10.html"
DATA_QUALITY_JSON = REPORTS / "data_quality.json"
ROBUSTNESS_JSON = REPORTS / "robustness.json"
FAIRNESS_JSON = REPORTS / "fairness.json"
