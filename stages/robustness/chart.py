"""The chart of degraded photos: a row for each way to make a photo worse, a field for each step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.typing import ColorType

from stages.estimation.drawing import QUIET, SMALL, WIDTH, save, styled, title
from stages.files.degradation_kinds import DEGRADATION_KINDS
from stages.language.telling import number, spoken, tell

_DARK = 0.222
"""Of colours with a lower luminance, 0 to 1, white letters stand out more than black ones."""

_GAP = 0.04  # between fields, in fields
_NAMES = 0.42  # height of the line that names a row, in fields
_DEPTH = 0.85  # of the darkest field, of the colours' whole range
_PALE = 0.2  # up to this FRR a field is pale enough for grey letters
_CHIP = "#b4500a"  # the orange of strangers, dark enough for white letters


@styled
def draw_robustness(table: pd.DataFrame, doubled: dict[str, float | None], backbone: str, path: Path) -> None:
    """FRR and FAR at each level of a degradation, a row of fields for each, with the level at which FRR has doubled.

    A field is the darker the more photos of me are rejected, and has FRR as a number. FAR stands below it where any
    stranger is accepted.

    Args:
        table: columns degradation (names of `DEGRADATION_KINDS`), level, photos_me, photos_not_me, frr and far; the
            first row is of the photos as they are.
        doubled: the level at which FRR has doubled, or None, by degradation.
        backbone: named in the title.
        path: where to.
    """
    undegraded, steps = table.iloc[0], table.iloc[1:]
    names = list(dict.fromkeys(steps["degradation"]))
    columns = 1 + int(steps.groupby("degradation").size().max())
    figure = Figure(figsize=(WIDTH, 1.9 + 0.8 * len(names)), layout="constrained")
    axes = figure.subplots()
    title(figure, tell("Worse photos"))
    text = "{me:# photo|# photos} of me, {not_me} of others · {backbone}"
    me, not_me = undegraded["photos_me"], undegraded["photos_not_me"]
    axes.set_title(tell(text, me=me, not_me=not_me, backbone=backbone))
    for row, name in enumerate(names):
        own = steps[steps["degradation"] == name]
        kind, top = DEGRADATION_KINDS[name], row * (1 + _NAMES)
        axes.text(0, top + _NAMES / 2, kind.title(spoken()), va="center", fontweight="bold")
        axes.text(columns, top + _NAMES / 2, kind.unit(spoken()), va="center", ha="right", fontsize=SMALL, color=QUIET)
        _draw_field(axes, 0, top + _NAMES, tell("as it is"), undegraded, False)
        for place, (_, step) in enumerate(own.iterrows(), 1):
            _draw_field(axes, place, top + _NAMES, number(step["level"]), step, step["level"] == doubled[name])
    axes.set(xlim=(0, columns), ylim=(len(names) * (1 + _NAMES), 0))
    axes.set_axis_off()
    worse = tell("FRR doubled" if undegraded["frr"] > 0 else "two photos of me or more rejected")
    lines = [
        tell("large: FRR, photos of me rejected"),
        tell("orange: FAR, strangers accepted, where any is"),
        tell("frame: the first step with {worse}", worse=worse),
    ]
    figure.supxlabel("\n".join(lines), x=0.012, ha="left", fontsize=SMALL, color=QUIET)
    save(figure, path)


def _draw_field(axes: Axes, left: float, top: float, level: str, step: pd.Series, framed: bool) -> None:
    """One step of a degradation.

    Args:
        axes: where to.
        left, top: its corner, in fields.
        level: what the step is called.
        step: its frr and far; NaN is not known.
        framed: whether FRR has doubled there.
    """
    frr, far = float(step["frr"]), float(step["far"])
    known = not np.isnan(frr)
    colour = colormaps["Blues"](_DEPTH * frr) if known else "#f0f0f0"
    side = 1 - 2 * _GAP
    field = Rectangle((left + _GAP, top + _GAP), side, side, facecolor=colour, clip_on=False)
    field.set(edgecolor="black" if framed else "#d5dbe1", linewidth=2.5 if framed else 0.8)
    axes.add_patch(field)
    dark = _luminance(colour) < _DARK
    ink, quiet = ("white", "white") if dark else ("#22272d", QUIET if frr < _PALE or not known else "#22272d")
    middle = left + 0.5
    axes.text(middle, top + 0.23, level, ha="center", va="center", fontsize=SMALL, color=quiet)
    said = f"{round(100 * frr)} %" if known else "–"
    axes.text(middle, top + 0.54, said, ha="center", va="center", fontsize=15, fontweight="bold", color=ink)
    if far > 0:
        axes.text(
            middle, top + 0.83, f"FAR {number(100 * far, '.2g')} %", ha="center", va="center", fontsize=SMALL,
            fontweight="bold", color="white", bbox={"boxstyle": "round,pad=0.15", "facecolor": _CHIP, "linewidth": 0},
        )  # fmt: skip


def _luminance(colour: ColorType) -> float:
    """How light a colour is for the eye, 0 to 1 (WCAG's relative luminance, with a plain gamma)."""
    red, green, blue = (part**2.2 for part in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
