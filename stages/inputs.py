"""What earlier stages wrote, read: a missing or damaged file is an error that names the stage which writes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stages.records import explained, read_columns_and_records

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: Path, stage: str, columns: Sequence[str]) -> pd.DataFrame:
    """`stages.records.read_records` as a table with all columns, every value as text.

    Raises:
        StageError: it is missing, damaged, or lacks one of `columns`.
    """
    import pandas as pd  # takes half a second, which stages that run for one new photo need not wait

    names, rows = read_columns_and_records(path, stage, columns)
    return pd.DataFrame(rows, columns=names, dtype=str)


def read_array(path: Path, stage: str) -> NDArray[Any]:
    """Read a .npy file that `stage` writes.

    Raises:
        StageError: it is missing or damaged.
    """
    with explained(path, stage), path.open("rb") as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def read_json(path: Path, stage: str) -> dict[str, Any]:
    """Read a JSON file that `stage` writes.

    Raises:
        StageError: it is missing or damaged.
    """
    with explained(path, stage):
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError(f"it holds a {type(values).__name__}")
    return values
