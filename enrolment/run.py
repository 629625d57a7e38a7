"""One run of the pipeline at a time, as a child process that can be watched and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from enrolment.output import Output
from service.config import PROJECT_ROOT
from service.language import Language

Status = Literal["running", "stopping", "done", "failed", "stopped"]

BUILD = (sys.executable, "-m", "enrolment.build")
_LOCALES = {"es": "es_ES.UTF-8", "en": "C.UTF-8"}


def environment(language: Language) -> dict[str, str]:
    """That of a child: dvc.yaml says `python`, which is to be this one.

    Args:
        language: of what the project's programs say that follow the terminal.
    """
    return {
        **os.environ,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "LC_ALL": _LOCALES[language],
        "PYTHONUTF8": "1",  # whatever locales this machine has
        "PYTHONUNBUFFERED": "1",
        "DVC_NO_ANALYTICS": "1",
    }


class Run:
    """A child process, started, and what it prints.

    Args:
        stages: that it may come to, in their order.
        arguments: of `enrolment.build`.
        language: of what it says.
        then: called in a thread of the run where it has ended well, before its status says so. What it raises makes the
            run one that failed.
        patience: seconds that the child has to end after each of two signals, before it is killed.
    """

    def __init__(
        self,
        stages: Sequence[str],
        arguments: Sequence[str],
        language: Language,
        then: Callable[[], None],
        patience: tuple[float, float] = (15, 5),
    ) -> None:
        self.output = Output(stages)
        self.status: Status = "running"
        self.began = time.monotonic()
        self.seconds: float | None = None
        self.problem: Exception | None = None
        self._then = then
        self._patience = patience
        self._child = subprocess.Popen(
            [*BUILD, *arguments],
            cwd=PROJECT_ROOT,
            env=environment(language),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,  # which makes lines of what stands between carriage returns, too
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name == "posix",  # a process group of its own, to be ended as one
        )
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    @property
    def going(self) -> bool:
        """Whether it has not ended yet."""
        return self.status in ("running", "stopping")

    def _watch(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as lines:
            for line in lines:
                self.output.read(line)
        code = self._child.wait()
        status: Status = "failed"
        if self.status == "stopping":
            status = "stopped"
        elif code == 0:
            self.output.end()
            try:
                self._then()
                status = "done"
            except Exception as error:
                self.problem = error
        self.seconds = time.monotonic() - self.began
        self.status = status

    def stop(self) -> None:
        """Ask the child to end, and see to it. Returns at once."""
        if self.status != "running":
            return
        self.status = "stopping"
        threading.Thread(target=self._end, daemon=True).start()

    def close(self) -> None:
        """End it, and wait until it has ended."""
        if self.status == "running":
            self.status = "stopping"
        self._end()
        self._watching.join(10)

    def _end(self) -> None:
        if sys.platform == "win32":
            if self._child.poll() is None:
                kill = ("taskkill", "/F", "/T", "/PID", str(self._child.pid))
                subprocess.run(kill, capture_output=True, check=False)
            return
        signals = ((signal.SIGINT, self._patience[0]), (signal.SIGTERM, self._patience[1]), (signal.SIGKILL, 5.0))
        for number, patience in signals:
            if self._child.poll() is not None:
                break
            with contextlib.suppress(OSError):
                os.killpg(self._child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(patience)
        with contextlib.suppress(OSError):
            os.killpg(self._child.pid, signal.SIGKILL)  # what an ended child may have left running

    def join(self, seconds: float) -> None:
        """Wait until it has ended, at most so long."""
        self._watching.join(seconds)
