"""CSV files as pandas would read them, and an error for everything else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stages.errors import StageError
from stages.files.tables import read_records, read_table, write_records

COLUMNS = ("photo", "face", "size", "kept")
ROWS = [
    ("me/a.jpg", 0, 0.5, True),
    ('me/Mamá, "yo"\r.jpg', -1, 1e-07, False),
    ("not_me/NA", 2, 12345.678, True),
    ("", 3, 0.0, False),
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_records(path, COLUMNS, ROWS)
    rows = read_records(path, "crop", ["photo"])
    assert [tuple(row.values()) for row in rows] == [tuple(map(str, row)) for row in ROWS]
    expected = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    pd.testing.assert_frame_equal(read_table(path, "crop", ["photo"]), expected)


def test_without_rows_all_columns_are_there(tmp_path: Path) -> None:
    write_records(tmp_path / "table.csv", COLUMNS, [])
    assert read_records(tmp_path / "table.csv", "crop", ["photo"]) == []
    assert list(read_table(tmp_path / "table.csv", "crop", ["photo"]).columns) == list(COLUMNS)


def test_saved_by_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b"\xef\xbb\xbfphoto,face\r\nme/a.jpg,0\r\n")
    assert read_records(tmp_path / "table.csv", "crop", ["photo"]) == [{"photo": "me/a.jpg", "face": "0"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no .*: run 'dvc repro' .*stages.crop"),
        (b"", "no column photo"),
        (b"face\n0\n", "no column photo"),
        (b"photo,face\nme/a.jpg\n", "line 2 has not one value"),
        (b"photo,face\nme/a.jpg,0,1\n", "line 2 has not one value"),
        (b"photo,face\n\xff\xfe,0\n", "damaged"),
        (b'photo,face\n"me/a.jpg,0\n', "damaged"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(StageError, match=message):
        read_records(tmp_path / "table.csv", "crop", ["photo"])
