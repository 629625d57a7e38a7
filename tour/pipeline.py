"""The pipeline as the tour runs it: DVC set up where it is not, the photos tracked, `dvc repro`."""

from __future__ import annotations

import sys

from quickstart import CLASSES, ROOT, Problem, call, copied_from, in_environment, started_as
from stages.files.photos import find_misplaced, what_dvc_cannot_do


def build() -> None:
    """Set DVC up where it is not, track the photos and run the pipeline.

    Raises:
        Problem: a command of DVC failed.
    """
    check_data()
    has_git = (ROOT / ".git").exists()
    settings = [path.read_text(encoding="utf-8") for path in (ROOT / ".dvc").glob("config*")]
    if not (ROOT / ".dvc").is_dir():
        dvc("init", *([] if has_git else ["--no-scm"]), quiet=True)
        dvc("config", "core.analytics", "false")
    elif not has_git and not any("no_scm" in text for text in settings):
        # An unpacked archive of the repository: DVC would refuse to work without git.
        dvc("config", "--local", "core.no_scm", "true")
    print("Tracking the photos with DVC", flush=True)
    dvc("add", *(f"data/{name}" for name in CLASSES), quiet=True)
    print("Running the pipeline: dvc repro", flush=True)
    if call(sys.executable, "-m", "tour.repro"):
        raise failed("repro", other_photos())


def other_photos() -> str:
    """How to begin again with other photos, where --photos has copied some."""
    if not any(copied_from(name) for name in CLASSES):
        return ""
    return f"\nTo begin again with other photos in place of those that --photos has copied: {started_as()} --photos DIR"


def check_data() -> None:
    """Say what in data/ is passed over, and what DVC cannot do where the project lies.

    Raises:
        Problem: something in data/ would stop DVC.
    """
    misplaced = find_misplaced(ROOT / "data")
    for found in misplaced:
        if not found.stops_dvc:
            print(f"Note: {found.sentence}.", flush=True)
    stopping = [found.sentence for found in misplaced if found.stops_dvc]
    if stopping:
        raise Problem("\n".join(f"{sentence}." for sentence in stopping))
    if what_fails := what_dvc_cannot_do(ROOT):
        print(f"Note: {what_fails}.", flush=True)


def dvc(*arguments: str, quiet: bool = False) -> None:
    """Run a DVC command.

    Args:
        arguments: the command and its arguments.
        quiet: it says nothing but, as DVC then hides its errors too, where it fails: it is asked once more aloud.

    Raises:
        Problem: it failed.
    """
    command = (sys.executable, "-m", "dvc", *arguments)
    if quiet and not call(*command, "--quiet"):
        return
    if call(*command):
        raise failed(" ".join(arguments))


def failed(words: str, advice: str = "") -> Problem:
    """What to raise where a command of DVC failed.

    Args:
        words: the command and its arguments.
        advice: what else may be done.
    """
    return Problem(
        f"`dvc {words}` failed. Put right what its messages above name, then start again. Commands that they name "
        f"work in a terminal after these lines:\n{in_environment()}{advice}"
    )
