"""One progress bar for everything: lively on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

tqdm.monitor_interval = 0  # no thread of its own, which processes forked meanwhile would lack


def progress(items: Iterable[T], total: int | None, description: str, unit: str) -> Iterable[T]:
    """Iterate with a progress bar on stderr.

    Args:
        items: what to iterate over.
        total: how many there are, or None.
        description: what is being done.
        unit: what one item is called.
    """
    interval = 0.1 if sys.stderr.isatty() else 10.0
    return tqdm(items, total=total, desc=description, unit=unit, mininterval=interval, dynamic_ncols=True)
