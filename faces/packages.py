"""What a command says where a package is missing that it needs: in most cases its environment is not active."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OWN = ("asking", "faces", "privacy", "service", "stages")


@contextmanager
def missing_is_told(program: str, status: int = 1) -> Iterator[None]:
    """Around imports: where one finds no package, a sentence says which and what to do, and the program ends.

    Args:
        program: what was called, such as "python -m service".
        status: exit status of the end.

    Raises:
        SystemExit: a package is not installed.
        ModuleNotFoundError: a module of the project is missing: no environment brings that.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _OWN:
            raise
        print(
            f"{program}: the package {error.name} is not installed here: activate the environment "
            "('source .venv/bin/activate'), or let 'python3 quickstart.py' make it",
            file=sys.stderr,
        )
        sys.exit(status)
