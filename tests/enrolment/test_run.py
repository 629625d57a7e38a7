"""A run as a child process: what it prints is read, it ends when it is told to, and there is one at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from enrolment import run as runs
from enrolment.errors import EnrolmentError, RefusedError
from enrolment.output import Output, stages_of
from enrolment.run import Run
from enrolment.session import Session
from service.language import Language
from tests.clone import ALL_STAGES
from tests.conftest import ROOT
from tests.stages.support import posix_only

REPRO = """\
'data/me.dvc' didn't change, skipping
Stage 'export' didn't change, skipping
Running stage 'crop':
> python -m stages.crop
cropping:  45%|████▌     | 9/20 [00:02<00:03,  3.5photo/s]
"""


def read(text: str, stages: tuple[str, ...] = tuple(ALL_STAGES)) -> Output:
    output = Output(stages)
    for line in text.splitlines():
        output.read(line)
    return output


def test_the_stages_are_those_of_the_pipeline() -> None:
    assert list(stages_of(ROOT / "dvc.yaml")) == ALL_STAGES


def test_progress_is_read() -> None:
    output = read(REPRO)
    assert (output.done, output.stage, output.percent) == (["export"], "crop", 45)
    output.read("cropping:  90%|█████████ | 18/20 [00:04<00:01,  3.5photo/s]")
    assert output.percent == 90 and sum("cropping" in line for line in output.lines) == 1
    output.read("Running stage 'embed':")
    assert (output.done, output.stage, output.percent) == (["export", "crop"], "embed", None)
    output.end()
    assert (output.done, output.stage) == (["export", "crop", "embed"], "")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        (
            "crop: error: no photo has a face.\nTake others\nERROR: failed to reproduce 'crop'",
            "no photo has a face.\nTake others",
        ),
        ("ERROR: failed to reproduce 'crop': exited with 1", "failed to reproduce 'crop': exited with 1"),
        ("what nobody expected", "what nobody expected"),
        ("WARNING: x\ntrain: error: first\nRunning stage 'train':\ntrain: error: last", "last"),
    ],
)
def test_what_went_wrong_is_found(more: str, error: str) -> None:
    assert read(REPRO + more).error == error


@pytest.mark.parametrize(
    "line",
    ["ERROR: Unable to acquire lock. Most likely another DVC process is running or was terminated abruptly.",
     "ERROR: '/p/data/me' is busy, it is being blocked by:"],
)  # fmt: skip
def test_another_program_that_works_on_the_project_is_noticed(line: str) -> None:
    assert read(line).held and not read(REPRO).held


Start = Callable[..., Run]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts a run whose child is a script."""

    def start_(script: str, then: Callable[[], None] = lambda: None, language: Language = "en") -> Run:
        monkeypatch.setattr(runs, "BUILD", (sys.executable, "-u", "-c", script))
        return Run(("crop", "embed"), (), language, then, patience=(2, 1))

    return start_


def ended(run: Run) -> Run:
    run.join(30)
    assert not run.going
    return run


def test_a_run_that_ends_well(start: Start) -> None:
    called: list[str] = []
    run = start(
        "print('Running stage \\'crop\\':'); print('Running stage \\'embed\\':')", lambda: called.append(run.status)
    )
    assert ended(run).status == "done" and run.output.done == ["crop", "embed"]
    assert called == ["running"], "what follows belongs to it"


def test_a_run_that_fails(start: Start) -> None:
    called: list[str] = []
    run = ended(start("import sys; sys.exit('crop: error: no photo')", lambda: called.append("")))
    assert (run.status, run.output.error, called) == ("failed", "no photo", [])


def test_what_follows_may_fail_too(start: Start) -> None:
    def fail() -> None:
        raise EnrolmentError("The new model cannot be asked: {reason}", reason="damaged")

    run = ended(start("pass", fail))
    assert run.status == "failed" and str(run.problem) == "The new model cannot be asked: damaged"


def test_its_programs_speak_the_language_of_the_page(start: Start) -> None:
    script = "import os; from tour.language import spoken; print(spoken(), os.environ['PATH'].split(os.pathsep)[0])"
    for language in ("es", "en"):
        run = ended(start(script, language=language))
        assert run.output.lines[-1] == f"{language} {Path(sys.executable).parent}"


@posix_only
@pytest.mark.parametrize("stubborn", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_run_is_ended_with_all_that_it_started(start: Start, stubborn: bool) -> None:
    ignoring = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    begin = f"import signal, subprocess, sys, time\n{ignoring if stubborn else ''}"
    child = f"{begin}print('ready', flush=True)\ntime.sleep(100)"
    script = f"{begin}child = subprocess.Popen([sys.executable, '-c', {child!r}])\nprint(child.pid)\nchild.wait()"
    run = start(script)
    while "ready" not in run.output.lines:
        time.sleep(0.02)
    (pid,) = (int(line) for line in run.output.lines if line.isdigit())
    run.stop()
    assert run.status == "stopping"
    assert ended(run).status == "stopped"
    run.close()
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("what the child had started goes on")


def test_one_at_a_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in sorted((ROOT / "demo/me").iterdir())[:3]:
        session.add(path.name, path.read_bytes())
    monkeypatch.setattr(runs, "BUILD", (sys.executable, "-c", "import time; time.sleep(60)"))
    session.start(False, "en")
    try:
        assert session.phase == "running"
        for again in (lambda: session.start(False, "en"), session.prepare):
            with pytest.raises(RefusedError, match="It runs already, perhaps begun in another tab"):
                again()
        session.stop()
    finally:
        session.close()
    assert (session.phase, session.state("en")["run"]["status"]) == ("ready", "stopped")
    assert session.state("en")["existing"] == 3, "photos that were accepted stay"
