"""Whether groups of people are served alike, from the user's own data/not_me/attributes.csv and data/me/attributes.csv.

A table has a column `photo`, a path within data/ (`not_me/ana/1.jpg`) or a folder (`not_me/ana`, `me`), and any other
columns: gender, age, light, camera … A photo has what its own line says, else what the line of the nearest folder
says, column by column. A line speaks of a photo's largest face: nobody knows who the others are. A column of many
different numbers (age) is compared by quarters. What the table says of people is the user's to write, and is never in
git.

Whether groups differ beyond chance is asked by permuting them among people (Good 2005, "Permutation, parametric and
bootstrap tests of hypotheses"): people, not photos, are what chance deals out, and of me a group of near-duplicates
counts as one. Every column is asked for FAR and for FRR, so p values are corrected as Holm (1979) does.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.errors import StageError
from stages.estimation.held_out import HeldOutScores
from stages.estimation.intervals import rate_interval
from stages.files.paths import ATTRIBUTES, OLD_ATTRIBUTES
from stages.params import EvaluateParams

LEVEL = 0.05
"""p value below which groups are said to differ."""

_PERMUTATIONS = 2000  # at least: more where so many questions are asked that Holm would leave nothing to find
_CHUNK = 100  # permutations at a time, so that memory stays small
_MANY = 8  # different numbers in a column from which they are compared by quarters
_NAMED = 10  # of a kind that a warning names
_RATES = ("far", "frr")  # a rate's place is the label it is of
Values = NDArray[np.str_]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """Error rates of groups.

    Attributes:
        groups: for each group of each column: column, group, people (of not_me), photos_me, photos_not_me, far,
            far_interval, frr, frr_interval; a rate that no photo of the group tells of is None.
        columns: for each column: column, groups (how many), p_far, p_frr (None where there is nothing to compare) and
            differs, the rates in which groups differ beyond chance.
    """

    groups: list[dict[str, Any]]
    columns: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"groups": self.groups, "columns": self.columns}


def read_attributes() -> pd.DataFrame:
    """The user's tables as text, indexed by `photo`; values are stripped, "" where there is none.

    Raises:
        StageError: one is not UTF-8 or no table, has no column `photo`, or a photo is named twice; or there is one
            where they were read formerly.
    """
    if OLD_ATTRIBUTES.is_file() and len(OLD_ATTRIBUTES.read_bytes().splitlines()) > 1:
        raise StageError(
            f"{OLD_ATTRIBUTES} is not read there any more: move it to {ATTRIBUTES[0]}, where DVC tracks it with the "
            f"photos; its content may stay as it is"
        )
    tables = [_read_table(path) for path in ATTRIBUTES if path.exists()]
    if not tables:
        return pd.DataFrame({"photo": []}, dtype=str).set_index("photo")
    table = pd.concat(tables).fillna("")
    twice = sorted(set(table["photo"][table["photo"].duplicated()]))
    if twice:
        raise StageError(f"{_named()} names {_some(twice)} more than once: leave one line for each")
    return table.set_index("photo")


def _named() -> str:
    """The tables that there are, for messages."""
    return " and ".join(str(path) for path in ATTRIBUTES if path.exists()) or str(ATTRIBUTES[0])


def _read_table(path: Path) -> pd.DataFrame:
    try:
        text = path.read_text(encoding="utf-8-sig")
        heading = text.partition("\n")[0]
        separator = ";" if heading.count(";") > heading.count(",") else ","  # spreadsheets write both
        table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, na_filter=False,
                            index_col=False, encoding="utf-8-sig")  # fmt: skip
    except UnicodeDecodeError as error:
        raise StageError(f"{path} is not saved as UTF-8: save it as 'CSV UTF-8'") from error
    except ValueError as error:  # pandas' errors are such
        raise StageError(
            f"{path} is no table with commas or semicolons, or its lines have not one value for each column: mend it, "
            f"or delete it to compare no groups"
        ) from error
    table.columns = table.columns.str.strip()
    table = table.apply(lambda column: column.fillna("").str.strip())
    if "photo" not in table.columns:
        raise StageError(
            f"{path} has the columns {', '.join(table.columns)}; expected one named photo, with paths within "
            f"data/ such as not_me/ana/1.jpg or folders such as not_me/ana"
        )
    table["photo"] = table["photo"].map(_as_path)
    return table[table["photo"] != ""]  # spreadsheets leave empty lines behind


def _as_path(text: str) -> str:
    """A path as index.csv writes it: within data/, with "/", composed letters."""
    path = unicodedata.normalize("NFC", text).replace("\\", "/").removeprefix("./").strip("/")
    return path.removeprefix("data/")


def _lines_of(photo: str) -> list[str]:
    """What may speak of a photo, the broadest folder first, the photo last."""
    parts = photo.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]


def match(attributes: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Attributes of each face of index.csv; "" where unknown, and for a photo's faces but the largest.

    Args:
        attributes: `read_attributes`.
        index: columns photo and face, text.

    Raises:
        StageError: no line speaks of any photo.
    """
    largest = (index["face"] == "0").to_numpy()
    paths = [_lines_of(_as_path(photo)) for photo in index["photo"]]
    unknown = sorted(set(attributes.index) - {line for lines in paths for line in lines})
    if len(attributes) and len(unknown) == len(attributes):
        raise StageError(
            f"{_named()} has {len(attributes)} lines, and none speaks of a photo with a face in data/; it names "
            f"{_some(unknown, 3)}; expected paths such as {index['photo'].iloc[0]}"
        )
    if unknown:
        logger.warning("%s names %d photos or folders of which data/ has no face: %s", _named(), len(unknown),
                       _some(unknown))  # fmt: skip
    lines: dict[Any, dict[Any, str]] = attributes.to_dict("index")
    rows = []
    for path, counts in zip(paths, largest, strict=True):
        values: dict[Any, str] = dict.fromkeys(attributes.columns, "")
        for line in path if counts else []:
            values |= {name: value for name, value in lines.get(line, {}).items() if value}
        rows.append(values)
    return pd.DataFrame(rows, columns=attributes.columns, index=index.index)


