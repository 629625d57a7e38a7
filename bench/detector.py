"""Does the fast detector find what facenet-pytorch's MTCNN finds, and how much sooner?

    python -m bench.detector PHOTO_OR_FOLDER … [--small-photos 1000] [--quick]

Per photo, the largest face as the service finds it (photo reduced to `detector.max_side`, scan from the coarsest scale,
stopped early) is compared with the largest that facenet-pytorch's `MTCNN.detect` finds on the photo at full size: the
same if their boxes overlap by 0.8 (intersection over union) and no landmark is farther away than 5 % of the distance
between the eyes. Then all faces of a scan of every scale, on the same pixels for both. What differs is listed with its
reason. Both are timed in the same round, each photo once after a warm-up.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from facenet_pytorch import MTCNN
from numpy.typing import NDArray
from PIL import Image

from bench.support.models import make_models
from bench.support.photos import find_photos, is_small, spread
from faces.detection.detector import Detector
from faces.detection.face import Face, intersection_over_union
from faces.detection.largest import Ranking
from faces.recognition.image import Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import decode_for_detection, reduce_for_detection
from stages.progress import progress
from stages.report.machine import describe_machine

LEAST_OVERLAP = 0.8
MOST_SHIFT = 0.05
T = TypeVar("T")


@dataclass
class Comparison:
    """What became of one photo."""

    largest: str
    all_faces: str
    theirs: int
    seconds: dict[str, float] = field(default_factory=dict)


def same(ours: Face, theirs: Face) -> bool:
    """Whether two detections are of one face, and place it alike."""
    eyes = float(np.linalg.norm(theirs.landmarks[0] - theirs.landmarks[1]))
    shift = float(np.linalg.norm(ours.landmarks - theirs.landmarks, axis=1).max())
    return intersection_over_union(ours.box, theirs.box) >= LEAST_OVERLAP and shift <= MOST_SHIFT * eyes


class Bench:
    """Compares detections photo by photo."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._mtcnn = MTCNN()

    def peer(self, image: Image.Image) -> list[Face]:
        """facenet-pytorch's faces, the largest first."""
        boxes, probabilities, points = self._mtcnn.detect(image, landmarks=True)
        if boxes is None:
            return []
        rows = zip(boxes, probabilities, points, strict=True)
        faces = [Face(np.asarray(box, float), float(p), np.asarray(marks, float)) for box, p, marks in rows]
        return Ranking(*image.size).largest_first(faces)

    def compare(self, path: Path) -> Comparison:
        """Compare on one photo, timed from its bytes on."""
        photo = Photo.open(path)
        timed: dict[str, float] = {}
        full = _timed(timed, "naive", lambda: Image.open(io.BytesIO(photo.data)).convert("RGB"))
        theirs = _timed(timed, "naive", lambda: self.peer(full))
        largest, pixels = _timed(timed, "ours", lambda: self._largest(photo))
        everything = self._detector.detect_all(pixels)
        on_same_pixels = self.peer(Image.fromarray(pixels))
        return Comparison(
            self._verdict(largest, everything, theirs, pixels.shape[:2], full.size),
            self._verdict_of_all(everything, on_same_pixels),
            len(on_same_pixels),
            timed,
        )

    def _largest(self, photo: Photo) -> tuple[Face | None, NDArray[np.uint8]]:
        """The largest face in pixels of the photo, and the pixels it was looked for in."""
        reduced = reduce_for_detection(decode_for_detection(photo, self._detector), self._detector.settings.max_side)
        pixels = np.asarray(reduced)
        face = self._detector.detect_largest(pixels)
        return (face.scaled(max(photo.stored_size) / max(reduced.size)) if face else None), pixels

    def _verdict(
        self,
        ours: Face | None,
        everything: list[Face],
        theirs: list[Face],
        size: tuple[int, ...],
        full: tuple[int, int],
    ) -> str:
        """ "same", or why not."""
        certain = [face for face in theirs if face.probability >= self._detector.settings.min_probability]
        if ours is None or not theirs:
            if ours is None and not theirs:
                return "same"
            if ours is None and not certain:
                return "the peer's probability is below detector.min_probability"
            ratio = max(full) / max(size)
            if ours is None and certain[0].size / ratio < self._detector.settings.min_face:
                return "too small on the reduced photo"
            return "found here only" if ours is not None else "found by the peer only"
        if same(ours, theirs[0]):
            return "same"
        if certain and same(ours, certain[0]):
            return "the peer's largest has a probability below detector.min_probability"
        if any(same(ours, other) for other in certain[1:]):
            return "another of several faces of about the same size"
        if intersection_over_union(ours.box, theirs[0].box) <= 0.5:
            return "another face"
        ratio = max(full) / max(size)
        if any(same(face.scaled(ratio), theirs[0]) for face in everything):
            return "the same face: the scan stopped before finer scales, which place it a little elsewhere"
        return "the same face: on the reduced photo it is placed a little elsewhere"

    def _verdict_of_all(self, ours: list[Face], theirs: list[Face]) -> str:
        certain = [face for face in theirs if face.probability >= self._detector.settings.min_probability]
        if len(ours) == len(certain) and all(any(same(face, other) for other in ours) for face in certain):
            return "same"
        return f"{len(ours)} faces here, {len(certain)} by the peer"


