"""CSV files that stages hand on, row by row: reading one this way takes no time, where pandas takes half a second."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faces.files import write_text
from stages.errors import StageError

Record = dict[str, str]
"""A row: values by column."""


@contextmanager
def explained(path: Path, stage: str) -> Iterator[None]:
    """Turn what reading a file that `stage` writes raises into a StageError that says what to run."""
    try:
        yield
    except FileNotFoundError as error:
        raise StageError(f"there is no {path}: run 'dvc repro' (or 'python -m stages.{stage}') first") from error
    except (EOFError, TypeError, ValueError, csv.Error) as error:
        raise StageError(f"{path} is damaged ({error}): run 'dvc repro --force {stage}'") from error


def read_records(path: Path, stage: str, columns: Sequence[str]) -> list[Record]:
    """Rows of a CSV file that `stage` writes.

    Raises:
        StageError: it is missing, damaged, or lacks one of `columns`.
    """
    return read_columns_and_records(path, stage, columns)[1]


def read_columns_and_records(path: Path, stage: str, columns: Sequence[str]) -> tuple[list[str], list[Record]]:
    """The same, and the names of all columns."""
    # A name may hold a carriage return; a spreadsheet puts a mark before the first column.
    with explained(path, stage), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        names = next(reader, [])
        missing = [name for name in columns if name not in names]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}")
        rows: list[Record] = []
        for row in reader:
            if row and len(row) != len(names):
                raise ValueError(f"line {reader.line_num} has not one value for each column")
            if row:  # a line with nothing on it is none
                rows.append(dict(zip(names, row, strict=True)))
    return names, rows


def write_records(path: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV file in one step."""
    text = io.StringIO()
    # Text in quotes: a name may hold a carriage return, which would end a row otherwise.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())
