"""The charts of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import norm
from sklearn.metrics import ConfusionMatrixDisplay

from faces.message import Message
from stages.estimation.drawing import ME, QUIET, SMALL, STRANGERS, WIDTH, figure_of, save, styled, title
from stages.files.photos import CLASSES
from stages.language.telling import number, tell

FEWEST_IN_BIN = 10
"""Faces that a tenth of the scores must have to be drawn in the calibration plot. Of ten faces, one more or less that
is "me" already moves the share by a tenth."""


def _test_faces(backbone: str) -> Message:
    return Message("test faces · {backbone}", backbone=backbone)


def _far_axis(estimated: bool) -> Message:
    return Message("FAR: strangers accepted (estimated)" if estimated else "FAR: strangers accepted")


@styled
def draw_roc(
    fpr: NDArray[np.float64], tpr: NDArray[np.float64], auc: float, backbone: str, path: Path, estimated: bool = False
) -> None:
    """ROC curve: true against false acceptance rate, float [K] each; `estimated`: whether the latter is."""
    figure, axes = figure_of(
        Message("ROC curve"), _test_faces(backbone), _far_axis(estimated), Message("1 − FRR: me accepted")
    )
    label = f"AUC {number(auc, '.4f')}"
    if estimated:
        label = tell("AUC {area} (FAR estimated)", area=number(auc, ".4f"))
    axes.plot(fpr, tpr, color=ME, linewidth=2.5, drawstyle="steps-post", label=label)
    axes.plot([0, 1], [0, 1], color=QUIET, linestyle=":", label=tell("guessing"))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.legend(loc="lower right")
    save(figure, path)


@styled
def draw_precision_recall(
    recall: NDArray[np.float64],
    precision: NDArray[np.float64],
    average: float,
    backbone: str,
    path: Path,
    estimated: bool = False,
) -> None:
    """Precision against recall, float [K] each; `estimated`: whether the FAR in the precision is."""
    about = _test_faces(backbone)
    if estimated:
        about = Message("{about}\nFAR estimated, both classes equally frequent", about=about)
    figure, axes = figure_of(Message("Precision and recall"), about, Message("Recall"), Message("Precision"))
    label = tell("AP {average}", average=number(average, ".4f"))
    axes.plot(
        recall,
        precision,
        color=ME,
        linewidth=2.5,
        drawstyle="steps-post",
        label=label,
    )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), aspect="equal")
    axes.legend(loc="lower left")
    save(figure, path)


@styled
def draw_det(
    far: NDArray[np.float64], frr: NDArray[np.float64], backbone: str, path: Path, estimated: bool = False
) -> None:
    """Detection error trade-off (Martin et al. 1997), FRR against FAR, float [K] each, on normal-deviate axes.

    The axes begin at 0.005 %: smaller rates, 0 among them, are drawn at the edge. If some threshold makes no error at
    all, the whole curve lies on the edges, and a text in the picture says so.
    """
    figure, axes = figure_of(
        Message("DET curve"), _test_faces(backbone), _far_axis(estimated), Message("FRR: me rejected")
    )
    ticks = np.array([0.0001, 0.001, 0.01, 0.05, 0.2, 0.5])
    low, high = 0.00005, 0.6
    shown = [norm.ppf(np.clip(rate, low, high)) for rate in (far, frr)]
    axes.plot(*shown, color=ME, linewidth=2.5, clip_on=False, zorder=3)  # above the frame, as it may lie on it
    if ((far == 0) & (frr == 0)).any():
        said = tell("No face is mistaken at the best threshold:\nthe curve is the left and the lower edge.")
        axes.text(0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(norm.ppf(ticks), [f"{number(100 * tick)} %" for tick in ticks])
    left, right = norm.ppf(low), norm.ppf(high)
    axes.set(xlim=(left, right), ylim=(left, right), aspect="equal")
    save(figure, path)


@styled
def draw_errors_by_threshold(table: pd.DataFrame, thresholds: dict[str, float], backbone: str, path: Path) -> None:
    """FAR, in the three ways, and FRR along the threshold, with the upper ends of their 95 % intervals.

    The scale is logarithmic, from 0.005 % on: smaller rates, 0 among them, are drawn at its lower edge.

    Args:
        table: columns threshold, far, far_high, far_estimated, frr and frr_high of the threshold analysis; what is not
            known is NaN or None.
        thresholds: worth knowing, by name.
        backbone: named in the title.
        path: the file to write.
    """
    figure, axes = figure_of(
        Message("Errors by threshold"), _test_faces(backbone), Message("Threshold"), Message("Share, per cent"), 6.0
    )
    low, at = 0.005, table["threshold"].to_numpy(float)

    def shown(name: str) -> NDArray[np.float64]:
        return np.clip(100 * table[name].to_numpy(float), low, 100)

    axes.set_yscale("log")
    curves = (("far", STRANGERS, "-", tell("FAR measured")),
              ("far_high", STRANGERS, ":", tell("FAR promised: below this")),
              ("far_estimated", STRANGERS, "--", tell("FAR estimated")),
              ("frr", ME, "-", tell("FRR measured")),
              ("frr_high", ME, ":", tell("FRR, with 95 % confidence: below this")))  # fmt: skip
    for name, colour, style, meaning in curves:
        if table[name].notna().any():
            width = 2.5 if style == "-" else 2
            axes.plot(at, shown(name), color=colour, linestyle=style, linewidth=width, label=meaning)
    _draw_thresholds(axes, thresholds)
    ticks = [low, 0.01, 0.1, 1, 10, 100]
    axes.set_yticks(ticks, ["≈ 0", *map(number, ticks[1:])])
    axes.minorticks_off()
    axes.set(xlim=(0, 1), ylim=(low * 0.93, 108))
    figure.legend(loc="outside lower left", ncols=1)
    save(figure, path)


def _draw_thresholds(
    axes: Axes, thresholds: Mapping[str, float], place: Callable[[float], float] = lambda threshold: threshold
) -> None:
    """Lines at two thresholds, by name.

    Args:
        axes: where to.
        thresholds: by name.
        place: where a threshold lies on the axis.
    """
    for (name, threshold), style in zip(thresholds.items(), ("-", "--"), strict=True):
        axes.axvline(
            place(threshold),
            color="black",
            linestyle=style,
            linewidth=1.4,
            label=tell("threshold {threshold} ({name})", threshold=number(threshold, ".4g"), name=name),
        )


@styled
def draw_calibration(table: pd.DataFrame, backbone: str, path: Path) -> None:
    """What share of faces with a score is "me" and, below, how many faces have such a score.

    Tenths with fewer than `FEWEST_IN_BIN` faces have no share drawn, since chance decides it; the picture says so. A
    line joins neighbouring tenths alone.

    Args:
        table: columns score, share_me, weight and faces of the calibration table.
        backbone: named in the title.
        path: the file to write.
    """
    figure = Figure(figsize=(WIDTH, 6.6), layout="constrained")
    axes, below = figure.subplots(2, sharex=True, height_ratios=(4, 1))
    title(figure, tell("Calibration"))
    about = Message("{about}\nboth classes equally frequent", about=_test_faces(backbone))
    axes.set(title=tell(about), ylabel=tell("Share that is me"))
    axes.plot([0, 1], [0, 1], color=QUIET, linestyle=":", label=tell("perfect"))
    both = bool(table["share_me"].lt(1).any())
    shown = table[(table["faces"] >= FEWEST_IN_BIN) & both]
    tenth = np.minimum((shown["score"].to_numpy() * 10).astype(int), 9)
    for run in np.split(np.arange(len(shown)), np.flatnonzero(np.diff(tenth) > 1) + 1):
        axes.plot(shown["score"].iloc[run], shown["share_me"].iloc[run], color=ME, linewidth=1.5)
    axes.scatter(shown["score"], shown["share_me"], s=20 + 400 * shown["weight"], color=ME, label=tell("measured"))
    said = ""
    if not both:
        said = tell("without photos of others,\nnothing can be measured")
    elif len(shown) < len(table):
        said = tell("not drawn: tenths with\nfewer than {fewest} faces", fewest=FEWEST_IN_BIN)
    if said:
        axes.text(0.98, 0.03, said, transform=axes.transAxes, ha="right", va="bottom", fontsize=SMALL, color=QUIET)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.legend(loc="upper left")
    of_all = np.minimum((table["score"].to_numpy() * 10).astype(int), 9)
    bars = below.bar(of_all / 10 + 0.05, table["faces"], width=0.09, color=ME, alpha=0.55)
    below.bar_label(bars, fontsize=SMALL, color=QUIET)
    below.margins(y=0.3)
    below.set(xlabel=tell("Score"), ylabel=tell("Faces"), yticks=[])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(np.linspace(0, 1, 6))
        axis.set_major_formatter(lambda value, _: number(value))
    save(figure, path)


@styled
def draw_scores(
    labels: NDArray[np.int64], scores: NDArray[np.float64], thresholds: dict[str, float], backbone: str, path: Path
) -> None:
    """Histograms of the scores of both classes, on the scale of log odds, with thresholds.

    Args:
        labels: int64 [N].
        scores: float64 [N], 0 to 1.
        thresholds: by name.
        backbone: named in the title.
        path: the file to write.
    """
    figure, axes = figure_of(
        Message("Scores"), _test_faces(backbone), Message("Score"), Message("Share of the class's faces"), 5.6
    )
    ticks = np.array([1e-6, 1e-4, 0.01, 0.5, 0.99, 0.9999, 1 - 1e-6])  # equally far from each other
    odds = logit(np.clip(scores, ticks[0], ticks[-1]))
    edges = np.linspace(logit(ticks[0]), logit(ticks[-1]), 50).tolist()
    names = (tell("{name}: other people", name=CLASSES[0]), CLASSES[1])
    for label, colour in ((0, STRANGERS), (1, ME)):
        own = odds[labels == label]
        if not len(own):
            continue
        axes.hist(
            own, bins=edges, weights=np.full(len(own), 1 / len(own)), color=colour, alpha=0.65, label=names[label]
        )
    _draw_thresholds(axes, thresholds, lambda threshold: float(logit(np.clip(threshold, ticks[0], ticks[-1]))))
    axes.set_xticks(logit(ticks), ["≈ 0", *map(number, ticks[1:-1]), "≈ 1"])
    axes.locator_params(axis="y", nbins=5)
    figure.legend(loc="outside lower left", ncols=1)
    save(figure, path)


@styled
def draw_confusion(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], threshold: float, backbone: str, path: Path
) -> None:
    """Confusion matrix at a threshold; labels and predictions are int [N]."""
    about = Message(
        "test faces, each once\nthreshold {threshold} · {backbone}", threshold=number(threshold), backbone=backbone
    )
    x, y = Message("Predicted"), Message("Actual")
    figure, axes = figure_of(Message("Confusion matrix"), about, x, y)
    ConfusionMatrixDisplay.from_predictions(
        labels, predicted, labels=[0, 1], display_labels=list(CLASSES), cmap="Blues", colorbar=False, ax=axes,
        text_kw={"fontsize": 22, "fontweight": "bold"},
    )  # fmt: skip
    axes.set(xlabel=tell(x), ylabel=tell(y))  # scikit-learn has written its own
    axes.grid(visible=False)
    save(figure, path)
