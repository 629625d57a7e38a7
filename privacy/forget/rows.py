"""Embeddings of a person in files of any kind: arrays, numbers in a text, and what other programs have saved."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privacy.forget.traces import SAME_ROW, Rows, Traces, normalised

_MOST_BYTES = 512 * 2**20
_MOST_WINDOWS = 4096
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_COMPARED = 5
"""Ratios of a row that are compared before all of it is."""
_FLOATS = (np.dtype("<f4"), np.dtype("<f8"), np.dtype("<f2"))


def holds_rows(data: bytes, traces: Traces) -> bool:
    """Whether a file holds an embedding of the person.

    Args:
        data: of the file; what is compressed has to be unpacked before.
        traces: whose.
    """
    if not traces.rows or len(data) > _MOST_BYTES:
        return False
    if traces.rows_in(data):
        return True
    if not is_text(data):
        return any(_in_binary(data, own, kind) for own in traces.rows.values() for kind in _FLOATS)
    return any(_in_text(data, own) for own in traces.rows.values())


def is_text(data: bytes) -> bool:
    """Whether a file is a text, by its beginning."""
    beginning = data[:65536]
    if b"\0" in beginning:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return all(byte >= 32 or byte in b"\t\n\r\f" for byte in set(beginning))  # another encoding
    return True


def _in_text(data: bytes, own: Rows) -> bool:
    """Whether a line of a text, or a list in JSON, has the numbers of a row."""
    size = own.shape[1]
    for line in re.split(rb"[\n\]]", data):
        if len(line) < 2 * size:
            continue
        numbers = np.array([float(number) for number in _NUMBER.findall(line)], np.float64)
        if len(numbers) >= size:
            windows = np.lib.stride_tricks.sliding_window_view(numbers, size)[:_MOST_WINDOWS]
            if _has_row(windows, own):
                return True
    return False


def _in_binary(data: bytes, own: Rows, kind: np.dtype[Any]) -> bool:
    """Whether the numbers of a row, or multiples of them, are somewhere in a file (a pickle, a database).

    Only the few places are compared in full where the first numbers have the ratios that those of a row have, as far
    as the upper two bytes of a ratio tell.
    """
    size = own.shape[1]
    tables = [_ratios(own, column) for column in range(_COMPARED)]
    for shift in range(kind.itemsize):
        count = (len(data) - shift) // kind.itemsize
        if count < size:
            return False
        numbers = np.frombuffer(data, kind, count, shift)
        numbers = numbers.astype(np.float32) if kind.itemsize == 2 else numbers
        with np.errstate(all="ignore"):
            upper = _upper((numbers[1:] / numbers[:-1]).astype(np.float32))
            places = np.flatnonzero(tables[0][upper[: count - size + 1]])
            for column in range(1, _COMPARED):
                places = places[tables[column][upper[places + column]]]
            for part in _batches(places):
                windows = np.nan_to_num(numbers[part[:, None] + np.arange(size)].astype(np.float64))
                if _has_row(np.clip(windows, -1e15, 1e15), own):
                    return True
    return False


def _ratios(own: Rows, column: int) -> NDArray[np.bool_]:
    """Which upper two bytes the ratio of a column's numbers to those of the column before has: bool [65536].

    What was stored with fewer digits has a slightly different one.
    """
    table = np.zeros(65536, bool)
    with np.errstate(all="ignore"):
        ratio = own[:, column + 1] / own[:, column]
    for near in (0.998, 0.999, 1.0, 1.001, 1.002):
        table[_upper((ratio * near).astype(np.float32))] = True
    return table


def _upper(numbers: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The upper two bytes of numbers."""
    return (numbers.view(np.uint32) >> 16).astype(np.uint16)


def _batches(places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(places), 2048):
        yield places[start : start + 2048]


def _has_row(windows: NDArray[np.float64], own: Rows) -> bool:
    return bool((normalised(windows) @ own.T >= SAME_ROW).any())
