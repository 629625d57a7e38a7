"""Do copies of one shot count once, and do different shots stay apart?

    python -m bench.copies LFW [--people N] [--cache FILE]

For N people, five shots each are saved as they are, mirrored, cropped, resized and tilted. The table says how many
groups the stage quality makes of the 25 photos of a person (five would be right), and how often each kind of copy is
joined with its shot. Then all photos of LFW are compared: how many pairs of different photos, of one person and of two
people, have faces as alike as `quality.copy_cosine` asks. Faces and limits are those of the product and of params.yaml.
"""

from __future__ import annotations

import argparse
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bench.support.embeddings import embed_all_cached
from bench.support.lfw import people
from faces.recognition.networks import Networks
from faces.recognition.quality import hash_bits, photo_hash
from faces.recognition.recognizer import Recognizer
from stages.params import QualityParams, load_params
from stages.quality.grouping import find_near_duplicates

SHOTS = 5
_SEED = 0
_BLOCK = 500  # rows that are compared at once


def cropped(image: Image.Image, share: float) -> Image.Image:
    """The image without a border: `share` of its width and height is cut off in all."""
    across, down = image.width * share / 2, image.height * share / 2
    return image.crop((round(across), round(down), round(image.width - across), round(image.height - down)))


def resized(image: Image.Image, factor: float) -> Image.Image:
    """The image with its sides multiplied."""
    size = round(image.width * factor), round(image.height * factor)
    return image.resize(size, Image.Resampling.LANCZOS)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda image: image,
    "mirrored": ImageOps.mirror,
    "cropped by 10 %": lambda image: cropped(image, 0.1),
    "resized to 70 %": lambda image: resized(image, 0.7),
    "tilted by 4 degrees": lambda image: image.rotate(4, Image.Resampling.BICUBIC),
}
"""How a shot is saved, by name."""


def save_copy(image: Image.Image, copy: str) -> bytes:
    """A JPEG of a copy of the image, made as `COPIES` says."""
    file = io.BytesIO()
    COPIES[copy](image.convert("RGB")).save(file, "JPEG", quality=92)
    return file.getvalue()


def group_copies(recognizer: Recognizer, shots: list[Path], params: QualityParams) -> NDArray[np.int64]:
    """Groups of all copies of some shots, int64 [shots, copies]; -1 where no face was found."""
    embeddings, hashes, place = [], [], []
    for shot, path in enumerate(shots):
        with Image.open(path) as image:
            photos = [save_copy(image, copy) for copy in COPIES]
        for copy, photo in enumerate(photos):
            face = recognizer.largest_face(photo)
            if face is not None:
                recognizer.embed([face])
                assert face.embedding is not None
                embeddings.append(face.embedding / np.linalg.norm(face.embedding))
                hashes.append(photo_hash(Image.open(io.BytesIO(photo))))
                place.append((shot, copy))
    count = len(place)
    near = find_near_duplicates(
        hash_bits(hashes), np.stack(embeddings).astype(np.float32), np.ones(count, np.int64), np.arange(count),
        params.hash_distance, params.duplicate_cosine, params.copy_cosine,
    )  # fmt: skip
    groups = np.full((len(shots), len(COPIES)), -1, np.int64)
    for (shot, copy), group in zip(place, near.groups, strict=True):
        groups[shot, copy] = group
    return groups


def measure_copies(recognizer: Recognizer, chosen: list[list[Path]], params: QualityParams) -> dict[str, Any]:
    """How many groups the copies of each person's shots make, and how often each kind is joined with its shot."""
    counts = []
    joined: dict[str, list[bool]] = {name: [] for name in COPIES if name != "as it is"}
    for shots in chosen:
        groups = group_copies(recognizer, shots, params)
        counts.append(len(np.unique(groups[groups >= 0])))
        for copy, name in enumerate(COPIES):
            if name in joined:
                there = (groups[:, 0] >= 0) & (groups[:, copy] >= 0)
                joined[name] += (groups[:, 0] == groups[:, copy])[there].tolist()
    return {
        "people": len(chosen),
        "photos_each": SHOTS * len(COPIES),
        "groups": {"mean": round(float(np.mean(counts)), 2), "least": min(counts), "most": max(counts)},
        "joined": {name: round(float(np.mean(own)), 3) for name, own in joined.items()},
    }


def measure_different(embeddings: dict[Path, NDArray[np.float32]], limit: float) -> dict[str, Any]:
    """How many pairs of different photos reach the limit."""
    photos = list(embeddings)
    unit = np.stack([embeddings[photo] / np.linalg.norm(embeddings[photo]) for photo in photos])
    who = np.unique([photo.parent.name for photo in photos], return_inverse=True)[1]
    reached, pairs = {"one person": 0, "two people": 0}, {"one person": 0, "two people": 0}
    for start in range(0, len(unit), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(unit)))
        later = np.arange(len(unit))[None, :] > rows[:, None]
        alike = unit[rows] @ unit.T >= limit
        same = who[rows][:, None] == who[None, :]
        for name, wanted in (("one person", same), ("two people", ~same)):
            pairs[name] += int((later & wanted).sum())
            reached[name] += int((later & wanted & alike).sum())
    return {name: {"pairs": pairs[name], "as_alike_as_copies": reached[name]} for name in pairs}


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lfw", type=Path, help="folder with images/ (LFW)")
    parser.add_argument("--networks", type=Path, default=Path("models/networks"))
    parser.add_argument("--people", type=int, default=30, help="people whose shots are copied (default 30)")
    parser.add_argument("--cache", type=Path, default=None, help="keep LFW's embeddings in this file (.npz)")
    args = parser.parse_args()

    params = load_params().quality
    recognizer = Recognizer(Networks.load(args.networks))
    recognizer.open()
    known = people(args.lfw)
    many = [name for name, photos in known.items() if len(photos) >= SHOTS]
    generator = random.Random(_SEED)
    names = generator.sample(many, min(args.people, len(many)))
    copies = measure_copies(recognizer, [generator.sample(known[name], SHOTS) for name in names], params)
    found = embed_all_cached(recognizer, [photo for photos in known.values() for photo in photos], args.cache)
    different = measure_different(found, params.copy_cosine)

    groups = copies["groups"]
    print(f"{copies['people']} people, {copies['photos_each']} photos of {SHOTS} shots each")
    print(f"groups: {groups['mean']} in the mean, {groups['least']} to {groups['most']}")
    for name, share in copies["joined"].items():
        print(f"  {name:22} joined with its shot: {share:.1%}")
    print(f"different photos whose faces reach a cosine of {params.copy_cosine}:")
    for name, figures in different.items():
        print(f"  of {name}: {figures['as_alike_as_copies']} of {figures['pairs']:,} pairs")
    common = {"backbone": recognizer.networks.backbone_name, "copy_cosine": params.copy_cosine}
    print(json.dumps({"bench": "copies", **common, "copies": copies, "different": different}))


if __name__ == "__main__":
    main()
