"""Files that one stage writes and another reads: CSV tables, JSON figures, arrays.

Each file is written in one step. If a file to be read is missing or damaged, the error names the stage that writes it.
Rows are read without pandas: its import takes half a second, for which a stage that has one new photo to do should not
wait.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from faces.errors import MessageError
from faces.files import write_bytes, write_text
from stages.errors import StageError
from stages.files.encryption import Key
from stages.files.locked_files import reveal, sealed

if TYPE_CHECKING:
    import pandas as pd

Record = dict[str, str]
"""A row: values by column."""

DIGITS = 4
"""Decimals of the figures in files. Further digits differ between processors, and would look like a change."""

_SMALL = 0.001  # such rates say nothing after four decimals


class DamagedFileError(MessageError, ValueError):
    """What is wrong with a file, as a `faces.message.Message`."""


@contextmanager
def reading_output_of(stage: str, path: Path) -> Iterator[None]:
    """Turn the errors of reading a file into a StageError that says which stage to run: `stage`, which writes it."""
    try:
        yield
    except FileNotFoundError as error:
        raise StageError(
            "there is no {path}: run 'dvc repro' (or 'python -m stages.{stage}') first", path=path, stage=stage
        ) from error
    except (EOFError, KeyError, TypeError, ValueError, csv.Error) as error:
        if isinstance(error, DamagedFileError):  # the words of a library help nobody
            raise StageError(
                "{path} is damaged ({error}): run 'dvc repro --force {stage}'", path=path, error=error, stage=stage
            ) from error
        raise StageError("{path} is damaged: run 'dvc repro --force {stage}'", path=path, stage=stage) from error


def read_records(path: Path, stage: str, columns: Sequence[str]) -> list[Record]:
    """Rows of a CSV file that `stage` writes.

    Raises:
        StageError: it is missing, damaged, or lacks one of `columns`.
    """
    return _read_columns_and_records(path, stage, columns)[1]


def read_table(path: Path, stage: str, columns: Sequence[str]) -> pd.DataFrame:
    """The same as a pandas table with all columns of the file, every value as text.

    Raises:
        StageError: as `read_records`.
    """
    import pandas as pd

    names, rows = _read_columns_and_records(path, stage, columns)
    return pd.DataFrame(rows, columns=names, dtype=str)


def _read_columns_and_records(path: Path, stage: str, columns: Sequence[str]) -> tuple[list[str], list[Record]]:
    """Names of all columns, and the rows."""
    # A name may contain a carriage return, and a spreadsheet may put a byte order mark before the first column.
    with reading_output_of(stage, path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        names = next(reader, [])
        missing = [name for name in columns if name not in names]
        if missing:
            raise DamagedFileError("no column {names}", names=", ".join(missing))
        rows: list[Record] = []
        for row in reader:
            if row and len(row) != len(names):
                raise DamagedFileError("line {line_num} has not one value for each column", line_num=reader.line_num)
            if row:  # an empty line is not a row
                rows.append(dict(zip(names, row, strict=True)))
    return names, rows


def write_records(path: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV file."""
    text = io.StringIO()
    # Text is quoted, since a carriage return in a name would end the row otherwise.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a pandas table without its index, numbers as they are."""
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def read_json(path: Path, stage: str) -> dict[str, Any]:
    """Read a JSON file that `stage` writes.

    Raises:
        StageError: it is missing or damaged.
    """
    with reading_output_of(stage, path):
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise DamagedFileError("it holds a {kind}", kind=type(values).__name__)
    return values


def write_json(path: Path, values: dict[str, Any], exact: bool = False) -> None:
    """Write JSON, accents as they are.

    Args:
        path: the file.
        values: its content.
        exact: write floats as they are, not rounded to `DIGITS` decimals as figures are.
    """
    write_text(path, json.dumps(values if exact else rounded(values), indent=2, ensure_ascii=False) + "\n")


def rounded(value: Any) -> Any:
    """Round every float within lists and dicts to `DIGITS` decimals, and small ones to two digits that count.

    NaN, which JSON does not know, becomes None; other values stay.
    """
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return round(value, DIGITS) if abs(value) >= _SMALL else float(f"{value:.1e}")
    return value


def rounded_table(table: pd.DataFrame) -> pd.DataFrame:
    """A pandas table with its floats rounded to `DIGITS` decimals, but for the column far_estimated: two digits."""
    result = table.round(DIGITS)
    if "far_estimated" in table:
        result["far_estimated"] = [None if value is None else float(f"{value:.1e}") for value in table["far_estimated"]]
    return result


def read_array(path: Path, stage: str) -> NDArray[Any]:
    """Read a .npy file that `stage` writes, decrypted in memory where it is locked.

    Raises:
        StageError: it is missing, damaged, or locked and cannot be opened.
    """
    with reading_output_of(stage, path):
        file = io.BytesIO(reveal(path.read_bytes(), path))
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def write_array(path: Path, array: NDArray[Any], key: Key | None = None) -> None:
    """Write a .npy file, locked if there is a key."""
    file = io.BytesIO()  # not by numpy: if the disk is full, its error does not say so
    np.save(file, array)
    write_bytes(path, sealed(file.getvalue(), key))
