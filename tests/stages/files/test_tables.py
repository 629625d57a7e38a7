"""CSV files as pandas would read them, and an error for everything else."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.errors import StageError
from stages.files.tables import (
    read_array,
    read_json,
    read_records,
    read_table,
    write_array,
    write_json,
    write_records,
    write_table,
)

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


def test_figures_are_written_with_four_decimals_however_deep_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    values = {
        "rate": 0.123449, "year": 2024, "name": "ñandú", "none": None, "true": True,
        "interval": {"low": 1 / 3, "high": [2 / 3, {"deep": 0.99995}], "pair": (0.0000432, 5), "nan": math.nan},
    }  # fmt: skip
    write_json(path, values)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == {
        "rate": 0.1234, "year": 2024, "name": "ñandú", "none": None, "true": True,
        "interval": {"low": 0.3333, "high": [0.6667, {"deep": 1.0}], "pair": [0.000043, 5], "nan": None},
    }  # fmt: skip
    assert "ñandú" in text and text.endswith("}\n")
    assert read_json(path, "train") == json.loads(text)


def test_figures_may_be_written_as_they_are(tmp_path: Path) -> None:
    write_json(tmp_path / "recipe.json", {"factor": 0.709123456}, exact=True)
    assert read_json(tmp_path / "recipe.json", "embed") == {"factor": 0.709123456}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"null", b"\xff"])
def test_what_is_no_table_of_figures_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "figures.json").write_bytes(content)
    with pytest.raises(StageError, match=r"is damaged.*: run 'dvc repro --force train'"):
        read_json(tmp_path / "figures.json", "train")


def test_a_table_is_written_without_its_index_and_as_it_is(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["a, b", "ñ"], "rate": [0.123456789, 1.0]}, index=[7, 8])
    write_table(tmp_path / "table.csv", table)
    assert (tmp_path / "table.csv").read_bytes() == 'name,rate\n"a, b",0.123456789\nñ,1.0\n'.encode()


def test_an_array_is_read_as_it_was_written(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_array(tmp_path / "array.npy", array)
    again = read_array(tmp_path / "array.npy", "embed")
    assert np.array_equal(again, array) and again.dtype == np.float32


class _Trap:
    """Unpickled, it makes a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("sprung",)


def test_an_array_that_is_code_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("array.npy", np.array([_Trap()], object), allow_pickle=True)
    with pytest.raises(StageError, match=r"array\.npy is damaged: run 'dvc repro --force embed'"):
        read_array(Path("array.npy"), "embed")
    assert not Path("sprung").exists()
