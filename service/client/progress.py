"""The progress bar: on a terminal it moves, into a log it writes a line every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from service.client.language import say

T = TypeVar("T")

_PATIENCE_SECONDS = 1.0  # a shorter wait needs no bar


def progress(items: Iterable[T], total: int) -> Iterator[T]:
    """The same items, with a bar on stderr if they take longer than a second.

    Args:
        items: one for each photo.
        total: how many there will be.
    """
    begun, iterator = time.monotonic(), iter(items)
    done = 0
    for item in iterator:
        yield item
        done += 1
        if time.monotonic() - begun > _PATIENCE_SECONDS and done < total:
            break
    else:
        return
    from tqdm import tqdm  # not above: one photo needs no bar

    tqdm.monitor_interval = 0  # without a thread of its own: it would outlive this program's last word
    interval = 0.1 if sys.stderr.isatty() else 10.0
    yield from tqdm(
        iterator, say("photos"), total, initial=done, unit=say("photo"), mininterval=interval, dynamic_ncols=True
    )
