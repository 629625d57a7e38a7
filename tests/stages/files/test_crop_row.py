"""A row of the crop report is read as it was written."""

from __future__ import annotations

import pytest

from stages.files.crop_row import COLUMNS, CropRow, parse_row

ROW = CropRow(
    "me/a.jpg", "12ab", 3, 1, 1.5, 2.5, 30.5, 40.5, 0.99, 90, True, True, "why", "me/a.jpg-1.png", "34cd", "56ef",
    0.01, 120.5, 0.25, 0.75,
)  # fmt: skip
"""No two values are alike."""


@pytest.mark.parametrize("row", [ROW, ROW._replace(kept=False), CropRow("me/b.jpg", "", 0, -1, reason="no face found")])
def test_round_trip(row: CropRow) -> None:
    assert parse_row({name: str(value) for name, value in zip(COLUMNS, row, strict=True)}) == row


@pytest.mark.parametrize("column", ["left", "face", "turned", "visible"])
def test_a_number_that_is_none(column: str) -> None:
    values = {name: str(value) for name, value in zip(COLUMNS, ROW, strict=True)}
    with pytest.raises(ValueError, match="much"):
        parse_row({**values, column: "much"})
