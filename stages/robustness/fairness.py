"""Compares the error rates of groups of people, which the user names in tables of their own.

A table is data/not_me/attributes.csv or data/me/attributes.csv. It has a column `photo`, with paths within data/
(`not_me/ana/1.jpg`) or folders (`not_me/ana`, `me`), and any other columns: gender, age, light, camera … The value of a
photo stands in its own line. If there is none, the line of the nearest folder counts, for each column by itself. A line
is about the largest face of a photo, since nobody knows who the others are. A column of many different numbers (age) is
split into quarters. The user writes these tables about people, so they are never in git.

A permutation test (Good 2005, "Permutation, parametric and bootstrap tests of hypotheses") says whether groups differ
more than chance explains. It permutes people, not photos: photos of one person are not independent. Near-duplicates of
me count as one. Each column is tested for FAR and for FRR, so the p values are corrected for the number of tests (Holm
1979).
"""

from __future__ import annotations

import io
import logging
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from faces.message import Message
from stages.errors import StageError
from stages.estimation.held_out import HeldOutScores
from stages.estimation.intervals import rate_interval
from stages.files import locked_files
from stages.files.paths import ATTRIBUTES, OLD_ATTRIBUTES
from stages.language.telling import number, some, tell
from stages.params import EvaluateParams

LEVEL = 0.05
"""p value below which groups are said to differ."""

_PERMUTATIONS = 2000  # or more: with many tests, Holm's correction needs smaller p values
_CHUNK = 100  # permutations that are computed at once; more take more memory
_MANY = 8  # a column with this many different numbers is split into quarters
_NAMED = 10  # groups or photos that a warning names at most
_RATES = ("far", "frr")  # in the order of the labels that they are of
Values = NDArray[np.str_]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """Error rates of groups.

    Attributes:
        groups: for each group of each column: column, group, people (of not_me), photos_me, photos_not_me, far,
            far_interval, frr, frr_interval; a rate is None if the group has no photo for it.
        columns: for each column: column, groups (how many), p_far, p_frr (None if there is nothing to compare) and
            differs, the rates in which groups differ more than chance explains.
    """

    groups: list[dict[str, Any]]
    columns: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"groups": self.groups, "columns": self.columns}


def read_attributes() -> pd.DataFrame:
    """The user's tables as text, indexed by `photo`; values are stripped, and "" if there is none.

    Raises:
        StageError: a table is not UTF-8, cannot be read, has no column `photo` or names a photo twice; or there is one
            at the place of earlier versions.
    """
    if OLD_ATTRIBUTES.is_file() and len(OLD_ATTRIBUTES.read_bytes().splitlines()) > 1:
        raise StageError(
            "{old_attributes} is not read there any more: move it to {new}, where DVC tracks it with the photos; "
            "its content may stay as it is",
            old_attributes=OLD_ATTRIBUTES,
            new=ATTRIBUTES[0],
        )
    tables = [_read_table(path) for path in ATTRIBUTES if locked_files.exists(path)]
    if not tables:
        return pd.DataFrame({"photo": []}, dtype=str).set_index("photo")
    table = pd.concat(tables).fillna("")
    twice = sorted(set(table["photo"][table["photo"].duplicated()]))
    if twice:
        raise StageError(
            "{tables} names {photos} more than once: leave one line for each",
            tables=named_tables(),
            photos=some(twice, _NAMED),
        )
    return table.set_index("photo")


def named_tables() -> Message | str:
    """The tables that there are, for messages."""
    there = [path for path in ATTRIBUTES if locked_files.exists(path)]
    if len(there) > 1:
        return Message("{first} and {second}", first=there[0], second=there[1])
    return str(there[0] if there else ATTRIBUTES[0])


def _read_table(path: Path) -> pd.DataFrame:
    try:
        text = locked_files.read_file(path).decode("utf-8-sig")
        heading = (text.splitlines() or [""])[0]
        separator = ";" if heading.count(";") > heading.count(",") else ","  # spreadsheets write both
        table = pd.read_csv(
            io.StringIO(text, newline=""), sep=separator, dtype=str, keep_default_na=False, na_filter=False,
            index_col=False,
        )  # fmt: skip
    except UnicodeDecodeError as error:
        raise StageError("{path} is not saved as UTF-8: save it as 'CSV UTF-8'", path=path) from error
    except ValueError as error:  # pandas' errors are ValueErrors
        raise StageError(
            "{path} is no table with commas or semicolons, or its lines have not one value for each column: mend "
            "it, or delete it to compare no groups",
            path=path,
        ) from error
    table.columns = table.columns.str.strip()
    table = table.apply(lambda column: column.fillna("").str.strip())
    if "photo" not in table.columns:
        raise StageError(
            "{path} has the columns {columns}; expected one named photo, with paths within data/ such as "
            "not_me/ana/1.jpg or folders such as not_me/ana",
            path=path,
            columns=", ".join(table.columns),
        )
    table["photo"] = table["photo"].map(_as_path)
    return table[table["photo"] != ""]  # spreadsheets leave empty lines behind


