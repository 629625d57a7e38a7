"""What a command says where a package is missing that it needs: in most cases its environment is not active."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OWN = ("faces", "privacy", "service", "stages")


@contextmanager
def missing_is_told(program: str) -> Iterator[None]:
    """Around imports: where one finds no package, a sentence says which and what to do, and the program ends.

    Args:
        program: what was called, such as "python -m service".

    Raises:
        SystemExit: a package is not installed; exit status 1.
        ModuleNotFoundError: a module of the project is missing: no environment brings that.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _OWN:
            raise
        sys.exit(
            f"{program}: the package {error.name} is not installed here: activate the environment "
            "('source .venv/bin/activate'), or let 'python3 quickstart.py' make it"
        )
