"""What do hostile files cost the service, and are odd ones read as the photo that they show?

    python -m bench.hard [FOLDER …] [--quick]

Each file of the folders, and those that `bench.support.hostile` makes, is posted to the service under gunicorn (one
worker, its defaults, all types of images accepted). Its model is trained on the demo's portraits. Of each answer:
status, seconds of the worker's processor time, the worker's peak memory above what it has when idle, and the score
minus that of the plain photo, `demo/ask/me_2.jpg`. Where a folder has a README.md, its table says what is right. Linux
only: the figures are read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.support import servers
from bench.support.hostile import HostileFile, costly, like_the_plain_photo
from bench.support.models import make_models
from bench.support.servers import ROOT, Server, multipart
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from faces.verifier_arrays import RECIPE_ATTRIBUTE
from stages.estimation.fit import fit
from stages.estimation.population import population_for
from stages.files.dataset import Dataset
from stages.progress import progress
from stages.report.machine import describe_machine

PLAIN = ROOT / "demo" / "ask" / "me_2.jpg"
MOST_SECONDS, MOST_MEGABYTES = 2.0, 300.0
"""What no file of up to 2 MB may cost: seconds of one core, and MB above an idle worker."""

MOST_DIFFERENCE = 0.05
"""How far the score of a file that shows the plain photo may be from it; JPEG is lossy."""

_TYPES = "image/jpeg,image/png,image/webp,image/heic,image/avif"
_WORST = 3


@dataclass(frozen=True)
class Answer:
    """What a file cost and gave.

    Attributes:
        file: what was posted.
        status: of HTTP; 0 where no answer came, as from a worker that died.
        error: in the answer.
        seconds: of the worker's processor time.
        megabytes: the worker's peak above an idle one, 10^6 bytes.
        score: in the answer.
    """

    file: HostileFile
    status: int
    error: str
    seconds: float
    megabytes: float
    score: float | None


class Worker:
    """The only worker of a service, as Linux counts what it uses."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle = 0.0

    def ask(self, file: HostileFile) -> Answer:
        """Post a file."""
        pid = self._pid()
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
        idle = self._idle or self._megabytes(pid, "VmRSS")
        before = self._seconds(pid)
        try:
            status, _, body = self._server.ask(*multipart(file.data))
            answer = json.loads(body)
        except (OSError, ValueError):
            return Answer(file, 0, "no answer", 0.0, 0.0, None)
        peak = self._megabytes(pid, "VmHWM")
        return Answer(
            file, status, answer.get("error", ""), self._seconds(pid) - before, peak - idle, answer.get("score")
        )

    def warm_up(self, file: HostileFile) -> float:
        """Ask about a photo until an idle worker holds what it always will; returns the photo's score.

        Raises:
            SystemExit: there is no score.
        """
        for _ in range(3):
            answer = self.ask(file)
        self._idle = self._megabytes(self._pid(), "VmRSS")
        if answer.score is None:
            sys.exit(f"{file.name} was answered {answer.status} {answer.error}; expected a score")
        return answer.score

    def _pid(self) -> int:
        master = self._server.process.pid
        return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])

    @staticmethod
    def _seconds(pid: int) -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _megabytes(pid: int, name: str) -> float:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024 / 1e6


def train_on_the_demo(folder: Path) -> None:
    """Write networks of dlib-resnet, and a model and scaler trained on the demo's portraits."""
    params = make_models(folder, "dlib-resnet")
    recognizer = Recognizer(Networks.load(folder / "networks"))
    recognizer.open()
    embeddings, labels = [], []
    for label, name in enumerate(("not_me", "me")):
        for photo in sorted(path for path in (ROOT / "demo" / name).rglob("*") if path.is_file()):
            face = recognizer.largest_face(photo)
            if face is not None:
                recognizer.embed([face])
                assert face.embedding is not None
                embeddings.append(face.embedding)
                labels.append(label)
    data = Dataset(np.stack(embeddings), np.array(labels), np.arange(len(labels)))
    recipe = recognizer.networks.manifest.recipe(recognizer.flip)
    verifier = fit(data, params.train, population_for(params.train, recipe))
    setattr(verifier.model, RECIPE_ATTRIBUTE, recipe)
    verifier.save(folder)


