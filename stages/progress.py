"""One progress bar for everything: lively on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_PATIENCE_SECONDS = 1.0  # what is done sooner needs no bar


def progress(items: Iterable[T], total: int | None, description: str, unit: str) -> Iterator[T]:
    """Iterate with a progress bar on stderr, where it takes longer than a second.

    Args:
        items: what to iterate over.
        total: how many there are, or None.
        description: what is being done.
        unit: what one item is called.
    """
    begun, iterator = time.monotonic(), iter(items)
    done = 0
    for item in iterator:
        yield item
        done += 1
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            break
    else:
        return
    from tqdm import tqdm  # 0.05 s, which a stage with nothing new to do would wait for

    tqdm.monitor_interval = 0  # no thread of its own, which processes forked meanwhile would lack
    interval = 0.1 if sys.stderr.isatty() else 10.0
    yield from tqdm(iterator, description, total, initial=done, unit=unit, mininterval=interval, dynamic_ncols=True)