def _timed(times: dict[str, float], name: str, run: Callable[[], T]) -> T:
    started = time.perf_counter()
    result = run()
    times[name] = times.get(name, 0.0) + time.perf_counter() - started
    return result


def main() -> None:
    """Print the table, the exceptions and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--small-photos", type=int, default=1000, help="how many of the files below 40 kB")
    parser.add_argument("--quick", action="store_true", help="ten small photos")
    args = parser.parse_args()
    paths = find_photos(args.photos)
    small = spread([path for path in paths if is_small(path)], 10 if args.quick else args.small_photos)
    groups = {"larger photos": [path for path in paths if not is_small(path)], "small photos": small}
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        make_models(Path(name), "dlib-resnet")
        bench = Bench(Networks.load(Path(name) / "networks").open_detector())
    figures: dict[str, Any] = {}
    machine = describe_machine()
    print(f"faces as facenet-pytorch's MTCNN finds them; {machine}\n")
    for title, own in groups.items():
        if own:
            bench.compare(own[0])
            rows = {path: bench.compare(path) for path in progress(own, len(own), title, "photo")}
            figures[title] = report(title, rows)
    print(json.dumps({"bench": "detector", "machine": machine, "groups": figures}))


def report(title: str, rows: dict[Path, Comparison]) -> dict[str, Any]:
    """Print one group's figures and exceptions, and return them."""
    count = len(rows)
    largest = Counter(row.largest for row in rows.values())
    everything = sum(row.all_faces == "same" for row in rows.values())
    milliseconds = {
        name: 1000 * float(np.median([row.seconds[name] for row in rows.values()])) for name in ("ours", "naive")
    }
    speedup = float(np.median([row.seconds["naive"] / row.seconds["ours"] for row in rows.values()]))
    print(f"{title}: {count} photos, {sum(row.theirs for row in rows.values())} faces")
    print(f"  largest face the same       {largest['same']:6} of {count}")
    print(f"  all faces the same          {everything:6} of {count}   (every scale, same pixels)")
    print(f"  decoded and detected in     {milliseconds['ours']:6.1f} ms; naive {milliseconds['naive']:.1f} ms")
    print(f"  times as fast               {speedup:6.1f}")
    for path, row in rows.items():
        if row.largest != "same":
            print(f"    {path.name}: {row.largest}")
        if row.all_faces != "same":
            print(f"    {path.name}: all faces: {row.all_faces}")
    print()
    return {
        "photos": count,
        "largest_same": largest["same"],
        "reasons": {reason: number for reason, number in largest.items() if reason != "same"},
        "all_same": everything,
        "ms": {name: round(value, 1) for name, value in milliseconds.items()},
        "times_as_fast": round(speedup, 2),
    }


if __name__ == "__main__":
    main()
