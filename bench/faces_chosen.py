"""Whose face is taken? The rule that ranks the faces of a photo, beside others, on Labeled Faces in the Wild.

    python -m bench.faces_chosen LFW [--limit N] [--turned N]

1. LFW's photos are centred on the person that they are named after, so the face nearest the centre is the right one.
   Each rule ranks all faces of a photo; it is wrong where its first is another. "as the service finds it" is the
   product's rule with its early stop: what /verify and crop take. Photos on which that is wrong are named.
2. Some of the photos are turned by a quarter, a half and three quarters, without an EXIF orientation: on how many is
   the same face found (`detector.try_turned`), and how alike is its embedding to that of the upright photo?

The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.support.embeddings import nearest_the_centre
from bench.support.lfw import people
from bench.support.photos import spread
from faces.detection.face import Face
from faces.detection.largest import Ranking
from faces.recognition.image import Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from faces.recognition.turned import TURNS
from faces.threads import available_cores
from stages.progress import progress

Rule = Callable[[Face, tuple[int, int]], float]
PRODUCT = "as the service finds it"

RULES: dict[str, Rule] = {
    "visible area × visible share": lambda face, size: Ranking(*size).size(face),
    "visible area": lambda face, size: face.size**2 * face.visible_share(*size),
    "area of the box": lambda face, _: face.size**2,
    "probability": lambda face, _: face.probability,
}
"""What each rule ranks a face by, given the size of its photo; the first is the product's."""


def choices(recognizer: Recognizer, path: Path) -> tuple[dict[str, bool], int]:
    """Whether each rule takes the face nearest the centre of a photo, and how many faces are on it."""
    size = Photo.open(path).stored_size
    faces = recognizer.faces(path)
    if not faces:
        return {}, 0
    right = nearest_the_centre(faces, size)
    taken = {name: max(faces, key=lambda face: rule(face, size)) is right for name, rule in RULES.items()}
    found = recognizer.largest_face(path)
    taken[PRODUCT] = found is not None and np.array_equal(found.box, right.box)
    return taken, len(faces)


def compare_rules(recognizer: Recognizer, photos: list[Path]) -> dict[str, Any]:
    """Part 1: wrong faces by rule."""
    with ThreadPoolExecutor(available_cores()) as pool:
        results = pool.map(lambda path: choices(recognizer, path), photos)
        found = list(progress(results, len(photos), "choosing", "photo"))
    with_faces = [taken for taken, count in found if count]
    return {
        "photos": len(with_faces),
        "with_several_faces": sum(count > 1 for _, count in found),
        "wrong": {name: sum(not taken[name] for taken in with_faces) for name in [*RULES, PRODUCT]},
        "named": [
            path.name for path, (taken, count) in zip(photos, found, strict=True) if count and not taken[PRODUCT]
        ],
    }


def turn_photos(recognizer: Recognizer, photos: list[Path]) -> dict[str, Any]:
    """Part 2: of photos turned in three ways, how many have the same face as upright, and how alike the two are."""

    def recovered(task: tuple[Path, int]) -> tuple[int, float]:
        path, degrees = task
        upright = recognizer.largest_face(path)
        buffer = io.BytesIO()
        Photo.open(path).decode().rotate(degrees, expand=True).save(buffer, "PNG", compress_level=1)
        face = recognizer.largest_face(buffer.getvalue())
        if upright is None or face is None:
            return -1, 0.0
        recognizer.embed([upright, face])
        return face.turned, cosine(upright.embedding, face.embedding)

    tasks = [(path, degrees) for path in photos for degrees in TURNS]
    with ThreadPoolExecutor(available_cores()) as pool:
        results = list(progress(pool.map(recovered, tasks), len(tasks), "turning", "photo"))
    right = [likeness for (_, degrees), (turned, likeness) in zip(tasks, results, strict=True) if turned == degrees]
    return {
        "turned_photos": len(tasks),
        "turned_right": len(right),
        "turned_otherwise": sum(turned > 0 for turned, _ in results) - len(right),
        "seen_upright": sum(turned == 0 for turned, _ in results),
        "likeness_median": round(float(np.median(right)), 4) if right else None,
        "likeness_1_percent": round(float(np.quantile(right, 0.01)), 4) if right else None,
    }


def cosine(first: NDArray[np.float32] | None, second: NDArray[np.float32] | None) -> float:
    """How alike two embeddings are, -1 to 1."""
    assert first is not None
    assert second is not None
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lfw", type=Path, help="folder with images/<person>/*.jpg")
    parser.add_argument("--networks", type=Path, default=Path("models/networks"))
    parser.add_argument("--limit", type=int, default=None, help="so many photos, evenly spread (a quick look)")
    parser.add_argument("--turned", type=int, default=300, help="so many of them are turned, in three ways each")
    args = parser.parse_args()

    photos = [photo for own in people(args.lfw).values() for photo in own]
    photos = spread(photos, args.limit or len(photos))
    recognizer = Recognizer(Networks.load(args.networks))
    recognizer.open()
    chosen = compare_rules(recognizer, photos)
    print(f"{chosen['photos']} photos with a face, {chosen['with_several_faces']} with several")
    print(f"\n{'rule':32}{'wrong faces':>12}{'per 1,000':>12}")
    for name, wrong in chosen["wrong"].items():
        print(f"{name:32}{wrong:12}{1000 * wrong / chosen['photos']:12.1f}")
    if chosen["named"]:
        print(f"\nwrong as the service finds it: {', '.join(chosen['named'])}")
    turned = turn_photos(recognizer, spread(photos, args.turned))
    print("\n{turned_photos} turned photos: {turned_right} are turned back, {turned_otherwise} otherwise, on "
          "{seen_upright} a face is seen upright".format(**turned))  # fmt: skip
    print("likeness to the upright face: {likeness_median} (median), {likeness_1_percent} (1 %)".format(**turned))
    print(json.dumps({"bench": "faces_chosen", "backbone": recognizer.networks.backbone_name, **chosen, **turned}))


if __name__ == "__main__":
    main()
