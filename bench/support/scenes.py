"""A real gunicorn under load by right clients, to which something happens; and what comes of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.support import servers
from bench.support.good_clients import GoodClients, Seen
from bench.support.servers import ROOT, Server

WAIT_SECONDS = 20.0
"""How long a scene waits for what has to come."""

LONGEST_SECONDS = 10.0
"""What a right client may wait at most, whatever happens: MAX_WAIT_SECONDS is 5, and the machine is shared."""


@dataclass
class Row:
    """What came of it.

    Attributes:
        name: what happened.
        seen: by the right clients.
        workers_lost: that ended though nothing of the scene ended them.
        problems: what is not as it must be, a sentence each.
        figures: more numbers of this scene.
    """

    name: str
    seen: Seen
    workers_lost: int = 0
    problems: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the bench's last line."""
        seen = asdict(self.seen)
        del seen["moments"]
        notes = seen.pop("notes")
        own = {"sent": self.seen.sent, **seen, "longest_s": round(self.seen.longest_s, 2)}
        more = {"notes": notes} if self.problems else {}
        return {"name": self.name, **own, "workers_lost": self.workers_lost, "problems": self.problems,
                **self.figures, **more}  # fmt: skip


@dataclass
class Scene:
    """A service that runs, and right clients that ask it.

    Attributes:
        server: gunicorn's master and address.
        clients: who asks.
        log_path: what it logs.
        row: what comes of it, to be filled in.
        allowed_unanswered: requests that nobody could answer, since their worker was killed.
        ended_on_purpose: process numbers of the workers that the scene ends.
        known: those of all workers that have been seen.
        workers: how many there are to be.
        last_log: the log as it was read last.
    """

    server: Server
    clients: GoodClients
    log_path: Path
    row: Row
    workers: int
    last_log: str = ""
    allowed_unanswered: int = 0
    ended_on_purpose: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)

    @property
    def log(self) -> str:
        """What has been logged so far."""
        with contextlib.suppress(FileNotFoundError):  # the service's own mounts have gone with it
            self.last_log = self.log_path.read_text(encoding="utf-8", errors="replace")
        return self.last_log

    def inside(self, path: Path) -> Path:
        """A path as the service's own mounts show it."""
        return Path(f"/proc/{self.server.process.pid}/root{path}")

    def worker_numbers(self) -> set[int]:
        """Process numbers of the workers there are; empty without a master."""
        found: set[int] = set()
        with contextlib.suppress(psutil.NoSuchProcess):
            found = {child.pid for child in psutil.Process(self.server.process.pid).children()}
        self.known |= found
        return found

    def lost(self) -> int:
        """How many workers have ended, save those that the scene has ended."""
        return len(self.known - self.worker_numbers() - self.ended_on_purpose)

    def expect(self, true: bool, otherwise: str) -> None:
        """Note a problem unless this is true."""
        if not true:
            self.row.problems.append(otherwise)

    def wait_for(self, true: Callable[[], bool], otherwise: str, seconds: float = WAIT_SECONDS) -> float:
        """Wait until something is true, or note a problem.

        Returns:
            How long it took, seconds.
        """
        started = time.monotonic()
        while not true():
            if time.monotonic() - started > seconds:
                self.row.problems.append(f"{otherwise} within {seconds:g} s")
                break
            time.sleep(0.02)
        return time.monotonic() - started

    def wait_for_answers(self, count: int = 10) -> float:
        """Wait until right clients have got so many more right answers; as `wait_for`."""
        moment = time.monotonic()
        return self.wait_for(lambda: self.clients.answered_since(moment) >= count, f"not {count} more right answers")

    def kill(self, process: int) -> None:
        """kill -9."""
        os.kill(process, signal.SIGKILL)

    def kill_a_worker(self, clients: int, told: bool = True) -> None:
        """kill -9 of one worker; another one must come. What it had accepted, nobody can answer.

        Args:
            clients: how many ask, so how many requests it may have held.
            told: whether the log can say that the new one is ready.
        """
        before, ready = self.worker_numbers(), self.log.count("Worker ready")
        self.allowed_unanswered += clients
        self.ended_on_purpose.add(min(before))
        self.kill(min(before))
        self.wait_for(lambda: len(self.worker_numbers() - before) > 0, "no new worker")
        if told:
            self.wait_for(lambda: self.log.count("Worker ready") > ready, "the new worker is not ready")

    def hang_up(self) -> None:
        """SIGHUP; then wait until the new workers are ready and the old ones gone."""
        before, ready = self.worker_numbers(), self.log.count("Worker ready")
        self.ended_on_purpose |= before
        self.server.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.log.count("Worker ready") >= ready + self.workers, "no new workers")
        self.wait_for(lambda: not before & self.worker_numbers(), "the old workers are still there")


