"""Whether groups of people are served alike, from the user's own data/attributes.csv.

The table has a column `photo`, a path within data/ (`not_me/ana/1.jpg`) or a folder (`not_me/ana`, `me`), and any other
columns: gender, age, light, camera … Stage crop makes the file with that heading alone where there is none, since DVC
knows no optional dependency. What it says of people is the user's to write, and is never in git.

Whether groups differ beyond chance is asked by permuting the groups among people (Good 2005): people, not photos, are
what chance deals out. All columns are asked for FAR and for FRR, so the p values are Holm's (1979).
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.dataset import Dataset
from stages.errors import StageError
from stages.intervals import rate_interval
from stages.params import Params
from stages.paths import ATTRIBUTES

_PERMUTATIONS = 2000
_LEVEL = 0.05
_RATES = ("far", "frr")
logger = logging.getLogger(__name__)


def read_attributes() -> pd.DataFrame:
    """The user's table as text, indexed by `photo`.

    Raises:
        StageError: it is missing or no table, has no column `photo`, or names a photo twice.
    """
    try:
        table = pd.read_csv(ATTRIBUTES, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise StageError(f"there is no {ATTRIBUTES}: run 'python -m stages.crop', which makes an empty one") from error
    except ValueError as error:  # pandas' errors and UnicodeDecodeError are such
        raise StageError(f"{ATTRIBUTES} is no table in UTF-8 with commas ({error}): save it as CSV UTF-8") from error
    table.columns = table.columns.str.strip()
    if "photo" not in table.columns:
        raise StageError(
            f"{ATTRIBUTES} has the columns {', '.join(table.columns)}; expected one named photo, with paths within "
            f"data/ such as not_me/ana/1.jpg or folders such as not_me/ana"
        )
    table = table.apply(lambda column: column.str.strip())
    table["photo"] = table["photo"].str.replace("\\", "/", regex=False).str.strip("/")
    table = table[table["photo"] != ""]  # spreadsheets write lines of commas below the last
    twice = sorted(set(table["photo"][table["photo"].duplicated()]))
    if twice:
        raise StageError(f"{ATTRIBUTES} names {', '.join(twice[:5])} more than once: leave one line for each")
    return table.set_index("photo")


def match(attributes: pd.DataFrame, photos: pd.Series[str]) -> pd.DataFrame:
    """Attributes of each face: of its photo, else of the nearest folder that has a line; "" where unknown.

    Args:
        attributes: `read_attributes`.
        photos: path of each face's photo within data/.

    Raises:
        StageError: no line speaks of any photo.
    """

    def line(photo: str) -> str:
        path = photo
        while path:
            if path in attributes.index:
                return path
            path = path.rpartition("/")[0]
        return ""

    lines = photos.map(line)
    unknown = sorted(set(attributes.index) - set(lines))
    if len(attributes) and not lines.any():
        raise StageError(
            f"{ATTRIBUTES} has {len(attributes)} lines, and none speaks of a photo in data/; it names "
            f"{', '.join(unknown[:3])}; expected paths such as {photos.iloc[0]}"
        )
    if unknown:
        logger.warning(
            "%s speaks of %d photos or folders without a face in data/, or that a nearer line covers: %s",
            ATTRIBUTES, len(unknown), ", ".join(unknown[:10]),
        )  # fmt: skip
    return attributes.reindex(lines).fillna("").set_index(photos.index)


def compare(predictions: pd.DataFrame, index: pd.DataFrame, data: Dataset, params: Params) -> list[dict[str, Any]]:
    """Error rates of each group of each column.

    Args:
        predictions: row, label and score of faces, by models that did not see them.
        index: photo of each row.
        data: labels and groups of each row.
        params: threshold and bootstrap of `evaluate`.

    Returns:
        For each group: column, group, people (me is one), far, far_interval, frr, frr_interval and, of its column,
        p_far and p_frr; a rate that no face of the group tells of is None. Empty without attributes.
    """
    attributes = match(read_attributes(), index["photo"])
    rows = predictions["row"].to_numpy()
    labels, people = predictions["label"].to_numpy(), data.groups[rows]
    wrong = (predictions["score"].to_numpy() >= params.evaluate.threshold) != (labels == 1)
    results: list[dict[str, Any]] = []
    chances: dict[tuple[str, str], float] = {}
    for column in attributes.columns:
        values = attributes[column].to_numpy(str)[rows]
        groups = sorted(set(values) - {""})
        results += [_rates(str(column), group, values == group, labels, people, wrong, params) for group in groups]
        for label, rate in enumerate(_RATES):
            own = (labels == label) & (values != "")
            chances[str(column), rate] = chance(wrong[own], values[own], people[own])
    corrected = holm(chances)
    for result in results:
        result |= {f"p_{rate}": corrected[result["column"], rate] for rate in _RATES}
    _warn(results)
    return results


def _rates(
    column: str,
    group: str,
    member: NDArray[np.bool_],
    labels: NDArray[np.int64],
    people: NDArray[np.int64],
    wrong: NDArray[np.bool_],
    params: Params,
) -> dict[str, Any]:
    """One group's rates and intervals."""
    strangers = len(np.unique(people[member & (labels == 0)]))
    count = strangers + int((member & (labels == 1)).any())
    result: dict[str, Any] = {"column": column, "group": group, "people": count}
    for label, rate in enumerate(_RATES):
        own = member & (labels == label)
        known = bool(own.any())
        result[rate] = float(wrong[own].mean()) if known else None
        interval = rate_interval(wrong[own], people[own], params.evaluate.bootstrap) if known else None
        result[f"{rate}_interval"] = interval.as_dict() if interval else None
    return result