def _as_path(text: str) -> str:
    """A path as index.csv has it: within data/, with "/", and with composed letters (é as one character)."""
    path = unicodedata.normalize("NFC", text).replace("\\", "/").removeprefix("./").strip("/")
    return path.removeprefix("data/")


def _lines_of(photo: str) -> list[str]:
    """The lines that may be about a photo: the outermost folder first, the photo itself last."""
    parts = photo.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]


def match(attributes: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Attributes of each face of index.csv; "" if unknown, and for all faces of a photo but the first.

    The first is the largest face; of a photo of me, it is the one that stage embed took.

    Args:
        attributes: `read_attributes`.
        index: column photo, text; the faces of a photo in their order.

    Raises:
        StageError: no line is about any photo.
    """
    first = ~index["photo"].duplicated().to_numpy()
    paths = [_lines_of(_as_path(photo)) for photo in index["photo"]]
    unknown = sorted(set(attributes.index) - {line for lines in paths for line in lines})
    if len(attributes) and len(unknown) == len(attributes):
        raise StageError(
            "{tables} has {lines:# line|# lines}, and none speaks of a photo with a face in data/; it names {paths}; "
            "expected paths such as {example}",
            tables=named_tables(),
            lines=len(attributes),
            paths=some(unknown, 3),
            example=index["photo"].iloc[0],
        )
    if unknown:
        text = "{tables} names {count:# photo or folder|# photos or folders} of which data/ has no face: {paths}"
        logger.warning(tell(text, tables=named_tables(), count=len(unknown), paths=some(unknown, _NAMED)))
    lines: dict[Any, dict[Any, str]] = attributes.to_dict("index")
    rows = []
    for path, counts in zip(paths, first, strict=True):
        values: dict[Any, str] = dict.fromkeys(attributes.columns, "")
        for line in path if counts else []:
            values |= {name: value for name, value in lines.get(line, {}).items() if value}
        rows.append(values)
    return pd.DataFrame(rows, columns=attributes.columns, index=index.index)


def compare(held_out: HeldOutScores, attributes: pd.DataFrame, params: EvaluateParams) -> Comparison:
    """Error rates of each group of each column, and whether they differ more than chance explains.

    Args:
        held_out: faces scored by models that did not see them.
        attributes: `match`, of every face.
        params: threshold, and resamplings of the intervals.
    """
    wrong = (held_out.scores >= params.threshold) != (held_out.labels == 1)
    groups: list[dict[str, Any]] = []
    columns: list[dict[str, Any]] = []
    asked: dict[tuple[str, str], tuple[NDArray[np.bool_], Values, NDArray[np.int64]]] = {}
    for column in map(str, attributes.columns):
        values = by_quarters(attributes[column].to_numpy(str))[held_out.rows]
        names = in_order(set(values) - {""})
        groups += [_describe(column, name, values == name, held_out, wrong, params.bootstrap) for name in names]
        columns.append({"column": column, "groups": len(names), "p_far": None, "p_frr": None, "differs": []})
        for label, rate in enumerate(_RATES):
            own = (held_out.labels == label) & (values != "")
            if len(np.unique(values[own])) > 1 and 0 < wrong[own].sum() < own.sum():
                asked[column, rate] = (wrong[own], values[own], held_out.groups[own])
    permutations = max(_PERMUTATIONS, int(2 * len(asked) / LEVEL))
    corrected = holm({key: permutation_p_value(*question, permutations) for key, question in asked.items()})
    for result in columns:
        for rate in _RATES:
            result[f"p_{rate}"] = p = corrected.get((result["column"], rate))
            if p is not None and p < LEVEL:
                result["differs"].append(rate)
    comparison = Comparison(groups, columns)
    _warn(comparison)
    return comparison


def by_quarters(values: Values) -> Values:
    """A column of many different numbers as four ranges of about equal counts, such as "18 – 25"; others stay.

    Args:
        values: text [N], "" where unknown.
    """
    known = np.flatnonzero(values != "")
    numbers = pd.to_numeric(pd.Series(values[known]).str.replace(",", ".", regex=False), errors="coerce")
    if len(known) == 0 or not np.isfinite(numbers).all() or numbers.nunique() <= _MANY:
        return values
    quarter = pd.qcut(numbers, 4, labels=False, duplicates="drop").to_numpy()
    result = values.astype(object)
    for part in np.unique(quarter):
        own = numbers[quarter == part]
        result[known[quarter == part]] = f"{own.min():g} – {own.max():g}"
    return result.astype(str)


def in_order(names: Iterable[str]) -> list[str]:
    """The names of groups in order: numbers and ranges by their first number, then text."""

    def place(name: str) -> tuple[bool, float, str]:
        try:
            return False, float(name.partition(" ")[0].replace(",", ".")), name
        except ValueError:
            return True, 0.0, name

    return sorted((str(name) for name in names), key=place)


def _describe(
    column: str,
    name: str,
    member: NDArray[np.bool_],
    held_out: HeldOutScores,
    wrong: NDArray[np.bool_],
    resamplings: int,
) -> dict[str, Any]:
    """One group: its size, its error rates and their intervals.

    Args:
        column, name: which group.
        member: bool [N], the faces of it.
        held_out: all faces.
        wrong: bool [N], whether the answer was wrong.
        resamplings: of the intervals.
    """
    of = [member & (held_out.labels == label) for label in range(len(_RATES))]
    result: dict[str, Any] = {
        "column": column,
        "group": name,
        "people": len(np.unique(held_out.groups[of[0]])),
        "photos_me": len(np.unique(held_out.rows[of[1]])),
        "photos_not_me": len(np.unique(held_out.rows[of[0]])),
    }
    for own, rate in zip(of, _RATES, strict=True):
        known = bool(own.any())
        result[rate] = float(wrong[own].mean()) if known else None
        interval = rate_interval(wrong[own], held_out.groups[own], resamplings) if known else None
        result[f"{rate}_interval"] = interval.as_dict() if interval else None
    return result


def permutation_p_value(
    wrong: NDArray[np.bool_], values: Values, people: NDArray[np.int64], permutations: int = _PERMUTATIONS,
    seed: int = 0,
) -> float:  # fmt: skip
    """How probable it is that chance alone makes groups differ as much: a permutation test among people.

    A person with photos in several groups (light, camera) counts once in each of them, with the photos there. A person
    with many errors then raises the rates of all these groups, so the test finds fewer differences, not more.

    Args:
        wrong: bool [N], whether a face's answer was wrong; N > 0.
        values: text [N], its group.
        people: int64 [N], the person on it.
        permutations: how many.
        seed: of the permutations.

    Returns:
        p value, above 0, at most 1.
    """
    names, group = np.unique(values, return_inverse=True)
    keys = people.astype(np.int64) * len(names) + group
    _, first, member = np.unique(keys, return_index=True, return_inverse=True)
    rates = np.bincount(member, weights=wrong) / np.bincount(member)
    share = np.eye(len(names))[group[first]]
    share /= np.sqrt(share.sum(axis=0))

    def spread(of: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variance of the groups' means around the mean of all, weighted by size: [K] for [K, people]."""
        result: NDArray[np.float64] = (((of - rates.mean()) @ share) ** 2).sum(axis=-1)
        return result

    generator = np.random.default_rng(seed)
    measured = float(spread(rates)) - 1e-9
    as_large = 0
    for start in range(0, permutations, _CHUNK):
        count = min(_CHUNK, permutations - start)
        as_large += int((spread(generator.permuted(np.tile(rates, (count, 1)), axis=1)) >= measured).sum())
    return (as_large + 1) / (permutations + 1)


def holm(chances: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """p values, corrected for the number of tests."""
    corrected, highest = {}, 0.0
    for place, (key, value) in enumerate(sorted(chances.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, value * (len(chances) - place)))
        corrected[key] = highest
    return corrected


def _warn(comparison: Comparison) -> None:
    """What the user should know before trusting a figure."""
    for column in comparison.columns:
        own = [group for group in comparison.groups if group["column"] == column["column"]]
        if len(own) < 2:
            had = Message("one group, {group}", group=own[0]["group"]) if own else Message("no value")
            text = "{tables}: column {column} has {had}: nothing to compare"
            logger.warning(tell(text, tables=named_tables(), column=column["column"], had=had))
        alone = [group["group"] for group in own if group["people"] == 1 and group["photos_not_me"]]
        if len(own) > 1 and alone:
            text = "{tables}: one person says little of a group's FAR; in column {column}: {groups}"
            logger.warning(tell(text, tables=named_tables(), column=column["column"], groups=some(alone, _NAMED)))
        for rate in column["differs"]:
            shares = (
                f"{group['group']} {number(100 * group[rate], '.1f')} %" for group in own if group[rate] is not None
            )
            text = (
                "{rate} differs between groups of {column} beyond chance: {shares} (p = {p:.2g}: groups permuted among "
                "people, corrected for the number of questions)"
            )
            values = {"column": column["column"], "shares": ", ".join(shares), "p": column[f"p_{rate}"]}
            logger.warning(tell(text, rate=rate.upper(), **values))


def as_table(comparison: Comparison) -> pd.DataFrame:
    """The same as a flat table, for a file."""
    names = ["column", "group", "people", "photos_me", "photos_not_me", "far", "far_low", "far_high", "frr", "frr_low",
             "frr_high", "p_far", "p_frr"]  # fmt: skip
    chances = {column["column"]: {name: column[name] for name in ("p_far", "p_frr")} for column in comparison.columns}
    rows = []
    for group in comparison.groups:
        bounds = {f"{rate}_{end}": (group[f"{rate}_interval"] or {}).get(end) for rate in _RATES
                  for end in ("low", "high")}  # fmt: skip
        rows.append({**group, **bounds, **chances[group["column"]]})
    return pd.DataFrame(rows, columns=names)
