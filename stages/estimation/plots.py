"""The pictures of an evaluation."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import norm
from sklearn.metrics import ConfusionMatrixDisplay

from faces.files import write_bytes
from faces.message import Message
from stages.files.degradation_kinds import DEGRADATION_KINDS
from stages.files.photos import CLASSES
from stages.language.telling import number, spoken, tell

_COLOUR = "#1f5fa8"

FEWEST_IN_BIN = 10
"""Faces that a tenth of the scores must have to be drawn in the calibration plot. Of ten faces, one more or less that
is "me" already moves the share by a tenth."""


def _axes(title: Message, x: Message, y: Message) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.set(title=tell(title), xlabel=tell(x), ylabel=tell(y))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: number(value))
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    picture = io.BytesIO()
    # The file holds no date and no version, so the same curve gives the same file.
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    write_bytes(path, picture.getvalue())


def _far_axis(estimated: bool) -> Message:
    return Message("FAR: strangers accepted (estimated)" if estimated else "FAR: strangers accepted")


def draw_roc(
    fpr: NDArray[np.float64], tpr: NDArray[np.float64], auc: float, backbone: str, path: Path, estimated: bool = False
) -> None:
    """ROC curve: true against false acceptance rate, float [K] each; `estimated`: whether the latter is."""
    figure, axes = _axes(
        Message("ROC, test faces ({backbone})", backbone=backbone),
        _far_axis(estimated),
        Message("1 − FRR: me accepted"),
    )
    label = f"AUC {number(auc, '.4f')}"
    if estimated:
        label = tell("AUC {area} (FAR estimated)", area=number(auc, ".4f"))
    axes.plot(fpr, tpr, color=_COLOUR, linewidth=2, drawstyle="steps-post", label=label)
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label=tell("guessing"))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    _save(figure, path)


def draw_precision_recall(
    recall: NDArray[np.float64],
    precision: NDArray[np.float64],
    average: float,
    backbone: str,
    path: Path,
    estimated: bool = False,
) -> None:
    """Precision against recall, float [K] each; `estimated`: whether the FAR in the precision is."""
    figure, axes = _axes(
        Message("Precision and recall, test faces ({backbone})", backbone=backbone),
        Message("Recall"),
        Message("Precision (FAR estimated, both classes equally frequent)" if estimated else "Precision"),
    )
    label = tell("AP {average}", average=number(average, ".4f"))
    if estimated:
        label = tell("AP {average} (FAR estimated)", average=number(average, ".4f"))
    axes.plot(
        recall,
        precision,
        color=_COLOUR,
        linewidth=2,
        drawstyle="steps-post",
        label=label,
    )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), aspect="equal")
    axes.legend(loc="lower left")
    axes.grid(alpha=0.3)
    _save(figure, path)


def draw_det(
    far: NDArray[np.float64], frr: NDArray[np.float64], backbone: str, path: Path, estimated: bool = False
) -> None:
    """Detection error trade-off (Martin et al. 1997), FRR against FAR, float [K] each, on normal-deviate axes.

    The axes begin at 0.005 %: smaller rates, 0 among them, are drawn at the edge. If some threshold makes no error at
    all, the whole curve lies on the edges, and a text in the picture says so.
    """
    figure, axes = _axes(
        Message("DET, test faces ({backbone})", backbone=backbone),
        _far_axis(estimated),
        Message("FRR: me rejected"),
    )
    ticks = np.array([0.0001, 0.001, 0.01, 0.05, 0.2, 0.5])
    low, high = 0.00005, 0.6
    shown = [norm.ppf(np.clip(rate, low, high)) for rate in (far, frr)]
    axes.plot(*shown, color=_COLOUR, linewidth=2, clip_on=False, zorder=3)  # above the frame, as it may lie on it
    if ((far == 0) & (frr == 0)).any():
        said = tell("No face is mistaken at the best threshold:\nthe curve is the left and the lower edge.")
        axes.text(0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(norm.ppf(ticks), [f"{number(100 * tick)} %" for tick in ticks])
    left, right = norm.ppf(low), norm.ppf(high)
    axes.set(xlim=(left, right), ylim=(left, right), aspect="equal")
    axes.grid(alpha=0.3)
    _save(figure, path)


def draw_calibration(table: pd.DataFrame, backbone: str, path: Path) -> None:
    """What share of faces with a score is "me".

    Tenths with fewer than `FEWEST_IN_BIN` faces are left out, since chance decides their share; the picture says so. A
    line joins neighbouring tenths alone.

    Args:
        table: columns score, share_me, weight and faces of the calibration table.
        backbone: named in the title.
        path: the file to write.
    """
    figure, axes = _axes(
        Message("Calibration, test faces ({backbone})", backbone=backbone),
        Message("Score"),
        Message("Share that is me (both classes equally frequent)"),
    )
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label=tell("perfect"))
    both = bool(table["share_me"].lt(1).any())
    shown = table[(table["faces"] >= FEWEST_IN_BIN) & both]
    tenth = np.minimum((shown["score"].to_numpy() * 10).astype(int), 9)
    for run in np.split(np.arange(len(shown)), np.flatnonzero(np.diff(tenth) > 1) + 1):
        axes.plot(shown["score"].iloc[run], shown["share_me"].iloc[run], color=_COLOUR, linewidth=1)
    axes.scatter(shown["score"], shown["share_me"], s=20 + 400 * shown["weight"], color=_COLOUR, label=tell("measured"))
    if not both:
        said = tell("without photos of others, nothing can be measured")
        axes.text(0.98, 0.02, said, transform=axes.transAxes, ha="right", va="bottom", fontsize=8, color="#555555")
    elif len(shown) < len(table):
        said = tell("tenths with fewer than {fewest} faces are not drawn", fewest=FEWEST_IN_BIN)
        axes.text(0.98, 0.02, said, transform=axes.transAxes, ha="right", va="bottom", fontsize=8, color="#555555")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.legend(loc="upper left")
    axes.grid(alpha=0.3)
    _save(figure, path)


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
    figure, axes = _axes(
        Message("Scores, test faces ({backbone})", backbone=backbone),
        Message("Score"),
        Message("Share of the class's faces"),
    )
    ticks = np.array([1e-6, 1e-4, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999, 1 - 1e-6])
    odds = logit(np.clip(scores, ticks[0], ticks[-1]))
    edges = np.linspace(logit(ticks[0]), logit(ticks[-1]), 50).tolist()
    for label, colour in ((0, "#c0392b"), (1, "#1e8449")):
        own = odds[labels == label]
        if not len(own):
            continue
        axes.hist(
            own, bins=edges, weights=np.full(len(own), 1 / len(own)), color=colour, alpha=0.6, label=CLASSES[label]
        )
    for (name, threshold), style in zip(thresholds.items(), ("-", "--"), strict=True):
        at = logit(np.clip(threshold, ticks[0], ticks[-1]))
        axes.axvline(
            at,
            color="black",
            linestyle=style,
            label=tell("threshold {threshold} ({name})", threshold=number(threshold, ".4g"), name=name),
        )
    axes.set_xticks(logit(ticks), ["≤1e-6", "1e-4", *map(number, ticks[2:-1]), "≥1−1e-6"], rotation=45)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    _save(figure, path)


def draw_robustness(table: pd.DataFrame, doubled: dict[str, float | None], backbone: str, path: Path) -> None:
    """FRR and FAR at each level of a degradation, a panel for each, with the level at which FRR has doubled.

    Args:
        table: columns degradation (names of `DEGRADATION_KINDS`), level, photos_me, photos_not_me, frr, far and
            no_face; the first row is of the photos as they are.
        doubled: the level at which FRR has doubled, or None, by degradation.
        backbone: named in the title.
        path: where to.
    """
    undegraded, steps = table.iloc[0], table.iloc[1:]
    names = list(dict.fromkeys(steps["degradation"]))
    figure = Figure(figsize=(11, 9.5), layout="constrained")
    grid = figure.subplots(-(-len(names) // 3), 3, sharey=True)
    curves = (("frr", "#1e8449", "-", tell("FRR: me rejected")),
              ("far", "#c0392b", "-", tell("FAR: strangers accepted")),
              ("no_face", "grey", ":", tell("no face found (any photo)")))  # fmt: skip
    worse = tell("FRR doubled" if undegraded["frr"] > 0 else "two photos of me or more rejected")
    for axes, name in zip(grid.flat, names, strict=False):
        own = steps[steps["degradation"] == name]
        levels = own["level"].tolist()
        for rate, colour, style, meaning in curves:
            values = 100 * np.array([undegraded[rate], *own[rate]])
            axes.plot(values, color=colour, linestyle=style, marker="o", markersize=4, label=meaning)
        axes.set_xticks(range(len(levels) + 1), [tell("as it is"), *map(number, levels)])
        if doubled[name] is not None:
            axes.axvline(1 + levels.index(doubled[name]), color="black", linestyle="--", linewidth=1, label=worse)
        kind = DEGRADATION_KINDS[name]
        axes.set(title=kind.title(spoken()), xlabel=kind.unit(spoken()), ylim=(-4, 104))
        axes.grid(alpha=0.3)
    for axes in grid[:, 0]:
        axes.set_ylabel(tell("per cent"))
    meanings = {text: line for axes in grid.flat for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(meanings.values(), meanings.keys(), loc="outside lower center", ncols=len(meanings))
    text = "Degraded photos: {me:# photo|# photos} of me, {not_me} of others ({backbone})"
    me, not_me = undegraded["photos_me"], undegraded["photos_not_me"]
    figure.suptitle(tell(text, me=me, not_me=not_me, backbone=backbone))
    _save(figure, path)


def draw_confusion(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], threshold: float, backbone: str, path: Path
) -> None:
    """Confusion matrix at a threshold; labels and predictions are int [N]."""
    title = Message(
        "Test faces, each once\nthreshold {threshold} ({backbone})", threshold=number(threshold), backbone=backbone
    )
    x, y = Message("Predicted"), Message("Actual")
    figure, axes = _axes(title, x, y)
    ConfusionMatrixDisplay.from_predictions(
        labels, predicted, labels=[0, 1], display_labels=list(CLASSES), cmap="Blues", colorbar=False, ax=axes,
    )  # fmt: skip
    axes.set(xlabel=tell(x), ylabel=tell(y))  # scikit-learn has written its own
    _save(figure, path)