def chance(wrong: NDArray[np.bool_], values: NDArray[np.str_], people: NDArray[np.int64], seed: int = 0) -> float:
    """How often chance alone would make groups differ as much: a permutation test over people.

    Args:
        wrong: bool [N], whether a face's answer was wrong.
        values: text [N], its group.
        people: int64 [N], whose face it is; a person with faces in several groups counts in the first.
        seed: of the permutations.

    Returns:
        p value, 0 to 1; 1 where there are no two groups.
    """
    if not len(wrong):
        return 1.0
    _, first, member = np.unique(people, return_index=True, return_inverse=True)
    rate = np.bincount(member, weights=wrong) / np.bincount(member)
    names, group = np.unique(values[first], return_inverse=True)
    if len(names) < 2:
        return 1.0

    def spread(of: NDArray[np.int64]) -> float:
        sizes = np.bincount(of, minlength=len(names))
        means = np.bincount(of, weights=rate, minlength=len(names)) / sizes
        return float((sizes * (means - rate.mean()) ** 2).sum())

    generator = np.random.default_rng(seed)
    measured = spread(group) - 1e-12
    as_large = sum(spread(generator.permutation(group)) >= measured for _ in range(_PERMUTATIONS))
    return (as_large + 1) / (_PERMUTATIONS + 1)


def holm(chances: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """p values corrected for having asked several questions."""
    corrected, highest = {}, 0.0
    for place, (key, value) in enumerate(sorted(chances.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, value * (len(chances) - place)))
        corrected[key] = highest
    return corrected


def _warn(results: list[dict[str, Any]]) -> None:
    for rate in _RATES:
        for column in sorted({result["column"] for result in results if result[f"p_{rate}"] < _LEVEL}):
            groups = [result for result in results if result["column"] == column and result[rate] is not None]
            shares = ", ".join(f"{result['group']} {result[rate]:.1%}" for result in groups)
            logger.warning("%s differs between groups of %s beyond chance: %s", rate.upper(), column, shares)


def as_table(results: list[dict[str, Any]]) -> pd.DataFrame:
    """The same as a flat table, for a file."""
    names = ["column", "group", "people", "far", "far_low", "far_high", "frr", "frr_low", "frr_high", "p_far", "p_frr"]
    rows = []
    for result in results:
        bounds = {
            f"{rate}_{end}": interval[end] for rate in _RATES if (interval := result[f"{rate}_interval"])
            for end in ("low", "high")
        }  # fmt: skip
        rows.append({**result, **bounds})
    return pd.DataFrame(rows, columns=names)