def given(folders: list[Path]) -> Iterator[HostileFile]:
    """The files of folders; by what their README says, some show the plain photo.

    Raises:
        SystemExit: a folder is not there.
    """
    for folder in folders:
        if not folder.is_dir():
            sys.exit(f"{folder} is no folder")
        readme = folder / "README.md"
        rows = readme.read_text(encoding="utf-8").splitlines() if readme.is_file() else []
        for path in sorted(path for path in folder.iterdir() if path.is_file() and path != readme):
            same = any(path.name in row and "the score of me_2" in row for row in rows)
            yield HostileFile(path.name, path.read_bytes(), same)


def problems(answer: Answer, plain: float) -> list[str]:
    """What is wrong with an answer; no word where all is right.

    Args:
        answer: to a file.
        plain: the score of the plain photo.
    """
    said = []
    if answer.status not in (200, 400, 413):
        said.append(f"status {answer.status}")
    if answer.file.same and (answer.score is None or abs(answer.score - plain) > MOST_DIFFERENCE):
        said.append("not the plain photo's score")
    if answer.file.accepted and not (answer.status == 200 or answer.error.startswith("No se detectó")):
        said.append("refused")
    if answer.seconds > MOST_SECONDS:
        said.append(f"more than {MOST_SECONDS:g} s")
    if answer.megabytes > MOST_MEGABYTES:
        said.append(f"more than {MOST_MEGABYTES:g} MB")
    return said


def report(answers: list[Answer], plain: float) -> None:
    """Print the table, the worst files and the JSON line."""
    machine = describe_machine()
    print(f"Hostile files, one after the other, one worker; the plain photo's score: {plain:.4f}; {machine}\n")
    print(f"{'file':48}{'kB':>6}{'status':>8}{'seconds':>9}{'MB':>7}{'score':>9}")
    for answer in answers:
        difference = "" if answer.score is None else f"{answer.score - plain:+.4f}"
        print(
            f"{answer.file.name:48}{len(answer.file.data) / 1000:6.0f}{answer.status:8}{answer.seconds:9.2f}"
            f"{answer.megabytes:7.0f}{difference:>9}   {'; '.join(problems(answer, plain)) or answer.error}"
        )
    slowest = sorted(answers, key=lambda answer: answer.seconds, reverse=True)[:_WORST]
    largest = sorted(answers, key=lambda answer: answer.megabytes, reverse=True)[:_WORST]
    print("\nSlowest: " + ", ".join(f"{answer.file.name} {answer.seconds:.2f} s" for answer in slowest))
    print("Most memory: " + ", ".join(f"{answer.file.name} {answer.megabytes:.0f} MB" for answer in largest))
    wrong = {answer.file.name: problems(answer, plain) for answer in answers if problems(answer, plain)}
    figures = {
        "bench": "hard",
        "machine": machine,
        "files": len(answers),
        "slowest": {answer.file.name: round(answer.seconds, 2) for answer in slowest},
        "most_memory": {answer.file.name: round(answer.megabytes) for answer in largest},
        "wrong": wrong,
    }
    print(json.dumps(figures))


def main() -> None:
    """Post every file and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*", help="folders with hostile files")
    parser.add_argument(
        "--quick", action="store_true", help="without the files of 64 megapixels, which take long to make"
    )
    args = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("this bench reads /proc: it runs on Linux alone")
    plain = HostileFile(PLAIN.name, PLAIN.read_bytes(), same=True)
    files = [*given(args.folders), *like_the_plain_photo(plain.data)]
    files += [] if args.quick else list(costly(np.random.default_rng(0)))
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        train_on_the_demo(Path(name))
        with servers.ours(Path(name), workers=1, MAX_CONTENT_MB="2", ACCEPTED_TYPES=_TYPES) as server:
            worker = Worker(server)
            score = worker.warm_up(plain)
            answers = [worker.ask(file) for file in progress(files, len(files), "asking", "file")]
    report(answers, score)


if __name__ == "__main__":
    main()
