"""A temporary clone of the project, with photos of its own, in which a benchmark runs the real pipeline and service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.support.servers import ROOT, ours


def put_numbered(data: Path, photos: Sequence[bytes], is_me: Callable[[int], bool]) -> None:
    """Write photos into me and not_me, called by their numbers.

    Args:
        data: the folder that has these two.
        photos: their bytes.
        is_me: which class a photo is of, by its number.
    """
    for number, photo in enumerate(photos):
        folder = data / ("me" if is_me(number) else "not_me")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05d}.jpg").write_bytes(photo)


@dataclass(frozen=True)
class Workspace:
    """A clone of the project.

    Attributes:
        path: its root.
    """

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which dvc.yaml's `python` is the interpreter that runs the benchmark."""
        scripts = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "PATH": scripts + os.pathsep + os.environ.get("PATH", ""),
            "DVC_SITE_CACHE_DIR": str(self.path.parent / "site-cache"),
        }

    def run(self, *command: str) -> str:
        """Run a program of the environment to its end; returns what it prints on stdout.

        Raises:
            SystemExit: it failed; the message holds its last lines.
        """
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=self.path, env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def put_photos(self, class_name: str, photos: list[Path], by_person: bool) -> None:
        """Copy photos into data/<class_name>, in sub-folders named as the folders they come from if asked to."""
        for photo in photos:
            folder = self.path / "data" / class_name / (photo.parent.name if by_person else "")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(photo, folder)

    def reproduce(self) -> dict[str, float]:
        """`dvc add` the photos and `dvc repro`; returns the seconds of each stage, DVC's own time included.

        Raises:
            SystemExit: a stage failed.
        """
        self.run("dvc", "add", "-q", "data/me", "data/not_me")
        seconds: dict[str, float] = {}
        stage, start, lines = "", 0.0, []
        command = [sys.executable, "-u", "-m", "dvc", "repro"]
        with subprocess.Popen(
            command,
            cwd=self.path,
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if line.startswith(("Running stage '", "Updating lock file", "Generating lock file")) and stage:
                    # A stage whose outputs are as the lock says ends without a word: the next one's start tells.
                    seconds.setdefault(stage, time.perf_counter() - start)
                if line.startswith("Running stage '"):
                    stage, start = line.split("'")[1], time.perf_counter()
        if process.returncode:
            sys.exit(f"dvc repro failed:\n{''.join(lines)[-3000:]}")
        return seconds

    @contextmanager
    def serving(self, workers: int = 1) -> Iterator[str]:
        """The service under gunicorn with its shipped configuration, on a free port; gives its address."""
        with ours(self.path / "models", workers, self.path) as server:
            yield server.address


@contextmanager
def temporary_workspace() -> Iterator[Workspace]:
    """A clone of the project's last commit in a temporary folder, deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        path = Path(name) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(path)], check=True)
        yield Workspace(path)
