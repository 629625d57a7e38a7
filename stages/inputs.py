"""What earlier stages wrote, read: a missing or damaged file is an error that names the stage which writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.errors import StageError


@contextmanager
def _explained(path: Path, stage: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StageError(f"there is no {path}: run 'dvc repro' (or 'python -m stages.{stage}') first") from error
    except (EOFError, TypeError, ValueError) as error:
        raise StageError(f"{path} is damaged ({error}): run 'dvc repro --force {stage}'") from error


def read_table(path: Path, stage: str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a CSV file that `stage` writes, every value as text, "" where there is none.

    Raises:
        StageError: it is missing, damaged, or lacks one of `columns`.
    """
    with _explained(path, stage):
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        missing = [name for name in columns if name not in table.columns]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}")
    return table


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
