"""How well do the embeddings verify? Accuracy on LFW's pairs, through `faces/` alone.

    python -m bench.lfw_pairs LFW [--limit N] [--no-flip]

Measured twice: with the face of each photo that the product itself takes, as /verify does, and with the one nearest the
centre, where LFW has the person that the photo is named after. The first is the product's figure. The second shows what
the embeddings alone can do, where the right face is known.

For each of ten folds the threshold on the Euclidean distance is the one that is best on the other nine, as LFW's
protocol asks. A photo without a face counts as "different" for its pairs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from bench.support.embeddings import central_face, product_face
from bench.support.lfw import Pair, pairs
from faces.fit_population import Choice, embed_photos
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer

FOLDS = 10
HEADLINE = "product's own"
FACES: dict[str, Choice] = {HEADLINE: product_face, "central": central_face}
"""Which face of a photo is meant, by name."""


def accuracy(similarity: NDArray[np.float64], same: NDArray[np.bool_], seed: int = 0) -> tuple[float, float]:
    """Mean and standard error over folds of the accuracy at the threshold that is best on the other folds.

    Args:
        similarity: float [N], higher means more alike; -inf where there was no face.
        same: bool [N].
        seed: of the random assignment to folds.
    """
    fold = np.random.default_rng(seed).permutation(len(same)) % FOLDS
    results = []
    for held_out in range(FOLDS):
        train = fold != held_out
        candidates = np.unique(similarity[train & np.isfinite(similarity)])
        right = [((similarity[train] >= threshold) == same[train]).mean() for threshold in candidates]
        best = candidates[int(np.argmax(right))]
        test = ~train
        results.append(float(((similarity[test] >= best) == same[test]).mean()))
    return float(np.mean(results)), float(np.std(results, ddof=1) / np.sqrt(FOLDS))


def similarities(chosen: list[Pair], embeddings: dict[Path, NDArray[np.float32]]) -> NDArray[np.float64]:
    """Minus the distance of each pair's embeddings, float64 [N]; -inf where a photo has none."""
    return np.array([
        -float(np.linalg.norm(embeddings[pair.first] - embeddings[pair.second]))
        if pair.first in embeddings and pair.second in embeddings
        else -np.inf
        for pair in chosen
    ])  # fmt: skip


def measure(recognizer: Recognizer, chosen: list[Pair], choose: Choice) -> dict[str, Any]:
    """Figures of the pairs where `choose` says which face of a photo is meant."""
    photos = sorted({photo for pair in chosen for photo in (pair.first, pair.second)})
    start = time.perf_counter()
    embeddings = embed_photos(recognizer, photos, choose)
    seconds = time.perf_counter() - start
    similarity = similarities(chosen, embeddings)
    same = np.array([pair.same for pair in chosen])
    mean, error = accuracy(similarity, same)
    return {
        "accuracy": round(mean, 4),
        "accuracy_standard_error": round(error, 4),
        "auc": round(float(roc_auc_score(same, np.maximum(similarity, -10))), 5),
        "photos_without_face": len(photos) - len(embeddings),
        "ms_per_photo": round(1000 * seconds / len(photos), 1),
    }


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lfw", type=Path, help="folder with images/ and pairs.txt")
    parser.add_argument("--networks", type=Path, default=Path("models/networks"))
    parser.add_argument("--limit", type=int, default=None, help="first N pairs of each kind only (a quick look)")
    parser.add_argument("--no-flip", action="store_true", help="do not average with the mirrored face")
    args = parser.parse_args()

    chosen: list[Pair] = []
    for kind in (True, False):
        chosen += [pair for pair in pairs(args.lfw) if pair.same is kind][: args.limit]
    recognizer = Recognizer(Networks.load(args.networks), flip=not args.no_flip)
    recognizer.open()
    rows = {name: measure(recognizer, chosen, choose) for name, choose in FACES.items()}
    common = {"backbone": recognizer.networks.backbone_name, "flip": not args.no_flip, "pairs": len(chosen)}
    print(", ".join(f"{name} {value}" for name, value in common.items()))
    print(f"\n{'':26}" + "".join(f"{name:>16}" for name in rows))
    for figure in rows[HEADLINE]:
        print(f"{figure:26}" + "".join(f"{row[figure]:>16}" for row in rows.values()))
    print(json.dumps({"bench": "lfw_pairs", **common, "headline": HEADLINE, "faces": rows}))


if __name__ == "__main__":
    main()
