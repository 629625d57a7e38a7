"""Embeddings are found in files of any kind: arrays, texts, and what other programs save."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from privacy.forget.rows import holds_rows
from privacy.forget.traces import Traces

pytestmark = pytest.mark.security

ROWS = np.random.default_rng(0).normal(size=(40, 128)).astype(np.float32)
OTHERS = np.random.default_rng(1).normal(size=(40, 128)).astype(np.float32)


def traces() -> Traces:
    found = Traces([], set(), set(), set())
    found.add_rows(ROWS[:3])
    return found


def in_csv(rows: np.ndarray) -> bytes:
    lines = (f"not_me/{number}.png," + ",".join(map(str, row)) for number, row in enumerate(rows))
    return "\n".join(["photo,values", *lines]).encode()


def in_npy(rows: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


def in_joblib(content: object) -> bytes:
    file = io.BytesIO()
    joblib.dump(content, file)
    return file.getvalue()


@pytest.mark.parametrize(
    "write",
    [
        in_csv,
        in_npy,
        lambda rows: pickle.dumps({"x": rows}),
        lambda rows: b"odd" + pickle.dumps([rows.astype(np.float64), "text"]),
        lambda rows: b"\0" + (2.5 * rows).astype(np.float16).astype(np.float64).tobytes() + rows.tobytes()[1:],
        lambda rows: json.dumps({"rows": rows.tolist()}).encode(),
        lambda rows: json.dumps(rows.tolist(), indent=None).encode(),
        lambda rows: in_npy(np.ascontiguousarray(rows.T)),
        lambda rows: in_npy(rows.astype(np.float16)),
        lambda rows: in_npy(np.round(rows * 30).astype(np.int8)),
        lambda rows: in_npy(np.array([{"row": row} for row in rows], object)),
        lambda rows: pickle.dumps(rows.astype(np.float16)),
        lambda rows: pickle.dumps(np.asfortranarray(rows)),
        lambda rows: pickle.dumps(pd.DataFrame({column: rows[:, column] for column in range(128)})),
        lambda rows: pickle.dumps(rows, protocol=0),
        lambda rows: pickle.dumps({"rows": rows}, protocol=2),
        lambda rows: pickle.dumps(rows.tolist()),
        lambda rows: in_joblib({"rows": np.asfortranarray(rows), "of": [ROWS.shape]}),
        lambda rows: rows[-38:-37].tobytes().replace(b"\0", b"\1"),
        lambda rows: bytes(7) + (rows / np.linalg.norm(rows, axis=1, keepdims=True)).tobytes(),
    ],
)
def test_rows_are_found_and_others_are_not_taken_for_them(write: object) -> None:
    assert callable(write)
    assert holds_rows(write(np.concatenate([OTHERS, ROWS])), traces())
    assert not holds_rows(write(OTHERS), traces())


def test_of_nobody_nothing_is_found() -> None:
    assert not holds_rows(in_npy(ROWS), Traces([], set(), set(), set()))


@pytest.mark.slow
def test_networks_hold_nobody(networks_dir: Path) -> None:
    for path in networks_dir.glob("*.onnx"):
        assert not holds_rows(path.read_bytes(), traces())
