"""Is somebody who is forgotten gone from every byte, and is nobody else touched? Also if `forget` is killed?

    python -m bench.forget [LFW] [--kills 50] [--quick]

A project of 20 people (the demo's drawn portraits, or photos of LFW) gets a history: versions before and with one
person, whose folder was called otherwise once and lost a photo when it was renamed; a branch on which they were
deleted, a tag, a stash and a worktree; a copy of a photo under another name, a mirrored one that was tracked alone and
has a remote of its own, a turned one of the cache that no version names; experiments that are kept, that wait and that
are killed; an archive of everybody in reports/, a notebook that shows a photo; two folders and an S3-compatible store
(moto, on loopback) as remotes. The service runs. Then `python -m privacy forget` is asked to forget that person. A
search that knows nothing of how it works goes through every byte below the project, its worktree, its cache and the
remotes, unpacks containers, and looks for the person's bytes, hashes, names, pixels and embeddings. Every object of a
version that never held the person must be byte for byte what it was. Then the same on copies of the project, killed at
random moments and run again.

What does the model know of them? Before, each photo's nearest stored embedding is its own. Afterwards the service must
score every photo as a model does that never saw the person: the same project, built from the start without them.

The bench ends with status 1 where anything is not as it must be; a run that fails says why on stderr.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.support.forgetting import History, configure, make_history, objects, s3, why_no_s3
from bench.support.remains import Remains
from bench.support.servers import ROOT, multipart
from bench.support.workspace import Workspace
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from stages.report.machine import describe_machine

NOT_SEARCHED = (".git", "photos", ".venv", "demo", "pictures")
"""git's own, what the bench keeps to compare with, the packages, the portraits that the project ships, and the code in
docs/pictures that names these."""
EQUAL = 1e-6
"""Scores of two models that differ by less are the same."""


@dataclass
class Outcome:
    """What came of one `forget`.

    Attributes:
        seconds: that it took, with all runs that it needed.
        found: how many files show the person still.
        files: how many were looked at.
        changed: objects of others that are not what they were.
        verified: whether `certificate verify` says that all is well.
        ended: whether it ended well.
        killed: whether it was killed meanwhile; not where it had ended before.
    """

    seconds: float
    found: int
    files: int
    changed: int
    verified: bool
    ended: bool = True
    killed: bool = False

    @property
    def good(self) -> bool:
        """Whether it is as it must be."""
        return not self.found and not self.changed and self.verified and self.ended


def what_to_look_for(history: History) -> Remains:
    """The person: every photo that they ever had, its crops and embeddings, computed here."""
    remains = Remains([f"not_me/{history.person}", f"not_me/called-otherwise-{history.person}"])
    recognizer = Recognizer(Networks.load(history.root / "models" / "networks"))
    recognizer.open()
    rows = []
    for photo in history.photos:
        remains.add_file(photo.read_bytes())
        face = recognizer.largest_face(photo)
        if face is not None:
            recognizer.embed([face])
            rows.append(face.embedding)
    for crop in sorted((history.root / "data/cropped/not_me" / history.person).glob("*.png")):
        remains.add_file(crop.read_bytes())
    remains.add_rows(np.array(rows, np.float32))
    return remains


def search(history: History, remains: Remains) -> tuple[int, int]:
    """How many files and objects show the person, and how many were looked at."""
    places = [history.root, history.worktree, history.remote, history.other_remote, history.folder / "site-cache"]
    found, count = remains.search(places, NOT_SEARCHED)
    stored = history.store.objects() if history.store is not None else {}
    found |= {f"s3: {name}": reasons for name, data in stored.items() if (reasons := remains.found_in(data))}
    for name, reasons in list(found.items())[:20]:
        print(f"  {name}: {', '.join(reasons)}", file=sys.stderr)
    return len(found), count + len(stored)


def places_of(history: History) -> list[dict[str, str]]:
    """What the cache and the remotes hold: SHA-256 of each object by its path."""
    places = [objects(history.root / ".dvc/cache/files"), objects(history.remote / "files")]
    places.append(objects(history.other_remote / "files"))
    if history.store is not None:
        stored = {name.partition("files/")[2]: data for name, data in history.store.objects().items()}
        places.append({name: hashlib.sha256(data).hexdigest() for name, data in stored.items() if name})
    return places


def changed_objects(history: History) -> int:
    """Objects of the version before the person that are not what they were, in the cache and the remotes, and photos
    of others that the archive has no more."""
    objects_changed = sum(
        after.get(name) != before[name]
        for before, after in zip(history.before, places_of(history), strict=True)
        for name in before.keys() & history.expected.keys()
    )
    others = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (history.root / "data/not_me").rglob("*")
        if path.is_file() and path.suffix != ".csv"
    }
    with tarfile.open(history.archive) as archive:
        files = [archive.extractfile(member) for member in archive]
        packed = {hashlib.sha256(file.read()).hexdigest() for file in files if file is not None}
    return objects_changed + len(others - packed)


def forget(history: History, *more: str) -> subprocess.Popen[bytes]:
    """Start it."""
    command = [sys.executable, "-m", "privacy", "forget", *more]
    return subprocess.Popen(
        command, cwd=history.root, env=history.workspace.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip


def run_to_end(history: History) -> None:
    """Run it until it has ended well.

    Raises:
        SystemExit: it fails.
    """
    process = forget(history, history.person, "--yes")
    said, _ = process.communicate()
    if process.returncode:
        sys.exit(f"forget failed:\n{said.decode(errors='replace')[-3000:]}")


def judge(history: History, remains: Remains, seconds: float) -> Outcome:
    """Look at what is there now."""
    found, files = search(history, remains)
    certificates = sorted((history.root / "private/privacy/certificates").glob("*.json"))
    verify = [sys.executable, "-m", "privacy", "certificate", "verify", *map(str, certificates[-1:])]
    done = subprocess.run(verify, cwd=history.root, env=history.workspace.environment, capture_output=True)
    return Outcome(seconds, found, files, changed_objects(history), done.returncode == 0)


@contextmanager
def copied(history: History, path: Path) -> Iterator[History]:
    """A copy of the project and its remotes; the store is put back at the end."""
    before = history.store.objects() if history.store is not None else {}
    path.mkdir()
    copy = history.copied_to(path)
    try:
        yield copy
    finally:
        if history.store is not None:
            history.store.restore(before)
        shutil.rmtree(path)


def killed(history: History, remains: Remains, after: float) -> Outcome:
    """Kill it after so many seconds, and run it again. One that has ended before is judged as it is."""
    begun = time.perf_counter()
    process = forget(history, history.person, "--yes")
    was_killed = False
    try:
        ended = process.wait(after) == 0
    except subprocess.TimeoutExpired:
        was_killed = True
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process = forget(history, history.person, "--yes")
        said, _ = process.communicate()
        ended = process.returncode == 0 or b"is in no version" in said
        if not ended:
            print(f"after a kill, forget failed:\n{said.decode(errors='replace')[-3000:]}", file=sys.stderr)
    seconds = time.perf_counter() - begun
    return replace(judge(history, remains, seconds), ended=ended, killed=was_killed)


def score(address: str, photo: Path) -> float:
    """The service's score of a photo."""
    import urllib.request

    body, content_type = multipart(photo.read_bytes())
    request = urllib.request.Request(f"{address}/verify", body, {"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return float(json.loads(answer.read())["score"])


@dataclass
class Known:
    """What a model knows of the person's photos of the working tree.

    Attributes:
        scores: of the service, of each photo.
        similarity: of each photo's embedding to the nearest stored one: cosine.
        themselves: the share of photos of which that is their own.
    """

    scores: list[float]
    similarity: list[float]
    themselves: float

    @classmethod
    def of(cls, root: Path, address: str, photos: list[Path]) -> Known:
        """Ask the service of a project, and its stored embeddings."""
        recognizer = Recognizer(Networks.load(root / "models" / "networks"))
        recognizer.open()
        stored = np.load(root / "data/embeddings.npy")
        stored /= np.linalg.norm(stored, axis=1, keepdims=True)
        index = (root / "data/index.csv").read_text(encoding="utf-8").splitlines()[1:]
        similarity, own = [], []
        for photo in photos:
            face = recognizer.largest_face(photo)
            recognizer.embed([face] if face is not None else [])
            if face is None or face.embedding is None:
                continue
            likeness = stored @ (face.embedding / np.linalg.norm(face.embedding))
            similarity.append(float(likeness.max()))
            own.append(hashlib.sha256(photo.read_bytes()).hexdigest() in index[int(likeness.argmax())])
        return cls([score(address, photo) for photo in photos], similarity, sum(own) / len(own))

    def describe(self) -> str:
        """A row of the table."""
        scores, similarity = (", ".join(f"{value:.6f}" for value in own) for own in (self.scores, self.similarity))
        return f"{self.themselves:6.0%}   {similarity:34}{scores}"


def never_saw(history: History, path: Path, photos: list[Path]) -> Known:
    """What a model knows that never saw the person: the same project, built from the start without them."""
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", str(path / "project")], check=True)
    workspace = Workspace(path / "project")
    configure(workspace)
    for class_name in ("me", "not_me"):
        shutil.copytree(history.root / "data" / class_name, workspace.path / "data" / class_name)
    shutil.rmtree(workspace.path / "data/not_me" / history.person)
    workspace.run("dvc", "add", "-q", "data/me", "data/not_me")
    workspace.run("dvc", "repro", "-q")
    with workspace.serving() as address:
        return Known.of(workspace.path, address, photos)


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="?", help="a folder of LFW; without it the demo's portraits")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--quick", action="store_true", help="one kill")
    args = parser.parse_args()
    kills = 1 if args.quick else args.kills
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name, s3() as store:
        path = Path(name).resolve()
        (path / "first").mkdir()
        history = make_history(path / "first", args.photos, store)
        history.before = places_of(history)
        remains = what_to_look_for(history)
        before, files = search_quietly(history, remains)
        print(
            f"{describe_machine()}; remotes: a folder{f', S3 is left out: {why}' if (why := why_no_s3()) else ', S3'}"
        )
        print(f"before: {before} of {files} files show the person\n")
        outcomes: list[Outcome] = []
        chance = random.Random(args.seed)
        whole = outcome_of_whole(history, remains, path)
        print(f"{'':24}{'seconds':>9}{'files':>8}{'show them':>11}{'others changed':>16}{'certificate':>13}")
        show("not interrupted", whole[0])
        longest = whole[0].seconds
        while sum(outcome.killed for outcome in outcomes) < kills:
            moment = chance.uniform(0, longest)
            with copied(history, path / f"kill{len(outcomes)}") as copy:
                outcome = killed(copy, remains, moment)
            outcomes.append(outcome)
            if not outcome.killed:
                longest = min(longest, outcome.seconds)
            show(f"{'killed after' if outcome.killed else 'ended before'} {moment:.1f} s", outcome)
    before_, after, never = (whole[1][name] for name in ("before", "after", "never saw them"))
    difference = max(abs(one - other) for one, other in zip(after.scores, never.scores, strict=True))
    print(f"\ntheir photos: the nearest stored embedding is their own; cosine to it{'':15}scores of the service")
    for name, known in whole[1].items():
        print(f"{name:16}{known.describe()}")
    print(f"largest difference between the last two models' scores: {difference:.1e}")
    good = all(outcome.good for outcome in [whole[0], *outcomes])
    good &= difference < EQUAL and before_.themselves == 1.0 and after.themselves == 0.0
    print(
        json.dumps(
            {
                "bench": "forget", "machine": describe_machine(), "files_before": before, "good": good,
                "seconds": round(whole[0].seconds, 1), "kills": kills,
                "kills_good": sum(outcome.good for outcome in outcomes if outcome.killed), "s3": store is not None,
                "known": {name: vars(known) for name, known in whole[1].items()}, "difference": difference,
            }
        )
    )  # fmt: skip
    sys.exit(0 if good else 1)


def search_quietly(history: History, remains: Remains) -> tuple[int, int]:
    """As `search`, of what is not forgotten yet."""
    found, count = remains.search([history.root, history.worktree, history.remote, history.other_remote], NOT_SEARCHED)
    return len(found), count


def outcome_of_whole(history: History, remains: Remains, path: Path) -> tuple[Outcome, dict[str, Known]]:
    """Forget in a copy while the service runs, and look at what its model knows before and after."""
    with copied(history, path / "whole") as copy, copy.workspace.serving() as address:
        folder = copy.root / "data/not_me" / copy.person
        photos = [photo for photo in copy.photos if _lies_in(photo, folder)]
        known = {"before": Known.of(copy.root, address, photos)}
        begun = time.perf_counter()
        run_to_end(copy)
        seconds = time.perf_counter() - begun
        known["after"] = Known.of(copy.root, address, photos)
        outcome = judge(copy, remains, seconds)
    (path / "never").mkdir()
    known["never saw them"] = never_saw(history, path / "never", photos)
    return outcome, known


def _lies_in(photo: Path, folder: Path) -> bool:
    """Whether a folder has a photo of the same bytes."""
    return photo.read_bytes() in [path.read_bytes() for path in folder.iterdir()]


def show(name: str, outcome: Outcome) -> None:
    """Print a row of the table."""
    verified = ("holds" if outcome.verified else "does not") if outcome.ended else "failed"
    print(
        f"{name:24}{outcome.seconds:9.1f}{outcome.files:8}{outcome.found:11}{outcome.changed:16}{verified:>13}",
        flush=True,
    )


if __name__ == "__main__":
    main()
