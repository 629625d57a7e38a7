"""Reads what `dvc repro` prints: which stage it is at, how far that is, and what went wrong."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import yaml

_RUNNING = re.compile(r"Running stage '([\w-]+)':")
_SKIPPED = re.compile(r"Stage '([\w-]+)' (?:didn't change|is cached)")
_BAR = re.compile(r"^(?P<what>.*?):?\s*(?P<percent>\d{1,3})%\|")
_FAILED = re.compile(r"^[\w.]+: error: (?P<sentence>.*)$")
_DVC_FAILED = re.compile(r"^ERROR: (?P<sentence>.*)$")
_HELD = re.compile(r"Unable to acquire lock|is busy, it is being blocked by")
_LONGEST_SENTENCE = 12  # lines
_KEPT = 400  # lines


def stages_of(path: Path = Path("dvc.yaml")) -> tuple[str, ...]:
    """The stages of the pipeline, in their order."""
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8"))["stages"])


class Output:
    """What a run has printed so far.

    Args:
        stages: that it may come to, in their order.

    Attributes:
        stage: at which it is; "" before the first.
        done: those that it has left behind, be it that they ran or that nothing had changed.
        percent: how far a stage's own bar is; None without one.
        lines: the last ones.
        held: whether another program works on the project, as DVC says.
    """

    def __init__(self, stages: Sequence[str]) -> None:
        self.stages = tuple(stages)
        self.stage = ""
        self.done: list[str] = []
        self.percent: int | None = None
        self.lines: deque[str] = deque(maxlen=_KEPT)
        self.held = False

    def read(self, line: str) -> None:
        """Take in a line, or what stands between two carriage returns."""
        line = line.rstrip()
        if not line:
            return
        bar = _BAR.match(line)
        if bar:
            self.percent = min(int(bar["percent"]), 100)
            if self.lines and _BAR.match(self.lines[-1]):
                self.lines.pop()  # a bar that moves is one line
        self.lines.append(line)
        self.held = self.held or bool(_HELD.search(line))
        if found := _RUNNING.search(line):
            self._leave()
            self.stage, self.percent = found[1], None
        elif found := _SKIPPED.search(line):
            self._leave()
            self._note_done(found[1])

    def end(self) -> None:
        """All of it has ended well."""
        self._leave()

    def _leave(self) -> None:
        self._note_done(self.stage)
        self.stage, self.percent = "", None

    def _note_done(self, stage: str) -> None:
        if stage in self.stages and stage not in self.done:
            self.done.append(stage)

    @property
    def error(self) -> str:
        """What the last stage that failed said of it; else what DVC said; else the last line; "" without any."""
        lines = list(self.lines)
        for number in reversed(range(len(lines))):
            if found := _FAILED.match(lines[number]):
                rest = []
                for line in lines[number + 1 : number + _LONGEST_SENTENCE]:
                    if _DVC_FAILED.match(line) or _RUNNING.search(line):
                        break
                    rest.append(line)
                return "\n".join([found["sentence"], *rest])
        for line in reversed(lines):
            if found := _DVC_FAILED.match(line):
                return found["sentence"]
        return lines[-1] if lines else ""
