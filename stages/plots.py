"""The pictures of an evaluation."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import ConfusionMatrixDisplay

from faces.files import write_bytes
from stages.photos import CLASSES

matplotlib.use("Agg")  # no screen needed; before pyplot is imported
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_COLOUR = "#1f5fa8"


def _axes(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure, axes = pyplot.subplots(figsize=(5.5, 5), layout="constrained")
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    picture = io.BytesIO()
    # No date or version inside: the same curve is the same file.
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    pyplot.close(figure)
    write_bytes(path, picture.getvalue())


def draw_roc(fpr: NDArray[np.float64], tpr: NDArray[np.float64], auc: float, backbone: str, path: Path) -> None:
    """ROC curve: true against false acceptance rate, float [K] each."""
    figure, axes = _axes(f"ROC, test faces ({backbone})", "FAR: strangers accepted", "1 − FRR: me accepted")
    axes.plot(fpr, tpr, color=_COLOUR, linewidth=2, drawstyle="steps-post", label=f"AUC {auc:.4f}")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="guessing")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    _save(figure, path)


def draw_precision_recall(
    recall: NDArray[np.float64], precision: NDArray[np.float64], average: float, backbone: str, path: Path
) -> None:
    """Precision against recall, float [K] each."""
    figure, axes = _axes(f"Precision and recall, test faces ({backbone})", "Recall", "Precision")
    axes.plot(recall, precision, color=_COLOUR, linewidth=2, drawstyle="steps-post", label=f"AP {average:.4f}")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), aspect="equal")
    axes.legend(loc="lower left")
    axes.grid(alpha=0.3)
    _save(figure, path)


def draw_confusion(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], threshold: float, backbone: str, path: Path
) -> None:
    """Confusion matrix at a threshold; labels and predictions are int [N]."""
    figure, axes = _axes("", "", "")
    ConfusionMatrixDisplay.from_predictions(
        labels, predicted, labels=[0, 1], display_labels=list(CLASSES), cmap="Blues", colorbar=False, ax=axes
    )
    axes.set(title=f"Test faces at threshold {threshold:g} ({backbone})", xlabel="Predicted", ylabel="Actual")
    _save(figure, path)
