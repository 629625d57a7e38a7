"""Makes a report of figures: Markdown from a template in the reader's language, and HTML that needs no other file."""

from __future__ import annotations

import base64
import datetime
import html
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token

from faces.message import fill
from stages.estimation.intervals import is_no_bound
from stages.files.degradation_kinds import DEGRADATION_KINDS
from stages.files.problem_kinds import names_of_problems

TEMPLATES = Path(__file__).parent / "templates"

_UNKNOWN = "–"

_NARROW_COLUMNS = 3
"""A table of so many columns, or fewer, fits on a telephone's screen."""

_STYLE = """
:root { color-scheme: light dark; --ink: #222; --soft: #555; --paper: #fff; --line: #ccc; --head: #f3f5f8;
  --link: #0b57b7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6ea; --soft: #a6abb7; --paper: #14161a; --line: #3a3f49; --head: #22262e; --link: #8fb4ff; }
  body img { border: .75rem solid var(--head); border-radius: 1.25rem; filter: brightness(.88); }
}
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 54rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
a { color: var(--link); }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
td, th { border: 1px solid var(--line); padding: .3rem .6rem; }
td[style*="right"] { white-space: nowrap; }
td { vertical-align: top; }
th { background: var(--head); text-align: left; } img { max-width: 100%; vertical-align: top; margin: .3rem 0; }
code { background: var(--head); padding: 0 .2em; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  body { margin-top: 1rem; }
  td, th { padding: .3rem .4rem; }
  .wide, .wide tbody, .wide tr { display: block; }
  .wide thead { display: none; }
  .wide tr { border: 1px solid var(--line); margin-bottom: .8rem; }
  .wide td { display: flex; justify-content: space-between; gap: 1rem; border: 0; border-top: 1px solid var(--line); }
  .wide td::before { content: attr(data-label); color: var(--soft); text-align: left; white-space: normal; }
  .wide td:first-child { background: var(--head); font-weight: bold; border-top: 0; white-space: normal; }
  .wide td:first-child::before { content: none; }
}
@media (min-width: 50rem) { p > img { max-width: 49%; } p > img:only-child { max-width: 70%; } }
"""


KNOWN_BIAS = {"average": 4.4, "highest": 21.5, "women": 8.4, "east_asian": 5.8}
"""How many times the estimated FAR was measured among strangers of the person's own kind, a Gaussian of the population:
on average, at most, and at most in the kinds of mostly women and of mostly East Asian names
(`python -m bench.bias LFW`)."""

LEAST_ESTIMATE = 1e-6
"""A smaller share of strangers is not told from none: the population was fitted to thousands of people."""


def _number(comma: bool) -> Callable[[float | None, int], str]:
    """A number with so many decimals; one that is not known is a dash."""

    def number(value: float | None, digits: int = 2) -> str:
        if value is None:
            return _UNKNOWN
        text = f"{value:.{digits}f}"
        return text.replace(".", ",") if comma else text

    return number


def _percent(number: Callable[[float | None, int], str]) -> Callable[[float | None], str]:
    """A share as a percentage; a small one gets more decimals. A share that is not known is a dash."""

    def percent(value: float | None) -> str:
        if value is None:
            return _UNKNOWN
        shown = 100 * value
        digits = 1 if shown >= 1 or shown == 0 else 2 if shown >= 0.1 else 3
        return f"{number(shown, digits)} %"

    return percent


def _estimate(number: Callable[[float | None, int], str]) -> Callable[[float | None], str]:
    """An estimated share as a percentage with two digits that count; one that is not known is a dash."""

    def estimate(value: float | None) -> str:
        if value is None:
            return _UNKNOWN
        if value < LEAST_ESTIMATE:
            return f"< {number(100 * LEAST_ESTIMATE, 4)} %"
        digits = max(1 - math.floor(math.log10(100 * value)), 0)
        rounded = round(100 * value, digits)
        while digits > 1 and rounded == round(rounded, digits - 1):  # no zeros at the end
            digits -= 1
        return f"{number(rounded, digits)} %"

    return estimate


