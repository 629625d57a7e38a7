"""`dvc repro` without those of its messages that mean nothing to somebody who takes the tour.

They are hints at commands of git and `dvc push`, neither of which the tour needs, and a warning in front of each stage
that data/not_me is empty, which may be so. `dvc repro` itself, typed in a terminal, goes on saying all of it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from dvc.cli import main
from dvc.ui import ui

EMPTY = "'data/not_me' is empty."
GIT_HINTS = ("\nTo track the changes with git, run:", "\nTo enable auto staging, run:")
PUSH_HINT = "Use `dvc push` to send your updates"


def is_for_the_tour(record: logging.LogRecord) -> bool:
    """Whether a message of DVC's log is shown."""
    message = record.getMessage()
    return message.replace("\\", "/") != EMPTY and not message.startswith(GIT_HINTS)


def repro(*stages: str) -> int:
    """Run `dvc repro` in this process.

    Args:
        stages: those that are wanted, and what they need; all where none is named.

    Returns:
        Its exit code.
    """
    for name in ("dvc.output", "dvc.repo.scm_context"):  # a filter holds for the very logger that a message goes to
        logging.getLogger(name).addFilter(is_for_the_tour)
    write = ui.write

    def write_for_the_tour(*objects: Any, **options: Any) -> None:
        if not (objects and str(objects[0]).startswith(PUSH_HINT)):
            write(*objects, **options)

    ui.write = write_for_the_tour
    return int(main(["repro", *stages]))


if __name__ == "__main__":
    sys.exit(repro())
