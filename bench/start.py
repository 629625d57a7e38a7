"""How soon does it answer? From `gunicorn` to the first photo verified, and what importing the code takes.

    python -m bench.start PHOTO [--rounds 5] [--quick]

In turn, this project's service (its defaults: 4 workers) and the naive flow are started, and asked until they answer
the photo. Then each module is imported in a new interpreter, whose own start is subtracted, and what the service must
not import is looked for.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from bench.support import servers
from bench.support.machine import describe
from bench.support.models import make_models
from bench.support.photos import find_photos
from bench.support.servers import ROOT, Server, multipart
from faces.backbones import BACKBONE_NAMES
from stages.progress import progress

MODULES = ("faces", "faces.recognition.recognizer", "service", "bench.peers.naive")
HEAVY = ("torch", "torchvision", "facenet_pytorch", "pandas", "sklearn", "scipy", "matplotlib", "dvc", "onnx")
_FIND_HEAVY = f"import sys, service; service.create_app(); print([name for name in {HEAVY!r} if name in sys.modules])"


def first_answer(start: Callable[[], AbstractContextManager[Server]], photo: bytes) -> float:
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
    parser.add_argument("--quick", action="store_true", help="one round")
    args = parser.parse_args()
    rounds = 1 if args.quick else args.rounds
    photo = find_photos([args.photo])[0].read_bytes()
    seconds: dict[str, list[float]] = {"this project": [], "naive flow": []}
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        models = Path(name)
        make_models(models, args.backbone)
        for _ in progress(range(rounds), rounds, "starting", "round"):
            seconds["this project"].append(first_answer(lambda: servers.ours(models), photo))
            seconds["naive flow"].append(first_answer(servers.naive, photo))
        heavy = heavy_modules(models)
    imports = {module: import_seconds(module, rounds) for module in MODULES}
    print(f"{args.backbone}; medians of {rounds}; {describe()}\n")
    for service, values in seconds.items():
        print(f"gunicorn to the first /verify answered, {service:14}{np.median(values):7.2f} s")
    for module, value in imports.items():
        print(f"import {module:32}{'':15}{value:7.2f} s")
    print(f"of {', '.join(HEAVY)} the service imports: {heavy}")
    ratio = float(np.median(np.array(seconds["naive flow"]) / np.array(seconds["this project"])))
    figures = {
        "first_answer_s": {service: round(float(np.median(values)), 2) for service, values in seconds.items()},
        "times_as_soon": round(ratio, 2),
        "import_s": {module: round(value, 3) for module, value in imports.items()},
        "heavy": heavy,
    }
    print(json.dumps({"bench": "start", "machine": describe(), "backbone": args.backbone, **figures}))


if __name__ == "__main__":
    main()
