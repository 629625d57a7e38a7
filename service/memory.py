"""Keeping the memory of several workers small."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from importlib.abc import MetaPathFinder

_M_ARENA_MAX = -8  # of glibc's malloc.h


class _NoPandas(MetaPathFinder):
    """Finds no pandas, and stops the search."""

    def find_spec(self, name: str, *_: object) -> None:
        """Refuse pandas, leave the rest to the others."""
        if name == "pandas":
            raise ModuleNotFoundError(f"{name} is not imported by the service", name=name)


def hide_pandas() -> None:
    """Let scikit-learn, imported for a model that faces/scoring.py does not know, believe there is no pandas.

    It imports pandas where it is, as in the pipeline's environment: 40 MB and half a second, for nothing the service
    does. To be called in a server's own process, before anything else.
    """
    sys.meta_path.insert(0, _NoPandas())


def before_forks() -> None:
    """In the master: put what it holds out of the garbage collector's sight, which would write to every page of it.

    A page that is written to is copied, in each worker.
    """
    gc.collect()
    gc.freeze()


def keep_one_heap() -> None:
    """In a worker, before it has threads: let all of them allocate from one heap.

    glibc gives each thread a heap of its own, and each grows to the most that any photo needed there: 21 MB over 10,000
    requests to 4 workers, 10 with one heap, and as many photos a second. Does nothing where the C library is another.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Return memory to the system that is free but kept; glibc keeps all that building the ONNX sessions took.

    53 MB a worker with dlib-resnet. Does nothing where the C library is another.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
