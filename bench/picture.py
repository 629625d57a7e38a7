"""Draw the picture of docs/benchmarks.md of speed from what the benches printed.

python -m bench.verify … > verify.txt
python -m bench.load … > load.txt
python -m bench.pipeline … > pipeline.txt
python -m bench.picture verify.txt load.txt pipeline.txt --output bench/speed.png
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

Bars = dict[str, dict[str, float]]
_GROUPS = ("groups", "beside")  # under what bench.verify and bench.pipeline name the groups of photos
LOAD = "/verify: 8 clients at once"
FIGURES = "Figures"
"""Under which name the picture holds the bars as JSON: a test compares them with the tables of the documents."""


def read(paths: list[Path]) -> dict[str, dict[str, Any]]:
    """The last JSON line of each file, by the bench's name.

    A bench may have been run several times with other photos each time: its groups are put together, and of a group
    that is in several files the last one counts.

    Raises:
        SystemExit: a file does not end with one.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        if not lines:
            sys.exit(f"{path} holds no JSON line; expected what a bench printed")
        values = json.loads(lines[-1])
        before = found.get(values["bench"], {})
        together = {key: before.get(key, {}) | values[key] for key in _GROUPS if key in values}
        found[values["bench"]] = values | together
    return found


def bars(results: dict[str, dict[str, Any]]) -> Bars:
    """How many times as fast, by what is measured and by peer."""
    found: Bars = {}
    for group, row in results.get("verify", {}).get("groups", {}).items():
        if "dlib-resnet" in row and group != "no face":
            found[f"/verify: {group}"] = {peer: value for peer, value in row["dlib-resnet"].items() if peer != "ms"}
    if "load" in results:
        found[LOAD] = {"naive flow": results["load"]["throughput"]["times_as_many"]}
    for title, row in results.get("pipeline", {}).get("beside", {}).items():
        found[f"crop + embed: {title}"] = {"naive flow": row["times_as_fast"]}
    return found


def draw(rows: Bars, machine: str) -> Figure:
    """Horizontal bars on a logarithmic axis."""
    figure = Figure(figsize=(8, 0.8 + 0.5 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    colours = {"naive flow": "#2b6cb0", "face_recognition": "#dd8b2b"}
    titles = {"naive flow": "the naive flow (facenet-pytorch)", "face_recognition": "face_recognition (dlib)"}
    for place, row in enumerate(rows.values()):
        for offset, (peer, value) in enumerate(row.items()):
            y = place + (0.2 if len(row) > 1 else 0.0) * (2 * offset - 1)
            axes.barh(y, value, height=0.36, color=colours[peer], label=titles[peer] if place == 0 else None)
            axes.annotate(f"{value:.1f} ×", (value, y), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1, 3 * max(value for row in rows.values() for value in row.values()))
    axes.set_xlabel(f"times as fast ({machine})")
    axes.legend(loc="lower right", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+", help="files with what bench.verify, load and pipeline printed")
    parser.add_argument("--output", type=Path, default=Path("bench/speed.png"))
    args = parser.parse_args()
    results = read(args.results)
    rows = bars(results)
    if not rows:
        sys.exit("none of the files is of bench.verify, bench.load or bench.pipeline")
    mpl.use("agg")
    figure = draw(rows, next(iter(results.values()))["machine"])
    figure.savefig(args.output, dpi=110, metadata={FIGURES: json.dumps(rows)})
    print(args.output)


if __name__ == "__main__":
    main()
