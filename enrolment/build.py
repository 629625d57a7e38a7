"""What the page has DVC do, in a process of its own: `python -m enrolment.build`, with names of stages for these alone.

DVC runs in this process, and its stages are children of it, so one signal to the process group ends all of it.
"""

from __future__ import annotations

import sys

from dvc.cli import main as dvc

from quickstart import CLASSES, guarded
from tour.pipeline import check_data, what_sets_dvc_up
from tour.repro import repro


def build(*stages: str) -> int:
    """Set DVC up where it is not, track the photos, and run the pipeline.

    Args:
        stages: run these and what they need, and track no photos.

    Returns:
        DVC's exit code.

    Raises:
        Problem: something in data/ would stop DVC.
    """
    for command in what_sets_dvc_up():
        if code := quietly(*command):
            return code
    if not stages:
        check_data()
        if code := quietly("add", *(f"data/{name}" for name in CLASSES)):
            return code
    return repro(*stages)


def quietly(*command: str) -> int:
    """Run a command of DVC without its advice on git; returns its exit code.

    Quiet, it hides its errors, too. So where it fails, it is asked once more aloud.
    """
    return int(dvc([*command, "--quiet"]) and dvc(list(command)))


if __name__ == "__main__":
    sys.exit(guarded(lambda: build(*sys.argv[1:])))
