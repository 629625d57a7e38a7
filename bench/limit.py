"""How near is a request to what cannot be avoided: decoding the JPEG, and the embedder's passes?

    python -m bench.limit PHOTO_OR_FOLDER … [--backbone dlib-resnet] [--rounds 9] [--small-photos 30] [--quick]

In every round a photo is posted to the service over HTTP (its defaults), then in this process it is decoded (at the
reduced size that suffices to find faces) and a crop embedded (with the mirrored one), on as many threads as a request
to the service uses. The limit is the sum of those two; its share is that of a request's time. The steps of a request
that are no part of it are timed beside it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.support import servers
from bench.support.models import make_models
from bench.support.photos import group_by_faces, in_order, load
from bench.support.servers import Server, multipart
from faces.backbones import BACKBONE_NAMES
from faces.recognition.image import Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import decode_for_detection, find_faces, reduce_for_detection
from faces.threads import available_cores, limit_numpy
from faces.verifier import Verifier
from stages.progress import progress
from stages.report.machine import describe_machine

STEPS = ("request", "limit", "decode", "embed", "detect", "detect and cut", "score")


class Bench:
    """Times one photo's request and its steps."""

    def __init__(self, server: Server, networks: Networks, verifier: Verifier, threads: int) -> None:
        self._server = server
        self._geometry = networks.manifest.crop
        self._detector = networks.open_detector(threads)
        self._embedder = networks.open_embedder(verifier.flip, threads)
        self._verifier = verifier

    def group(self, data: bytes) -> str:
        """Name of a photo's group."""
        return group_by_faces(data, self._detector)

    def time(self, data: bytes, rounds: int) -> dict[str, float] | None:
        """Median milliseconds of each step, or None where the service finds no face."""
        body, content_type = multipart(data)
        if self._server.ask(body, content_type)[0] != 200:
            return None
        photo = Photo.open(data, max_pixels=10**8)
        decoded = decode_for_detection(photo, self._detector)
        pixels = np.asarray(reduce_for_detection(decoded, self._detector.settings.max_side))
        crop = find_faces(photo, self._detector, self._geometry, largest_only=True)[0].crop
        assert crop is not None
        embedding = self._embedder.embed(crop[None])
        steps: dict[str, Callable[[], Any]] = {
            "request": lambda: self._server.ask(body, content_type),
            "decode": lambda: decode_for_detection(photo, self._detector),
            "embed": lambda: self._embedder.embed(crop[None]),
            "detect": lambda: self._detector.detect_largest(pixels),
            "detect and cut": lambda: find_faces(photo, self._detector, self._geometry, True, decoded),
            "score": lambda: self._verifier.score(embedding),
        }
        times: dict[str, list[float]] = {step: [] for step in steps}
        for _ in range(rounds):
            for step, run in steps.items():
                started = time.perf_counter()
                run()
                times[step].append(1000 * (time.perf_counter() - started))
        limits = np.array(times["decode"]) + np.array(times["embed"])
        medians = {step: float(np.median(values)) for step, values in times.items()}
        share = float(np.median(limits / np.array(times["request"])))
        return {**medians, "limit": float(np.median(limits)), "share": share}


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--backbone", choices=BACKBONE_NAMES, default="dlib-resnet")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--small-photos", type=int, default=30, help="how many of the files below 40 kB")
    parser.add_argument("--quick", action="store_true", help="one round")
    args = parser.parse_args()
    photos = load(args.photos, args.small_photos)
    threads = available_cores()
    limit_numpy(1)  # as the service does
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        models = Path(name)
        make_models(models, args.backbone)
        networks = Networks.load(models / "networks")
        verifier = Verifier.load(models / "model.joblib", models / "scaler.joblib")
        with servers.ours(models) as server:
            bench = Bench(server, networks, verifier, threads)
            rows: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
            for photo in progress(photos, len(photos), "timing", "photo"):
                row = bench.time(photo, 1 if args.quick else args.rounds)
                if row is not None:
                    rows[bench.group(photo)].append(row)
    report(args.backbone, {group: rows[group] for group in in_order(rows)})


def report(backbone: str, rows: dict[str, list[dict[str, float]]]) -> None:
    """Print what came out: medians over the photos of each group."""
    machine = describe_machine()
    print(f"{backbone}; milliseconds; {machine}\n")
    print(f"{'':30}{''.join(f'{step:>16}' for step in STEPS)}{'limit/request':>16}")
    figures: dict[str, dict[str, float]] = {}
    for group, own in rows.items():
        medians = {step: round(float(np.median([row[step] for row in own])), 2) for step in STEPS}
        share = round(float(np.median([row["share"] for row in own])), 3)
        title = f"{group} ({len(own)} photos)"
        print(f"{title:30}{''.join(f'{medians[step]:16.1f}' for step in STEPS)}{share:16.0%}")
        figures[group] = {**medians, "share": share, "photos": len(own)}
    print(json.dumps({"bench": "limit", "machine": machine, "backbone": backbone, "groups": figures}))


if __name__ == "__main__":
    main()