@dataclass(frozen=True)
class Stand:
    """What scenes need.

    Attributes:
        models: folder with networks/, model.joblib and scaler.joblib; it stays as it is.
        photos: good photos, as files' bytes.
        folder: for what a scene writes.
        seconds: how long the load goes on before and after what happens.
        clients: how many right clients ask at once.
    """

    models: Path
    photos: Sequence[bytes]
    folder: Path
    seconds: float = 3.0
    clients: int = 4

    @contextmanager
    def scene(
        self,
        name: str,
        *,
        workers: int = 2,
        root: Path = ROOT,
        models: Path | None = None,
        prefix: Sequence[str] = (),
        log_inside: Path | None = None,
        **settings: str,
    ) -> Iterator[Scene]:
        """Start the service and the load; when the context ends, complete the scene's row.

        Args:
            name: of the row.
            workers: how many.
            root: the project to serve.
            models: other ones than the stand's.
            prefix, settings: as `servers.ours` takes them.
            log_inside: where the prefix makes the service log to, in a mount that only the service sees.
        """
        log = self.new_path("log")
        variables: dict[str, Any] = {"MAX_CONTENT_MB": "2", **settings}
        with servers.ours(models or self.models, workers, root, prefix=prefix, log=log, **variables) as server:
            scene = Scene(server, GoodClients(server, self.photos), log, Row(name, Seen()), workers)
            if log_inside is not None:
                scene.log_path = scene.inside(log_inside)
            scene.wait_for(lambda: scene.log.count("Worker ready") >= workers, "not all workers are ready")
            scene.worker_numbers()
            with scene.clients.asking(self.clients) as seen:
                scene.row.seen = seen
                time.sleep(self.seconds)
                yield scene
                if server.process.poll() is None:
                    time.sleep(self.seconds)
                    scene.row.workers_lost = scene.lost()
                    scene.last_log = scene.log
        _judge(scene)

    def new_path(self, name: str) -> Path:
        """A path in the stand's folder that nothing has."""
        return self.folder / f"{len(list(self.folder.iterdir()))}-{name}"

    def copied_models(self) -> Path:
        """The models in a new folder, to be damaged."""
        return Path(shutil.copytree(self.models, self.new_path("models")))

    def copied_project(self) -> Path:
        """What the service needs of the project, in a new folder, so that a `.env` can be laid in it."""
        root = self.new_path("project")
        root.mkdir()
        for part in ("service", "faces"):
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        return root


def _judge(scene: Scene) -> None:
    """What is true of every scene."""
    seen, row = scene.row.seen, scene.row
    scene.expect(seen.right > 0, "no right answer at all")
    scene.expect(seen.wrong == 0, f"{seen.wrong} wrong answers")
    scene.expect(seen.failures == 0, f"{seen.failures} answers 5xx without Retry-After")
    scene.expect(seen.others == 0, f"{seen.others} answers of another status")
    scene.expect(
        seen.unanswered <= scene.allowed_unanswered,
        f"{seen.unanswered} accepted requests were not answered, at most {scene.allowed_unanswered} could be lost",
    )
    scene.expect(row.workers_lost == 0, f"{row.workers_lost} workers lost")
    if (place := scene.log.find("Traceback")) >= 0:
        scene.expect(False, f"a traceback in the log: {scene.log[place : place + 1500]}")
    scene.expect(seen.longest_s < LONGEST_SECONDS, f"a right client waited for {seen.longest_s:.1f} s")
