"""The bench of decoding in its quick form: what headers say of the cost of decoding is about true."""

from __future__ import annotations

import pytest

from bench.decoding import KINDS
from tests.bench.support import run


@pytest.mark.slow
def test_it_runs_and_no_picture_takes_several_times_as_long_as_said() -> None:
    figures = run("decoding", "--quick")
    assert len(figures["rows"]) == 3 * len(KINDS)
    for row in figures["rows"]:
        assert row["took_seconds"] < max(3 * row["said_seconds"], 0.02), row  # of a core, which others use, too
        assert row["header_seconds"] < 0.05
