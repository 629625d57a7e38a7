"""The pipeline as a diagram, an SVG that follows the reader's light or dark: drawn from the stages of dvc.yaml.

A stage stands below those whose files it reads. An arrow is drawn where nothing else leads from the one to the other:
later stages read files of earlier ones too, and a line for each would hide the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import yaml

WORDS = {
    "en": {
        "photos": "your photos",
        "export": "writes the networks as ONNX",
        "crop": "finds the faces and cuts them",
        "embed": "turns each face into a list of numbers",
        "quality": "points out problems in the photos",
        "train": "estimates the errors, then trains the model",
        "evaluate": "error rates, curves, thresholds",
        "robustness": "worse photos, groups of people",
        "report": "a report to read",
        "service": "yes or no, for a new photo",
        "title": "The stages of dvc.yaml, from photos to report and service",
    },
    "es": {
        "photos": "tus fotos",
        "export": "escribe las redes en ONNX",
        "crop": "encuentra las caras y las recorta",
        "embed": "convierte cada cara en una lista de números",
        "quality": "señala problemas en las fotos",
        "train": "estima los errores y entrena el modelo",
        "evaluate": "tasas de error, curvas, umbrales",
        "robustness": "fotos peores, grupos de personas",
        "report": "un informe para leer",
        "service": "sí o no, para una foto nueva",
        "title": "Las etapas de dvc.yaml, de las fotos al informe y al servicio",
    },
}
"""What is said of each stage, and of what lies around the pipeline."""

PHOTOS, SERVICE = "photos", "service"
_GIVEN = ("data/me", "data/not_me")
_SERVED = ("models/model.joblib", "models/networks", "models/operating_point.json", "models/verifier.npz")
_NAMES = {PHOTOS: "data/me  data/not_me", SERVICE: "python -m service"}

_WIDTH, _MARGIN, _GAP = 720, 24, 24
_BOX, _STEP = 62, 120  # height of a box, and from one row to the next
_MOST_FILES = 2  # named beside an arrow

_STYLE = """
  .paper { fill: #f6f6f3 } .box { fill: #ffffff; stroke: #c9ccd3; stroke-width: 1.5 }
  .around { fill: none; stroke: #8a909c; stroke-width: 1.5; stroke-dasharray: 6 4 }
  .name { fill: #16181d; font: 600 18px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace }
  .words { fill: #4d5360; font: 15px system-ui, "Segoe UI", "DejaVu Sans", sans-serif }
  .files { fill: #5b6270; font: 12.5px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace }
  .arrow { fill: none; stroke: #3355d1; stroke-width: 2 } .tip { fill: #3355d1 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #101216 } .box { fill: #1b1e25; stroke: #3b404b } .around { stroke: #6d7482 }
    .name { fill: #f0f1f4 } .words { fill: #b4bac6 } .files { fill: #9aa1af }
    .arrow { stroke: #8fa4ff } .tip { fill: #8fa4ff }
  }
"""


@dataclass(frozen=True)
class Node:
    """A stage, or what lies at an end of the pipeline.

    Attributes:
        name: of the stage, or PHOTOS or SERVICE.
        reads, writes: paths.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


def _paths(entries: Iterable[str | Mapping[str, Any]]) -> tuple[str, ...]:
    """The paths of outputs, each of which is a path or a path with settings."""
    return tuple(entry if isinstance(entry, str) else next(iter(entry)) for entry in entries)


def read_nodes(pipeline: Path) -> list[Node]:
    """The stages of a dvc.yaml in their order, between the photos and the service."""
    stages = yaml.safe_load(pipeline.read_text(encoding="utf-8"))["stages"]
    nodes = [Node(PHOTOS, (), _GIVEN)]
    for name, stage in stages.items():
        writes = [entry for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])]
        nodes.append(Node(name, _paths(stage["deps"]), _paths(writes)))
    return [*nodes, Node(SERVICE, _SERVED, ())]


def files_between(nodes: list[Node]) -> dict[tuple[str, str], list[str]]:
    """For each two nodes, the files that the second one reads and the first one writes, if there are any."""
    found = {}
    for writer in nodes:
        for reader in nodes:
            files = [path for path in writer.writes if path in reader.reads]
            if files and writer is not reader:
                found[writer.name, reader.name] = files
    return found


def direct(edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those edges for which there is no longer way (the transitive reduction; there are no circles)."""
    edges = list(edges)

    def reached(start: str) -> set[str]:
        after = {target for source, target in edges if source == start}
        return after.union(*(reached(target) for target in after)) if after else after

    longer = {
        (source, target) for source, target in edges for other in {t for s, t in edges if s == source} - {target}
        if target in reached(other)
    }  # fmt: skip
    return [edge for edge in edges if edge not in longer]


def rows_of(nodes: list[Node], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The names by rows: each in the first row that is below all that it reads."""
    edges, row = list(edges), {node.name: 0 for node in nodes}
    for _ in nodes:
        for source, target in edges:
            row[target] = max(row[target], row[source] + 1)
    rows: list[list[str]] = [[] for _ in range(max(row.values()) + 1)]
    for name, at in row.items():
        rows[at].append(name)
    # The service beside the report, below the evaluation that chooses its threshold.
    return [sorted(names, key=lambda name: name != SERVICE) for names in rows]


def draw(pipeline: Path, language: str) -> str:
    """The diagram of a dvc.yaml as SVG, in en or es."""
    nodes = read_nodes(pipeline)
    between = files_between(nodes)
    arrows = direct(between)
    rows = rows_of(nodes, arrows)
    words = WORDS[language]
    places = {}
    for at, names in enumerate(rows):
        width = (_WIDTH - 2 * _MARGIN - (len(names) - 1) * _GAP) / len(names)
        for column, name in enumerate(names):
            places[name] = (_MARGIN + column * (width + _GAP), _MARGIN + at * _STEP, width)
    height = 2 * _MARGIN + (len(rows) - 1) * _STEP + _BOX
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(words["title"])}">',
        f"<title>{escape(words['title'])}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="16"/>',
        *(_arrow(places[source], places[target], _shown(source, target, between)) for source, target in arrows),
        *(_box(name, place, words[name]) for name, place in places.items()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


_Place = tuple[float, float, float]
"""Left, top and width of a box."""


def _shown(source: str, target: str, between: Mapping[tuple[str, str], list[str]]) -> list[str]:
    """The files that are named beside an arrow."""
    if source == PHOTOS:
        return []  # the box names them
    if target == SERVICE:
        return ["models/"]  # it reads files of other stages there, too
    files = sorted(between[source, target])
    return [*files[: _MOST_FILES - 1], f"{files[_MOST_FILES - 1]} …"] if len(files) > _MOST_FILES else files


def _box(name: str, place: _Place, words: str) -> str:
    left, top, width = place
    kind = "around" if name in _NAMES else "box"
    middle = left + width / 2
    return (
        f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{width:g}" height="{_BOX}" rx="12"/>\n'
        f'<text class="name" x="{middle:g}" y="{top + 26:g}" text-anchor="middle">'
        f"{escape(_NAMES.get(name, name))}</text>\n"
        f'<text class="words" x="{middle:g}" y="{top + 48:g}" text-anchor="middle">{escape(words)}</text>'
    )


def _arrow(place: _Place, to: _Place, files: list[str]) -> str:
    """From the one box to the other, with files beside it if it is upright."""
    (left, top, width), (to_left, to_top, to_width) = place, to
    if width == to_width and left != to_left:  # across, beside what goes straight on
        right = to_left > left
        start = left + width * (0.8 if right else 0.2)
        end = to_left + to_width * (0.2 if right else 0.8)
    else:
        narrow_left, narrow = (left, width) if width < to_width else (to_left, to_width)
        start = end = narrow_left + narrow * (0.5 if narrow > _WIDTH / 2 else 0.4)  # room for the files' names
    y, to_y = top + _BOX, to_top - 11
    line = f"M{start:g} {y:g}C{start:g} {y + 30:g} {end:g} {to_y - 30:g} {end:g} {to_y:g}"
    tip = f"M{end - 6:g} {to_y - 1:g}h12l-6 10z"
    label = _label(files, end + 12, (y + to_y) / 2) if start == end else ""
    return f'<path class="arrow" d="{line}"/><path class="tip" d="{tip}"/>{label}'


def _label(files: list[str], x: float, middle: float) -> str:
    """Names of files, one below the other."""
    top = middle - 8 * (len(files) - 1) + 4
    return "".join(
        f'\n<text class="files" x="{x:g}" y="{top + 16 * at:g}">{escape(name)}</text>' for at, name in enumerate(files)
    )
