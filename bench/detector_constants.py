"""What do the detector's constants save, and which faces do they cost?

    python -m bench.detector_constants PHOTO_OR_FOLDER … [--small-photos 1500] [--timed-photos 60] [--quick]

Each constant gets other values in turn, the others staying as they are.

*The early stop* (faces/detection/largest.py). Counted are, as means of a photo, what the networks are asked (thousands
of pixels by P-Net, candidates by R-Net and O-Net); then the photos whose largest face is another than that of a scan of
every scale (the boxes overlap by less than 0.8), and the photos whose face changes in any way by the other value. These
counts are the same on every machine.

*Strips and batches* (faces/detection/cascade.py), which change no face: the time to find the largest face beside the
time with the constant as it is, with one thread (the processor's time, which other programs disturb little) and with as
many as there are cores (by the clock). Both are timed in turn, photo by photo; a photo's time is the least of the
rounds, and the ratio that of the sums. For strips, P-Net's work on all scales is timed, of photos of more than 0.3
megapixels, since smaller ones fit into one strip.

Of files below 40 kB, such as LFW's, an evenly spread choice is taken.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.support.models import make_models
from bench.support.photos import find_photos, is_small, spread
from faces.detection import cascade, largest
from faces.detection.cascade import Session
from faces.detection.detector import Detector
from faces.detection.face import Face, intersection_over_union
from faces.detection.scan import Scan
from faces.recognition.image import Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import decode_for_detection, reduce_for_detection
from faces.threads import available_cores
from stages.progress import progress
from stages.report.machine import describe_machine

Pixels = NDArray[np.uint8]
EARLY_STOP: dict[str, tuple[Any, ...]] = {
    "ENOUGH": (1.5, 3),
    "ENOUGH_OF_RIVALS": (2, 2.5, 4),
    "RIVAL": (0.6, 0.9),
    "GROWTH": (1.0, 1.25, 2.0),
    "CERTAIN": (0.95, 1.2, math.inf),
    "DRIFT": (1.0, 1.1, 1.5),
    "WORTH_RNET": ((0, 0), (0.3, 0.5), (0.5, 0.6), (0.4, 0.7)),
    "WORTH_ONET": ((0, 0), (0.5, 0.6), (0.7, 0.7), (0.6, 0.8), (0.8, 0.9)),
}
PARTS: dict[str, tuple[Any, ...]] = {
    "STRIP_PIXELS": (4_000, 64_000, 10**9),
    "LEAST_ROWS": (1, 64),
    "RNET_BATCH": (4, 64, 256),
    "ONET_BATCH": (1, 16, 64),
    "WORTH_SHARING": (0, 2),
}
LEAST_OVERLAP = 0.8
LARGE_PIXELS = 300_000


class Counting:
    """A network that counts what it is asked.

    Attributes:
        images: candidates so far.
        pixels: their pixels.
    """

    def __init__(self, network: Session) -> None:
        self._network = network
        self.images = self.pixels = 0

    def run(self, output_names: list[str] | None, input_feed: dict[str, Any]) -> Any:
        """What the network answers."""
        count, height, width, _ = input_feed["pixels"].shape
        self.images += count
        self.pixels += count * height * width
        return self._network.run(output_names, input_feed)


@contextmanager
def constant(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """Give a constant of a module another value for a while."""
    usual = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, usual)


def is_another(first: Face | None, second: Face | None) -> bool:
    """Whether two detections are not of one face."""
    if first is None or second is None:
        return first is not second
    return intersection_over_union(first.box, second.box) < LEAST_OVERLAP


def differs(first: Face | None, second: Face | None) -> bool:
    """Whether two detections differ in any way."""
    if first is None or second is None:
        return first is not second
    return not (np.array_equal(first.box, second.box) and np.array_equal(first.landmarks, second.landmarks))


class EarlyStop:
    """Finds the largest faces of some images with one constant changed at a time."""

    def __init__(self, networks: Networks, images: list[Pixels]) -> None:
        self._images = images
        plain = networks.open_detector()
        every_scale = progress(map(plain.detect_all, images), len(images), "scanning every scale", "photo")
        self._every_scale = [faces[0] if faces else None for faces in every_scale]
        self._usual = [plain.detect_largest(image) for image in images]
        pnet, rnet, onet = (Counting(part) for part in (plain.cascade.pnet, plain.cascade.rnet, plain.cascade.onet))
        self._counting = pnet, rnet, onet
        self._detector = Detector(pnet, rnet, onet, plain.settings)

    def measure(self, name: str = "", value: object = None) -> dict[str, float]:
        """The figures with another value of a constant; without a name, those of the constants as they are."""
        for network in self._counting:
            network.images = network.pixels = 0
        with constant(largest, name, value) if name else nullcontext():
            found = [self._detector.detect_largest(image) for image in self._images]
        pnet, rnet, onet = self._counting
        return {
            "pnet_kilopixels": round(pnet.pixels / 1000 / len(found), 2),
            "rnet": round(rnet.images / len(found), 2),
            "onet": round(onet.images / len(found), 2),
            "another_face": sum(map(is_another, found, self._every_scale)),
            "changed": sum(map(differs, found, self._usual)),
        }


def time_ratio(
    run: Callable[[Pixels], object],
    images: list[Pixels],
    rounds: int,
    clock: Callable[[], float],
    name: str,
    value: object,
) -> float:
    """The time that some work takes with another value of a constant, beside its time with the constant as it is."""
    sums = np.zeros(2)
    for image in images:
        times = np.empty((rounds, 2))
        for turn in range(rounds):
            for which in (turn % 2, 1 - turn % 2):
                with constant(cascade, name, value) if which else nullcontext():
                    begun = clock()
                    run(image)
                    times[turn, which] = clock() - begun
        sums += times.min(axis=0)
    return float(sums[1] / sums[0])


def measure_parts(networks: Networks, images: list[Pixels], rounds: int, quick: bool) -> dict[str, dict[str, float]]:
    """The ratios of `time_ratio` for each value of strips and batches, by the number of threads."""
    large = [image for image in images if image.shape[0] * image.shape[1] > LARGE_PIXELS]
    cases = [(name, value) for name, values in PARTS.items() for value in (values[:1] if quick else values)]
    ratios: dict[str, dict[str, float]] = {}
    detectors = {count: networks.open_detector(count) for count in sorted({1, available_cores()})}
    for name, value in progress(cases, len(cases), "timing", "value"):
        of_pnet = name in ("STRIP_PIXELS", "LEAST_ROWS")
        row = {}
        for count, detector in detectors.items():
            detector.warm_up()

            def scan_every_scale(image: Pixels, detector: Detector = detector) -> None:
                scan = Scan.of(image, detector.settings)
                while scan.scales:
                    detector.cascade.propose(scan)

            run, given = (scan_every_scale, large) if of_pnet else (detector.detect_largest, images)
            if given:
                clock = time.process_time if count == 1 else time.perf_counter
                row[str(count)] = round(time_ratio(run, given, rounds, clock, name, value), 3)
        ratios[f"{name} {value}"] = row
    return ratios


def as_detected(path: Path, detector: Detector) -> Pixels:
    """What the detector gets to see of a photo, uint8 [H, W, 3]."""
    decoded = decode_for_detection(Photo.open(path, max_pixels=10**8), detector)
    return np.asarray(reduce_for_detection(decoded, detector.settings.max_side))


def report(photos: int, early_stop: dict[str, dict[str, float]], parts: dict[str, dict[str, float]]) -> None:
    """Print the tables and the JSON line."""
    usual = ", ".join(f"{name} {getattr(largest, name)}" for name in EARLY_STOP)
    print(f"The early stop, {photos} photos. As they are: {usual}.\n")
    print(f"{'':24}{'P-Net, kpixel':>15}{'R-Net':>8}{'O-Net':>8}{'another face':>14}{'changed':>9}")
    for title, row in early_stop.items():
        print(f"{title:24}{row['pnet_kilopixels']:15}{row['rnet']:8}{row['onet']:8}", end="")
        print(f"{row['another_face']:14}{row['changed']:9}")
    usual = ", ".join(f"{name} {getattr(cascade, name)}" for name in PARTS)
    print(f"\nStrips and batches, time beside that of the constants as they are: {usual}; {describe_machine()}\n")
    for title, ratios in parts.items():
        texts = [f"{count} thread{'s' if count != '1' else ''} {ratio:6.3f}" for count, ratio in ratios.items()]
        print(f"{title:24}   {'   '.join(texts)}")
    figures = {"machine": describe_machine(), "photos": photos, "early_stop": early_stop, "parts": parts}
    print(json.dumps({"bench": "detector_constants", **figures}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--small-photos", type=int, default=1500, help="how many of the files below 40 kB")
    parser.add_argument("--timed-photos", type=int, default=60, help="how many of all are timed")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="one round, and one other value of each constant")
    args = parser.parse_args()
    paths = find_photos(args.photos)
    few = [path for path in paths if is_small(path)]
    chosen = sorted({*paths} - {*few}) + spread(few, args.small_photos)
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        make_models(Path(name), "dlib-resnet")
        networks = Networks.load(Path(name) / "networks")
    detector = networks.open_detector()
    images = [as_detected(path, detector) for path in chosen]
    parts = measure_parts(networks, images[: args.timed_photos], 1 if args.quick else args.rounds, args.quick)
    bench = EarlyStop(networks, images)
    cases = [(name, value) for name, values in EARLY_STOP.items() for value in (values[:1] if args.quick else values)]
    early_stop = {"as they are": bench.measure()}
    for name, value in progress(cases, len(cases), "counting", "value"):
        early_stop[f"{name} {value}"] = bench.measure(name, value)
    report(len(images), early_stop, parts)


if __name__ == "__main__":
    main()
