"""How soon does it answer? From `gunicorn` to the first photo verified, and what importing the code takes.

    python -m bench.start PHOTO [--rounds 5] [--before FOLDER] [--quick]

In turn, this project's service (its defaults: 4 workers) and the naive flow (one worker; with one thread, and with one
for each core: the sooner counts) are started, and asked until they answer the photo. Then each module is imported in a
new interpreter, whose own start is subtracted, and what the service must not import is looked for. With `--before`,
another copy of the project (its former version, say) is started in turn, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from bench.peers.settings import for_one_request
from bench.support import servers
from bench.support.models import make_models
from bench.support.photos import find_photos
from bench.support.servers import ROOT, Start, multipart
from faces.backbones import BACKBONE_NAMES
from faces.threads import available_cores
from stages.progress import progress
from stages.report.machine import describe_machine

OURS = "this project"
BEFORE = "before"
MODULES = ("faces", "faces.recognition.recognizer", "service", "bench.peers.naive")
HEAVY = ("torch", "torchvision", "facenet_pytorch", "pandas", "sklearn", "scipy", "matplotlib", "dvc", "onnx")
_FIND_HEAVY = f"import sys, service; service.create_app(); print([name for name in {HEAVY!r} if name in sys.modules])"


def first_answer(start: Start, photo: bytes) -> float:
    """Seconds from starting a server's process to its first answer with 200."""
    body, content_type = multipart(photo)
    begun = time.perf_counter()
    with start() as server:
        status, _, text = server.ask(body, content_type)
        seconds = time.perf_counter() - begun
    if status != 200:
        sys.exit(f"the photo was answered {status}: {text.decode()}; expected one with a face")
    return seconds


def import_seconds(module: str, rounds: int) -> float:
    """Median seconds that importing a module takes in a new interpreter."""

    def run(code: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        return time.perf_counter() - begun

    return float(np.median([run(f"import {module}") - run("pass") for _ in range(rounds)]))


def heavy_modules(models: Path) -> str:
    """Which of HEAVY a process has imported that is ready to verify, as Python writes a list."""
    run = subprocess.run(
        [sys.executable, "-c", _FIND_HEAVY], cwd=ROOT, env=os.environ | servers.where(models),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return run.stdout.strip()


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photo", type=Path, metavar="PHOTOS", help="a photo with a face; of a folder, the first one")
    parser.add_argument("--backbone", choices=BACKBONE_NAMES, default="dlib-resnet")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--before", type=Path, help="another copy of the project, to compare with")
    parser.add_argument("--quick", action="store_true", help="one round")
    args = parser.parse_args()
    rounds = 1 if args.quick else args.rounds
    photo = find_photos([args.photo])[0].read_bytes()
    naive: dict[str, Start] = {
        settings.title: partial(servers.naive, settings) for settings in for_one_request(available_cores())
    }
    with tempfile.TemporaryDirectory(prefix="face-bench-") as folder:
        models = Path(folder)
        make_models(models, args.backbone)
        starts: dict[str, Start] = {OURS: lambda: servers.ours(models), **naive}
        if args.before:
            starts[BEFORE] = lambda: servers.ours(models, root=args.before.resolve())
        seconds: dict[str, list[float]] = {name: [] for name in starts}
        for _ in progress(range(rounds), rounds, "starting", "round"):
            for name, start in starts.items():
                seconds[name].append(first_answer(start, photo))
        heavy = heavy_modules(models)
    report(args.backbone, seconds, {module: import_seconds(module, rounds) for module in MODULES}, heavy)


def report(backbone: str, seconds: dict[str, list[float]], imports: dict[str, float], heavy: str) -> None:
    """Print the table and the JSON line: of the naive flow's settings, those that answer soonest count."""
    ours, before = seconds.pop(OURS), seconds.pop(BEFORE, None)
    medians = {settings: round(float(np.median(values)), 2) for settings, values in seconds.items()}
    soonest = min(medians, key=medians.__getitem__)
    print(f"{backbone}; medians of {len(ours)}; {describe_machine()}\n")
    for service, value in {OURS: np.median(ours), **{f"naive flow, {own}": medians[own] for own in medians}}.items():
        print(f"gunicorn to the first /verify answered, {service:34}{value:7.2f} s")
    times_before = round(float(np.median(np.array(ours) / np.array(before))), 3) if before else None
    if before:
        print(f"gunicorn to the first /verify answered, {BEFORE:34}{np.median(before):7.2f} s")
        print(f"  {times_before} times as long as before")
    for module, value in imports.items():
        print(f"import {module:32}{'':35}{value:7.2f} s")
    print(f"of {', '.join(HEAVY)} the service imports: {heavy}")
    figures = {
        "first_answer_s": {OURS: round(float(np.median(ours)), 2), "naive flow": medians[soonest]},
        "naive_settings": soonest,
        "naive_first_answer_s_by_settings": medians,
        "times_as_long_as_before": times_before,
        "times_as_soon": round(float(np.median(np.array(seconds[soonest]) / np.array(ours))), 2),
        "import_s": {module: round(value, 3) for module, value in imports.items()},
        "heavy": heavy,
    }
    print(json.dumps({"bench": "start", "machine": describe_machine(), "backbone": backbone, **figures}))


if __name__ == "__main__":
    main()
