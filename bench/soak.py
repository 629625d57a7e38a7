"""Does the service stay as it is? Minutes of good and hostile load, its memory and its answers.

    python -m bench.soak [--minutes 10] [--workers 2] [--sockets 30]

The service runs under gunicorn as shipped, while four right clients ask on and on (each answer is compared with the
known one), one client posts hostile files in turn, and the attacks of `bench.support.attacks` follow each other. In the
table, a line for each tenth of the time: right answers, wrong ones, 5xx other than 503 with Retry-After, 503 with
Retry-After, requests without an answer, workers lost, the longest time until a right answer, and the memory of all
processes (proportional set size). Before, the same load warms the service up until each hostile file has been posted
and each attack been made. From then on memory must be flat: what is held at least nine tenths of the time may be at
most 10 % more in the last third than in the first. (What a costly photo takes while it is verified comes and goes.) The
bench ends with status 1 where something is not as it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.support.attacks import ATTACKS
from bench.support.memory import proportional_megabytes
from bench.support.models import make_models
from bench.support.scenes import Row, Scene, Stand
from bench.support.servers import ROOT, multipart
from bench.support.surroundings import hostile_files, meanwhile
from stages.report.machine import describe_machine

PHOTOS = ("me_1.jpg", "me_2.jpg", "stranger_1.jpg")
TENTHS = 10
GROWTH = 0.10
"""By how much memory may grow from the first third to the last: beyond it, something is kept for ever."""

LEAST_SAMPLES = 9
_SAMPLE_SECONDS = 1.0
_HOSTILE_PAUSE_SECONDS = 0.5
_WARM_UP_SECONDS = 180.0
_ROUND_OF_ATTACKS_SECONDS = 60.0


@contextmanager
def attacked(scene: Scene, sockets: int, seconds_each: float) -> Iterator[list[str]]:
    """The attacks, one after the other and round again; yields the names of those made so far."""
    made: list[str] = []
    end = threading.Event()

    def attack_on() -> None:
        for attack in itertools.cycle(ATTACKS):
            if end.is_set():
                return
            made.append(attack.name)
            with attack.hold(scene.server, sockets):
                end.wait(seconds_each)

    thread = threading.Thread(target=attack_on)
    thread.start()
    try:
        yield made
    finally:
        end.set()
        thread.join()


def soak(
    stand: Stand,
    seconds: float,
    workers: int,
    sockets: int,
    files: Sequence[bytes],
    tell: bool = True,
    warm_rounds: int = 1,
) -> Row:
    """Load the service in all ways at once, and watch it.

    Args:
        stand: models, photos and right clients.
        seconds: how long, after the warm-up.
        workers: of the service.
        sockets: of each attack.
        files: hostile ones, posted in turn.
        tell: whether to print a line for each tenth.
        warm_rounds: how often each file is posted before memory is watched. A worker grows when it meets a file for the
            first time, and chance decides which worker gets it: over minutes that is over soon, over seconds it is not.

    Returns:
        The row. Its figures have `parts`, a line for each tenth; `held_megabytes`, what is held at least nine tenths of
        each third; and `growth`, by which share that is more in the last third than in the first.
    """
    bodies = [multipart(data) for data in files]
    posted: list[int] = []
    samples: list[float] = []
    lines: list[dict[str, object]] = []
    each = min(_ROUND_OF_ATTACKS_SECONDS, seconds / 3) / len(ATTACKS)  # a third has all of them, so thirds are alike
    with stand.scene("good and hostile load", workers=workers) as scene:

        def post_hostile() -> None:
            with contextlib.suppress(OSError):
                scene.server.ask(*bodies[len(posted) % len(bodies)], timeout=60)
            posted.append(1)
            time.sleep(_HOSTILE_PAUSE_SECONDS)

        with meanwhile(post_hostile, 1), attacked(scene, sockets, each) as made:
            scene.wait_for(
                lambda: len(posted) >= warm_rounds * len(bodies) and len(made) > len(ATTACKS),
                "not warm",
                _WARM_UP_SECONDS,
            )
            started = time.monotonic()
            for tenth in range(1, TENTHS + 1):
                until = started + seconds * tenth / TENTHS
                while time.monotonic() < until:
                    samples.append(proportional_megabytes(scene.server.process.pid))
                    time.sleep(min(_SAMPLE_SECONDS, seconds / 4 / TENTHS))
                seen = scene.row.seen
                lines.append({"seconds": round(time.monotonic() - started), "megabytes": round(samples[-1], 1),
                              "right": seen.right, "saturated": seen.saturated, "wrong": seen.wrong,
                              "failures": seen.failures, "unanswered": seen.unanswered,
                              "longest_s": round(seen.longest_s, 2), "lost": scene.lost()})  # fmt: skip
                if tell:
                    print("   ".join(f"{name} {value:>6}" for name, value in lines[-1].items()), flush=True)
        third = len(samples) // 3
        held = [float(np.percentile(part, 10)) for part in (samples[:third], samples[third:-third], samples[-third:])]
        growth = held[-1] / held[0] - 1
        scene.expect(len(samples) >= LEAST_SAMPLES, f"memory was sampled {len(samples)} times only")
        scene.expect(growth <= GROWTH, f"memory has grown by {growth:.0%} from the first third to the last")
        scene.expect(scene.row.seen.right >= scene.row.seen.saturated, "more 503 than right answers")
        scene.row.figures |= {"attacks": len(made), "kinds": len(set(made)), "hostile_files": len(posted),
                              "held_megabytes": [round(size) for size in held],
            "growth": round(growth, 3), "parts": lines}  # fmt: skip
    return scene.row


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sockets", type=int, default=30, help="of each attack")
    args = parser.parse_args()
    print(f"{args.workers} workers, 4 right clients; {describe_machine()}\n")
    photos = [(ROOT / "demo" / "ask" / name).read_bytes() for name in PHOTOS]
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        models, folder = Path(name) / "models", Path(name) / "scenes"
        models.mkdir()
        folder.mkdir()
        make_models(models, "dlib-resnet")
        row = soak(Stand(models, photos, folder), 60 * args.minutes, args.workers, args.sockets, hostile_files())
    figures = row.figures
    print(
        f"\n{row.seen.sent} requests of right clients, {figures['hostile_files']} hostile files, "
        f"{figures['attacks']} attacks; memory held in each third {figures['held_megabytes']} MB "
        f"({figures['growth']:+.1%})"
    )
    for problem in row.problems:
        print(f"PROBLEM: {problem}")
    print(json.dumps({"bench": "soak", "machine": describe_machine(), "minutes": args.minutes, **row.as_json()}))
    sys.exit(1 if row.problems else 0)


if __name__ == "__main__":
    main()
