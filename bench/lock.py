"""What does it cost that photos are locked?

    python -m bench.lock PHOTO_OR_FOLDER … [--count 200] [--rounds 5] [--quick]

A clone of the project's last commit has the photos. In turn, `python -m stages.crop` is run on them as they are and
locked with a key file, each time with nothing remembered; which goes first changes with each round. The crops must be
the same. A passphrase adds what scrypt takes, once a stage: it is measured on its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from bench.support.photos import find_photos, is_small, load, many
from bench.support.workspace import Workspace, put_numbered, temporary_workspace
from faces.files import sha256_of
from privacy.locking.files import find_files, lock_file, unlock_file
from privacy.locking.keys import new_derivation, write_key_file
from stages.files.encryption import KEY_FILE_VARIABLE, KEY_VARIABLE, RAW, Key, Secret, read_key_file
from stages.progress import progress
from stages.report.machine import describe_machine

WAYS = ("plain", "locked")
_MOST_SLOWER = 0.1


def crop(workspace: Workspace) -> tuple[float, float]:
    """Seconds of the stage, with nothing remembered, and of all processors together."""
    shutil.rmtree(workspace.path / "data" / "remembered", ignore_errors=True)
    begun, used = time.perf_counter(), processor_seconds()
    workspace.run("stages.crop")
    return time.perf_counter() - begun, processor_seconds() - used


def processor_seconds() -> float:
    """What processes that have ended have used; other programs on the machine do not count, as they do on a clock."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def crops(workspace: Workspace) -> dict[str, str]:
    """SHA-256 of every crop and of the report, by path."""
    folder = workspace.path / "data" / "cropped"
    found = [*folder.rglob("*.png"), workspace.path / "reports" / "crop_report.csv"]
    return {path.relative_to(workspace.path).as_posix(): sha256_of(path) for path in sorted(found)}


def change(workspace: Workspace, key: Key, to: str) -> None:
    """Lock or unlock all photos, those that are not so already."""
    folders = [workspace.path / "data" / name for name in ("me", "not_me")]
    for path in find_files(folders):
        if to == "locked":
            lock_file(path, key)
        else:
            unlock_file(path, key)


def compare(workspace: Workspace, key: Key, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of each round, by way, as `crop` gives them.

    Raises:
        SystemExit: the crops differ.
    """
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    made = []
    for turn in progress(range(rounds + 1), rounds + 1, "cropping twice", "round"):
        for way in WAYS if turn % 2 else WAYS[::-1]:
            change(workspace, key, way)
            seconds = crop(workspace)
            made.append(crops(workspace))
            if turn:  # the first round warms up the disk's cache
                times[way].append(seconds)
    if any(each != made[0] for each in made):
        sys.exit("the crops of locked photos are not those of the plain ones")
    return times


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--count", type=int, default=200, help="how many photos; those given are changed for more")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round, 16 photos")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.count = 1, 16
    few = sum(is_small(path) for path in find_photos(args.photos))
    photos = many(load(args.photos, min(few, args.count))[: args.count], args.count)
    os.environ.pop(KEY_VARIABLE, None)
    with temporary_workspace() as workspace:
        key_file = workspace.path.parent / "photos.key"
        write_key_file(key_file)
        os.environ[KEY_FILE_VARIABLE] = str(key_file)
        key = read_key_file(key_file).key(RAW)
        assert key is not None
        put_numbered(workspace.path / "data", photos, lambda number: number % 4 == 0)
        workspace.run("stages.export")
        times = compare(workspace, key, args.rounds)
    report(photos, times)


def report(photos: list[bytes], times: dict[str, list[tuple[float, float]]]) -> None:
    """Print what came out."""
    size = sum(map(len, photos)) / 1e6
    plain, locked = (np.array(times[way]) for way in WAYS)  # [rounds, 2]
    slower = np.median(locked / plain - 1, axis=0)
    begun = time.perf_counter()
    Secret("a passphrase of a measurement").key(new_derivation())
    scrypt = time.perf_counter() - begun
    print(f"{len(photos)} photos, {size:.1f} MB; seconds of crop, medians; {describe_machine()}\n")
    print(f"{'':14}{'plain':>10}{'locked':>10}{'slower':>10}{'at most':>10}")
    for number, name in enumerate(("by the clock", "of processors")):
        medians = f"{np.median(plain[:, number]):10.2f}{np.median(locked[:, number]):10.2f}"
        print(f"{name:14}{medians}{slower[number]:10.1%}{_MOST_SLOWER:10.0%}")
    print(f"\na passphrase adds {scrypt:.2f} s (scrypt)")
    figures = {
        "bench": "lock", "machine": describe_machine(), "photos": len(photos), "megabytes": round(size, 1),
        "plain_seconds": plain.round(3).tolist(), "locked_seconds": locked.round(3).tolist(),
        "slower": slower.round(4).tolist(), "scrypt_seconds": round(scrypt, 3),
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
