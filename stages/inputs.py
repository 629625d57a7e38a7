"""What earlier stages wrote, read: a missing or damaged file is an error that names the stage which writes it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stages.errors import StageError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def _explained(path: Path, stage: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StageError(f"there is no {path}: run 'dvc repro' (or 'python -m stages.{stage}') first") from error
    except (EOFError, TypeError, ValueError, csv.Error) as error:
        raise StageError(f"{path} is damaged ({error}): run 'dvc repro --force {stage}'") from error


def read_records(path: Path, stage: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a CSV file that `stage` writes, values by column.

    Raises:
        StageError: it is missing, damaged, or lacks one of `columns`.
    """
    with _explained(path, stage), path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        missing = [name for name in columns if name not in (reader.fieldnames or [])]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}")
        rows: list[dict[str, str]] = []
        for row in reader:
            if None in row or None in row.values():
                raise ValueError(f"line {reader.line_num} has not one value for each column")
            rows.append(row)
    return rows


def read_table(path: Path, stage: str, columns: Sequence[str]) -> pd.DataFrame:
    """`read_records` as a table, every value as text."""
    import pandas as pd  # takes half a second, which stages that run for one new photo need not wait

    rows = read_records(path, stage, columns)
    return pd.DataFrame(rows, columns=None if rows else list(columns), dtype=str)


def read_array(path: Path, stage: str) -> NDArray[Any]:
    """Read a .npy file that `stage` writes.

    Raises:
        StageError: it is missing or damaged.
    """
    with _explained(path, stage), path.open("rb") as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def read_json(path: Path, stage: str) -> dict[str, Any]:
    """Read a JSON file that `stage` writes.

    Raises:
        StageError: it is missing or damaged.
    """
    with _explained(path, stage):
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError(f"it holds a {type(values).__name__}")
    return values