def compare(held_out: HeldOutScores, attributes: pd.DataFrame, params: EvaluateParams) -> Comparison:
    """Error rates of each group of each column, and whether they differ beyond chance.

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
    """A column of many different numbers as four ranges of about equally many, such as "18 – 25"; others as they are.

    Args:
        values: text [N], "" where unknown.
    """
    known = np.flatnonzero(values != "")
    numbers = pd.to_numeric(pd.Series(values[known]).str.replace(",", ".", regex=False), errors="coerce")
    if len(known) == 0 or not np.isfinite(numbers).all() or numbers.nunique() <= _MANY:
        return values
    quarter = pd.qcut(numbers, 4, labels=False, duplicates="drop").to_numpy()
    result = values.astype(object)
    for number in np.unique(quarter):
        own = numbers[quarter == number]
        result[known[quarter == number]] = f"{own.min():g} – {own.max():g}"
    return result.astype(str)


def in_order(names: Iterable[str]) -> list[str]:
    """Names of groups sorted: numbers and ranges by their first number, then text."""

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
    """One group: how many it is, its rates and their intervals.

    Args:
        column, name: which group.
        member: bool [N], the faces of it.
        held_out: all faces.
        wrong: bool [N], whether the answer was.
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
    """How often chance alone would make groups differ as much: groups permuted among people.

    A person with photos in several groups (light, camera) counts once in each, by the photos there. Their own share of
    errors then weighs on all of these alike, so the test errs to the safe side.

    Args:
        wrong: bool [N], whether a face's answer was wrong; N > 0.
        values: text [N], its group.
        people: int64 [N], whose face it is.
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
        """Between groups, [K] for [K, people]: of group means, weighted by size, around the mean of all."""
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
    """p values corrected for having asked several questions."""
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
            logger.warning("%s: column %s has %s: nothing to compare", _named(), column["column"],
                           f"one group, {own[0]['group']}" if own else "no value")  # fmt: skip
        alone = [group["group"] for group in own if group["people"] == 1 and group["photos_not_me"]]
        if len(own) > 1 and alone:
            logger.warning("%s: one person says little of a group's FAR; in column %s: %s", _named(),
                           column["column"], _some(alone))  # fmt: skip
        for rate in column["differs"]:
            shares = (f"{group['group']} {group[rate]:.1%}" for group in own if group[rate] is not None)
            logger.warning(
                "%s differs between groups of %s beyond chance: %s (p = %.2g: groups permuted among people, corrected "
                "for the number of questions)", rate.upper(), column["column"], ", ".join(shares), column[f"p_{rate}"],
            )  # fmt: skip


def _some(names: list[str], count: int = _NAMED) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


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
