"""The pipeline as the tour runs it: DVC set up where it is not, the photos tracked, `dvc repro`."""

from __future__ import annotations

import sys

from quickstart import CLASSES, ROOT, Problem, call, copied_from, in_environment, started_as
from stages.files.photos import find_misplaced, what_dvc_cannot_do
from stages.language.telling import language_of
from stages.language.telling import tell as tell_of_stages
from tour.language import spoken, tell


def build() -> None:
    """Set DVC up where it is not, track the photos and run the pipeline.

    Raises:
        Problem: a command of DVC failed.
    """
    check_data()
    for command in what_sets_dvc_up():
        dvc(*command, quiet=command[0] == "init")
    print(tell("Tracking the photos with DVC"), flush=True)
    dvc("add", *(f"data/{name}" for name in CLASSES), quiet=True)
    print(tell("Running the pipeline: dvc repro"), flush=True)
    if said := other_language():
        print(said, flush=True)
    if call(sys.executable, "-m", "tour.repro"):
        raise failed("repro", other_photos())


def other_language() -> str:
    """That the stages speak another language than the terminal, and where it is set; "" where they do not."""
    if spoken() == language_of(ROOT / "params.yaml"):
        return ""
    if spoken() == "en":
        return tell("Its stages speak Spanish, and so do the reports. For English, set language: en in params.yaml")
    return tell("Its stages speak English, and so do the reports. For Spanish, set language: es in params.yaml")


def what_sets_dvc_up() -> list[tuple[str, ...]]:
    """The commands of DVC that make it work here, where it does not yet."""
    has_git = (ROOT / ".git").exists()
    settings = [path.read_text(encoding="utf-8") for path in (ROOT / ".dvc").glob("config*")]
    if not (ROOT / ".dvc").is_dir():
        return [("init", *([] if has_git else ["--no-scm"])), ("config", "core.analytics", "false")]
    if not has_git and not any("no_scm" in text for text in settings):
        # An unpacked archive of the repository: DVC would refuse to work without git.
        return [("config", "--local", "core.no_scm", "true")]
    return []


def other_photos() -> str:
    """How to begin again with other photos, where --photos has copied some."""
    if not any(copied_from(name) for name in CLASSES):
        return ""
    text = "\nTo begin again with other photos in place of those that --photos has copied: {command} --photos DIR"
    return tell(text, command=started_as())


def check_data() -> None:
    """Say what in data/ is passed over, and what DVC cannot do where the project lies.

    Raises:
        Problem: something in data/ would stop DVC.
    """
    misplaced = find_misplaced(ROOT / "data")
    for found in misplaced:
        if not found.stops_dvc:
            print(tell("Note: {sentence}.", sentence=tell_of_stages(found.sentence)), flush=True)
    stopping = [tell_of_stages(found.sentence) for found in misplaced if found.stops_dvc]
    if stopping:
        raise Problem("\n".join(f"{sentence}." for sentence in stopping))
    if what_fails := what_dvc_cannot_do(ROOT):
        print(tell("Note: {sentence}.", sentence=tell_of_stages(what_fails)), flush=True)


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
        tell(
            "`dvc {words}` failed. Put right what its messages above name, then start again. Commands that they name "
            "work in a terminal after these lines:\n{lines}{advice}",
            words=words,
            lines=in_environment(),
            advice=advice,
        )
    )
