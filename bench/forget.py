"""Is somebody who is forgotten gone from every byte, and is nobody else touched? Also if `forget` is killed?

    python -m bench.forget [LFW] [--kills 50] [--quick]

A project of 20 people (the demo's drawn portraits, or photos of LFW) gets a history: versions before and with one
person, a branch and a tag, a copy of a photo under another name, an experiment that is kept and one that is killed, a
folder and an S3-compatible store (moto, on loopback) as remotes. The service runs. Then `python -m privacy forget` is
asked to forget that person. A search that knows nothing of how it works goes through every byte below the project, its
cache and both remotes, unpacks containers, and looks for the person's bytes, hashes, names, pixels and embeddings.
Every object of a version that never held the person must be byte for byte what it was. Then the same on copies of the
project, killed at random moments and run again. The bench ends with status 1 where anything is not as it must be.
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
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.support.forgetting import History, make_history, objects, s3, why_no_s3
from bench.support.remains import Remains
from bench.support.servers import multipart
from bench.support.workspace import Workspace
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from stages.report.machine import describe_machine

NOT_SEARCHED = (".git", "photos", ".venv", "demo")
"""git's own, what the bench keeps to compare with, the packages, and the portraits that the project ships."""


@dataclass
class Outcome:
    """What came of one `forget`.

    Attributes:
        seconds: that it took, with all runs that it needed.
        found: how many files show the person still.
        files: how many were looked at.
        changed: objects of others that are not what they were.
        verified: whether `certificate verify` says that all is well.
    """

    seconds: float
    found: int
    files: int
    changed: int
    verified: bool

    @property
    def good(self) -> bool:
        """Whether it is as it must be."""
        return not self.found and not self.changed and self.verified


def what_to_look_for(history: History) -> Remains:
    """The person: every photo that they ever had, its crops and embeddings, computed here."""
    remains = Remains([f"not_me/{history.person}"])
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
    site_cache = history.root.parent / "site-cache"
    found, count = remains.search([history.root, history.remote, site_cache], NOT_SEARCHED)
    stored = history.store.objects() if history.store is not None else {}
    found |= {f"s3: {name}": reasons for name, data in stored.items() if (reasons := remains.found_in(data))}
    for name, reasons in list(found.items())[:20]:
        print(f"  {name}: {', '.join(reasons)}", file=sys.stderr)
    return len(found), count + len(stored)


def places_of(history: History) -> list[dict[str, str]]:
    """What the cache and both remotes hold: SHA-256 of each object by its path."""
    places = [objects(history.root / ".dvc/cache/files"), objects(history.remote / "files")]
    if history.store is not None:
        stored = {name.partition("files/")[2]: data for name, data in history.store.objects().items()}
        places.append({name: hashlib.sha256(data).hexdigest() for name, data in stored.items() if name})
    return places


def changed_objects(history: History) -> int:
    """Objects of the version before the person that are not what they were, in the cache and both remotes."""
    return sum(
        after.get(name) != before[name]
        for before, after in zip(history.before, places_of(history), strict=True)
        for name in before.keys() & history.expected.keys()
    )


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
    command = [sys.executable, "-m", "privacy", "certificate", "verify", str(certificates[-1])]
    done = subprocess.run(command, cwd=history.root, env=history.workspace.environment, capture_output=True)
    return Outcome(seconds, found, files, changed_objects(history), done.returncode == 0)


@contextmanager
def copied(history: History, path: Path) -> Iterator[History]:
    """A copy of the project and both remotes; the store is put back at the end."""
    before = history.store.objects() if history.store is not None else {}
    shutil.copytree(history.root, path / "project", symlinks=True)
    shutil.copytree(history.remote, path / "remote")
    copy = History(Workspace(path / "project"), history.person, path / "remote", history.store)
    copy.photos, copy.expected, copy.before = history.photos, history.expected, history.before
    copy.workspace.run("dvc", "remote", "modify", "folder", "url", str(copy.remote))
    try:
        yield copy
    finally:
        if history.store is not None:
            history.store.restore(before)
        shutil.rmtree(path)


def killed(history: History, remains: Remains, after: float) -> Outcome:
    """Kill it after so many seconds, and run it again."""
    begun = time.perf_counter()
    process = forget(history, history.person, "--yes")
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process = forget(history, history.person, "--yes")
        said, _ = process.communicate()
        if process.returncode and b"is in no version" not in said:
            sys.exit(f"after a kill, forget failed:\n{said.decode(errors='replace')[-3000:]}")
    return judge(history, remains, time.perf_counter() - begun)


def score(address: str, photo: Path) -> float:
    """The service's score of a photo."""
    import urllib.request

    body, content_type = multipart(photo.read_bytes())
    request = urllib.request.Request(f"{address}/verify", body, {"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return float(json.loads(answer.read())["score"])


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
        outcomes = []
        chance = random.Random(args.seed)
        whole = outcome_of_whole(history, remains, path)
        print(f"{'':24}{'seconds':>9}{'files':>8}{'show them':>11}{'others changed':>16}{'certificate':>13}")
        show("not interrupted", whole[0])
        for number in range(kills):
            with copied(history, path / f"kill{number}") as copy:
                moment = chance.uniform(0, whole[0].seconds)
                outcome = killed(copy, remains, moment)
            outcomes.append(outcome)
            show(f"killed after {moment:.1f} s", outcome)
    good = all(outcome.good for outcome in [whole[0], *outcomes])
    scores = {key: round(value, 4) for key, value in whole[1].items()}
    print(f"\nthe service's score of a photo of theirs: {scores}")
    print(
        json.dumps(
            {
                "bench": "forget", "machine": describe_machine(), "files_before": before, "good": good,
                "seconds": round(whole[0].seconds, 1), "kills": len(outcomes),
                "kills_good": sum(outcome.good for outcome in outcomes), "scores": scores, "s3": store is not None,
            }
        )
    )  # fmt: skip
    sys.exit(0 if good else 1)


def search_quietly(history: History, remains: Remains) -> tuple[int, int]:
    """As `search`, of what is not forgotten yet."""
    found, count = remains.search([history.root, history.remote], NOT_SEARCHED)
    return len(found), count


def outcome_of_whole(history: History, remains: Remains, path: Path) -> tuple[Outcome, dict[str, float]]:
    """Forget in a copy while the service runs, and look at what it scores before and after."""
    with copied(history, path / "whole") as copy, copy.workspace.serving() as address:
        scores = {"before": score(address, copy.photos[0])}
        begun = time.perf_counter()
        run_to_end(copy)
        seconds = time.perf_counter() - begun
        scores["after"] = score(address, copy.photos[0])
        return judge(copy, remains, seconds), scores


def show(name: str, outcome: Outcome) -> None:
    """Print a row of the table."""
    verified = "holds" if outcome.verified else "does not"
    print(
        f"{name:24}{outcome.seconds:9.1f}{outcome.files:8}{outcome.found:11}{outcome.changed:16}{verified:>13}",
        flush=True,
    )


if __name__ == "__main__":
    main()
