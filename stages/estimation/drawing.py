"""How charts look, and how they become files: made to be read on a telephone as well as in a talk.

A chart is 780 pixels wide. On a telephone it is shown half as wide, and its smallest letters are then 10 pixels high.
Faces of "me" are blue and those of strangers orange, which people tell apart who do not tell red from green.
"""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from faces.files import write_bytes
from faces.message import Message
from stages.language.telling import number, tell

WIDTH, DPI = 5.2, 150
"""Inches, and dots an inch."""

ME, STRANGERS = "#1f5fa8", "#d1610b"
QUIET = "#5b6570"
"""What is said beside the point, and lines that others are compared with."""

SMALL = 10
"""Points, of the smallest letters."""

styled = rc_context(
    {
        "axes.axisbelow": True,
        "axes.edgecolor": "#aab2bb",
        "axes.grid": True,
        "axes.labelcolor": "#22272d",
        "axes.labelsize": 12,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": QUIET,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "figure.titlesize": 15,
        "figure.titleweight": "bold",
        "font.size": 11.5,
        "grid.color": "#e4e8ec",
        "grid.linewidth": 1,
        "legend.fontsize": 11,
        "legend.frameon": False,
        "text.color": "#22272d",
        "xtick.color": "#aab2bb",
        "xtick.labelcolor": "#22272d",
        "ytick.color": "#aab2bb",
        "ytick.labelcolor": "#22272d",
    }
)
"""Decorates what draws a chart, so that it looks like the others."""


def title(figure: Figure, text: str) -> None:
    """Say at the top what a chart shows."""
    figure.suptitle(text, x=0.012, ha="left")


def figure_of(what: Message, about: Message, x: Message, y: Message, height: float = 5.2) -> tuple[Figure, Axes]:
    """A chart of one panel, with decimal commas where the language has them.

    Args:
        what: the chart shows.
        about: of which faces it is, and of which network.
        x, y: what the axes are.
        height: inches.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    title(figure, tell(what))
    axes.set(title=tell(about), xlabel=tell(x), ylabel=tell(y))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: number(value))
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    """Write a chart as PNG. It holds no date and no version, so the same chart gives the same file.

    Raises:
        OSError: it cannot be written.
    """
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    write_bytes(path, picture.getvalue())
