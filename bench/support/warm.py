"""Runs pytest many times without waiting for imports: a process that has the libraries forks for each run.

    python -m bench.support.warm MODULE …

imports the modules named, then reads requests from stdin, a line of JSON each: the folder to run in, pytest's
arguments, the file for its output. It answers with two lines: the process of the run, and how that ended. Libraries
alone are imported beforehand; the project's own modules are read anew by each run, from the folder it runs in.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

POSSIBLE = hasattr(os, "fork")
"""Whether the system can do it; Windows cannot."""


class WarmPython:
    """The process, as whoever asks sees it.

    Args:
        modules: what it imports beforehand; those that are not installed are passed over.
        environment: of all runs.
    """

    def __init__(self, modules: Sequence[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.support.warm", *modules], env=environment, cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for whoever asks to hear
        )  # fmt: skip

    def start(self, folder: Path, arguments: Sequence[str], output: Path) -> int:
        """Start a run of pytest; returns its process, which leads a group of its own.

        Raises:
            RuntimeError: the process is not there any more.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([str(folder), list(arguments), str(output)]) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise RuntimeError("the process that runs pytest has ended") from error
        return self._answer()

    def wait(self) -> int:
        """The exit status of the run that was started, negative where a signal ended it."""
        return self._answer()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that runs pytest has ended")
        return int(line)

    def close(self) -> None:
        """End the process; a run that goes on is for the caller to end."""
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _run(folder: str, arguments: list[str], output: str) -> NoReturn:
    """In a process of its own: pytest, and an end that leaves nothing of this file's to do."""
    status = 99
    try:
        os.setsid()
        os.chdir(folder)
        sys.path.insert(0, folder)
        with open(output, "wb") as file:  # noqa: PTH123  its descriptor takes the place of stdout's
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        import pytest

        status = int(pytest.main(arguments))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def main() -> None:
    """Import what is named, then fork for each request."""
    here = str(Path(__file__).resolve().parents[2])
    for module in sys.argv[1:]:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    # What runs there must not be this project's copy but that in the folder of the request.
    sys.path[:] = [path for path in sys.path if path not in ("", here)]
    for name in [name for name in sys.modules if name.partition(".")[0] == "bench"]:
        del sys.modules[name]
    for line in sys.stdin:
        folder, arguments, output = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(folder, arguments, output)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
