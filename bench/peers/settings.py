"""How an operator who knows the libraries starts a peer: how many workers, and how many threads each computes with."""

from __future__ import annotations

import os
from dataclasses import dataclass

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What torch, and the libraries of linear algebra below it and numpy, take their number of threads from."""


@dataclass(frozen=True)
class Settings:
    """How a peer is started.

    Attributes:
        workers: processes that answer, or work on photos.
        threads: with which each of them computes; None: as many as the libraries take by themselves, one a core.
        preload: whether gunicorn's master loads the models, so that workers share their memory.
    """

    workers: int = 1
    threads: int | None = None
    preload: bool = False

    @property
    def title(self) -> str:
        """Its name in tables, such as "2 workers, 1 thread each"."""
        workers = f"{self.workers} worker{'s' if self.workers > 1 else ''}"
        threads = f"{self.threads or 'untuned'} thread{'' if self.threads == 1 else 's'}"
        return f"{workers}, {threads}{' each' if self.workers > 1 else ''}{', preloaded' if self.preload else ''}"

    def environment(self) -> dict[str, str]:
        """This process's environment, with the number of threads set, or unset."""
        others = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        return others if self.threads is None else others | dict.fromkeys(VARIABLES, str(self.threads))


def for_one_request(cores: int) -> list[Settings]:
    """What is worth trying where one request is answered at a time: one thread, a few, all cores.

    The fastest counts: small networks are often slower on all cores than on one.
    """
    return [Settings(threads=threads) for threads in sorted({1, min(4, cores), cores})]


def for_many(cores: int, workers: int) -> list[Settings]:
    """What is worth trying where there is always work: cores shared by so many workers, or one that has them all."""
    shared = Settings(workers, max(1, cores // workers))
    return list(dict.fromkeys([shared, Settings(1, cores)]))