def _says_nothing(interval: dict[str, float | None] | None) -> bool:
    """Whether an interval goes up to 100 % because there are too few photos or people, as with the rule of three."""
    return interval is not None and is_no_bound(interval["high"])


def _span(interval: dict[str, float | None] | None, percent: Callable[[float | None], str], too_few: str) -> str:
    """An interval by its ends; one from 0 to 100 % is said to be of too few."""
    if interval is None or interval["high"] is None:
        return _UNKNOWN
    if interval["low"] == 0 and _says_nothing(interval):
        return too_few
    return f"{percent(interval['low'])} – {percent(interval['high'])}"


def render_markdown(language: str, values: dict[str, Any]) -> str:
    """The report's text.

    Args:
        language: "es" or "en".
        values: what the template names: dataset, quality, metrics, evaluation, robustness, look_alikes, fairness,
            recommendations, latency, machine, model_sha256, params, manifest.
    """
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True)
    number = _number(comma=language == "es")
    percent = _percent(number)
    environment.filters |= {
        "num": number,
        "pct": percent,
        "estimate": _estimate(number),
        "g": lambda value: f"{value:g}".replace(".", "," if language == "es" else "."),
        "two_digits": lambda value: f"{float(f'{value:.2g}'):g}".replace(".", "," if language == "es" else "."),
        "up": math.ceil,
        "count": lambda number, singular, plural: fill(f"{{number:{singular}|{plural}}}", number=number),
        "span": lambda interval: _span(interval, percent, "muy pocas" if language == "es" else "too few"),
        "cell": lambda text: text.replace("|", "\\|").replace("\n", " "),  # the user's own words, in a table
    }
    environment.tests["nothing"] = _says_nothing
    reader: Literal["es", "en"] = "en" if language == "en" else "es"
    named = {
        "problems": names_of_problems(reader),
        "degradations": {
            name: f"{kind.title(reader)} ({kind.unit(reader)})" for name, kind in DEGRADATION_KINDS.items()
        },
        "bias": KNOWN_BIAS,
        "date": datetime.date.today().isoformat(),
    }
    return environment.get_template(f"report.{language}.md.j2").render(**values, **named)


def _label_cells(tokens: Sequence[Token]) -> None:
    """Mark the tables that are too wide for a telephone, and write into each cell what its column is called.

    On a narrow screen the page shows a row of such a table as a block of its own, a line for each cell.
    """
    for start, table in enumerate(tokens):
        if table.type != "table_open":
            continue
        end = next(place for place in range(start, len(tokens)) if tokens[place].type == "table_close")
        inside = list(zip(tokens[start:end], tokens[start + 1 : end + 1], strict=True))
        columns = [text.content for opened, text in inside if opened.type == "th_open"]
        if len(columns) <= _NARROW_COLUMNS:
            continue
        table.attrSet("class", "wide")
        cells = (opened for opened, _ in inside if opened.type == "td_open")
        for number, cell in enumerate(cells):
            cell.attrSet("data-label", columns[number % len(columns)])


def render_html(markdown: str, language: str, folder: Path) -> str:
    """The same as one page that holds its pictures and loads nothing from anywhere.

    Args:
        markdown: the report's text.
        language: of the page.
        folder: where its pictures are; one that is missing is left out.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    _label_cells(tokens)
    body = parser.renderer.render(tokens, parser.options, {})

    def embed(match: re.Match[str]) -> str:
        path = folder / html.unescape(match[1])
        if not path.is_file():
            return ""
        return f'<img src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"{match[2]}>'

    body = re.sub(r'<img src="([^"]+)"([^>]*)>', embed, body)
    title = html.escape(markdown.partition("\n")[0].removeprefix("# "))
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n{body}</html>\n"
    )
