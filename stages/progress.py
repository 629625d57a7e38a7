"""The progress bar of all stages: it moves on a terminal, and writes a line every ten seconds into a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from stages.language.telling import tell

T = TypeVar("T")

_PATIENCE_SECONDS = 1.0  # a shorter wait needs no bar


def progress(items: Iterable[T], total: int | None, description: str, unit: str) -> Iterator[T]:
    """Iterate with a progress bar on stderr, if it takes longer than a second.

    Args:
        items: what to iterate over.
        total: how many there are, or None.
        description: what is being done; a `Message` is told in the language chosen.
        unit: what one item is called, in the same way.
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
    from tqdm import tqdm  # not above: its import takes 0.05 s, and most stages need no bar

    tqdm.monitor_interval = 0  # tqdm's thread would be missing in processes that are forked meanwhile
    interval = 0.1 if sys.stderr.isatty() else 10.0
    yield from tqdm(
        iterator, tell(description), total, initial=done, unit=tell(unit), mininterval=interval, dynamic_ncols=True
    )
